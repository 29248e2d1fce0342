"""What a scored document is like as a whole: surprisal along it, its distribution, ranks, calibration, and extremes.

Each of these figures adds up token by token, so each is a *tally*: it is given a ledger's tokens in blocks, of a long
text a block at a time, of a growing one what is new. All are numpy in and out, and look at scored tokens only.
``unit`` is "nats" or "bits", of all surprisals and entropies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST, Ledger
from arplay.core.distribution import LN2
from arplay.core.modalities.base import Ids

Floats = NDArray[np.float64]

Z = 1.959963984540054
"""The normal quantile of a band that holds the true share 95 times of 100."""
BLOCK = 1 << 14
"""Tokens that are added at once: a few milliseconds."""
PACK = 64
CELL, CELLS = (0.125, 0.25), (192, 192)
"""Of entropy and of surprisal: the sides of the cells in which they are counted, in the unit, and how many of them."""


class Tally(Protocol):
    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        """Count tokens [first, stop), which follow those that were counted before and are done."""
        ...


T = TypeVar("T", bound=Tally)


def tallied(tally: T, ledger: Ledger) -> T:
    """The same, of all tokens that are done."""
    for first in range(0, ledger.done, BLOCK):
        tally.add(ledger, first, min(first + BLOCK, ledger.done))
    return tally


def _scored(ledger: Ledger, first: int, stop: int, unit: str) -> tuple[Ids, Floats]:
    """Which of [first, stop) are scored, and their surprisals, infinite where p = 0."""
    logprob = ledger.logprob[first:stop]
    rows = np.flatnonzero(~np.isnan(logprob))
    return rows + first, (0.0 - logprob[rows]) * _per(unit)


def _per(unit: str) -> float:
    return 1.0 / LN2 if unit == "bits" else 1.0


def pack(values: Floats, packed: Floats, first: int, stop: int) -> None:
    """The lowest and the highest of each PACK of ``values``, (n,), into ``packed``, (blocks, 2): those that end with
    ``stop`` and begin with ``first`` or before it.

    >>> packed = np.full((2, 2), np.nan)
    >>> pack(np.arange(100.0), packed, 0, 70)
    >>> packed.tolist()
    [[0.0, 63.0], [64.0, 69.0]]
    """
    low, high = first // PACK, -(-stop // PACK)
    part = values[low * PACK : stop]
    part = np.append(part, np.full(-len(part) % PACK, np.nan)).reshape(-1, PACK)
    packed[low:high, 0], packed[low:high, 1] = np.fmin.reduce(part, axis=1), np.fmax.reduce(part, axis=1)


def places(done: int) -> Floats:
    """Where what :func:`pack` makes of ``done`` tokens stands along them, which count from 1: two places a block."""
    return np.minimum(np.arange(2.0 * -(-done // PACK)) * (PACK / 2) + 1, done)


class Along:
    """``each`` surprisal, (n,), and ``smooth``, the mean over the last ``width`` known ones; NaN: none, or infinite.

    ``packed``: the lowest and the highest of each PACK tokens, of both, (2, blocks, 2): enough for a view of a million.
    ``peak``: the first token where the mean of a whole ``width`` is highest; None as long as there are fewer.

    >>> from arplay import load
    >>> found = tallied(Along(4, 2, "bits"), load("abc").score("BACB").ledger)
    >>> found.each.round(2).tolist(), found.smooth.round(2).tolist()
    ([1.32, 1.0, 0.74, 0.51], [1.32, 1.16, 0.87, 0.63])
    """

    def __init__(self, n: int, width: int, unit: str) -> None:
        self.width, self.unit, self.known, self.beyond = width, unit, 0, 0
        self.each, self.smooth = np.full((2, n), np.nan)
        self.packed = np.full((2, -(-n // PACK), 2), np.nan)
        self.peak: int | None = None
        self._sums = np.zeros(n + 1)

    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        each = (0.0 - ledger.logprob[first:stop]) * _per(self.unit)
        self.beyond += int(np.count_nonzero(np.isinf(each)))
        each[np.isinf(each)] = np.nan
        known = ~np.isnan(each)
        count = self.known + np.cumsum(known)
        many = int(count[-1]) if len(count) else self.known
        self._sums[self.known + 1 : many + 1] = self._sums[self.known] + np.cumsum(each[known])
        since = np.maximum(count - self.width, 0)
        mean = (self._sums[count] - self._sums[since]) / np.maximum(count - since, 1)
        self.each[first:stop], self.smooth[first:stop] = each, np.where(count > 0, mean, np.nan)
        self.known = many
        for values, packed in zip((self.each, self.smooth), self.packed, strict=True):
            pack(values, packed, first, stop)
        whole = np.flatnonzero(count >= self.width)
        if len(whole):
            at = int(whole[0]) + int(np.argmax(mean[whole[0] :]))
            if self.peak is None or mean[at] > self.smooth[self.peak]:
                self.peak = first + at

    @property
    def mean(self) -> float:
        """Over all known ones; NaN where there is none."""
        return float(self._sums[self.known]) / self.known if self.known else math.nan


@dataclass(frozen=True, eq=False, slots=True)
class Histogram:
    """``counts[i]`` values lie in [edges[i], edges[i + 1]); what is infinite is ``beyond``."""

    edges: Floats
    counts: Ids
    beyond: int = 0

    @property
    def total(self) -> int:
        return int(self.counts.sum()) + self.beyond


class Surprisals:
    """How many tokens have a surprisal of 0 to ``width``, of ``width`` to twice that, and so on.

    >>> from arplay import load
    >>> found = tallied(Surprisals(0.5, "bits"), load("abc").score("BACB").ledger)
    >>> found.histogram
    Histogram(edges=array([0. , 0.5, 1. , 1.5]), counts=array([0, 2, 2]), beyond=0)
    """

    def __init__(self, width: float, unit: str) -> None:
        self.width, self.unit, self.beyond, self.total = width, unit, 0, 0.0
        self.counts: Ids = np.zeros(0, np.int64)

    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        values = _scored(ledger, first, stop, self.unit)[1]
        finite = values[np.isfinite(values)]
        self.beyond += len(values) - len(finite)
        self.total += float(finite.sum())
        self.counts = _sum(self.counts, np.bincount(np.maximum(finite / self.width, 0).astype(np.int64)))

    @property
    def histogram(self) -> Histogram:
        bins = max(1, len(self.counts))
        edges = np.arange(bins + 1, dtype=np.float64) * self.width
        return Histogram(edges, _sum(self.counts, np.zeros(bins, np.int64)), self.beyond)

    @property
    def mean(self) -> float:
        """Of the finite ones; NaN where there is none."""
        return self.total / int(self.counts.sum()) if len(self.counts) else math.nan


class Ranks:
    """How many tokens had rank 1, 2, 3 to 4, 5 to 8, ...: the edges are 1, 2, 3, 5, 9, ...

    >>> from arplay import load
    >>> tallied(Ranks(), load("abc").score("BACC").ledger).histogram
    Histogram(edges=array([1., 2., 3., 5.]), counts=array([3, 0, 1]), beyond=0)
    """

    def __init__(self) -> None:
        self.counts: Ids = np.zeros(0, np.int64)

    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        ranks = ledger.rank[first:stop]
        places = np.ceil(np.log2(ranks[ranks > 0])).astype(np.int64)
        self.counts = _sum(self.counts, np.bincount(places))

    @property
    def histogram(self) -> Histogram:
        bins = max(1, len(self.counts))
        edges = np.concatenate([[1.0, 2.0], 2.0 ** np.arange(1, bins) + 1])[: bins + 1]
        return Histogram(edges, _sum(self.counts, np.zeros(bins, np.int64)))


class Expected:
    """Entropy against surprisal: the surprisal that was expected, and the one that came.

    ``cells[i, j]``: tokens whose entropy is in [i, i + 1) and whose surprisal in [j, j + 1) times the side; what is
    beyond is in the last ones, and p = 0 is left out (``beyond``). ``without``: scored tokens without entropy.
    """

    def __init__(self, unit: str) -> None:
        self.unit, self.counted, self.beyond, self.without = unit, 0, 0, 0
        self.cells: Ids = np.zeros(CELLS, np.int64)
        self._sums = np.zeros(5)

    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        rows, came = _scored(ledger, first, stop, self.unit)
        entropy = ledger.entropy[rows].astype(np.float64) * _per(self.unit)
        known = ~np.isnan(entropy)
        self.without += len(known) - int(np.count_nonzero(known))
        finite = known & np.isfinite(came)
        self.beyond += int(np.count_nonzero(known)) - int(np.count_nonzero(finite))
        x, y = entropy[finite], came[finite]
        pairs = zip((x, y), CELL, CELLS, strict=True)
        i, j = (np.clip(values / side, 0, most - 1).astype(np.int64) for values, side, most in pairs)
        self.cells += np.bincount(i * CELLS[1] + j, minlength=self.cells.size).reshape(CELLS)
        self._sums += [each.sum() for each in (x, y, x * x, y * y, x * y)]  # no BLAS, whose threads cost more
        self.counted += len(x)

    @property
    def means(self) -> tuple[float, float]:
        """Of entropy and of surprisal; NaN where nothing is counted."""
        n = self.counted
        return (self._sums[0] / n, self._sums[1] / n) if n else (math.nan, math.nan)

    @property
    def correlation(self) -> float | None:
        """Pearson's r; None where one of both is always the same."""
        if not self.counted:
            return None
        (x, y), n = self.means, self.counted
        xx, yy, xy = self._sums[2] / n - x * x, self._sums[3] / n - y * y, self._sums[4] / n - x * y
        return float(xy / math.sqrt(xx * yy)) if min(xx, yy) > 1e-12 else None


