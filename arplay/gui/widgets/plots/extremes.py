"""The most surprising or most confident tokens as a table that is sorted by its headings; and the same on paper."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from arplay.core.format import number, percent, percent_cell, probability
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import ChoiceTable, Column, Index, TableRows
from arplay.gui.widgets.sheet import MARGIN, Sheet

ROW = 24
CONFIDENT = 1.0
"""Where no surprisal reaches this, all have more decimals: a list of the most confident tokens."""
Record = dict[str, Any]
PLACE, BEFORE, TOKEN, BEHIND, SURPRISAL, P, RANK, EXPECTED = range(8)
_KEYS: dict[int, Callable[[Record], Any]] = {
    PLACE: lambda row: row["index"],
    BEFORE: lambda row: row["before_text"],
    TOKEN: lambda row: row["token_text"],
    BEHIND: lambda row: row["after_text"],
    SURPRISAL: lambda row: row["surprisal"],
    P: lambda row: row["prob"],
    RANK: lambda row: row["rank"] or math.inf,
    EXPECTED: lambda row: row["expected_prob"] or 0.0,
}
"""What each column is sorted by."""
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Extremes(TableRows):
    columns = (
        Column("#", "The place of the token in the text, from 1.", 64, 560),
        Column("before", "The end of what stands before it.", least=460, kind="token"),
        Column("token", "The token itself.", 120, kind="token"),
        Column("behind", "What follows it.", kind="token", least=300),
        Column("surprisal", "−log p of the token.", 124),
        Column("p", "The probability that the model gave it.", 84, 400),
        Column("rank", "How many tokens the model held more probable, plus one.", 70, 640),
        Column("expected", "What the model held most probable there, and how probable.", 150, 760, kind="token"),
    )
    unit, digits = "nats", 4
    sorted_by = SURPRISAL

    def show_rows(self, rows: list[Record], unit: str) -> None:
        self.unit, self.digits = unit, digits_of(rows)
        self.reset(rows)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt calls this where a heading is clicked."""
        self.sorted_by = column
        self.layoutAboutToBeChanged.emit()
        self.rows = sorted(self.rows, key=_KEYS[column], reverse=order == Qt.SortOrder.DescendingOrder)
        self.layoutChanged.emit()

    def title(self, column: int) -> str:
        name = f"surprisal ({self.unit})" if column == SURPRISAL else super().title(column)
        return name + "\u2003" if column == self.sorted_by else name  # Qt paints its arrow there, over the words

    def text(self, row: int, column: int) -> str:
        return cell(self.rows[row], column, self.digits)

    def tip(self, row: int, column: int) -> str:
        one = self.rows[row]
        if column == P:
            return percent(one["prob"])
        if column in (BEFORE, TOKEN, BEHIND, EXPECTED):
            return cell(one, column)
        return self.columns[column].tip

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What stands before a token ends at it."""
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == BEFORE:
            return int(_RIGHT)
        return super().data(index, role)

    def ink(self, row: int, column: int) -> str:
        return "muted" if column in (PLACE, BEFORE, BEHIND) else "text"


def digits_of(rows: list[Record]) -> int:
    """Decimals of the surprisals of a list, which are alike.

    >>> digits_of([{"surprisal": 2.5269e-5}, {"surprisal": 0.2}]), digits_of([{"surprisal": 17.6}])
    (6, 4)
    """
    return 4 if any(row["surprisal"] >= CONFIDENT for row in rows) else 6


def cell(row: Record, column: int, digits: int = 4) -> str:
    """
    >>> row = {"before_text": "“…was a”", "surprisal": 2.5269e-5}
    >>> cell(row, BEFORE), cell(row, SURPRISAL, 6), cell({"surprisal": 17.6}, SURPRISAL)
    ('…was␣a', '0.000025', '17.6000')
    """
    if column == PLACE:
        return f"{row['index'] + 1:,}"
    if column == BEFORE and row["before_text"].startswith("“"):  # it leads up to the token, as what is behind follows
        return label(row["before_text"][1:-1].replace(" ", "␣") or " ")
    if column in (BEFORE, TOKEN, BEHIND):
        return label(row[("before_text", "token_text", "after_text")[column - BEFORE]] or " ")
    if column == SURPRISAL:
        return number(row["surprisal"], digits)
    if column == P:
        return probability(math.log(row["prob"]) if row["prob"] else -math.inf)
    if column == RANK:
        return "—" if row["rank"] is None else f"{row['rank']:,}"
    return (
        "—" if row["expected_text"] is None else f"{label(row['expected_text'])} {percent_cell(row['expected_prob'])}"
    )


class _Cell(QStyledItemDelegate):
    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Of what stands before a token the end is what counts."""
        super().initStyleOption(option, index)
        if index.column() == BEFORE:
            option.textElideMode = Qt.TextElideMode.ElideLeft


