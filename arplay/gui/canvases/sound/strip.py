"""A wave in a strip: as many samples a column as there is room for, each from its lowest to its highest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from arplay.gui.theme import LIGHT, Theme

PAGE = 100
"""Samples that the keys for pages go."""


class Strip(QWidget):
    """``went`` carries the index of the sample that the user goes to; the last one may be that behind all."""

    went = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._wave: NDArray[np.float64] = np.zeros(0)
        self._fills: NDArray[np.int64] | None = None
        self._colours: list[QColor] = []
        self._at = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(48)

    def show_wave(self, wave: NDArray[np.float64], at: int) -> None:
        """``at``: where the line stands."""
        self._wave, self._at, self._fills = wave, at, None
        self.update()

    def show_shades(self, wave: NDArray[np.float64], shades: list[int], colours: list[QColor], at: int) -> None:
        """Each sample in one of some colours; -1 and less is plain."""
        self._wave, self._at, self._fills, self._colours = wave, at, np.array(shades, np.int64), colours
        self.update()

    def index_at(self, x: float) -> int:
        return min(max(int(x * len(self._wave) / max(1, self.width())), 0), len(self._wave))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and len(self._wave):
            self.went.emit(self.index_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        n, at = len(self._wave), self._at
        to = {
            Qt.Key.Key_Left: at - 1, Qt.Key.Key_Right: at + 1, Qt.Key.Key_PageUp: at - PAGE,
            Qt.Key.Key_PageDown: at + PAGE, Qt.Key.Key_Home: 0, Qt.Key.Key_End: n,
        }.get(Qt.Key(event.key()))  # fmt: skip
        if to is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif 0 <= (to := min(max(to, 0), n)) != at:
            self.went.emit(to)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        room = QRectF(self.rect())
        painter.fillRect(room, self.theme.color("surface"))
        shades = None if self._fills is None else self._fills
        paint_wave(painter, room, self._wave, shades, self._colours, self.theme)
        if len(self._wave) or self._at:
            x = room.width() * self._at / max(1, len(self._wave))
            painter.setPen(self.theme.color("accent"))
            painter.drawLine(QLineF(x, room.top(), x, room.bottom()))
        painter.end()


def paint_wave(
    painter: QPainter,
    room: QRectF,
    wave: NDArray[np.float64],
    shades: NDArray[np.int64] | None,
    colours: list[QColor],
    theme: Theme,
) -> None:
    """The wave; with ``shades`` behind each column the colour of the most surprising of its samples."""
    n, columns = len(wave), max(1, int(room.width()))
    middle = room.center().y()
    if not n:
        return
    edges = np.linspace(0, n, min(columns, n) + 1).astype(int)
    low, high = np.minimum.reduceat(wave, edges[:-1]), np.maximum.reduceat(wave, edges[:-1])
    wide = room.width() / len(low)
    if shades is not None:
        for i, shade in enumerate(np.maximum.reduceat(shades, edges[:-1]).tolist()):
            if shade >= 0:
                painter.fillRect(QRectF(room.left() + i * wide, room.top(), wide + 0.5, room.height()), colours[shade])
    painter.setPen(theme.color("text"))
    tall = room.height() / 2 - 2
    painter.drawLines(
        [
            QLineF(x, middle - tall * top, x, middle - tall * bottom + 1)
            for i, (bottom, top) in enumerate(zip(low.tolist(), high.tolist(), strict=True))
            for x in (room.left() + (i + 0.5) * wide,)
        ]
    )
