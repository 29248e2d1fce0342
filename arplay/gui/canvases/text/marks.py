"""What the editor knows of its text and shows on it: tokens, kept ids, scores, what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Found, Ids
from arplay.gui.settings import Settings, Tokens

NOT_KNOWN = -1
"""Stands for the id of a token around what was edited, until the tokenizer has cut it anew."""


@dataclass(frozen=True, eq=False, slots=True)
class Marks:
    """Tokens of the text by the byte where each ends, their ids, which of these were kept, and what is shown of them.

    ``selected``: bytes of the tokens that light up everywhere. ``departures``: bytes whose ids are not canonical.
    ``ledger``: scores of this text or of an earlier one; those of the first ``known`` tokens are true of this one.
    ``found``: what a search found in it. ``rewound``: bytes that Rewind would go back over; ``taken``: and take away.
    """

    ids: Ids
    ends: Ids
    fixed: NDArray[np.bool_]
    selected: tuple[int, int] | None = None
    departures: tuple[tuple[int, int], ...] = ()
    tokens: Tokens = Settings().tokens
    hidden: bool = False
    ledger: Ledger | None = None
    known: int = 0
    found: Found | None = None
    rewound: tuple[int, int] | None = None
    taken: bool = False

    def looks_like(self, other: Marks) -> bool:
        """Whether both are painted alike; arrays and scores are told apart by which they are, not by what they hold.

        Scores are seen as colours only: while a long text is scored, new ones come several times a second.
        """
        names = set(self.__slots__) - (set() if self.tokens == "colours" else {"ledger", "known"})
        pairs = ((getattr(self, name), getattr(other, name)) for name in names)
        return all(mine is its or (isinstance(mine, tuple | str | int) and mine == its) for mine, its in pairs)

    def after(self, start: int, old_end: int, new_end: int) -> Marks:
        """The marks to show until the new tokens are known: those outside of the bytes that were replaced."""
        moved = new_end - old_end
        before, behind = self.ends <= start, self.ends >= old_end
        behind &= ~before
        count = int(np.count_nonzero(before))
        ids = np.concatenate([self.ids[before], np.full(np.count_nonzero(behind), NOT_KNOWN)])
        ends = np.concatenate([self.ends[before], self.ends[behind] + moved])
        fixed = np.concatenate([self.fixed[before], self.fixed[behind]])
        departures = tuple(
            (low + moved, high + moved) if low >= old_end else (low, high)
            for low, high in self.departures
            if high <= start or low >= old_end
        )
        known = min(self.known, count)
        cut = replace(self, ids=ids, ends=ends, fixed=fixed, departures=departures, known=known)
        return replace(cut, selected=None, found=None, rewound=None)

    def scored_by(self, ledger: Ledger | None) -> Marks:
        """These marks with the scores of ``ledger``.

        What a model says of a token depends on the tokens before it alone, so the scores of an earlier text hold up to
        the first token in which both differ.
        """
        return replace(self, ledger=ledger, known=_alike(self.ids, self.ends, ledger) if ledger is not None else 0)


NO_MARKS = Marks(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))


def _alike(ids: Ids, ends: Ids, ledger: Ledger) -> int:
    """How many tokens a text and a scored one have in common from the start, of those that are scored already."""
    count = min(len(ids), ledger.done)
    if ids is ledger.ids and ends is ledger.ends:  # the usual case of a long text, of which many ledgers come
        return count
    differing = (ids[:count] != ledger.ids[:count]) | (ends[:count] != ledger.ends[:count])
    return int(np.argmax(differing)) if differing.any() else count
