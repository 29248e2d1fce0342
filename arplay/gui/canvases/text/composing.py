"""Input methods: what is composed is Qt's to preview; what is committed is text like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QInputMethodEvent, QTextCursor

if TYPE_CHECKING:
    from arplay.gui.canvases.text.area import TextArea

_CURSOR = QInputMethodEvent.AttributeType.Cursor


class Preview:
    """What is composed at the caret and not yet text. It outlives whatever happens to the text around it."""

    def __init__(self) -> None:
        self._text = ""
        self._attributes: list[QInputMethodEvent.Attribute] = []

    @property
    def hides_caret(self) -> bool:
        """Whether the input method shows a caret of its own inside of what is composed."""
        return bool(self._text) and any(one.type == _CURSOR and not one.length for one in self._attributes)

    def receive(self, area: TextArea, event: QInputMethodEvent) -> None:
        """One event may commit a syllable and begin the next: first the text, then what is composed behind it."""
        committed, start, length = event.commitString(), event.replacementStart(), event.replacementLength()
        self.take_away(area)
        elsewhere = bool(length or (committed and start))
        if area.textCursor().hasSelection() and (elsewhere or event.preeditString()):
            area.replace_selection(b"")
        if elsewhere:
            _replace_beside(area, committed, start, length)
        elif committed:
            area.insert(committed)
        self._text, self._attributes = event.preeditString(), event.attributes()
        area.preview(QInputMethodEvent(self._text, self._attributes))
        event.accept()

    def take_away(self, area: TextArea) -> None:
        if area.composing():
            area.preview(QInputMethodEvent())

    def put_back(self, area: TextArea) -> None:
        """After the text was changed around it by something else."""
        area.preview(QInputMethodEvent(self._text, self._attributes))


def _replace_beside(area: TextArea, text: str, start: int, length: int) -> None:
    """``text`` in place of ``length`` UTF-16 units from ``start`` units beside the caret, which stays by its letter."""
    cursor = area.textCursor()
    low = min(max(cursor.position() + start, 0), area.shown.length)
    cursor.setPosition(low)
    cursor.setPosition(min(low + length, area.shown.length), QTextCursor.MoveMode.KeepAnchor)
    area.replace(cursor.selectionStart(), cursor.selectionEnd(), text, stays=True)
