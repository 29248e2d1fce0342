"""Rows as Qt lays text out: joined letters, right-to-left runs, clusters; and which part of them each token owns."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import cast

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextLine, QTextOption

from arplay.gui.canvases.text.heat.layout import LEAST, Flow, Units
from arplay.gui.canvases.text.heat.signs import (
    BARE,
    CHIP,
    CHIP_SCALE,
    CURSIVE,
    DOTTED_CIRCLE,
    LF,
    MARK,
    QUIET,
    TAB,
    TAB_COLUMNS,
    alike,
    kind,
    sign,
)
from arplay.gui.theme import TEXT, fixed_font, interface_font

LINE_HEIGHT, CELL_SHARE = 1.8, 0.85
"""From one row to the next in sizes of the type, and the share of a row that its cells fill."""

_ISOLATE, _POP = "\u2066", "\u2069"
_STRONG = {1: "\u200e", -1: "\u200f", -2: "\u061c"}
"""Invisible characters that stand for the text on the other side of a row's end (and keep a tab in its place)."""
_PAD = "\u00a0"
_LEADING, _TRAILING = QTextLine.Edge.Leading, QTextLine.Edge.Trailing
_POSITIONS = QTextLayout.GlyphRunRetrievalFlag.RetrieveGlyphPositions


@dataclass(frozen=True)
class Grid:
    """The fonts at a type size of ``size`` pixels, and the sizes of one column, row and cell that follow."""

    size: int
    font: QFont
    chip_font: QFont
    other_font: QFont
    """Of scripts whose letters join, and of a mark on a dotted circle: a fixed font that has only some of what stands
    together would take it apart."""
    column: float
    row: int
    cell: int

    @classmethod
    @cache
    def make(cls, size: int = TEXT) -> Grid:
        """The same one for the same size, since all that is measured is kept in it."""
        font, chip = fixed_font(size), fixed_font(max(1, math.floor(size * CHIP_SCALE)))
        row = round(size * LINE_HEIGHT)
        column = QFontMetricsF(font).horizontalAdvance("0")
        return cls(size, font, chip, interface_font(size), column, row, round(row * CELL_SHARE))

    @cached_property
    def cell_top(self) -> int:
        """Pixels from the top of a row to its cells."""
        return (self.row - self.cell) // 2

    def cell_at(self, left: float, right: float, top: float) -> QRectF:
        """What is painted of a cell, in a row whose top is at y = ``top``: a little less, so that borders are seen."""
        wide = right - left
        return QRectF(left, top + self.cell_top, wide - 1.0 if wide > 5.0 else 0.8 * wide, self.cell)

    @cached_property
    def even(self) -> bool:
        """Whether the fixed font is one, so that ASCII needs no layout."""
        return all(abs(self.measure(chr(code)) - 1.0) < 1e-3 for code in range(0x20, 0x7F))

    @cached_property
    def newline_fits(self) -> bool:
        """Whether the sign of a newline is as wide as a letter, so that it may stand within a row."""
        return abs(self.measure(sign(LF)) - 1.0) < 1e-3

    @cached_property
    def _metrics(self) -> tuple[QFontMetricsF, QFontMetricsF]:
        return QFontMetricsF(self.font), QFontMetricsF(self.other_font)

    @cached_property
    def _measured(self) -> dict[str, float]:
        return {}

    def measure(self, text: str) -> float:
        """The columns that a character, or a pair of joining letters, takes; asked of the font once."""
        text = text if len(text) > 1 else chr(alike(ord(text)))
        wide = self._measured.get(text)
        if wide is None:
            metrics = self._metrics[bool(kind(ord(text[0])) & CURSIVE)]
            wide = self._measured[text] = metrics.horizontalAdvance(text) / self.column
        return wide


