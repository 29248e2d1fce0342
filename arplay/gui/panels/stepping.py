"""Keys that step, in the chart and beside it: the same in every panel that writes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit

from arplay.gui.intents import Do, Intent, TakeRank
from arplay.gui.view import View

_Key = Qt.Key
_KEYS: dict[int, Do] = {
    _Key.Key_Right: Do("take"),
    _Key.Key_Left: Do("rewind"),
    _Key.Key_Space: Do("step"),
    _Key.Key_B: Do("branch"),
    _Key.Key_Up: Do("chart"),
    _Key.Key_Down: Do("chart"),
}


def stepping(event: QKeyEvent, view: View) -> Intent | None:
    """What the key asks for; None for any other key, and while a field has the focus that one writes into."""
    if isinstance(QApplication.focusWidget(), QLineEdit | QAbstractSpinBox):
        return None
    key, shift = event.key(), Qt.KeyboardModifier.ShiftModifier
    mods = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if _Key.Key_1 <= key <= _Key.Key_9 and not mods & ~shift:  # on some keyboards digits need Shift
        return TakeRank(key - _Key.Key_0)
    if mods == shift and key == _Key.Key_Right:
        return Do("word")
    if mods:
        return None
    if key == _Key.Key_P:
        return Do("pause" if view.playing else "play")
    return _KEYS.get(key)
