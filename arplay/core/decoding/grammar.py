"""Constrained decoding: only tokens with which the text that is written can still become one that is allowed.

What matches is no business of this file: the context brings a :class:`~arplay.core.decoding.stage.Grammar`. The
constraint begins where decoding began to write, and what is left is a pure function of the tokens since then, so that a
rewind or a branch needs no memory.
"""

from __future__ import annotations

import json
from functools import partial

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.stage import Context, Kind, Stage, StageProblem, Words
from arplay.core.errors import Problem
from arplay.core.signs import safe

MOST_CHOICES = 1000


class Matched(StageProblem):
    """The text is whole: no token may follow it."""


def constrained(kind: Kind, candidates: Candidates, context: Context, text: str) -> Candidates:
    """The tokens that go on towards a text that ``text`` allows; once it is whole, the end of the document too.

    >>> import numpy as np
    >>> def only_b(kind, text, tokens, ends, written):  # a grammar of one text, "b", of which b is the token 1
    ...     return np.array([False, not written])
    >>> context = Context(grammar=only_b)
    >>> constrained("regex", Candidates(2, np.log([0.75, 0.25])), context, "b").ids
    array([1])
    >>> written = Context(np.array([1]), drawn=(0.0,), grammar=only_b)
    >>> constrained("regex", Candidates(2, np.zeros(2)), written, "b")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    arplay.core.decoding.grammar.Matched: nothing may follow here...
    """
    if context.grammar is None:
        raise Problem("no text can be matched here", "switch the constraint off")
    candidates.must_be_full("a constraint")
    written = tuple(context.last(len(context.drawn)).tolist()) if context.drawn else ()
    allowed = context.grammar(kind, text, context.tokens, context.ends, written)
    if not allowed.any():
        cause = "nothing may follow here: the text is whole, or no token goes on with it"
        raise Matched(cause, "this model has no end-of-text token to say so; switch the constraint off to go on")
    return candidates.where(allowed[candidates.ids])


def read_pattern(text: str) -> str:
    """Raises Problem where a backslash ends it; the rest is read where it is used."""
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise Problem(f"“{safe(text[:40])}” ends in a backslash that escapes nothing", "write \\\\ for a backslash")
    return text


def read_schema(text: str) -> object:
    """Raises Problem for what is no JSON schema at first sight; the rest is read where it is used."""
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict | bool):
        raise Problem(f"“{safe(text[:40])}” is no JSON schema", 'give one such as {"type": "integer"}')
    return schema


def read_choices(text: str) -> list[str]:
    """Raises Problem. What is no JSON are texts with | between them.

    >>> read_choices("yes|no"), read_choices('["a|b", "c"]')
    (['yes', 'no'], ['a|b', 'c'])
    """
    said: object = text.split("|")
    if text.lstrip().startswith("["):
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
    if not isinstance(said, list) or not 1 <= len(said) <= MOST_CHOICES or not all(map(_is_choice, said)):
        raise Problem(f"“{safe(text[:40])}” is no list of 1 to {MOST_CHOICES:,} texts", 'give JSON: ["yes", "no"]')
    return said


def _is_choice(text: object) -> bool:
    return isinstance(text, str) and bool(text) and not any(0xD800 <= ord(char) < 0xE000 for char in text)


_BEGINS = "It holds from where decoding begins to write."
REGEX = Stage(
    "regex",
    "Pattern",
    f"What is written matches a regular expression as a whole. {_BEGINS}",
    "p<sub>i</sub> becomes 0 where no text that matches begins with what is written and token i.",
    "Willard and Louf 2023; llguidance",
    (Words("pattern", "a regular expression (of Rust: no look-around, no backreferences)", read_pattern),),
    partial(constrained, "regex"),
    recalls=True,
    matches=True,
)
JSON_SCHEMA = Stage(
    "json-schema",
    "JSON schema",
    f"What is written is JSON that a schema allows. {_BEGINS}",
    "p<sub>i</sub> becomes 0 where no such JSON begins with what is written and token i.",
    "Willard and Louf 2023; llguidance",
    (Words("schema", 'a JSON schema such as {"type": "integer"}', read_schema),),
    partial(constrained, "json-schema"),
    recalls=True,
    matches=True,
)
CHOICES = Stage(
    "choices",
    "List of choices",
    f"What is written is one of the texts that you list. {_BEGINS}",
    "p<sub>i</sub> becomes 0 where none of them begins with what is written and token i.",
    "Willard and Louf 2023; llguidance",
    (Words("texts", 'texts with | between them, or JSON such as ["yes", "no"]', read_choices),),
    partial(constrained, "choices"),
    recalls=True,
    matches=True,
)
