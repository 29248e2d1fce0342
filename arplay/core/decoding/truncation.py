"""Stages that remove improbable tokens by their rank, their mass or how they stand beside the best; and XTC."""

from __future__ import annotations

import math

import numpy as np

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.stage import Context, Field, Stage

ROUNDING = 1e-12
"""0.1 + 0.7 is less than 0.8 in floats, and must count as having reached it."""
FLAT = 1e-6
"""Second differences that are less together tell of no tail."""


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


def top_a(candidates: Candidates, context: Context, a: float) -> Candidates:
    """Tokens with p_i >= a times the square of the largest p: the surer the model, the fewer stay.

    With p = 0.5, 0.3, 0.2 and a = 1 the limit is 0.25:

    >>> top_a(Candidates(3, np.log([0.5, 0.3, 0.2])), Context(), 1).ids
    array([0, 1])
    """
    limit = math.log(a) + 2 * candidates.best - math.log(candidates.total)  # the scores are log p + log(total)
    alive = candidates.scores >= limit - ROUNDING
    if alive.all():
        candidates.must_be_full(f"top-a {a:g}")
    return candidates.where(alive)


def top_n_sigma(candidates: Candidates, context: Context, n: float) -> Candidates:
    """Tokens whose logit is at most n standard deviations (of all logits that are left) below the largest.

    The logits 3, 1, 1, -1 have the deviation 1.414:

    >>> top_n_sigma(Candidates(4, np.array([3.0, 1.0, 1.0, -1.0])), Context(), 1.5).ids
    array([0, 1, 2])
    """
    candidates.must_be_full(f"top-nσ {n:g}")
    scale = max(1.0, float(np.abs(candidates.scores).max(initial=0)))  # of a temperature near 0: squares would overflow
    limit = candidates.best - n * scale * float(np.std(candidates.scores / scale))
    return candidates.where(candidates.scores >= limit - ROUNDING)


def tail_free(candidates: Candidates, context: Context, z: float) -> Candidates:
    """The most probable tokens before the falling probabilities run out into a flat tail.

    The sizes of their second differences, normalised, are summed up until they exceed z. With p = 0.5, 0.3, 0.1, 0.1
    the first differences are 0.2, 0.2, 0 and the second ones 0 and 0.2: z = 0.5 is exceeded at the second.

    >>> tail_free(Candidates(4, np.log([0.5, 0.3, 0.1, 0.1])), Context(), 0.5).ids
    array([0])
    """
    candidates.must_be_full(f"tail-free {z:g}")
    if len(candidates) <= 2:
        return candidates
    bends = np.abs(np.diff(np.exp(candidates.falling) / candidates.total, 2))
    total = float(np.sum(bends))
    shares = bends / total if total > FLAT else np.full(len(bends), 1 / len(bends))
    place = int(np.searchsorted(np.cumsum(shares), z + ROUNDING, side="right"))
    return candidates if place == len(shares) else candidates.first(max(place, 1))


def xtc(candidates: Candidates, context: Context, probability: float, threshold: float) -> Candidates:
    """With this probability all tokens of at least ``threshold`` but the least probable of them go.

    >>> made = Candidates(3, np.log([0.5, 0.3, 0.2]))
    >>> xtc(made, Context(chance=0.2), 0.5, 0.25).ids, xtc(made, Context(chance=0.7), 0.5, 0.25).ids
    (array([1, 2]), array([0, 1, 2]))
    """
    candidates.must_be_full(f"XTC {probability:g}")
    above = int(np.count_nonzero(candidates.logprobs >= math.log(threshold) - ROUNDING))
    if above < 2 or (context.chance is not None and context.chance > probability):
        return candidates
    alive = np.ones(len(candidates), dtype=bool)
    alive[candidates.places(candidates.first(above - 1).ids)] = False
    return candidates.where(alive)


TOP_K = Stage(
    "top-k",
    "Top-k",
    "Only the k most probable tokens may be drawn.",
    "The k most probable tokens stay.",
    "Fan, Lewis and Dauphin 2018 (arXiv:1805.04833)",
    (
        Field(
            "k",
            1,
            1 << 31,
            0,
            "a whole number from 1, or 0 for off",
            True,
            usual=1000,
            decimals=0,
            bend="log",
            default=40,
        ),
    ),
    top_k,
)
TOP_P = Stage(
    "top-p",
    "Top-p",
    "Nucleus: only the most probable tokens that together reach this mass may be drawn.",
    "(nucleus) The smallest set of most probable tokens with Σ p ≥ p<sub>top</sub> stays; the one that crosses the "
    "mark is in it.",
    "Holtzman et al. 2020 (arXiv:1904.09751)",
    (Field("p", 0, 1, 1, "above 0 and at most 1", above_low=True, least=0.01, decimals=4, default=0.95),),
    top_p,
)
MIN_P = Stage(
    "min-p",
    "Min-p",
    "Only tokens at least this share as probable as the best one may be drawn.",
    "Tokens with p<sub>i</sub> ≥ m · max p stay.",
    "Nguyen et al. 2024 (arXiv:2407.01082)",
    (Field("m", 0, 1, 0, "from 0 to 1", decimals=4, bend="square", default=0.05),),
    min_p,
)
TOP_A = Stage(
    "top-a",
    "Top-a",
    "Only tokens at least a times as probable as the square of the best one may be drawn.",
    "Tokens with p<sub>i</sub> ≥ a · (max p)² stay.",
    "BlinkDL 2022, RWKV-LM",
    (Field("a", 0, 1, 0, "from 0 to 1", decimals=4, bend="square", default=0.2),),
    top_a,
)
TOP_N_SIGMA = Stage(
    "top-n-sigma",
    "Top-nσ",
    "Only tokens whose logit is within n standard deviations of the largest may be drawn.",
    "Tokens with z<sub>i</sub> ≥ max z − n · σ(z) stay.",
    "Tang et al. 2024 (arXiv:2411.07641)",
    (Field("n", 0, 100, 0, "from 0 to 100, 0 for off", usual=5, default=1),),
    top_n_sigma,
)
TAIL_FREE = Stage(
    "tail-free",
    "Tail-free",
    "Only tokens before the falling probabilities run out into a flat tail may be drawn.",
    "The most probable tokens stay until the sizes of the second differences of p, normalised, exceed z together.",
    "T. Phénix and E. Egan 2019, trentbrick.github.io/Tail-Free-Sampling",
    (Field("z", 0, 1, 1, "above 0 and at most 1", above_low=True, least=0.01, decimals=4, default=0.95),),
    tail_free,
)
XTC = Stage(
    "xtc",
    "XTC",
    "Exclude top choices: now and then the most probable tokens go, but for one that is still probable enough.",
    "With the probability given, all tokens with p<sub>i</sub> ≥ threshold go but the least probable of them.",
    "P. E. Weidmann 2024, text-generation-webui",
    (
        Field("probability", 0, 1, 0, "from 0 to 1", default=0.5),
        Field("threshold", 0, 0.5, 0.5, "above 0 and at most 0.5", above_low=True, least=0.01, default=0.1, decimals=4),
    ),
    xtc,
)
