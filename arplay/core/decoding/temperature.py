"""Temperature, and greedy decoding as its limit."""

from __future__ import annotations

import numpy as np

from arplay.core.decoding.candidates import Candidates
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
    # dividing the distance to the best token (not the raw value) cannot overflow for tiny T
    with np.errstate(over="ignore"):
        scores = (candidates.scores - candidates.best) / t
    colder = candidates.scored(scores)
    alive = scores > -np.inf
    return colder if alive.all() else colder.keep(np.flatnonzero(alive))


TEMPERATURE = Stage(
    "temperature",
    "Temperature",
    "p becomes p^(1/T), renormalised: below 1 sharpens, above 1 flattens, 0 is greedy.",
    "p<sub>i</sub> ∝ p<sub>i</sub><sup>1/T</sup>. T → 0 is greedy.",
    "Ackley, Hinton and Sejnowski 1985",
    (Field("T", 0, 100, 1, "from 0 to 100", usual=2, decimals=2),),
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
