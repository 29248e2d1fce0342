"""Signs of what plain text cannot show: broken bytes and controls, and spaces and newlines where asked for."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from arplay.core.modalities.spans import to_bytes, to_text
from arplay.gui.canvases.text.cells import LineCells
from arplay.gui.canvases.text.field import TextField
from arplay.gui.canvases.text.heat.signs import CHIP_SCALE
from arplay.gui.theme import fixed_font

_BLANKS = {" ": "·", "\t": "→", "\u00a0": "⍽"}


def paint_signs(painter: QPainter, area: TextField, cells: LineCells) -> None:
    for start, end, name in area.shown.signs(cells.start, cells.end):
        for cell in _cells(cells, start, end):
            _chip(painter, area, cell, name)
    if area.marks.hidden:
        painter.setFont(area.font())
        painter.setPen(area.theme.color("muted", 0.8))
        _paint_blanks(painter, area, cells)


def _paint_blanks(painter: QPainter, area: TextField, cells: LineCells) -> None:
    byte, line = cells.start, cells.line
    for char in to_text(area.shown.data[cells.start : cells.end]):
        size = len(to_bytes(char))
        if char in _BLANKS:
            for cell in _cells(cells, byte, byte + size):
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, _BLANKS[char])
        byte += size
    if line.last and line.end < area.shown.length:
        end = line.x(line.end)
        painter.drawText(QRectF(end, line.top, 20, line.height), Qt.AlignmentFlag.AlignLeft, "↵")


def _cells(cells: LineCells, start: int, end: int) -> Iterator[QRectF]:
    for left, right in cells.spans(start, end):
        yield QRectF(left, cells.line.top, right - left, cells.line.height)


def _chip(painter: QPainter, area: TextField, cell: QRectF, name: str) -> None:
    """As in the heatmap; its ground hides what Qt has drawn there."""
    theme = area.theme
    painter.save()
    painter.setPen(QPen(theme.color("border"), 1))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(cell.adjusted(0.5, -1, -0.5, 1), 3, 3)
    painter.setFont(fixed_font(max(1, int(area.text_size * CHIP_SCALE))))
    painter.setPen(theme.color("muted"))
    wide = QFontMetricsF(painter.font()).horizontalAdvance(name)
    painter.translate(cell.center())
    painter.scale(min(1.0, cell.width() / wide), 1.0)
    room = QRectF(-wide, -cell.height() / 2, 2 * wide, cell.height())
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, name)
    painter.restore()
