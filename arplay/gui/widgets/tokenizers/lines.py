"""A stretch of text in lines of characters, below which tokens can be drawn where their bytes are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from arplay.core.signs import is_seen, sign
from arplay.gui.widgets.labels import label

GAP = 1.0
"""Pixels between two characters, so that a boundary can be seen."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """n characters: what is drawn of each, the units where they begin (n + 1 of them), and where in pixels."""

    shown: tuple[str, ...]
    starts: NDArray[np.int64]
    lefts: Floats

    def x(self, units: NDArray[np.int64]) -> Floats:
        """Where units are, in pixels; one inside a character is as far in it."""
        return np.interp(units, self.starts, self.lefts)

    def unit_at(self, x: float) -> int:
        """The unit that is drawn at ``x``."""
        return int(np.floor(np.interp(x, self.lefts, self.starts)))

    @property
    def start(self) -> int:
        return int(self.starts[0])

    @property
    def stop(self) -> int:
        return int(self.starts[-1])


@dataclass(frozen=True, eq=False)
class Lines:
    """``data`` from unit ``start`` on, in lines of at most ``width`` pixels; ``wide`` measures what is drawn."""

    data: bytes
    start: int
    width: float
    wide: Callable[[str], float]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        text = self.data.decode("utf-8", "surrogateescape")
        sizes = np.array([len(char.encode("utf-8", "surrogateescape")) for char in text], np.int64)
        starts = self.start + np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        shown = [_shown(char) for char in text]
        widths = [self.wide(each) + GAP for each in shown]
        found, first, space, x = list[Line](), 0, 0, 0.0
        for at, char in enumerate(text):
            while x + widths[at] > self.width and at > first:
                cut = space if space > first else at
                found.append(self._line(shown, starts, widths, first, cut))
                first, x = cut, sum(widths[cut:at])
            x += widths[at]
            if char == "\n":
                found.append(self._line(shown, starts, widths, first, at + 1))
                first, x = at + 1, 0.0
            elif char == " ":
                space = at  # it goes with the word behind it, as in most tokens
        if first < len(text):
            found.append(self._line(shown, starts, widths, first, len(text)))
        return tuple(found)

    @staticmethod
    def _line(shown: list[str], starts: NDArray[np.int64], widths: list[float], first: int, stop: int) -> Line:
        lefts = np.concatenate([np.zeros(1), np.cumsum(widths[first:stop])])
        return Line(tuple(shown[first:stop]), starts[first : stop + 1], lefts)


def _shown(char: str) -> str:
    return "␣" if char == " " else label(char) if is_seen(char) else sign(char)


PAGE, WORD = 2_000, 60
"""Units of a page, and of a word on either side."""


def pages(data: bytes) -> list[tuple[int, int]]:
    """Where the pages of a text begin and end: no character lies on two of them.

    >>> pages(("é" * 1100).encode())
    [(0, 2000), (2000, 2200)]
    """
    cuts = [_whole(data, at) for at in range(0, len(data), PAGE)]
    return list(pairwise([*cuts, len(data)]))


def page_of(data: bytes, unit: int) -> int:
    """Which page a unit is on."""
    found = [at for at, (start, _) in enumerate(pages(data)) if start <= unit]
    return found[-1] if found else 0


def _whole(data: bytes, at: int) -> int:
    """The beginning of the character that holds the byte at ``at``."""
    back = 0
    while back < 3 and at - back > 0 and data[at - back] & 0xC0 == 0x80:
        back += 1
    return at - back


def word_at(data: bytes, unit: int) -> str:
    """The word that holds a byte, with one space before it if there is one; at most so much as can be told.

    >>> word_at(b"a dark night", 4), word_at(b"a dark", 1), word_at(b"", 0)
    (' dark', ' dark', '')
    """
    unit = min(unit, max(0, len(data) - 1))
    while unit < len(data) - 1 and data[unit : unit + 1].isspace():
        unit += 1
    start = stop = unit
    while start and not data[start - 1 : start].isspace() and unit - start < WORD:
        start -= 1
    while stop < len(data) and not data[stop : stop + 1].isspace() and stop - unit < WORD:
        stop += 1
    start -= data[max(0, start - 1) : start] == b" "
    return data[start:stop].decode("utf-8", "ignore")
