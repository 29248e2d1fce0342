"""What the cache saves: the answer at a place once more, by one timed forward over its whole context."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Place
from arplay.core.reading import Reading
from arplay.engine.explore import Answered
from arplay.engine.messages import Question, Result
from arplay.engine.place import spot_of
from arplay.engine.state import State
from arplay.models.devices import out_of_memory


@dataclass(frozen=True, slots=True)
class Recompute(Question):
    """What would the answer to the :class:`Explore` of the same fields cost, and be, without a cache?"""

    document: Document
    place: Place
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Recomputed(Result):
    """``seconds`` of one forward over ``context`` tokens that neither reads nor keeps a cache.

    ``largest_difference`` of its logits from those of the answer at the same place; None where there was no answer.
    """

    document: Document
    place: Place
    context: int
    seconds: float
    largest_difference: float | None


def recompute(state: State, request: Recompute) -> Generator[None, None, Recomputed]:
    """Read the context of ``request`` without a cache, in one forward that cannot be interrupted.

    It is compared with the answer that :func:`arplay.engine.explore.explore` gave last, if that was in this context.
    Raises Problem for an empty context, and where memory runs out: the caches are not given up for a comparison.
    """
    model = state.current()
    context = spot_of(state, request.document, request.place, request.reading).context
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
    answered = state.kept(Answered).last
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
