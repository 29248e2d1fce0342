"""A whole document in a small area: what a kind shows where many stand beside each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from arplay.core.modalities.base import Document, TokenSet
from arplay.core.modalities.image import Picture, Raster
from arplay.core.modalities.sound import Amplitudes, Sound
from arplay.gui.canvases.picture.drawn import drawn
from arplay.gui.theme import SMALL, Theme, number_font


@dataclass(frozen=True, slots=True)
class Sketch:
    """Pixels of height that one wants, and of width, None where it takes all there is. ``paint`` is given the document
    and the token set that it is of."""

    wide: int | None
    high: int
    paint: Callable[[QPainter, QRectF, Theme, Any, Any], None]


def _words(painter: QPainter, area: QRectF, theme: Theme, document: Document, tokens: TokenSet) -> None:
    painter.setFont(number_font(SMALL))
    painter.setPen(theme.color("text"))
    words = QFontMetricsF(painter.font()).elidedText(document.shown, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)


def _picture(painter: QPainter, area: QRectF, theme: Theme, picture: Picture, raster: Raster) -> None:
    side = min(area.width() / raster.width, area.height() / raster.height)
    place = QRectF(area.left(), area.top(), side * raster.width, side * raster.height)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(place, drawn(picture, raster))
    painter.setPen(QPen(theme.color("border"), 1))
    painter.drawRect(place)


def _sound(painter: QPainter, area: QRectF, theme: Theme, sound: Sound, tokens: Amplitudes) -> None:
    wave = tokens.amplitudes[np.frombuffer(sound.samples, np.uint8)]
    across = area.width() / max(1, len(wave) - 1)
    middle, high = area.center().y(), 0.45 * area.height()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color("border"), 1))
    painter.drawLine(QPointF(area.left(), middle), QPointF(area.right(), middle))
    painter.setPen(QPen(theme.color("text"), 1))
    points = [QPointF(area.left() + at * across, middle - high * y) for at, y in enumerate(wave.tolist())]
    painter.drawPolyline(QPolygonF(points))


WORDS, PICTURE, SOUND = Sketch(None, 18, _words), Sketch(44, 44, _picture), Sketch(None, 26, _sound)
