"""Play: the worker writes a batch of tokens; the window asks for the next one, so that it is never left behind."""

from __future__ import annotations

import time
from dataclasses import dataclass

from arplay.core.decoding.pipeline import Decoded, Pipeline, decode
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, TokenSet
from arplay.core.picking import Choice, uniform
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.core.stepping import behind_bare, context_at, sampled
from arplay.core.tree import Step
from arplay.engine import jobs
from arplay.engine.messages import Explore, Explored, Request, Result
from arplay.engine.state import State

TELL_SECONDS = 1 / 30
"""A batch takes so long, as a picture does; at a slower pace it is one token."""


@dataclass(frozen=True, slots=True)
class Write(Request):
    """Sample up to ``count`` tokens from the caret of ``document`` on, each at u of (seed, index), as one batch.

    At most ``per_second``, the first not before ``due`` (of the monotonic clock).
    ``stop_at``: the token after which no other is written. ``slide``: go on where the context is full.
    """

    document: Document
    caret: int
    index: int | None
    pipeline: Pipeline
    seed: int
    count: int
    per_second: float
    due: float
    reading: Reading = Reading()
    stop_at: int | None = None
    slide: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Written(Result):
    """``steps`` of a batch, and the ``answer`` behind the last of them; ``last``: how that was drawn, and from what.

    ``ended``: the count or the token to stop at is reached. ``stuck``: no token can be sampled here.
    """

    steps: tuple[Step, ...]
    answer: Answer
    last: tuple[Choice, Decoded] | None
    ended: bool
    stuck: bool


def write(state: State, request: Write) -> jobs.Steps:
    """Explore, choose and write as one Step of the window does, again and again."""
    tokens = state.current().alphabet.vocabulary
    document, caret = request.document, request.caret
    place = document.at(caret, request.index)
    steps: list[Step] = []
    last: tuple[Choice, Decoded] | None = None
    if (wait := request.due - time.monotonic()) > 0:
        yield jobs.Pause(wait)
    began = time.monotonic()
    while True:
        asked = Explore(request.number, document, place, request.reading)
        explored = yield from jobs.explore(state, asked)
        assert isinstance(explored, Explored)
        answer, made, spent = explored.answer, len(steps), time.monotonic() - began
        ended = made >= request.count or (bool(steps) and steps[-1].id == request.stop_at)
        ended = ended or (bool(steps) and answer.prefix.index == tokens.length)
        ahead = made / request.per_second - spent
        full = bool(steps) and max(spent, spent + ahead) >= TELL_SECONDS
        chosen = None if ended or full else _choose(answer, request, tokens)
        if chosen is None:
            return Written(request.number, tuple(steps), answer, last, ended, stuck=not (ended or full))
        if ahead > 0:
            yield jobs.Pause(ahead)
        step, choice, decoded = chosen
        edit, caret = document.take(caret, step.id, tokens)
        document = document.apply(edit)
        place, last = document.at(caret), (choice, decoded)
        steps.append(step)


def _choose(answer: Answer, request: Write, tokens: TokenSet) -> tuple[Step, Choice, Decoded] | None:
    """None where nothing can be sampled: the window says why, as it does for a single Step."""
    full = bool(answer.position.start) and not request.slide
    if answer.distribution is None or full or behind_bare(answer):
        return None
    seed, index = request.seed, answer.prefix.index
    try:
        decoded = decode(answer.distribution, request.pipeline, context_at(answer, tokens, seed))
        step, choice = sampled(answer.distribution, decoded, index, uniform(seed, index), seed)
    except Problem:
        return None
    return step, choice, decoded
