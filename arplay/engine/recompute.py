"""What the cache saves: the answer at a place once more, by one timed forward over its whole context."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np

from arplay.core.errors import Problem
from arplay.engine.messages import Recompute, Recomputed
from arplay.engine.place import spot_of
from arplay.engine.state import State
from arplay.models.devices import out_of_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray


def recompute(state: State, request: Recompute) -> Generator[None, None, Recomputed]:
    """Read the context of ``request`` without a cache, in one forward that cannot be interrupted.

    It is compared with the answer that :func:`arplay.engine.jobs.explore` gave last, if that was in this context.
    Raises Problem for an empty context, and where memory runs out: the caches are not given up for a comparison.
    """
    model = state.current()
    context = spot_of(state, request).context
    if not len(context):
        raise Problem("there is nothing to read before the first token", "type something first")
    yield None  # a step that was asked meanwhile comes first
    began = time.perf_counter()
    try:
        logits = model.uncached(context.tolist())
    except Exception as error:
        if not out_of_memory(error):
            raise
        cause = f"there is not enough memory to read {len(context):,} tokens at once"
        raise Problem(cause, "with the cache they are read in parts; nothing is lost") from error
    seconds = time.perf_counter() - began
    answered = state.answered
    same = answered is not None and np.array_equal(answered[0], context)
    largest = largest_difference(answered[1], logits) if answered is not None and same else None
    return Recomputed(request.number, request.document, request.place, len(context), seconds, largest)


def largest_difference(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """max |a - b|; equal infinities differ by 0, anything else that is no number by infinity.

    >>> largest_difference(np.array([1.0, -np.inf]), np.array([1.25, -np.inf]))
    0.25
    """
    with np.errstate(invalid="ignore"):
        gap = np.where(a == b, 0.0, np.abs(a.astype(np.float64) - b))
    return float(np.max(np.where(np.isnan(gap), np.inf, gap), initial=0.0))
