"""Two models at one place: what each says comes next, as paired bars."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from arplay.core.format import in_unit, percent, percent_cell, significant
from arplay.core.matching import Both
from arplay.core.modalities.base import TokenSet
from arplay.export.comparing import Here
from arplay.gui.settings import Unit
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import Column, Index, RowTable, TableRows

SHOWN = 40
"""So many of the most probable tokens of both are listed."""
TOKEN, BARS, ONE, OTHER = range(4)
ROW = 26
COLORS = ("fill", "warning")
"""Of the first model's bar and of the other one's, which is striped by its lower height as well."""


class PairTable(TableRows):
    """``tokens``: both token sets, by which rows are named."""

    columns = (
        Column("token", "What it writes. Tokens of both that write the same are one row.", 150, kind="token"),
        Column("", "p of either: the upper bar is the first model's, the thinner one below it the other's."),
        Column("p, A", "The probability by the first model.", 112, 260),
        Column("p, B", "The probability by the other one.", 112, 260),
    )

    def __init__(self) -> None:
        super().__init__()
        self.tokens: tuple[TokenSet, TokenSet] | None = None
        self.letter = "B"
        self.full = True, True
        self.most = 1.0

    def show_here(self, here: Here | None) -> None:
        rows: Sequence[Both] = here.found.rows if here is not None else ()
        if here is not None:
            one, other = here.models
            self.tokens, self.letter, self.full = (one.vocabulary, other.vocabulary), here.letter, here.found.full
        self.most = max((p for row in rows for p in row.p if p is not None), default=1.0) or 1.0
        self.reset(rows)

    def title(self, column: int) -> str:
        return f"p, {self.letter}" if column == OTHER else super().title(column)

    def text(self, row: int, column: int) -> str:
        each: Both = self.rows[row]
        if column == TOKEN:
            return self.name(each)
        if column == BARS:
            return ""
        side = column - ONE
        p = each.p[side]
        if p is None:
            return "no such token" if self.full[side] else "not told"
        return percent_cell(p)

    def name(self, each: Both) -> str:
        assert self.tokens is not None
        side = 0 if each.ids[0] is not None else 1
        id = each.ids[side]
        assert id is not None
        return label(self.tokens[side].label(id))

    def spoken(self, row: int, column: int) -> str:
        each: Both = self.rows[row]
        return (
            f"A {percent(each.p[0])}, {self.letter} {percent(each.p[1])}"
            if column == BARS
            else super().spoken(row, column)
        )

    def ink(self, row: int, column: int) -> str:
        each: Both = self.rows[row]
        return "muted" if column in (ONE, OTHER) and each.p[column - ONE] is None else "text"

    def tip(self, row: int, column: int) -> str:
        each: Both = self.rows[row]
        ids = ", ".join(
            f"{letter}: id {id}"
            if id is not None
            else f"{letter} has no token that writes this"
            if full
            else f"{letter} does not tell it"
            for letter, id, full in zip(("A", self.letter), each.ids, self.full, strict=True)
        )
        return f"{self.name(each)}\n{ids}"


class _Painted(QStyledItemDelegate):
    def __init__(self, table: PairTable, parent: QWidget) -> None:
        super().__init__(parent)
        self.table, self.theme = table, LIGHT

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        if index.column() == BARS:
            paint_pair(painter, self.theme, QRectF(option.rect).adjusted(6, 4, -6, -4), self.table.rows[index.row()],
                       self.table.most)  # fmt: skip


def paint_pair(painter: QPainter, theme: Theme, area: QRectF, row: Both, most: float) -> None:
    """Both bars in ``area``, at full length where p is ``most``."""
    high = area.height()
    for p, color, top, share in ((row.p[0], COLORS[0], 0.0, 0.54), (row.p[1], COLORS[1], 0.62, 0.34)):
        if p is not None:
            wide = max(1.0, area.width() * p / most)
            painter.fillRect(QRectF(area.left(), area.top() + top * high, wide, share * high), theme.color(color))


class PairView(RowTable):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What both models say comes next", ROW, parent)
        self.table = PairTable()
        self.table.setParent(self)
        self.painted = _Painted(self.table, self)
        self.show_model(self.table)
        self.setItemDelegate(self.painted)
        self.setMinimumSize(0, 0)

    def show_here(self, here: Here | None) -> None:
        self.table.show_here(here)

    def set_theme(self, theme: Theme) -> None:
        self.painted.theme = theme
        super().set_theme(theme)


def in_words(here: Here | None, unit: Unit) -> str:
    """What the two have in common, in a line; "" where there is nothing yet."""
    if here is None:
        return ""
    found, letter, parts = here.found, here.letter, []
    if found.kl is not None and found.tv is not None:
        kl = significant(in_unit(found.kl, unit), 3)
        parts.append(f"KL(A‖{letter}) {kl} {unit}, total variation {significant(found.tv, 3)}")
    elif found.shared is not None:
        one, other = found.shared
        parts.append(f"on tokens that both have: {percent(one)} of A, {percent(other)} of {letter}")
    rest = found.rest
    parts.append(f"not listed: {percent(rest[0])} of A, {percent(rest[1])} of {letter}")
    return "; ".join(parts)
