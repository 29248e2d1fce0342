"""What the worker does for each kind of request: generators over the worker's own state.

A job yields after every forward or chunk (about 50 ms): what it has so far, None where there is nothing to tell, or
a Pause where it only waits. It returns its final result. Closing the generator cancels it; whatever is raised is
a failure. Nothing here knows of threads.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from arplay import paths
from arplay.core.chain import BEST, Ledger
from arplay.core.distribution import Distribution
from arplay.core.document import Document, Encoded, encode, prefix_at
from arplay.core.errors import Problem
from arplay.core.pieces import Alphabet, Ids
from arplay.core.position import Answer, Position, departures
from arplay.core.windows import Windows
from arplay.engine.messages import (
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
)
from arplay.models.base import FirstPiece, Model, Report, Scores, Session, lead

if TYPE_CHECKING:
    from arplay.engine.fetch import FetchProgress

CHUNK_SECONDS = 0.05
LEAST_CHUNK, FIRST_CHUNK, MOST_CHUNK = 16, 64, 512
LEDGER_SECONDS = 0.2
"""A growing ledger is told at most this often."""
FETCH_SECONDS = 0.2
"""How often a fetch is looked at."""
TEXTS_KEPT = 4

T = TypeVar("T", bound=np.generic)
Loader = Callable[[str, str, str, Report], Model]
Fetcher = Callable[[str, Path, Callable[[], bool]], Generator["FetchProgress", None, None]]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to do for so long."""

    seconds: float


Steps = Generator[Progress | Scored | Pause | None, None, Result]


class Stopped(BaseException):
    """Raised inside a blocking call to cancel it. Not an Exception, so that no handler on its way swallows it."""


@dataclass(slots=True)
class Pace:
    """How many pieces a chunk has, so that reading it takes about 50 ms."""

    size: int = FIRST_CHUNK

    def learn(self, pieces: int, seconds: float) -> None:
        """Adjust to a measured chunk. A short one (the end of a text) says little and is ignored."""
        if pieces >= self.size:
            wanted = pieces * CHUNK_SECONDS / max(seconds, 1e-6)
            self.size = int(min(max(wanted, LEAST_CHUNK), MOST_CHUNK, 2 * self.size))


@dataclass(eq=False)
class State:
    """What the worker keeps from job to job. It never leaves its thread."""

    load: Loader
    fetch: Fetcher
    model: Model | None = None
    session: Session | None = None
    pace: Pace = field(default_factory=Pace)
    ledger: tuple[Document, FirstPiece, Ledger] | None = None
    _texts: OrderedDict[tuple[Document, str], tuple[Encoded, tuple[tuple[int, int], ...]]] = field(
        default_factory=OrderedDict
    )

    def use(self, model: Model) -> None:
        """Make ``model`` the current one and free what belonged to the former."""
        self.model, self.session, self.ledger, self.pace = model, None, None, Pace()

    def current(self) -> Model:
        if self.model is None:
            raise Problem("no model is loaded", "choose a model first")
        return self.model

    def encode(self, document: Document, alphabet: Alphabet) -> tuple[Encoded, tuple[tuple[int, int], ...]]:
        """The document's pieces and its departures from the canonical ones; the last few texts are remembered."""
        key = (document, alphabet.vocabulary.name)
        if key not in self._texts:
            encoded = encode(document, alphabet)
            spans: list[tuple[int, int]] = []
            if np.any(encoded.fixed):
                canonical = alphabet.encode(document.data)
                spans = departures(encoded, canonical, alphabet.vocabulary.ends(canonical))
            for array in (encoded.ids, encoded.ends, encoded.fixed):
                read_only(array)
            self._texts[key] = encoded, tuple(spans)
        self._texts.move_to_end(key)
        while len(self._texts) > TEXTS_KEPT:
            self._texts.popitem(last=False)
        return self._texts[key]


def read_only(array: NDArray[T]) -> NDArray[T]:
    """The same array, which nobody can write to any more."""
    array.flags.writeable = False
    return array


def windows_of(context: int | None, length: int) -> Windows:
    """How a chain of ``length`` pieces is read: in half-overlapping windows, or as a whole by an endless context."""
    return Windows.half(context) if context else Windows(max(1, length), max(1, length))


