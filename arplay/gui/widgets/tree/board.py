"""What both pictures of the history have in common: zoom, move, point at a branch, choose one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.tree.shown import Shown

NOTCH = 1.2
"""How much larger one notch of the wheel, or one +, makes it."""
STEP = 48
"""Pixels by which an arrow moves."""
STILL = 4
"""Pixels within which a press is a click."""
_ARROWS = {
    Qt.Key.Key_Left: (STEP, 0),
    Qt.Key.Key_Right: (-STEP, 0),
    Qt.Key.Key_Up: (0, STEP),
    Qt.Key.Key_Down: (0, -STEP),
}


class Board(QWidget):
    """``chosen``: a branch was clicked; ``marked``: with Ctrl; ``asked``: its menu is wanted, at this place."""

    chosen = Signal(int)
    marked = Signal(int)
    asked = Signal(int, object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.shown: Shown | None = None
        self._held: QPointF | None = None
        self._dragged = False
        self._fitted = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.setMinimumSize(60, 40)

    # ---- what a picture has of its own

    def lay(self, former: Shown | None) -> None:
        """Another :attr:`shown`, in place of ``former``."""
        raise NotImplementedError

    def fit(self) -> None:
        """All of it."""
        raise NotImplementedError

    def begin(self) -> None:
        """What is seen at first."""
        self.fit()

    def zoom(self, factor: float, at: QPointF) -> None:
        raise NotImplementedError

    def move_by(self, dx: float, dy: float) -> None:
        raise NotImplementedError

    def twig_at(self, at: QPointF) -> int | None:
        raise NotImplementedError

    def show_here(self) -> None:
        """Move so that where one stands is in sight."""
        raise NotImplementedError

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """What is in sight, in pixels of the widget."""
        raise NotImplementedError

    # ---- what they share

    def show_tree(self, shown: Shown | None) -> None:
        former, self.shown = self.shown, shown
        if shown is not None:
            self.lay(former)
            if former is None or not self._fitted:
                self._fitted = self.width() > 80
                self.begin()
            if former is None or former.here != shown.here or former.outline is not shown.outline:
                self.show_here()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.shown is not None and not self._fitted and self.width() > 80:
            self._fitted = True
            self.begin()
            self.show_here()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = paint_frame(painter, self.theme, self.rect(), self.hasFocus())
        if self.shown is None:
            paint_message(painter, self.theme, frame, "Nothing was tried yet")
        else:
            painter.setClipRect(frame.adjusted(1, 1, -1, -1))
            self.draw(painter, frame)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        middle, key = QPointF(self.rect().center()), event.key()
        if event.text() in ("+", "="):
            self.zoom(NOTCH, middle)
        elif event.text() in ("-", "−"):
            self.zoom(1 / NOTCH, middle)
        elif event.text() == "0":
            self.fit()
        elif key in _ARROWS and event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        ):
            self.move_by(*_ARROWS[Qt.Key(key)])
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
        twig = self.twig_at(at)
        self.setCursor(Qt.CursorShape.ArrowCursor if twig is None else Qt.CursorShape.PointingHandCursor)
        if twig is None or self.shown is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), plain(self.shown.told(twig)), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        held, self._held = self._held, None
        self.setCursor(Qt.CursorShape.ArrowCursor)
        if held is None or self._dragged:
            return
        twig = self.twig_at(event.position())
        if twig is not None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.marked.emit(twig)
        elif twig is not None:
            self.chosen.emit(twig)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        twig = self.twig_at(QPointF(event.pos()))
        if twig is None and event.reason() == QContextMenuEvent.Reason.Keyboard and self.shown is not None:
            twig = self.shown.here
        if twig is not None:
            self.asked.emit(twig, event.globalPos())
        else:
            event.ignore()
