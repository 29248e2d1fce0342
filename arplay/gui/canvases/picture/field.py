"""The receptive field of a pixel on the grid: what is connected as an outline, what is measured as a shade."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from arplay.core.modalities.image import Raster
from arplay.engine.field import Reached
from arplay.gui.canvases.field import state_of
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.layouts import in_column
from arplay.gui.widgets.picture.grid import MOST_SIDE, PictureGrid, Square, paint_squares

DECADES = 4.0
"""Powers of ten of the gradient from the faintest shade to the strongest."""
LINE = 18
SWATCH = 12
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Cells:
    """Squares of a picture, and which cells are connected, and which lie in the blind spot."""

    columns: int = 1
    squares: tuple[Square, ...] = ()
    marked: int | None = None
    declared: frozenset[int] = frozenset()
    blind: frozenset[int] = frozenset()
    measure: str = "gradient"


def cells_of(reached: Reached, theme: Theme) -> Cells:
    raster, field = reached.tokens, reached.field
    assert isinstance(raster, Raster), "a picture"
    plain, later = theme.color("surface"), theme.color("background")
    found = [Square(later)] * raster.pixels
    first, most = reached.index - len(field.declared), float(field.gradient.max(initial=0.0))
    for i, gradient in enumerate(field.gradient.tolist()):
        shade = max(0.03, 1 + math.log10(gradient / most) / DECADES) if gradient else None
        found[raster.order[first + i]] = Square(plain if shade is None else theme.heat_color(shade))
    declared, blind = (
        frozenset(raster.order[first + i] for i in part.nonzero()[0].tolist()) for part in (field.declared, field.blind)
    )
    return Cells(raster.width, tuple(found), raster.order[reached.index], declared, blind, reached.measure)


def told_of(reached: Reached, cell: int) -> str:
    """What pointing at a pixel says."""
    raster = reached.tokens
    assert isinstance(raster, Raster), "a picture"
    row, column = divmod(cell, raster.width)
    index = raster.order.index(cell)
    if index < reached.index:
        words = state_of(reached, index - reached.index + len(reached.field.declared))
    else:
        words = "comes later" if index > reached.index else "the one that comes next"
    return f"pixel ({row + 1}, {column + 1}): {words}"


def paint_over(painter: QPainter, cells: Cells, rect_of: Callable[[int], QRectF], theme: Theme) -> None:
    """The blind spot hatched, and a line around what is connected."""
    for cell in cells.blind:
        painter.fillRect(rect_of(cell), QBrush(theme.color("warning"), Qt.BrushStyle.BDiagPattern))
    painter.setPen(QPen(theme.color("text"), 2))
    for cell in cells.declared:
        area, column = rect_of(cell), cell % cells.columns
        for beside, outside, ends in (
            (cell - 1, column == 0, (area.topLeft(), area.bottomLeft())),
            (cell + 1, column == cells.columns - 1, (area.topRight(), area.bottomRight())),
            (cell - cells.columns, False, (area.topLeft(), area.topRight())),
            (cell + cells.columns, False, (area.bottomLeft(), area.bottomRight())),
        ):
            if outside or beside not in cells.declared:
                painter.drawLine(*ends)


def paint_legend(painter: QPainter, room: QRectF, cells: Cells, theme: Theme) -> None:
    painter.setFont(interface_font(SMALL))
    words, x, middle = QFontMetricsF(painter.font()), room.left(), room.center().y()
    named = [(cells.measure, 3 * SWATCH), ("connected", SWATCH)]
    for name, wide in [*named, *([("blind spot", SWATCH)] if cells.blind else [])]:
        swatch = QRectF(x, middle - SWATCH / 2, wide, SWATCH)
        if name == "connected":
            painter.setPen(QPen(theme.color("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(swatch.adjusted(1, 1, -1, -1))
        elif name == "blind spot":
            painter.fillRect(swatch, QBrush(theme.color("warning"), Qt.BrushStyle.BDiagPattern))
        else:
            for i in range(wide):
                painter.fillRect(QRectF(x + i, swatch.top(), 1, SWATCH), theme.heat_color(i / (wide - 1)))
        x += wide + SPACE[1]
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(x, room.top(), words.horizontalAdvance(name) + 2, room.height()), _LEFT, name)
        x += words.horizontalAdvance(name) + SPACE[2]


class FieldGrid(PictureGrid):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells = Cells()
        self.setAccessibleName("Receptive field of the next pixel")

    def show_cells(self, cells: Cells, tell: Callable[[int], str]) -> None:
        self.cells = cells
        self.show_squares(cells.columns, cells.squares, cells.marked, tell)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.squares:
            painter = QPainter(self)
            paint_over(painter, self.cells, self.rect_of, self.theme)
            painter.end()


class _Legend(QWidget):
    def __init__(self, grid: FieldGrid, parent: QWidget) -> None:
        super().__init__(parent)
        self._grid = grid
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(200, LINE)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._grid.squares:
            painter = QPainter(self)
            paint_legend(painter, QRectF(self.rect()), self._grid.cells, self._grid.theme)
            painter.end()


class PictureField(QWidget):
    """As :class:`arplay.gui.canvases.field.FieldView`."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = LIGHT
        self._reached: Reached | None = None
        self.grid = FieldGrid(self)
        self.legend = _Legend(self.grid, self)
        in_column((self.grid, 1), self.legend, on=self, spacing=0)
        self.setFocusProxy(self.grid)
        self.grid.pressed.connect(self._press)
        self.grid.moved.connect(self._move)

    def set_theme(self, theme: Theme) -> None:
        self.theme = self.grid.theme = theme
        self._show()

    def show_field(self, reached: Reached | None) -> None:
        if reached is not self._reached:
            self._reached = reached
            self._show()

    def _press(self, cell: int, right: bool) -> None:
        if self._reached is not None:
            raster = self._reached.tokens
            assert isinstance(raster, Raster), "a picture"
            self.chosen.emit(raster.order.index(cell))

    def _move(self, rows: int, columns: int) -> None:
        """To the pixel beside the marked one."""
        if self.grid.marked is not None:
            row, column = divmod(self.grid.marked, self.grid.columns)
            row, column = row + rows, column + columns
            if 0 <= row < self.grid.rows and 0 <= column < self.grid.columns:
                self._press(row * self.grid.columns + column, False)

    def _show(self) -> None:
        reached = self._reached
        if reached is None:
            self.grid.show_cells(Cells(), lambda cell: "")
        else:
            self.grid.show_cells(cells_of(reached, self.theme), partial(told_of, reached))
        self.legend.update()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        cells = self.grid.cells
        if not cells.squares:
            return
        rows = len(cells.squares) // cells.columns
        side = min(MOST_SIDE, area.width() / cells.columns, (area.height() - LINE) / rows)

        def rect_of(cell: int) -> QRectF:
            row, column = divmod(cell, cells.columns)
            return QRectF(area.left() + column * side, area.top() + row * side, side, side)

        place = QRectF(area.left(), area.top(), cells.columns * side, rows * side)
        paint_squares(painter, cells.squares, cells.columns, place, self.theme)
        paint_over(painter, cells, rect_of, self.theme)
        painter.setPen(QPen(self.theme.color("accent"), 3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if cells.marked is not None:
            painter.drawRect(rect_of(cells.marked))
        top = area.top() + rows * side + SPACE[1]
        paint_legend(painter, QRectF(area.left(), top, area.width(), LINE), cells, self.theme)
