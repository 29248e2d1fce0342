"""Where did my token go? A token is named, and the stage that cut it is told."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from arplay.core.decoding.bias import id_of
from arplay.core.decoding.pipeline import Decoded
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.decoding.effect import whereabouts
from arplay.gui.widgets.layouts import in_column


class Whereabouts(QWidget):
    """A field for a token, and below it the stage that removed it with the threshold that it missed."""

    def __init__(self) -> None:
        super().__init__()
        self._decoded: Decoded | None = None
        self._tokens: TokenSet | None = None
        self.field = QLineEdit()
        self.field.setPlaceholderText("Where did my token go?")
        self.field.setAccessibleName("Where did my token go?")
        self.field.setToolTip("A token, such as ␣the, or its id, such as #262: which stage cut it, and by what")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._show)
        self.told = Label(role="caption", wrap=True)
        self.told.hide()
        in_column(self.field, self.told, on=self, spacing=SPACE[0])

    def show_decoded(self, decoded: Decoded | None, tokens: TokenSet | None) -> None:
        """Of a moment ago while there is none."""
        if decoded is not self._decoded or tokens is not self._tokens:
            self._decoded, self._tokens = decoded, tokens
            self._show()

    def _show(self) -> None:
        text = self.field.text()
        self.told.setVisible(bool(text))
        if not text:
            return
        if self._decoded is None or self._tokens is None:
            self.told.setText("There is no distribution here.")
            return
        id = _meant(text, self._tokens)
        if id is None or id >= self._decoded.own.size:
            self.told.setText("No token of this model is or begins so.")
        else:
            self.told.setText(whereabouts(self._decoded, id, self._tokens))


def _meant(text: str, tokens: TokenSet) -> int | None:
    """The token that is named so, else the first that has the text in it."""
    try:
        return id_of(text, tokens)
    except Problem:
        return next(iter(tokens.find(text, 1)), None)
