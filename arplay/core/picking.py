"""Choosing one token: greedy, or by inverting the cumulative distribution at an explicit u."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.decoding.candidates import Candidates
from arplay.core.errors import Problem
from arplay.core.format import percent

MAX_SEED = 2**64 - 1


def uniform(seed: int, index: int, stream: int = 0) -> float:
    """u in [0, 1), a pure function of (seed, index): Philox 4x64 (Salmon et al. 2011) as numpy keeps it.

    ``index`` is the number of tokens of the text before the choice, so that a rewound step repeats itself. ``stream``:
    0 for the choice itself, others for what else is drawn at the same place.
    """
    return float(np.random.Generator(np.random.Philox(key=seed, counter=index | stream << 64)).random())


class Untold(Problem):
    """u fell among tokens of which a partial distribution says nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen token and where u fell: its share of the cumulative distribution is [low, high)."""

    id: int
    u: float
    low: float
    high: float


def choose(candidates: Candidates, u: float) -> Choice:
    """Inverse-CDF sampling: tokens side by side from the most to the least probable (ties by id), cut at u.

    With p = (0.5, 0.3, 0.2): u = 0.49 chooses token 0, u = 0.5 token 1, u = 0.85 token 2. What a partial distribution
    says nothing of lies behind all others; raises Untold where u falls there.

    >>> choose(Candidates(3, np.log([0.5, 0.3, 0.2])), 0.85).id
    2
    """
    if not 0 <= u < 1:
        raise ValueError(f"u = {u} is not in [0, 1)")
    reached, (count, mass) = candidates.reached, candidates.unknown
    total = float(reached[-1]) + mass  # not 1: rounding must not leave a gap below 1
    place = int(np.searchsorted(reached / total, u, side="right"))
    if place == len(reached) and candidates.is_partial:
        they = "tokens" if count is None else f"{count:,} tokens"
        share = percent(mass / total)
        raise Untold(
            f"the draw u = {u:.4f} fell among the {they} that the server does not tell ({share} together)",
            f"take another seed, or put top-k:{len(reached)} before",
        )
    place = min(place, len(reached) - 1)
    low = float(reached[place - 1]) / total if place else 0.0
    return Choice(candidates.ranked(place), u, low, float(reached[place]) / total)
