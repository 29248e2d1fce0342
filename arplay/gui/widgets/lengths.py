"""Lengths that are usual for what a model writes, such as half a second: a press sets so many tokens."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import SPACE
from arplay.gui.widgets.push_button import push_button


class Lengths(QWidget):
    """Nothing to see where the tokens have no usual lengths. ``chosen`` carries a count of tokens."""

    chosen = Signal(int)

    def __init__(self, tip: str) -> None:
        super().__init__()
        self._tip = tip
        self._shown: tuple[tuple[str, int], ...] = ()
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE[0])

    def show_tokens(self, tokens: TokenSet | None) -> None:
        lengths = () if tokens is None else tokens.lengths
        if lengths != self._shown:
            self._shown = lengths
            for button in self.buttons:
                button.deleteLater()
            self.buttons = []
            for words, count in lengths:
                tip = f"{words}: {count:,} tokens. {self._tip}"
                button = push_button(words, tip, partial(self._choose, count), role="chip", name=f"Write {words}")
                self._row.addWidget(button)
                self.buttons.append(button)
        self.setVisible(bool(lengths))

    def _choose(self, count: int, *_: object) -> None:
        self.chosen.emit(count)
