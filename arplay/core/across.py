"""Which tokens of one scoring stand where those of another do, whatever tokens each cut its document into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from arplay.core.aligned import in_other_order
from arplay.core.chain import Ledger
from arplay.core.edited import Edited

Tokens = tuple[int, int]
"""Tokens [first, stop)."""

Across = Callable[[Tokens], Tokens | None]
"""Where tokens of the one are in the other; None where nothing is there."""


@dataclass(frozen=True, eq=False)
class SameUnits:
    """Between two scorings of one document: all tokens that have a part of the same units.

    The pixel in the middle of nine is the fifth that one model reads, and the first of the other one:

    >>> from arplay import load
    >>> picture = chr(10).join(("#.#", ".#.", "#.#"))
    >>> row_by_row, from_centre = (load(name).score(picture).ledger for name in ("xo", "xo-centre"))
    >>> SameUnits(row_by_row, from_centre)((4, 5)), SameUnits(from_centre, from_centre)((4, 6))
    ((0, 1), (4, 6))
    """

    one: Ledger
    other: Ledger

    @cached_property
    def _places(self) -> dict[tuple[int, ...], int] | None:
        """Where the other one has each place, if both read the units in orders of their own."""
        return _places(self.other) if in_other_order(self.one, self.other) else None

    def __call__(self, tokens: Tokens) -> Tokens | None:
        if self._places is not None:
            (place,) = _places(self.one.part(tokens[0], tokens[0] + 1))
            there = self._places.get(place)
            return None if there is None else (there, there + 1)
        start, end = self.one.encoded.span(tokens[0])[0], self.one.encoded.span(tokens[1] - 1)[1]
        ends = self.other.ends
        first = int(np.searchsorted(ends, start, side="right"))
        return (first, max(first, int(np.searchsorted(ends, end))) + 1) if first < len(ends) else None


def _places(ledger: Ledger) -> dict[tuple[int, ...], int]:
    columns = ledger.encoded.record().values()
    return {place: index for index, place in enumerate(zip(*(each.tolist() for each in columns), strict=True))}


@dataclass(frozen=True, eq=False)
class SameText:
    """Between a text and what it was before an edit, from the one of them on ``side``: what stands in both, or what
    came in its place, perhaps nothing.

    >>> from arplay import load
    >>> from arplay.core.edited import edited
    >>> pair = edited(*(load("abc").score(text).ledger for text in ("BACB", "BCB")))
    >>> [SameText(pair, 0)((token, token + 1)) for token in range(4)]
    [(0, 1), (1, 1), (1, 2), (2, 3)]
    """

    pair: Edited
    side: int

    def __call__(self, tokens: Tokens) -> Tokens | None:
        here, there = self.pair.first[self.side], self.pair.first[1 - self.side]
        first, stop = np.searchsorted(here, (tokens[0], tokens[1] - 1), side="right")
        at = int(there[first - 1])
        return (at, int(there[stop])) if at < len(self.pair.ledgers[1 - self.side]) else None
