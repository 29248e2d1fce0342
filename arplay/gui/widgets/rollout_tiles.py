"""Rollouts as small pictures of what each makes, with the log p of what was drawn."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from arplay.core.format import number
from arplay.engine.rollouts import Rollout
from arplay.gui.theme import SMALL, SPACE, number_font
from arplay.gui.widgets.rollout_rows import RolloutRows

SIDES = (336, 280, 224, 168, 112, 84, 56)
"""Pixels of a side: whole multiples of 28, of 14 and of 8."""
WORDS, LEAST_WIDE = 16, 74
"""Pixels of height of what is written below one, and of its width."""
EXPORTED, ACROSS = 112, 8
"""In files: pixels of a side, and pictures in a row."""


class RolloutTiles(QListView):
    """The rows of ``rows``, whose current one is the current one here."""

    chosen = Signal(QModelIndex)
    listened = Signal()

    def __init__(self, rows: RolloutRows) -> None:
        super().__init__()
        self.table, self.side = rows.table, SIDES[-1]
        self.setAccessibleName("Rollouts")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setModel(rows.table)
        self.setSelectionModel(rows.selectionModel())
        self.setItemDelegate(_Tile(self))
        self.doubleClicked.connect(self.chosen)
        rows.table.modelReset.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.table.rows:
            self.setCurrentIndex(self.table.index(0, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
        elif event.key() == Qt.Key.Key_L:
            self.listened.emit()
        else:
            super().keyPressEvent(event)

    def _fit(self) -> None:
        """As large as all of them have room, or the smallest."""
        room, count = self.viewport().size(), len(self.table.rows)

        def fits(side: int) -> bool:
            tile = tile_of(side)
            across = room.width() // tile.width()
            return across > 0 and -(-count // across) * tile.height() <= room.height()

        self.side = next((side for side in SIDES if fits(side)), SIDES[-1])
        self.setGridSize(tile_of(self.side))

    def paint_tile(self, painter: QPainter, place: QRectF, row: int) -> None:
        """One of them, as the screen and a file show it."""
        table, each = self.table, self.table.rows[row]
        if table.thumbnail is None:
            return
        image, theme = table.thumbnail(each.ids), table.theme
        high = place.height() - WORDS - SPACE[0]
        scale = max(1, int(high) // max(image.width(), image.height()))
        wide, tall = scale * image.width(), scale * image.height()
        area = QRectF(place.center().x() - wide / 2, place.top() + SPACE[0] / 2, wide, tall)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.setOpacity(0.5 if table.dim else 1)
        painter.fillRect(area, theme.color("border"))
        painter.drawImage(area, image)
        painter.setOpacity(1)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        font = number_font(SMALL)
        if each is best(table.rows):
            font.setWeight(QFont.Weight.Bold)
        painter.setFont(font)
        painter.setPen(theme.color("muted" if table.dim else "text"))
        words = QRectF(place.left(), place.bottom() - WORDS, place.width(), WORDS)
        value, metrics = number(each.logprob, 2), painter.fontMetrics()
        named = f"log p {value}"
        shown = named if metrics.horizontalAdvance(named) <= words.width() else value
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, shown)

    # ---- as a picture

    def extent(self) -> QSize:
        tile, count = tile_of(EXPORTED), len(self.table.rows)
        return QSize(max(1, min(ACROSS, count)) * tile.width(), max(1, -(-count // ACROSS)) * tile.height())

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """All of them."""
        tile = tile_of(EXPORTED)
        for at in range(len(self.table.rows)):
            row, column = divmod(at, ACROSS)
            x, y = area.left() + column * tile.width(), area.top() + row * tile.height()
            self.paint_tile(painter, QRectF(x, y, tile.width(), tile.height()), at)


def tile_of(side: int) -> QSize:
    return QSize(max(LEAST_WIDE, side + SPACE[2]), side + WORDS + SPACE[0])


def best(rows: tuple[Rollout, ...]) -> Rollout | None:
    """The most probable one, once all have ended and are of as many tokens."""
    alike = all(each.stopped for each in rows) and len({len(each.steps) for each in rows}) == 1
    return max(rows, key=lambda each: each.logprob) if alike else None


class _Tile(QStyledItemDelegate):
    def __init__(self, tiles: RolloutTiles) -> None:
        super().__init__(tiles)
        self._tiles = tiles

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return tile_of(self._tiles.side)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        place, theme = QRectF(option.rect), self._tiles.table.theme
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(theme.color("accent"), 2 if self._tiles.hasFocus() else 1))
            painter.setBrush(theme.color("accent_soft"))
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), SPACE[0], SPACE[0])
        self._tiles.paint_tile(painter, place, index.row())
        painter.restore()
