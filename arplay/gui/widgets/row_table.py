"""Tables whose rows are what is chosen: their look and keys are the same everywhere in the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QIcon, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from arplay.gui.theme import BODY, LIGHT, Theme, fixed_font, number_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.frame import paint_message

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Column:
    """``width``: 0 takes what is left over. ``least``: pixels of the table in which there is no room for it."""

    title: str
    tip: str
    width: int = 0
    least: int = 0
    kind: Literal["number", "words", "token"] = "number"

    @property
    def side(self) -> int:
        side = Qt.AlignmentFlag.AlignRight if self.kind == "number" else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)


class TableRows(QAbstractTableModel):
    """``rows`` of ``columns``; what a cell says is asked for by its row and column."""

    columns: tuple[Column, ...]

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[Any] = ()
        self.theme: Theme = LIGHT

    def title(self, column: int) -> str:
        return self.columns[column].title

    def text(self, row: int, column: int) -> str:
        raise NotImplementedError

    def spoken(self, row: int, column: int) -> str:
        """What is read aloud."""
        return self.text(row, column)

    def tip(self, row: int, column: int) -> str:
        return ""

    def ink(self, row: int, column: int) -> str:
        """A colour of the theme."""
        return "text"

    def decoration(self, row: int, column: int) -> QIcon | None:
        """What stands before the text."""
        return None

    def reset(self, rows: Sequence[Any]) -> None:
        """Other rows; what else was given before is theirs."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def changed(self) -> None:
        """What the rows say is another thing now."""
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(self.columns) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.title(section)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(self.columns[section].tip)
        return self.columns[section].side if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, at = index.row(), index.column()
        if not 0 <= row < len(self.rows):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(row, at)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.spoken(row, at)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(self.tip(row, at))
        if role == Qt.ItemDataRole.FontRole:
            return fixed_font(BODY) if self.columns[at].kind == "token" else number_font(BODY)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.columns[at].side
        if role == Qt.ItemDataRole.DecorationRole:
            return self.decoration(row, at)
        return self.theme.color(self.ink(row, at)) if role == Qt.ItemDataRole.ForegroundRole else None


