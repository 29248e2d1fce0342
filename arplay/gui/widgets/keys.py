"""What keys are: those that walk through a list of rows, and those that write."""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent


def row_after(key: int, place: int, count: int, page: int) -> int | None:
    """Where ↑ ↓, Page, Home and End go from row ``place`` of ``count``; None for any other key.

    >>> [row_after(key, 3, 5, 10) for key in (Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_A)]
    [2, 4, None]
    """
    keys = Qt.Key
    moves: dict[int, int] = {
        keys.Key_Up: place - 1,
        keys.Key_Down: place + 1,
        keys.Key_PageUp: place - page,
        keys.Key_PageDown: place + page,
        keys.Key_Home: 0,
        keys.Key_End: count - 1,
    }
    to = moves.get(key)
    return None if to is None else max(0, min(to, count - 1))


def writes(event: QKeyEvent) -> bool:
    """Whether the key stands for text (as Qt's own editors decide it)."""
    text, mods, control = event.text(), event.modifiers(), Qt.KeyboardModifier.ControlModifier
    if not text or mods in (control, control | Qt.KeyboardModifier.ShiftModifier):
        return False
    return text[0] == "\t" or unicodedata.category(text[0]) != "Cc"
