"""Choosing one piece: greedy, or by inverting the cumulative distribution at an explicit u."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MAX_SEED = 2**64 - 1


def uniform(seed: int, index: int) -> float:
    """u in [0, 1), a pure function of (seed, index): Philox 4x64 (Salmon et al. 2011) as numpy keeps it.

    ``index`` is the number of pieces of the text before the choice, so that a rewound step repeats itself.
    """
    return float(np.random.Generator(np.random.Philox(key=seed, counter=index)).random())


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen piece and where u fell: its share of the cumulative distribution is [low, high)."""

    id: int
    u: float
    low: float
    high: float


def choose(logprobs: Floats, u: float) -> Choice:
    """Inverse-CDF sampling: pieces side by side from the most to the least probable (ties by id), cut at u.

    ``logprobs``: decoded log-probs in nats, shape (V,), that sum to 1 as probabilities.

    With p = (0.5, 0.3, 0.2): u = 0.49 chooses piece 0, u = 0.5 piece 1, u = 0.85 piece 2.

    >>> choose(np.log([0.5, 0.3, 0.2]), 0.85).id
    2
    """
    if not 0 <= u < 1:
        raise ValueError(f"u = {u} is not in [0, 1)")
    alive = np.flatnonzero(logprobs > -np.inf)
    order = alive[np.argsort(-logprobs[alive], kind="stable")]
    cumulative = np.cumsum(np.exp(logprobs[order]))
    cumulative /= cumulative[-1]  # rounding must not leave a gap below 1
    place = int(np.searchsorted(cumulative, u, side="right"))
    place = min(place, len(order) - 1)
    low = float(cumulative[place - 1]) if place else 0.0
    return Choice(int(order[place]), u, low, float(cumulative[place]))
