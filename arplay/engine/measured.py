"""What answers cost on the way through a document: a step with the cache, and one forward without it."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.core.timings import Timing, Timings, of_answer
from arplay.engine.explore import Explore, Explored, explore
from arplay.engine.job import Pause
from arplay.engine.messages import Progress, Result
from arplay.engine.recompute import Recompute, recompute
from arplay.engine.state import State

PLACES = 24
"""Lengths of the context at which is measured."""


def measured(state: State, document: Document, reading: Reading) -> Generator[Result | Pause | None, None, Timings]:
    """Timings at up to :data:`PLACES` places of ``document``, evenly spaced, its end among them.

    Raises Problem where the model keeps no cache, and for an empty document.
    """
    model, timings = state.current(), list[Timing | None]()
    if not model.can.keeps:
        raise Problem("this model keeps no cache", "choose a model that does, such as smollm2")
    encoded = state.encode(document, model.alphabet, reading.special)
    if not len(encoded):
        raise Problem("there is nothing to measure in an empty text", "give a text")
    for index in np.unique(np.linspace(1, len(encoded), PLACES, dtype=np.int64)).tolist():
        yield Progress(0, "measuring", index / len(encoded))
        for place in (index - 1, index):
            explored = yield from explore(state, Explore(0, document, document.place(encoded, place), reading))
            assert isinstance(explored, Explored)
            timings.append(of_answer(explored.answer))
        whole = yield from recompute(state, Recompute(0, document, document.place(encoded, index), reading))
        timings.append(Timing("uncached", whole.context, whole.context, whole.seconds, 0, whole.largest_difference))
    return tuple(timing for timing in timings if timing is not None)