@dataclass(frozen=True, eq=False, slots=True)
class Calibration:
    """k bins of what the model held probable; only bins with any are here. All arrays (k,).

    ``claimed``: the mean p that it gave; ``came``: the share that came; ``low`` and ``high``: where the true share lies
    95 times of 100 (Wilson 1927); ``counts``: of how many. ``error``: the expected calibration error, the mean of
    \\|came - claimed\\| weighted by counts (Naeini et al. 2015); None where there is nothing.
    """

    claimed: Floats
    came: Floats
    low: Floats
    high: Floats
    counts: Ids
    error: float | None


class Claims:
    """What came of the ``among`` most probable tokens at every place: each is one event, and only one of them comes.

    The token that came counts where it was among them. It is no event of its own else: whether it is asked of would
    then depend on its coming, and every such event would have come.

    A model that gives its first choice 0.4, 0.5 and 0.6 and is right every time is too modest:

    >>> from arplay import load
    >>> found = tallied(Claims(among=1), load("abc").score("BAC").ledger).calibration
    >>> found.claimed.round(2).tolist(), found.came.tolist(), round(found.error, 2)
    ([0.4, 0.5, 0.6], [1.0, 1.0, 1.0], 0.5)
    """

    def __init__(self, among: int = BEST, bins: int = 10) -> None:
        self.among, self.places = among, 0
        self._sums = np.zeros((3, bins))

    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        rows = _scored(ledger, first, stop, "nats")[0] - first
        best = ledger.best[first:stop]
        ids, logprobs = best.ids[rows, : self.among], best.logprobs[rows, : self.among]
        there = ids >= 0
        self.places += int(np.count_nonzero(there[:, 0]))
        claims = np.exp(logprobs.astype(np.float64))[there]
        hits = (ids == ledger.ids[first:stop][rows, None])[there]
        bins = self._sums.shape[1]
        place = np.minimum((claims * bins).astype(np.int64), bins - 1)
        for sums, weights in zip(self._sums, (None, claims, hits), strict=True):
            sums += np.bincount(place, weights=weights, minlength=bins)

    @property
    def calibration(self) -> Calibration:
        n, claims, hits = self._sums[:, self._sums[0] > 0]
        claimed, came = claims / n, hits / n
        error = float(np.average(np.abs(came - claimed), weights=n)) if len(n) else None
        return Calibration(claimed, came, *band(came, n.astype(np.int64)), n.astype(np.int64), error)


