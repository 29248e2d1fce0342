"""From a distribution to one recorded choice: the same for the window and the command line."""

from __future__ import annotations

import math

from arplay.core.decoding import Decoded
from arplay.core.distribution import Distribution
from arplay.core.picking import Choice, choose
from arplay.core.tree import Step


def sampled(
    distribution: Distribution, decoded: Decoded, index: int, u: float, seed: int | None
) -> tuple[Step, Choice]:
    """Choose at ``u`` from what decoding left; ``index`` pieces of the text come before the choice.

    Greedy is no other case: all its mass is one piece's, so every u chooses it. ``seed`` is None for a replayed u.
    """
    choice = choose(decoded.logprobs, u)
    return _step(distribution, decoded, index, choice.id, u, seed), choice


def picked(distribution: Distribution, decoded: Decoded, index: int, id: int) -> Step:
    """The record of a piece that a person chose."""
    return _step(distribution, decoded, index, id, None, None)


def _step(distribution: Distribution, decoded: Decoded, index: int, id: int, u: float | None, seed: int | None) -> Step:
    logprob = distribution.logprob(id)
    return Step(
        id=id,
        index=index,
        logprob=math.nan if logprob is None else logprob,
        prob=math.nan if logprob is None else math.exp(logprob),
        decoded_prob=math.exp(decoded.logprobs[id]),
        rank=distribution.rank(id) or 0,
        u=u,
        seed=seed,
    )
