"""What a value on a ramp is moved by: with the mouse, or with ← and → where it has the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.caption import plain

HALF, HEAD = 5, 7
"""Pixels to each side of the value, and above the ramp."""


class Handle(QWidget):
    """``held``: a hand takes hold of it; ``dragged`` carries where that is in the parent, ``stepped`` -1 or 1."""

    held = Signal()
    dragged = Signal(float)
    stepped = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._grip: float | None = None
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def is_held(self) -> bool:
        return self._grip is not None

    def show_at(self, x: float, ramp: QRectF, theme: Theme, name: str, tip: str) -> None:
        """Above ``ramp``, at ``x`` in the parent; ``name`` is read aloud."""
        self.theme = theme
        top = round(ramp.top()) - HEAD
        self.setGeometry(round(x) - HALF, top, 2 * HALF + 1, round(ramp.bottom()) + 2 - top)
        if name != self.accessibleName():
            self.setAccessibleName(name)
        self.setToolTip(plain(tip))
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = self.theme.color("text" if self.is_held else "accent")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        head = QPolygonF([QPointF(HALF - 3.5, 1), QPointF(HALF + 4.5, 1), QPointF(HALF + 0.5, HEAD - 1)])
        painter.drawPolygon(head)
        painter.fillRect(QRectF(HALF, HEAD - 1, 1, self.height() - HEAD + 1), color)
        if self.hasFocus():
            painter.setPen(QPen(self.theme.color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position().x() - HALF - 0.5
            self.raise_()
            self.held.emit()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            self.dragged.emit(self.mapToParent(event.position()).x() - self._grip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
        if event.key() in steps and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self.stepped.emit(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.raise_()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
