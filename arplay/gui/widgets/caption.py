"""One line of quiet text."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from arplay.core.signs import markup, safe

LONG = 80
"""Characters of a tooltip's line: Qt wraps rich text about there, and plain text only at the edge of the screen."""


def plain(text: str) -> str:
    """``text`` for a tooltip: long lines are wrapped, nothing in it is markup, and nothing steers or hides.

    >>> plain("after <s>"), plain("after it"), plain("long " * 20)[:11]
    ('<span>after &lt;s&gt;</span>', 'after it', '<span>long ')
    """
    short = all(len(line) <= LONG for line in text.splitlines())
    return safe(text, keep="\n") if short and "<" not in text else f"<span>{markup(text)}</span>"


def set_role(widget: QWidget, role: str) -> None:
    """Let the style sheet draw it as another role; what it is drawn as already costs nothing."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Label(QLabel):
    """A label whose text is letters and no markup, unless it is told otherwise, and is :func:`safe`.

    ``role``: how the theme sets it; ``wrap``: into as many lines as it takes.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None, *, role: str = "", wrap: bool = False) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        if role:
            self.setProperty("role", role)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(safe(text, keep="\n"))


class Caption(Label):
    """A quiet line at first, or as many as ``lines``, cut with … where there is no room; the tooltip has it all."""

    def __init__(self, role: str = "caption", lines: int = 1) -> None:
        super().__init__(role=role, wrap=lines > 1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._lines = lines
        self.full = ""
        self.tip = ""
        """What the tooltip explains below the line itself."""

    def show_text(self, text: str) -> None:
        if text == self.full:
            return
        self.full = text
        self.setToolTip(plain(f"{text}\n\n{self.tip}" if self.tip else text))
        self.setAccessibleName(safe(text, keep="\n"))
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = max(0, self.width() - 2)
        ragged = room // 4 * (self._lines - 1)  # what words leave free at the ends of all lines but the last
        shown = self.fontMetrics().elidedText(
            self.full, Qt.TextElideMode.ElideRight, max(room, room * self._lines - ragged)
        )
        if shown != self.text():
            self.setText(shown)
