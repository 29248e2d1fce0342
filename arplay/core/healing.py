"""A prefix that ends inside a likely token, and the tokens that would have stood there.

A text that was typed up to a space ends in a token that the model hardly ever saw before a word: it expects the space
to be the beginning of the next token. Healing takes the last token back and asks for the tokens that begin with what it
wrote: their probabilities one token earlier, renormalised, are the exact marginal over them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.distribution import Distribution
from arplay.core.modalities.base import Ids, TokenSet

LIKELY = 0.5
"""From which share on it is worth a word."""


@dataclass(frozen=True, eq=False)
class Heal:
    """What can stand in place of the last token, which wrote ``text``; ``before``: p(next | what is before it).

    ``index``: how many tokens of the document come before it. ``share``: the probability, of all tokens that begin with
    ``text``, that is that of longer ones.
    """

    text: str
    index: int
    before: Distribution
    share: float

    def through(self, pipeline: Pipeline) -> Pipeline:
        """The same stages over tokens that begin with ``text``."""
        return healing(self.text, pipeline)


def healing(text: str, pipeline: Pipeline) -> Pipeline:
    """
    >>> healing(" ", Pipeline("top-k:40")).label
    'begins   → top-k 40'
    """
    return Pipeline((("begins", (text,)), *pipeline.without("begins").stages))


def share_of_longer(before: Distribution, tokens: TokenSet, text: str) -> float:
    """Of all tokens that begin with ``text``, the share of those that write more; 0 where nobody knows."""
    if not before.full:
        return 0.0
    ids: Ids = tokens.beginning(text)
    probs = before.probs[ids]
    whole = probs[[tokens.writes(int(id)) == text for id in ids]]
    total = float(np.sum(probs))
    return 1 - float(np.sum(whole)) / total if total else 0.0
