"""What comes next at a place of a document."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.base import Document, Ids, Place
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.knowing import others_at
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.place import spot_of
from arplay.engine.state import State, in_chunks
from arplay.models.base import next_of

TELL_SECONDS = 0.5
"""How often it is told how much of a long text has been read."""


@dataclass(frozen=True, slots=True)
class Explore(Question):
    """What comes next at ``place`` of ``document``? ``wants``: of which second prompts and models, too, the former
    behind the last ``written`` tokens."""

    document: Document
    place: Place
    reading: Reading = Reading()
    wants: tuple[tuple[str, str], ...] = ()
    written: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Explored(WithTokens):
    document: Document
    place: Place
    answer: Answer


@dataclass(slots=True)
class Answered:
    """The context explored last whose logits are all known, and these."""

    last: tuple[Ids, NDArray[np.floating]] | None = None


def explore(state: State, request: Explore) -> Steps:
    """p(next | prefix) at the place; only what no kept session has read is read."""
    model, spot = state.current(), spot_of(state, request.document, request.place, request.reading)
    context = spot.context
    state.pace.hurry()
    began = time.perf_counter()
    distribution = None
    with state.prefixes.session(model.session, context) as session:
        reused, evaluated = len(session.ids), session.evaluated
        due = time.monotonic() + TELL_SECONDS
        for _ in in_chunks(session, session.read, context[reused:], state.pace):
            read, now = len(session.ids), time.monotonic()
            if now < due or read == len(context):
                yield None
            else:
                due = now + TELL_SECONDS
                yield Progress(request.number, f"reading {len(context):,} tokens", read / len(context))
        if spot.is_open:
            if not model.can.partial:
                state.kept(Answered).last = context, session.logits()
            distribution = next_of(session)
        evaluated = session.evaluated - evaluated
    chain = np.concatenate([np.array(spot.lead, np.int64), spot.prefix.ids])
    others = others_at(state, chain, len(spot.lead), request.wants, request.written) if spot.is_open else {}
    answer = Answer(
        lead=spot.lead,
        first_token=spot.first_token,
        prefix=spot.prefix,
        encoded=spot.encoded,
        position=spot.position,
        distribution=distribution,
        evaluated=evaluated,
        seconds=time.perf_counter() - began,
        cache_bytes=state.prefixes.bytes,
        reused=reused,
        branches=len(state.prefixes),
        others=tuple(others.items()),
    )
    return Explored(request.number, state.tokens, request.document, request.place, answer)