@dataclass(frozen=True, eq=False)
class Line:
    """A row as it is drawn, in pixels. ``cells``: (left, right, token) in visual order; they touch and fill the row.

    ``chips``: left, right and whether it is a token without bytes; ``quiet``: the places of pale signs.
    """

    cells: list[tuple[float, float, int]]
    chips: list[tuple[float, float, bool]]
    quiet: list[tuple[float, float]]
    rtl: bool = False
    text: str = ""
    layout: QTextLayout | None = None
    origin: float = 0.0
    squeeze: float = 1.0
    ascent: float = 0.0

    @cached_property
    def places(self) -> dict[int, list[tuple[float, float]]]:
        """Where each token is: in several places where directions meet."""
        found: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        for left, right, token in self.cells:
            found[token].append((left, right))
        return dict(found)

    def hit(self, x: float, nearest: bool = False) -> int | None:
        """The token at x; with ``nearest``, the closest one."""
        if not self.cells:
            return None
        for left, right, token in self.cells:
            if (left <= x or nearest) and x < right:
                return token
        return self.cells[-1][2] if nearest else None

    def draw(self, painter: QPainter, base: float) -> None:
        """The letters in the painter's pen, standing on y = ``base``."""
        if self.layout is None:
            painter.drawText(QPointF(self.origin, base), self.text)
        elif self.squeeze == 1.0:
            self.layout.draw(painter, QPointF(self.origin, base - self.ascent))
        else:
            painter.save()
            painter.translate(self.origin, base - self.ascent)
            painter.scale(self.squeeze, 1.0)
            self.layout.draw(painter, QPointF(0, 0))
            painter.restore()


def shape(grid: Grid, flow: Flow, row: int, base: int = 0) -> Line:
    """Lay out one row of ``flow``, whose first token has the number ``base``."""
    first, stop = flow.span(row)
    units = flow.units
    indent = flow.indent * grid.column if row == 0 else 0.0
    rtl, before, after = units.context(first, stop)
    letters = stop - int(stop > first and units.codes[stop - 1] == LF)
    if grid.even and not rtl and before >= 0 and units.is_even(first, letters, grid.newline_fits):
        return _grid_line(grid, units, first, stop, indent, base)
    written = _Written(grid, units, first, stop, rtl, before, after)
    room = (flow.columns * grid.column - indent, flow.longest * grid.column - indent)
    return written.line(*room, 0.0 if rtl else indent, base)


def _grid_line(grid: Grid, units: Units, first: int, stop: int, indent: float, base: int) -> Line:
    """A row in which :meth:`Units.is_even`: a column a letter."""
    column, ends = grid.column, units.ends
    token = int(ends.searchsorted(units.starts[first], "right"))
    last = int(ends.searchsorted(units.starts[stop] - 1, "right"))
    edges = [indent + column * (at - first) for at in (first, *units.firsts[token + 1 : last + 1].tolist(), stop)]
    cells = list(zip(edges[:-1], edges[1:], range(base + token, base + last + 1), strict=True))
    text = units.letters[first:stop]
    if "\n" not in text:
        return Line(cells, [], [], text=text, origin=indent)
    newlines = [indent + column * at for at, letter in enumerate(text) if letter == "\n"]
    quiet = [(left, left + column) for left in newlines]
    return Line(cells, [], quiet, text=text.replace("\n", sign(LF)), origin=indent)


