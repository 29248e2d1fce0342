"""A decoding stage from outside the package in one file: quadratic smoothing."""

from __future__ import annotations

import numpy as np

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.stage import Context, Field, Stage


def quadratic(candidates: Candidates, context: Context, factor: float) -> Candidates:
    """Logits fall from the best one by factor times the square of their distance to it.

    With distances 0, 0.5 and 2 and a factor of 1:

    >>> quadratic(Candidates(3, np.array([0.0, -0.5, -2.0])), Context(), 1).scores
    array([-0.  , -0.25, -4.  ])
    """
    return candidates.scored(-factor * np.square(candidates.best - candidates.scores))


QUADRATIC = Stage(
    name="quadratic",
    title="Quadratic",
    does="Logits fall with the square of their distance to the best one.",
    formula="z<sub>i</sub> becomes −a · (max z − z<sub>i</sub>)².",
    source="kalomaze 2024, koboldcpp",
    fields=(Field("a", low=0, high=10, neutral=0, allowed="from 0 to 10"),),
    apply=quadratic,
)
