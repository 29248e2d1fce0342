"""The text as the editor shows it: an image of the exact bytes, one UTF-16 unit for every unit of the text.

Qt cannot keep every character (it takes CR, U+2028 and some others for its own line ends), so the editor shows signs
in their place and never reads the text back: the exact bytes are those of the document.
"""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np

from arplay.core.modalities.spans import Index, to_text, utf16_index

BROKEN = "\ufffd"
"""Stands for a byte that is part of no whole character."""

_SIGNS = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"}
_SIGNS |= {0x7F: "␡", 0x85: "↲", 0x2028: "↲", 0x2029: "¶", 0xFEFF: "▯", 0xFFFC: "▯", 0xFDD0: "▯", 0xFDD1: "▯"}
_SIGNS |= {0xFFFE: "▯", 0xFFFF: "▯"}
_SIGNS |= {0xDC00 + byte: BROKEN for byte in range(0x80, 0x100)}
_NEEDS_SIGN = re.compile("[" + "".join(map(re.escape, map(chr, _SIGNS))) + "]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def image(data: bytes) -> str:
    """What Qt is given for ``data``.

    >>> image(b"a\\r\\n\\xff")
    'a␍\\n\ufffd'
    """
    text = to_text(data)
    return _NEEDS_SIGN.sub(lambda found: _SIGNS[ord(found[0])], text.replace("\r", "␍"))


def label(char: str) -> str | None:
    """Two figures that the editor paints over the sign of a control or a broken byte (few fonts have the signs)."""
    code = ord(char)
    if char == "\r":
        return "CR"
    if (code < 0x20 and char not in "\t\n") or code == 0x7F:
        return f"{code:02X}"
    return f"{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else None


def needs_label(data: bytes) -> bool:
    """Whether any character of ``data`` has a :func:`label` (quick)."""
    try:
        return _CONTROLS.search(data.decode("utf-8")) is not None
    except UnicodeDecodeError:
        return True


class ShownText:
    """One text, and the way between its bytes and the UTF-16 units in which Qt counts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._plain = data.isascii()

    @cached_property
    def _index(self) -> Index:
        return utf16_index(self.data)

    @property
    def length(self) -> int:
        return self.unit(len(self.data))

    def unit(self, byte: int) -> int:
        """A byte inside a character counts as after it."""
        return byte if self._plain else int(self._index[byte])

    def units(self, positions: Index) -> Index:
        return positions if self._plain else self._index[positions]

    def floor(self, byte: int) -> int:
        """Like :meth:`unit`, but a byte inside a character counts as before it."""
        if not self._plain and byte + 1 < len(self._index) and self._index[byte + 1] == self._index[byte]:
            return int(self._index[int(np.searchsorted(self._index, self._index[byte])) - 1])
        return self.unit(byte)

    def byte(self, unit: int) -> int:
        """Between the halves of a surrogate pair: the start of the character."""
        return unit if self._plain else int(np.searchsorted(self._index, unit, side="right")) - 1
