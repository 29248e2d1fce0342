"""Going through a document: the places that a search found, and the tokens that surprised the model."""

from __future__ import annotations

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Ids

BLOCK = 1 << 14
"""Tokens that are looked at together."""


def beside(spans: Ids, unit: int, step: int) -> tuple[int, bool] | None:
    """The place of ``spans`` that is first behind ``unit`` (``step`` 1, or at it: 0) or before it (-1).

    Past the last one the search goes on at the first, and the other way round; the flag says so. None: no place.

    >>> beside(np.array([[2, 3], [8, 9]]), 2, 1), beside(np.array([[2, 3], [8, 9]]), 2, -1)
    ((1, False), (1, True))
    """
    if not len(spans):
        return None
    starts = spans[:, 0]
    at = int(starts.searchsorted(unit, "right" if step > 0 else "left")) - (step < 0)
    return at % len(starts), not 0 <= at < len(starts)


def surprise(ledger: Ledger, index: int, step: int, nats: float) -> tuple[int, bool] | None:
    """The next (``step`` 1) or former (-1) token with -log p of at least ``nats``, as in :func:`beside`.

    ``index`` may be len(ledger), the end. None: no scored token is as surprising.
    """
    behind = min(index + 1 if step > 0 else index, ledger.done)
    ways = ((behind, ledger.done), (0, behind)) if step >= 0 else ((0, behind), (behind, ledger.done))
    for wrapped, (first, stop) in zip((False, True), ways, strict=True):
        starts = range(first, stop, BLOCK)  # most often one is near
        for start in starts if step >= 0 else reversed(starts):
            places = np.flatnonzero(-ledger.logprob[start : min(start + BLOCK, stop)] >= nats)
            if len(places):
                return start + int(places[0 if step >= 0 else -1]), wrapped
    return None
