"""The line below the text: what is the case at the caret and in the text, calmly, each with the way back."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from arplay.gui.intents import Intent
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Caption, Label, plain
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.push_button import push_button

LEAST_WORDS = 120
"""Pixels that a note has at least."""


@dataclass(frozen=True)
class Note:
    """What is to be known, what it means (a tooltip), and the one thing that can be done about it."""

    text: str
    meaning: str
    action: str | None = None
    intent: Intent | None = None


class Notes(QWidget):
    """One line below the text; its owner keeps it in its place once something was said there."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.notes: tuple[Note, ...] = ()
        self._resting = ""
        self.lead = Label(role="special")
        self.lead.setToolTip("The model reads this before the text; it counts as context and is not scored.")
        self.lead.hide()
        self.label = Caption()
        self._row = in_row(self.lead, (self.label, 1), on=self, margins=(SPACE[0], 0, 0, 0), spacing=SPACE[1])
        self._buttons: list[QPushButton] = []
        self.setFixedHeight(self._button().sizeHint().height())

    def show_lead(self, names: str, why: str) -> None:
        """The tokens that the model reads before the text, and why; the reason gives way to notes."""
        self.lead.setText(names)
        self._fit()
        self.lead.setAccessibleName(f"{names}, {why}")
        if why != self._resting:
            self._resting = why
            self._show_words()

    def show_notes(self, notes: tuple[Note, ...]) -> None:
        if notes == self.notes:
            return
        self.notes = notes
        self._show_words()
        doing = [note for note in notes if note.action is not None]
        while len(self._buttons) < len(doing):
            self._button()
        for i, button in enumerate(self._buttons):
            button.setVisible(i < len(doing))
            if i < len(doing):
                button.setText(doing[i].action or "")
                button.setToolTip(plain(f"{doing[i].text}.\n{doing[i].meaning}"))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())

    def _fit(self) -> None:
        """Where there is little room a note and its button come before what is read before the text."""
        wide = self.lead.sizeHint().width() + sum(one.sizeHint().width() for one in self._buttons if not one.isHidden())
        self.lead.setVisible(bool(self.lead.text()) and (not self.notes or self.width() >= wide + LEAST_WORDS))

    def _show_words(self) -> None:
        words = "  ·  ".join(note.text for note in self.notes) or self._resting
        self.label.show_text(words)
        self.label.setToolTip(
            plain("\n\n".join(f"{note.text.rstrip('.')}.\n{note.meaning}" for note in self.notes) or words)
        )

    def button(self, action: str) -> QPushButton | None:
        """The button that does this, if it is offered."""
        return next((one for one in self._buttons if one.text() == action and not one.isHidden()), None)

    def _button(self) -> QPushButton:
        button = push_button("", "", self._on_clicked, role="chip", parent=self)
        button.hide()
        self._buttons.append(button)
        self._row.addWidget(button)
        return button

    def _on_clicked(self) -> None:
        doing = [note for note in self.notes if note.action is not None]
        at = self._buttons.index(self.sender())  # type: ignore[arg-type]
        if at < len(doing):  # else it was pressed in the moment in which its note went
            self.chosen.emit(doing[at].intent)