class ExtremesTable(ChoiceTable):
    """``picked``: the index of a token that was clicked, or on which Enter was pressed."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__("Tokens of the text by surprisal", ROW)
        self.table = Extremes(self)
        self._surprising: bool | None = None
        self.setMinimumSize(0, 0)
        self.show_model(self.table, pulled=True)
        header = self.horizontalHeader()
        self.sort_by_headings()
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(False)
        self.setItemDelegate(_Cell(self))
        self.clicked.connect(self._pick)
        self.chosen.connect(self._pick)

    def show_rows(self, rows: list[Record], unit: str, surprising: bool) -> None:
        """The same list of a text that grows stays as it was sorted and scrolled."""
        top = self.verticalScrollBar().value() if surprising is self._surprising else 0
        self.setSortingEnabled(False)
        self.table.show_rows(rows, unit)
        if surprising is not self._surprising:
            self._surprising = surprising
            order = Qt.SortOrder.DescendingOrder if surprising else Qt.SortOrder.AscendingOrder
            self.horizontalHeader().setSortIndicator(SURPRISAL, order)
        self.setSortingEnabled(True)
        self.verticalScrollBar().setValue(top)

    def show_lit(self, lit: tuple[int, int] | None) -> None:
        """The rows of the tokens [first, stop) that have one."""
        first, stop = lit or (0, 0)
        self.choose([at for at, row in enumerate(self.table.rows) if first <= row["index"] < stop], TOKEN)

    def _pick(self, index: QModelIndex) -> None:
        self.picked.emit(int(self.table.rows[index.row()]["index"]))


class ExtremesSheet(Sheet):
    """The rows as they are sorted, on paper."""

    again = float(ROW)
    widths = (60, 190, 120, 250, 100, 80, 60, 150)

    def __init__(self, title: str, told: str, rows: list[Record], unit: str, theme: Theme) -> None:
        width = sum(self.widths) + 2 * MARGIN
        head = MARGIN + 3.0 * ROW
        super().__init__("plots", title, theme, width, head, ROW, len(rows))
        self.told, self.list, self.unit, self.digits = told, rows, unit, digits_of(rows)

    def paint_head(self, painter: QPainter) -> None:
        painter.setPen(self.theme.color("text"))
        painter.setFont(interface_font(BODY, bold=True))
        room = QRectF(MARGIN, MARGIN / 2, self.width - 2 * MARGIN, ROW)
        painter.drawText(room, _LEFT, self.title)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        painter.drawText(room.translated(0, ROW), _LEFT, self.told)

    def paint_again(self, painter: QPainter, top: float) -> None:
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        for at, area in enumerate(self._areas(top)):
            name = Extremes.columns[at].title if at != SURPRISAL else self.unit
            painter.drawText(area, self._side(at), name)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for line, row in enumerate(self.list[first:stop]):
            for at, area in enumerate(self._areas(top + line * ROW)):
                token = Extremes.columns[at].kind == "token"
                font = fixed_font(SMALL) if token else number_font(SMALL)
                painter.setFont(font)
                painter.setPen(self.theme.color("muted" if at in (PLACE, BEFORE, BEHIND) else "text"))
                side = Qt.TextElideMode.ElideLeft if at == BEFORE else Qt.TextElideMode.ElideRight
                painter.drawText(
                    area, self._side(at), QFontMetricsF(font).elidedText(cell(row, at, self.digits), side, area.width())
                )

    def _areas(self, top: float) -> list[QRectF]:
        lefts = [MARGIN + sum(self.widths[:at]) for at in range(len(self.widths))]
        return [QRectF(left, top, wide - SPACE[2], ROW) for left, wide in zip(lefts, self.widths, strict=True)]

    def _side(self, column: int) -> Qt.AlignmentFlag:
        return _LEFT if Extremes.columns[column].kind == "token" and column != BEFORE else _RIGHT
