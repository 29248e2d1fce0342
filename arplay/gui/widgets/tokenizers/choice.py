"""Which tokenizers are compared: a menu of the models of text that are there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from arplay.gui.widgets.entries import Entries, Entry
from arplay.gui.widgets.menu_button import give_menu
from arplay.gui.widgets.push_button import push_button
from arplay.models import catalogue, documents


class Choice(QObject):
    """``button`` opens the menu. ``changed``: the specs that are chosen now."""

    changed = Signal(tuple)

    def __init__(self) -> None:
        super().__init__()
        self.specs: tuple[str, ...] = ()
        tip = "Tokenizers of other models beside that of the model in the window; their weights are not loaded"
        self.button: QPushButton = push_button("Tokenizers", tip, name="Which tokenizers")
        self.menu = QMenu(self.button)
        self.menu.setToolTipsVisible(True)
        give_menu(self.button, self.menu)
        self.entries = Entries(self.menu, before=self.menu.addSeparator())
        for words, tip, slot in (
            ("A &folder…", "A model folder: only its tokenizer is opened", self._ask_folder),
            ("A &GGUF file…", "Only the tokenizer in it is opened", self._ask_file),
        ):
            action = self.menu.addAction(words)
            action.setToolTip(tip)
            action.triggered.connect(slot)
        self.entries.chosen.connect(self._toggle)
        self.menu.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        cards = [card for card in catalogue.cards() if card.state == "ready" and documents.tokens_of(card.spec) is None]
        known = {card.spec: Entry(card.spec, card.title, card.about, card.spec in self.specs) for card in cards}
        others = [Entry(spec, Path(spec).name, spec, True) for spec in self.specs if spec not in known]
        self.entries.show([*known.values(), *others])

    def _toggle(self, spec: str) -> None:
        others = tuple(each for each in self.specs if each != spec)
        self.changed.emit(others if spec in self.specs else (*others, spec))

    def _add(self, path: str) -> None:
        if path and path not in self.specs:
            self.changed.emit((*self.specs, path))

    def _ask_folder(self) -> None:
        self._add(QFileDialog.getExistingDirectory(self.button, "A model folder"))

    def _ask_file(self) -> None:
        self._add(QFileDialog.getOpenFileName(self.button, "A GGUF file", filter="GGUF (*.gguf)")[0])
