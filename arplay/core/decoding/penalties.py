"""Stages against repetition: tokens that the text has already lose score."""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from arplay.core.decoding.candidates import Candidates, Floats, Ids
from arplay.core.decoding.stage import Context, Field, Stage, Words
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import safe

MOST_EXPONENT = 700.0
"""e to more than that is no float."""


def repetition(candidates: Candidates, context: Context, r: float, last: float) -> Candidates:
    """The logit of every token of the text is divided by r where it is positive, multiplied where it is negative.

    A model that tells probabilities alone has no logits: its log-probs stand in for them, as in transformers' beam
    search. With logits 2, 1, -1 and r = 2, tokens 0 and 2 seen:

    >>> done = repetition(Candidates(3, np.array([2.0, 1.0, -1.0]), shift=0.0), Context(np.array([0, 2])), 2, 0)
    >>> done.scores
    array([ 1.,  1., -2.])
    """
    shift = -math.log(candidates.total) if candidates.shift is None else candidates.shift

    def change(scores: Floats, ids: Ids) -> Floats:
        logits = scores + shift
        return np.where(logits < 0, logits * r, logits / r) - shift

    return candidates.changed(context.last(last), change)


def presence(candidates: Candidates, context: Context, penalty: float, last: float) -> Candidates:
    """Every token of the text loses ``penalty`` from its logit, however often it came.

    >>> presence(Candidates(2, np.zeros(2)), Context(np.array([1, 1])), 0.5, 0).scores
    array([ 0. , -0.5])
    """
    return candidates.changed(context.last(last), lambda scores, ids: scores - penalty)


def frequency(candidates: Candidates, context: Context, penalty: float, last: float) -> Candidates:
    """Every token of the text loses ``penalty`` from its logit, as often as it came.

    >>> frequency(Candidates(2, np.zeros(2)), Context(np.array([1, 1])), 0.5, 0).scores
    array([ 0., -1.])
    """
    seen, counts = np.unique(context.last(last), return_counts=True)
    return candidates.changed(seen, lambda scores, ids: scores - penalty * counts[np.searchsorted(seen, ids)])


def no_repeat(candidates: Candidates, context: Context, n: float) -> Candidates:
    """No token that would make n tokens in a row that the text has already.

    After 1 2 3 1 2 with n = 3, token 3 is gone:

    >>> no_repeat(Candidates(4, np.zeros(4)), Context(np.array([1, 2, 3, 1, 2])), 3).ids
    array([0, 1, 2])
    """
    ids, before = context.ids, int(n) - 1
    if len(ids) < n:
        return candidates
    rows = np.lib.stride_tricks.sliding_window_view(ids, int(n))
    again = rows[np.all(rows[:, :before] == ids[len(ids) - before :], axis=1), before]
    return candidates.changed(again, lambda scores, ids: np.full(len(scores), -np.inf))


def dry(
    candidates: Candidates, context: Context, multiplier: float, base: float, allowed: float, last: float, breakers: str
) -> Candidates:
    """A token that would go on with what the text has already loses multiplier x base^(length - allowed).

    ``length``: how many of the last tokens stand before an earlier place of that token, too; shorter than ``allowed``
    costs nothing. No repetition reaches over a token with a character of ``breakers``, which costs nothing itself.
    After 1 2 3 1 2 the last two stood before 3 already:

    >>> dry(Candidates(4, np.zeros(4)), Context(np.array([1, 2, 3, 1, 2])), 0.8, 1.75, 2, 0, "").scores
    array([ 0. ,  0. ,  0. , -0.8])
    """
    ids = context.last(last)
    breaking = _breaking(ids, context.tokens, breakers)
    unbroken = next((behind for behind, id in enumerate(reversed(ids.tolist())) if id in breaking), len(ids))
    lengths = _repeated(ids, unbroken)
    lengths = {id: length for id, length in lengths.items() if length >= allowed and id not in breaking}
    most = MOST_EXPONENT / math.log(base) if base > 1 else math.inf

    def change(scores: Floats, ids: Ids) -> Floats:
        longer = np.array([lengths[int(id)] - allowed for id in ids], np.float64)
        return scores - multiplier * base ** np.minimum(longer, most)

    return candidates.changed(np.array(list(lengths), np.int64), change)


