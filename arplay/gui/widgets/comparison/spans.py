"""Where two scorings of one text part most, as rows that are sorted by any of their columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from arplay.core.aligned import LISTED, Aligned
from arplay.core.format import in_unit, number
from arplay.core.modalities.base import TokenSet
from arplay.gui.settings import Unit
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import ChoiceTable, Column, Index, TableRows

PLACE, TEXT, ONE, OTHER, APART = range(5)
LONG = 80
"""Characters of a span that are shown."""


class SpansTable(TableRows):
    """Rows are spans of ``pair``; at first the farthest apart stands above."""

    columns = (
        Column("#", "The place of its first token in the text, by the window's model, from 1.", 64, 300),
        Column("text", "Whole tokens of both models: what stands between two places where a token of each ends.",
               kind="token"),
        Column("A", "−log p of the span by the first model.", 96, 360),
        Column("B", "−log p of the span by the other one.", 96, 360),
        Column("B − A", "How much more the second pays: below 0 it knew better.", 104, 200),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.pair: Aligned | None = None
        self.tokens: TokenSet | None = None
        self.unit: Unit = "nats"
        self.names = ("A", "B")
        self.by, self.down = APART, True

    def show_pair(self, pair: Aligned | None, tokens: TokenSet | None, names: tuple[str, str]) -> None:
        self.tokens, self.names = tokens, names
        self.beginResetModel()
        self.pair = pair
        self.rows = [] if pair is None else pair.farthest.tolist()
        self._arrange()
        self.endResetModel()

    def show_unit(self, unit: Unit) -> None:
        if unit != self.unit:
            self.unit = unit
            self.changed()
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, APART)

    def sort_by(self, column: int, down: bool) -> None:
        """By a column: differences by how far apart, whichever knew better."""
        self.by, self.down = column, down
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        if self.pair is not None and len(self.rows):
            spans = np.array(sorted(self.rows))
            keys = self._keys(spans)
            order = sorted(range(len(spans)), key=keys.__getitem__, reverse=self.down)
            self.rows = spans[order].tolist()

    def _keys(self, spans: Any) -> Any:
        assert self.pair is not None
        if self.by == TEXT:
            return [self._words(span) for span in spans.tolist()]
        if self.by == PLACE:
            return spans
        return np.abs(self.pair.difference[spans]) if self.by == APART else self.pair.nats[self.by - ONE][spans]

    def token(self, row: int) -> int:
        """The first token of the window's model in a row."""
        assert self.pair is not None
        return int(self.pair.first[self.pair.own][self.rows[row]])

    def _words(self, span: int) -> str:
        assert self.pair is not None
        own = self.pair.own
        first, ledger = self.pair.first[own], self.pair.ledgers[own]
        stop = min(int(first[span + 1]), int(first[span]) + LONG)
        words = label(ledger.encoded.said(int(first[span]), self.tokens, stop))
        return words if len(words) <= LONG else f"{words[:LONG]}…"

    def title(self, column: int) -> str:
        one, other = self.names
        words = {ONE: f"−log p, {one}", OTHER: f"−log p, {other}", APART: f"{other} − {one}, {self.unit}"}
        arrow = (" ▾" if self.down else " ▴") if column == self.by else ""
        return words.get(column, super().title(column)) + arrow

    def text(self, row: int, column: int) -> str:
        assert self.pair is not None
        span = self.rows[row]
        if column == PLACE:
            return f"{self.token(row) + 1:,}"
        if column == TEXT:
            return self._words(span)
        value = float(self.pair.difference[span] if column == APART else self.pair.nats[column - ONE][span])
        said = number(in_unit(value, self.unit), 3)
        return f"+{said}" if column == APART and value > 0 and math.isfinite(value) else said

    def ink(self, row: int, column: int) -> str:
        return "muted" if column == PLACE else "text"

    def tip(self, row: int, column: int) -> str:
        return self._words(self.rows[row]) if column == TEXT else self.columns[column].tip


class SpansView(ChoiceTable):
    """``picked``: the token of the window's model to go to. A click on a title sorts by it."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Where both part most", 24, parent)
        self.table = SpansTable()
        self.table.setParent(self)
        self.show_model(self.table, pulled=True)
        self.setMinimumSize(0, 0)
        header = self.horizontalHeader()
        self.sort_by_headings()
        header.sectionClicked.connect(self._sort)
        self.clicked.connect(self._go)
        self.chosen.connect(self._go)

    def _sort(self, column: int) -> None:
        """By the column that was clicked; the other way round where it is by that already."""
        self.table.sort_by(column, not self.table.down if column == self.table.by else column > TEXT)

    def _go(self, index: Index) -> None:
        self.picked.emit(self.table.token(index.row()))


def listed(pair: Aligned) -> str:
    """How many of the spans are in the table."""
    known = int(pair.known.sum())
    return (
        f"the {LISTED:,} of {known:,} spans where they part most"
        if known > LISTED
        else f"{known:,} span{'s' * (known != 1)}"
    )
