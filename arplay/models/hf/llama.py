"""The Llama network, written out: embedding, layers of attention and feed-forward, logits. Read it from the end.

Touvron et al. 2023 (arXiv:2302.13971); the same network is Llama 2 and 3.0, SmolLM2 and arplay's own `english`. With d
the width of the residual stream x, which each half of a layer adds something to, at every token:

    x = E[id]                                                      the embedding
    x = x + attention(norm(x)) W_out;  x = x + gated(norm(x)) W_down   in each layer
    logits = norm(x) U                                             U is E transposed where the head is tied

It is the architecture of transformers' ``LlamaForCausalLM`` with the same weights and numbers (tests/test_llama.py),
but for what makes a step dear on a CPU: q, k and v are one product, so are the gates and what they let through, keys
and values are written into a buffer (models/hf/kv_cache.py), and one token alone goes through :class:`LlamaStep`.
Shapes: B texts, T tokens that are read now, n before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from arplay.core.errors import in_one_line
from arplay.core.format import significant
from arplay.models.hf.kv_cache import KVCache

TURNS = 512
"""The table of rotations is made for so many places at a time."""

FIRST = 8
"""So many tokens at the beginning of a context are watched for digits that are lost."""

LOST = 10.0
"""A row whose largest number was so many times as large in an earlier layer has lost a decimal digit; one that becomes
so many times as large in one layer has it from a product that doubles what its factors err by."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What config.json says, by the names that the transformers library uses."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int
    rms_norm_eps: float
    rope_theta: float
    tie_word_embeddings: bool

    def get_text_config(self) -> Sizes:
        return self

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Output:
    """``logits``: (B, rows, V). ``cache``: what to go on from, where it was asked for."""

    logits: Tensor
    cache: KVCache | None


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight in each row (Zhang and Sennrich 2019, arXiv:1910.07467); (N, d) to (N, d).

    >>> rms_norm(torch.tensor([[3.0, 4.0]]), torch.tensor([1.0, 2.0]), 0.0)  # the root of (9 + 16) / 2 is 3.5355
    tensor([[0.8485, 2.2627]])
    """
    return F.rms_norm(x, weight.shape, weight, eps)


def rotations(places: int, width: int, theta: float) -> Tensor:
    """exp(i place theta^(-2 j / width)) for the pairs j of a head, shape (places, width / 2), complex.

    RoPE (Su et al. 2021, arXiv:2104.09864) takes each pair of numbers of a query and a key for a complex one and turns
    it by an angle that grows with its place, so that their product depends on the distance of the places alone.

    >>> x = torch.tensor([[1.0, 0.0]])
    >>> turn(x, rotations(2, 2, 10000.0)[1])  # by one radian: cos 1, sin 1
    >>> x
    tensor([[0.5403, 0.8415]])
    """
    speeds = 1.0 / theta ** (torch.arange(0, width, 2).float() / width)
    angles = torch.arange(places).float()[:, None] * speeds
    return torch.polar(torch.ones_like(angles), angles)


def turn(heads: Tensor, by: Tensor) -> None:
    """Multiply the neighbours in each head, (..., width), as complex numbers, in place."""
    if heads.dtype in (torch.float32, torch.float64):
        torch.view_as_complex(heads.view(*heads.shape[:-1], -1, 2)).mul_(by)
    else:
        pairs = torch.view_as_complex(heads.float().view(*heads.shape[:-1], -1, 2))
        heads.copy_(torch.view_as_real(pairs * by).flatten(-2))


def in_two_parts(q: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attention of T new tokens, (B, heads, T, width), to all keys and values, (B, kv heads, n + T, width); like q.

    Those before are seen by all of them, so no mask is needed for these; among the new ones it is causal. With the sums
    of exponentials Z of both parts, a = (Z1 a1 + Z2 a2) / (Z1 + Z2): a mask over all would take a sixth longer.

    >>> q, kv = torch.randn(1, 4, 3, 8), torch.randn(1, 2, 5, 8)
    >>> seen = torch.ones(3, 5, dtype=torch.bool).tril(2)
    >>> whole = F.scaled_dot_product_attention(q, kv, kv, seen, enable_gqa=True)
    >>> bool((in_two_parts(q, kv, kv) - whole).abs().max() < 1e-6)
    True
    """
    batch, heads, new, width = q.shape
    kv_heads, before = keys.shape[1], keys.shape[2] - new
    attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    together = q.reshape(batch, kv_heads, -1, width)  # the heads that share keys are like more tokens
    seen, sums = attend(together, keys[:, :, :before], values[:, :, :before])
    own = (part[:, :, before:].repeat_interleave(heads // kv_heads, 1) for part in (keys, values))
    among, their_sums = attend(q, *own, is_causal=True)
    share = torch.sigmoid(sums.reshape(batch, heads, new) - their_sums)[..., None]
    whole: Tensor = among.lerp(seen.reshape(q.shape), share)
    return whole


def why_not_in_two_parts() -> str:
    """Why :func:`in_two_parts` is no good here, a sentence; "" where it is.

    The operator that tells the sums is none that torch promises to keep, so it is tried, over more keys than it takes
    at once, beside the one that is.

    >>> why_not_in_two_parts()
    ''
    """
    numbers = torch.arange(600 * 2 * 8).sin()  # not drawn: whoever set a seed draws what they expect
    q, kv = 4 * numbers[: 4 * 40 * 8].view(1, 4, 40, 8), numbers.view(1, 2, 600, 8)
    seen = torch.ones(40, 600, dtype=torch.bool).tril(560)
    whole = F.scaled_dot_product_attention(q, kv, kv, seen, enable_gqa=True)
    try:
        gap = float((in_two_parts(q, kv, kv) - whole).abs().max())
    except Exception as error:  # noqa: BLE001 - it is gone, or wants to be called otherwise
        return f"torch {torch.__version__} does not do it ({in_one_line(error)})"
    return "" if gap <= 1e-5 else f"it differs from attention with a mask by {significant(gap, 2)}"


class Layer(NamedTuple):
    """The weights of a layer, each (in, out): the product is x @ W."""

    before_attention: Tensor  # (d,)
    qkv: Tensor  # (d, (heads + 2 kv heads) width); what turns together in a head of q and k lies side by side
    out: Tensor  # (heads width, d)
    before_feed_forward: Tensor  # (d,)
    gate_up: Tensor  # (d, 2 hidden)
    down: Tensor  # (hidden, d)


class Llama:
    """The network, called as those of the transformers library are. What its folder holds: models/hf/llama_folder.py.

    ``head`` is (d, V); ``embedding`` is (V, d), or the head's own where they are tied.
    """

    def __init__(self, sizes: Sizes, layers: tuple[Layer, ...], norm: Tensor, head: Tensor, embedding: Tensor) -> None:
        self.config, self.layers, self.norm, self.head, self.embedding = sizes, layers, norm, head, embedding
        self._rotations = torch.empty(0)
        self._step: LlamaStep | None = None
        self.not_used: tuple[str, ...] = ()
        """What would make it faster and is not used, a sentence each."""
        self._in_parts = head.is_cpu and head.dtype == torch.float32
        if self._in_parts and (why := why_not_in_two_parts()):
            self._in_parts = False
            self.not_used = (f"attention to what was read before takes a mask, which is a little slower: {why}",)

    def __call__(self, *args: Any, **more: Any) -> Output:
        return self.forward(*args, **more)

    def forward(
        self,
        input_ids: Tensor,
        cache: KVCache | None = None,
        use_cache: bool = False,
        logits_to_keep: int | Tensor = 0,
        into: Tensor | None = None,
        each: Callable[[int, Tensor], object] | None = None,
    ) -> Output:
        """Logits after every token of ``input_ids``, (B, T) to (B, T, V), read after what ``cache`` holds.

        ``logits_to_keep``: only the last so many tokens' (0: all), or those at these places. ``into``, (rows, V), and
        ``each``: of one text so many rows are written there at a time, and ``each`` is given how many came before and
        these, which the next are written over; the output has the last of them only.
        """
        batch, new = input_ids.shape
        if cache is None and use_cache:
            cache = self.empty_cache(batch)
        before = cache.length if cache is not None else 0
        single = self.dtype == torch.float32
        watched = max(0, FIRST - before) if single else 0
        if cache is not None and input_ids.numel() == 1 and self.head.is_cpu and single and not watched:
            self._step = self._step or LlamaStep(self.config)
            logits = self._step(self, int(input_ids), cache, self.turns(before, before + 1))
            if each is not None:
                each(0, logits)
            return Output(logits[None], cache)
        kept = [None] * len(self.layers) if cache is None else cache.room(new).unbind(0)
        by = self.turns(before, before + new).repeat(batch, 1)[:, None]
        mask = None
        if before and new > 1 and not self._in_parts:
            ahead = torch.full((new, before + new), -math.inf, dtype=self.dtype, device=self.device)
            mask = ahead.triu(before + 1)  # added to the scores: of truth values each layer would make such a one
        x = F.embedding(input_ids.reshape(-1), self.embedding)
        exact = Exact(self, input_ids[:, :watched], cache) if watched else None
        for layer, rows in zip(self.layers, kept, strict=True):
            x = self.read(layer, x, by, batch, rows, mask)
            if exact is not None:
                exact.mend(x.view(batch, new, -1)[:, :watched])
        if cache is not None:
            cache.length += new
        x = x.view(batch, new, -1)
        x = x[:, -logits_to_keep:] if isinstance(logits_to_keep, int) else x[:, logits_to_keep]
        x = rms_norm(x.reshape(-1, x.shape[2]), self.norm, self.config.rms_norm_eps)
        if into is None or each is None:
            return Output(torch.mm(x, self.head).view(batch, -1, self.config.vocab_size), cache)
        logits = into[:0]
        for low in range(0, len(x), len(into)):
            part = x[low : low + len(into)]
            logits = torch.mm(part, self.head, out=into[: len(part)])
            each(low, logits)
        return Output(logits[None], cache)

    def read(self, layer: Layer, x: Tensor, by: Tensor, batch: int, rows: Tensor | None, mask: Tensor | None) -> Tensor:
        """The residual stream behind a layer, (B T, d) to (B T, d)."""
        x = torch.addmm(x, self.attention(layer, x, by, batch, rows, mask), layer.out)
        return torch.addmm(x, self.gated(layer, x), layer.down)

    def attention(
        self, layer: Layer, x: Tensor, by: Tensor, batch: int, rows: Tensor | None, mask: Tensor | None
    ) -> Tensor:
        """softmax(q k^T / sqrt(width)) v in each head, over the tokens up to this one; (B T, d) to (B T, heads width).

        Several heads of q share one of k and v (grouped queries: Ainslie et al. 2023, arXiv:2305.13245). ``rows`` are
        this layer's in the cache, (2, B, kv heads, n + T, width), the last T to be written; None: n is 0, none is kept.
        """
        sizes = self.config
        heads, kv_heads, width = sizes.num_attention_heads, sizes.num_key_value_heads, sizes.head_dim
        new = x.shape[0] // batch
        qkv = torch.mm(rms_norm(x, layer.before_attention, sizes.rms_norm_eps), layer.qkv)
        turn(qkv[:, : (heads + kv_heads) * width].view(-1, heads + kv_heads, width), by)
        q, kv = qkv[:, : heads * width], qkv[:, heads * width :]
        kv = kv.view(batch, new, 2, kv_heads, width).permute(2, 0, 3, 1, 4)
        if rows is not None:
            rows[:, :, :, -new:].copy_(kv)
            kv = rows
        keys, values = kv.unbind(0)
        if new == 1:  # the queries that share a key are to it like several tokens, all of which see everything
            q = q.view(batch, kv_heads, -1, width)
            return F.scaled_dot_product_attention(q, keys, values).view(batch, -1)
        q = q.view(batch, new, heads, width).transpose(1, 2)
        if keys.shape[2] > new and self._in_parts:
            return in_two_parts(q, keys, values).transpose(1, 2).reshape(x.shape[0], -1)
        causal = mask is None
        seen = F.scaled_dot_product_attention(q, keys, values, mask, is_causal=causal, enable_gqa=heads != kv_heads)
        return seen.transpose(1, 2).reshape(x.shape[0], -1)

    def gated(self, layer: Layer, x: Tensor) -> Tensor:
        """silu(x W_gate) * (x W_up), the inner half of SwiGLU (Shazeer 2020, arXiv:2002.05202); silu(z) = z sigmoid(z).

        (B T, d) to (B T, hidden).
        """
        hidden = self.config.intermediate_size
        both = torch.mm(rms_norm(x, layer.before_feed_forward, self.config.rms_norm_eps), layer.gate_up)
        return F.silu(both[:, :hidden]).mul_(both[:, hidden:])

    def empty_cache(self, batch: int) -> KVCache:
        sizes = self.config
        shape = (sizes.num_hidden_layers, 2, batch, sizes.num_key_value_heads, 0, sizes.head_dim)
        return KVCache(self.head.new_empty(shape))

    def turns(self, start: int, end: int) -> Tensor:
        """The rotations of these places, (end - start, width / 2)."""
        if end > len(self._rotations):
            made = rotations(TURNS * math.ceil(end / TURNS), self.config.head_dim, self.config.rope_theta)
            self._rotations = made.to(self.device)
        return self._rotations[start:end]

    def parameters(self) -> Iterator[Tensor]:
        """Every weight; one that is used twice comes once."""
        for layer in self.layers:
            yield from layer
        yield from (self.norm, self.head)
        if not self.config.tie_word_embeddings:
            yield self.embedding

    @property
    def device(self) -> torch.device:
        return self.head.device

    @property
    def dtype(self) -> torch.dtype:
        return self.head.dtype


class Exact:
    """The first tokens of each text once more in 64 bits, where 32 bits have lost digits of theirs.

    At a token that a network hardly knows, just behind the first one, it may write one number hundreds of times as
    large as the others into the residual stream (Sun et al. 2024, arXiv:2402.17762), take it away again some layers
    later, and build a larger one upon what is left: what was rounded is then a thousandth of that. SmolLM2 does so
    after BOS at the first bytes of rare characters, and log p was off by up to 0.002 nats, in any order of sums. Rows
    are watched for it, which costs nothing; a text with one of them pays about two steps. The very first token has such
    a number always, sees itself alone and stays in 32 bits: of 200 first tokens two are off by more than 0.0001.
    """

    def __init__(self, network: Llama, ids: Tensor, cache: KVCache | None) -> None:
        self._network, self._before, self._ids = network, 0, ids
        if cache is not None:
            self._before = cache.length
            if cache.first is not None:
                self._ids = torch.cat([cache.first[:, : cache.length], ids], 1)
            cache.first = self._ids
        self._largest = torch.zeros(ids.shape, device=ids.device)
        self._last = torch.full(ids.shape, math.inf, device=ids.device)
        self._mended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
        self._texts: list[tuple[Tensor, Iterator[Tensor]]] = []
        self._layers = 0

    def mend(self, x: Tensor) -> None:
        """After each layer: put the exact rows of those texts into ``x``, (B, T, d)."""
        now = x.abs().amax(2)
        lost = (self._largest > LOST * now) | (now > LOST * self._last)
        self._largest, self._last = self._largest.maximum(now), now
        texts = (lost[:, int(not self._before) :].any(1) & ~self._mended).nonzero()[:, 0]
        if len(texts):
            self._mended[texts] = True
            self._texts.append((texts, islice(self._rows(self._ids[texts]), self._layers, None)))
        for texts, rows in self._texts:
            x[texts] = next(rows)[:, self._before :].to(x.dtype)
        self._layers += 1

    def _rows(self, ids: Tensor) -> Iterator[Tensor]:
        """The residual stream behind each layer, (B, T, d), in 64 bits; what 32 bits have kept is not used."""
        batch, new = ids.shape
        by = self._network.turns(0, new).repeat(batch, 1)[:, None]
        x = F.embedding(ids.reshape(-1), self._network.embedding).double()
        for weights in self._network.layers:
            x = self._network.read(Layer(*(weight.double() for weight in weights)), x, by, batch, None, None)
            yield x.view(batch, new, -1)


class LlamaStep:
    """One token through a network: the same sums as in :class:`Llama`, each written where the next one finds it.

    A step is what a person waits for, and half of its time went into making small tensors. Here all that lies between
    the weights has one row, made once; each operation writes into it, and the scale of a norm is taken along by the
    product that follows it. For 32-bit numbers on a CPU: elsewhere a step is not bound by what it makes.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        heads, kv_heads, width = sizes.num_attention_heads, sizes.num_key_value_heads, sizes.head_dim
        with torch.inference_mode(False):  # rows that may be written in any mode
            self.x, self.normed = torch.empty(2, 1, sizes.hidden_size).unbind(0)
            self.qkv = torch.empty(1, (heads + 2 * kv_heads) * width)
            self.gate_up = torch.empty(1, 2 * sizes.intermediate_size)
        turned, kv = self.qkv[:, : (heads + kv_heads) * width], self.qkv[:, heads * width :]
        self.turned = torch.view_as_complex(turned.view(heads + kv_heads, -1, 2))
        self.q = self.qkv[:, : heads * width].view(1, kv_heads, -1, width)
        self.kv = kv.view(2, 1, kv_heads, width)
        self.gate, self.up = self.gate_up.chunk(2, 1)

    def __call__(self, network: Llama, id: int, cache: KVCache, by: Tensor) -> Tensor:
        """Logits (1, V) after ``id``, read after what ``cache`` holds, which then holds it too.

        ``by``: the rotation of this place, (1, width / 2).
        """
        x, normed, qkv, gate_up, gate = self.x, self.normed, self.qkv, self.gate_up, self.gate
        eps, row = self.sizes.rms_norm_eps, x[0]

        def scale() -> float:
            return float((torch.dot(row, row).item() / len(row) + eps) ** -0.5)

        kept = cache.room(1)
        places, keys, values = kept[..., -1, :].unbind(0), kept[:, 0].unbind(0), kept[:, 1].unbind(0)
        x.copy_(network.embedding[id])
        for layer, place, k, v in zip(network.layers, places, keys, values, strict=True):
            torch.mul(x, layer.before_attention, out=normed)
            qkv.addmm_(normed, layer.qkv, beta=0, alpha=scale())
            self.turned.mul_(by)
            place.copy_(self.kv)
            x.addmm_(F.scaled_dot_product_attention(self.q, k, v).view(1, -1), layer.out)
            torch.mul(x, layer.before_feed_forward, out=normed)
            gate_up.addmm_(normed, layer.gate_up, beta=0, alpha=scale())
            F.silu(gate, inplace=True).mul_(self.up)
            x.addmm_(gate, layer.down)
        cache.length += 1
        torch.mul(x, network.norm, out=normed)
        return torch.mm(normed.mul_(scale()), network.head)
