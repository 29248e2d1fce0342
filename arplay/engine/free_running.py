"""Teacher forcing against free running: rollouts from a real prefix beside the real tokens, position by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arplay.core.causality import repetition
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.distribution import Distribution, Floats, entropy, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Place
from arplay.core.reading import Reading
from arplay.engine.job import Pause, Steps
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.place import open_spot
from arplay.engine.rollouts import Roll, Rolled, roll
from arplay.engine.state import State
from arplay.models.base import Info, next_of

MOST_LOGPROBS = 1 << 24
"""Log-probs along the real tokens that are kept to be compared with."""


@dataclass(frozen=True, slots=True)
class FreeRun(Question):
    """A rollout of ``count`` tokens behind ``place`` for each of ``seeds``, beside what the document has there."""

    document: Document
    place: Place
    seeds: tuple[int, ...]
    count: int
    pipeline: Pipeline = Pipeline()
    reading: Reading = Reading()


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """Of k chains at n positions, (k, n), NaN behind the end of one. ``nll`` and ``entropy`` in nats, by the model
    itself; ``repetition``: as :func:`arplay.core.causality.repetition` has it; ``distance``: total variation between
    p(. | its own past) and p(. | the real past), NaN where there are no real tokens."""

    nll: Floats
    entropy: Floats
    repetition: Floats
    distance: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Freed(WithTokens):
    """``free``: of the rollouts; ``forced``: of the real tokens, k = 1. ``start``: tokens of it before them."""

    document: Document
    info: Info
    first_token: str
    pipeline: Pipeline
    seeds: tuple[int, ...]
    start: int
    free: Curves
    forced: Curves


def free_run(state: State, request: FreeRun) -> Steps:
    """The real text first, by teacher forcing, then the rollouts. Raises Problem as :func:`roll` does."""
    model, spot = state.current(), open_spot(state, request.document, request.place, request.reading)
    if model.can.partial:
        raise Problem("a server that tells only some tokens steps no batch", "choose a model that is here")
    start = spot.prefix.index
    count = min(request.count, max(1, MOST_LOGPROBS // len(state.tokens)))
    real = spot.encoded.ids[start : start + count].tolist()
    if model.info.context is not None:
        real = real[: max(0, model.info.context - len(spot.context))]
    forced, free = _blank(1, len(real)), _blank(len(request.seeds), count)
    session, along = model.session(), list[Floats]()
    session.read(spot.context.tolist())
    for at, id in enumerate(real):
        yield Progress(request.number, "Reading the real tokens", at / (len(real) + count))
        logprobs = next_of(session).logprobs
        forced.nll[0, at], forced.entropy[0, at] = 0.0 - logprobs[id], entropy(logprobs)
        along.append(logprobs)
        if at + 1 < len(real):
            session.read([id])

    def on_step(index: int, which: Sequence[int], rows: Sequence[Distribution]) -> None:
        at = index - start
        for chain, row in zip(which, rows, strict=True):
            free.entropy[chain, at] = entropy(row.logprobs)
            if at < len(along):
                free.distance[chain, at] = 0.5 * float(np.abs(np.exp(row.logprobs) - np.exp(along[at])).sum())

    document, place = request.document, request.place
    if state.tokens.length is not None:  # what really stands further on makes room for what is drawn
        document = document.first(spot.encoded, start, state.tokens)
        place = document.end
    asked = Roll(
        request.number, document, place, request.pipeline, request.seeds, count, request.reading, slot=request.slot
    )
    steps = roll(state, asked, on_step)
    while True:
        try:
            part = next(steps)
        except StopIteration as ended:
            rolled = ended.value
            break
        if isinstance(part, Rolled):
            done = max(len(each.steps) for each in part.rollouts)
            part = Progress(request.number, "Drawing rollouts", (len(real) + done) / (len(real) + count))
        assert part is None or isinstance(part, Progress | Pause)
        yield part
    assert isinstance(rolled, Rolled)
    for chain, rollout in enumerate(rolled.rollouts):
        for step in rollout.steps:
            free.nll[chain, step.index - start] = 0.0 - step.logprob
        free.repetition[chain, : len(rollout.ids)] = repetition(rollout.ids)
    forced.repetition[0] = repetition(real)
    for curves in (free, forced):
        for array in (curves.nll, curves.entropy, curves.repetition, curves.distance):
            read_only(array)
    return Freed(
        request.number, state.tokens, request.document, model.info, spot.first_token, request.pipeline, request.seeds,
        start, free, forced,
    )  # fmt: skip


def _blank(chains: int, count: int) -> Curves:
    return Curves(*(np.full((chains, count), np.nan) for _ in range(4)))
