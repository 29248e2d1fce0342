"""Where the ids of a text are others than its tokenizer would choose."""

from __future__ import annotations

import numpy as np

from arplay.core.modalities.base import Encoded
from arplay.core.modalities.vocabulary import Tokens


def departures(encoded: Encoded, canonical: Tokens | Encoded) -> list[tuple[int, int]]:
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
