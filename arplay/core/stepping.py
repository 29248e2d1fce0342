"""From a distribution to one recorded choice: the same for the window and the command line."""

from __future__ import annotations

import math

import numpy as np

from arplay.core.decoding.pipeline import Decoded
from arplay.core.decoding.stage import Context
from arplay.core.distribution import Distribution
from arplay.core.modalities.base import TokenSet
from arplay.core.picking import Choice, choose, uniform
from arplay.core.position import Answer
from arplay.core.tree import Step


def context_at(answer: Answer, tokens: TokenSet, seed: int) -> Context:
    """What decoding may know at the place of ``answer``."""
    index = answer.prefix.index
    return Context(np.concatenate([np.array(answer.lead, np.int64), answer.prefix.ids]), uniform(seed, index), tokens)


def sampled(
    distribution: Distribution, decoded: Decoded, index: int, u: float, seed: int | None
) -> tuple[Step, Choice]:
    """Choose at ``u`` from what decoding left; ``index`` tokens of the text come before the choice.

    Greedy is no other case: all its mass is one token's, so every u chooses it. ``seed`` is None for a replayed u.
    Raises Problem where u falls among tokens that nobody knows.
    """
    choice = choose(decoded.candidates, u)
    return _step(distribution, decoded, index, choice.id, u, seed), choice


def picked(distribution: Distribution, decoded: Decoded, index: int, id: int) -> Step:
    """The record of a token that a person chose."""
    return _step(distribution, decoded, index, id, None, None)


def _step(distribution: Distribution, decoded: Decoded, index: int, id: int, u: float | None, seed: int | None) -> Step:
    logprob, after = distribution.logprob(id), decoded.distribution.logprob(id)
    return Step(
        id=id,
        index=index,
        logprob=math.nan if logprob is None else logprob,
        prob=math.nan if logprob is None else math.exp(logprob),
        decoded_prob=0.0 if after is None else math.exp(after),
        rank=distribution.rank(id) or 0,
        u=u,
        seed=seed,
    )


def behind_bare(answer: Answer) -> bool:
    """Whether the place is told from others at the same caret by tokens that own no bytes: an edit would lose them."""
    encoded, index = answer.encoded, answer.prefix.index
    if answer.prefix.actual is None or not 0 < index < len(encoded):
        return False
    return encoded.span(index - 1)[0] == encoded.span(index)[0]
