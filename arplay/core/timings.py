"""What answers cost, by the length of their context: with the cache, without it, and when it is filled."""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from arplay.core.position import Answer

MOST = 2000
"""Timings that are kept; the oldest go first."""

Kind = Literal["cached", "prefill", "uncached"]


@dataclass(frozen=True, slots=True)
class Timing:
    """One measured answer.

    ``cached``: one token was read, the rest of the ``context`` tokens came from the cache: a step. ``prefill``: more
    than one was read after what the cache held. ``uncached``: all were read, in one forward without a cache.
    ``evaluated``: tokens read. ``cache_bytes``: kept afterwards. ``difference``: max |logit - logit| between this
    uncached answer and the cached one at the same place, None where there was none.
    """

    kind: Kind
    context: int
    evaluated: int
    seconds: float
    cache_bytes: int = 0
    difference: float | None = None

    @property
    def reused(self) -> int:
        """Tokens that did not have to be read: the hits; ``evaluated`` are the misses."""
        return max(0, self.context - self.evaluated)


Timings = tuple[Timing, ...]


def of_answer(answer: Answer) -> Timing | None:
    """None where nothing had to be read: that is no measurement of the model."""
    if not answer.evaluated:
        return None
    kind: Kind = "cached" if answer.evaluated == 1 and answer.position.context > 1 else "prefill"
    return Timing(kind, answer.position.context, answer.evaluated, answer.seconds, answer.cache_bytes)


def added(timings: Timings, timing: Timing) -> Timings:
    return (*timings[-(MOST - 1) :], timing)


def forecast(timings: Sequence[Timing], context: int) -> float | None:
    """Seconds that reading ``context`` tokens at once will hardly exceed; None where nothing is known.

    Each measurement gives a bound: its time for a token, times the tokens, and once more times the growth of the
    context where that is longer (attention compares all pairs). The least one counts.

    >>> forecast([Timing("uncached", 100, 100, 0.5)], 200), forecast([Timing("cached", 100, 1, 0.25)], 50)
    (2.0, 12.5)
    """
    known = [t for t in timings if t.evaluated > 0 and t.context > 0 and math.isfinite(t.seconds)]
    bounds = (t.seconds * context / t.evaluated * max(1.0, context / t.context) for t in known)
    return min(bounds, default=None)


def missing(timings: Sequence[Timing], longest: int) -> list[int]:
    """The eighths of ``longest`` near which nothing was measured without a cache, the most telling first.

    >>> missing([Timing("uncached", 40, 40, 0.1)], 80)
    [20, 60, 10, 30, 50, 70]
    """
    known = [t.context for t in timings if t.kind == "uncached"]
    lengths = (longest * k // 8 for k in (4, 2, 6, 1, 3, 5, 7))
    return [n for n in lengths if n >= 2 and all(abs(n - other) > longest / 16 for other in known)]


def trend(timings: Sequence[Timing], kind: Kind, bins: int = 24) -> list[tuple[float, float]]:
    """(context, seconds): the medians of the timings of one kind in up to ``bins`` equal ranges of context.

    >>> trend([Timing("uncached", n, n, n / 10) for n in (2, 3, 8)], "uncached", bins=4)
    [(2.5, 0.25), (8, 0.8)]
    """
    mine = [t for t in timings if t.kind == kind and math.isfinite(t.seconds)]
    longest = max((t.context for t in mine), default=0)
    parts: dict[int, list[Timing]] = {}
    for t in mine:
        parts.setdefault(min(bins - 1, bins * t.context // max(1, longest)), []).append(t)
    middles = (parts[i] for i in sorted(parts))
    return [(statistics.median(t.context for t in p), statistics.median(t.seconds for t in p)) for p in middles]


def speedup(timings: Sequence[Timing]) -> tuple[float, int] | None:
    """(how many times as fast a step is with the cache, at this context), at the longest context that has both.

    The step is the median of the five cached ones with the nearest contexts, which are at most a quarter away.
    """
    cached = [t for t in timings if t.kind == "cached" and t.seconds > 0]
    uncached = {t.context: t for t in timings if t.kind == "uncached"}  # the newest of each length
    for context in sorted(uncached, reverse=True):
        near = heapq.nsmallest(5, cached, key=lambda t: abs(t.context - context))
        near = [t for t in near if abs(t.context - context) <= context / 4]
        if near:
            return uncached[context].seconds / statistics.median(t.seconds for t in near), context
    return None


def largest_difference(timings: Sequence[Timing]) -> float | None:
    """Over every place that was compared; None where none was."""
    return max((t.difference for t in timings if t.difference is not None), default=None)
