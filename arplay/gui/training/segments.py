"""One choice of a few, as buttons in a row, with a sentence below about the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from arplay.gui.theme import BODY, SPACE, interface_font
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.push_button import push_button


@dataclass(frozen=True, slots=True)
class Option:
    """``key`` is what is remembered, ``words`` what the button says, ``about`` the sentence."""

    key: str
    words: str
    about: str


class Segments(QWidget):
    """``changed`` when the user chose another one."""

    changed = Signal(str)

    def __init__(self, name: str, options: Sequence[Option], sentence: bool = True, parent: QWidget | None = None):
        super().__init__(parent)
        self.options = {option.key: option for option in options}
        self.buttons: dict[str, QPushButton] = {}
        self.about = Label(parent=self, role="caption", wrap=True)
        self.about.setVisible(sentence)
        self._group = QButtonGroup(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # for the letter of its label; its proxy takes it
        row = QHBoxLayout()
        row.setSpacing(0)
        for at, option in enumerate(options):
            button = push_button(option.words, role="segment", parent=self)
            side = "left" if at == 0 else "right" if at == len(options) - 1 else ""
            button.setProperty("side", side)
            button.setCheckable(True)
            checked = QFontMetrics(interface_font(BODY, bold=True))  # the checked one is bold, and must not grow
            button.setMinimumWidth(checked.horizontalAdvance(option.words) + SPACE[4])
            button.setAutoDefault(False)
            button.setToolTip(plain(option.about))
            button.setAccessibleName(f"{name}: {option.words}")
            button.setAccessibleDescription(option.about)
            button.clicked.connect(self._on_clicked)
            self._group.addButton(button)
            self.buttons[option.key] = button
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addLayout(row)
        column.addWidget(self.about)
        self.choose(options[0].key)

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
        for button in self.buttons.values():
            button.setEnabled(on)
        self.about.setText(self.options[self.key].about if on else why_not)

    def _on_clicked(self) -> None:
        self.choose(self.key)
        self.changed.emit(self.key)
