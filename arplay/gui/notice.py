"""A line above the text that says what went wrong and what to do, until it is put away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from arplay.core.signs import markup
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.words import capital


class Notice(QFrame):
    """Cause in bold, remedy behind it, at most one offer as a button, and a cross."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self.setAccessibleName("Message")
        self.said: tuple[str, str] | None = None
        """Cause and remedy of the message that is shown, or was last."""
        self._sign = Label(parent=self)
        self._text = Label(parent=self)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._offer = QToolButton(self)
        self._offer.hide()
        self._close = QToolButton(self)
        self._close.setProperty("role", "quiet")
        self._close.setToolTip("Put this message away")
        self._close.setAccessibleName("Put this message away")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[2], SPACE[1], SPACE[1], SPACE[1])
        row.setSpacing(SPACE[1])
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self._offer)
        row.addWidget(self._close)
        self.hide()

    def tell(self, cause: str, remedy: str, offer: QAction | None = None) -> None:
        self.said = (cause, remedy)
        self._text.setText(f"<b>{markup(capital(cause))}.</b> {markup(capital(remedy))}.")
        self._offer.setVisible(offer is not None)
        if offer is not None:
            self._offer.setDefaultAction(offer)
        self.show()

    def text(self) -> str:
        return self._text.text()

    def set_theme(self, theme: Theme) -> None:
        self._sign.setPixmap(icon("warning-circle", theme, "warning").pixmap(18, 18))
        self._close.setIcon(icon("x", theme))
