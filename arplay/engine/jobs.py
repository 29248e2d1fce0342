"""What the worker does for each kind of request: generators over the worker's own state.

A job yields after every forward or chunk (about 50 ms): what it has so far, None where there is nothing to tell, or
a Pause where it only waits. It returns its final result. Closing the generator cancels it; whatever is raised is
a failure. Nothing here knows of threads.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from arplay import paths
from arplay.core.position import Answer
from arplay.engine.messages import (
    Describe,
    Described,
    Explore,
    Explored,
    Fetch,
    Fetched,
    Load,
    Loaded,
    Progress,
    Reconcile,
    Reconciled,
    Result,
    Score,
    Scored,
    Unload,
    Unloaded,
)
from arplay.engine.place import spot_of
from arplay.engine.recompute import largest_difference
from arplay.engine.scoring import ledger_of
from arplay.engine.state import State, in_chunks
from arplay.models.base import Report, lead, next_of

if TYPE_CHECKING:
    from arplay.engine.fetch import FetchProgress

FETCH_SECONDS = 0.2
"""How often a fetch is looked at."""
TELL_SECONDS = 0.5
"""How often it is told how much of a long text has been read."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to do for so long."""

    seconds: float


Steps = Generator[Result | Pause | None, None, Result]


class Stopped(BaseException):
    """Raised inside a blocking call to cancel it. Not an Exception, so that no handler on its way swallows it."""


def load(state: State, request: Load, report: Report) -> Steps:
    """The loader blocks: it tells progress through ``report``, which raises Stopped once the load is cancelled."""
    yield None
    model = state.load(request.spec, request.device, request.dtype, report)
    report(1.0, "ready")  # the last chance to be cancelled
    state.use(model)
    state.asked = request.spec, request.device, request.dtype
    alphabet = model.alphabet
    return Loaded(
        request.number,
        model.info,
        alphabet.vocabulary,
        alphabet.lead,
        alphabet.bos,
        alphabet.eos,
        model.can,
        alphabet.lossy,
    )


def unload(state: State, request: Unload) -> Steps:
    """Whatever was asked of the model has been ended by the worker, and holds it no longer."""
    yield None
    state.use(None)
    return Unloaded(request.number)


def explore(state: State, request: Explore) -> Steps:
    """p(next | prefix) at the place; only what no kept session has read is read."""
    model, spot = state.current(), spot_of(state, request)
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
                state.answered = (context, session.logits())
            distribution = next_of(session)
        evaluated = session.evaluated - evaluated
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
    )
    return Explored(request.number, state.tokens, request.document, request.place, answer)


def score(state: State, request: Score) -> Steps:
    """Every token of the text with what the model said about it."""
    ledger = yield from ledger_of(state, request, growing=True)
    spans = state.departures(request.document, state.current().alphabet, request.reading.special)
    return Scored(request.number, state.tokens, request.document, ledger, spans)


def reconcile(state: State, request: Reconcile) -> Steps:
    """The same tokens in the same contexts by passes without cache, against the cached ledger of the same text."""
    model = state.current()
    if state.ledger is not None and state.ledger[:2] == (request.document, request.reading):
        ledger = state.ledger[2]
    else:
        ledger = yield from ledger_of(state, request, growing=False)
    lead_ids, first_token = lead(model.alphabet, model.can.starts_empty, request.reading.first_token)
    chain = np.concatenate([np.array(lead_ids, np.int64), ledger.ids])
    uncached = np.full(len(chain), np.nan)
    for start, first, stop in ledger.windows.spans(len(chain)):
        read = ledger.windows.read(chain, start, stop)
        uncached[first:stop] = model.teacher_forced(read.tolist())[first - stop :]
        yield Progress(request.number, "reconciling", stop / len(chain))
    uncached = uncached[len(lead_ids) :]
    if first_token == "unscored":
        uncached[:1] = np.nan  # a model may have a p(x_1) that the user left out
    scored = ledger.scored | ~np.isnan(uncached)
    other = uncached[scored]
    largest = largest_difference(ledger.logprob[scored], other)
    return Reconciled(request.number, request.document, 0.0 - math.fsum(other), largest)


def fetch(state: State, request: Fetch, cancelled: Callable[[], bool]) -> Steps:
    """Get a model into the cache; the work is done by child processes that are only looked at here."""
    told = None
    with contextlib.closing(state.fetch(request.name, paths.models() / request.name, cancelled)) as fetching:
        for progress in fetching:
            if progress != told:
                yield _of_download(request.number, progress)
            told = progress
            yield Pause(FETCH_SECONDS)
    if told is None or told.fraction != 1.0:
        raise Stopped
    return Fetched(request.number, request.name)


def describe(request: Describe, cancelled: Callable[[], bool]) -> Steps:
    """What a model is and what fetching it would bring; a hub is asked by a child that is only looked at here."""
    from arplay.engine import hub_fetch
    from arplay.models import catalogue

    yield Progress(request.number, f"asking for {request.name}", None)
    if request.name in {known.name for known in catalogue.entries()}:
        return Described(request.number, catalogue.card(request.name))
    with contextlib.closing(hub_fetch.describe(request.name, cancelled, pause=0)) as asking:
        while True:
            try:
                next(asking)
            except StopIteration as end:
                if end.value is None:
                    raise Stopped from None
                return Described(request.number, end.value)
            yield Pause(FETCH_SECONDS)


def _of_download(number: int, told: FetchProgress) -> Progress:
    return Progress(
        number, told.what, told.fraction, told.bytes_done, told.bytes_total, told.per_second, told.seconds_left
    )
