"""Where bytes, code points and UTF-16 units of one text meet (models count bytes, Python characters, Qt units)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


def to_text(data: bytes) -> str:
    """The text of ``data``; a byte that is part of no whole character becomes one lone surrogate U+DC80+byte."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """The inverse of :func:`to_text`. Raises UnicodeEncodeError for any other lone surrogate."""
    return text.encode("utf-8", "surrogateescape")


def char_spans(data: bytes, starts: Index, ends: Index) -> tuple[Index, Index]:
    """Byte spans -> the smallest runs of code points that they touch, two arrays of shape (n,).

    >>> char_spans("é!".encode(), np.array([0, 1, 2]), np.array([1, 2, 3]))  # é is two bytes
    (array([0, 0, 1]), array([1, 1, 2]))
    """
    if len(starts) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    owner = np.repeat(np.arange(len(to_text(data)), dtype=np.int64), _widths(data))
    return owner[starts], owner[ends - 1] + 1


def utf16_ends(data: bytes, ends: Index) -> Index:
    """Byte positions -> UTF-16 positions (a position inside a character counts as after it), shape (n,)."""
    points = _code_points(data)
    units = np.where(points >= 0x10000, 2, 1)
    after_byte = np.repeat(np.cumsum(units), _widths(data))
    return np.concatenate([np.zeros(1, np.int64), after_byte])[ends]


def byte_of_utf16(text: str, position: int) -> int:
    """The byte position of a UTF-16 position in a text made by :func:`to_text`."""
    if text.isascii():
        return position
    head = text.encode("utf-16-le", "surrogatepass")[: 2 * position]
    return len(head.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogateescape"))


def _code_points(data: bytes) -> NDArray[np.uint32]:
    return np.frombuffer(to_text(data).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _widths(data: bytes) -> Index:
    """Bytes of every code point; a broken byte is a code point of its own."""
    points = _code_points(data)
    widths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    widths[(points >= 0xDC80) & (points <= 0xDCFF)] = 1
    return widths.astype(np.int64)
