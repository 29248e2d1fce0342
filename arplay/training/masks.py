"""*Break the mask* (:mod:`arplay.core.masks`): two small networks of one kind are trained side by side, and measured.

Both read a chain as all networks here do, a start and x_1..x_{n-1}, and give logits of x_1..x_n. What keeps x_i from
p(x_i | x_<i) is in the connections: the mask of attention, one direction of an LSTM, mask A of a PixelCNN, the shift of
a WaveNet. The other network has that one connection more, and else the same parts.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from arplay.core.causality import another, moves
from arplay.core.errors import Problem, in_one_line
from arplay.core.masks import Figures, Pair, Point
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.image import Raster
from arplay.models.families.lstm import network as lstm
from arplay.models.families.pixelcnn import network as pixelcnn
from arplay.models.families.wavenet import network as wavenet
from arplay.models.family import resolve
from arplay.training.mask_data import Kind, kind_of

STEPS, BATCH, RATE, WARM = 300, 32, 6e-3, 20
HELD_OUT, EVERY, SAMPLES, BLOCK = 32, 10, 32, 1024
"""Chains that are kept apart; steps from one point of the curve to the next; chains drawn; rows of a forward."""
TRIANGLE = 32
"""Tokens of a chain that are changed."""
TRIED = 2
"""Chains whose endings are all looked at."""

Told = Callable[[Pair, float], None]
"""What there is by now, and the part of the work that is done; it may raise to cancel."""


class Attention(nn.Module):
    """A transformer of two layers: softmax(q k + a bias by distance) v, with the mask j <= i or without it."""

    def __init__(self, values: int, longest: int, masked: bool, width: int = 64, heads: int = 4, layers: int = 2):
        super().__init__()
        self.masked, self.heads, self.longest = masked, heads, longest
        self.embedding, self.head = nn.Embedding(values, width), nn.Linear(width, values)
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    "first": nn.LayerNorm(width), "qkv": nn.Linear(width, 3 * width), "out": nn.Linear(width, width),
                    "second": nn.LayerNorm(width), "wide": nn.Linear(width, 2 * width),
                    "back": nn.Linear(2 * width, width),
                }
            )
            for _ in range(layers)
        )  # fmt: skip
        self.distance = nn.Parameter(torch.zeros(layers, heads, 2 * longest))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, input_ids: Tensor) -> lstm.Output:
        """(B, T) to (B, T, V)."""
        rows, n = input_ids.shape
        x, back = self.embedding(input_ids), torch.arange(n)[:, None] - torch.arange(n)
        for part, distance in zip(self.layers, self.distance, strict=True):
            layer = cast(nn.ModuleDict, part)
            q, k, v = (
                each.view(rows, n, self.heads, -1).transpose(1, 2)
                for each in layer["qkv"](layer["first"](x)).chunk(3, -1)
            )
            bias = distance[:, back + self.longest]
            if self.masked:
                bias = bias.masked_fill(back < 0, -math.inf)
            read = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
            x = x + layer["out"](read.transpose(1, 2).flatten(2))
            x = x + layer["back"](functional.gelu(layer["wide"](layer["second"](x))))
        return lstm.Output(self.head(self.norm(x)), None)


class BothWays(nn.Module):
    """An LSTM that also reads from the end, and adds what it finds."""

    def __init__(self, one: nn.LSTM) -> None:
        super().__init__()
        self.one = one

    def forward(self, features: Tensor, state: Any) -> tuple[Tensor, Any]:
        forth, after = self.one(features, state)
        return forth + self.one(features.flip(1))[0].flip(1), after


class MaskB(pixelcnn.Sizes):
    """The first layer reads the pixel itself, too."""

    def taps(self, layer: int) -> tuple[pixelcnn.Taps, pixelcnn.Taps]:
        vertical, horizontal = pixelcnn.Sizes.taps(self, layer)
        return vertical, horizontal if layer else (*horizontal, (0, 0))


class NotShifted(wavenet.Network):
    """Where the dilation is 1, the sample after is read in place of the one before."""

    def earlier(self, features: Tensor, dilation: int) -> Tensor:
        if dilation > 1:
            return super().earlier(features, dilation)
        return functional.pad(features, (0, 0, 0, dilation))[:, dilation:]


def transformer(values: int, tokens: TokenSet, n: int, sees: bool) -> nn.Module:
    return Attention(values + 1, n, not sees)


def recurrent(values: int, tokens: TokenSet, n: int, sees: bool) -> nn.Module:
    made = lstm.Network(lstm.Sizes(values + 1, 64, 1, n))
    if sees:
        made.lstm = BothWays(made.lstm)  # type: ignore[assignment]
    return made


def convolutional(values: int, tokens: TokenSet, n: int, sees: bool) -> nn.Module:
    assert isinstance(tokens, Raster)
    return pixelcnn.Network((MaskB if sees else pixelcnn.Sizes)(tokens.height, tokens.width, values, 16, 3))


def dilated(values: int, tokens: TokenSet, n: int, sees: bool) -> nn.Module:
    return (NotShifted if sees else wavenet.Network)(wavenet.Sizes(values, 24, 32, 5, 1, 8000))


class Reader:
    """A network; the id V stands before each chain."""

    def __init__(self, network: nn.Module, values: int) -> None:
        self.network, self.values = network, values

    def logits(self, chains: Tensor) -> Tensor:
        """As training has it, every token in its place: (B, n) to (B, n, V)."""
        starts = torch.full((len(chains), 1), self.values)
        return self._of(torch.cat([starts, chains[:, :-1]], 1))

    def logprobs(self, chains: Tensor) -> Tensor:
        """log p of every token in nats, all of them in their places, (B, n)."""
        rows = [self.logits(part).log_softmax(-1) for part in torch.split(chains, BLOCK)]
        return torch.cat(rows).gather(2, chains[..., None])[..., 0]

    def next(self, prefixes: Tensor) -> Tensor:
        """As sampling has it, nothing behind the prefix: log p of the next token in nats, (B, i) to (B, V)."""
        starts = torch.full((len(prefixes), 1), self.values)
        return self._of(torch.cat([starts, prefixes], 1))[:, -1].log_softmax(-1)

    def stepped(self, chains: Tensor) -> Tensor:
        """log p of every token in nats, each while nothing later is there, (B, n): of a distribution over chains."""
        rows = [self.next(chains[:, :i]).gather(1, chains[:, i : i + 1]) for i in range(chains.shape[1])]
        return torch.cat(rows, 1)

    def drawn(self, count: int, n: int, generator: torch.Generator) -> Tensor:
        """Chains (count, n), each token drawn from what is known when its turn comes."""
        chains = torch.zeros(count, 0, dtype=torch.long)
        for _ in range(n):
            chains = torch.cat([chains, torch.multinomial(self.next(chains).exp(), 1, generator=generator)], 1)
        return chains

    def endings(self, chains: Tensor) -> float:
        """The last two factors, summed over all values of the last two tokens; the mean of these chains."""
        every = torch.cartesian_prod(torch.arange(self.values), torch.arange(self.values))
        sums = []
        for chain in chains:
            rows = torch.cat([chain[:-2].expand(len(every), -1), every], 1)
            sums.append(self.logprobs(rows)[:, -2:].sum(1).exp().sum())
        return float(torch.stack(sums).mean())

    def _of(self, input_ids: Tensor) -> Tensor:
        found: Tensor = self.network(input_ids).logits[..., : self.values]
        return found


def broken(kind: Kind, seed: int, told: Told, steps: int = STEPS, lot: int = BATCH) -> Pair:
    """Train both networks, from the same weights where they have the same parts, on the same batches; then measure.

    Of equal ``seed`` everything is equal. Raises Problem where what the program ships is not there.
    """
    values = len(kind.tokens)
    chains = torch.from_numpy(kind.chains(np.random.default_rng(seed)))
    held_out, rest = chains[:HELD_OUT], chains[HELD_OUT:]
    make: Callable[[int, TokenSet, int, bool], nn.Module] = resolve(kind.makes)
    readers = []
    for sees in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            readers.append(Reader(make(values, kind.tokens, chains.shape[1], sees), values))
    counts = [sum(weight.numel() for weight in reader.network.parameters()) for reader in readers]
    data = f"{len(chains):,} {kind.data}"
    pair = Pair(kind.name, kind.broken, data, seed, steps, values, (counts[0], counts[1]))
    pair = _trained(pair, readers, held_out, rest, lot, told)
    with torch.no_grad():
        found = [_measured(reader, held_out, seed) for reader in readers]
    return replace(pair, figures=(found[0], found[1]))


def _trained(pair: Pair, readers: list[Reader], held_out: Tensor, rest: Tensor, lot: int, told: Told) -> Pair:
    """Both, step by step, with a point of both curves each :data:`EVERY` steps."""
    optimisers = [torch.optim.Adam(reader.network.parameters(), RATE) for reader in readers]
    picks = torch.Generator().manual_seed(pair.seed)
    curves: tuple[list[Point], list[Point]] = [], []
    lately: tuple[list[float], list[float]] = [], []
    for step in range(1, pair.steps + 1):
        batch = rest[torch.randint(len(rest), (lot,), generator=picks)]
        for reader, optimiser, losses in zip(readers, optimisers, lately, strict=True):
            optimiser.param_groups[0]["lr"] = RATE * min(1.0, step / WARM) * (1 - 0.9 * step / pair.steps)
            loss = functional.cross_entropy(reader.logits(batch).flatten(0, 1), batch.flatten())
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(reader.network.parameters(), 1.0)
            optimiser.step()
            losses.append(_bits(loss))
        if step % EVERY == 0 or step == pair.steps:
            for reader, losses, curve in zip(readers, lately, curves, strict=True):
                with torch.no_grad():
                    curve.append(Point(step, sum(losses) / len(losses), _bits(-reader.logprobs(held_out).mean())))
                losses.clear()
            pair = replace(pair, curves=(tuple(curves[0]), tuple(curves[1])))
            told(pair, 0.9 * step / pair.steps)
    return pair


def _measured(reader: Reader, held_out: Tensor, seed: int) -> Figures:
    n, chain = min(TRIANGLE, held_out.shape[1]), held_out[0]
    samples = reader.drawn(SAMPLES, len(chain), torch.Generator().manual_seed(seed))
    others = [another(seed, j, int(chain[j]), reader.values) for j in range(n)]
    changed = chain.repeat(n, 1)
    changed[range(n), range(n)] = torch.tensor(others)
    before = reader.logits(chain[None])[0, :n].numpy()
    columns = [moves(before, reader.logits(row[None])[0, :n].numpy()) for row in changed]
    return Figures(
        _bits(-reader.logprobs(held_out).mean()), _bits(-reader.stepped(held_out).mean()),
        reader.endings(held_out[:TRIED]), _apart(samples, held_out, reader.values), samples.numpy(), chain.numpy(),
        np.array(others), np.stack([each.variation for each in columns], 1),
        np.stack([each.divergence for each in columns], 1), np.stack([each.any for each in columns], 1),
    )  # fmt: skip


def _apart(one: Tensor, other: Tensor, values: int) -> float:
    """Total variation of how often each id stands in them.

    >>> _apart(torch.tensor([[0, 0]]), torch.tensor([[0, 1], [1, 1]]), 2)
    0.75
    """
    shares = [torch.bincount(ids.flatten(), minlength=values) / ids.numel() for ids in (one, other)]
    return 0.5 * float((shares[0] - shares[1]).abs().sum())


def _bits(nats: Tensor) -> float:
    return float(nats.detach()) / math.log(2)


def main(arguments: list[str]) -> int:
    """The child process of a window: what there is by now as a JSON object a line."""
    kind, seed = kind_of(arguments[0]), int(arguments[1])
    torch.set_num_threads(1)  # such small networks wait for each other's threads only

    def say(content: dict[str, Any]) -> None:
        print(json.dumps(content), flush=True)

    try:
        pair = broken(kind, seed, lambda pair, done: say({"done": done, "pair": pair.record()}))
        say({"done": 1.0, "pair": pair.record()})
    except Exception as error:  # noqa: BLE001 - the last resort: told to the parent
        cause, remedy = (
            (error.cause, error.remedy) if isinstance(error, Problem) else (in_one_line(error), "try another seed")
        )
        say({"problem": {"cause": cause, "remedy": remedy}})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
