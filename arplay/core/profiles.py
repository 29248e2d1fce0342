"""What a scored document is like as a whole: surprisal along it, its distribution, ranks, calibration, and extremes.

Each function takes a ledger and looks at its scored tokens only; all are numpy in and out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST, Ledger
from arplay.core.distribution import LN2
from arplay.core.modalities.base import Ids

Floats = NDArray[np.float64]

Z = 1.959963984540054
"""The normal quantile of a band that holds the true share 95 times of 100."""


def surprisal(ledger: Ledger) -> Floats:
    """-log2 p of each token in bits, (n,); NaN where not scored."""
    found = np.full(len(ledger), np.nan)
    found[: ledger.done] = 0.0 - ledger.logprob[: ledger.done] / LN2
    return found


def rolling_mean(values: Floats, width: int) -> Floats:
    """The mean over the last ``width`` known values at each place, (n,); NaN before the first.

    >>> rolling_mean(np.array([1.0, np.nan, 3.0, 5.0]), 2).tolist()
    [1.0, 1.0, 2.0, 4.0]
    """
    known = ~np.isnan(values)
    kept = np.append(0.0, np.cumsum(values[known]))
    count = np.cumsum(known)
    first = np.maximum(count - width, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, (kept[count] - kept[first]) / np.maximum(count - first, 1), np.nan)


@dataclass(frozen=True, eq=False, slots=True)
class Histogram:
    """``counts[i]`` values lie in [edges[i], edges[i + 1]), the last edge included; what is infinite is ``beyond``."""

    edges: Floats
    counts: Ids
    beyond: int = 0


def histogram(values: Floats, width: float) -> Histogram:
    """Bins of one width from 0 to the largest value; NaN is left out.

    >>> histogram(np.array([0.2, 0.9, 2.5, np.inf, np.nan]), 1.0)
    Histogram(edges=array([0., 1., 2., 3.]), counts=array([2, 0, 1]), beyond=1)
    """
    known = values[~np.isnan(values)]
    finite = known[np.isfinite(known)]
    bins = max(1, int(np.ceil(finite.max() / width))) if len(finite) else 1
    edges = np.arange(bins + 1, dtype=np.float64) * width
    counts = np.histogram(finite, edges)[0]
    return Histogram(edges, counts, len(known) - len(finite))


def rank_histogram(ledger: Ledger) -> Histogram:
    """How many tokens had rank 1, 2, 3 to 4, 5 to 8, ...: the edges are 1, 2, 3, 5, 9, ..."""
    ranks = ledger.rank[: ledger.done]
    ranks = ranks[ranks > 0]
    if not len(ranks):
        return Histogram(np.array([1.0, 2.0]), np.zeros(1, np.int64))
    place = np.ceil(np.log2(ranks)).astype(np.int64)
    counts = np.bincount(place)
    edges = np.concatenate([[1.0, 2.0], 2.0 ** np.arange(1, len(counts)) + 1])[: len(counts) + 1]
    return Histogram(edges, counts)


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


def band(share: Floats, n: Ids) -> tuple[Floats, Floats]:
    """Where the true share lies 95 times of 100, if ``share`` of ``n`` came (Wilson 1927); all (k,).

    >>> [each.round(3).tolist() for each in band(np.array([0.8]), np.array([10]))]  # Newcombe 1998 has 0.490 to 0.943
    [[0.49], [0.943]]
    """
    middle, spread = share + Z**2 / (2 * n), Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (middle - spread) / (1 + Z**2 / n), (middle + spread) / (1 + Z**2 / n)


def calibration(ledger: Ledger, among: int = BEST, bins: int = 10) -> Calibration:
    """Do tokens that were given p = 0.3 come 30 times of 100? Asked of the ``among`` most probable at every place.

    A model that gives its first choice 0.4, 0.5 and 0.6 and is right every time is too modest:

    >>> from arplay import load
    >>> found = calibration(load("abc").score("BAC").ledger, among=1)
    >>> found.claimed.round(2).tolist(), found.came.tolist(), round(found.error, 2)
    ([0.4, 0.5, 0.6], [1.0, 1.0, 1.0], 0.5)
    """
    stop = ledger.done
    scored = ~np.isnan(ledger.logprob[:stop])
    ids, logprobs = ledger.best[0:stop].ids[scored, :among], ledger.best.logprobs[:stop][scored, :among]
    there = ids >= 0
    claims = np.exp(logprobs.astype(np.float64))[there]
    hits = (ids == ledger.ids[:stop][scored, None])[there]
    place = np.minimum((claims * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    some = counts > 0
    n = counts[some]
    claimed, came = (np.bincount(place, weights=each, minlength=bins)[some] / n for each in (claims, hits))
    low, high = band(came, n)
    error = float(np.average(np.abs(came - claimed), weights=n)) if len(n) else None
    return Calibration(claimed, came, low, high, n, error)


def by_context(ledger: Ledger) -> tuple[Ids, Floats, Ids]:
    """Mean surprisal in bits by how many tokens the model had read before: 0, 1, 2 to 3, 4 to 7, ...

    The first of each bin, its mean and its count, (k,) each; only bins with any.
    """
    rows = np.flatnonzero(ledger.scored)
    context = ledger.context_of(rows)
    place = np.where(context > 0, np.floor(np.log2(np.maximum(context, 1))).astype(np.int64) + 1, 0)
    counts = np.bincount(place)
    sums = np.bincount(place, weights=surprisal(ledger)[rows])
    some = np.flatnonzero(counts)
    first = np.where(some > 0, 2 ** np.maximum(some - 1, 0), 0)
    return first, sums[some] / counts[some], counts[some]


def extremes(ledger: Ledger, n: int) -> tuple[Ids, Ids]:
    """The n most surprising tokens and the n most confident ones, by index, ties by place.

    >>> from arplay import load
    >>> [each.tolist() for each in extremes(load("abc").score("BACB").ledger, 2)]
    [[0, 1], [3, 2]]
    """
    rows = np.flatnonzero(ledger.scored)
    values = ledger.logprob[rows]
    return rows[np.argsort(values, kind="stable")[:n]], rows[np.argsort(-values, kind="stable")[:n]]
