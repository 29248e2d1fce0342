"""A decoding stage from outside the package in one file: top-a."""

from __future__ import annotations

import math

import numpy as np

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.stage import Context, Field, Stage


def top_a(candidates: Candidates, context: Context, a: float) -> Candidates:
    """Tokens with p_i >= a times the square of the largest p: the surer the model, the fewer stay.

    With p = 0.5, 0.3, 0.2 and a = 1 the limit is 0.25:

    >>> top_a(Candidates(3, np.log([0.5, 0.3, 0.2])), Context(), 1).ids
    array([0, 1])
    """
    limit = math.log(a) + 2 * candidates.best - math.log(candidates.total)  # the scores are log p + log(total)
    alive = candidates.scores >= limit
    if alive.all():  # a server that tells the best few only: tokens that it did not tell might stay as well
        candidates.must_be_full(f"top-a {a:g}")
    return candidates.keep(np.flatnonzero(alive))


TOP_A = Stage(
    name="top-a",
    title="Top-a",
    does="Only tokens at least a times as probable as the square of the best one may be drawn.",
    formula="Tokens with p<sub>i</sub> ≥ a · (max p)² stay.",
    source="BlinkDL 2022, RWKV-LM",
    fields=(Field("a", low=0, high=1, neutral=0, allowed="from 0 to 1", decimals=4, bend="square"),),
    apply=top_a,
)