class Headings(QHeaderView):
    """Those that sort have the keyboard: ← and → go along them, Enter or Space does what a click does."""

    def __init__(self, table: QTableView) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self.at = 0
        """The column whose heading is meant."""
        self.setHighlightSections(False)
        self.setMinimumSectionSize(24)

    def _shown(self) -> list[int]:
        """The columns from left to right."""
        columns = [self.logicalIndex(place) for place in range(self.count())]
        return [column for column in columns if not self.isSectionHidden(column)]

    def _go(self, column: int) -> None:
        self.at = column
        rows = self.model()
        if isinstance(rows, TableRows):
            self.setAccessibleDescription(f"{rows.title(column).strip()}: Enter sorts by it")
        self.viewport().update()

    def press(self, column: int) -> None:
        """As a click on it: to that order, back to front, and where that can be to none."""
        order, other = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
        if self.isSortIndicatorShown():
            again, flipped = self.sortIndicatorSection() == column, self.sortIndicatorOrder() == other
            if again and flipped and self.isSortIndicatorClearable():
                column = -1
            self.setSortIndicator(column, other if again and not flipped else order)
        if column >= 0:
            self.sectionClicked.emit(column)
        self._go(self.at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shown, key = self._shown(), event.key()
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key))
        if not shown or self.at not in shown or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif step is not None:
            self._go(shown[min(max(shown.index(self.at) + step, 0), len(shown) - 1)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.press(self.at)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """At first on the heading by which the rows are sorted."""
        shown, by = self._shown(), self.sortIndicatorSection() if self.isSortIndicatorShown() else -1
        if self.at not in shown and shown:
            self.at = shown[0]
        self._go(by if by in shown else self.at)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        rows = self.model()
        if self.hasFocus() and isinstance(rows, TableRows) and not self.isSectionHidden(self.at):
            painter = QPainter(self.viewport())
            painter.setPen(QPen(rows.theme.color("accent"), 2))
            left, wide = self.sectionViewportPosition(self.at), self.sectionSize(self.at)
            painter.drawRect(QRectF(left + 2, 2, wide - 4, self.height() - 4))
            painter.end()


class RowTable(QTableView):
    """Rows ``high`` pixels high without a grid, of which one may be current; columns go for want of room."""

    spare = 0
    """Pixels that are kept free of columns."""
    message = ""
    """What stands where there are no rows."""

    def __init__(self, name: str, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns: Sequence[Column] = ()
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        rows, self.headings = self.verticalHeader(), Headings(self)
        self.headings.setAccessibleName(f"Headings: {name}")
        self.setHorizontalHeader(self.headings)
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(high)
        rows.setDefaultSectionSize(high)

    def sort_by_headings(self) -> None:
        """A click on a heading, or Enter, is told, and sorts where that is enabled."""
        self.headings.setSectionsClickable(True)
        self.headings.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_model(self, model: TableRows, pulled: bool = False) -> None:
        """``pulled``: the user may pull at its columns."""
        self.setModel(model)
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        for at, column in enumerate(model.columns):
            kept = QHeaderView.ResizeMode.Interactive if pulled else QHeaderView.ResizeMode.Fixed
            header.setSectionResizeMode(at, kept if column.width else QHeaderView.ResizeMode.Stretch)
            header.resizeSection(at, column.width)
        self._columns = model.columns

    def set_theme(self, theme: Theme) -> None:
        rows = self.model()
        assert isinstance(rows, TableRows)
        rows.theme = theme
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        rows = self.model()
        if self.message and isinstance(rows, TableRows) and not rows.rows:
            painter = QPainter(self.viewport())
            paint_message(painter, rows.theme, QRectF(self.viewport().rect()), self.message)
            painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard comes, and no row is chosen by that: Qt makes the first one current."""
        current = self.currentIndex()
        with QSignalBlocker(self.selectionModel()):
            super().focusInEvent(event)
            if not current.isValid():
                self.selectionModel().clearCurrentIndex()

    def choose(self, rows: Sequence[int], column: int) -> None:
        """Select these rows, which rise, and no others; the first is current, and as many as fit are in sight."""
        selection, model, flags = self.selectionModel(), self.model(), QItemSelectionModel.SelectionFlag
        wanted = QItemSelection()
        for first, last in _runs(rows):
            wanted.select(model.index(first, 0), model.index(last, model.columnCount() - 1))
        if not rows:
            selection.clear()
            return
        current = model.index(rows[0], column)
        if selection.currentIndex().row() != rows[0]:
            selection.setCurrentIndex(current, flags.NoUpdate)
        if selection.selection() != wanted:
            selection.select(wanted, flags.ClearAndSelect)
        for row in (rows[-1], rows[0]):
            self.scrollTo(model.index(row, column), QAbstractItemView.ScrollHint.EnsureVisible)

    def fit(self) -> None:
        room = self.viewport().width() - self.spare
        for at, column in enumerate(self._columns):
            self.setColumnHidden(at, room < column.least)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The current row stays in sight, also of a table that was hidden when it became the current one."""
        self.fit()
        super().resizeEvent(event)
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """The first and the last of each run of rising ``rows``.

    >>> _runs(range(3, 6)), _runs([1, 2, 5])
    ([(3, 5)], [(1, 2), (5, 5)])
    """
    if isinstance(rows, range):  # of a million tokens, say
        return [(rows[0], rows[-1])] if rows else []
    breaks = [at for at in range(1, len(rows)) if rows[at] != rows[at - 1] + 1]
    return [(rows[first], rows[stop - 1]) for first, stop in pairwise([0, *breaks, len(rows)])] if rows else []


class ChoiceTable(RowTable):
    """``chosen``: Enter was pressed on a row."""

    chosen = Signal(QModelIndex)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.State.EditingState:  # Enter ends that, and comes here from the editor
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):  # Qt's own go along the row
            self.selectRow(0 if event.key() == Qt.Key.Key_Home else self.model().rowCount() - 1)
        else:
            super().keyPressEvent(event)