def load(state: State, request: Load, report: Report) -> Steps:
    """The loader blocks: it tells progress through ``report``, which raises Stopped once the load is cancelled."""
    yield None
    model = state.load(request.spec, request.device, request.dtype, report)
    report(1.0, "ready")  # the last chance to be cancelled
    state.use(model)
    alphabet = model.alphabet
    return Loaded(
        request.number,
        model.info,
        alphabet.vocabulary,
        alphabet.lead,
        alphabet.bos,
        alphabet.eos,
        model.starts_empty,
    )


def explore(state: State, request: Explore) -> Steps:
    """p(next | prefix) at the caret; only what the explore session has not read yet is read."""
    model = state.current()
    alphabet = model.alphabet
    lead_ids, first_piece = lead(alphabet, model.starts_empty, request.first_piece)
    encoded, spans = state.encode(request.document, alphabet)
    prefix = prefix_at(request.document, encoded, request.caret, alphabet)
    read_only(prefix.ids)
    chain = np.concatenate([np.array(lead_ids, np.int64), prefix.ids])
    position = Position(windows_of(model.info.context, len(chain)).start(len(chain)), len(chain))
    context = chain[position.start : position.end]

    began = time.perf_counter()
    session = state.session = state.session or model.session()
    read = np.array(session.ids, np.int64)
    kept = _common_prefix(read, context)
    evaluated = 1 if 0 < kept < len(read) else 0  # a session re-reads its last piece after a rewind
    distribution = None
    try:
        session.rewind(kept)
        for scores in _read(session, context[kept:], state.pace):
            evaluated += len(scores.logprob)
            yield None
        if len(context) or model.starts_empty:
            distribution = Distribution.from_logits(session.logits())
    except Exception:
        state.session = None  # nobody knows what it holds now
        raise
    answer = Answer(
        lead=lead_ids,
        first_piece=first_piece,
        prefix=prefix,
        encoded=encoded,
        position=position,
        distribution=distribution,
        departures=spans,
        evaluated=evaluated,
        seconds=time.perf_counter() - began,
        cache_bytes=session.cache_bytes,
    )
    return Explored(request.number, request.document, request.caret, answer)


def score(state: State, request: Score) -> Steps:
    """Every piece of the text with what the model said about it."""
    ledger = yield from _scoring(state, request, growing=True)
    return Scored(request.number, request.document, ledger)


def reconcile(state: State, request: Reconcile) -> Steps:
    """The same pieces in the same contexts by passes without cache, against the cached ledger of the same text."""
    model = state.current()
    if state.ledger is not None and state.ledger[:2] == (request.document, request.first_piece):
        ledger = state.ledger[2]
    else:
        ledger = yield from _scoring(state, request, growing=False)
    lead_ids, _ = lead(model.alphabet, model.starts_empty, request.first_piece)
    chain = np.concatenate([np.array(lead_ids, np.int64), ledger.ids])
    uncached = np.full(len(chain), np.nan)
    for start, first, stop in ledger.windows.spans(len(chain)):
        uncached[first:stop] = model.teacher_forced(chain[start:stop].tolist())[first - start :]
        yield Progress(request.number, "reconciling", stop / len(chain))
    uncached = uncached[len(lead_ids) :]
    scored = ledger.scored | ~np.isnan(uncached)
    mine, other = ledger.logprob[scored], uncached[scored]
    with np.errstate(invalid="ignore"):  # both may be minus infinity
        gap = np.where(mine == other, 0.0, np.abs(mine - other))
    largest = float(np.max(np.where(np.isnan(gap), np.inf, gap), initial=0.0))
    return Reconciled(request.number, request.document, 0.0 - math.fsum(other), largest)


def fetch(state: State, request: Fetch, cancelled: Callable[[], bool]) -> Steps:
    """Get a model into the cache; the work is done by child processes that are only looked at here."""
    told = None
    with contextlib.closing(state.fetch(request.name, paths.models() / request.name, cancelled)) as fetching:
        for progress in fetching:
            if progress != told:
                yield Progress(request.number, progress.what, progress.fraction)
            told = progress
            yield Pause(FETCH_SECONDS)
    if told is None or told.fraction != 1.0:
        raise Stopped
    return Fetched(request.number, request.name)


