"""One line of quiet text."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

LONG = 80
"""Characters of a tooltip's line: Qt wraps rich text about there, and plain text only at the edge of the screen."""


def plain(text: str) -> str:
    """``text`` for a tooltip: long lines are wrapped, and the name of a token such as <s> is not taken for HTML.

    >>> plain("after <s>"), plain("after it"), plain("long " * 20)[:11]
    ('<span>after &lt;s&gt;</span>', 'after it', '<span>long ')
    """
    short = all(len(line) <= LONG for line in text.splitlines())
    return text if short and "<" not in text else f"<span>{html.escape(text).replace(chr(10), '<br>')}</span>"


class Caption(QLabel):
    """One quiet line that is cut with … where there is no room; the tooltip has it all."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "caption")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.full = ""
        self.tip = ""
        """What the tooltip explains below the line itself."""

    def show_text(self, text: str) -> None:
        self.full = text
        self.setToolTip(plain(f"{text}\n\n{self.tip}" if self.tip else text))
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self.full, Qt.TextElideMode.ElideRight, max(0, self.width() - 2)))
