"""The chain-rule ledger: log p(x_1..x_n) = sum of log p(x_i | x_<i), token by token, and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import LN2, filled, frozen
from arplay.core.format import how_many
from arplay.core.modalities.base import Encoded, Ids, Note, Unit
from arplay.core.windows import Windows

Floats = NDArray[np.float64]

BEST = 5
"""How many alternatives are kept for every token."""
BLOCK = 4096
"""Tokens whose log-probs are added up together: their sums are kept, and the others in between are made when asked."""


@dataclass(frozen=True, eq=False)
class Best:
    """The most probable tokens at n places in 35 bytes each: ids of 24 bits, shape (n, 5, 3), log-probs of 32, (n, 5).

    >>> Best.of(np.array([[70_000, 2, -1, -1, -1]]), np.array([[-0.5, -1.0, -np.inf, -np.inf, -np.inf]])).at(0)
    ((70000, -0.5), (2, -1.0))
    """

    packed: NDArray[np.uint8]
    logprobs: NDArray[np.float32]

    @classmethod
    def nothing(cls, n: int) -> Best:
        return cls(filled((n, BEST, 3), 255, np.uint8), filled((n, BEST), -np.inf, np.float32))

    @classmethod
    def of(cls, ids: NDArray[np.integer[Any]], logprobs: NDArray[np.floating[Any]]) -> Best:
        """``ids`` below 2 ** 24 - 1, and -1 where there is none; both of shape (n, 5)."""
        packed = ids.astype("<i4").view(np.uint8).reshape(-1, BEST, 4)[..., :3].copy()
        return cls(frozen(packed), frozen(logprobs.astype(np.float32)))

    def __getitem__(self, rows: slice) -> Best:
        return Best(self.packed[rows], self.logprobs[rows])

    @property
    def ids(self) -> NDArray[np.int32]:
        """Shape (n, 5), -1 where there is none."""
        wide = np.zeros((*self.packed.shape[:2], 4), np.uint8)
        wide[..., :3] = self.packed
        ids = wide.view("<i4")[..., 0]
        return np.where(ids == 0xFFFFFF, np.int32(-1), ids)

    def at(self, index: int) -> tuple[tuple[int, float], ...]:
        """Ids and log-probs at one place, the most probable first."""
        one = self[index : index + 1]
        pairs = zip(one.ids[0].tolist(), one.logprobs[0].tolist(), strict=True)
        return tuple((id, logprob) for id, logprob in pairs if id >= 0)


@dataclass(frozen=True, eq=False)
class Totals:
    """Figures of a scored document. Sums run over scored tokens only; ``units`` are the units of those tokens.

    ``counts``: what else of the document is counted, by name (characters of a text).
    """

    tokens: int
    scored: int
    unit: Unit
    units: int
    units_total: int
    counts: tuple[tuple[str, int], ...]
    nll_nats: float
    first_token: str
    window: int
    stride: int

    @property
    def nll_bits(self) -> float:
        return self.nll_nats / LN2

    @property
    def perplexity(self) -> float | None:
        """exp(mean NLL in nats) over the scored tokens; None if none was scored; inf on overflow."""
        return perplexity(self.nll_nats / self.scored if self.scored else None)

    @property
    def bits_per_unit(self) -> float | None:
        return self.nll_bits / self.units if self.units else None


@dataclass(frozen=True, eq=False)
class Ledger:
    """Every token of a document with what the model said about it; all arrays of length n, read-only.

    ``logprob`` in nats (NaN: not scored), ``rank`` from 1 (0: not scored), ``entropy`` in nats of the distribution
    the token was drawn from (NaN: not scored), ``best``: what the model would rather have had. ``before``: tokens of
    the chain before the first one here. ``unit``: what its totals are divided by. ``added``: what was known of the
    document before it was scored and belongs to its totals.

    A growing ledger holds the first tokens of a longer document; ``done`` says how many. All the ledgers of one scoring
    share their arrays, in which what comes behind ``done`` is still being written. 60 bytes a token hold everything
    (ids and ends of the tokens too): log-probs are kept in 64 bits, since they are added up, what is only shown in 32.
    """

    encoded: Encoded
    unit: Unit
    logprob: Floats
    rank: NDArray[np.int32]
    entropy: NDArray[np.float32]
    best: Best
    before: int
    done: int
    first_token: str
    windows: Windows
    added: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def complete(self) -> bool:
        return self.done == len(self.ids) and self.encoded.whole

    @property
    def expected(self) -> int:
        """How many tokens the document has; while it is cut into them, an estimate."""
        return self.encoded.expected

    @property
    def how_many(self) -> str:
        """The same in words."""
        return how_many(self.expected, self.encoded.whole)

    def add_up(self) -> None:
        """Compute every sum now, in the thread that has the time, and not when somebody asks for it."""
        _ = self.notes, self.totals

    @property
    def ids(self) -> Ids:
        return self.encoded.ids

    @property
    def starts(self) -> Ids:
        return self.encoded.starts

    @property
    def ends(self) -> Ids:
        return self.encoded.ends

    def part(self, first: int, stop: int) -> Ledger:
        """Tokens [first, stop) with the figures that they have in the whole text; totals are then of them alone."""
        cut = slice(first, stop)
        return replace(
            self,
            encoded=self.encoded.part(first, stop),
            logprob=self.logprob[cut],
            rank=self.rank[cut],
            entropy=self.entropy[cut],
            best=self.best[cut],
            before=self.before + first,
            done=min(max(self.done - first, 0), stop - first),
        )

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Which tokens have a log-prob, shape (n,)."""
        found = np.zeros(len(self), bool)
        np.logical_not(np.isnan(self.logprob[: self.done]), out=found[: self.done])
        return found

    @property
    def best_ids(self) -> NDArray[np.int32]:
        """Shape (n, 5), -1 where there is none."""
        return self.best.ids

    @property
    def best_logprobs(self) -> NDArray[np.float32]:
        return self.best.logprobs

    @property
    def context(self) -> Ids:
        """How many tokens the model had read before each one, shape (n,)."""
        return self.context_of(np.arange(len(self)))

    def context_of(self, rows: Ids) -> Ids:
        """The same of some rows; 0 of those that are not done."""
        end = rows + self.before
        start = self.windows.start(end)
        return np.where(rows < self.done, end - start + self.windows.before(start), 0)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What has to be known with the totals: how the text was read, and what has no score though it should."""
        first = 1 if self.first_token == "unscored" and not self.before else 0  # a later part has no first token
        failed = int(np.count_nonzero(np.isnan(self.logprob[first : self.done])))
        if not failed:
            return self.added
        sentence = f"The model gave no number (NaN) for {failed:,} tokens: every total leaves them out."
        return (*self.added, Note(f"{failed:,}", "not scored (NaN)", sentence))

    @cached_property
    def _sums(self) -> tuple[float, ...]:
        """The log-probs of each block of tokens, added up exactly."""
        blocks = (self.logprob[at : min(at + BLOCK, self.done)] for at in range(0, self.done, BLOCK))
        return tuple(math.fsum(block[~np.isnan(block)]) for block in blocks)

    @cached_property
    def _bases(self) -> tuple[float, ...]:
        """The running log-prob before each block, and behind the last one."""
        return tuple(accumulate(self._sums, initial=0.0))

    @cached_property
    def _block(self) -> tuple[int, Floats]:
        return -1, np.empty(0)

    @property
    def running(self) -> Floats:
        """The running log-prob in nats, shape (n,); an unscored token adds nothing."""
        return self.running_of(0, len(self))

    def running_of(self, first: int, stop: int) -> Floats:
        """The same of tokens [first, stop) only, shape (stop - first,)."""
        begin = first // BLOCK * BLOCK
        blocks = (self._running(at) for at in range(begin, stop, BLOCK))
        return np.concatenate([np.empty(0), *blocks])[first - begin : stop - begin]

    def running_at(self, index: int) -> float:
        """The running log-prob behind one token."""
        return float(self._running(index // BLOCK * BLOCK)[index % BLOCK])

    def _running(self, at: int) -> Floats:
        """Of the block that begins at ``at``; that of the last call is kept, as neighbours are asked for in turn."""
        if self._block[0] == at:
            return self._block[1]
        values = np.zeros(min(BLOCK, len(self) - at))
        done = max(0, min(self.done - at, len(values)))
        values[:done] = self.logprob[at : at + done]
        values[np.isnan(values)] = 0.0
        running = frozen(np.cumsum(values) + self._bases[min(at // BLOCK, len(self._sums))])
        self.__dict__["_block"] = at, running
        return running

    @cached_property
    def totals(self) -> Totals:
        scored = self.scored
        return Totals(
            tokens=self.done,
            scored=int(np.count_nonzero(scored)),
            unit=self.unit,
            units=int(np.sum(self.ends - self.starts, where=scored)),
            units_total=self.encoded.units,
            counts=self.encoded.counts,
            nll_nats=0.0 - math.fsum(self._sums),
            first_token=self.first_token,
            window=self.windows.window,
            stride=self.windows.stride,
        )


def added_up(values: NDArray[Any], edges: Ids) -> NDArray[Any]:
    """The sums of ``values`` (n,) over k spans, (k,): span i is [edges[i], edges[i + 1]), ``edges`` (k + 1,) from 0 on.

    >>> added_up(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 2, 3]))
    array([3., 0., 4.])
    """
    sums, some = np.zeros(max(0, len(edges) - 1), values.dtype), np.diff(edges) > 0
    if some.any():
        sums[some] = np.add.reduceat(values[: edges[-1]], edges[:-1][some])
    return sums


def perplexity(mean: float | None) -> float | None:
    """exp of a mean NLL in nats: of so many equally likely tokens; None of no tokens, inf beyond a float.

    >>> perplexity(0.0), perplexity(None), perplexity(1000.0)
    (1.0, None, inf)
    """
    if mean is None:
        return None
    try:
        return math.exp(mean)
    except OverflowError:
        return math.inf


def underflows(logprob: float) -> bool:
    """Whether exp(logprob) is zero as a 64-bit float though the probability is not."""
    return logprob > -math.inf and math.exp(logprob) == 0.0
