"""The grey that a token stands for, in the place of the sign that its label begins with: a sign is dark or light as the
theme has its letters, the grey of a picture is what it is."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QIcon, QPainter, QPen, QPixmap

from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import BODY, Theme


def ink_of(tokens: TokenSet | None, id: int) -> float | None:
    """How dark the token is, from 0 to 1; None where tokens are no greys."""
    return None if tokens is None else tokens.record(id).get("ink")


def grey(ink: float) -> QColor:
    """Ink on white paper, whatever the theme."""
    value = round(255 * (1 - ink))
    return QColor(value, value, value)


def paint_swatch(painter: QPainter, theme: Theme, left: float, middle: float, side: float, ink: float) -> None:
    painter.setPen(QPen(theme.color("muted"), 1))
    painter.setBrush(grey(ink))
    painter.drawRect(QRectF(left, middle - side / 2, side, side))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_named(painter: QPainter, theme: Theme, place: QRectF, text: str, ink: float | None, colour: QColor) -> None:
    """``text`` from the left of ``place``, in the font of the painter; a swatch in place of its first letter."""
    metrics, left = QFontMetricsF(painter.font()), place.left()
    if ink is not None and text:
        side = metrics.horizontalAdvance(text[0])
        paint_swatch(painter, theme, left + 0.5, place.center().y(), side, ink)
        left, text = left + side, text[1:]
    painter.setPen(colour)
    room = QRectF(left, place.top(), place.right() - left, place.height())
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


@cache
def icon(theme: Theme, ink: float) -> QIcon:
    """For a cell of a table, sharp at twice the size, too, and the same where it is chosen."""
    side = BODY
    made = QPixmap(2 * side, 2 * side)
    made.setDevicePixelRatio(2)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    paint_swatch(painter, theme, 2, side / 2, side - 5, ink)
    painter.end()
    found = QIcon(made)
    found.addPixmap(made, QIcon.Mode.Selected)
    return found
