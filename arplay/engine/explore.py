"""What comes next at a place of a document."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.healing import Heal, healing, share_of_longer
from arplay.core.modalities.base import Document, Ids, Place
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.knowing import others_at
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.place import Spot, spot_of
from arplay.engine.state import State, in_chunks
from arplay.models import grammar
from arplay.models.base import next_of

REPORT_SECONDS = 0.5
"""How often it is told how much of a long text has been read."""


@dataclass(frozen=True, slots=True)
class Explore(Question):
    """What comes next at ``place`` of ``document``? ``wants``: of which second prompts and models, too, the former
    behind the last ``written`` tokens. ``matches``: a constraint will be asked, which is made ready here."""

    document: Document
    place: Place
    reading: Reading = Reading()
    wants: tuple[tuple[str, str], ...] = ()
    written: int = 0
    matches: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Explored(WithTokens):
    document: Document
    place: Place
    answer: Answer


def healable(state: State, spot: Spot) -> str:
    """What the last token before the place writes, if it was typed, can be taken back, and longer ones begin so."""
    index, tokens = spot.prefix.index - 1, state.tokens
    if index < 0 or index >= len(spot.encoded) or spot.encoded.fixed[index]:
        return ""
    last = int(spot.prefix.ids[index])
    if last != spot.encoded.ids[index] or not (index + 1 == len(spot.encoded) or spot.prefix.actual is not None):
        return ""  # the place is inside a token
    text = tokens.writes(last)
    if len(spot.context) < 2 and not state.current().can.starts_empty:
        return ""
    return text if text and any(tokens.writes(int(id)) != text for id in tokens.beginning(text)) else ""


def healed(state: State, document: Document, pipeline: Pipeline, reading: Reading) -> tuple[Document, Pipeline]:
    """The document without its last token, and the stages that go on with what it wrote; both as given where that is
    whole."""
    spot = spot_of(state, document, document.end, reading)
    if not (text := healable(state, spot)):
        return document, pipeline
    shorter: Document = document.upto(spot.encoded.span(spot.prefix.index - 1)[0])
    return shorter, healing(text, pipeline)


def _ends_blank(state: State, spot: Spot) -> bool:
    """Whether the last token before the place writes a space or a newline at its end."""
    return bool(len(spot.prefix.ids)) and state.tokens.writes(int(spot.prefix.ids[-1]))[-1:].isspace()


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
    text = healable(state, spot) if spot.is_open and not model.can.partial and _ends_blank(state, spot) else ""
    distribution, heal = None, None
    whole = len(context)
    with state.prefixes.session(model.session, context, whole - 1 if text else None) as session:
        reused, evaluated = len(session.ids), session.evaluated
        due = time.monotonic() + REPORT_SECONDS
        for end in (whole - 1, whole) if text else (whole,):
            for _ in in_chunks(session, session.read, context[len(session.ids) : end], state.pace):
                read, now = len(session.ids), time.monotonic()
                if now < due or read == whole:
                    yield None
                else:
                    due = now + REPORT_SECONDS
                    yield Progress(request.number, f"reading {whole:,} tokens", read / whole)
            if end < whole:  # what could stand there instead of the last token
                before = next_of(session)
                heal = Heal(text, spot.prefix.index - 1, before, share_of_longer(before, state.tokens, text))
        if spot.is_open:
            if not model.can.partial:
                state.kept(Answered).last = context, session.logits()
            distribution = next_of(session)
        evaluated = session.evaluated - evaluated
    chain = np.concatenate([np.array(spot.lead, np.int64), spot.prefix.ids])
    if request.matches:
        yield None
        eos = model.alphabet.eos
        grammar.prepare(state.tokens, () if eos is None else (eos,))
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
        heal=heal,
    )
    return Explored(request.number, state.tokens, request.document, request.place, answer)
