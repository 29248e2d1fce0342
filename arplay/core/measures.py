"""What a heatmap can colour tokens by: a table with a line a measure, and its figures from a ledger.

A measure is one :class:`Measure`: a name, words, a function from tokens [first, stop) of a ledger to a figure each, and
the kind of scale that the figures are shown on (``arplay/export/colours.py``). Nothing else has to know it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from arplay.core.aligned import Aligned
from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.format import in_unit, number

Floats = NDArray[np.float64]
ScaleKind = Literal["nats", "share", "ranks", "signed", "count"]
"""Of figures that are nats from 0 on, probabilities, ranks from 1 on, nats around 0, or numbers of tokens."""

BOUNDS = (1, 10, 100)
"""The highest rank of every bucket but the last, where nobody moved them; :data:`GLTR` has another three."""
GLTR = (10, 100, 1000)
"""Those of GLTR (Gehrmann, Strobelt and Rush 2019, "Statistical Detection and Visualization of Generated Text")."""
HIGHEST = 999_999
"""The highest bound of a bucket."""


@dataclass(frozen=True)
class Measure:
    """``values``: of tokens [first, stop) of a ledger, shape (stop - first,), NaN where there is no score.

    ``said``: the name in a legend; ``tip``: what it means, and where that is from.
    """

    name: str
    title: str
    said: str
    tip: str
    values: Callable[[Ledger, int, int], Floats]
    scale: ScaleKind

    @property
    def in_nats(self) -> bool:
        """Whether the figures are nats, which may be shown in bits."""
        return self.scale in ("nats", "signed")

    def short(self, figure: float, unit: str) -> str:
        """A figure where there is little room.

        >>> of("surprisal").short(0.6931, "bits"), of("p").short(0.5, "nats"), of("rank").short(1200.0, "nats")
        ('1.00', '0.50', '1,200')
        """
        if self.scale in ("ranks", "count"):
            return f"{figure:,.0f}"
        return number(in_unit(figure, unit) if self.in_nats else figure, 2)

    def mean(self, values: Floats) -> float:
        """What stands for many tokens: the mean, of ranks the geometric one; NaN where there is no figure.

        >>> round(of("rank").mean(np.array([1.0, 100.0, np.nan])), 6), of("p").mean(np.array([0.5, 1.0]))
        (10.0, 0.75)
        """
        known = values[~np.isnan(values)]
        if not len(known):
            return float("nan")
        return float(self.single(np.mean(self.summed(known))))

    def summed(self, values: Floats) -> Floats:
        """What is added up for :meth:`mean`; a surprisal that is infinite counts as 1000 nats."""
        return np.log(values) if self.scale == "ranks" else np.clip(values, -1000.0, 1e9)

    def single(self, mean: Floats | np.floating[Any]) -> Floats:
        """The figure that a mean of :meth:`summed` stands for."""
        return np.asarray(np.exp(mean) if self.scale == "ranks" else mean, np.float64)


def surprisal(ledger: Ledger, first: int, stop: int) -> Floats:
    """-log p in nats."""
    return np.where(np.arange(first, stop) < ledger.done, 0.0 - ledger.logprob[first:stop], np.nan)


def probability(ledger: Ledger, first: int, stop: int) -> Floats:
    """p of each token, 0 to 1."""
    return np.exp(-surprisal(ledger, first, stop))


def rank(ledger: Ledger, first: int, stop: int) -> Floats:
    """How many tokens were more probable, plus one; NaN where the model does not tell."""
    ranks = ledger.rank[first:stop]
    known = (ranks > 0) & ~np.isnan(surprisal(ledger, first, stop))
    return np.where(known, ranks, np.nan)


def entropy(ledger: Ledger, first: int, stop: int) -> Floats:
    """H = -Σ p log p in nats, of the distribution that the token was drawn from."""
    known = ~np.isnan(surprisal(ledger, first, stop))
    return np.where(known, ledger.entropy[first:stop].astype(np.float64), np.nan)


def above_entropy(ledger: Ledger, first: int, stop: int) -> Floats:
    """-log p - H in nats: 0 is as surprising as expected, as H is the mean of -log p under the model.

    >>> from arplay import load
    >>> ledger = load("abc").score("BAC").ledger
    >>> (-ledger.logprob[:1]).round(3), ledger.entropy[:1].round(3), above_entropy(ledger, 0, 1).round(3)
    (array([0.916]), array([1.089], dtype=float32), array([-0.173]))
    """
    return surprisal(ledger, first, stop) - entropy(ledger, first, stop)


def context(ledger: Ledger, first: int, stop: int) -> Floats:
    """How many tokens the model had read before each one."""
    read = ledger.context_of(np.arange(first, stop)).astype(np.float64)
    return np.where(np.isnan(surprisal(ledger, first, stop)), np.nan, read)


MEASURES: tuple[Measure, ...] = (
    Measure(
        "surprisal",
        "Surprisal",
        "surprisal −log p",
        "−log p of each token: 0 where the model was certain of it, large where it was surprised",
        surprisal,
        "nats",
    ),
    Measure(
        "p", "p", "p", "The probability that the model gave each token: exp(log p), from 1 to 0", probability, "share"
    ),
    Measure(
        "rank",
        "Rank",
        "rank",
        "How many tokens the model held more probable, plus one: rank 1 was its first choice. In buckets as GLTR has "
        "them (Gehrmann and others 2019), whose bounds can be moved",
        rank,
        "ranks",
    ),
    Measure(
        "entropy",
        "Entropy",
        "entropy",
        "How open the choice was before the token came: the mean surprisal the model expected",
        entropy,
        "nats",
    ),
    Measure(
        "surprisal-minus-entropy",
        "Surprisal − entropy",
        "−log p − entropy",
        "Surprisal less entropy, −log p − H: above 0 more surprising than the model expected to be, below 0 less; near "
        "0 a token is locally typical (Meister and others 2023)",
        above_entropy,
        "signed",
    ),
    Measure(
        "context",
        "Context",
        "context read",
        "How many tokens the model had read before each one: few at the beginning, and after each new window of a long "
        "text",
        context,
        "count",
    ),
)
NAMES = tuple(each.name for each in MEASURES)


def of(name: str) -> Measure:
    """The measure of this name. Raises Problem where there is none."""
    for each in MEASURES:
        if each.name == name:
            return each
    raise Problem(f"tokens are not coloured by {name}", f"use {', '.join(NAMES)}")


def difference(pair: Aligned | None, letter: str = "B") -> Measure:
    """How much more another model, called ``letter``, pays than the one in sight, A: in nats, of the span that a token
    is part of; NaN where nothing is compared.

    >>> from arplay import load
    >>> from arplay.core.aligned import aligned
    >>> ledger = load("abc").score("BAC").ledger
    >>> difference(aligned(ledger, ledger)).values(ledger, 0, 3)
    array([0., 0., 0.])
    """

    def values(ledger: Ledger, first: int, stop: int) -> Floats:
        if pair is None or not len(pair) or ledger is not pair.ledgers[pair.own]:
            return np.full(stop - first, np.nan)
        span = np.searchsorted(pair.first[pair.own], np.arange(first, stop), side="right") - 1
        inside = (span >= 0) & (span < len(pair))
        return np.where(inside, pair.difference[np.clip(span, 0, len(pair) - 1)], np.nan)

    tip = (
        "How much more another model pays for the same span of the text, from the panel Comparison: below 0 (blue) it "
        "knew better, above 0 (orange) the window's own model did"
    )
    return Measure("difference", "Difference", f"{letter} − A, of the span", tip, values, "signed")


def bounds_of(wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Three bounds in rising order from 1 on, as near to those that are wanted as can be.

    >>> bounds_of((10, 100, 1000)), bounds_of((5, 5, 2)), bounds_of((0, 2_000_000, 3_000_000))
    ((10, 100, 1000), (5, 6, 7), (1, 999998, 999999))
    """
    found: list[int] = []
    for place, bound in enumerate(wanted):
        most = HIGHEST - (len(wanted) - 1 - place)
        found.append(min(max(bound, found[-1] + 1 if found else 1), most))
    return tuple(found)


