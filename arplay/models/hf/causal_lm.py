"""Any causal transformer that the transformers library knows, behind the Session contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import read_only
from arplay.models.alphabets import TextAlphabet
from arplay.models.base import (
    LOGITS_BYTES,
    Batch,
    Capabilities,
    Columns,
    Field,
    Info,
    Memory,
    Scores,
    check,
    columns,
    frozen_scores,
    no_first,
    reads_last,
    unscored,
)
from arplay.models.batches import OneByOne
from arplay.models.hf.caches import Kept
from arplay.models.hf.chains import NetworkBatch
from arplay.models.hf.kv_cache import KVCache
from arplay.models.hf.passes import Passes
from arplay.models.hf.proof import Proof
from arplay.models.scoring_rows import logprobs_of, masses, score_rows
from arplay.models.sessions import Chain

if TYPE_CHECKING:
    import torch

    from arplay.models.hf.fast_step import FastStep

STRETCH = 1024
"""No more tokens than this are scored by one forward where the logits come in parts."""

CHECKPOINT_TOKENS = 64
"""No forward reads more tokens than this where a session goes back by checkpoints, of which it leaves one."""


class CausalLM:
    """A loaded network, and what was proved of it."""

    def __init__(
        self, network: Any, alphabet: TextAlphabet, info: Info, proof: Proof, step: FastStep | None = None
    ) -> None:
        self.network = network
        self.passes = Passes(network, step)
        self.alphabet = alphabet
        self.info = info
        self.proof = proof
        own = hasattr(network, "gradient")  # arplay's own are recurrent
        kept = "the state" if own else "the KV cache"
        self.can = Capabilities(
            starts_empty=False, rewinds=proof.cache, batch=proof.batch, kept=kept, grows=not own, field=own
        )
        rows = LOGITS_BYTES // (4 * proof.vocabulary)
        self.rows = max(1, rows - 1)  # one more is needed where the last is read again

    def memory(self) -> Memory:
        if self.info.engine == "torch":
            return Memory(sum(parameter.nbytes for parameter in self.network.parameters()))
        from arplay.models.hf.fast_weights import bytes_of

        return Memory(bytes_of(self.network))

    def session(self) -> CausalSession:
        return CausalSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> Batch:
        if not self.can.batch:
            return OneByOne(self.info, self.session, prefixes)
        return NetworkBatch(self.passes.forward, self.info, prefixes)

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """-cross_entropy of torch, in 64 bits, over one forward without cache; element 0 is NaN (no p(x_1)).

        The last token is scored, not read: a full window and the token behind it fit. Where the logits would not
        fit the bound the pass is repeated for a part of the rows at a time.
        """
        import torch

        check(self.info, ids[:-1])
        check(self.info, ids[-1:])
        result = np.full(len(ids), np.nan)
        n = len(ids) - 1
        with torch.inference_mode():
            for low in range(0, n, self.rows):
                rows = torch.arange(low, min(n, low + self.rows), device=self.info.device)
                logits = self.passes.fresh(ids[:-1], rows)
                result[1 + low : 1 + low + len(rows)] = logprobs_of(torch, logits, ids[1 + low : 1 + low + len(rows)])
        return result

    def at_once(self, ids: Sequence[int], first: int) -> NDArray[np.floating]:
        import torch

        check(self.info, ids)
        parts = []
        with torch.inference_mode():
            for low in range(first - 1, len(ids) - 1, self.rows):
                rows = torch.arange(low, min(len(ids) - 1, low + self.rows), device=self.info.device)
                parts.append(self.passes.fresh(ids, rows).float().cpu().numpy())
        return np.concatenate(parts)

    def abreast(self, windows: Sequence[Sequence[int]], count: int) -> Scores:
        """By forwards without a cache, of as many windows as their logits may be held at once."""
        import torch

        for window in windows:
            check(self.info, window[:-1])
            check(self.info, window[-1:])
        found: list[Columns] = []
        most = self.rows // count
        with torch.inference_mode():
            for low in range(0, len(windows), most):
                part = [list(map(int, window)) for window in windows[low : low + most]]
                given = torch.tensor([window[:-1] for window in part], device=self.info.device)
                logits = self.passes.forward(given, keep=False, rows=count)[0]
                wanted = [id for window in part for id in window[len(window) - count :]]
                found.append(score_rows(torch, logits.reshape(len(wanted), -1), wanted))
        return frozen_scores(columns(found))

    def field(self, ids: Sequence[int]) -> Field:
        """Of a network that tells its gradient. Raises Problem."""
        check(self.info, ids)
        gradient = self.network.gradient(list(map(int, ids)))
        n = len(gradient)
        return Field(self.reads(len(ids))[len(ids) - n :], gradient, np.zeros(n, np.bool_))

    @property
    def wiring(self) -> str:
        reach, config = self._reach, self.network.config
        if reach is None:
            return str(getattr(config, "wiring", "every token before, by the causal mask of attention"))
        return f"the last {reach:,} tokens, by windows of {config.get_text_config().sliding_window:,} a layer"

    def reads(self, index: int) -> NDArray[np.bool_]:
        return reads_last(index, index if self._reach is None else self._reach)

    @property
    def _reach(self) -> int | None:
        """How many tokens reach the next one where every layer has a window of w: L (w - 1) + 1; None: all do."""
        config = self.network.config.get_text_config()
        window = getattr(config, "sliding_window", None)
        kinds = getattr(config, "layer_types", None)
        slides = getattr(config, "use_sliding_window", True) if kinds is None else set(kinds) == {"sliding_attention"}
        return config.num_hidden_layers * (window - 1) + 1 if window and slides else None

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        import torch

        check(self.info, ids)
        with torch.inference_mode():
            result: NDArray[np.floating] = self.passes.fresh(ids, 1)[-1].float().cpu().numpy()
        return read_only(result)


class CausalSession(Chain):
    """A chain, and what the network keeps of its beginning: all of it but for what a rewind or a failure has lost."""

    def __init__(self, model: CausalLM) -> None:
        super().__init__(model.info)
        self._model = model
        self._kept = Kept()  # of the first tokens of self._ids
        self._next: torch.Tensor | None = None  # logits after self._ids, shape (V,)
        self._expected = 0

    @property
    def storages(self) -> Mapping[int, int]:
        return self._kept.storages

    def expect(self, length: int) -> None:
        """See :func:`arplay.models.base.expect`."""
        self._expected = length

    def extend(self, ids: Sequence[int]) -> Scores:
        import torch

        given = self._checked(ids)
        with torch.inference_mode():
            if given:
                self._catch_up(torch, all_but=int(self._model.proof.several))
            most = max(self._model.rows, STRETCH) if self._model.passes.in_parts else self._model.rows
            parts = self._parts(given, most)
            return frozen_scores(columns(self._extend_some(torch, part) for part in parts))

    def rows(self, ids: Sequence[int]) -> NDArray[np.floating]:
        import torch

        with torch.inference_mode():
            return np.concatenate([logits.float().cpu().numpy() for logits in self._after(torch, ids)])

    def masses(self, ids: Sequence[int], among: NDArray[np.bool_]) -> NDArray[np.float64]:
        import torch

        mask = torch.from_numpy(among).to(self._model.info.device)
        with torch.inference_mode():
            return np.concatenate([np.empty(0), *(masses(torch, logits, mask) for logits in self._after(torch, ids))])

    def _after(self, torch: Any, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        """Read ``ids`` in portions; logits after each token of a portion, (n, V)."""
        given = self._checked(ids)
        self._catch_up(torch)
        for part in self._parts(given, self._model.rows):
            behind = self._ids[self._kept.length :] if self._model.proof.cache == "recomputed" else []
            logits = self._forward(torch, behind + part, len(part))
            self._ids += part
            yield logits

    def read(self, ids: Sequence[int]) -> None:
        import torch

        given = self._checked(ids)
        if self._model.proof.cache == "recomputed":  # nothing would be kept of it
            self._ids += given
            self._next = None if given else self._next
            return
        with torch.inference_mode():
            behind = self._ids[self._kept.length :] if given else []
            for part in self._parts(behind + given):
                self._forward(torch, part, 1)
                self._ids += part[max(0, len(self._ids) + len(part) - self._kept.length) :]

    def rewind(self, length: int) -> None:
        import torch

        before = len(self._ids)
        super().rewind(length)
        if length == before:
            return
        with torch.inference_mode():
            logits = self._kept.back(length)
        self._next = logits if self._kept.length == length else None

    def reach(self, length: int) -> int:
        return self._kept.reach(length)

    def branch(self) -> CausalSession:
        import torch

        other = CausalSession(self._model)
        other._ids, other._next = self._ids.copy(), self._next
        with torch.inference_mode():
            other._kept = self._kept.branch()
        return other

    def logits(self) -> NDArray[np.floating]:
        import torch

        if not self._ids:
            raise no_first()
        with torch.inference_mode():
            if self._model.proof.cache != "recomputed":
                self._catch_up(torch)
            elif self._next is None:
                self._forward(torch, self._ids, 1)
        assert self._next is not None
        result: NDArray[np.floating] = self._next.float().cpu().numpy()
        return read_only(result)

    def _catch_up(self, torch: Any, all_but: int = 0) -> None:
        """Read what the chain holds and the cache does not, where the logits after it are wanted.

        One token may be left to be read with what follows it, in one forward.
        """
        if self._next is not None or not self._ids or self._model.proof.cache == "recomputed":
            return
        if self._kept.length == len(self._ids):
            self._kept.back(len(self._ids) - 1)
        for part in self._parts(self._ids[self._kept.length : len(self._ids) - all_but]):
            self._forward(torch, part, 1)
        if all_but:
            self._next = None

    def _parts(self, ids: list[int], most: int | None = None) -> Iterator[list[int]]:
        """``ids`` in portions that the network may read at once."""
        at = 0
        while at < len(ids):
            sizes = [len(ids) - at]
            if most is not None:
                sizes.append(most)
            if not self._model.proof.several:
                sizes += [1] if self._kept.length else []
            elif self._model.proof.cache == "checkpoints":
                sizes.append(CHECKPOINT_TOKENS)
            yield ids[at : at + min(sizes)]
            at += min(sizes)

    def _extend_some(self, torch: Any, given: list[int]) -> Columns:
        """Read a few tokens in one forward and score each by the logits of the token before it."""
        behind, before = self._ids[self._kept.length :], self._next
        unknown = bool(self._ids) and before is None  # then the first row is the one before them
        found = [] if unknown else [unscored(1) if before is None else score_rows(torch, before[None], given[:1])]

        def score(low: int, logits: torch.Tensor) -> None:
            ids = given[low + (not unknown) :][: len(logits)]
            found.append(score_rows(torch, logits[: len(ids)], ids))

        self._forward(torch, behind + given, len(given) + unknown, score)
        self._ids += given
        return columns(found)

    def _forward(
        self, torch: Any, ids: list[int], keep: int, each: Callable[[int, torch.Tensor], object] | None = None
    ) -> torch.Tensor:
        """Read ``ids`` after what is kept; logits after the last ``keep`` of them, shape (keep, V).

        ``each`` is told them; those given back are then perhaps the last part of them only.
        """
        passes, kept = self._model.passes, self._kept
        self.evaluated += len(ids)
        self._next = None
        if self._model.proof.cache == "recomputed":
            logits = passes.fresh(ids, keep)
            self._next = logits[-1].clone()  # a view would hold all of the rows
            if each is not None:
                each(0, logits)
            return logits
        length = kept.length + len(ids)
        given = kept.take()
        if isinstance(given, KVCache):
            given.expected = self._expected
        logits, cache = passes.cached(ids, given, keep, each, self._model.rows)
        self._next = logits[-1].clone()
        kept.put(cache, length, self._next)
        return logits