def band(share: Floats, n: Ids) -> tuple[Floats, Floats]:
    """Where the true share lies 95 times of 100, if ``share`` of ``n`` came (Wilson 1927); all (k,).

    >>> [each.round(3).tolist() for each in band(np.array([0.8]), np.array([10]))]  # Newcombe 1998 has 0.490 to 0.943
    [[0.49], [0.943]]
    """
    middle, spread = share + Z**2 / (2 * n), Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (middle - spread) / (1 + Z**2 / n), (middle + spread) / (1 + Z**2 / n)


@dataclass(frozen=True, eq=False, slots=True)
class Contexts:
    """Mean surprisal by how many tokens the model had read before: 0, 1, 2 to 3, 4 to 7, ...; only bins with any.

    ``first`` of each bin, its ``mean`` and how many ``counts``, (k,) each. ``low`` and ``high``: mean ± 1.96 s / √n,
    as if tokens were independent; NaN where there is one token.
    """

    first: Ids
    mean: Floats
    low: Floats
    high: Floats
    counts: Ids


class Depths:
    """Surprisal by the tokens that the model had read before; p = 0 is left out (``beyond``)."""

    def __init__(self, unit: str) -> None:
        self.unit, self.beyond = unit, 0
        self._sums = np.zeros((3, 40))

    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        rows, values = _scored(ledger, first, stop, self.unit)
        finite = np.isfinite(values)
        self.beyond += len(values) - int(np.count_nonzero(finite))
        values = values[finite]
        place = np.frexp(ledger.context_of(rows[finite]).astype(np.float64))[1]
        for sums, weights in zip(self._sums, (None, values, values * values), strict=True):
            sums += np.bincount(place, weights=weights, minlength=len(sums))

    @property
    def contexts(self) -> Contexts:
        some = np.flatnonzero(self._sums[0])
        n, total, squares = self._sums[:, some]
        mean = total / n
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = Z * np.sqrt(np.maximum(squares / n - mean * mean, 0.0) / (n - 1))
        spread[n < 2] = np.nan
        first = np.where(some > 0, 2 ** np.maximum(some - 1, 0), 0)
        return Contexts(first, mean, mean - spread, mean + spread, n.astype(np.int64))


