"""The ledger's table on screen: shows as many of its columns as the width holds, the most telling ones first."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex
from PySide6.QtWidgets import QAbstractItemView

from arplay.gui.widgets.ledger.table import TOKEN, LedgerTable
from arplay.gui.widgets.row_table import RowTable

ROW = 24
MORE = 56
"""Pixels of a token's place."""
ALL_COLUMNS = max(column.least for column in LedgerTable.columns)


class LedgerView(RowTable):
    def __init__(self, model: LedgerTable) -> None:
        super().__init__("Chain-rule ledger", ROW)
        self.setMinimumSize(0, 0)
        self.horizontalHeader().setMinimumSectionSize(36)
        self.show_model(model, pulled=True)

    def show_places(self, places: bool) -> None:
        """Whether tokens are told with their place, which needs more room."""
        self.spare = MORE if places else 0
        self.fit()

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
