"""The ledger's table on screen: shows as many of its columns as the width holds, the most telling ones first."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView

from arplay.gui.widgets.ledger.table import LOGP, NUMBER, POWER, PRODUCT, RUNNING, TOKEN, LedgerTable, P
from arplay.gui.widgets.row_table import RowTable

ROW = 24
WIDTHS = {NUMBER: 56, TOKEN: 76, P: 100, LOGP: 92, RUNNING: 96, PRODUCT: 134, POWER: 120}
"""Pixels that a column needs; the token's takes what is left over."""
MORE = 56
"""Pixels of a token's place."""
_FIRST = (TOKEN, LOGP, P, NUMBER, RUNNING, POWER, PRODUCT)

ALL_COLUMNS = sum(WIDTHS.values())


class LedgerView(RowTable):
    def __init__(self, model: LedgerTable) -> None:
        super().__init__("Chain-rule ledger", ROW)
        self._places = False
        self.setModel(model)
        self.setMinimumSize(0, 0)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(36)
        for column, width in WIDTHS.items():  # the user may pull at them
            self.setColumnWidth(column, width)
        header.setSectionResizeMode(TOKEN, QHeaderView.ResizeMode.Stretch)

    def show_places(self, places: bool) -> None:
        """Whether tokens are told with their place, which needs more room."""
        if places != self._places:
            self._places = places
            self._fit()

    def show_row(self, row: int | None) -> None:
        """Select a row and scroll to it; None, or a row that is not there yet, selects nothing."""
        selection = self.selectionModel()
        if row is None or not 0 <= row < self.model().rowCount():
            selection.clear()
            return
        if selection.currentIndex().row() != row or not selection.isRowSelected(row, QModelIndex()):
            flags = QItemSelectionModel.SelectionFlag
            selection.setCurrentIndex(self.model().index(row, TOKEN), flags.ClearAndSelect | flags.Rows)
        self.scrollTo(self.model().index(row, TOKEN), QAbstractItemView.ScrollHint.EnsureVisible)

    def _fit(self) -> None:
        room = self.viewport().width() - (MORE if self._places else 0)
        for column in _FIRST:
            room -= WIDTHS[column]
            self.setColumnHidden(column, room < 0 and column != TOKEN)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)
