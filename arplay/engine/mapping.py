"""A map of all that may follow: joint probabilities of chains, the most probable looked at first, within a budget."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.joint_map import Area, chain_of
from arplay.core.modalities.base import Document, Place
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.knowing import left_behind
from arplay.engine.messages import Question
from arplay.engine.place import OfPlace, free_spot
from arplay.engine.state import State
from arplay.models.base import next_of

MOST_CHILDREN = 24
"""So many tokens of a place are areas of their own; all tokens where they are not many more. The others are its rest.
"""
EXHAUSTIVE = 4096
"""Expansions that a model which counts always has: every chain of a small table."""
TELL_EVERY = 8


@dataclass(frozen=True, slots=True)
class Map(Question):
    """Chains of up to ``depth`` tokens behind ``place``, after ``pipeline``, by at most ``budget`` expansions.

    A model that counts has up to 4,096 of them, so that of a small table all chains are there.
    """

    document: Document
    place: Place
    depth: int
    budget: int
    pipeline: Pipeline = Pipeline()
    reading: Reading = Reading()
    stop_at: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Mapped(OfPlace):
    """``areas`` so far, parents first; ``rest``: of the place itself, as that of an area. ``whole``: every chain is
    there."""

    areas: tuple[Area, ...]
    rest: float
    expansions: int
    whole: bool
    last: bool

    @property
    def is_last(self) -> bool:
        return self.last


def map_of(state: State, request: Map) -> Steps:
    """Open the most probable area again and again. Raises Problem."""
    model, spot = state.current(), free_spot(state, request.document, request.place, request.reading, "a map")
    chain, index = spot.chain, spot.prefix.index
    session, start, room = model.session(), len(spot.context), model.info.context
    session.read(spot.context.tolist())
    areas: list[Area] = []
    place_rest, expansions = 1.0, 0
    waiting: list[tuple[float, int]] = [(0.0, -1)]
    budget = request.budget if model.can.batch else max(request.budget, EXHAUSTIVE)

    def result(last: bool = False) -> Mapped:
        whole = last and not waiting and place_rest < 1e-9 and all(a.rest < 1e-9 for a in areas if a.opened)
        return Mapped(
            request.number, state.tokens, request.document, request.place, model.info, request.pipeline,
            spot.first_token, tuple(areas), place_rest, expansions, whole, last,
        )  # fmt: skip

    while waiting and expansions < budget:
        _, at = heapq.heappop(waiting)
        ids = list(chain_of(areas, at))
        session.rewind(start)
        session.read(ids)
        logprobs = left_behind(state, next_of(session), chain, ids, len(chain) - index, request.pipeline)
        own = areas[at] if at >= 0 else Area(-1, -1, 0.0, 0, False)
        order = np.argsort(-logprobs, kind="stable")
        count = len(order) if len(order) <= 2 * MOST_CHILDREN else MOST_CHILDREN
        listed = [id for id in order[:count].tolist() if logprobs[id] > -np.inf]
        rest = float(np.sum(np.exp(logprobs[order[count:]])))
        for id in listed:
            depth, length = own.depth + 1, len(ids) + 1
            ends = id == request.stop_at or depth == request.depth or index + length == state.tokens.length
            ends = ends or (room is not None and start + length > room)
            area = Area(at, id, own.total + float(logprobs[id]), depth, ends)
            areas.append(area)
            if not ends:
                heapq.heappush(waiting, (-area.total, len(areas) - 1))
        if at < 0:
            place_rest = rest
        else:
            areas[at] = Area(own.parent, own.id, own.total, own.depth, False, True, rest)
        expansions += 1
        if expansions % TELL_EVERY == 0:
            yield result()
    return result(True)
