"""Candidates as rows: what each has by log p as a whole, a token and a unit, its rank by each, and its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem

from arplay.core.candidates import By, Candidate, ranks, shares
from arplay.core.format import in_unit, number, percent, percent_cell
from arplay.core.modalities.base import TokenSet, Unit
from arplay.gui.settings import Unit as LogUnit
from arplay.gui.theme import Theme
from arplay.gui.widgets.candidates.field import in_a_line, typed
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import ChoiceTable, Column, Index, TableRows
from arplay.models import documents

ROW, FIGURE = 26, 70
"""Pixels of a row, and of the figure beside its bar."""
TEXT, TOKENS, SUM, BY_SUM, TOKEN, BY_TOKEN, UNIT, BY_UNIT, RANKS, SHARE = range(10)
EVERY, NARROW = 590, 230
"""Pixels from which every measure has room with its rank, and from which the chosen one has, with all three ranks."""
VALUES: dict[By, tuple[int, int]] = {"sum": (SUM, BY_SUM), "token": (TOKEN, BY_TOKEN), "unit": (UNIT, BY_UNIT)}
JOINS = "the tokenizer would cut the text and this one otherwise if they were typed as one"
LISTED = 20
"""Tokens of a candidate that its tooltip tells."""
_EDIT = Qt.ItemDataRole.EditRole


@dataclass(frozen=True, slots=True)
class Row:
    """``index``: in the list; ``shown``: its text with nothing hidden; ``ranks``: as a whole, a token and a unit."""

    index: int
    text: str
    shown: str
    found: Candidate | None = None
    share: float | None = None
    ranks: dict[By, int] | None = None


def rows_of(texts: Sequence[str], found: Sequence[Candidate], by: By) -> tuple[Row, ...]:
    """The best first; those of which nothing is known stand at the end, as they came."""
    known = {each.text: each for each in found}
    here = [known[text] for text in texts if text in known]
    share = dict(zip((each.text for each in here), shares([each.logprob for each in here]), strict=True))
    every = {what: ranks([each.by(what) for each in here]) for what in VALUES}
    place = {each.text: {what: every[what][at] for what in VALUES} for at, each in enumerate(here)}
    rows = [
        Row(
            index,
            text,
            documents.document(text, None).shown,
            known.get(text),
            float(share[text]) if text in share and not np.isnan(share[text]) else None,
            place.get(text),
        )
        for index, text in enumerate(texts)
    ]
    return tuple(sorted(rows, key=lambda row: row.ranks[by] if row.ranks is not None else len(texts) + 1))


class CandidateTable(TableRows):
    columns = (
        Column("candidate", "What may follow; F2 or a double-click changes it, Enter writes it.", kind="token"),
        Column("tokens", "How many tokens it has behind the text.", 58),
        Column("log p", "log p(candidate | text before the caret), the sum over its tokens.", 92),
        Column("rank", "By log p as a whole.", 42),
        Column("per token", "The mean of log p over its tokens: long ones are not punished for their length.", 84),
        Column("rank", "By log p a token; marked where it is another one than by log p.", 42),
        Column("bits", "−log₂ p over its bytes: how well it fits, however the tokenizer cuts it.", 92),
        Column("rank", "By bits a byte; marked where it is another one than by log p.", 42),
        Column("ranks", "By log p as a whole, a token and a byte; marked where they differ.", 66),
        Column("share", "p normalised over this list: what it would be if one of them had to come.", 124),
    )
    rows: Sequence[Row]
    edited = Signal(int, str)
    tokens: TokenSet | None = None
    unit: LogUnit = "nats"
    by: By = "sum"
    per: Unit | None = None
    dim = False

    def show_rows(self, rows: Sequence[Row]) -> None:
        if tuple(row.index for row in rows) == tuple(row.index for row in self.rows):
            self.rows = rows
            self.changed()
        else:
            self.reset(rows)

    def title(self, column: int) -> str:
        if column == SUM:
            return f"{super().title(column)}, {self.unit}"
        return self.per.per if column == UNIT and self.per is not None else super().title(column)

    def text(self, row: int, column: int) -> str:
        each = self.rows[row]
        return label(each.shown) if column == TEXT else cells(each, self.unit)[column]

    def spoken(self, row: int, column: int) -> str:
        return f"{self.title(column)} {self.text(row, column)}"

    def tip(self, row: int, column: int) -> str:
        each = self.rows[row]
        if each.found is None or self.tokens is None:
            return each.shown
        pairs = zip(each.found.ids.tolist(), each.found.logprobs.tolist(), strict=True)
        told = [f"{label(self.tokens.label(id))}  log p {number(in_unit(nats, self.unit))}" for id, nats in pairs]
        more = [f"and {len(told) - LISTED:,} more tokens"] if len(told) > LISTED else []
        return "\n".join([each.shown, *told[:LISTED], *more, *([JOINS] if each.found.joins else [])])

    def ink(self, row: int, column: int) -> str:
        each = self.rows[row]
        if column == TEXT:
            return "warning" if each.found is not None and each.found.joins and not self.dim else "text"
        if self.dim:
            return "muted"
        if each.ranks is not None and column == RANKS:
            return "accent" if len(set(each.ranks.values())) > 1 else "muted"
        if each.ranks is not None and column in (BY_TOKEN, BY_UNIT):
            return "accent" if each.ranks["token" if column == BY_TOKEN else "unit"] != each.ranks["sum"] else "muted"
        return "text" if column in VALUES[self.by] or column == SHARE else "muted"

    def flags(self, index: Index) -> Qt.ItemFlag:
        given = super().flags(index)
        return given | Qt.ItemFlag.ItemIsEditable if index.column() == TEXT else given

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == _EDIT and 0 <= index.row() < len(self.rows):
            return in_a_line(self.rows[index.row()].text)
        return super().data(index, role)

    def setData(self, index: Index, value: object, role: int = _EDIT) -> bool:
        if role != _EDIT or not isinstance(value, str) or not value:
            return False
        self.edited.emit(self.rows[index.row()].index, typed(value))
        return True


def cells(each: Row, unit: LogUnit) -> tuple[str, ...]:
    """What a row says, by column."""
    found, places = each.found, each.ranks
    if found is None or places is None:
        return (each.shown, *("—" for _ in range(SHARE)))
    mean, bits = found.per_token, found.bits_per_unit
    return (
        each.shown,
        f"{len(found.ids):,}",
        number(in_unit(found.logprob, unit), 3),
        f"{places['sum']:,}",
        "—" if mean is None else number(in_unit(mean, unit), 3),
        f"{places['token']:,}",
        "—" if bits is None else number(bits, 3),
        f"{places['unit']:,}",
        "\u2009·\u2009".join(f"{place:,}" for place in places.values()),
        percent_cell(each.share),
    )


def paint_share(painter: QPainter, theme: Theme, area: QRectF, share: float | None, dim: bool) -> None:
    """A bar as long as the share, left of the room that its figure takes."""
    if share is None:
        return
    room = QRectF(area.left(), area.top(), max(0.0, area.width() - FIGURE), area.height())
    painter.fillRect(room, theme.color("border", 0.5))
    room.setWidth(room.width() * share)
    painter.fillRect(room, theme.color("fill", 0.5 if dim else 1.0))


class _Painted(QStyledItemDelegate):
    def __init__(self, table: CandidateTable, parent: QObject) -> None:
        super().__init__(parent)
        self.table = table

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        if index.column() == SHARE:
            area = QRectF(option.rect).adjusted(8, 8, 0, -8)
            paint_share(painter, self.table.theme, area, self.table.rows[index.row()].share, self.table.dim)


class CandidateRows(ChoiceTable):
    """``chosen``: Enter was pressed; ``removed``: Delete; ``undone``: Ctrl+Z; ``pasted``: Ctrl+V."""

    removed = Signal()
    undone = Signal()
    pasted = Signal()
    looked_at = Signal()

    def __init__(self) -> None:
        super().__init__("Candidates", ROW)
        self.table = CandidateTable(self)
        self.painted = _Painted(self.table, self)
        self.show_model(self.table)
        self.setItemDelegate(self.painted)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.EditKeyPressed | triggers.DoubleClicked)
        self.selectionModel().currentRowChanged.connect(self.looked_at)
        self._waiting: Sequence[Row] | None = None
        """Rows that came while one was being changed: they would end that."""
        self.painted.closeEditor.connect(self._on_closed)

    @property
    def current(self) -> Row | None:
        row = self.currentIndex().row()
        return self.table.rows[row] if 0 <= row < len(self.table.rows) else None

    def show_rows(self, rows: Sequence[Row]) -> None:
        """The text that was current stays so, wherever it stands now."""
        if self.state() == QAbstractItemView.State.EditingState:
            self._waiting = rows
            return
        self._waiting, current = None, self.current
        self.table.show_rows(rows)
        if rows and (current is None or self.current is None or self.current.text != current.text):
            texts = [row.text for row in rows]
            at = texts.index(current.text) if current is not None and current.text in texts else 0
            self.setCurrentIndex(self.table.index(at, TEXT))

    def _on_closed(self) -> None:
        if self._waiting is not None:
            self.show_rows(self._waiting)

    def show_text(self, text: str) -> None:
        """Make it the current one."""
        at = next((at for at, row in enumerate(self.table.rows) if row.text == text), None)
        if at is not None:
            self.setCurrentIndex(self.table.index(at, TEXT))

    def fit(self) -> None:
        """Every measure with its rank where there is room, else the chosen one with all three ranks."""
        room, (value, _) = self.viewport().width(), VALUES[self.table.by]
        shown = {TEXT, SUM, BY_SUM, TOKEN, BY_TOKEN, UNIT, BY_UNIT, SHARE}
        if room < EVERY:
            shown = (
                {TEXT, value, RANKS} | ({SHARE} if room > NARROW + 90 else set()) if room > NARROW else {TEXT, value}
            )
        elif room >= EVERY + 100:
            shown.add(TOKENS)
        for at in range(len(self.table.columns)):
            self.setColumnHidden(at, at not in shown)

    def event(self, event: QEvent) -> bool:
        """What the window's menu has keys for means this list while it has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._own(event):
            event.accept()
            return True
        return super().event(event)

    def _own(self, event: QKeyEvent) -> bool:
        keys = QKeySequence.StandardKey
        return any(event.matches(key) for key in (keys.Undo, keys.Paste, keys.Delete))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = QKeySequence.StandardKey
        if event.matches(keys.Undo):
            self.undone.emit()
        elif event.matches(keys.Paste):
            self.pasted.emit()
        elif event.matches(keys.Delete) or event.key() == Qt.Key.Key_Backspace:
            self.removed.emit()
        elif event.key() == Qt.Key.Key_F2 and self.currentIndex().isValid():
            self.edit(self.table.index(self.currentIndex().row(), TEXT))
        else:
            super().keyPressEvent(event)
            return
        event.accept()


def told_of(each: Row, unit: LogUnit) -> str:
    """All figures of a row, in words."""
    if each.found is None:
        return f"{each.shown}: not compared yet"
    texts = cells(each, unit)
    many = f"{texts[TOKENS]} token{'s' * (len(each.found.ids) != 1)}"
    return f"{each.shown}: log p {texts[SUM]} {unit}, {many}, {percent(each.share)} of the list"
