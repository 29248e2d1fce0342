"""Lines above the text that say what went wrong and what to do, until they are put away or no longer true."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from arplay.core.signs import markup
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.labels import capital


class Message(NamedTuple):
    cause: str
    remedy: str
    offer: QAction | None = None


class Notice(QFrame):
    """Cause in bold, remedy behind it, at most one offer as a button, and a cross.

    A message takes the place of the one before, but for one that stands as long as something is so (the text is not
    kept): that one stays below the others, and is put away after them.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self.setAccessibleName("Message")
        self._last: Message | None = None
        self._standing: Message | None = None
        self._sign = Label(parent=self)
        self._text = Label(parent=self, wrap=True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._offer = QToolButton(self)
        self._offer.hide()
        self._close = QToolButton(self)
        self._close.setProperty("role", "quiet")
        self._close.setToolTip("Put this message away")
        self._close.setAccessibleName("Put this message away")
        self._close.clicked.connect(self._put_away)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[2], SPACE[1], SPACE[1], SPACE[1])
        row.setSpacing(SPACE[1])
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self._offer)
        row.addWidget(self._close)
        self.hide()

    def report(self, cause: str, remedy: str, offer: QAction | None = None) -> None:
        self._last = Message(cause, remedy, offer)
        self._show()

    @property
    def said(self) -> tuple[str, str] | None:
        """Cause and remedy of the message that is shown, but for one that stands."""
        return self._last[:2] if self._last is not None else None

    def forget(self) -> None:
        """Put the message away; one that stands stays."""
        self._last = None
        self._show()

    def stand(self, cause: str, remedy: str, offer: QAction | None = None) -> None:
        """Tell what is so until :meth:`fall`."""
        self._standing = Message(cause, remedy, offer)
        self._show()

    def fall(self) -> None:
        """What stood is no longer so."""
        self._standing = None
        self._show()

    def _put_away(self) -> None:
        if self._last is None:
            self._standing = None
        self.forget()

    def _show(self) -> None:
        messages = [message for message in (self._last, self._standing) if message is not None]
        if messages:  # else the last words stay for whoever asks for them
            lines = (f"<b>{markup(capital(each.cause))}.</b> {markup(capital(each.remedy))}." for each in messages)
            self._text.setText("<br>".join(lines))
        offer = next((message.offer for message in messages if message.offer is not None), None)
        self._offer.setVisible(offer is not None)
        if offer is not None:
            self._offer.setDefaultAction(offer)
        self.setVisible(bool(messages))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """All lines can be read: the window shares out its height without asking how text is wrapped."""
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))  # -1: it was never shown

    def text(self) -> str:
        return self._text.text()

    def set_theme(self, theme: Theme) -> None:
        self._sign.setPixmap(icon("warning-circle", theme, "warning").pixmap(18, 18))
        self._close.setIcon(icon("x", theme))
