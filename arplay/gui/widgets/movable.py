"""A picture larger than its widget: wheel, pinch, + and − zoom, 0 shows all, a drag, or Shift and an arrow, move."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.caption import plain

NOTCH = 1.2
"""How much larger one notch of the wheel, or one +, makes it."""
STEP = 48
"""Pixels by which Shift and an arrow move."""
STILL = 4
"""Pixels within which a press is a click."""
LEAST, MOST = 0.02, 4.0
"""The scales that there are."""
_ARROWS = {
    Qt.Key.Key_Left: (STEP, 0),
    Qt.Key.Key_Right: (-STEP, 0),
    Qt.Key.Key_Up: (0, STEP),
    Qt.Key.Key_Down: (0, -STEP),
}


class Movable(QWidget):
    """``origin``: where the picture's own 0 is, in pixels of the widget; ``scale``: how large one of its pixels is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.scale, self.origin = 1.0, QPointF(0, 0)
        self._held: QPointF | None = None
        self._dragged = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)

    # ---- what a picture has of its own

    @property
    def bounds(self) -> QRectF:
        """All of it at scale 1."""
        raise NotImplementedError

    def part_at(self, at: QPointF) -> int | None:
        """What is there, which can be clicked."""
        raise NotImplementedError

    def told(self, part: int) -> str:
        """What the tooltip says of it."""
        raise NotImplementedError

    def clicked(self, part: int, event: QMouseEvent) -> None:
        raise NotImplementedError

    def fit(self) -> None:
        """All of it."""
        raise NotImplementedError

    # ---- in sight

    def zoom(self, factor: float, at: QPointF) -> None:
        former, self.scale = self.scale, min(max(self.scale * factor, LEAST), MOST)
        self.origin = at - (at - self.origin) * (self.scale / former)
        self._keep()

    def move_by(self, dx: float, dy: float) -> None:
        self.origin += QPointF(dx, dy)
        self._keep()

    def _keep(self) -> None:
        """Some of it stays in sight."""
        bounds, room = self.bounds, self.rect()
        most = QPointF(room.width() - 40, room.height() - 24)
        least = QPointF(40 - bounds.right() * self.scale, 24 - bounds.bottom() * self.scale)
        self.origin = QPointF(
            min(max(self.origin.x(), least.x()), most.x()), min(max(self.origin.y(), least.y()), most.y())
        )

    def on_screen(self, place: QRectF) -> QRectF:
        """A part of the picture, in pixels of the widget."""
        return QRectF(self.origin + place.topLeft() * self.scale, place.size() * self.scale)

    def bring_in(self, place: QRectF, margin: float) -> None:
        """Move as little as needed so that a part of the picture is in sight."""
        area, room = self.on_screen(place), QRectF(self.rect()).adjusted(margin, margin, -margin, -margin)
        dx = min(0.0, room.right() - area.right()) or max(0.0, room.left() - area.left())
        dy = min(0.0, room.bottom() - area.bottom()) or max(0.0, room.top() - area.top())
        self.origin += QPointF(dx, dy)

    # ---- mouse and keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        middle, key = QPointF(self.rect().center()), Qt.Key(event.key())
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.text() in ("+", "="):
            self.zoom(NOTCH, middle)
        elif event.text() in ("-", "−"):
            self.zoom(1 / NOTCH, middle)
        elif event.text() == "0":
            self.fit()
        elif key in _ARROWS and modifiers == Qt.KeyboardModifier.ShiftModifier:
            self.move_by(*_ARROWS[key])
        else:
            super().keyPressEvent(event)
            return
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, notches = event.pixelDelta(), event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.move_by(notches.y() / 2 + notches.x() / 2, 0)
        elif notches.x() and not notches.y():
            self.move_by(pixels.x() or notches.x() / 2, 0)
        else:
            self.zoom(NOTCH ** (notches.y() / 120), event.position())
        self.update()
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(1.0 + event.value(), event.position())
            self.update()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._held is not None:
            by = at - self._held
            if self._dragged or by.manhattanLength() > STILL:
                self._dragged, self._held = True, at
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self.move_by(by.x(), by.y())
                self.update()
            return
        part = self.part_at(at)
        self.setCursor(Qt.CursorShape.ArrowCursor if part is None else Qt.CursorShape.PointingHandCursor)
        if part is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), plain(self.told(part)), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        held, self._held = self._held, None
        self.setCursor(Qt.CursorShape.ArrowCursor)
        if held is not None and not self._dragged and (part := self.part_at(event.position())) is not None:
            self.clicked(part, event)
