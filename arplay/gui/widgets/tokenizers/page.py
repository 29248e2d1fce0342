"""What the pages behind the boundaries have in common: a tokenizer is chosen, something is typed, and asked for."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from arplay.engine.tokenizing import Tokenization, Tokenized
from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, plain
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.layouts import in_column

WIDE, LETTERS = 170, 16
"""Pixels of the field, and letters of a tokenizer's name that are in sight: it may be long."""


class Field(QLineEdit):
    """Wide enough for a word."""

    def sizeHint(self) -> QSize:
        return QSize(WIDE, super().sizeHint().height())


class TokenizerPage(QWidget):
    """``intent``: what the user asks for."""

    intent = Signal(object)

    def __init__(self, hint: str, name: str, tip: str) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.view = View()
        self.found: Tokenized | None = None
        self.head, self.said, self.field, self.which = Flow(), Caption(), Field(), QComboBox()
        self.field.setPlaceholderText(hint)
        self.field.setAccessibleName(name)
        self.field.setToolTip(plain(tip))
        self.which.setAccessibleName("Tokenizer")
        self.which.setToolTip("Whose tokenizer it is")
        self.which.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.which.setMinimumContentsLength(LETTERS)
        self.which.currentIndexChanged.connect(self.ask)
        self.head.add(self.field)
        self.head.add(self.which)
        self.column = in_column(self.head, on=self, spacing=SPACE[0])
        self.field.returnPressed.connect(self.ask)

    @property
    def opened(self) -> list[Tokenization]:
        """The tokenizers that could be opened."""
        return [each for each in self.found.distinct if each.tokens is not None] if self.found is not None else []

    @property
    def chosen(self) -> Tokenization | None:
        """The tokenizer that is chosen."""
        known, at = self.opened, self.which.currentIndex()
        return known[at] if 0 <= at < len(known) else None

    def show_all(self, view: View, found: Tokenized | None) -> None:
        """Another View, or other tokenizers."""
        self.view = view
        if found is not self.found:
            self.found = found
            names = [each.name for each in self.opened]
            if names != [self.which.itemText(at) for at in range(self.which.count())]:
                kept = self.which.currentText()
                self.which.blockSignals(True)
                self.which.clear()
                self.which.addItems(names)
                self.which.setCurrentIndex(max(0, names.index(kept) if kept in names else 0))
                self.which.blockSignals(False)
        self.show_now()

    def choose(self, spec: str, text: str) -> None:
        """Ask about ``text`` by the tokenizer of that model."""
        known = [each.spec for each in self.opened]
        self.which.blockSignals(True)
        if spec in known:
            self.which.setCurrentIndex(known.index(spec))
        self.which.blockSignals(False)
        self.field.setText(text)
        self.ask()

    def begin(self, text: str) -> None:
        """What stands at the caret when the page is first seen."""
        self.choose("", text)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme

    def show_now(self) -> None:
        """Draw what is known."""
        raise NotImplementedError

    def ask(self) -> None:
        """What is typed is to be looked up."""
        raise NotImplementedError
