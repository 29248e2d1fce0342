"""Stages that remove improbable tokens: top-k, top-p and min-p."""

from __future__ import annotations

import math

import numpy as np

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.stage import Context, Field, Stage

ROUNDING = 1e-12
"""0.1 + 0.7 is less than 0.8 in floats, and must count as having reached it."""


def top_k(candidates: Candidates, context: Context, k: float) -> Candidates:
    """Exactly min(k, n) tokens, ties by id.

    >>> top_k(Candidates(4, np.log([0.1, 0.3, 0.3, 0.3])), Context(), 2).ids
    array([1, 2])
    """
    if k > len(candidates):
        candidates.must_be_full(f"top-k {k:g}")
    return candidates.first(int(k))


def top_p(candidates: Candidates, context: Context, p: float) -> Candidates:
    """Nucleus: the smallest set of most probable tokens whose mass reaches p; the one that crosses p is in it.

    With p(a, b, c) = 0.5, 0.3, 0.2 and top-p 0.6, a and b stay:

    >>> top_p(Candidates(3, np.log([0.5, 0.3, 0.2])), Context(), 0.6).ids
    array([0, 1])
    """
    reached = candidates.reached
    crossing = int(np.searchsorted(reached, (p - ROUNDING) * candidates.total))
    if crossing >= len(reached):
        candidates.must_be_full(f"top-p {p:g}")
    return candidates.first(crossing + 1)


def min_p(candidates: Candidates, context: Context, m: float) -> Candidates:
    """Tokens with p_i >= m times the largest p.

    >>> min_p(Candidates(3, np.log([0.5, 0.25, 0.2])), Context(), 0.5).ids
    array([0, 1])
    """
    alive = candidates.scores >= candidates.best + math.log(m) - ROUNDING
    if alive.all():  # else a token that is not known is less probable than one that goes
        candidates.must_be_full(f"min-p {m:g}")
        return candidates
    return candidates.keep(np.flatnonzero(alive))


TOP_K = Stage(
    "top-k",
    "Top-k",
    "Only the k most probable tokens may be drawn.",
    "The k most probable tokens stay.",
    "Fan, Lewis and Dauphin 2018 (arXiv:1805.04833)",
    (Field("k", 1, 1 << 31, 0, "a whole number from 1, or 0 for off", True, usual=1000, decimals=0, bend="log"),),
    top_k,
)
TOP_P = Stage(
    "top-p",
    "Top-p",
    "Nucleus: only the most probable tokens that together reach this mass may be drawn.",
    "(nucleus) The smallest set of most probable tokens with Σ p ≥ p<sub>top</sub> stays; the one that crosses the "
    "mark is in it.",
    "Holtzman et al. 2020 (arXiv:1904.09751)",
    (Field("p", 0, 1, 1, "above 0 and at most 1", above_low=True, least=0.01, decimals=4),),
    top_p,
)
MIN_P = Stage(
    "min-p",
    "Min-p",
    "Only tokens at least this share as probable as the best one may be drawn.",
    "Tokens with p<sub>i</sub> ≥ m · max p stay.",
    "Nguyen et al. 2024 (arXiv:2407.01082)",
    (Field("m", 0, 1, 0, "from 0 to 1", decimals=4, bend="square"),),
    min_p,
)