def bounds_with(bounds: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    """``bounds`` with another one at ``place``: it stays as it is wished as far as can be, and the others make room.

    >>> bounds_with((1, 10, 100), 0, 50), bounds_with((1, 10, 100), 2, 5), bounds_with((1, 10, 100), 2, 1)
    ((50, 51, 100), (1, 4, 5), (1, 2, 3))
    """
    value = max(value, place + 1)
    below = (min(bound, value - (place - i)) for i, bound in enumerate(bounds[:place]))
    return bounds_of((*below, value, *bounds[place + 1 :]))


def bounds_from_json(value: object) -> tuple[int, ...]:
    """Three bounds that were kept. Raises Problem where they are none."""
    if not isinstance(value, list) or any(type(bound) is not int for bound in value) or len(value) != len(BOUNDS):
        raise Problem("the bounds of ranks are no three whole numbers", "choose them again")
    if bounds_of(tuple(value)) != tuple(value):
        raise Problem("the bounds of ranks do not rise from 1 on", "choose them again")
    return tuple(value)


def bucket_names(bounds: tuple[int, ...]) -> tuple[str, ...]:
    """
    >>> bucket_names((1, 10, 100)), bucket_names((10, 11))
    (('1', '2–10', '11–100', '>100'), ('1–10', '11', '>11'))
    """
    lows = (1, *(bound + 1 for bound in bounds[:-1]))
    named = (f"{low:,}" if low == high else f"{low:,}–{high:,}" for low, high in zip(lows, bounds, strict=True))
    return (*named, f">{bounds[-1]:,}")


def bucket_counts(ledger: Ledger, bounds: tuple[int, ...]) -> tuple[int, ...]:
    """How many tokens have a rank in each bucket.

    >>> from arplay import load
    >>> bucket_counts(load("abc").score("BCB").ledger, (1, 2, 100))
    (1, 1, 1, 0)
    """
    ranks = ledger.rank[: ledger.done]
    upto = [int(np.count_nonzero(ranks <= bound)) for bound in (0, *bounds)]
    return (*(b - a for a, b in pairwise(upto)), len(ranks) - upto[-1])
