"""Where a long text may be cut so that its parts have the tokens that the whole has: each cut is tried out.

A tokenizer holds some hundred bytes of notes a token while it works, and cannot be interrupted, so a text of 50 MB as a
whole would take gigabytes and a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np

from arplay.core import waits
from arplay.core.modalities.base import Ids
from arplay.core.modalities.spans import to_bytes, to_text
from arplay.core.rising import place_in

STRETCH = 1 << 18
"""Characters of a stretch, about. A text of less than two is not cut."""
AROUND = 400
"""Bytes on both sides of a cut that have to have the same tokens with it and without."""
_TRIES = 40

Piece = tuple[list[int], Ids, int]
"""Ids, the byte where each ends, counted from the piece's first, and how many bytes it has."""
Cut = Callable[[str, bool], tuple[list[int], Ids]]
"""The ids of a text and where each ends; whether a text begins with it."""
Inner = Callable[[str], Sequence[int]]
"""The ids of a text that stands in the middle of another."""


def stretches(
    text: str, start: bool, cut: Cut, inner: Inner, stretch: int = STRETCH, around: int = AROUND
) -> Iterator[Piece]:
    """The tokens of a text, a stretch at a time, as the whole has them.

    A tokenizer goes through a text from left to right, and no token depends on what stands hundreds of characters
    behind it. So a stretch is cut with some of what follows it, and only its tokens before that are taken. Where its
    last tokens and those behind them are the same as a whole and as two parts, the next stretch may begin there. Where
    no such place is found the rest stays whole, and a piece of nothing comes before it. Raises
    :class:`arplay.core.waits.Interrupted` between two stretches where another thread asks for that.
    """
    at = 0
    while len(text) - at > 2 * stretch:
        if waits.is_interrupted():
            raise waits.Interrupted("cutting the text into tokens", lost=False)
        part = text[at : at + stretch + around]
        ids, ends = cut(part, start and at == 0)
        count = _certain(to_bytes(part), ids, ends, inner, around)
        if not count:
            yield [], np.zeros(0, np.int64), 0
            break
        size = int(ends[count - 1])
        yield ids[:count], ends[:count], size
        at += len(to_text(to_bytes(part)[:size]))
    ids, ends = cut(text[at:], start and at == 0)
    yield ids, ends, len(to_bytes(text[at:]))


def _certain(data: bytes, ids: list[int], ends: Ids, inner: Inner, around: int) -> int:
    """How many of the tokens of ``data`` are the same whatever follows, and may be cut off; 0 where none are sure."""
    last = place_in(ends, len(data) - around, "right")
    words = (count for count in range(last, max(0, last - around), -1) if _is_between_words(data, int(ends[count - 1])))
    places = chain(words, range(last, max(0, last - _TRIES), -1))
    return next((count for count in places if _is_sure(data, ids, ends, count, inner, around)), 0)


def _is_between_words(data: bytes, place: int) -> bool:
    return data[place - 1 : place].isalpha() and data[place] == ord(" ") and data[place + 1 : place + 2].isalpha()


def _is_sure(data: bytes, ids: list[int], ends: Ids, count: int, inner: Inner, around: int) -> bool:
    """Whether the tokens around a cut behind ``count`` of them are the same with it and without.

    What is looked at begins where one of these very tokens does: in a long run of one letter others would not tell.
    """
    place = int(ends[count - 1])
    first = place_in(ends, place - around, "right")
    while first and not _begins(data, int(ends[first - 1])):
        first -= 1
    low = int(ends[first - 1]) if first else 0
    high = next((at for at in range(place + around, len(data)) if _begins(data, at)), len(data))
    if not (low < place < high and _begins(data, place)):
        return False
    left, right = inner(to_text(data[low:place])), inner(to_text(data[place:high]))
    return [*left] == ids[first:count] and [*left, *right] == [*inner(to_text(data[low:high]))]


def _begins(data: bytes, at: int) -> bool:
    """Whether a character begins here."""
    return data[at] & 0xC0 != 0x80
