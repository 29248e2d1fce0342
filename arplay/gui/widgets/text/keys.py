"""Keys of the text field: commands of the window, and what writes or deletes."""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QTextCursor

_Keys = QKeySequence.StandardKey
_Mods = Qt.KeyboardModifier
_COMMANDS = {
    (Qt.Key.Key_Return, _Mods.ControlModifier): "take",
    (Qt.Key.Key_Enter, _Mods.ControlModifier): "take",
    (Qt.Key.Key_Right, _Mods.AltModifier): "take",
    (Qt.Key.Key_Left, _Mods.AltModifier): "rewind",
    (Qt.Key.Key_Space, _Mods.ControlModifier): "step",
    (Qt.Key.Key_Escape, _Mods.NoModifier): "leave",
}
REMOVALS = {
    _Keys.DeleteStartOfWord: QTextCursor.MoveOperation.PreviousWord,
    _Keys.DeleteEndOfWord: QTextCursor.MoveOperation.NextWord,
    _Keys.DeleteEndOfLine: QTextCursor.MoveOperation.EndOfBlock,
    _Keys.Delete: QTextCursor.MoveOperation.NextCharacter,
}


def command_of(event: QKeyEvent) -> str | None:
    """The window's command that the key stands for."""
    return _COMMANDS.get((Qt.Key(event.key()), event.modifiers() & ~_Mods.KeypadModifier))


def is_undo(event: QKeyEvent) -> bool:
    """Undo and redo are the window's own, not Qt's."""
    return event.matches(_Keys.Undo) or event.matches(_Keys.Redo)


def is_newline(event: QKeyEvent) -> bool:
    return event.matches(_Keys.InsertParagraphSeparator) or event.matches(_Keys.InsertLineSeparator)


def is_backspace(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Backspace and not event.modifiers() & ~_Mods.ShiftModifier


def writes(event: QKeyEvent) -> bool:
    """Whether the key stands for text (as Qt's own editors decide it)."""
    text, mods = event.text(), event.modifiers()
    if not text or mods in (_Mods.ControlModifier, _Mods.ControlModifier | _Mods.ShiftModifier):
        return False
    return text[0] == "\t" or unicodedata.category(text[0]) != "Cc"
