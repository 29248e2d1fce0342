"""A text cut into units, and these into rows, before any row is drawn. Numpy only: no font, no Qt.

A *unit* is a code point, a byte that belongs to no character, or the sign of a token that owns no bytes. Its width is
in columns: what a font tells of it alone, which the shaping of a row (see :mod:`shaping`) makes exact. Units are made
once for a text; another width only makes another :class:`Flow`. A long text is laid out in :mod:`blocks`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.base import Ids
from arplay.core.modalities.spans import char_spans, char_starts, to_text
from arplay.gui.canvases.text.heat.signs import (
    BARE,
    BLANK,
    CHIP,
    CR,
    CURSIVE,
    FLAG,
    JAMO,
    JOINED,
    JOINER,
    LETTER,
    LF,
    MARK,
    MODIFIER,
    PICTURE,
    TAB,
    VIRAMA,
    WIDE,
    ZWJ,
    chip_columns,
    columns_of,
    direction,
    kind,
)

Ints = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.bool_]
Bits = NDArray[np.int16]
Floats = NDArray[np.float64]
Measure = Callable[[str], float]
"""The columns that one or two characters take, written alone."""


LAST_EUROPEAN = 0x52F
"""The last Cyrillic letter; Latin and Greek come before, and no letter that joins or runs from right to left."""
LEAST = 0.22
"""Columns that a token of a letter has at least, so that a click can hit it."""
LONGEST_CLUSTER = 31
"""Code points that may stand on one letter (Unicode's stream-safe text has 30 marks); the next one stands alone."""
_LONGEST_NAME = 12
_COUNTED = 100_000
"""Bytes in which newlines are counted to tell about how high a text is."""


@dataclass(frozen=True, eq=False)
class Units:
    """The m units of a text of n tokens.

    ``codes``, ``widths`` (columns) and ``joined`` (stands on the unit before it: no row begins there) of shape (m,);
    ``starts`` of shape (m + 1,): the byte where each begins, and the text's length. ``firsts`` and ``stops`` of shape
    (n,): token i is in units [firsts[i], stops[i]); a letter that a border cuts is in both tokens. ``names``: the
    tokens that own no bytes, by their unit. ``around``: of what this is a part of, the directions of the first strong
    character of the paragraph that it begins in, of the last one before it there, and of the first one behind it.
    """

    codes: Ints
    widths: Floats
    joined: Flags
    starts: Ints
    firsts: Ints
    stops: Ints
    ends: Ids
    names: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    around: tuple[int, int, int] = (0, 0, 0)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def _uneven(self) -> Ints:
        """How many units up to and including each have not just a column; of LF too, which hangs at a row's end."""
        codes, starts = self.codes, self.starts
        uneven = (codes < 0x20) | (codes > LAST_EUROPEAN) | ((codes >= 0x7F) & (codes < 0xA1))
        letters = np.flatnonzero(~uneven & (codes >= 0x7F))
        of_first, of_last = (self.ends.searchsorted(at, "right") for at in (starts[letters], starts[letters + 1] - 1))
        uneven[letters] = (of_first != of_last) | self.joined[letters] | (self.widths[letters] != 1.0)
        return np.cumsum(uneven)

    @cached_property
    def _newlines(self) -> Ints:
        """How many LF there are up to and including each unit."""
        return np.cumsum(self.codes == LF)

    def is_even(self, first: int, stop: int, newlines: bool = False) -> bool:
        """Whether each of [first, stop) has a column: ASCII, and European letters that the fixed font has and no border
        cuts; with ``newlines`` the sign of a newline, too."""
        if first >= stop:
            return True
        uneven = self._uneven[stop - 1] - (self._uneven[first - 1] if first else 0)
        if uneven and newlines:
            uneven -= self._newlines[stop - 1] - (self._newlines[first - 1] if first else 0)
        return not uneven

    @cached_property
    def totals(self) -> Floats:
        """Columns up to and including every unit."""
        return np.cumsum(self.widths)

    @cached_property
    def letters(self) -> str:
        """A character for each unit; it tells nothing of those that are none."""
        return np.maximum(self.codes, 0).astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")

    @cached_property
    def hard(self) -> list[int]:
        """Unit indices right after a newline (LF, or a CR that no LF follows)."""
        after = np.append(self.codes[1:], 0)
        return (np.flatnonzero((self.codes == LF) | ((self.codes == CR) & (after != LF))) + 1).tolist()

    @cached_property
    def breaks(self) -> tuple[Places, Places, Places]:
        """For every unit, the last one up to it where a row may begin (0 if none), by three ever weaker rules.

        The first cuts no word: the unit starts a token, and is blank, follows a blank, or is wide (scripts without
        spaces). The second cuts no token, the third no letter.
        """
        may = _table(self.codes, lambda code: kind(code) & (BLANK | WIDE), np.int16)
        begins = np.concatenate([np.zeros(1, np.int64), self.ends[:-1]])[: len(self.ends)]
        tokens = np.zeros(len(self), bool)
        tokens[self.firsts[self.starts[self.firsts] == begins]] = True
        tokens &= ~self.joined
        may[1:] |= may[:-1] & BLANK
        words = tokens & (may != 0)
        return _latest(words), _latest(tokens), _latest(~self.joined)

    def tokens(self, first: int, stop: int) -> list[int]:
        """The tokens of units [first, stop), in the order of the text."""
        if first in self.names:
            return [self.names[first][0]]
        low, high = int(self.starts[first]), int(self.starts[stop])
        a = int(self.ends.searchsorted(low, "right"))
        b = int(self.ends.searchsorted(high - 1, "right"))
        return [i for i in range(a, b + 1) if i == a or self.ends[i] > self.ends[i - 1]]

    # Direction

    @cached_property
    def directions(self) -> NDArray[np.int8] | None:
        """1, -1 or -2 (see :func:`direction`) for every unit; None if nothing in the text runs from right to left."""
        made = _table(self.codes, direction, np.int8)
        return made if (made < 0).any() or min(self.around) < 0 else None

    @cached_property
    def _strong(self) -> Ints:
        assert self.directions is not None
        return np.flatnonzero(self.directions)

    def context(self, first: int, stop: int) -> tuple[bool, int, int]:
        """Of the row [first, stop): does its paragraph run from right to left, and the directions on both sides of it.

        A side without a strong character in the same paragraph has direction 0.
        """
        if self.directions is None:
            return False, 0, 0
        at = bisect_right(self.hard, first)
        begin, end = self.hard[at - 1] if at else 0, self.hard[at] if at < len(self.hard) else len(self)
        strong = self._strong
        lead, before, after = (int(i) for i in strong.searchsorted([begin, first, stop]))

        def told(place: int, outside: int) -> int:
            inside = 0 <= place < len(strong) and begin <= strong[place] < end
            return int(self.directions[strong[place]]) if inside else outside  # type: ignore[index]

        of_all, in_front, behind = self.around
        in_front = in_front if begin == 0 else 0
        leading = of_all if begin == 0 and of_all else told(lead, 0)
        return leading < 0, told(before - 1, in_front), told(after, behind if end == len(self) else 0)


def rows_about(data: bytes, size: int, width: int) -> int:
    """About how many rows a text takes in type of ``size`` pixels, on ``width`` pixels.

    Newlines are counted in its beginning only: a text that is longer has more rows than any window.

    >>> rows_about(b"a\\nb\\n", 13, 700), rows_about(b"a" * 9000, 13, 700)
    (3, 101)
    """
    return data.count(b"\n", 0, _COUNTED) + 1 + len(data) * size * 6 // (10 * max(1, width))


def bare_tokens(ends: Ids) -> Ints:
    """Which tokens own no bytes of the text."""
    return np.flatnonzero(np.diff(ends, prepend=0) == 0)


def units(
    data: bytes,
    ends: Ids,
    names: Mapping[int, str] | None = None,
    measure: Measure | None = None,
    around: tuple[int, int, int] = (0, 0, 0),
) -> Units:
    """Cut ``data`` into units; ``ends``: the byte where every token ends, shape (n,), the last one len(data).

    ``names``: the visible text of every one of :func:`bare_tokens`. ``measure``: how wide characters are (by default
    as :func:`columns_of` says).
    """
    codes = np.frombuffer(to_text(data).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    begins = np.concatenate([np.zeros(1, np.int64), ends[:-1]])[: len(ends)]
    if len(codes) == len(data):  # each byte is a unit
        starts, firsts, stops = np.arange(len(data) + 1), begins, np.maximum(begins, ends)
    else:
        starts, (firsts, stops) = char_starts(data), char_spans(data, begins, ends)
    bits = _table(codes, kind, np.int16)
    joined = _joined(codes, bits)
    widths = _widths(codes, bits, joined, measure)
    cut = firsts[ends > begins]
    cut = cut[(begins[ends > begins] > starts[cut]) | joined[cut]]
    if len(cut):  # a letter in many tokens is as wide as they need
        heads, borders = np.unique(_latest(~joined)[cut], return_counts=True)
        widths[heads] = np.maximum(widths[heads], LEAST * (borders + 1))
    made = Units(codes, widths, joined, starts, firsts, stops, ends, around=around)
    bare = bare_tokens(ends)
    return _with_bare(made, bare, [(names or {})[i] for i in bare.tolist()]) if len(bare) else made


def _with_bare(made: Units, bare: Ints, names: list[str]) -> Units:
    """The same with a unit for each token that owns no bytes: before the next one, or after a letter around it."""
    names = [name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…" for name in names]
    at = made.stops[bare]
    own = at + np.arange(len(bare))
    firsts = made.firsts + at.searchsorted(made.firsts, "right")
    stops = made.stops + at.searchsorted(made.stops, "left")
    firsts[bare], stops[bare] = own, own + 1
    widths = np.insert(made.widths, at, [chip_columns(name) + 2.0 for name in names])
    joined = np.insert(made.joined, at, False)
    after = own[own + 1 < len(joined)] + 1
    alone = after[joined[after]]  # what stood on a letter that is now on the other side of a chip
    joined[alone], widths[alone] = False, np.maximum(widths[alone], 1.0)
    return Units(
        np.insert(made.codes, at, BARE),
        widths,
        joined,
        np.insert(made.starts, at, made.starts[at]),
        firsts,
        stops,
        made.ends,
        {int(unit): (int(token), name) for unit, token, name in zip(own, bare, names, strict=True)},
        made.around,
    )


def _joined(codes: Ints, bits: Bits) -> Flags:
    """Which units stand on the one before: close to the grapheme clusters of UAX 29, and good for breaking rows."""
    joined = np.zeros(len(codes), bool)
    may = bits & (MARK | JOINER | MODIFIER | FLAG | JAMO) != 0
    may[1:] |= bits[:-1] & (JOINER | VIRAMA) != 0
    at = np.flatnonzero(may[1:]) + 1
    if not len(at):
        return joined
    this, last, before = bits[at], bits[at - 1], codes[at - 1]
    acts = _joiners(at, this, last)
    follows = np.append(False, acts[:-1] & (np.diff(at) == 1))  # an acting joiner
    flag = bits & FLAG != 0
    place = np.arange(len(codes), dtype=np.int32)
    even = (place[at] - np.maximum.accumulate(np.where(flag, -1, place))[at]) % 2 == 0
    joined[at] = (
        ((this & MARK != 0) & (((last & CHIP == 0) & (before > 0x20)) | follows))
        | acts
        | ((this & MODIFIER != 0) & (last & PICTURE != 0))
        | ((this & (PICTURE | LETTER) != 0) & follows & (before == ZWJ))
        | ((this & LETTER != 0) & (last & VIRAMA != 0))
        | ((this & JAMO != 0) & (codes[at] >= 0x1160) & (last & JAMO != 0))
        | (flag[at] & even)
    )
    run = place - _latest(~joined)
    return joined & (run % LONGEST_CLUSTER != 0)


def _joiners(at: Ints, this: Bits, last: Bits) -> Flags:
    """Which of the units ``at`` are invisible joiners that do something."""
    joiner = this & JOINER != 0
    acts = joiner & (last & JOINED != 0)
    for i in np.flatnonzero(joiner & ~acts & (last & JOINER != 0)).tolist():
        acts[i] = i and at[i - 1] == at[i] - 1 and acts[i - 1]  # the tags of a flag follow one another
    return acts


def _widths(codes: Ints, bits: Bits, joined: Flags, measure: Measure | None) -> Floats:
    """What each unit takes alone; a cursive letter: what it takes before the letter after it."""

    def alone(code: int) -> float:
        plain = columns_of(code)
        return plain if measure is None or not plain or code == TAB or kind(code) & CHIP else measure(chr(code))

    widths = _table(codes, alone, np.float64)
    widths[joined & (bits & (MARK | LETTER | JAMO) == 0)] = 0.0  # joiners, second halves of flags, modifiers
    widths[(widths == 0) & ~joined] = 1.0  # a mark with nothing to stand on is drawn on a dotted circle
    cursive = np.flatnonzero((bits & CURSIVE != 0) & ~joined)
    if measure is not None and len(cursive):
        solid = np.flatnonzero(~joined)
        after = np.append(solid, len(codes))[solid.searchsorted(cursive, "right")]
        pairs = codes[cursive] << 21 | np.append(codes, 0x20)[after]
        distinct, which = np.unique(pairs, return_inverse=True)
        widths[cursive] = np.array([_before(measure, int(p) >> 21, int(p) & 0x1FFFFF) for p in distinct])[which]
    return widths


def _before(measure: Measure, code: int, after: int) -> float:
    if not kind(after) & CURSIVE:
        return measure(chr(code))
    return max(LEAST, measure(chr(code) + chr(after)) - measure(chr(after)))


def _latest(good: Flags) -> Places:
    """For every place, the last good one up to it (0 if none)."""
    return np.maximum.accumulate(np.where(good, np.arange(len(good), dtype=np.int32), 0))


def _table(codes: Ints, of: Callable[[int], float], dtype: type) -> NDArray[Any]:
    """``of`` each code, asked once for each different one (``BARE`` too)."""
    if not len(codes):
        return np.zeros(0, dtype)
    used = np.flatnonzero(np.bincount(codes - BARE))
    table: NDArray[Any] = np.zeros(int(used[-1]) + 1, dtype)
    table[used] = [of(int(code) + BARE) for code in used]
    return table[codes - BARE]


@dataclass(frozen=True, eq=False)
class Flow:
    """Units in rows of ``columns`` columns; ``starts`` of shape (rows + 1,): the first unit of every row, and m.

    ``longest``: columns that a row may have, which may be more than are in sight. The first row begins after ``indent``
    columns (left free for what stands before the text). A newline may hang one column past the end of its row.
    """

    units: Units
    columns: int
    indent: int
    starts: Ints
    longest: int
    hard: frozenset[int]
    """The units that begin a row in any case."""

    @classmethod
    def of(cls, units: Units, columns: int, indent: int = 0, longest: int = 0, hard: list[int] | None = None) -> Flow:
        """``hard``: the units that begin a row in any case (those behind a newline)."""
        totals, count = units.totals, len(units)
        hard = units.hard if hard is None else hard
        words, tokens, letters = units.breaks
        wide = max(columns, longest)
        starts, start, base, room, next_hard = [0], 0, 0.0, wide - indent + 1e-6, 0
        while start < count:
            end = int(totals.searchsorted(base + room, "right"))  # the first unit that does not fit
            if next_hard < len(hard) and hard[next_hard] - 1 <= end:
                stop = hard[next_hard]
                next_hard += 1
            elif end >= count:
                stop = count
            else:
                stop = int(words[end])
                if stop <= start:
                    stop = int(tokens[end])
                if stop <= start:
                    stop = int(letters[end])
                if stop <= start:  # a letter wider than the row
                    stop = max(end, start + 1)
            starts.append(stop)
            start, base, room = stop, float(totals[stop - 1]), wide + 1e-6
        return cls(units, columns, indent, np.array(starts, np.int64), wide, frozenset(hard))

    @cached_property
    def widest(self) -> float:
        """Columns of the widest row."""
        ends = np.append(0.0, self.units.totals)[self.starts]
        return float(np.diff(ends).max(initial=0.0)) + self.indent

    @property
    def rows(self) -> int:
        return len(self.starts) - 1

    def goes_on(self, row: int) -> bool:
        """Whether a row only goes on with what the one before it had no room for."""
        return row > 0 and int(self.starts[row]) not in self.hard

    def span(self, row: int) -> tuple[int, int]:
        """The units [first, stop) of a row."""
        return int(self.starts[row]), int(self.starts[row + 1])

    def row_of(self, unit: int) -> int:
        return int(self.starts.searchsorted(unit, "right")) - 1

    def locate(self, row: int) -> tuple[int, Flow, int]:
        """As of :class:`blocks.Rows`."""
        return 0, self, row

    def first_row(self, token: int) -> int:
        return self.row_of(int(self.units.firsts[token]))

    def last_row(self, token: int) -> int:
        return self.row_of(int(self.units.stops[token]) - 1)

    def tokens(self, first_row: int, stop_row: int) -> tuple[int, int]:
        """The tokens [first, stop) that are in these rows, and perhaps a few around them."""
        low, high = self.units.starts[self.starts[[first_row, stop_row]]]
        ends = self.units.ends
        return int(ends.searchsorted(low)), min(len(ends), int(ends.searchsorted(high, "right")) + 1)
