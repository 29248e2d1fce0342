"""Words, lines, sentences or paragraphs as rows: of a million of them, only those in sight are written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QObject, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem

from arplay.core.distribution import Floats
from arplay.core.format import in_unit, number
from arplay.core.modalities.base import Ids
from arplay.core.parts import Growing
from arplay.core.signs import safe
from arplay.export.colours import STEPS, shades
from arplay.gui.settings import Unit
from arplay.gui.theme import Theme
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import Column, Index, RowTable, TableRows

ROW = 24
NUMBER, TEXT, TOKENS, LOGP, CORRECTED, PER_TOKEN, BAR, PER_UNIT, ENTROPY, SURPRISAL = range(10)
LONG = 160
"""Letters of a part that are written; its tooltip has more of them."""
MORE = 1200
CORRECTED_WIDE = 112


def written(growing: Growing, at: int, most: int = LONG) -> str:
    """A part as one line, with a sign for line breaks; a long one is cut."""
    columns = growing.columns
    start, end = int(columns.starts[at]), int(columns.ends[at])
    text = growing.ledger.encoded.extract(start, min(end, start + 4 * most))
    cut = text[:most] + "…" if len(text) > most or end > start + 4 * most else text
    return label(safe(cut.replace("\r\n", "↵").replace("\n", "↵")))


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some parts together: how many, their tokens, those scored, log p and entropy in nats, units of the scored."""

    parts: int
    tokens: int
    scored: int
    logprob: float
    entropy: float
    units: int


