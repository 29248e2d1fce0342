"""The ledger's table on screen: shows as many of its columns as the width holds, the most telling ones first."""

from __future__ import annotations

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

    def show_tokens(self, lit: tuple[int, int] | None) -> None:
        """Select the rows [first, stop) and scroll to them; None, or rows that are not there yet, select nothing."""
        first, stop = lit or (0, 0)
        self.choose(range(first, min(stop, self.model().rowCount())), TOKEN)
