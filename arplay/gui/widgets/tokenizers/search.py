"""The vocabulary of a tokenizer, searched: by what a token writes, by its bytes, or by its id."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QComboBox

from arplay.core.format import in_unit, number, percent
from arplay.core.modalities.base import TokenSet
from arplay.gui.intents import Take
from arplay.gui.settings import Unit
from arplay.gui.theme import Theme
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.row_table import ChoiceTable, Column, TableRows
from arplay.gui.widgets.tokenizers.page import TokenizerPage

MOST, ROW = 200, 22
EMPTY = "Type what a token writes, its bytes in hexadecimal, or an id."
TIP = "What a token writes (␣ is a space), its bytes in hexadecimal, or its id; Enter on a row writes the token"


def by_bytes(tokens: Any, text: str) -> list[int]:
    """Those that write exactly these bytes, then those that begin with them. ``text``: in hexadecimal."""
    try:
        data = bytes.fromhex(text.replace("⟨", "").replace("⟩", ""))
    except ValueError:
        return []
    found: list[int] = tokens.beginning(data.decode("utf-8", "surrogateescape")).tolist() if data else []
    return sorted(found, key=lambda id: (tokens.written[id] != data, id))[: MOST + 1]


def by_id(tokens: TokenSet, text: str) -> list[int]:
    digits = text.replace(",", "").strip()
    return [int(digits)] if digits.isdecimal() and int(digits) < len(tokens) else []


WAYS: dict[str, tuple[str, Callable[[Any, str], list[int]]]] = {
    "contains": ("Tokens that write this anywhere", lambda tokens, text: tokens.find(text, MOST + 1)),
    "begins with": (
        "Tokens that begin with exactly this",
        lambda tokens, text: tokens.beginning(text.replace("␣", " "))[: MOST + 1].tolist(),
    ),
    "bytes": ("Tokens with these bytes, written in hexadecimal such as e2 82", by_bytes),
    "id": ("The token with this id", by_id),
}


class VocabularyTable(TableRows):
    columns = (
        Column("id", "Its number in the vocabulary.", 72),
        Column("token", "What it writes, nothing hidden.", kind="token"),
        Column("bytes", "The bytes that it writes, in hexadecimal.", 200, 560, "token"),
        Column("log p", "At the caret, by the model in the window; — for tokenizers of other models.", 90, 300),
        Column("p", "At the caret, by the model in the window.", 84, 380),
    )
    rows: Sequence[int]
    tokens: TokenSet | None = None
    logprob: Callable[[int], float | None] = staticmethod(lambda id: None)
    unit: Unit = "nats"

    def title(self, column: int) -> str:
        return f"log p, {self.unit}" if column == 3 else super().title(column)

    def text(self, row: int, column: int) -> str:
        assert self.tokens is not None
        id = self.rows[row]
        if column < 2:
            return label(self.tokens.label(id)) if column else f"{id:,}"
        if column == 2:
            return dict(self.tokens.details(id)).get("bytes", "")
        nats = self.logprob(id)
        if nats is None:
            return "—"
        return number(in_unit(nats, self.unit), 3) if column == 3 else percent(math.exp(nats))

    def tip(self, row: int, column: int) -> str:
        assert self.tokens is not None
        id = self.rows[row]
        details = "\n".join(f"{name}: {value}" for name, value in self.tokens.details(id))
        return (
            f"{label(self.tokens.label(id))}, id {id:,}{' (special)' if self.tokens.is_special(id) else ''}\n{details}"
        )

    def ink(self, row: int, column: int) -> str:
        special = self.tokens is not None and self.tokens.is_special(self.rows[row])
        return "warning" if special and column == 1 else "muted" if column in (0, 2) else "text"


class VocabularyPage(TokenizerPage):
    def __init__(self) -> None:
        super().__init__("a token", "Search of the vocabulary", TIP)
        self.how = QComboBox()
        for at, (words, (tip, _)) in enumerate(WAYS.items()):
            self.how.addItem(words)
            self.how.setItemData(at, plain(tip), Qt.ItemDataRole.ToolTipRole)
        self.how.setAccessibleName("How to search")
        self.how.setToolTip(plain("; ".join(f"{words}: {tip}" for words, (tip, _) in WAYS.items())))
        self.how.currentIndexChanged.connect(self.ask)
        self.head.add(self.how)
        tip = "Write the chosen token behind the caret (Enter on its row)"
        self.write = push_button("Write it", tip, self._write, role="chip", name="Write the chosen token")
        self.head.add(self.write)
        self.rows, self.table = ChoiceTable("Tokens found", ROW), VocabularyTable()
        self.table.setParent(self.rows)
        self.rows.show_model(self.table)
        self.rows.message = EMPTY
        self.rows.chosen.connect(self._write)
        self.rows.doubleClicked.connect(self._write)
        self.rows.selectionModel().currentRowChanged.connect(self._fit)
        self.column.addWidget(self.rows, 1)
        self.column.addWidget(self.said)
        self.field.textChanged.connect(self.ask)
        self._asked: tuple[object, ...] = ()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.rows.set_theme(theme)

    def show_now(self) -> None:
        view, chosen = self.view, self.chosen
        own = chosen is not None and not chosen.spec and view.answer is not None and not view.stale
        known = view.answer.distribution if own and view.answer is not None else None
        self.table.logprob = known.logprob if known is not None else lambda id: None
        self.table.unit = view.settings.unit
        self._look()
        self.table.changed()
        self.rows.horizontalHeader().viewport().update()
        self._fit()

    def ask(self) -> None:
        self.show_now()

    def _look(self) -> None:
        chosen, text, how = self.chosen, self.field.text(), self.how.currentText()
        asked = (chosen.tokens if chosen is not None else None, text, how)
        if asked == self._asked:
            return
        self._asked = asked
        tokens = asked[0]
        found = WAYS[how][1](tokens, text) if tokens is not None and text else []
        self.table.tokens = tokens
        self.rows.message = "no such token" if text else EMPTY
        self.table.reset(found[:MOST])
        self.rows.fit()
        if found:
            self.rows.selectRow(0)
        many = f"the best {MOST:,}" if len(found) > MOST else f"{len(found):,}"
        size = f"{len(tokens):,}" if tokens is not None else "0"
        self.said.show_text(f"{many} of {size} tokens" if text else f"{size} tokens")

    @property
    def current(self) -> int | None:
        row = self.rows.currentIndex().row()
        return self.table.rows[row] if 0 <= row < len(self.table.rows) else None

    def _fit(self) -> None:
        self.write.setEnabled(self.chosen is not None and not self.chosen.spec and self.current is not None)

    def _write(self, _: QModelIndex | bool = False) -> None:
        if self.chosen is not None and not self.chosen.spec and (id := self.current) is not None:
            self.intent.emit(Take(id))
