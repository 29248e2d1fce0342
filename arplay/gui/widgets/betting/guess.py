"""Where bets are made: a token is named, chips are put on it, and the row of each bet takes them back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QLineEdit, QSpinBox, QWidget

from arplay.core.betting import CHIPS, MOST, Bets
from arplay.core.format import percent
from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Caption, plain
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.row_table import Column, RowTable, TableRows

MOST_HITS = 50
FEW = 16
"""A token set as small as this is listed as a whole."""
FIRST = 50
"""Chips that are proposed for the first guess; for each next one half of those that are left."""
PAGE = 10
ROW = 24
NAME = "Next token…"
TIP = (
    "A token as it is shown: ␣the, ↵, or a part of it. ↑ ↓ choose among those that fit, Page ↑ ↓ change the chips, "
    "Enter places them, Delete takes the last ones back. Enter on the empty field reveals the token."
)


class BetRows(TableRows):
    """The name of a token, and what lies on it."""

    columns = (Column("token", "", kind="token"), Column("chips", "", 80))
    rows: Sequence[tuple[str, str]]

    def text(self, row: int, column: int) -> str:
        return self.rows[row][column]


class Guess(QWidget):
    """``placed``: id and chips, 0 to take them back; ``entered``: Enter with nothing to place."""

    placed = Signal(int, int)
    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tokens: TokenSet | None = None
        self.bets = Bets(0)
        self.revealed: int | None = None
        self._listed: list[int] = []
        self.field = QLineEdit()
        self.field.setPlaceholderText(NAME)
        self.field.setAccessibleName("Name the next token")
        self.field.setToolTip(plain(TIP))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._list)
        self.field.installEventFilter(self)
        self.chips = QSpinBox()
        self.chips.setRange(1, MOST)
        self.chips.setValue(FIRST)
        self.chips.lineEdit().setTextMargins(SPACE[0], 0, 0, 0)
        self.chips.setSuffix(" chips")
        self.chips.setAccessibleName("Chips for this guess")
        self.chips.setToolTip(
            plain(
                f"Of {CHIPS} chips so many go on this token: its probability in hundredths. One stays for the others."
            )
        )
        self.model = BetRows(self)
        self.rows = RowTable("Tokens to bet on", ROW)
        self.rows.show_model(self.model)
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field has the keys of both
        self.rows.setToolTip("A click puts the chips on this token, or takes back those that it has")
        self.rows.horizontalHeader().hide()
        self.rows.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.rows.clicked.connect(self._click)
        self.rest = Caption()
        self.rest.tip = "No token has the probability 0: what nobody named shares what is left, each as much."
        self._arrange()

    def _arrange(self) -> None:
        row = in_row((self.field, 1), self.chips, spacing=SPACE[1])
        in_column(row, (self.rows, 1), self.rest, on=self, spacing=SPACE[0])

    def show_bets(self, bets: Bets, tokens: TokenSet | None, revealed: int | None = None) -> None:
        """``revealed``: the token that stood there, behind which nothing is placed any more."""
        if (bets, revealed) == (self.bets, self.revealed) and tokens is self.tokens:
            return
        anew = bets.placed != self.bets.placed
        self.bets, self.tokens, self.revealed = bets, tokens, revealed
        self.field.setReadOnly(revealed is not None)
        self.field.setPlaceholderText(NAME if revealed is None else "Enter goes on")
        for control in (self.chips, self.rows):
            control.setEnabled(revealed is None)
        if revealed is not None:
            self.field.clear()
        if anew:
            self.chips.setValue(FIRST if not bets.placed else max(1, (bets.left - 1) // 2))
        self._list()

    def _list(self) -> None:
        """What fits the field; where it is empty, the bets, and all others of a small token set."""
        tokens, text = self.tokens, self.field.text()
        if tokens is None:
            self._listed = []
        elif text:
            self._listed = tokens.find(text, MOST_HITS)
        else:
            self._listed = [id for id, _ in self.bets.placed]
            if self.revealed is not None:
                self._listed = [self.revealed, *(id for id in self._listed if id != self.revealed)]
            elif len(tokens) <= FEW:
                self._listed += [id for id in range(len(tokens)) if not self.bets.chips(id)]
        self.model.reset([(label(tokens.label(id)), self._told(id)) for id in self._listed if tokens is not None])
        if self._listed and (text or self.revealed is not None):
            self.rows.selectRow(0)
        self.rest.show_text(self._said(text))

    def _told(self, id: int) -> str:
        chips = self.bets.chips(id)
        told = f"{chips} chip{'s' * (chips != 1)}" if chips else percent(self.bets.floor) if id == self.revealed else ""
        return f"{told}  ×" if chips and self.revealed is None else told

    def _said(self, text: str) -> str:
        bets = self.bets
        if text and not self._listed:
            return f"No token has “{text}” in it: it is written with several."
        if not bets.size:
            return ""
        if self.revealed is not None:
            return f"It stood there: {percent(bets.prob(self.revealed))} by your chips"
        if not bets.others:
            return "Every token has chips: they are shared as they lie."
        chips = f"{bets.left} chip{'s' * (bets.left != 1)}"
        which = "all" if not bets.placed else "the other"
        tokens = f"{bets.others:,} token{'s' * (bets.others != 1)}"
        if self.tokens is not None and self.tokens.open:
            tokens += " named so far"  # a server tells only those that it finds probable
        return f"{chips} on {which} {tokens}: {percent(bets.floor)} each"

    def _current(self) -> int | None:
        rows = self.rows.selectionModel().selectedRows()
        return self._listed[rows[0].row()] if rows else None

    def _click(self, index: QModelIndex) -> None:
        id = self._listed[index.row()]
        self._place(id, 0 if self.bets.chips(id) and not self.field.text() else self.chips.value())
        self.field.setFocus()

    def _place(self, id: int, chips: int) -> None:
        self.field.clear()
        self.placed.emit(id, chips)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The field's keys choose and place."""
        if watched is not self.field or not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        key, text = event.key(), self.field.text()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if (id := self._current()) is not None and self.revealed is None:
                self._place(id, self.chips.value())
            elif not text:
                self.entered.emit()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.chips.setValue(self.chips.value() + (PAGE if key == Qt.Key.Key_PageUp else -PAGE))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not text and self.bets.placed:
            chosen = self._current()
            self._place(self.bets.placed[-1][0] if chosen is None or not self.bets.chips(chosen) else chosen, 0)
        elif key == Qt.Key.Key_Escape and text:
            self.field.clear()
        else:
            return False
        return True

    def _step(self, by: int) -> None:
        if not self._listed:
            return
        rows = self.rows.selectionModel().selectedRows()
        to = rows[0].row() + by if rows else 0 if by > 0 else len(self._listed) - 1
        self.rows.selectRow(min(max(to, 0), len(self._listed) - 1))