def _repeated(ids: Ids, most: int) -> dict[int, int]:
    """For each token that came behind an end of ``ids`` before: the length of the longest such end, up to ``most``."""
    lengths: dict[int, int] = {}
    ends = np.arange(len(ids) - 1)  # places whose token, with those before it, may be as those at the end
    for length in count(1):
        ends = ends[ends >= length - 1]
        if length > most or not len(ends):
            return lengths
        ends = ends[ids[ends - length + 1] == ids[len(ids) - length]]
        for id in ids[ends + 1].tolist():
            lengths[id] = length
    raise AssertionError


def _breaking(ids: Ids, tokens: TokenSet | None, breakers: str) -> set[int]:
    """Those of ``ids`` with a character of ``breakers``."""
    if tokens is None or not breakers:
        return set()
    signs = {safe(char).replace(" ", "␣") for char in breakers}
    return {id for id in set(ids.tolist()) if any(sign in tokens.label(id) for sign in signs)}


_LAST = Field("last", 0, 1 << 31, 0, "a whole number of tokens, or 0 for all of them", True, usual=2048, decimals=0)

REPETITION = Stage(
    "repetition",
    "Repetition penalty",
    "Tokens that the text has already become less probable: above 1 more, below 1 they become more probable.",
    "The logit z of every token among the last ones becomes z/r where it is positive and z·r where it is not.",
    "Keskar et al. 2019 (arXiv:1909.05858)",
    (Field("r", 0, 10, 1, "above 0 and at most 10", above_low=True, least=0.01, usual=2, default=1.1), _LAST),
    repetition,
)
PRESENCE = Stage(
    "presence",
    "Presence penalty",
    "Every token that the text has already loses this much of its logit, once.",
    "z<sub>i</sub> becomes z<sub>i</sub> − a where token i is among the last ones.",
    "OpenAI 2021, API reference",
    (Field("penalty", -20, 20, 0, "from −20 to 20", least=-2, usual=2, default=0.5), _LAST),
    presence,
)
FREQUENCY = Stage(
    "frequency",
    "Frequency penalty",
    "Every token that the text has already loses this much of its logit for each time.",
    "z<sub>i</sub> becomes z<sub>i</sub> − a · (how often token i is among the last ones).",
    "OpenAI 2021, API reference",
    (Field("penalty", -20, 20, 0, "from −20 to 20", least=-2, usual=2, default=0.5), _LAST),
    frequency,
)
NO_REPEAT = Stage(
    "no-repeat",
    "No repeated n-gram",
    "No n tokens in a row come twice.",
    "A token goes where it and the n − 1 before it stand in the text already.",
    "Paulus, Xiong and Socher 2018 (arXiv:1705.04304)",
    (Field("n", 1, 1000, 0, "a whole number from 1, or 0 for off", True, usual=10, decimals=0, default=3),),
    no_repeat,
)
DRY = Stage(
    "dry",
    "DRY",
    "Don't repeat yourself: going on with what the text has already costs the more, the longer it is.",
    "z<sub>i</sub> becomes z<sub>i</sub> − multiplier · base<sup>length − allowed</sup>, where the last <i>length</i> "
    "tokens stood before token i already.",
    "P. E. Weidmann 2024, text-generation-webui",
    (
        Field("multiplier", 0, 100, 0, "from 0 to 100", usual=2, default=0.8),
        Field("base", 1, 10, 1, "from 1 to 10", usual=4, default=1.75),
        Field("allowed", 1, 1000, 1, "a whole number from 1", True, usual=20, decimals=0, default=2),
        _LAST,
        Words("breakers", "characters that no repetition reaches over", str, '\n:"*'),
    ),
    dry,
)
