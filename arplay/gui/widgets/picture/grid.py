"""A grid of square pixels: a colour each, the one that comes next framed; mouse and arrow keys reach every one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QHelpEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.gui.theme import LIGHT, SMALL, Theme, number_font
from arplay.gui.widgets.caption import plain

MOST_SIDE = 96
LEAST_FOR_WORDS = 44
"""Pixels of a side from which what a square says is written into it."""
LEAST_FOR_BORDERS = 8
"""Pixels of a side from which each square has a border."""
AHEAD = 26.0
"""Pixels that the arrow through the next squares is long, about."""
HEAD = 5.0


@dataclass(frozen=True, slots=True)
class Square:
    """``fill`` is None where nobody has painted; ``ink`` is what can be read of ``words`` on it."""

    fill: QColor | None
    ink: QColor | None = None
    words: str = ""


def paint_squares(
    painter: QPainter, squares: Sequence[Square], columns: int, place: QRectF, theme: Theme, image: QImage | None = None
) -> None:
    """All of them, as the screen and a file show them: one image, and lines between large ones. ``image``: of them."""
    side = place.width() / columns
    painter.fillRect(place, theme.color("background"))
    painter.fillRect(place, QBrush(theme.color("border"), Qt.BrushStyle.BDiagPattern))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(place, image or image_of(squares, columns))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("border"), 1))
    if side >= LEAST_FOR_BORDERS:
        rows = len(squares) // columns
        across = [QLineF(place.left() + x * side, place.top(), place.left() + x * side, place.bottom()) for x in
                  range(1, columns)]  # fmt: skip
        down = [QLineF(place.left(), place.top() + y * side, place.right(), place.top() + y * side) for y in
                range(1, rows)]  # fmt: skip
        painter.drawLines([*across, *down])
    painter.drawRect(place)
    if side >= LEAST_FOR_WORDS:
        painter.setFont(number_font(SMALL))
        for cell, square in enumerate(squares):
            if square.words and square.ink is not None:
                row, column = divmod(cell, columns)
                painter.setPen(square.ink)
                area = QRectF(place.left() + column * side, place.top() + row * side, side, side)
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, square.words)


def image_of(squares: Sequence[Square], columns: int) -> QImage:
    """A pixel each, transparent where nobody has painted."""
    image = QImage(columns, max(1, len(squares) // columns), QImage.Format.Format_ARGB32)
    image.fill(0)
    for cell, square in enumerate(squares):
        if square.fill is not None:
            image.setPixel(cell % columns, cell // columns, square.fill.rgba())
    return image


class PictureGrid(QWidget):
    """``pressed``: a square and whether it was the right button; ``dragged``: a square that the mouse went over since,
    up to ``released``; ``moved``: arrow keys, by rows and columns; ``hovered``: the square below the mouse, or None,
    where its moves are followed: who shows a card there wants no tooltip."""

    pressed = Signal(int, bool)
    dragged = Signal(int)
    released = Signal()
    moved = Signal(int, int)
    hovered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.columns = 0
        self.squares: tuple[Square, ...] = ()
        self.marked: int | None = None
        self._tell: Callable[[int], str] = _nothing
        self.lit: tuple[int, ...] = ()
        self._order: Sequence[int] = ()
        self._read = 0
        self._image = QImage()
        self._last: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(3 * MOST_SIDE, 3 * MOST_SIDE)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 60)

    def show_squares(
        self,
        columns: int,
        squares: Sequence[Square],
        marked: int | None,
        tell: Callable[[int], str],
    ) -> None:
        """``tell`` says all there is to a square."""
        self.columns, self.squares, self.marked, self._tell = columns, tuple(squares), marked, tell
        self._image = image_of(squares, columns)
        self.setAccessibleDescription("" if marked is None or marked >= len(squares) else tell(marked))
        self.update()

    def show_lit(self, cells: Sequence[int]) -> None:
        """Squares that have one edge."""
        self.lit = tuple(cells)
        self.update()

    def show_order(self, order: Sequence[int], read: int) -> None:
        """A line around the first ``read`` squares of an order, and one through those that come next."""
        self._order, self._read = order, read
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
        room, sharp = QRectF(self.rect()).adjusted(2, 2, -2, -2), self.devicePixelRatioF()
        side = min(MOST_SIDE, room.width() / self.columns, room.height() / self.rows)
        side = max(2.0, int(side * sharp) / sharp)  # whole pixels of the screen
        left = room.left() + (room.width() - side * self.columns) / 2
        top = room.top() + (room.height() - side * self.rows) / 2
        return side, round(left * sharp) / sharp, round(top * sharp) / sharp

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.squares:
            painter = QPainter(self)
            place = self.rect_of(0).united(self.rect_of(len(self.squares) - 1))
            paint_squares(painter, self.squares, self.columns, place, self.theme, self._image)
            self._paint_order(painter)
            painter.setPen(QPen(self.theme.color("accent"), 3))
            self._paint_edge(painter, set(self.lit), whole=True)
            if self.marked is not None and self.marked < len(self.squares):
                painter.setPen(QPen(self.theme.color("accent"), 4 if self.hasFocus() else 3))
                marked = self.rect_of(self.marked)
                inset = 2 if marked.width() >= 2 * LEAST_FOR_BORDERS else -2
                painter.drawRect(marked.adjusted(inset, inset, -inset, -inset))
            painter.end()

    def _paint_edge(self, painter: QPainter, cells: set[int], whole: bool) -> None:
        """Around these squares; ``whole``: also along the edge of the picture."""
        for cell in cells:
            row, column, area = *divmod(cell, self.columns), self.rect_of(cell)
            for last, beside, line in (
                (row + 1 == self.rows, cell + self.columns, (area.bottomLeft(), area.bottomRight())),
                (not row, cell - self.columns, (area.topLeft(), area.topRight())),
                (column + 1 == self.columns, cell + 1, (area.topRight(), area.bottomRight())),
                (not column, cell - 1, (area.topLeft(), area.bottomLeft())),
            ):
                if whole if last else beside not in cells:
                    painter.drawLine(*line)

    def _paint_order(self, painter: QPainter) -> None:
        """The edge of what is read, and an arrow through what comes next."""
        read, accent = set(self._order[: self._read]), self.theme.color("accent")
        painter.setPen(QPen(accent, 1.5))
        self._paint_edge(painter, read, whole=False)
        side = self._frame()[0]
        ahead = self._order[self._read : self._read + 2 + int(AHEAD / side)]
        points = [self.rect_of(cell).center() for cell in ahead]
        if len(points) < 2:
            return
        line = QLineF(points[-1], points[-2])
        line.setLength(min(HEAD, line.length()))
        wings = [QLineF(line), QLineF(line)]
        wings[0].setAngle(line.angle() + 35)
        wings[1].setAngle(line.angle() - 35)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPolyline(QPolygonF(points))
        painter.drawLines(wings)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        self._last = cell
        if cell is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self.pressed.emit(cell, event.button() == Qt.MouseButton.RightButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        self.hovered.emit(None if event.buttons() else cell)
        if cell is None or cell == self._last or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        for between in self._between(self._last, cell):
            self.dragged.emit(between)
        self._last = cell

    def _between(self, first: int | None, last: int) -> list[int]:
        """The squares on the way to ``last``: a fast mouse leaves none out."""
        if first is None:
            return [last]
        (row, column), (to_row, to_column) = divmod(first, self.columns), divmod(last, self.columns)
        steps = max(abs(to_row - row), abs(to_column - column))
        parts = [step / steps for step in range(1, steps + 1)]
        return [
            round(row + part * (to_row - row)) * self.columns + round(column + part * (to_column - column))
            for part in parts
        ]

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)

    def hideEvent(self, event: QHideEvent) -> None:
        self.hovered.emit(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._last = None
        self.released.emit()

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
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and not self.hasMouseTracking():
            self._show_tip(self.cell_at(QPointF(event.pos())), event.globalPos())
            return True
        return super().event(event)

    def _show_tip(self, cell: int | None, place: QPoint) -> None:
        tip = "" if cell is None else self._tell(cell)
        if tip:
            QToolTip.showText(place, plain(tip), self)
        else:
            QToolTip.hideText()


def _nothing(cell: int) -> str:
    return ""