class _Written:
    """The string that stands for a row: chips spelt out, and each UTF-16 place with the unit it belongs to."""

    def __init__(self, grid: Grid, units: Units, first: int, stop: int, rtl: bool, before: int, after: int) -> None:
        self.grid, self.units, self.first, self.stop, self.rtl = grid, units, first, stop, rtl
        self.parts: list[str] = []
        self.owner: list[int] = []  # of every UTF-16 unit; -1: an invisible helper
        self.chips: list[int] = []
        self.quiet: list[int] = []
        self.formats: list[QTextLayout.FormatRange] = []
        codes, joined = units.codes[first:stop].tolist(), units.joined[first:stop].tolist()
        base = _STRONG[-1 if rtl else 1]
        self.bidi = rtl or units.directions is not None
        cursive = -1
        if before:
            self._put(_STRONG[before])
        for place, code in enumerate(codes):
            bits, alone = kind(code), not joined[place]
            if alone and cursive >= 0 and not bits & CURSIVE:
                self._format(cursive, len(self.owner), grid.other_font)
                cursive = -1
            if alone and cursive < 0 and bits & CURSIVE:
                cursive = len(self.owner)
            if bits & CHIP and alone:
                self.chips.append(place)
                start = len(self.owner)
                name = f"{_PAD}{units.names[first + place][1]}{_PAD}" if code == BARE else sign(code)
                self._put(_ISOLATE)
                self._put(name, place)
                self._put(_POP)
                self._format(start, len(self.owner), grid.chip_font)
            elif code in QUIET:
                self.quiet.append(place)
                name = sign(code) + (_PAD * (TAB_COLUMNS - 1) if code == TAB else "")
                self._put(base if code == TAB else "")
                self._put(name, place)
                self._put(base if code == TAB else "")
            elif bits & MARK and alone:
                self._put(DOTTED_CIRCLE + chr(code), place)
                self._format(len(self.owner) - 2, len(self.owner), grid.other_font)
            else:
                self._put(chr(code), place)
        if cursive >= 0:
            self._format(cursive, len(self.owner), grid.other_font)
        if after and codes[-1] not in (0x20, TAB, LF):  # blanks at a row's end stand where the paragraph ends
            self._put(_STRONG[after])

    def _put(self, text: str, place: int = -1) -> None:
        self.parts.append(text)
        self.owner.extend([place] * (len(text.encode("utf-16-le", "surrogatepass")) // 2))

    def _format(self, start: int, stop: int, font: QFont) -> None:
        made = QTextLayout.FormatRange()
        made.start, made.length = start, stop - start
        look = QTextCharFormat()
        look.setFont(font)
        made.format = look
        self.formats.append(made)

    def line(self, room: float, most: float, left: float, base: int) -> Line:
        """Laid out in ``room`` pixels from ``left``; one column more than ``most`` may hang, and what is wider still is
        squeezed."""
        layout, clusters = self._lay_out()
        if self._widen(clusters):
            layout, clusters = self._lay_out()
        wide = clusters[-1].right if clusters else 0.0
        squeeze = min(1.0, (most + self.grid.column) / wide) if wide else 1.0
        origin = left + (max(0.0, room - wide * squeeze) if self.rtl else 0.0)
        cells: list[tuple[float, float, int]] = []
        spans: dict[int, tuple[float, float]] = {}
        for cluster in clusters:
            a, b = origin + cluster.left * squeeze, origin + cluster.right * squeeze
            for place in range(cluster.first, cluster.last + 1):
                low, high = spans.get(place, (a, b))
                spans[place] = min(a, low), max(b, high)
            count = len(cluster.tokens)
            for i, token in enumerate(reversed(cluster.tokens) if cluster.rtl else cluster.tokens):
                x, y = a + (b - a) * i / count, a + (b - a) * (i + 1) / count
                if cells and cells[-1][2] == base + token:
                    x = cells.pop()[0]
                cells.append((x, y, base + token))
        return Line(
            cells,
            [(*spans[place], self.units.codes[self.first + place] == BARE) for place in self.chips],
            [spans[place] for place in self.quiet],
            self.rtl,
            layout=layout,
            origin=origin,
            squeeze=squeeze,
            ascent=layout.lineAt(0).ascent(),
        )

    def _lay_out(self) -> tuple[QTextLayout, list[_Cluster]]:
        layout = QTextLayout("".join(self.parts), self.grid.font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        option.setFlags(QTextOption.Flag.IncludeTrailingSpaces)
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if self.rtl else Qt.LayoutDirection.LeftToRight)
        option.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute)
        layout.setTextOption(option)
        layout.setCacheEnabled(True)
        if self.formats:
            layout.setFormats(self.formats)
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(1e6)
        layout.endLayout()
        return layout, self._clusters(layout, line)

    def _clusters(self, layout: QTextLayout, line: QTextLine) -> list[_Cluster]:
        """What stands together, from left to right, without gaps."""
        units, first, owner = self.units, self.first, self.owner
        starts = units.starts[first : self.stop + 1]
        lows = units.ends.searchsorted(starts[:-1], "right").tolist()
        highs = units.ends.searchsorted(starts[1:] - 1, "right").tolist()
        found: list[_Cluster] = []
        whole = {*self.chips, *self.quiet}
        at, count = 0, len(owner)

        def move(place: int) -> int:
            return max(layout.nextCursorPosition(place), place + 1)  # Qt stays where it knows no next

        while at < count:
            after = move(at)
            a = owner[at]
            if a >= 0:
                while a in whole and after < count and owner[after] == a:
                    after = move(after)
                b = owner[after - 1]
                tokens: Sequence[int] = range(lows[a], highs[b] + 1)
                if first + a in units.names:
                    tokens = (units.names[first + a][0],)
                elif len(tokens) > 1:
                    tokens = units.tokens(first + a, first + b + 1)
                left = _x(line, at, _LEADING)
                if self.bidi:
                    right = _x(line, at, _TRAILING)
                    if left == right or a in whole:  # where directions meet, Qt tells the end of the text before
                        runs = line.glyphRuns(at, after - at, _POSITIONS)
                        left = min((point.x() for run in runs for point in run.positions()), default=left)
                    else:
                        left = min(left, right)
                rtl = units.directions is not None and int(units.directions[first + a]) < 0
                found.append(_Cluster(left, a, b, tokens, rtl, after))
            at = after
        found.sort(key=lambda cluster: cluster.left)
        return _tiled(found, line.naturalTextWidth(), self.grid.column)

    def _widen(self, clusters: list[_Cluster]) -> bool:
        """Give letters in many tokens the room that these need; letters that join stay as they are."""
        least, before = LEAST * self.grid.column, len(self.formats)
        for cluster in clusters:
            missing = least * len(cluster.tokens) - (cluster.right - cluster.left)
            code = int(self.units.codes[self.first + cluster.first])
            if missing > 0 and not kind(code) & (CURSIVE | CHIP):
                font = QFont(self.grid.font)
                font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, missing)
                start = self.owner.index(cluster.first)
                self._format(start, cluster.after, font)
        return len(self.formats) > before


