"""What the fonts of this machine have pictures for; what they have none for is written in figures."""

from __future__ import annotations

import re
from functools import cache

from PySide6.QtGui import QFontMetrics, QGuiApplication

from arplay.gui.theme import interface_font

_PICTURE = re.compile("[\u2400-\u2421]")
_DELETE = 0x2421


def drawable(text: str) -> str:
    """``text`` with figures for the pictures of control characters that no font has: ⟨0D⟩ where ␍ would be a box.

    Without a window nothing is drawn, and the signs stay.

    >>> drawable("␣the")
    '␣the'
    """
    return _PICTURE.sub(lambda found: found[0] if _is_there(found[0]) else _figures(ord(found[0])), text)


def _figures(code: int) -> str:
    return f"⟨{0x7F if code == _DELETE else code - 0x2400:02X}⟩"


@cache
def _has(char: str) -> bool:
    """Whether the font or one of those that Qt falls back on can draw it."""
    return QFontMetrics(interface_font()).inFontUcs4(ord(char))


def _is_there(char: str) -> bool:
    return QGuiApplication.instance() is None or _has(char)
