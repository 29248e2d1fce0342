"""The rows of the chain-rule ledger as a table model: figures are made for the rows in sight only."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QIcon

from arplay.core.chain import Ledger, underflows
from arplay.core.format import in_unit, number, power, power_cell, probability, significant
from arplay.core.modalities.base import TokenSet
from arplay.gui.settings import Unit
from arplay.gui.theme import Theme
from arplay.gui.widgets.labels import BARE, UNSCORED, is_bare, remark, token_text
from arplay.gui.widgets.row_table import Column, TableRows
from arplay.gui.widgets.swatch import icon, ink_of

NUMBER, TOKEN, P, LOGP, RUNNING, PRODUCT, POWER = range(7)


class LedgerTable(TableRows):
    """A row for each token that is done. A ledger that goes on where the last one ended only adds rows."""

    columns = (
        Column("#", "The place of the token in the text, from 1.", 56, 324),
        Column("token", "The token; spaces, newlines and bytes that are no whole character have a sign.", kind="token"),
        Column(
            "p", "p(xᵢ | x₁…xᵢ₋₁): the probability that the model gave this token after all tokens before it.", 100, 268
        ),
        Column(
            "log p",
            "The natural logarithm of p (in bits: divided by ln 2). Logarithms add up where probabilities multiply.",
            92,
            168,
        ),
        Column("Σ log p", "Σ log p so far: the logarithm of the probability of the text up to this token.", 118, 420),
        Column(
            "product",
            "The product of all p so far as a 64-bit float computes it; it underflows to 0 below 5·10⁻³²⁴.",
            134,
            674,
        ),
        Column(
            "as power of ten",
            "The same product from the sum of the logs, as a power of ten: it never underflows.",
            120,
            540,
        ),
    )
    ledger: Ledger | None = None
    vocabulary: TokenSet | None = None
    rows: range
    unit: Unit = "nats"

    def show_ledger(self, ledger: Ledger | None, vocabulary: TokenSet | None) -> None:
        self.vocabulary = vocabulary
        rows, had = range(ledger.done if ledger is not None else 0), len(self.rows)
        if ledger is not None and _goes_on(self.ledger, ledger, had):
            if len(rows) > had:
                self.beginInsertRows(QModelIndex(), had, len(rows) - 1)
                self.ledger, self.rows = ledger, rows
                self.endInsertRows()
            self.ledger = ledger
            self.changed()
        else:
            self.beginResetModel()
            self.ledger, self.rows = ledger, rows
            self.endResetModel()

    def show_style(self, theme: Theme, unit: Unit) -> None:
        self.theme, self.unit = theme, unit
        self.changed()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, POWER)

    def title(self, column: int) -> str:
        return f"log p ({self.unit})" if column == LOGP else super().title(column)

    def text(self, row: int, column: int) -> str:
        assert self.ledger is not None
        said = cell(self.ledger, self.vocabulary, row, column, self.unit)
        return said if self._swatch(row, column) is None else said[1:].lstrip()

    def spoken(self, row: int, column: int) -> str:
        assert self.ledger is not None
        return cell(self.ledger, self.vocabulary, row, column, self.unit)

    def decoration(self, row: int, column: int) -> QIcon | None:
        ink = self._swatch(row, column)
        return None if ink is None else icon(self.theme, ink)

    def _swatch(self, row: int, column: int) -> float | None:
        assert self.ledger is not None
        return ink_of(self.vocabulary, int(self.ledger.ids[row])) if column == TOKEN else None

    def ink(self, row: int, column: int) -> str:
        assert self.ledger is not None
        warned = column == PRODUCT and underflows(self.ledger.running_at(row))
        unscored = math.isnan(self.ledger.logprob[row])
        quiet = column == NUMBER or unscored or (column == TOKEN and is_bare(self.ledger, row))
        return "warning" if warned else "muted" if quiet else "text"

    def tip(self, row: int, column: int) -> str:
        assert self.ledger is not None
        if column == TOKEN and is_bare(self.ledger, row):
            return BARE
        if column == TOKEN and (cut := remark(self.ledger, row)):
            return cut
        if math.isnan(self.ledger.logprob[row]) and column in (P, LOGP):
            return UNSCORED
        if column == P:
            return f"{power(float(self.ledger.logprob[row]))}\n{self.columns[P].tip}"
        if column == PRODUCT and underflows(self.ledger.running_at(row)):
            return "Underflows float64: multiplied out, the product would be 0. The sum of the logs is exact enough."
        return self.columns[column].tip


def cell(ledger: Ledger, vocabulary: TokenSet | None, row: int, column: int, unit: Unit) -> str:
    """What a cell says; rows count from 0."""
    if column == NUMBER:
        return f"{row + 1:,}"
    if column == TOKEN:
        return token_text(ledger, row, vocabulary)
    logprob, running = float(ledger.logprob[row]), ledger.running_at(row)
    if column == P:
        return probability(logprob)
    if column == LOGP:
        return "unscored" if math.isnan(logprob) else number(in_unit(logprob, unit))
    if column == RUNNING:
        return number(in_unit(running, unit))
    return product(running, ledger.running_at(ledger.done - 1)) if column == PRODUCT else power(running)


def product(logprob: float, last: float) -> str:
    """exp(logprob) as a float shows it; one that is only 0 because floats end is marked.

    The whole column, which falls to exp(``last``), has decimals, or else powers of ten.

    >>> product(math.log(0.12), math.log(0.024)), product(math.log(0.12), -20.0), product(-2000.0, -2000.0)
    ('0.12', '1.20000·10⁻¹', 'underflows float64')
    """
    if underflows(logprob):
        return "underflows float64"
    if last >= math.log(1e-4):
        return significant(math.exp(logprob), 6)
    return power_cell(math.exp(logprob), 6)


def _goes_on(old: Ledger | None, new: Ledger, rows: int) -> bool:
    """Whether the first ``rows`` tokens of the old ledger are those of the new one."""
    if old is None or new.done < rows or old.first_token != new.first_token:
        return False
    if old.encoded is new.encoded:
        return True
    return np.array_equal(old.ids[:rows], new.ids[:rows]) and np.array_equal(old.ends[:rows], new.ends[:rows])
