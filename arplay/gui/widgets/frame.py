"""The ground of what is painted: a rounded frame, and the words that stand in it where there is nothing to paint."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from arplay.gui.theme import BODY, RADIUS, SPACE, Theme, interface_font


def paint_frame(painter: QPainter, theme: Theme, rect: QRect, focused: bool = False) -> QRectF:
    """Paint it along the edge of ``rect``, and tell where; what follows is smooth and has no brush."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    frame = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(QPen(theme.color("accent" if focused else "border"), 1))
    painter.setBrush(theme.color("surface"))
    painter.drawRoundedRect(frame, RADIUS, RADIUS)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    return frame


def paint_message(painter: QPainter, theme: Theme, area: QRectF, words: str) -> None:
    painter.setFont(interface_font(BODY))
    painter.setPen(theme.color("muted"))
    inner = area.adjusted(SPACE[3], SPACE[1], -SPACE[3], -SPACE[1])
    painter.drawText(inner, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), words)
