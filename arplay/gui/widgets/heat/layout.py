"""Where every piece of a text stands when the text flows over a grid of equal columns. Numpy only: no font, no Qt.

The text becomes *units*: a whole code point inside one piece, or a single byte where a piece holds only a part of a
character. Units have widths in columns; a :class:`Flow` cuts them into rows. Units are made once for a text; another
width only makes another Flow. A row costs one binary search, so a million pieces take a fraction of a second.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from arplay.core.pieces import Ids, visible
from arplay.core.spans import char_spans, to_bytes, to_text

Ints = NDArray[np.int64]

TAB_COLUMNS = 4
CHIP_SCALE = 0.75
"""The type size of a chip such as ⟨E2⟩ relative to the text's: a sign of n characters takes ceil(0.75 n) columns."""

_LF, _CR = 0x0A, 0x0D
BROKEN = 0xDC00
"""A unit that is a lone byte b has the code ``BROKEN + b``."""
BARE = -1
"""The code of the one unit of a piece that owns no bytes of the text; it is drawn as a chip with the piece's name."""
_LONGEST_NAME = 12


# fmt: off
_CONTROLS = (
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI",
    "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
)
# fmt: on


def is_chip(code: int) -> bool:
    """Whether a unit is drawn as a small sign such as ⟨E2⟩, ⟨NUL⟩ or ⟨U+200B⟩ and not as its character."""
    return code not in (0x09, _LF) and sign(code).startswith("⟨") and code != ord("⟨")


def sign(code: int) -> str:
    """What is drawn for a unit: its character, or the sign of something that cannot be seen.

    Control characters go by name, because few fonts have pictures of them.
    """
    if BROKEN <= code <= BROKEN + 0xFF:
        return f"⟨{code - BROKEN:02X}⟩"
    if code < 0x20 and code not in (0x09, _LF):
        return f"⟨{_CONTROLS[code]}⟩"
    return visible(to_bytes(chr(code)))


def columns_of(code: int) -> int:
    """Columns that a unit takes: 0 for a combining mark, 2 for a wide character, more for chips.

    >>> [columns_of(ord(c)) for c in ("a", "語", "\\u0301", "\\t")], columns_of(BROKEN + 0xE2)
    ([1, 2, 0, 4], 3)
    """
    if is_chip(code):
        return math.ceil(CHIP_SCALE * len(sign(code)))
    if code == 0x09:
        return TAB_COLUMNS
    char = chr(code)
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


@dataclass(frozen=True, eq=False)
class Units:
    """The m units of a text of n pieces: ``codes``, ``widths`` (columns) and ``pieces`` (owner) of shape (m,).

    ``firsts`` of shape (n + 1,): the first unit of every piece, and m. ``names``: of the pieces that own no bytes.
    """

    codes: Ints
    widths: Ints
    pieces: Ints
    firsts: Ints
    names: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def totals(self) -> Ints:
        """Columns up to and including every unit."""
        return np.cumsum(self.widths)

    @cached_property
    def hard(self) -> list[int]:
        """Unit indices right after a newline (LF, or a CR that no LF follows)."""
        after = np.append(self.codes[1:], 0)
        return (np.flatnonzero((self.codes == _LF) | ((self.codes == _CR) & (after != _LF))) + 1).tolist()

    @cached_property
    def piece_starts(self) -> Ints:
        """For every unit, the first unit of its piece."""
        return self.firsts[self.pieces]

    @cached_property
    def word_starts(self) -> Ints:
        """For every unit, the last unit up to it where a row may begin without cutting a word (0 if none).

        Such a unit starts a piece, and is blank, follows a blank, or is wide (scripts without spaces).
        """
        blank = (self.codes == 0x20) | (self.codes == 0x09)
        after_blank = np.append(False, blank[:-1])
        starts = np.zeros(len(self), bool)
        starts[self.firsts[:-1]] = True
        good = starts & (blank | after_blank | (self.widths == 2))
        return np.maximum.accumulate(np.where(good, np.arange(len(self)), 0))


def bare_pieces(ends: Ids) -> Ints:
    """Which pieces own no bytes of the text."""
    return np.flatnonzero(np.diff(ends, prepend=0) == 0)


def units(data: bytes, ends: Ids, names: Mapping[int, str] | None = None) -> Units:
    """Cut ``data`` into units; ``ends``: the byte where every piece ends, shape (n,), the last one len(data).

    ``names``: the visible text of every one of :func:`bare_pieces`.
    """
    codes, widths, pieces = _units_of_bytes(data, ends)
    names, bare = names or {}, bare_pieces(ends)
    at = np.searchsorted(pieces, bare)
    wide = [math.ceil(CHIP_SCALE * min(len(names[int(piece)]), _LONGEST_NAME)) + 1 for piece in bare]
    codes, widths = np.insert(codes, at, BARE), np.insert(widths, at, np.array(wide, np.int64))
    pieces = np.insert(pieces, at, bare)
    return Units(codes, widths, pieces, np.searchsorted(pieces, np.arange(len(ends) + 1)), names)