def _scoring(
    state: State, request: Score | Reconcile, growing: bool
) -> Generator[Progress | Scored | None, None, Ledger]:
    """Read the chain window by window in a session of its own, telling the growing ledger now and then."""
    model = state.current()
    lead_ids, first_piece = lead(model.alphabet, model.starts_empty, request.first_piece)
    encoded, _ = state.encode(request.document, model.alphabet)
    chain = np.concatenate([np.array(lead_ids, np.int64), encoded.ids])
    windows = windows_of(model.info.context, len(chain))
    columns = _Columns(request.document.data, encoded, len(lead_ids), first_piece, windows)
    session = model.session()
    due = time.monotonic() + LEDGER_SECONDS
    for start, first, stop in windows.spans(len(chain)):
        session.rewind(0)
        at = start
        readable = min(stop, start + windows.window)
        for scores in _read(session, chain[start:readable], state.pace):
            columns.put(scores, at, start, first)
            at += len(scores.logprob)
            now = time.monotonic()
            if now < due or at == len(chain):
                yield None
                continue
            yield Progress(request.number, "scoring", at / len(chain))
            if growing:
                yield Scored(request.number, request.document, columns.ledger())
            # copying a very long ledger must stay a small part of the work
            due = now + max(LEDGER_SECONDS, 20 * (time.monotonic() - now))
        if readable < stop:  # the piece behind a full window is scored but cannot be read there
            columns.put(_score_next(session.logits(), int(chain[readable])), readable, start, first)
    ledger = columns.ledger()
    state.ledger = (request.document, request.first_piece, ledger)
    return ledger


class _Columns:
    """The columns of a ledger that is being filled."""

    def __init__(self, data: bytes, encoded: Encoded, lead: int, first_piece: str, windows: Windows) -> None:
        n = len(encoded)
        self._data, self._encoded, self._lead = data, encoded, lead
        self._first_piece, self._windows = first_piece, windows
        self._done = 0
        self._scores = Scores(
            logprob=np.full(n, np.nan),
            rank=np.zeros(n, np.int64),
            entropy=np.full(n, np.nan),
            best_ids=np.full((n, BEST), -1, np.int64),
            best_logprobs=np.full((n, BEST), -np.inf),
        )
        self._context = np.zeros(n, np.int64)

    def put(self, scores: Scores, at: int, start: int, first: int) -> None:
        """Scores of the chain from ``at`` on, read from ``start``; those before ``first`` were scored already."""
        end = at + len(scores.logprob)
        low = max(at, first, self._lead)
        if low >= end:
            return
        rows = slice(low - self._lead, end - self._lead)
        for name in Scores.__dataclass_fields__:
            getattr(self._scores, name)[rows] = getattr(scores, name)[low - at :]
        self._context[rows] = np.arange(low, end) - start
        self._done = end - self._lead

    def ledger(self) -> Ledger:
        """A copy of what is known by now."""
        return Ledger(
            data=self._data,
            ids=self._encoded.ids,
            ends=self._encoded.ends,
            logprob=read_only(self._scores.logprob.copy()),
            rank=read_only(self._scores.rank.copy()),
            entropy=read_only(self._scores.entropy.copy()),
            context=read_only(self._context.copy()),
            best_ids=read_only(self._scores.best_ids.copy()),
            best_logprobs=read_only(self._scores.best_logprobs.copy()),
            done=self._done,
            first_piece=self._first_piece,
            windows=self._windows,
        )


def _read(session: Session, ids: Ids, pace: Pace) -> Iterator[Scores]:
    """Extend the session by ``ids``, a chunk at a time."""
    at = 0
    while at < len(ids):
        chunk = ids[at : at + pace.size].tolist()
        began = time.perf_counter()
        scores = session.extend(chunk)
        pace.learn(len(chunk), time.perf_counter() - began)
        at += len(chunk)
        yield scores


def _score_next(logits: NDArray[np.floating], id: int) -> Scores:
    """The piece ``id`` scored by the logits before it, without reading it."""
    following = Distribution.from_logits(logits)
    best_ids, best = np.full((1, BEST), -1, np.int64), np.full((1, BEST), -np.inf)
    top = following.top(BEST)
    best_ids[0, : len(top)], best[0, : len(top)] = top, following.logprobs[top]
    return Scores(
        logprob=following.logprobs[[id]],
        rank=np.array([following.rank(id)], np.int64),
        entropy=np.array([following.entropy]),
        best_ids=best_ids,
        best_logprobs=best,
    )


def _common_prefix(a: Ids, b: Ids) -> int:
    n = min(len(a), len(b))
    differing = np.flatnonzero(a[:n] != b[:n])
    return int(differing[0]) if len(differing) else n
