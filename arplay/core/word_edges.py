"""The probability of a word, where tokens bring the space before them along.

A token such as ``␣dark`` says two things: that the word before has ended, and how this one begins. The sum of log p of
a word's tokens therefore pays for the end of the word *before*, and not for its own: it is not the log-probability of
the word, and over all words such sums do not add up to 1. Pimentel and Meister (How to Compute the Probability of a
Word, EMNLP 2024, theorem 2; so also Oh and Schuler, Leading Whitespaces of Language Models' Subword Vocabulary, EMNLP
2024) move that probability to where it belongs. With B the tokens that begin with white space or end the text,

    p(word | before) = p(its tokens | before) · P(B | before, word) / P(B | before)

Why: the model has told that a word begins here, so what comes is drawn from B, which is the division; and the word is
this one and no longer one only if a token of B follows, which is the factor. Summed over all words, the numerators are
the probability that some word is written and ends, which is P(B | before): the quotients sum to 1. What one word gains
the next one loses, so over a text only the first and the last edge remain:

    Σ log p(word) = Σ log p(tokens) + log P(B | text) - log P(B | nothing)

The first word of a text often has no white space before it. It is then drawn from the other tokens, so that what is
divided by is the probability of those (Pimentel and Meister, section on the beginning of a string).

By hand, with the tokens ``␣a`` and ``b`` and the words ``␣a``, ``␣ab``, ``␣abb`` …: p(b | ␣a) = 0.5, p(b | b) = 0.2.
Behind ``␣a``, the words' tokens have 0.5, 0.5 · 0.5 = 0.25, 0.25 · 0.2 = 0.05, … , together 0.8125. Corrected they have
0.5 · 0.5 / 0.5 = 0.5, 0.25 · 0.8 / 0.5 = 0.4, 0.05 · 0.8 / 0.5 = 0.08, … , together 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.base import TokenSet
from arplay.core.parts import Parts

Floats = NDArray[np.float64]
KIND = "word"


def opening(tokens: TokenSet) -> NDArray[np.bool_]:
    """B: which tokens begin with white space, or stand for themselves, as that which ends a text does; shape (V,)."""
    found = np.zeros(len(tokens), bool)
    found[tokens.opening] = True
    found[sorted(tokens.special)] = True
    return found


def log_mass(logits: NDArray[np.floating], among: NDArray[np.bool_]) -> float:
    """log of the probability of these tokens together, in nats: logits and ``among`` of shape (V,).

    >>> round(log_mass(np.log([0.5, 0.2, 0.3]), np.array([True, False, True])), 6) == round(float(np.log(0.8)), 6)
    True
    """
    row = np.asarray(logits, np.float64)
    return float(np.logaddexp.reduce(row[among], initial=-np.inf) - np.logaddexp.reduce(row))


def corrected(parts: Parts, edges: Floats) -> Floats:
    """log p of each of m words in nats: (m,). ``edges`` (m + 1,): log P(B | ·) before each word, and behind the last.

    NaN where an edge is not known, and where a token of the word has no score.

    >>> from arplay import load
    >>> words = load("abc").score("BAC").by("word")
    >>> corrected(words, np.log([1.0, 0.5])).round(4).tolist(), round(float(np.log(0.12 * 0.5)), 4)
    ([-2.8134], -2.8134)
    """
    whole = (parts.scored == parts.tokens) & (parts.tokens > 0)
    with np.errstate(invalid="ignore"):
        return np.where(whole, parts.logprob + edges[1:] - edges[:-1], np.nan)
