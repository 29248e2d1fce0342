"""A grid of square pixels: a colour each, the one that comes next framed; mouse and arrow keys reach every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, number_font
from arplay.gui.widgets.caption import plain

MOST_SIDE = 96
LEAST_FOR_WORDS = 44
"""Pixels of a side from which what a square says is written into it."""
LEAST_FOR_BORDERS = 8
"""Pixels of a side from which each square has a border."""


@dataclass(frozen=True, slots=True)
class Square:
    """``fill`` is None where nobody has painted; ``ink`` is what can be read on it; ``tip`` says all there is to it."""

    fill: QColor | None
    ink: QColor
    words: str
    tip: str


def paint_square(painter: QPainter, square: Square, place: QRectF, theme: Theme) -> None:
    """One square, as the screen and a file show it."""
    if place.width() < LEAST_FOR_BORDERS:
        painter.fillRect(place, theme.color("surface") if square.fill is None else square.fill)
        return
    area = place.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(QPen(theme.color("border"), 1))
    painter.setBrush(theme.color("surface") if square.fill is None else square.fill)
    painter.drawRect(area)
    if square.fill is None:
        painter.setPen(QPen(theme.color("border"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(area.topLeft(), area.bottomRight())
    if square.words and place.width() >= LEAST_FOR_WORDS:
        painter.setFont(number_font(SMALL))
        painter.setPen(square.ink)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, square.words)


class PictureGrid(QWidget):
    """``pressed``: a square and whether it was the right button; ``moved``: arrow keys, by rows and columns."""

    pressed = Signal(int, bool)
    dragged = Signal(int)
    moved = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.columns = 0
        self.squares: tuple[Square, ...] = ()
        self.marked: int | None = None
        self._last: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(3 * MOST_SIDE, 3 * MOST_SIDE)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 60)

    def show_squares(self, columns: int, squares: Sequence[Square], marked: int | None) -> None:
        if (columns, tuple(squares), marked) != (self.columns, self.squares, self.marked):
            self.columns, self.squares, self.marked = columns, tuple(squares), marked
            self.setAccessibleDescription("" if marked is None or marked >= len(squares) else squares[marked].tip)
            self.update()

    @property
    def rows(self) -> int:
        return len(self.squares) // self.columns if self.columns else 0

    def rect_of(self, cell: int) -> QRectF:
        """Where a square is."""
        side, left, top = self._frame()
        row, column = divmod(cell, self.columns)
        return QRectF(left + column * side, top + row * side, side, side)

    def cell_at(self, point: QPointF) -> int | None:
        if not self.squares:
            return None
        side, left, top = self._frame()
        column, row = int((point.x() - left) // side), int((point.y() - top) // side)
        inside = 0 <= column < self.columns and 0 <= row < self.rows
        return row * self.columns + column if inside else None

    def _frame(self) -> tuple[float, float, float]:
        room = QRectF(self.rect()).adjusted(SPACE[0], SPACE[0], -SPACE[0], -SPACE[0])
        side = max(2.0, min(MOST_SIDE, room.width() // self.columns, room.height() // self.rows))
        left = room.left() + (room.width() - side * self.columns) / 2
        return side, left, room.top() + (room.height() - side * self.rows) / 2

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.squares:
            painter = QPainter(self)
            for cell, square in enumerate(self.squares):
                paint_square(painter, square, self.rect_of(cell), self.theme)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.theme.color("border"), 1))
            painter.drawRect(self.rect_of(0).united(self.rect_of(len(self.squares) - 1)))
            if self.marked is not None and self.marked < len(self.squares):
                painter.setPen(QPen(self.theme.color("accent"), 4 if self.hasFocus() else 3))
                marked = self.rect_of(self.marked)
                inset = 2 if marked.width() >= 2 * LEAST_FOR_BORDERS else -2
                painter.drawRect(marked.adjusted(inset, inset, -inset, -inset))
            painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        self._last = cell
        if cell is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self.pressed.emit(cell, event.button() == Qt.MouseButton.RightButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and cell != self._last and event.buttons() & Qt.MouseButton.LeftButton:
            self._last = cell
            self.dragged.emit(cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None or event.modifiers():
            super().keyPressEvent(event)
        else:
            self.moved.emit(*step)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self.cell_at(QPointF(event.pos()))
            self._tell(cell, event.globalPos())
            return True
        return super().event(event)

    def _tell(self, cell: int | None, place: QPoint) -> None:
        if cell is None or not self.squares[cell].tip:
            QToolTip.hideText()
        else:
            QToolTip.showText(place, plain(self.squares[cell].tip), self)
