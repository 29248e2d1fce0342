"""How byte pair encoding makes tokens of a word: from its smallest symbols, one merge after the other.

Of all neighbours that may be merged the pair of the lowest rank comes first (it was the most frequent when the merges
were learnt), and of equal ones the first in the word (Sennrich, Haddow and Birch 2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Merge:
    """``symbols`` are what there is after it; the one with index ``at`` was made, by the merge of this ``rank``.

    The merge that was learnt first has rank 1.
    """

    rank: int
    at: int
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A stretch of text that is cut on its own: no token goes beyond it.

    ``symbols``: what it begins with, ``merges`` what is done to them, ``ids`` and ``tokens`` what comes of it.
    ``scores``: of each token, where the tokenizer weighs them. ``note``: how, where nothing is merged.
    """

    text: str
    symbols: tuple[str, ...]
    merges: tuple[Merge, ...]
    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    scores: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """How a tokenizer of this ``kind`` made its tokens of a text, word by word."""

    kind: str
    words: tuple[Word, ...]


def merged(symbols: Sequence[str], ranks: Mapping[tuple[str, str], int]) -> tuple[Merge, ...]:
    """Every step from ``symbols`` to what no merge is left for.

    >>> [(step.rank, step.symbols) for step in merged("lower", {("e", "r"): 0, ("l", "o"): 1, ("lo", "w"): 2})]
    [(0, ('l', 'o', 'w', 'er')), (1, ('lo', 'w', 'er')), (2, ('low', 'er'))]
    """
    now, steps = list(symbols), list[Merge]()
    while True:
        known = ((ranks[pair], at) for at, pair in enumerate(pairwise(now)) if pair in ranks)
        best = min(known, default=None)
        if best is None:
            return tuple(steps)
        rank, at = best
        now[at : at + 2] = [now[at] + now[at + 1]]
        steps.append(Merge(rank, at, tuple(now)))
