"""Finding in a text: words, and the signs that views show for what cannot be seen."""

from __future__ import annotations

import re

import numpy as np

from arplay.core.modalities.base import Found
from arplay.core.signs import CONTROLS

MOST = 100_000
"""How many places of one text are counted and shown; where there are more it is said."""
SLICE = 1 << 20
"""Bytes that are searched at once: 6 to 12 ms."""
MANY = 10_000
"""Places that are found at once."""

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
    search = Search(data, text, case)
    while not search.done:
        search.go_on()
    return search.found


class Search:
    """:func:`find` a slice of the text at a time. ``found``: what is found so far; ``done``: it is all."""

    def __init__(self, data: bytes, text: str, case: bool = False) -> None:
        signs = [_kinds(sign, case) for sign in _SIGN.finditer(text)]
        self._data, self._at = data, 0
        self._longest = sum(len(kinds[0]) for kinds in signs if kinds)
        self._wanted = re.compile(b"".join(b"(?:" + b"|".join(map(re.escape, kinds)) + b")" for kinds in signs))
        self._spans = [np.zeros((0, 2), np.int64)]
        self._count = 0
        self._text, self._case, self._more = text, case, False
        self.done = not signs or not data

    @property
    def found(self) -> Found:
        return Found(self._text, self._case, np.concatenate(self._spans), self._more or not self.done)

    def go_on(self, size: int = 0) -> None:
        """Look at ``size`` bytes more (0: as many as take no time): at the places that begin in them."""
        stop = min(self._at + (size or SLICE), len(self._data))
        spans: list[tuple[int, int]] = []
        for match in self._wanted.finditer(self._data, self._at, stop + self._longest - 1):
            if match.start() >= stop:
                break
            if self._count + len(spans) == MOST:
                self._more = self.done = True
                break
            spans.append(match.span())
            if len(spans) == MANY:
                stop = match.end()
                break
        self._at = max(stop, spans[-1][1] if spans else 0)
        self._count += len(spans)
        self._spans.append(np.array(spans, np.int64).reshape(-1, 2))
        self.done = self.done or self._at >= len(self._data)


def _kinds(sign: re.Match[str], case: bool) -> list[bytes]:
    """What one character of the query, or one sign, may be in the text, the longest first."""
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
    return sorted({kind for kind in kinds if kind}, key=lambda kind: (-len(kind), kind))


def _cases(char: str) -> set[str]:
    return {char, char.lower(), char.upper(), char.title(), char.casefold()}
