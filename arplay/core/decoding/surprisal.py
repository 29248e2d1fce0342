"""Stages that keep tokens by how surprising they are beside the distribution's entropy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from arplay.core.decoding.candidates import Candidates, Floats
from arplay.core.decoding.stage import Context, Field, Stage
from arplay.core.decoding.truncation import ROUNDING
from arplay.core.distribution import LN2, entropy

BINS = 1024
MOST_FOR_TOP_H = 100


def typical(candidates: Candidates, context: Context, p: float) -> Candidates:
    """The tokens whose surprisal is nearest to the entropy, as many as reach the mass p; equally near ones all stay.

    With p = 0.5, 0.25, 0.25 the entropy is 1.04 nats and the surprisals 0.69, 1.39 and 1.39: 0.346 away each, all stay.
    With 0.7, 0.2, 0.1 (0.80 nats; away by 0.45, 0.81, 1.50) and p = 0.6 the first is enough:

    >>> typical(Candidates(3, np.log([0.7, 0.2, 0.1])), Context(), 0.6).ids
    array([0])
    """
    away = np.abs(-candidates.logprobs - candidates.entropy)
    return candidates.where(away <= crossing(away, candidates.weights, (p - ROUNDING) * candidates.total))


def crossing(values: Floats, weights: Floats, mass: float) -> float:
    """The value at which the weights, taken from the smallest value on, reach ``mass``; the largest if they do not.

    >>> crossing(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.3]), 0.6)
    2.0
    """
    low, high = float(np.min(values)), float(np.max(values))
    if len(values) > BINS and math.isfinite(high) and high > low:  # sort only those near the crossing
        bins = np.minimum((values - low) * (BINS / (high - low)), BINS - 1).astype(np.int64)
        reached = np.cumsum(np.bincount(bins, weights, BINS))
        at = min(int(np.searchsorted(reached, mass)), BINS - 1)
        if at:
            mass -= float(reached[at - 1])
        inside = bins == at
        values, weights = values[inside], weights[inside]
    order = np.argsort(values, kind="stable")
    place = int(np.searchsorted(np.cumsum(weights[order]), mass))
    return float(values[order[min(place, len(order) - 1)]])


def epsilon(candidates: Candidates, context: Context, limit: float) -> Candidates:
    """Tokens with p_i >= epsilon, and the most probable one.

    >>> epsilon(Candidates(3, np.log([0.5, 0.3, 0.2])), Context(), 0.25).ids
    array([0, 1])
    """
    return _at_least(candidates, limit, f"epsilon {limit:g}")


def eta(candidates: Candidates, context: Context, limit: float) -> Candidates:
    """Tokens with p_i >= min(epsilon, sqrt(epsilon) exp(-H)), and the most probable one.

    With p = 0.5, 0.3, 0.2 H is 1.03 nats; epsilon = 0.49 gives min(0.49, 0.7 x 0.357) = 0.25:

    >>> eta(Candidates(3, np.log([0.5, 0.3, 0.2])), Context(), 0.49).ids
    array([0, 1])
    """
    return _at_least(candidates, min(limit, math.sqrt(limit) * math.exp(-candidates.entropy)), f"eta {limit:g}")


def _at_least(candidates: Candidates, limit: float, what: str) -> Candidates:
    alive: NDArray[np.bool_] = candidates.logprobs >= math.log(limit) - ROUNDING
    alive |= candidates.scores == candidates.best
    if alive.all():  # else a token that is not known is less probable than one that goes
        candidates.must_be_full(what)
    return candidates.where(alive)


def top_h(candidates: Candidates, context: Context, a: float) -> Candidates:
    """The most probable tokens whose terms -p log p together stay within a times the entropy, and the first one.

    Of the 100 most probable tokens, renormalised, as published. With p = 0.5, 0.3, 0.2 the terms are 0.347, 0.361 and
    0.322 nats, together 1.030; a = 0.7 allows 0.721:

    >>> top_h(Candidates(3, np.log([0.5, 0.3, 0.2])), Context(), 0.7).ids
    array([0, 1])
    """
    best = candidates.first(MOST_FOR_TOP_H)
    falling = np.sort(best.logprobs)[::-1]
    terms = np.cumsum(-np.exp(falling) * falling)
    return best.first(max(1, int(np.searchsorted(terms, a * entropy(falling) + ROUNDING, side="right"))))


def mirostat(candidates: Candidates, context: Context, tau: float, rate: float) -> Candidates:
    """Tokens of at most mu bits; mu starts at 2 tau and follows the surprisal of the tokens that were drawn.

    After each drawn token mu loses rate x (its surprisal - tau): version 2 of the algorithm. With tau 1, nothing
    drawn, at most 2 bits; after a token of 3 bits and rate 0.5, mu is 1:

    >>> made = Candidates(3, np.log([0.5, 0.25, 0.25]))
    >>> mirostat(made, Context(), 1, 0.5).ids, mirostat(made, Context(drawn=(math.log(1 / 8),)), 1, 0.5).ids
    (array([0, 1, 2]), array([0]))
    """
    most = 2 * tau
    for logprob in context.drawn:
        if not math.isnan(logprob):  # nobody drew it
            most -= rate * (-logprob / LN2 - tau)
    alive = -candidates.logprobs / LN2 <= most + ROUNDING
    if alive.all():
        candidates.must_be_full(f"mirostat {tau:g}")
    return candidates.where(alive) if alive.any() else candidates.first(1)


TYPICAL = Stage(
    "typical",
    "Typical",
    "Only tokens about as surprising as the distribution expects, as many as reach this mass.",
    "The tokens with the smallest |−log p<sub>i</sub> − H| stay, until Σ p ≥ p<sub>typical</sub>.",
    "Meister et al. 2022 (arXiv:2202.00666)",
    (Field("p", 0, 1, 1, "above 0 and at most 1", above_low=True, least=0.01, decimals=4, default=0.9),),
    typical,
)
EPSILON = Stage(
    "epsilon",
    "Epsilon",
    "Only tokens at least this probable may be drawn, and the best one.",
    "Tokens with p<sub>i</sub> ≥ ε stay.",
    "Hewitt, Manning and Liang 2022 (arXiv:2210.15191)",
    (Field("epsilon", 0, 1, 0, "from 0 to 1", usual=0.1, decimals=5, bend="square", default=0.0005),),
    epsilon,
)
ETA = Stage(
    "eta",
    "Eta",
    "Only tokens at least this probable may be drawn; the limit falls where the model is unsure.",
    "Tokens with p<sub>i</sub> ≥ min(ε, √ε · e<sup>−H</sup>) stay, H in nats.",
    "Hewitt, Manning and Liang 2022 (arXiv:2210.15191)",
    (Field("epsilon", 0, 1, 0, "from 0 to 1", usual=0.1, decimals=5, bend="square", default=0.002),),
    eta,
)
TOP_H = Stage(
    "top-h",
    "Top-h",
    "Only the most probable tokens that together have this share of the entropy may be drawn.",
    "The most probable tokens with Σ −p log p ≤ a · H stay, of the 100 most probable.",
    "Baghaei Potraghloo et al. 2025 (arXiv:2509.02510)",
    (Field("a", 0, 1, 1, "above 0 and at most 1", above_low=True, least=0.01, decimals=4, default=0.4),),
    top_h,
)
MIROSTAT = Stage(
    "mirostat",
    "Mirostat",
    "Keeps the surprisal of what is drawn near τ bits a token, by a limit that learns from each token drawn.",
    "Tokens with −log<sub>2</sub> p<sub>i</sub> ≤ μ stay; μ begins at 2τ and becomes μ − rate · (surprisal − τ) after "
    "each token. Version 2.",
    "Basu et al. 2021 (arXiv:2007.14966)",
    (
        Field("tau", 0, 30, 0, "from 0 to 30 bits, 0 for off", usual=10, default=5),
        Field("rate", 0, 1, 0, "from 0 to 1", default=0.1),
    ),
    mirostat,
    recalls=True,
)
