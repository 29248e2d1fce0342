"""Painting a heatmap, a row at a time: the same code for the window, a picture of everything and the pages of a PDF."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen

from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.pieces import Piece
from arplay.gui.contract import Unit
from arplay.gui.theme import SMALL, SPACE, TEXT, Theme, fixed_font, interface_font
from arplay.gui.widgets.heat.layout import BARE, CHIP_SCALE, Flow, columns_of, is_chip, sign
from arplay.gui.widgets.heat.scale import PLAIN, RANKS, UNSCORED, HeatScale

LINE_HEIGHT, CELL_SHARE = 1.8, 0.85
"""From one row to the next in sizes of the type, and the share of a row that its cells fill."""

_QUIET = {0x09, 0x0A, 0xA0}


@dataclass(frozen=True)
class Grid:
    """The fixed font at a type size of ``size`` pixels, and the sizes of one column, row and cell that follow."""

    size: int
    font: QFont
    chip_font: QFont
    column: float
    row: int
    cell: int

    @classmethod
    def make(cls, size: int = TEXT) -> Grid:
        font = fixed_font(size)
        chip = fixed_font(max(1, math.floor(size * CHIP_SCALE)))
        row = round(size * LINE_HEIGHT)
        return cls(size, font, chip, QFontMetricsF(font).horizontalAdvance("0"), row, round(row * CELL_SHARE))

    @property
    def cell_top(self) -> int:
        """Pixels from the top of a row to its cells."""
        return (self.row - self.cell) // 2


class HeatPainter:
    """Paints rows of ``flow`` at x = 0. Everything it needs is given once; nothing is computed for hidden rows."""

    def __init__(
        self, grid: Grid, theme: Theme, scale: HeatScale, ledger: Ledger, flow: Flow, lead: tuple[Piece, ...]
    ) -> None:
        self.grid, self.theme, self.scale = grid, theme, scale
        self.ledger, self.flow, self.lead = ledger, flow, lead
        self.specials: frozenset[int] = frozenset()

    def paint(self, painter: QPainter, first_row: int, stop_row: int, top: float) -> None:
        """Rows [first_row, stop_row), the first one at y = ``top``."""
        flow = self.flow
        if first_row == 0:
            self._paint_lead(painter, top)
        if first_row >= stop_row or not len(flow.units):
            return
        low, high = int(flow.starts[first_row]), int(flow.starts[stop_row])
        base = int(flow.units.pieces[low])
        shades = self.scale.shade(self.ledger, base, int(flow.units.pieces[high - 1]) + 1)
        for row in range(first_row, stop_row):
            self._paint_row(painter, row, top + (row - first_row) * self.grid.row, shades, base)

    def cells(self, row: int, top: float, piece: int) -> QRectF | None:
        """The rectangle that a piece fills in a row whose top is at y = ``top``."""
        first, stop = self.flow.span(row)
        low = max(first, int(self.flow.units.firsts[piece]))
        high = min(stop, int(self.flow.units.firsts[piece + 1]))
        if low >= high:
            return None
        edges = self.flow.edges(row)
        return self._cell(int(edges[low - first]), int(edges[high - first]), top)

    def _cell(self, left: int, right: int, top: float) -> QRectF:
        column = self.grid.column
        return QRectF(left * column, top + self.grid.cell_top, (right - left) * column - 1.0, self.grid.cell)

    def _paint_row(self, painter: QPainter, row: int, top: float, shades: list[int], base: int) -> None:
        first, stop = self.flow.span(row)
        edges = self.flow.edges(row).tolist()
        codes = self.flow.units.codes[first:stop].tolist()
        pieces = self.flow.units.pieces[first:stop].tolist()
        start = 0
        while start < len(codes):
            end = start + 1
            while end < len(codes) and pieces[end] == pieces[start]:
                end += 1
            shade = shades[pieces[start] - base]
            rect = self._cell(edges[start], edges[end], top)
            special = int(self.ledger.ids[pieces[start]]) in self.specials
            ink = self._paint_cell(painter, rect, shade, special)
            if codes[start] == BARE:
                self._paint_chip(painter, self.flow.units.names[pieces[start]], rect, ink, Qt.PenStyle.DotLine)
            else:
                self._paint_text(painter, codes[start:end], edges[start : end + 1], top, ink)
            start = end

    def _paint_cell(self, painter: QPainter, rect: QRectF, shade: int, special: bool) -> QColor:
        """Paint the background of a cell and return the ink to write on it."""
        if shade >= 0:
            painter.fillRect(rect, self.scale.fills[shade])
            ink = self.scale.inks[shade]
        else:
            ink = self.theme.color("text")
        if shade == UNSCORED:
            painter.fillRect(rect, QBrush(self.theme.color("muted", 0.45), Qt.BrushStyle.BDiagPattern))
            painter.setPen(QPen(self.theme.color("muted"), 1.5, Qt.PenStyle.DotLine))
            painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        elif shade == PLAIN:
            painter.fillRect(QRectF(rect.x(), rect.bottom() - 1, rect.width(), 1), self.theme.color("border"))
        if special:
            painter.setPen(QPen(self.theme.color("outline"), 1))
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
        return ink

    def _paint_text(self, painter: QPainter, codes: list[int], edges: list[int], top: float, ink: QColor) -> None:
        if all(0x20 <= code < 0x7F for code in codes):
            self._write(painter, "".join(map(chr, codes)), edges[0], top, ink)
            return
        kinds = [_kind(code) for code in codes]
        for i in range(1, len(codes)):
            if edges[i] == edges[i + 1] and kinds[i - 1] == "plain":
                kinds[i - 1] = "other"  # a letter is drawn together with the marks on it
        start = 0
        while start < len(codes):
            end = start + 1
            code, kind = codes[start], kinds[start]
            while end < len(codes) and kind in ("plain", "other") and kinds[end] == kind:
                end += 1
            if kind == "plain":
                self._write(painter, "".join(map(chr, codes[start:end])), edges[start], top, ink)
            elif kind == "other":
                run = "".join(map(chr, codes[start:end]))
                if columns_of(code) == 0:
                    run = "◌" + run  # a mark with nothing of its piece to stand on
                self._fit(painter, run, self._cell(edges[start], edges[end], top), self.grid.font, ink)
            elif kind == "chip":
                self._paint_chip(painter, sign(code), self._cell(edges[start], edges[end], top), ink)
            else:
                quiet = QColor(ink)
                quiet.setAlphaF(0.62)
                self._fit(painter, sign(code), self._cell(edges[start], edges[end], top), self.grid.font, quiet)
            start = end

    def _paint_chip(
        self, painter: QPainter, text: str, rect: QRectF, ink: QColor, line: Qt.PenStyle = Qt.PenStyle.SolidLine
    ) -> None:
        quiet = QColor(ink)
        quiet.setAlphaF(0.9)
        painter.setPen(QPen(quiet, 0.6, line))
        painter.drawRoundedRect(rect.adjusted(1, 3, -1, -3), 3, 3)
        self._fit(painter, text, rect, self.grid.chip_font, quiet)

    def _write(self, painter: QPainter, text: str, column: int, top: float, ink: QColor) -> None:
        painter.setFont(self.grid.font)
        painter.setPen(ink)
        metrics = QFontMetricsF(self.grid.font)
        base = top + self.grid.cell_top + (self.grid.cell + metrics.ascent() - metrics.descent()) / 2
        painter.drawText(QPointF(column * self.grid.column, base), text)

    def _fit(self, painter: QPainter, text: str, rect: QRectF, font: QFont, ink: QColor) -> None:
        """Text of any script in the middle of its cells: squeezed where too wide, clipped where too tall."""
        painter.save()
        painter.setClipRect(
            rect.adjusted(-1, -self.grid.cell_top, 1, self.grid.cell_top), Qt.ClipOperation.IntersectClip
        )
        painter.setFont(font)
        painter.setPen(ink)
        metrics = QFontMetricsF(font)
        wide = metrics.horizontalAdvance(text)
        squeeze = min(1.0, rect.width() / wide) if wide > 0 else 1.0
        base = rect.y() + (rect.height() + metrics.ascent() - metrics.descent()) / 2
        painter.translate(rect.x() + (rect.width() - wide * squeeze) / 2, base)
        painter.scale(squeeze, 1.0)
        painter.drawText(QPointF(0, 0), text)
        painter.restore()

    def _paint_lead(self, painter: QPainter, top: float) -> None:
        for piece, (left, right) in zip(self.lead, lead_columns(self.lead, self.flow.columns)[0], strict=False):
            rect = self._cell(left, right, top).adjusted(0, 1, -4, -1)
            painter.setPen(QPen(self.theme.color("border"), 1))
            painter.setBrush(self.theme.color("raised"))
            painter.drawRoundedRect(rect, 5, 5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            metrics = QFontMetricsF(self.grid.chip_font)
            text = metrics.elidedText(piece.text, Qt.TextElideMode.ElideMiddle, rect.width() - 6)
            self._fit(painter, text, rect, self.grid.chip_font, self.theme.color("muted"))


def _kind(code: int) -> str:
    if 0x20 <= code < 0x7F:
        return "plain"
    if code in _QUIET:
        return "quiet"
    return "chip" if is_chip(code) else "other"


def lead_columns(lead: tuple[Piece, ...], columns: int) -> tuple[list[tuple[int, int]], int]:
    """The columns of the chips in front of the text, at most half a row together, and the indent that they need."""
    places: list[tuple[int, int]] = []
    at = 0
    for piece in lead:
        wide = min(math.ceil(CHIP_SCALE * len(piece.text)) + 2, max(3, columns // 2 - at))
        if at + wide > max(3, columns // 2):
            break
        places.append((at, at + wide))
        at += wide
    return places, at


def paint_legend(painter: QPainter, theme: Theme, scale: HeatScale, unit: Unit, area: QRectF) -> None:
    """What the colours mean, right-aligned in ``area`` (about 260 x 26)."""
    painter.setFont(interface_font(SMALL))
    metrics = QFontMetricsF(interface_font(SMALL))
    middle, bar = area.center().y(), 10.0
    if scale.colour_by == "rank":
        x = area.right()
        for bucket in reversed(range(len(RANKS))):
            name = RANKS[bucket][1]
            x -= metrics.horizontalAdvance(name)
            painter.setPen(theme.color("text"))
            painter.drawText(QPointF(x, middle + metrics.ascent() / 2 - 1), name)
            x -= 16
            painter.setPen(theme.color("border"))
            painter.setBrush(scale.fills[scale.of_bucket(bucket)])
            painter.drawRoundedRect(QRectF(x, middle - 6, 12, 12), 2, 2)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            x -= SPACE[2]
        painter.setPen(theme.color("muted"))
        painter.drawText(QPointF(x - metrics.horizontalAdvance("rank"), middle + metrics.ascent() / 2 - 1), "rank")
        return
    per_unit = LN2 if unit == "bits" else 1.0
    ticks = (0, 2, 4, 8, 16) if unit == "bits" else (0, 1, 2, 4, 12)
    label = "surprisal −log p" if scale.colour_by == "surprisal" else "entropy"
    name = f"{label}, {unit}"
    named = metrics.horizontalAdvance(name)
    wide = max(80.0, min(190.0, area.width() * 0.6, area.width() - named - 2 * SPACE[2]))
    left, top = area.right() - wide - SPACE[2], middle - bar + 1
    count = 48
    shades = scale.of_nats(ticks[-1] * per_unit * np.linspace(0.0, 1.0, count) ** 2)  # room for small figures too
    for i, shade in enumerate(shades.tolist()):
        painter.fillRect(QRectF(left + wide * i / count, top, wide / count + 0.5, bar), scale.fills[shade])
    painter.setPen(theme.color("border"))
    painter.drawRect(QRectF(left, top, wide, bar))
    painter.setPen(theme.color("text"))
    for tick in ticks:
        text = f"{tick}" if tick < ticks[-1] else f"{tick}+"
        x = left + wide * math.sqrt(tick / ticks[-1])
        painter.drawText(QPointF(x - metrics.horizontalAdvance(text) / 2, top + bar + metrics.ascent()), text)
    painter.setPen(theme.color("muted"))
    painter.drawText(QPointF(left - named - SPACE[2], middle + metrics.ascent() / 2 - 2), name)
