"""Keys of the text field: commands of the window, and what writes or deletes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QTextCursor

from arplay.gui.canvases.text.shown import ShownText

_Keys = QKeySequence.StandardKey
_Mods = Qt.KeyboardModifier
_COMMANDS = {
    (Qt.Key.Key_Return, _Mods.ControlModifier): "take",
    (Qt.Key.Key_Enter, _Mods.ControlModifier): "take",
    (Qt.Key.Key_Right, _Mods.AltModifier): "take",
    (Qt.Key.Key_Left, _Mods.AltModifier): "rewind",
    (Qt.Key.Key_Space, _Mods.ControlModifier): "step",
    (Qt.Key.Key_Period, _Mods.ControlModifier): "alternatives",
    (Qt.Key.Key_Escape, _Mods.NoModifier): "leave",
}
_REMOVALS = {
    _Keys.DeleteStartOfWord: QTextCursor.MoveOperation.PreviousWord,
    _Keys.DeleteEndOfWord: QTextCursor.MoveOperation.NextWord,
    _Keys.DeleteEndOfLine: QTextCursor.MoveOperation.EndOfBlock,
    _Keys.Delete: QTextCursor.MoveOperation.NextCharacter,
}


def command_of(event: QKeyEvent) -> str | None:
    """The window's command that the key stands for."""
    return _COMMANDS.get((Qt.Key(event.key()), event.modifiers() & ~_Mods.KeypadModifier))


def to_ghost(event: QKeyEvent) -> str | None:
    """What the key says to the ghost text, where there is one."""
    known = {Qt.Key.Key_Tab: "accept_ghost", Qt.Key.Key_Escape: "hide_ghost"}
    return None if event.modifiers() else known.get(Qt.Key(event.key()))


def is_undo(event: QKeyEvent) -> bool:
    """Undo and redo are the window's own, not Qt's."""
    return event.matches(_Keys.Undo) or event.matches(_Keys.Redo)


def is_newline(event: QKeyEvent) -> bool:
    return event.matches(_Keys.InsertParagraphSeparator) or event.matches(_Keys.InsertLineSeparator)


def removed(event: QKeyEvent, cursor: QTextCursor, shown: ShownText) -> QTextCursor | None:
    """What the key deletes, as a selection; None where it is no such key."""
    backspace = event.key() == Qt.Key.Key_Backspace and not event.modifiers() & ~_Mods.ShiftModifier
    move = next((move for key, move in _REMOVALS.items() if event.matches(key)), None)
    if not backspace and move is None:
        return None
    if not cursor.hasSelection():
        if move is not None:
            cursor.movePosition(move, QTextCursor.MoveMode.KeepAnchor)
        elif cursor.position():  # one code point, so that an accent can be taken off its letter
            before = shown.byte(cursor.position() - 1)
            cursor.setPosition(shown.unit(before), QTextCursor.MoveMode.KeepAnchor)
    return cursor
