"""Where bytes, code points and UTF-16 units of one text meet (models count bytes, Python characters, Qt units)."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from arplay.core.recent import Recent

Index = NDArray[np.int64]
STEP = 1024


def to_text(data: bytes) -> str:
    """The text of ``data``; a byte that is part of no whole character becomes one lone surrogate U+DC00+byte."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """The inverse of :func:`to_text`. Raises UnicodeEncodeError for any other lone surrogate."""
    return text.encode("utf-8", "surrogateescape")


BLOCK = 1 << 18
"""Bytes that are counted at once: nobody else's thread waits for longer than a few milliseconds."""


def counted(data: bytes, block: int = BLOCK) -> tuple[int, int]:
    """Code points and words (as ``str.split`` finds them) of a text, block by block.

    >>> counted("é ab c".encode()), counted("é ab c".encode(), block=1)
    ((6, 3), (6, 3))
    """
    chars = words = at = 0
    inside = False  # whether the last block ended in a word
    while at < len(data):
        end = min(at + block, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80 and end - at < block + 4:
            end += 1  # a character is not cut
        text, at = to_text(data[at:end]), end
        chars, words = chars + len(text), words + len(text.split()) - (inside and not text[0].isspace())
        inside = not text[-1].isspace()
    return chars, words


def char_spans(data: bytes, starts: Index, ends: Index) -> tuple[Index, Index]:
    """Byte spans -> the smallest runs of code points that they touch, two arrays of shape (n,).

    A span of no bytes (a token that the tokenizer put there) touches none, (i, i),
    unless it is inside of one.

    >>> char_spans("é!".encode(), np.array([0, 1, 2]), np.array([1, 2, 3]))  # é is two bytes
    (array([0, 0, 1]), array([1, 1, 2]))
    """
    if len(starts) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = np.append(_units(data) > 0, True)  # the end of the text is the place of one more
    owner = np.cumsum(first) - 1
    return owner[starts], np.where(ends > starts, owner[ends - 1] + 1, owner[starts] + ~first[starts])


def char_starts(data: bytes) -> Index:
    """The byte where each code point begins, and the end of the text, shape (code points + 1,).

    >>> char_starts("é!".encode())
    array([0, 2, 3])
    """
    return np.append(np.flatnonzero(_units(data)), len(data))


class Utf16:
    """Between the bytes of a text and UTF-16 positions: a sum each KiB, and those within it once they are asked for.

    >>> places = Utf16("a😀".encode())
    >>> [places.of(byte) for byte in range(6)], [places.byte(unit) for unit in range(4)]
    ([0, 1, 3, 3, 3, 3], [0, 1, 1, 5])
    """

    def __init__(self, data: bytes) -> None:
        self._each = _units(data)
        whole = len(data) // STEP * STEP
        self._bases = [0, *np.cumsum(self._each[:whole].reshape(-1, STEP).sum(axis=1, dtype=np.int64)).tolist()]
        self._within = Recent[int, list[int]](64)

    def of(self, byte: int) -> int:
        """A byte inside a character counts as after it."""
        return self._places(byte // STEP)[byte % STEP]

    def floor(self, byte: int) -> int:
        """A byte inside a character counts as before it."""
        if byte < len(self._each):
            while not self._each[byte]:
                byte -= 1
        return self.of(byte)

    def byte(self, unit: int) -> int:
        """Between the halves of a surrogate pair: the start of the character."""
        block = bisect_right(self._bases, unit) - 1
        return block * STEP + bisect_right(self._places(block), unit) - 1

    def _places(self, block: int) -> list[int]:
        """Of the bytes of one KiB, and of the one behind them."""

        def make() -> list[int]:
            each = self._each[block * STEP : (block + 1) * STEP]
            return [self._bases[block], *(self._bases[block] + np.cumsum(each, dtype=np.int64)).tolist()]

        return self._within.get(block, make)


def change(old: bytes, new: bytes) -> tuple[int, int, int]:
    """(start, end of the old, end of the new): the smallest stretch outside of which both have the same characters.

    >>> change("aéz".encode(), "aèz".encode())  # é and è share their first byte
    (1, 3, 3)
    """
    start = _common(old, new)
    tail = _common(old[start:][::-1], new[start:][::-1])
    for back in range(1, min(3, start) + 1):
        if old[start - back] >= 0xC0:
            start -= back
            break
        if old[start - back] < 0x80:
            break
    for _ in range(3):
        if tail and old[len(old) - tail] & 0xC0 == 0x80:
            tail -= 1
    return start, len(old) - tail, len(new) - tail


def _common(a: bytes, b: bytes) -> int:
    """How many bytes both begin with."""
    size = min(len(a), len(b))
    if a[:size] == b[:size]:
        return size
    return int(np.argmax(np.frombuffer(a, np.uint8, size) != np.frombuffer(b, np.uint8, size)))


_LEAD = np.ones(256, np.uint8)
_LEAD[0x80:0xC0] = 0
_LEAD[0xF0:] = 2


def _units(data: bytes) -> NDArray[np.uint8]:
    """For every byte, the UTF-16 units of the character that begins there; 0 inside a character."""
    units = _LEAD[np.frombuffer(data, np.uint8)]
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        points = np.frombuffer(to_text(data).encode("utf-32-le", "surrogatepass"), np.uint32)
        broken = (points >= 0xDC80) & (points <= 0xDCFF)
        widths = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
        widths[broken] = 1
        units[(np.cumsum(widths) - widths)[broken]] = 1
    return units
