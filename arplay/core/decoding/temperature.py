"""Temperature, and greedy decoding as its limit."""

from __future__ import annotations

import numpy as np

from arplay.core.decoding.candidates import Candidates, Floats
from arplay.core.decoding.stage import Context, Field, Stage


def greedy(candidates: Candidates, context: Context) -> Candidates:
    """The most probable token alone (the lowest id among equals)."""
    return candidates.first(1)


def temperature(candidates: Candidates, context: Context, t: float) -> Candidates:
    """p_i proportional to p_i^(1/T). T = 0 is greedy by definition (the limit of T -> 0).

    With p = (0.5, 0.3, 0.2) and T = 1/2 the squares 0.25, 0.09 and 0.04 are divided by their sum, 0.38:

    >>> done = temperature(Candidates(3, np.log([0.5, 0.3, 0.2])), Context(), 0.5)
    >>> np.round(done.weights / done.total, 4)
    array([0.6579, 0.2368, 0.1053])
    """
    if t == 0:
        return greedy(candidates, context)

    def cooled(scores: Floats) -> Floats:
        # dividing the distance to the best token (not the raw value) cannot overflow for tiny T
        with np.errstate(over="ignore"):
            colder: Floats = (scores - candidates.best) / t
        return colder

    shift = None if candidates.shift is None else (candidates.shift + candidates.best) / t
    colder = candidates.mapped(cooled, shift)
    alive = colder.scores > -np.inf
    return colder if alive.all() else colder.keep(np.flatnonzero(alive))


def dynamic(candidates: Candidates, context: Context, spread: float, t: float, exponent: float) -> Candidates:
    """Temperature from t - spread where the model is sure to t + spread where it knows nothing.

    T = low + (high - low) (H / log n)^exponent, for the entropy H of the n tokens that are left.

    >>> sure = dynamic(Candidates(2, np.log([0.5, 0.5])), Context(), 0.5, 1, 1)  # H = log 2: T is 1.5
    >>> np.allclose(sure.scores, 0)
    True
    """
    candidates.must_be_full(f"dynamic temperature {spread:g}")
    if len(candidates) < 2:
        return candidates
    low, high = max(0.0, t - spread), t + spread
    share = min(1.0, max(0.0, candidates.entropy) / np.log(len(candidates)))
    return temperature(candidates, context, low + (high - low) * share**exponent)


TEMPERATURE = Stage(
    "temperature",
    "Temperature",
    "p becomes p^(1/T), renormalised: below 1 sharpens, above 1 flattens, 0 is greedy.",
    "p<sub>i</sub> ∝ p<sub>i</sub><sup>1/T</sup>. T → 0 is greedy.",
    "Ackley, Hinton and Sejnowski 1985",
    (Field("T", 0, 100, 1, "from 0 to 100", usual=2, decimals=2, default=0.8),),
    temperature,
)
GREEDY = Stage(
    "greedy",
    "Greedy",
    "Always the most probable token.",
    "The token with the largest p<sub>i</sub> is chosen, of equals the one with the lowest id.",
    "",
    (),
    greedy,
)
DYNAMIC = Stage(
    "dynamic-temperature",
    "Dynamic temperature",
    "Temperature that is low where the model is sure and high where it is not.",
    "T = low + (high − low) · (H / log n)<sup>exponent</sup> with low, high = T ∓ spread, for n tokens of entropy H.",
    "kalomaze 2023, koboldcpp",
    (
        Field("spread", 0, 10, 0, "from 0 to 10, 0 for off", usual=2, default=0.5),
        Field("T", 0, 10, 1, "from 0 to 10", usual=2),
        Field("exponent", 0, 10, 1, "from 0 to 10", usual=4),
    ),
    dynamic,
)