@dataclass(slots=True)
class _Cluster:
    """Units [first, last] of a row that share one place, and the tokens that share it."""

    left: float
    first: int
    last: int
    tokens: Sequence[int]
    rtl: bool
    after: int
    right: float = 0.0


def _x(line: QTextLine, at: int, edge: QTextLine.Edge) -> float:
    x, _ = cast(tuple[float, int], line.cursorToX(at, edge))
    return x


def _tiled(found: list[_Cluster], end: float, column: float) -> list[_Cluster]:
    """The clusters with their right edges; one that a font gives no width shares the place of its neighbour."""
    if not found:
        return found
    result: list[_Cluster] = []
    for cluster, right in zip(found, [*(other.left for other in found[1:]), end], strict=True):
        cluster.right = right
        if right - cluster.left > 0.01:
            result.append(cluster)
        elif result or len(found) > 1:
            other = result[-1] if result else found[1]
            both = sorted({*other.tokens, *cluster.tokens})
            other.tokens, other.first, other.last = both, min(other.first, cluster.first), max(other.last, cluster.last)
            other.left = min(other.left, cluster.left)
    if not result:  # nothing that can be seen
        found[-1].left, found[-1].right = 0.0, column
        return found[-1:]
    result[-1].right = max(result[-1].right, end)
    return result
