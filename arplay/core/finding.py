"""Going through a document: the places that a search found, and the tokens that surprised the model."""

from __future__ import annotations

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Ids


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
    places = np.flatnonzero(-ledger.logprob[: ledger.done] >= nats)
    found = beside(np.stack([places, places + 1], axis=1), index, step)
    return None if found is None else (int(places[found[0]]), found[1])
