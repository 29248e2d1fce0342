"""What both pictures of the history have in common: walk from branch to branch, choose one, ask for its menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent

from arplay.gui.theme import Theme
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.movable import Movable
from arplay.gui.widgets.tree.shown import Shown

Want = Literal["prune", "star", "rename", "base"]
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
    Qt.Key.Key_B: "base",
}


class Board(Movable):
    """``chosen``: a branch was clicked, or Enter pressed on it; ``marked``: with Ctrl; ``asked``: its menu is wanted,
    at this place; ``wanted``: it is to be pruned, starred, renamed or the base of a comparison. ``current``: the twig
    that keys are about.
    """

    chosen = Signal(int)
    marked = Signal(int)
    asked = Signal(int, object)
    wanted = Signal(int, str)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.shown: Shown | None = None
        self.current = 0
        self._fitted = False
        self.setMinimumSize(60, 40)

    # ---- what a picture has of its own

    def lay(self, former: Shown | None) -> None:
        """Another :attr:`shown`, in place of ``former``."""
        raise NotImplementedError

    def begin(self) -> None:
        """What is seen at first."""
        self.fit()

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
        key, shown = Qt.Key(event.key()), self.shown
        plain_key = not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if shown is not None and key in _STEPS and plain_key and not shifted:
            self.walk_to(_STEPS[key](shown, self.current))
        elif shown is not None and key in _WANTS and plain_key:
            self.wanted.emit(self.current, _WANTS[key])
        elif shown is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            with_ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            (self.marked if with_ctrl else self.chosen).emit(self.current)
        else:
            super().keyPressEvent(event)

    def walk_to(self, twig: int) -> None:
        """Keys are about this twig now, which is brought in sight."""
        self.current = twig
        self.show_twig(twig)
        if self.shown is not None:
            self.setAccessibleDescription(self.shown.spoken(twig))
        self.update()

    def told(self, part: int) -> str:
        return self.shown.told(part) if self.shown is not None else ""

    def clicked(self, part: int, event: QMouseEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.marked.emit(part)
        else:
            self.walk_to(part)
            self.chosen.emit(part)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        twig = self.part_at(QPointF(event.pos()))
        if twig is None and event.reason() == QContextMenuEvent.Reason.Keyboard and self.shown is not None:
            twig = self.current
        if twig is not None:
            self.asked.emit(twig, event.globalPos())
        else:
            event.ignore()
