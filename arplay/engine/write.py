"""Play: the worker writes on by itself, and tells what it wrote a batch at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from arplay.core.decoding.pipeline import Decoded, Pipeline, decode
from arplay.core.errors import Problem
from arplay.core.modalities.text import Caret, Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.picking import Choice, uniform
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.core.stepping import behind_bare, context_at, sampled
from arplay.core.tree import Step
from arplay.engine import jobs
from arplay.engine.messages import Explore, Explored, Request, Result
from arplay.engine.state import State

TELL_SECONDS = 1 / 30
"""A batch is told so often, as a picture is; a slower pace tells each token when it is there."""
LOOK_SECONDS = 0.2
"""So often less urgent jobs, such as the scores, get a turn."""


@dataclass(frozen=True, slots=True)
class Write(Request):
    """Sample ``count`` tokens from ``place`` of ``document`` on, at most ``per_second``, each at u of (seed, index).

    ``stop_at``: the token after which no other is written. ``slide``: go on where the context is full.
    """

    document: Text
    place: Caret
    pipeline: Pipeline
    seed: int
    count: int
    per_second: float
    reading: Reading = Reading()
    stop_at: int | None = None
    slide: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Written(Result):
    """``steps`` after the first ``before``, and the ``answer`` behind the last of them.

    ``last`` is how that one was drawn, and from what. ``ended``: there are no more; ``stuck`` where that is because
    none can be sampled here.
    """

    before: int
    steps: tuple[Step, ...]
    answer: Answer
    last: tuple[Choice, Decoded] | None
    ended: bool = False
    stuck: bool = False

    @property
    def is_last(self) -> bool:
        return self.ended


def write(state: State, request: Write) -> jobs.Steps:
    """Explore, choose and write as one Step of the window does, again and again."""
    vocabulary = state.current().alphabet.vocabulary
    assert isinstance(vocabulary, Vocabulary), "a text"
    document, place, told = request.document, request.place, 0
    steps: list[Step] = []
    last: tuple[Choice, Decoded] | None = None
    began = due = looked = time.monotonic()
    while True:
        asked = Explore(request.number, document, place, request.reading)
        explored = yield from jobs.explore(state, asked)
        assert isinstance(explored, Explored)
        answer, made = explored.answer, told + len(steps)
        ended = made >= request.count or (bool(steps) and steps[-1].id == request.stop_at)
        chosen = None if ended else _choose(answer, request, vocabulary)
        if chosen is None:
            return Written(request.number, told, tuple(steps), answer, last, ended=True, stuck=not ended)
        now = time.monotonic()
        wait = began + made / request.per_second - now
        if steps and (now >= due or wait > 0):
            yield Written(request.number, told, tuple(steps), answer, last)
            told, steps, due = made, [], now + TELL_SECONDS
        if wait > 0:
            yield jobs.Pause(wait)
        elif now >= looked + LOOK_SECONDS:
            looked = now
            yield jobs.Pause(0.001)
        step, choice, decoded = chosen
        piece = vocabulary.piece(step.id, first=place.byte == 0)
        document = document.apply(document.take(place.byte, piece, vocabulary.name))
        place, last = Caret(place.byte + len(piece.data)), (choice, decoded)
        steps.append(step)


def _choose(answer: Answer, request: Write, vocabulary: Vocabulary) -> tuple[Step, Choice, Decoded] | None:
    """None where nothing can be sampled: the window says why, as it does for a single Step."""
    full = bool(answer.position.start) and not request.slide
    if answer.distribution is None or full or behind_bare(answer):
        return None
    seed, index = request.seed, answer.prefix.index
    try:
        decoded = decode(answer.distribution, request.pipeline, context_at(answer, vocabulary, seed))
        step, choice = sampled(answer.distribution, decoded, index, uniform(seed, index), seed)
    except Problem:
        return None
    return step, choice, decoded