def _units_of_bytes(data: bytes, ends: Ids) -> tuple[Ints, Ints, Ints]:
    """``codes``, ``widths`` and ``pieces`` of a text in which every piece owns bytes; others have no unit."""
    n = len(data)
    if not n:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty
    at = np.arange(n, dtype=np.int64)
    owner = char_spans(data, at, at + 1)[0]  # the code point of every byte
    points = np.frombuffer(to_text(data).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    piece = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    last = np.append(first[1:], n) - 1
    whole = piece[first] == piece[last]
    starts = np.zeros(n, bool)
    starts[first] = True
    bytes_of_units = np.flatnonzero(starts | ~whole[owner])
    raw = np.frombuffer(data, np.uint8).astype(np.int64)
    owners = owner[bytes_of_units]
    codes = np.where(whole[owners], points[owners], BROKEN + raw[bytes_of_units])
    pieces = piece[bytes_of_units]
    widths = _widths(codes)
    stuck = np.append(True, (np.diff(pieces) != 0) | (widths[:-1] > 2) | (codes[:-1] <= 0x20))
    widths[(widths == 0) & stuck] = 1  # a mark with nothing to stand on in its piece must still be hit by a click
    return codes, widths, pieces


def _widths(codes: Ints) -> Ints:
    used = np.flatnonzero(np.bincount(codes))
    table = np.zeros(int(used[-1]) + 1, np.int64)
    table[used] = [columns_of(int(code)) for code in used]
    return table[codes]


@dataclass(frozen=True, eq=False)
class Flow:
    """Units in rows of ``columns`` columns; ``starts`` of shape (rows + 1,): the first unit of every row, and m.

    The first row begins after ``indent`` columns (left free for what stands before the text). A newline may hang one
    column past the end of its row.
    """

    units: Units
    columns: int
    indent: int
    starts: Ints

    @classmethod
    def of(cls, units: Units, columns: int, indent: int = 0) -> Flow:
        totals, hard, count = units.totals, units.hard, len(units)
        starts, start, base, room, next_hard = [0], 0, 0, columns - indent, 0
        while start < count:
            end = int(totals.searchsorted(base + room, "right"))  # the first unit that does not fit
            if next_hard < len(hard) and hard[next_hard] - 1 <= end:
                stop = hard[next_hard]
                next_hard += 1
            elif end >= count:
                stop = count
            else:
                stop = int(units.word_starts[end])
                if stop <= start:
                    stop = int(units.piece_starts[end])
                if stop <= start:  # a piece longer than the row
                    stop = max(end, start + 1)
            starts.append(stop)
            start, base, room = stop, int(totals[stop - 1]), columns
        return cls(units, columns, indent, np.array(starts, np.int64))

    @property
    def rows(self) -> int:
        return len(self.starts) - 1

    def span(self, row: int) -> tuple[int, int]:
        """The units [first, stop) of a row."""
        return int(self.starts[row]), int(self.starts[row + 1])

    def row_of(self, unit: int) -> int:
        return int(self.starts.searchsorted(unit, "right")) - 1

    def edges(self, row: int) -> Ints:
        """The columns where the units of a row begin, and where the last one ends."""
        first, stop = self.span(row)
        left = self.indent if row == 0 else 0
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.units.widths[first:stop])]) + left

    def place(self, piece: int) -> tuple[int, int, int]:
        """(row, first column, end column) of the first part of a piece."""
        unit = int(self.units.firsts[piece])
        row = self.row_of(unit)
        first, stop = self.span(row)
        edges = self.edges(row)
        return row, int(edges[unit - first]), int(edges[min(int(self.units.firsts[piece + 1]), stop) - first])

    def last_row(self, piece: int) -> int:
        return self.row_of(int(self.units.firsts[piece + 1]) - 1)

    def hit(self, row: int, column: float, nearest: bool = False) -> int | None:
        """The piece under a place of the grid; with ``nearest``, the closest one of that row."""
        if not 0 <= row < self.rows:
            return None
        edges = self.edges(row)
        first, stop = self.span(row)
        if nearest:
            column = min(max(column, float(edges[0])), float(edges[-1]) - 0.5)
        if not edges[0] <= column < edges[-1]:
            return None
        unit = first + int(edges.searchsorted(column, "right")) - 1
        return int(self.units.pieces[min(unit, stop - 1)])
