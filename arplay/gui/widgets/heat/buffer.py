"""What was painted last, so that a view that scrolls paints only what comes into sight."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap


class Buffer:
    """A picture of the contents in sight. ``paint(painter, part)`` paints a part of them."""

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._top = 0
        self._of: object = None

    def pixmap(
        self, of: object, top: int, size: QSize, ratio: int, under: QColor, paint: Callable[[QPainter, QRect], None]
    ) -> QPixmap:
        """The contents from ``top`` pixels on; they are the same as before where ``of`` is equal to what it was."""
        whole, down = QRect(0, 0, size.width(), size.height()), self._top - top
        fresh = whole
        if of != self._of or self._pixmap.size() != size * ratio:
            self._pixmap = QPixmap(size * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
        elif abs(down) < whole.height():
            self._pixmap.scroll(0, down * ratio, self._pixmap.rect())
            fresh = whole.intersected(QRect(0, 0 if down > 0 else whole.height() + down, whole.width(), abs(down)))
        self._of, self._top = None, top
        if not fresh.isEmpty():
            painter = QPainter(self._pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(fresh)
            painter.fillRect(fresh, under)
            paint(painter, fresh)
            painter.end()
        self._of = of
        return self._pixmap
