"""The text as the editor shows it: an image of the exact bytes, one UTF-16 unit for every unit of the text.

Qt cannot keep every character (it takes CR, U+2028 and some others for its own line ends), and some turn a whole line
round or cannot be seen, so the editor shows signs in their place and never reads the text back: the exact bytes are
those of the document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, cached_property

from arplay.core.modalities.spans import Utf16, change, to_bytes, to_text
from arplay.core.signs import FILLERS, sign
from arplay.gui.canvases.text.heat.signs import JOINED, JOINER, kind

BROKEN, HIDDEN, FAR_HIDDEN = "\ufffd", "\u25af", "\U0001f78f"
"""What stands in Qt for a byte that is part of no whole character, for what cannot be seen, and for that beyond U+FFFF:
symbols that turn nothing round. The editor paints the sign over them."""

_QT_OWN = "\ufdd0\ufdd1\ufffe\uffff"
_DRAWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Of the characters that Unicode calls formats: signs of numbers and verses, which fonts draw."""
_JOINER = rb"(?:\xe2\x80[\x8c\x8d]|\xf3\xa0[\x80\x81][\x80-\xbf])"
_JOINERS, _JOINERS_BEFORE = re.compile(_JOINER + b"*"), re.compile(_JOINER + rb"*\Z")
_LOOK_BACK = 256
_SEEN = re.compile("[ -~\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]+")
"""ASCII, kana, ideographs and Korean syllables, of which a text may have thousands: nobody has to ask about each."""
_OBJECT = "\ufffc"
"""Qt's own sign for what is no text; fonts draw it, so it has no sign here."""


@cache
def _hides(char: str) -> bool:
    if char in "\t\n" or char in _DRAWN:
        return False
    tag = 0xE0000 <= ord(char) < 0xE0100
    return tag or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") or char in FILLERS or char in _QT_OWN


def signs(text: str, before: str = "") -> Iterator[tuple[int, str]]:
    """The index and the sign of every character of ``text`` that is not seen as itself; ``before`` stands before it.

    A joiner that joins stays.

    >>> list(signs("a\\r\\u202e")), list(signs("👩\\u200d👧")), list(signs("a\\u200d"))
    ([(1, '⟨CR⟩'), (2, '⟨U+202E⟩')], [], [(1, '⟨U+200D⟩')])
    """
    hidden = "".join(filter(_hides, set(_SEEN.sub("", text))))
    if not hidden:
        return
    joined = -2
    for found in re.finditer(f"[{re.escape(hidden)}]", text):
        at, char = found.start(), found[0]
        if kind(ord(char)) & JOINER:
            last = text[at - 1] if at else before[-1:]
            if joined == at - 1 >= 0 or (last and kind(ord(last)) & JOINED):
                joined = at
                continue
        yield at, sign(char)


def image(data: bytes, before: bytes = b"") -> str:
    """What Qt is given for ``data``.

    >>> image(b"a\\r\\n\\xff")
    'a▯\\n\ufffd'
    """
    text = to_text(data).replace(_OBJECT, HIDDEN)
    made, at = [], 0
    for index, _ in signs(text, to_text(before[-4:])):
        char = text[index]
        made += [text[at:index], BROKEN if "\udc80" <= char <= "\udcff" else HIDDEN if char <= "\uffff" else FAR_HIDDEN]
        at = index + 1
    return "".join([*made, text[at:]])


def changed(old: bytes, new: bytes) -> tuple[int, int, int]:
    """:func:`~arplay.core.modalities.spans.change` of what is shown: the joiners around it may join no longer."""
    start, old_end, new_end = change(old, new)
    low = max(0, start - _LOOK_BACK)
    found = _JOINERS_BEFORE.search(new, low, start)
    start = found.start() if found is not None else start
    more = _JOINERS.match(new, new_end)
    count = len(more[0]) if more is not None else 0
    return start, old_end + count, new_end + count


class ShownText:
    """One text, and the way between its bytes and the UTF-16 units in which Qt counts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._plain = data.isascii()

    @cached_property
    def _places(self) -> Utf16:
        return Utf16(self.data)

    def signs(self, low: int, high: int) -> Iterator[tuple[int, int, str]]:
        """Start and end of every character in the bytes [low, high) that is not seen as itself, and its sign."""
        text, at, byte = to_text(self.data[low:high]), 0, low
        for index, shown in signs(text, to_text(self.data[max(0, low - 4) : low])):
            byte += len(to_bytes(text[at:index]))
            at, start = index + 1, byte
            byte += len(to_bytes(text[index]))
            yield start, byte, shown

    def image(self, start: int, end: int) -> str:
        """Of the bytes [start, end)."""
        return image(self.data[start:end], self.data[max(0, start - 4) : start])

    @property
    def length(self) -> int:
        return self.unit(len(self.data))

    def unit(self, byte: int) -> int:
        """A byte inside a character counts as after it."""
        return byte if self._plain else self._places.of(byte)

    def floor(self, byte: int) -> int:
        """Like :meth:`unit`, but a byte inside a character counts as before it."""
        return byte if self._plain else self._places.floor(byte)

    def byte(self, unit: int) -> int:
        """Between the halves of a surrogate pair: the start of the character."""
        return unit if self._plain else self._places.byte(unit)
