"""Signs of what plain text cannot show: broken bytes and controls, and spaces and newlines where asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from arplay.core.modalities.spans import to_text
from arplay.gui.theme import interface_font
from arplay.gui.widgets.text.cells import LineCells
from arplay.gui.widgets.text.shown import label, needs_label

if TYPE_CHECKING:
    from arplay.gui.widgets.text.area import TextArea

_SIGNS = {" ": "·", "\t": "→", "\u00a0": "⍽"}


def paint_signs(painter: QPainter, area: TextArea, cells: LineCells) -> None:
    data, line = area.shown.data[cells.start : cells.end], cells.line
    if not area.marks.hidden and not needs_label(data):
        return
    painter.setFont(area.font())
    byte = cells.start
    for char in to_text(data):
        size = len(char.encode("utf-8", "surrogateescape"))
        figures = label(char)
        sign = _SIGNS.get(char, "") if area.marks.hidden else ""
        if figures or sign:
            for left, right in cells.spans(byte, byte + size):
                cell = QRectF(left, line.top, right - left, line.height)
                if figures:
                    _box(painter, area, cell, figures)
                else:
                    painter.setPen(_faint(area))
                    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, sign)
        byte += size
    if area.marks.hidden and line.last and line.end < area.shown.length:
        painter.setPen(_faint(area))
        end = line.x(line.end)
        painter.drawText(QRectF(end, line.top, 20, line.height), Qt.AlignmentFlag.AlignLeft, "↵")


def _box(painter: QPainter, area: TextArea, cell: QRectF, figures: str) -> None:
    """Two figures, one above the other, in a box as wide as a letter."""
    theme, half = area.theme, cell.height() / 2
    painter.save()
    painter.setPen(QPen(theme.color("border"), 1))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(cell.adjusted(0.5, -1, -0.5, 1), 2, 2)
    painter.setFont(interface_font(max(1, round(cell.height() * 0.5))))
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(cell.x(), cell.y(), cell.width(), half), Qt.AlignmentFlag.AlignCenter, figures[0])
    painter.drawText(QRectF(cell.x(), cell.y() + half, cell.width(), half), Qt.AlignmentFlag.AlignCenter, figures[1])
    painter.restore()


def _faint(area: TextArea) -> QColor:
    return area.theme.color("muted", 0.8)
