"""Where a long text may be cut so that its parts have the tokens that the whole has: each cut is tried out.

A tokenizer holds some hundred bytes of notes a token while it works, and cannot be interrupted, so a text of 50 MB as a
whole would take gigabytes and a minute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from arplay.core import waits

STRETCH = 1 << 18
"""Characters of a stretch, about. A text of less than two is not cut."""
AROUND = 400
"""Characters on both sides of a cut that have to have the same tokens with it and without."""
_TRIES = 40
_WORDS = re.compile(r"(?<=[^\W\d_])(?= [^\W\d_])")

Cut = Callable[[str], Sequence[int]]
"""The ids of a text that stands in the middle of another."""


def stretches(text: str, ids: Cut, stretch: int = STRETCH, around: int = AROUND) -> Iterator[str]:
    """The text in parts, each of which has the tokens that it has in the whole.

    A tokenizer goes through a text from left to right, and no token depends on what stands hundreds of characters away.
    So where the surroundings of a place have the same tokens as a whole and as two parts, a token begins there, and the
    parts may be cut each on its own. Where no such place is found near by, the rest stays whole. Raises
    :class:`arplay.core.waits.Interrupted` between two parts where another thread asks for that.
    """
    at = 0
    while len(text) - at > 2 * stretch:
        if waits.is_interrupted():
            raise waits.Interrupted("cutting the text into tokens", lost=False)
        near = at + stretch
        places = chain(
            (found.start() for found in _WORDS.finditer(text, near, near + stretch)), range(near, near + _TRIES)
        )
        fit = (place for place in places if _is_sure(text, place, ids, around))
        place = next(fit, None)
        if place is None:
            break
        yield text[at:place]
        at = place
    yield text[at:]


def _is_sure(text: str, place: int, ids: Cut, around: int) -> bool:
    low, high = max(0, place - around), place + around
    left, right = ids(text[low:place]), ids(text[place:high])
    return bool(left) and bool(right) and [*left, *right] == list(ids(text[low:high]))
