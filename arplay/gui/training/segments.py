"""One choice of a few, as buttons in a row, with a sentence below about the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QPushButton, QWidget

from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import FREE, in_column, in_row
from arplay.gui.widgets.push_button import segment


@dataclass(frozen=True, slots=True)
class Option:
    """``key`` is what is remembered, ``words`` what the button says, ``about`` the sentence."""

    key: str
    words: str
    about: str


class Segments(QWidget):
    """``changed`` when the user chose another one."""

    changed = Signal(str)

    def __init__(self, name: str, options: Sequence[Option], sentence: bool = True):
        super().__init__()
        self.name = name
        self.on = True
        self.options: dict[str, Option] = {}
        self.buttons: dict[str, QPushButton] = {}
        self.about = Label(parent=self, role="caption", wrap=True)
        self.about.setVisible(sentence)
        self._group = QButtonGroup(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # for the letter of its label; its proxy takes it
        self._row = in_row(FREE, spacing=0)
        in_column(self._row, self.about, on=self, spacing=SPACE[0])
        self.set_options(options)

    def set_options(self, options: Sequence[Option]) -> None:
        """Other ones, of which the first is chosen; the same ones stay as they are."""
        if options == [*self.options.values()]:
            return
        for button in self.buttons.values():
            button.setParent(None)
            button.deleteLater()
        self.options = {option.key: option for option in options}
        self.buttons = {}
        for at, option in enumerate(options):
            words, many = option.words, len(options)
            button = segment(words, option.about, self._on_clicked, place=at, of=many, name=f"{self.name}: {words}")
            button.setAccessibleDescription(option.about)
            self._group.addButton(button)
            self.buttons[option.key] = button
            self._row.insertWidget(at, button)
        for option in options[:1]:
            self.choose(option.key)

    @property
    def key(self) -> str:
        return next(key for key, button in self.buttons.items() if button.isChecked())

    def choose(self, key: str) -> None:
        """Choose ``key``, where it is one of the options; ``changed`` is not emitted."""
        if key in self.buttons:
            self.buttons[key].setChecked(True)
            self.setFocusProxy(self.buttons[key])
            for each, button in self.buttons.items():  # Tab stops at what is chosen, arrows go on from there
                button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if each == key else Qt.FocusPolicy.ClickFocus)
            self.about.setText(self.options[key].about)

    def enable(self, on: bool, why_not: str) -> None:
        """Disabled, it says why in place of the sentence."""
        self.on = on
        for button in self.buttons.values():
            button.setEnabled(on)
        self.about.setText(self.options[self.key].about if on else why_not)

    def _on_clicked(self) -> None:
        self.choose(self.key)
        self.changed.emit(self.key)