class Extremes:
    """The n most surprising tokens, or the n most confident ones.

    >>> from arplay import load
    >>> ledger = load("abc").score("BACB").ledger
    >>> [tallied(Extremes(2, surprising), ledger).rows.tolist() for surprising in (True, False)]
    [[0, 1], [3, 2]]
    """

    def __init__(self, n: int, surprising: bool) -> None:
        self.n, self.surprising, self.counted, self.total = n, surprising, 0, 0.0
        self.rows: Ids = np.zeros(0, np.int64)
        """By index, the most extreme first, ties by place."""
        self._values: Floats = np.zeros(0)

    def add(self, ledger: Ledger, first: int, stop: int) -> None:
        rows, values = _scored(ledger, first, stop, "nats")
        self.counted += len(rows)
        self.total += float(values.sum())
        rows = np.append(self.rows, rows)
        values = np.append(self._values, -values if self.surprising else values)
        if len(values) > self.n:
            kept = np.partition(values, self.n - 1)[self.n - 1]
            below = values < kept
            ties = np.flatnonzero(values == kept)[: self.n - int(np.count_nonzero(below))]
            below[ties] = True
            rows, values = rows[below], values[below]
        order = np.argsort(values, kind="stable")
        self.rows, self._values = rows[order], values[order]

    @property
    def share(self) -> float | None:
        """How much of the NLL they are; None where that is 0 or infinite."""
        if not self.total or math.isinf(self.total):
            return None
        return abs(float(self._values.sum())) / self.total


def _sum(one: Ids, other: Ids) -> Ids:
    """Counts of bins, of which one may have more."""
    long, short = (one, other) if len(one) >= len(other) else (other, one)
    found = long.copy()
    found[: len(short)] += short
    return found
