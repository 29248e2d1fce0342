"""From a distribution to one recorded choice: the same for the window and the command line."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace

import numpy as np

from arplay.core.decoding.pipeline import Decoded, Pipeline
from arplay.core.decoding.stage import Context, Grammar, Others
from arplay.core.distribution import Distribution
from arplay.core.modalities.base import Ids, TokenSet
from arplay.core.picking import Choice, choose, uniform
from arplay.core.position import Answer
from arplay.core.tree import Node, Step

CHANCE = 1
"""The stream of numbers that stages act at random by, beside that of the choices (0)."""


def context_at(
    answer: Answer,
    tokens: TokenSet,
    seed: int,
    eos: int | None = None,
    drawn: tuple[float, ...] = (),
    grammar: Grammar | None = None,
) -> Context:
    """What decoding may know at the place of ``answer``, behind tokens that were ``drawn`` as there."""
    ids = np.concatenate([np.array(answer.lead, np.int64), answer.prefix.ids])
    return context_of(ids, answer.prefix.index, tokens, seed, eos, drawn, grammar, dict(answer.others))


def context_of(
    ids: Ids,
    index: int,
    tokens: TokenSet,
    seed: int,
    eos: int | None,
    drawn: tuple[float, ...],
    grammar: Grammar | None = None,
    others: Others | None = None,
) -> Context:
    """The same behind these ``ids``."""
    ends = () if eos is None else (eos,)
    return Context(ids, tokens, drawn, uniform(seed, index, CHANCE), ends, grammar, others or {})


def drawn_before(node: Node, caret: int) -> tuple[float, ...]:
    """log p of each token that was written one after the other up to ``caret`` in the state ``node``, the oldest first.

    As it was drawn, in nats; NaN for one that a person chose.
    """
    found: list[float] = []
    step = node.step if node.caret == caret else None
    while step is not None:
        found.append(drawn_at(step))
        assert node.parent is not None
        node = node.parent
        before, step = step, node.step
        if step is not None and step.index >= before.index:  # it stands elsewhere
            step = None
    return tuple(reversed(found))


def drawn_at(step: Step) -> float:
    """log p of a token in what it was drawn from, in nats; NaN where nobody drew it."""
    return math.log(step.decoded_prob) if step.u is not None and step.decoded_prob > 0 else math.nan


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
    """The record of a token that a person chose, and of the stage that had removed it, if one had."""
    lost = decoded.lost(id)
    step = _step(distribution, decoded, index, id, None, None)
    return step if lost is None else replace(step, cut=lost.label)


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
        by=Pipeline([(trace.stage.name, trace.values) for trace in decoded.traces]).spelled if decoded.traces else "",
    )


def goes_on(word: str, more: str) -> bool:
    """Whether ``more`` still belongs to the word that was begun: letters after letters, or its blank space before.

    A part of a character is U+FFFD, which counts as a letter.

    >>> [goes_on(*pair) for pair in (("", " the"), (" ", "the"), (" the", "re"), (" there", " is"), ("is", "."))]
    [True, True, True, False, False]
    """
    if not word.strip():
        return True
    return not more[0].isspace() and _lettered(word[-1]) == _lettered(more[0])


def _lettered(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN" or char in "_'’\N{REPLACEMENT CHARACTER}"


def behind_bare(answer: Answer) -> bool:
    """Whether the place is told from others at the same caret by tokens that own no bytes: an edit would lose them."""
    encoded, index = answer.encoded, answer.prefix.index
    if answer.prefix.actual is None or not 0 < index < len(encoded):
        return False
    return encoded.span(index - 1)[0] == encoded.span(index)[0]
