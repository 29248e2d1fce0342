"""A place in a chain, and the whole answer to "what comes next here?" that every view shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.distribution import Distribution
from arplay.core.document import Encoded, Prefix
from arplay.core.pieces import Pieces


@dataclass(frozen=True, slots=True)
class Position:
    """The model reads chain[start:end] and says what stands at ``end``; the chain begins with the lead pieces.

    ``before``: how many of the lead pieces it reads once more before a start that is not 0.
    """

    start: int
    end: int
    before: int = 0

    @property
    def context(self) -> int:
        return self.before + self.end - self.start


def departures(encoded: Encoded, canonical: Pieces) -> list[tuple[int, int]]:
    """Byte spans in which the kept ids are not those that the tokenizer would choose for the same text.

    A span runs between two places where both tokenisations have a boundary, and holds different ids between them.
    """
    spans: list[tuple[int, int]] = []
    n = min(len(encoded.ids), len(canonical))
    differing = np.flatnonzero(encoded.ids[:n] != canonical.ids[:n])
    same = int(differing[0]) if len(differing) else n  # nearly always all: a text is looked at after every step
    low, i, j = int(encoded.ends[same - 1]) if same else 0, same, same
    shared = np.intersect1d(encoded.ends[same:], canonical.ends[same:])
    mine = np.searchsorted(encoded.ends, shared) + 1
    theirs = np.searchsorted(canonical.ends, shared) + 1
    for high, next_i, next_j in zip(shared.tolist(), mine.tolist(), theirs.tolist(), strict=True):
        if not np.array_equal(encoded.ids[i:next_i], canonical.ids[j:next_j]):
            if spans and spans[-1][1] == low:
                spans[-1] = (spans[-1][0], high)
            else:
                spans.append((low, high))
        low, i, j = high, next_i, next_j
    return spans


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """p(next | prefix) at one caret, with everything needed to show where it is and how it was got.

    ``lead``: ids put before the text; ``first_piece``: the name of that rule. ``prefix``: the pieces before the caret
    and the one that follows. ``encoded``: the whole text's pieces. ``distribution`` is None where there is no p(x_1).
    ``evaluated``: pieces that the model had to read for
    this answer, in ``seconds``; the first ``reused`` pieces of the context came from a cache. ``cache_bytes``: what all
    ``branches`` (the sessions that are kept) hold, shared memory counted once.
    """

    lead: tuple[int, ...]
    first_piece: str
    prefix: Prefix
    encoded: Encoded
    position: Position
    distribution: Distribution | None
    evaluated: int
    seconds: float
    cache_bytes: int
    reused: int = 0
    branches: int = 0
