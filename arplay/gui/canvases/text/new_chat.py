"""A chat to begin with: what the system and the user say, and the reply so far."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.chats import chat, layout_of
from arplay.core.modalities.text import Text
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label

FIELDS = (("&System", "what the model is told first (may be empty)"), ("&User", ""), ("&Reply so far", "may be empty"))


class NewChat(QDialog):
    """``chosen`` emits what writes the chat in the tokens of a model. Raises Problem where they have no layout."""

    chosen = Signal(object)

    def __init__(self, tokens: TokenSet, parent: QWidget) -> None:
        layout = layout_of(tokens)
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"New chat, as {layout.name} models read it")
        column = QVBoxLayout(self)
        column.setSpacing(SPACE[1])
        self.fields: list[QPlainTextEdit] = []
        for words, hint in FIELDS:
            field = QPlainTextEdit(self)
            field.setPlaceholderText(hint)
            field.setTabChangesFocus(True)
            field.setAccessibleName(words.replace("&", ""))
            label = Label(words, self)
            label.setBuddy(field)
            column.addWidget(label)
            column.addWidget(field, 1)
            self.fields.append(field)
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel, self)
        buttons.accepted.connect(self._on_accept)
        ready = buttons.button(kinds.Ok)
        ready.setToolTip("Write the chat with its special tokens as a new text (Ctrl+Enter)")
        ready.setShortcut(QKeySequence("Ctrl+Return"))
        buttons.rejected.connect(self.close)
        column.addWidget(buttons)
        self.resize(520, 420)
        self.fields[1].setFocus()

    def _on_accept(self) -> None:
        system, user, reply = (field.toPlainText() for field in self.fields)
        self.close()

        def written(tokens: TokenSet) -> Text:
            return chat(tokens, system, user, reply)

        self.chosen.emit(written)
