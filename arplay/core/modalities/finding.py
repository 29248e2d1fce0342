"""Finding in a text: words, and the signs that views show for what cannot be seen."""

from __future__ import annotations

import re

import numpy as np

from arplay.core.modalities.base import Found
from arplay.core.signs import CONTROLS

MOST = 100_000
"""How many places of one text are counted and shown; where there are more it is said."""

_SPACES = {"␣": " ", "↵": "\n", "⇥": "\t", "⍽": "\u00a0"}
_NAMED = {name: bytes([code]) for code, name in [*enumerate(CONTROLS), (0x7F, "DEL")]}
_SIGN = re.compile(r"⟨(?:U\+([0-9A-Fa-f]{4,6})|([0-9A-Fa-f]{2})|([A-Z0-9]{2,3}))⟩|(.)", re.DOTALL)


def find(data: bytes, text: str, case: bool = False) -> Found:
    """Every place of ``text`` in ``data``, from left to right, none over another.

    A sign that the views show (``␣``, ``↵``, ``⟨E2⟩``, ``⟨U+200B⟩``, ``⟨NUL⟩``) stands for what it shows as
    well as for itself. ``case``: upper and lower case are different.

    >>> find("Ab\\x00 é".encode(), "b⟨NUL⟩␣").spans, find("é".encode(), "⟨A9⟩").spans
    (array([[1, 4]]), array([[1, 2]]))
    """
    spans: list[tuple[int, int]] = []
    wanted = b"".join(_wanted(found, case) for found in _SIGN.finditer(text))
    if wanted:
        for match in re.finditer(wanted, data):
            if len(spans) == MOST:
                return Found(text, case, np.array(spans, np.int64), more=True)
            spans.append(match.span())
    return Found(text, case, np.array(spans, np.int64).reshape(-1, 2))


def _wanted(sign: re.Match[str], case: bool) -> bytes:
    """A regular expression of bytes for one character of the query, or one sign."""
    point, byte, name, char = sign.groups()
    kinds = [sign[0].encode("utf-8", "surrogatepass")]
    if byte:
        kinds.append(bytes([int(byte, 16)]))
    elif point and int(point, 16) < 0x110000:
        kinds.append(chr(int(point, 16)).encode("utf-8", "surrogatepass"))
    elif name:
        kinds += [_NAMED[name]] if name in _NAMED else []
    elif char:
        stands = {_SPACES.get(char, char), char}
        cases = stands if case else {other for one in stands for other in _cases(one)}
        kinds += [one.encode("utf-8", "surrogatepass") for one in cases]
    longest_first = sorted({kind for kind in kinds if kind}, key=lambda kind: (-len(kind), kind))
    return b"(?:" + b"|".join(map(re.escape, longest_first)) + b")"


def _cases(char: str) -> set[str]:
    return {char, char.lower(), char.upper(), char.title(), char.casefold()}
