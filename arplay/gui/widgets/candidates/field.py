"""Where candidates are typed, or pasted a line each; and how a text is written that has lines or tabs in it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit

from arplay.textfile import of_lines

WIDE = 150
_SIGNS = (("↵", "\n"), ("⇥", "\t"), ("␣", " "))


def typed(text: str) -> str:
    """What was meant by what a line says.

    >>> typed("␣yes↵"), typed(" no")
    (' yes\\n', ' no')
    """
    for sign, meant in _SIGNS:
        text = text.replace(sign, meant)
    return text


def in_a_line(text: str) -> str:
    """``text`` as a line that can be edited: spaces stay.

    >>> in_a_line(" yes\\n")
    ' yes↵'
    """
    for sign, meant in _SIGNS[:2]:
        text = text.replace(meant, sign)
    return text


def pasted_lines() -> list[str]:
    """What the clipboard holds, a line each; none for no text."""
    return of_lines(QGuiApplication.clipboard().text())


class CandidateField(QLineEdit):
    """``entered``: candidates that were typed, one, or pasted, several."""

    entered = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(False)  # the panel takes files and several lines
        self.setPlaceholderText("what may follow")
        self.setAccessibleName("Another candidate")
        self.setToolTip("What may follow the caret, with its spaces; Enter adds it. ␣, ↵ and ⇥ are a space, a new line "
                        "and a tab. Several lines that are pasted are added one by one.")  # fmt: skip
        self.returnPressed.connect(self.enter)

    def sizeHint(self) -> QSize:
        return QSize(WIDE, super().sizeHint().height())

    def enter(self) -> None:
        if self.text():
            self.entered.emit([typed(self.text())])
            self.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter is nothing for the panel, too."""
        if event.matches(QKeySequence.StandardKey.Paste) and len(lines := pasted_lines()) > 1:
            self.entered.emit(lines)
            return
        super().keyPressEvent(event)
        event.accept()