class WordTable(TableRows):
    columns = (
        Column("#", "Its place in the text, from 1. Click to have them in this order.", 64, 330),
        Column("text", "What it is; a word has the white space before it.", kind="token"),
        Column("tokens", "How many tokens begin in it.", 76, 390),
        Column("log p", "The sum of log p of its tokens: the logarithm of its probability, given all before it.", 112),
        Column(
            "corrected",
            "log p of the word itself: the space before it counts for the word before, as only that space tells that "
            "it had ended. log p + log P(a word begins | word) − log P(a word begins | before).",
            CORRECTED_WIDE,
            330,
        ),
        Column("per token", "Its surprisal, −log p, over its scored tokens.", 92, 500),
        Column("", "The surprisal per token, in the colours of the heatmap.", 68, 570),
        Column("per unit", "Its surprisal in bits over its units.", 116, 690),
        Column(
            "entropy",
            "The entropies of the distributions that its tokens are drawn from, added up: how much surprise the model "
            "expected.",
            92,
            790,
        ),
        Column("surprisal", "−log p of all of it.", 100, 890),
    )
    growing: Growing | None = None
    corrected: Floats | None = None
    """log p of words in nats by :mod:`arplay.core.word_edges`, where that is known."""
    unit: Unit = "nats"
    _sorted = -1, Qt.SortOrder.AscendingOrder
    _order: Ids | None = None
    _places: Ids | None = None
    _stale = False
    """Rows came, or other numbers, since they were arranged."""

    def show_parts(self, growing: Growing | None) -> None:
        """Others than before."""
        self.beginResetModel()
        self.growing, self.corrected = growing, None
        self.rows = range(0 if growing is None else len(growing))
        self._arrange()
        self.endResetModel()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, SURPRISAL)

    def grow(self) -> None:
        """There are more of them now; all of them are arranged once the last ones are there."""
        assert self.growing is not None
        had, has = len(self.rows), len(self.growing)
        if has > had and (has > 1.5 * had or self.growing.found):  # the view looks at all rows for each that come
            self.beginInsertRows(QModelIndex(), had, has - 1)
            self.rows = range(has)
            if self._order is not None:  # at its end until all are there
                self._order = np.concatenate([self._order, np.arange(had, has)])
                self._places, self._stale = None, True
            self.endInsertRows()
        if self.growing.found and self._sorted[0] > TEXT:
            self.sort(*self._sorted)

    def show_unit(self, unit: Unit) -> None:
        self.unit = unit
        self.changed()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, SURPRISAL)

    def correct(self, edges: Floats | None) -> None:
        """All of them are there; ``edges`` of :mod:`arplay.core.word_edges`, one more than there are words."""
        assert self.growing is not None
        self.corrected = None
        if edges is not None and len(edges) == len(self.growing) + 1:
            columns = self.growing.columns
            whole = (columns.scored == columns.stop - columns.first) & (columns.scored > 0)
            with np.errstate(invalid="ignore"):
                self.corrected = np.where(whole, columns.logprob + edges[1:] - edges[:-1], np.nan)
        self.changed()
        if self._sorted[0] == CORRECTED:
            self._stale = True
            self.sort(*self._sorted)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """The rows that are selected stay so. Qt asks twice."""
        if (column, order) == self._sorted and self._order is not None and not self._stale:
            return
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        parts = [self.part(index.row()) for index in kept]
        self._sorted = column, order
        self._arrange()
        self.changePersistentIndexList(
            kept, [self.index(self.row_of(at), index.column()) for at, index in zip(parts, kept, strict=True)]
        )
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        column, order = self._sorted
        self._order = self._places = None
        self._stale = False
        down = order == Qt.SortOrder.DescendingOrder
        if self.growing is None or column < 0 or (column <= TEXT and not down):
            return
        values = np.arange(float(len(self.rows))) if column <= TEXT else self.values(column)[: len(self.rows)]
        self._order = np.argsort(-values if down else values, kind="stable")  # what is not known comes last

    def part(self, row: int) -> int:
        """Which part a row is."""
        return row if self._order is None else int(self._order[row])

    def row_of(self, part: int) -> int:
        if self._order is None:
            return part
        if self._places is None:
            self._places = np.empty_like(self._order)
            self._places[self._order] = np.arange(len(self._order))
        return int(self._places[part])

    def parts_of(self, first: int, stop: int) -> Ids:
        """Which parts rows [first, stop) are."""
        return np.arange(first, stop) if self._order is None else self._order[first:stop]

    def with_token(self, token: int) -> int | None:
        """The row of the part in which a token begins, where that is there yet."""
        if self.growing is None:
            return None
        columns, count = self.growing.columns, len(self.rows)
        at = int(np.searchsorted(columns.first[:count], token, side="right")) - 1
        return self.row_of(at) if at >= 0 and token < columns.stop[at] else None

    def tokens_of(self, row: int) -> tuple[int, int]:
        """The tokens [first, stop) of a row; where none begins in it, the one that goes on into it."""
        assert self.growing is not None
        columns, at = self.growing.columns, self.part(row)
        first, stop = int(columns.first[at]), int(columns.stop[at])
        return (first, stop) if stop > first else (max(0, first - 1), max(1, first))

    def values(self, column: int, parts: slice = slice(None)) -> Floats:
        """The numbers of a column, in nats, or in bits per unit, one a part."""
        assert self.growing is not None
        columns = self.growing.columns
        if column == TOKENS:
            return (columns.stop[parts] - columns.first[parts]).astype(np.float64)
        if column in (PER_TOKEN, BAR):
            with np.errstate(invalid="ignore", divide="ignore"):
                return 0.0 - columns.logprob[parts] / columns.scored[parts]
        if column == CORRECTED:
            return np.full(len(columns.first), np.nan)[parts] if self.corrected is None else self.corrected[parts]
        if column == SURPRISAL:
            return 0.0 - columns.logprob[parts]
        return {LOGP: columns.logprob, PER_UNIT: columns.bits_per_unit, ENTROPY: columns.entropy}[column][parts]

    def value(self, row: int, column: int) -> float:
        at = self.part(row)
        return float(self.values(column, slice(at, at + 1))[0])

    def sums(self, parts: Ids) -> Sums:
        """Of some parts together."""
        assert self.growing is not None
        columns, known = self.growing.columns, parts[self.growing.columns.scored[parts] > 0]
        return Sums(
            len(parts),
            int(np.sum(columns.stop[parts] - columns.first[parts])),
            int(np.sum(columns.scored[parts])),
            float(np.sum(columns.logprob[known])),
            float(np.sum(columns.entropy[known])),
            int(np.sum(columns.ends[known] - columns.starts[known])),
        )

    def title(self, column: int) -> str:
        if column == TEXT and self.growing is not None:
            return self.growing.kind
        if column == PER_UNIT and self.growing is not None:
            return self.growing.ledger.unit.per
        return f"log p ({self.unit})" if column == LOGP else super().title(column)

    def text(self, row: int, column: int) -> str:
        assert self.growing is not None
        if column == NUMBER:
            return f"{self.part(row) + 1:,}"
        if column == TEXT:
            return written(self.growing, self.part(row))
        if column == BAR:
            return ""
        value = self.value(row, column)
        if column == TOKENS:
            return f"{int(value):,}"
        return "—" if np.isnan(value) else number(value if column == PER_UNIT else in_unit(value, self.unit))

    def tip(self, row: int, column: int) -> str:
        assert self.growing is not None
        at, columns = self.part(row), self.growing.columns
        if column == TEXT:
            return written(self.growing, at, MORE)
        if column == TOKENS and columns.stop[at] == columns.first[at]:
            return "No token begins in it: the one before goes on into it, and counts there."
        if column == CORRECTED and np.isnan(self.value(row, CORRECTED)) and not np.isnan(self.value(row, LOGP)):
            return "Not known: a token lies across one of its edges, or its first token has no score."
        if column == LOGP and 0 < columns.scored[at] < columns.stop[at] - columns.first[at]:
            return "Of its scored tokens only: the first token of the text has no score."
        return self.columns[column].tip

    def ink(self, row: int, column: int) -> str:
        return "muted" if column == NUMBER or (column > TOKENS and np.isnan(self.value(row, LOGP))) else "text"


