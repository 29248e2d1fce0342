"""The figures of a whole text from afar: sums over small groups of tokens, made a block at a time and kept.

From them a picture of any size follows at once; of a ledger that grows only what is new is added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger
from arplay.core.measures import Measure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUPS = 1 << 14
"""Groups of tokens at most."""
BLOCK = 1 << 16
"""Tokens that are looked at in one go: a few milliseconds."""


@dataclass
class _Sums:
    """Of every group: what is added up of its tokens' figures, and of how many."""

    total: Floats
    known: Floats
    done: int = 0


class Overview:
    """Of one document and one measure at a time; how many tokens of each group are surprising is kept beside it."""

    def __init__(self) -> None:
        self.ledger: Ledger | None = None
        self.measure: Measure | None = None
        self.group = 1
        """Tokens of a group."""
        self._sums = _Sums(np.zeros(0), np.zeros(0))
        self.surprise = np.inf
        self._surprising: Floats = np.zeros(0)
        self._looked = 0

    def show(self, ledger: Ledger | None, measure: Measure, surprise: float) -> None:
        """What it is of from now on. A ledger of the same scoring that has grown keeps what was made.

        ``surprise``: nats from which a token counts as surprising.
        """
        before = self.ledger
        grown = before is not None and ledger is not None and _goes_on(before, ledger)
        self.ledger = ledger
        if not grown:
            n = 0 if ledger is None else len(ledger)
            self.group = max(1, -(-n // GROUPS))
            groups = -(-n // self.group)
            self._surprising = np.zeros(groups)
        groups = len(self._surprising)
        if not grown or measure != self.measure:
            self.measure = measure
            self._sums = _Sums(np.zeros(groups), np.zeros(groups))
        if not grown or surprise != self.surprise:
            self.surprise, self._looked = surprise, 0
            self._surprising = np.zeros(groups)

    @property
    def complete(self) -> bool:
        """Whether everything that is scored is in it."""
        ledger = self.ledger
        return ledger is None or min(self._sums.done, self._looked) >= ledger.done

    def go_on(self) -> None:
        """Look at one more block of tokens."""
        ledger, measure = self.ledger, self.measure
        if ledger is None or measure is None or self.complete:
            return
        first = min(self._sums.done, self._looked)
        stop = min(first + BLOCK, ledger.done)
        if self._sums.done == first:
            figures = measure.values(ledger, first, stop)
            known = ~np.isnan(figures)
            self._add(self._sums.total, first, np.where(known, measure.summed(np.where(known, figures, 1.0)), 0.0))
            self._add(self._sums.known, first, known.astype(np.float64))
            self._sums.done = stop
        if self._looked == first:
            surprising = -ledger.logprob[first:stop] >= self.surprise
            self._add(self._surprising, first, surprising.astype(np.float64))
            self._looked = stop

    def _add(self, sums: Floats, first: int, values: Floats) -> None:
        groups = np.arange(first // self.group, -(-(first + len(values)) // self.group))
        cuts = np.maximum(groups * self.group - first, 0)
        sums[groups] += np.add.reduceat(values, cuts)

    def means(self, cells: int, each: int) -> Floats:
        """The mean figure of cells of ``each`` tokens, a multiple of :attr:`group`; NaN where none is known."""
        assert self.measure is not None
        total, known = (_folded(sums, cells, each // self.group) for sums in (self._sums.total, self._sums.known))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(known > 0, self.measure.single(total / known), np.nan)

    def surprising(self, cells: int, each: int) -> Floats:
        """How many surprising tokens are in each cell."""
        return _folded(self._surprising, cells, each // self.group)


class RankCounts:
    """How many tokens have a rank in each bucket. Every token is looked at once, however the buckets are moved."""

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        self._upto: Ints = np.zeros(1, np.int64)
        """How many tokens have at most the rank of this index; 0 are those of unknown rank."""

    def of(self, ledger: Ledger, bounds: tuple[int, ...]) -> tuple[int, ...]:
        """As :func:`arplay.core.measures.bucket_counts` has it.

        >>> from arplay import load
        >>> RankCounts().of(load("abc").score("BCB").ledger, (1, 2, 100))
        (1, 1, 1, 0)
        """
        before, self._ledger = self._ledger, ledger
        if before is None or not _goes_on(before, ledger):
            before, self._upto = None, np.zeros(1, np.int64)
        done = 0 if before is None else before.done
        if ledger.done > done:
            new = np.cumsum(np.bincount(ledger.rank[done : ledger.done], minlength=len(self._upto)))
            self._upto = new + np.pad(self._upto, (0, len(new) - len(self._upto)), mode="edge")
        upto = self._upto[np.minimum([0, *bounds, len(self._upto) - 1], len(self._upto) - 1)]
        return tuple(np.diff(upto).tolist())


def _folded(sums: Floats, cells: int, per: int) -> Floats:
    padded = np.zeros(cells * per)
    padded[: len(sums)] = sums[: len(padded)]
    return padded.reshape(cells, per).sum(axis=1)


def _goes_on(before: Ledger, after: Ledger) -> bool:
    """Whether the second is of the same scoring, at least as far: they share their arrays."""
    same = before.logprob.__array_interface__["data"] == after.logprob.__array_interface__["data"]
    return same and len(before) == len(after) and before.done <= after.done
