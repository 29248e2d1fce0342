"""Orders of one chain as rows: the way through its tokens, a cell for each conditional, and the total."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QObject,
    QRectF,
    Qt,
)
from PySide6.QtGui import QHelpEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from arplay.core.format import in_unit, nats_and_bits, number, percent, probability, significant
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.places import Place
from arplay.core.orders import Factor, Orders, Product
from arplay.gui.settings import Unit
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.orders.painting import cell, drawn, paint_cells, paint_way, variable, written
from arplay.gui.widgets.row_table import Column, Index, RowTable, TableRows

ROW = 30
WAY, NAME, FACTORS, TOTAL = range(4)
_LISTED = 8


def conditional(factor: Factor, value: str) -> str:
    """The name of a conditional: p(x₂ = A | x₁)."""
    known = ", ".join(variable(i) for i in sorted(factor.known))
    return f"p({variable(factor.index)} = {value}{' | ' + known if known else ''})"


def formula(product: Product, ids: Sequence[int], tokens: TokenSet) -> str:
    """The product in full."""
    names = [conditional(factor, label(tokens.label(ids[factor.index]))) for factor in product.factors]
    logprobs = [factor.logprob for factor in product.factors]
    values = ["undefined" if math.isnan(logprob) else significant(math.exp(logprob)) for logprob in logprobs]
    return f"{' · '.join(names)} = {' · '.join(values)} = {significant(math.exp(product.total))}"


def told(factor: Factor, ids: Sequence[int], tokens: TokenSet) -> str:
    """One conditional in words: what is known, its probability, and those of the other values."""
    name = conditional(factor, label(tokens.label(ids[factor.index])))
    known = ", ".join(f"{variable(i)} = {label(tokens.label(ids[i]))}" for i in sorted(factor.known))
    given = f"known: {known}" if known else "nothing is known yet"
    if math.isnan(factor.logprob):
        return f"{name} is not defined: what is known has probability 0\n{given}"
    best = np.argsort(-factor.row, kind="stable")[:_LISTED].tolist()
    others = ", ".join(f"{label(tokens.label(id))} {percent(math.exp(factor.row[id]))}" for id in best)
    return f"{name} = {probability(factor.logprob)}, log p = {nats_and_bits(factor.logprob)}\n{given}\n{others}"


class OrderTable(TableRows):
    """Sorted by a column, or as they come (-1)."""

    columns = (
        Column(
            "order",
            "In which order the tokens are told; a picture's way begins at the dot. Click to sort.",
            110,
            kind="words",
        ),
        Column("name", "What this order is called, if it has a name. Click to sort.", 132, 640, "words"),
        Column(
            "log p of each token",
            "A cell a token, given those before it, coloured by surprisal as in the heatmap. Click to sort by the "
            "largest.",
            kind="words",
        ),
        Column("total", "The sum of the row: log p of all the tokens together. Click to sort.", 148, 420),
    )
    rows: list[Product]
    orders: Orders | None = None
    tokens: TokenSet | None = None
    places: tuple[Place, ...] = ()
    unit: Unit = "nats"
    _sorted = -1, Qt.SortOrder.AscendingOrder

    def show_orders(
        self, orders: Orders | None, tokens: TokenSet | None, places: tuple[Place, ...], unit: Unit
    ) -> None:
        self.beginResetModel()
        self.orders, self.tokens, self.places, self.unit = orders, tokens, places, unit
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.beginResetModel()
        self._sorted = column, order
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        self.rows = list(self.orders.products) if self.orders is not None else []
        column, order = self._sorted
        if column < 0:
            return
        keys = {
            WAY: lambda each: each.order,
            NAME: lambda each: (not each.name, each.name),
            FACTORS: lambda each: each.largest,
            TOTAL: lambda each: each.total,
        }
        self.rows.sort(key=keys[column], reverse=order == Qt.SortOrder.DescendingOrder)

    def title(self, column: int) -> str:
        return f"{super().title(column)}, {self.unit}" if column == TOTAL else super().title(column)

    def text(self, row: int, column: int) -> str:
        each = self.rows[row]
        way = "" if drawn(self.places) else written(each.order).replace(" ", "\u2009")
        return (way, each.name, "", number(in_unit(each.total, self.unit), 12))[column]

    def spoken(self, row: int, column: int) -> str:
        each = self.rows[row]
        if column == WAY:
            return written(each.order)
        cells = (cell(factor, self.unit) for factor in each.factors)
        return ", ".join(cells) if column == FACTORS else self.text(row, column)

    def tip(self, row: int, column: int) -> str:
        return "" if column == FACTORS else f"{self.rows[row].name or 'order'}: {self.spoken(row, WAY)}"


class _Painted(QStyledItemDelegate):
    """The way through a picture, and the cells of the conditionals."""

    def __init__(self, table: OrderTable, parent: QObject) -> None:
        super().__init__(parent)
        self.table = table

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        product, area = self.table.rows[index.row()], QRectF(option.rect).adjusted(6, 3, -6, -3)
        painter.save()
        if index.column() == FACTORS:
            paint_cells(painter, self.table.theme, area, product, self.table.unit)
        elif index.column() == WAY and drawn(self.table.places):
            paint_way(painter, self.table.theme, area, product.order, self.table.places)
        painter.restore()

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        table = self.table
        if event.type() != QEvent.Type.ToolTip or index.column() != FACTORS or table.orders is None:
            return super().helpEvent(event, view, option, index)
        area = view.visualRect(index).adjusted(6, 0, -6, 0)
        factors = table.rows[index.row()].factors
        at = int((event.pos().x() - area.left()) / max(1, area.width()) * len(factors))
        if table.tokens is not None and 0 <= at < len(factors):
            QToolTip.showText(event.globalPos(), plain(told(factors[at], table.orders.ids, table.tokens)), view)
        return True


class OrderRows(RowTable):
    def __init__(self) -> None:
        super().__init__("Orders", ROW)
        self.table = OrderTable(self)
        self.show_model(self.table)
        self.setItemDelegate(_Painted(self.table, self))
        header = self.horizontalHeader()
        self.sort_by_headings()
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def show_orders(
        self, orders: Orders | None, tokens: TokenSet | None, places: tuple[Place, ...], unit: Unit
    ) -> None:
        self.table.show_orders(orders, tokens, places, unit)
        self.setColumnWidth(WAY, 48 if drawn(self.table.places) else 36 + 11 * max(4, len(places)))
        self.fit()
        if self.table.rows:
            self.selectRow(0)

    @property
    def current(self) -> Product | None:
        row = self.currentIndex().row()
        return self.table.rows[row] if 0 <= row < len(self.table.rows) else None

    def fit(self) -> None:
        """A way that is drawn takes less room than one of numbers."""
        super().fit()
        self.setColumnHidden(NAME, self.viewport().width() < (540 if drawn(self.table.places) else 640))