class _Bar(QStyledItemDelegate):
    """A bar of the surprisal per token, as long as it is dark."""

    def __init__(self, table: WordTable, parent: QObject) -> None:
        super().__init__(parent)
        self.table = table

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        value = self.table.value(index.row(), BAR)
        if not np.isnan(value):
            paint_bar(painter, self.table.theme, QRectF(option.rect).adjusted(4, 6, -8, -6), value)


def paint_bar(painter: QPainter, theme: Theme, area: QRectF, nats: float) -> None:
    """The share of ``area`` and the colour that the heatmap's scale has for so many nats."""
    t = int(shades(np.array([nats]))[0]) / (STEPS - 1)
    painter.fillRect(area, theme.color("border", 0.5))
    area.setWidth(max(2.0, area.width() * t))
    painter.fillRect(area, theme.heat_color(max(t, 0.12)))


class WordRows(RowTable):
    def __init__(self) -> None:
        super().__init__("Words, lines or sentences", ROW)
        self.setMinimumSize(0, 0)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table = WordTable(self)
        self.show_model(self.table, pulled=True)
        self.setItemDelegateForColumn(BAR, _Bar(self.table, self))
        header = self.horizontalHeader()
        # a heading that may look as chosen asks every row whether it is, a minute for a million
        header.setSelectionModel(QItemSelectionModel(self.table, self))
        self.sort_by_headings()
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def show_parts(self, growing: Growing | None) -> None:
        self.table.show_parts(growing)
        self.fit()

    def fit(self) -> None:
        self.spare = 0 if self.table.corrected is None else CORRECTED_WIDE
        super().fit()
        if self.table.corrected is None:
            self.setColumnHidden(CORRECTED, True)

    @property
    def chosen(self) -> Ids:
        """The parts that are selected."""
        ranges = self.selectionModel().selection().toList()
        spans = [(each.top(), each.bottom() + 1) for each in ranges]
        found = [self.table.parts_of(*span) for span in spans]
        return found[0] if len(found) == 1 else np.sort(np.concatenate([np.zeros(0, np.int64), *found]))

    def show_row(self, row: int | None) -> None:
        """Select a row alone and scroll to it, unless it is among several that are selected."""
        selection = self.selectionModel()
        if row is None:
            selection.clear()
            return
        index = self.table.index(row, TEXT)
        if not selection.isRowSelected(row, QModelIndex()):
            flags = QItemSelectionModel.SelectionFlag
            selection.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
