"""Stages that the user names tokens for: bias, bans, and a least length."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.stage import Context, Field, Stage, Words
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import safe

MOST_BIAS = 1000.0
HOW = 'tokens are named by what they write (" the"), as the chart shows them ("␣the"), or by id ("#262")'


def bias(candidates: Candidates, context: Context, tokens: str) -> Candidates:
    """Some tokens' logits change by what the user says.

    >>> bias(Candidates(2, np.zeros(2)), Context(), '{"#1": -0.5}').scores
    array([ 0. , -0.5])
    """
    added = {id_of(name, context.tokens): value for name, value in read_bias(tokens).items()}
    return candidates.changed(
        np.array(list(added), np.int64), lambda scores, ids: scores + [added[int(id)] for id in ids]
    )


def ban(candidates: Candidates, context: Context, tokens: str) -> Candidates:
    """Some tokens may not be drawn.

    >>> ban(Candidates(3, np.zeros(3)), Context(), '["#0", "#2"]').ids
    array([1])
    """
    return _without(candidates, (id_of(name, context.tokens) for name in read_ban(tokens)))


def min_length(candidates: Candidates, context: Context, n: float) -> Candidates:
    """The text may not end before n tokens are written.

    >>> min_length(Candidates(3, np.zeros(3)), Context(np.array([0]), drawn=(-0.7,), ends=(2,)), 2).ids
    array([0, 1])
    """
    return _without(candidates, context.ends) if len(context.drawn) < n else candidates


def begins(candidates: Candidates, context: Context, text: str) -> Candidates:
    """The first token that is written begins with a text.

    >>> from arplay.core.modalities.vocabulary import Vocabulary
    >>> context = Context(tokens=Vocabulary("three", (b" a", b" ", b"a")))
    >>> begins(Candidates(3, np.zeros(3)), context, " ").ids
    array([0, 1])
    """
    if context.drawn:
        return candidates
    if context.tokens is None:
        raise Problem("no text can be matched here", "switch the stage off")
    candidates.must_be_full("a beginning")
    return candidates.where(np.isin(candidates.ids, context.tokens.beginning(text)))


def _without(candidates: Candidates, ids: Iterable[int]) -> Candidates:
    return candidates.changed(np.array(list(ids), np.int64), lambda scores, ids: np.full(len(scores), -np.inf))


def id_of(name: str, tokens: TokenSet | None) -> int:
    """The token that a user names. Raises Problem where there is none."""
    if name[:1] == "#" and name[1:].isascii() and name[1:].isdigit() and len(name) < 20:
        id = int(name[1:])
        if tokens is None or id < len(tokens) or tokens.open:
            return id
        raise Problem(f"there is no token {name}", f"ids go to #{len(tokens) - 1:,}")
    found = None if tokens is None else tokens.named(name)
    if found is None:
        raise Problem(f"“{safe(name[:40])}” is no token of this model", HOW)
    return found


def read_bias(text: str) -> dict[str, float]:
    """Raises Problem."""
    said = _json(text)
    if not isinstance(said, dict) or not all(_is_bias(value) for value in said.values()):
        raise Problem(
            f"“{safe(text[:40])}” names no biases from −1000 to 1000",
            f'give JSON such as {{" the": -2, "#13": 5}}; {HOW}',
        )
    return {name: float(value) for name, value in said.items()}


def read_ban(text: str) -> list[str]:
    """Raises Problem. What is no JSON is the name of one token.

    >>> read_ban(" the"), read_ban('[" the", "#13"]')
    ([' the'], [' the', '#13'])
    """
    if not text.lstrip().startswith("["):
        return [text]
    said = _json(text)
    if not isinstance(said, list) or not all(isinstance(name, str) for name in said):
        raise Problem(f"“{safe(text[:40])}” names no tokens", f'give JSON such as [" the", "#13"]; {HOW}')
    return said


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_bias(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -MOST_BIAS <= value <= MOST_BIAS


BIAS = Stage(
    "bias",
    "Logit bias",
    "Tokens that you name become more probable or less.",
    "z<sub>i</sub> becomes z<sub>i</sub> + b<sub>i</sub>.",
    "OpenAI 2021, API reference",
    (Words("tokens", f'JSON such as {{" the": -2, "#13": 5}}; {HOW}', read_bias),),
    bias,
)
BEGINS = Stage(
    "begins",
    "Beginning",
    "The first token that is written begins with a text; how a text is healed that ends inside a token.",
    "p<sub>i</sub> becomes 0 for other tokens, of the first one only.",
    "Lundberg 2023, token healing",
    (Words("text", "any text", str),),
    begins,
    recalls=True,
)
BAN = Stage(
    "ban",
    "Banned tokens",
    "Tokens that you name may not be drawn.",
    "p<sub>i</sub> becomes 0 for them.",
    "",
    (Words("tokens", f'JSON such as [" the", "#13"]; {HOW}', read_ban),),
    ban,
)
MIN_LENGTH = Stage(
    "min-length",
    "Minimum length",
    "The end-of-text token may not be drawn before so many tokens are written.",
    "p of every token that ends a text becomes 0 until then.",
    "",
    (
        Field(
            "n",
            1,
            1 << 31,
            0,
            "a whole number from 1, or 0 for off",
            True,
            usual=500,
            decimals=0,
            bend="log",
            default=10,
        ),
    ),
    min_length,
    recalls=True,
)
