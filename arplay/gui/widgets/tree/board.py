"""What both pictures of the history have in common: zoom, move, walk from branch to branch, choose one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.tree.shown import Shown

Want = Literal["prune", "star", "rename"]
NOTCH = 1.2
"""How much larger one notch of the wheel, or one +, makes it."""
STEP = 48
"""Pixels by which Shift and an arrow move."""
STILL = 4
"""Pixels within which a press is a click."""
_ARROWS = {
    Qt.Key.Key_Left: (STEP, 0),
    Qt.Key.Key_Right: (-STEP, 0),
    Qt.Key.Key_Up: (0, STEP),
    Qt.Key.Key_Down: (0, -STEP),
}
_STEPS: dict[Qt.Key, Callable[[Shown, int], int]] = {
    Qt.Key.Key_Left: lambda shown, twig: max(shown.outline.parent[twig], 0),
    Qt.Key.Key_Right: Shown.onward,
    Qt.Key.Key_Up: lambda shown, twig: shown.beside(twig, -1),
    Qt.Key.Key_Down: lambda shown, twig: shown.beside(twig, 1),
    Qt.Key.Key_Home: lambda shown, twig: 0,
    Qt.Key.Key_End: Shown.end,
}
_WANTS: dict[Qt.Key, Want] = {
    Qt.Key.Key_Delete: "prune",
    Qt.Key.Key_Asterisk: "star",
    Qt.Key.Key_F2: "rename",
}


class Board(QWidget):
    """``chosen``: a branch was clicked, or Enter pressed on it; ``marked``: with Ctrl; ``asked``: its menu is wanted,
    at this place; ``wanted``: it is to be pruned, starred or renamed. ``current``: the twig that keys are about.
    """

    chosen = Signal(int)
    marked = Signal(int)
    asked = Signal(int, object)
    wanted = Signal(int, str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.shown: Shown | None = None
        self.current = 0
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

    def show_twig(self, twig: int) -> None:
        """Move so that it is in sight."""
        raise NotImplementedError

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """What is in sight, in pixels of the widget."""
        raise NotImplementedError

    def paint_focus(self, painter: QPainter) -> None:
        """Around the current twig, with the pen that is set, in pixels of the widget."""
        raise NotImplementedError

    # ---- what they share

    def show_tree(self, shown: Shown | None) -> None:
        former, self.shown = self.shown, shown
        if shown is not None:
            self.lay(former)
            if former is None or not self._fitted:
                self._fitted = self.width() > 80
                self.begin()
            if former is None or former.state is not shown.state:
                self.walk_to(shown.here)
            elif former.outline is not shown.outline:
                self.walk_to(shown.of(former, self.current))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.shown is not None and not self._fitted and self.width() > 80:
            self._fitted = True
            self.begin()
            self.show_twig(self.current)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = paint_frame(painter, self.theme, self.rect(), self.hasFocus())
        if self.shown is None:
            paint_message(painter, self.theme, frame, "Nothing was tried yet")
        else:
            painter.setClipRect(frame.adjusted(1, 1, -1, -1))
            self.draw(painter, frame)
            if self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(self.theme.color("accent"), 1.5, Qt.PenStyle.DashLine))
                self.paint_focus(painter)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        middle, key, shown = QPointF(self.rect().center()), Qt.Key(event.key()), self.shown
        plain_key = not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.text() in ("+", "="):
            self.zoom(NOTCH, middle)
        elif event.text() in ("-", "−"):
            self.zoom(1 / NOTCH, middle)
        elif event.text() == "0":
            self.fit()
        elif key in _ARROWS and plain_key and shifted:
            self.move_by(*_ARROWS[key])
        elif shown is not None and key in _STEPS and plain_key and not shifted:
            self.walk_to(_STEPS[key](shown, self.current))
        elif shown is not None and key in _WANTS and plain_key:
            self.wanted.emit(self.current, _WANTS[key])
        elif shown is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            with_ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            (self.marked if with_ctrl else self.chosen).emit(self.current)
        else:
            super().keyPressEvent(event)
            return
        self.update()

    def walk_to(self, twig: int) -> None:
        """Keys are about this twig now, which is brought in sight."""
        self.current = twig
        self.show_twig(twig)
        if self.shown is not None:
            self.setAccessibleDescription(self.shown.spoken(twig))
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
            self.walk_to(twig)
            self.chosen.emit(twig)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        twig = self.twig_at(QPointF(event.pos()))
        if twig is None and event.reason() == QContextMenuEvent.Reason.Keyboard and self.shown is not None:
            twig = self.current
        if twig is not None:
            self.asked.emit(twig, event.globalPos())
        else:
            event.ignore()
