"""The sizes of type that the text can be shown in, and how keys and the wheel go through them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent

SIZES = (9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 25, 28, 32, 36, 40, 48)
"""In pixels; 15 is the size that all else is drawn for."""
NOTCH = 120
"""What a wheel turns from one stop to the next (Qt's eighths of a degree)."""


def zoomed(size: int, steps: int) -> int:
    """The size that is ``steps`` larger (smaller where negative), as far as there are any.

    >>> zoomed(15, 1), zoomed(15, -2), zoomed(9, -1), zoomed(17, 1)
    (16, 13, 9, 18)
    """
    nearest = min(range(len(SIZES)), key=lambda i: abs(SIZES[i] - size))
    return SIZES[min(max(nearest + steps, 0), len(SIZES) - 1)]


class WheelZoom:
    """Ctrl and the wheel: whole notches, however finely a wheel or a touchpad tells them.

    Before a widget among its bases; ``zoomed`` is its signal of how many sizes to go.
    """

    zoomed: Any
    _turned = 0

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._turned = 0
            super().wheelEvent(event)  # type: ignore[misc]
            return
        self._turned += event.angleDelta().y()
        steps = int(self._turned / NOTCH)
        self._turned -= steps * NOTCH
        event.accept()
        if steps:
            self.zoomed.emit(steps)
