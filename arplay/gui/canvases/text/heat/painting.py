"""Painting a heatmap, a row at a time: the same code for the window, a picture of everything and the pages of a PDF."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from arplay.core.chain import Ledger
from arplay.core.recent import Recent
from arplay.gui.canvases.text.heat.blocks import Rows
from arplay.gui.canvases.text.heat.layout import Flow
from arplay.gui.canvases.text.heat.shaping import Grid, Line, shape
from arplay.gui.canvases.text.heat.signs import CHIP_SCALE
from arplay.gui.theme import Theme
from arplay.gui.widgets.heat.scale import PLAIN, UNSCORED, HeatScale
from arplay.gui.widgets.labels import label

_KEPT = 256
"""Rows that stay shaped."""


class Lines:
    """The shaped rows of a flow, each made when it is first asked for."""

    def __init__(self, grid: Grid, flow: Flow | Rows) -> None:
        self.grid, self.flow = grid, flow
        self._shaped = Recent[tuple[int, int], Line](_KEPT)

    def __getitem__(self, row: int) -> Line:
        first, flow, row = self.flow.locate(row)
        return self._shaped.get((first, row), lambda: shape(self.grid, flow, row, first))

    def cells(self, row: int, top: float, token: int) -> list[QRectF]:
        """The rectangles that a token fills in a row whose top is at y = ``top``; several where directions meet."""
        return [self.grid.cell_at(left, right, top) for left, right in self[row].places.get(token, ())]

    def hit(self, row: int, x: float, nearest: bool = False) -> int | None:
        """The token under a place; with ``nearest``, the closest one of that row."""
        return self[row].hit(x, nearest) if 0 <= row < self.flow.rows else None


class HeatPainter:
    """Paints rows of ``lines`` at x = 0. Everything it needs is given once; nothing is computed for hidden rows."""

    def __init__(self, lines: Lines, theme: Theme, scale: HeatScale, ledger: Ledger, lead: tuple[str, ...]) -> None:
        self.lines, self.theme, self.scale = lines, theme, scale
        self.grid, self.ledger, self.lead = lines.grid, ledger, lead
        self.specials: frozenset[int] = frozenset()
        self.between = (-math.inf, math.inf)
        """The pixels across that are wanted; of a row that is longer only these are painted."""
        metrics = QFontMetricsF(self.grid.font)
        self._base = self.grid.cell_top + (self.grid.cell + metrics.ascent() - metrics.descent()) / 2
        plain = theme.color("text").rgba()
        self._written = [*scale.written, plain, plain]  # -1 and -2 are shades without a colour

    def paint(self, painter: QPainter, first_row: int, stop_row: int, top: float) -> None:
        """Rows [first_row, stop_row), the first one at y = ``top``."""
        if first_row == 0:
            self._paint_lead(painter, top)
        if first_row >= stop_row:
            return
        base, stop = self.lines.flow.tokens(first_row, stop_row)
        shades, ids = self.scale.shade(self.ledger, base, stop), self.ledger.ids[base:stop].tolist()
        framed = {base + i for i, id in enumerate(ids) if id in self.specials}
        for row in range(first_row, stop_row):
            painter.translate(0, top)
            self._paint_row(painter, self.lines[row], shades, base, framed)
            painter.translate(0, -top)
            top += self.grid.row

    def _paint_row(self, painter: QPainter, line: Line, shades: list[int], base: int, framed: set[int]) -> None:
        """The cells, then the letters: once for each ink, inside the cells that are written in it."""
        inks: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        fills, written, fill = self.scale.fills, self._written, painter.fillRect
        tall, down = self.grid.cell, self.grid.cell_top
        low, high = self.between
        ink, begin, end = 0, 0.0, -math.inf  # of the cells that touch and are written alike
        for left, right, token in line.cells:
            if right < low or left > high:
                continue
            shade, wide = shades[token - base], right - left
            rect = QRectF(left, down, wide - 1.0 if wide > 5.0 else 0.8 * wide, tall)  # as Grid.cell_at has it
            if shade >= 0:
                fill(rect, fills[shade])
            else:
                self._paint_blank(painter, rect, shade)
            if token in framed:
                painter.setPen(QPen(self.theme.color("outline"), 1))
                painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
            if written[shade] != ink or left != end:
                if begin < end:
                    inks[ink].append((begin, end))
                ink, begin = written[shade], left
            end = right
        if begin < end:
            inks[ink].append((begin, end))
        for left, right in line.quiet:
            if right < low or left > high:
                continue
            under = next(rgba for rgba, spans in inks.items() if any(a <= left < b for a, b in spans))
            pale = QColor.fromRgba(under)
            pale.setAlphaF(0.62)
            inks[under] = [part for span in inks[under] for part in _without(span, left, right)]
            inks[pale.rgba()].append((left, right))
        painter.setFont(self.grid.font)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if line.layout is None and len(inks) == 1:
            painter.setPen(_color(next(iter(inks))))
            line.draw(painter, self._base)
            return
        # the commonest ink comes last: what shows an SVG without clipping then shows the row in that one
        for rgba, spans in sorted(inks.items(), key=lambda ink: sum(b - a for a, b in ink[1])):
            if line.layout is None:
                self._write(painter, line, spans, rgba)
                continue
            clip = QPainterPath()
            for left, right in spans:
                clip.addRect(QRectF(left, 0, right - left, self.grid.row))
            painter.save()
            painter.setClipPath(clip, Qt.ClipOperation.IntersectClip)
            painter.setPen(_color(rgba))
            line.draw(painter, self._base)
            for left, right, bare in line.chips:
                painter.setPen(QPen(_color(rgba), 0.6, Qt.PenStyle.DotLine if bare else Qt.PenStyle.SolidLine))
                painter.drawRoundedRect(self.grid.cell_at(left, right, 0).adjusted(1, 3, -1, -3), 3, 3)
            painter.restore()

    def _write(self, painter: QPainter, line: Line, spans: list[tuple[float, float]], rgba: int) -> None:
        """The letters of a row of equal columns that are in one ink: the others are blank."""
        text, column, origin, at = "", self.grid.column, line.origin, 0
        for left, right in spans:
            a, b = round((left - origin) / column), round((right - origin) / column)
            text += " " * (a - at) + line.text[a:b]
            at = b
        if text := text.rstrip():
            painter.setPen(_color(rgba))
            painter.drawText(QPointF(origin, self._base), text)

    def _paint_blank(self, painter: QPainter, rect: QRectF, shade: int) -> None:
        """The background of a cell that has no colour."""
        if shade == UNSCORED:
            painter.fillRect(rect, QBrush(self.theme.color("muted", 0.45), Qt.BrushStyle.BDiagPattern))
            painter.setPen(QPen(self.theme.color("muted"), 1.5, Qt.PenStyle.DotLine))
            painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        elif shade == PLAIN:
            painter.fillRect(QRectF(rect.x(), rect.bottom() - 1, rect.width(), 1), self.theme.color("border"))

    def _paint_lead(self, painter: QPainter, top: float) -> None:
        for name, (left, right) in zip(self.lead, self.lead_places(), strict=False):
            rect = self.grid.cell_at(left, right, top).adjusted(0, 1, -4, -1)
            painter.setPen(QPen(self.theme.color("border"), 1))
            painter.setBrush(self.theme.color("raised"))
            painter.drawRoundedRect(rect, 5, 5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            _fit(painter, label(name), rect, self.grid.chip_font, self.theme.color("muted"))

    def lead_places(self) -> list[tuple[float, float]]:
        """Where the chips in front of the text stand: on the right of a text that runs from right to left."""
        flow, column = self.lines.flow, self.grid.column
        places = [(left * column, right * column) for left, right in lead_columns(self.lead, flow.columns)[0]]
        if flow.rows and self.lines[0].rtl:
            room = flow.columns * column
            places = [(room - right + 5, room - left + 5) for left, right in places]
        return places


@cache
def _color(rgba: int) -> QColor:
    return QColor.fromRgba(rgba)


def _without(span: tuple[float, float], left: float, right: float) -> list[tuple[float, float]]:
    """The parts of ``span`` outside of [left, right)."""
    a, b = span
    if right <= a or b <= left:
        return [span]
    return [part for part in ((a, left), (right, b)) if part[1] - part[0] > 1e-6]


def _fit(painter: QPainter, text: str, rect: QRectF, font: QFont, ink: QColor) -> None:
    """A name in the middle of its chip, cut where it is too long."""
    painter.setFont(font)
    painter.setPen(ink)
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width() - 6)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, shown)


def lead_columns(lead: tuple[str, ...], columns: int) -> tuple[list[tuple[int, int]], int]:
    """The columns of the chips in front of the text, at most half a row together, and the indent that they need."""
    places: list[tuple[int, int]] = []
    at = 0
    for name in lead:
        wide = min(math.ceil(CHIP_SCALE * len(name)) + 2, max(3, columns // 2 - at))
        if at + wide > max(3, columns // 2):
            break
        places.append((at, at + wide))
        at += wide
    return places, at
