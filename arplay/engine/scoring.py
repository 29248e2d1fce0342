"""Scoring a text token by token, window by window. What the last text scored had in common is not read again."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST, Best, Ledger
from arplay.core.distribution import filled, frozen
from arplay.core.modalities.base import Document, Encoded, Ids, Note, TokenSet, Unit
from arplay.core.modalities.lengthy import Begun
from arplay.core.reading import Reading
from arplay.core.windows import Windows, windows_of
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.prefixes import common_prefix
from arplay.engine.state import Pace, State, in_chunks
from arplay.models.base import Scores, Session, abreast, lead, next_of, told_of, unscored

Numbers = NDArray[np.number[Any]]

LEDGER_SECONDS = 0.2
"""A growing ledger is told at most this often."""


@dataclass(frozen=True, slots=True)
class Score(Question):
    """Score every token of ``document``; ledgers come back growing, the last one complete."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Effort:
    """What a scoring has cost so far: ``read`` tokens, of ``whole`` that it has to read, in so many ``seconds``."""

    read: int
    whole: int
    seconds: float

    @property
    def per_second(self) -> float | None:
        """Tokens read a second; None before anything was read."""
        return self.read / self.seconds if self.read and self.seconds else None

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at this speed.

        >>> Effort(500, 2000, 2.0).left, Effort(0, 2000, 0.0).left
        (6.0, None)
        """
        return None if self.per_second is None else (self.whole - self.read) / self.per_second


NO_EFFORT = Effort(0, 0, 0.0)


@dataclass(frozen=True, eq=False, slots=True)
class Scored(WithTokens):
    """``departures``: spans of units whose kept ids are not canonical; None while the ledger grows."""

    document: Document
    ledger: Ledger
    departures: tuple[tuple[int, int], ...] | None = None
    effort: Effort = NO_EFFORT

    @property
    def is_last(self) -> bool:
        return self.ledger.complete


@dataclass(eq=False)
class Work:
    """A chain scored as far as ``columns`` say."""

    chain: Ids
    columns: Columns


@dataclass(eq=False)
class Known:
    """What is kept of the document scored last: its ``work``, with which the next may begin, and its whole ledger."""

    work: Work | None = None
    ledger: tuple[Document, Reading, Ledger] | None = None


class Clock:
    """How much of a scoring is done, and in which time: that of other jobs, which come in between, is not counted."""

    def __init__(self, whole: int) -> None:
        self.read, self.whole = 0, whole
        self._seconds, self._since = 0.0, time.monotonic()

    def stop(self) -> None:
        self._seconds += time.monotonic() - self._since

    def go_on(self) -> None:
        self._since = time.monotonic()

    @property
    def effort(self) -> Effort:
        """As it was when the clock was stopped."""
        return Effort(self.read, self.whole, self._seconds)


def score(state: State, request: Score) -> Steps:
    """Every token of the text with what the model said about it."""
    ledger, effort = yield from scored_of(state, request.number, request.document, request.reading, growing=True)
    spans = state.departures(request.document, state.current().alphabet, request.reading.special)
    return Scored(request.number, state.tokens, request.document, ledger, spans, effort)


def ledger_of(
    state: State, number: int, document: Document, reading: Reading
) -> Generator[Progress | Scored | None, None, Ledger]:
    """:func:`scored_of` without what it cost, told when it is whole."""
    ledger, _ = yield from scored_of(state, number, document, reading, growing=False)
    return ledger


def scored_of(
    state: State, number: int, document: Document, reading: Reading, growing: bool, kept: Known | None = None
) -> Generator[Progress | Scored | None, None, tuple[Ledger, Effort]]:
    """Read the chain window by window, telling the growing ledger now and then (under ``number``).

    A token depends on its context only, so the rows of a common prefix are taken over from the text scored before.
    ``kept``: where that is, and what is known now is kept; None: where the scores in sight are.
    """
    kept = state.kept(Known) if kept is None else kept
    encoded = yield from _encoded(state, number, document, reading, growing, kept)
    return (yield from _scored(state, number, document, encoded, reading, growing, kept))


def _scored(
    state: State, number: int, document: Document, encoded: Encoded, reading: Reading, growing: bool, kept: Known
) -> Generator[Progress | Scored | None, None, tuple[Ledger, Effort]]:
    """The same of a document, or the beginning of one, that is cut into tokens. Where that is not ``whole``, its last
    token may still get longer, and stays unscored."""
    model, whole = state.current(), encoded.whole
    lead_ids, first_token = lead(model.alphabet, model.can.starts_empty, reading.first_token)
    chain = np.concatenate([np.array(lead_ids, np.int64), encoded.ids if whole else encoded.ids[:-1]])
    expected = len(lead_ids) + encoded.expected
    windows = windows_of(model.info.context, expected, reading, len(lead_ids))
    tokens = model.alphabet.vocabulary
    yield None  # each of these takes a second with 50 MB, and who asks something has a turn between them
    notes = document.notes(encoded, tokens) + _notes(encoded, tokens, lead_ids, windows) if whole else ()
    notes += told_of(model, encoded)
    yield None
    columns = Columns(encoded, tokens.unit, len(lead_ids), first_token, windows, notes)
    yield None
    former, kept.work = kept.work, None
    known = 0
    if former is not None:
        known = columns.take_over(former.columns, common_prefix(former.chain, chain))
    work = Work(chain, columns)
    due = time.monotonic() + LEDGER_SECONDS
    clock, beside = Clock(windows.cost(expected, known).read), abreast(model)
    if beside is not None and windows.stride > beside.rows:
        beside = None

    def so_far() -> Iterator[Progress | Scored | None]:
        nonlocal due
        clock.stop()
        now = time.monotonic()
        if now < due or columns.complete:  # the whole ledger is the answer, which is told once
            yield None
        else:
            effort = clock.effort
            yield Progress(number, "scoring", clock.read / max(1, clock.whole), seconds_left=effort.left)
            if growing:
                yield Scored(number, state.tokens, document, columns.ledger(), None, effort)
            # adding up a very long ledger must stay a small part of the work
            due = now + max(LEDGER_SECONDS, 20 * (time.monotonic() - now))
        clock.go_on()

    try:
        # Short windows make a forward together, as long as a chunk is. With a context of 16 one of `english` takes 0.3
        # of the time then, of 64 tokens 0.7, of 128 tokens 0.9, one of `smollm2` with 32 tokens 0.55 (stride 1, a CPU).
        for group in _groups(windows, windows.spans(len(chain), known), known, state.pace if beside else None):
            if beside is not None and len(group) > 1:
                read, began = [windows.read(chain, start, stop).tolist() for start, _, stop in group], time.monotonic()
                columns.put(beside.abreast(read, windows.stride), group[0][1], known)
                state.pace.learn(len(group) * windows.window, time.monotonic() - began)
                clock.read += len(group) * windows.window
                yield from so_far()
                continue
            ((start, first, stop),) = group
            readable = min(stop, start + windows.window - windows.before(start))
            context, begin = windows.read(chain, start, readable), start - windows.before(start)
            new = max(first, known)
            with state.prefixes.session(model.session, context, max(0, known - begin)) as session:
                at = begin + len(session.ids)
                clock.whole -= len(session.ids)  # is there already
                # what an earlier window has scored needs no logits, which cost up to a third of a forward
                for _ in in_chunks(session, session.read, context[at - begin : max(0, new - begin)], state.pace):
                    clock.read, at = clock.read + begin + len(session.ids) - at, begin + len(session.ids)
                    yield from so_far()
                for scores in in_chunks(session, session.extend, context[at - begin :], state.pace):
                    columns.put(scores, at, new)
                    at += len(scores.logprob)
                    clock.read += len(scores.logprob)
                    if at < readable:
                        yield from so_far()
                if readable < stop:  # the token behind a full window is scored but cannot be read there
                    scores = _score_next(session, model.can.partial, int(chain[readable]))
                    columns.put(scores, readable, first)
            yield from so_far()  # the session is given back by now: a step that comes between finds it
    except GeneratorExit:
        kept.work = work  # cancelled: what is done stays known, and where a new model has come it is left with ``kept``
        raise
    kept.work = work
    ledger = columns.ledger()
    if whole:
        kept.ledger = (document, reading, ledger)
    clock.stop()
    return ledger, clock.effort


def _encoded(
    state: State, number: int, document: Document, reading: Reading, growing: bool, kept: Known
) -> Generator[Progress | Scored | None, None, Encoded]:
    """The document's tokens. How far a long one is cut into them is told, and whoever asks something has a turn.

    Where scores are told as they grow, those of its beginning are made meanwhile, in half of the time.
    """
    model, special = state.current(), reading.special
    least = (reading.context or model.info.context or 0) * reading.window_lead  # a text of less may have one window
    steps, told = state.encoding(document, model.alphabet, special), list[tuple[float, float]]()
    scoring: Generator[Progress | Scored | None, None, object] | None = None
    try:
        while True:
            began = time.monotonic()
            try:
                begun = next(steps)
            except StopIteration as ended:
                encoded: Encoded = ended.value
                return encoded
            told.append((time.monotonic(), begun.done))
            yield _cut(number, begun, told) if growing else None
            if growing and scoring is None:
                first = state.beginning(document, model.alphabet, special)
                if first is not None and len(first) > least:
                    scoring = _scored(state, number, document, first, reading, growing, kept)
            left = told[-1][0] - began
            while scoring is not None and left > 0:
                began = time.monotonic()
                try:
                    step = next(scoring)
                except StopIteration:  # there will be more of the beginning
                    scoring = None
                    break
                left -= time.monotonic() - began
                yield step if isinstance(step, Scored) else None
    finally:
        if scoring is not None:
            scoring.close()  # what it has scored stays known


def _cut(number: int, begun: Begun, told: list[tuple[float, float]]) -> Progress:
    """How far a document is cut into tokens; ``told``: when it was how far, since this job began."""
    (since, before), (now, done) = told[0], told[-1]
    left = (now - since) * (1 - done) / (done - before) if done > before else None
    what = "cutting the text into tokens" if begun.goes_on else "cutting the rest of the text into tokens at once"
    return Progress(number, what, done, seconds_left=left)


def _groups(
    windows: Windows, spans: Iterator[tuple[int, int, int]], known: int, pace: Pace | None
) -> Iterator[list[tuple[int, int, int]]]:
    """Spans that are read together, as many as make a chunk: full windows behind the first, of which nothing is known,
    and which score as many tokens each. All others are alone; without a ``pace`` all are."""
    group: list[tuple[int, int, int]] = []
    for start, first, stop in spans:
        full = pace is not None and start > 0 and first >= known and stop - first == windows.stride
        full = full and stop - start + windows.before(start) == windows.window + 1
        if group and not (full and pace is not None and (len(group) + 1) * windows.window <= pace.size):
            yield group
            group = []
        if full:
            group.append((start, first, stop))
        else:
            yield [(start, first, stop)]
    if group:
        yield group


def _notes(encoded: Encoded, tokens: TokenSet, lead: tuple[int, ...], windows: Windows) -> tuple[Note, ...]:
    """How a document is read, which belongs to its totals before any of it is scored."""
    found = []
    name = tokens.label(lead[-1]) if lead else ""
    if lead and len(encoded) and int(encoded.ids[0]) == lead[-1]:
        sentence = f"The text begins with {name}, and one more stands before it: the model reads it twice in a row."
        found.append(Note("2 ×", f"{name} in a row", sentence))
    later = windows.cost(len(lead) + len(encoded)).windows - 1
    if lead and later > 0:
        rest = f"before the {later:,} later windows of this long text" if later > 1 else "before its second window"
        remedy = "“Begin every window …” (Reading…, --window-lead) puts it there"
        sentence = f"{name} stands {rest} as well."
        if not windows.lead:
            sentence = f"{name} stands before the text, but not {rest}; {remedy}."
        found.append(Note(f"{later:,}", "", sentence))
    return tuple(found)


class Columns:
    """The columns of a ledger that is being filled: rows are only added, so that its ledgers may share the arrays."""

    def __init__(
        self,
        encoded: Encoded,
        unit: Unit,
        lead: int,
        first_token: str,
        windows: Windows,
        notes: tuple[Note, ...] = (),
    ) -> None:
        n, self._notes = len(encoded), notes
        self._encoded, self._unit, self._lead = encoded, unit, lead
        self._least = 1 if first_token == "unscored" else lead  # the first token of the chain that gets a score
        self._first_token, self._windows = first_token, windows
        self._done = 0
        self._logprob = filled((n,), np.nan, np.float64)
        self._rank = np.zeros(n, np.int32)
        self._entropy = filled((n,), np.nan, np.float32)
        self._best = Best.nothing(n)

    def put(self, scores: Scores, at: int, first: int) -> None:
        """Scores of the chain from ``at`` on; those before ``first`` were scored already."""
        end = at + len(scores.logprob)
        low = max(at, first, self._least)
        if low < end:
            rows, new = slice(low - self._lead, end - self._lead), slice(low - at, None)
            best = Best.of(scores.best_ids[new], scores.best_logprobs[new])
            self._set(rows, scores.logprob[new], scores.rank[new], scores.entropy[new], best)
        self._done = max(self._done, end - self._lead)

    def _set(self, rows: slice, logprob: Numbers, rank: Numbers, entropy: Numbers, best: Best) -> None:
        self._logprob[rows], self._rank[rows], self._entropy[rows] = logprob, rank, entropy
        self._best.packed[rows], self._best.logprobs[rows] = best.packed, best.logprobs

    def take_over(self, former: Columns, common: int) -> int:
        """Copy what ``former`` knows of the first ``common`` tokens, which both chains begin with.

        How many tokens of the chain, the lead included, need not be scored again: 0 where the first token is treated
        otherwise.
        """
        known = min(common, former._lead + former._done)
        if former._windows != self._windows:  # what the first window of both scores has the same context
            known = min(known, former._windows.window + 1, self._windows.window + 1)
        if former._first_token != self._first_token or known <= self._lead:
            return 0
        rows = slice(0, known - self._lead)
        self._set(rows, former._logprob[rows], former._rank[rows], former._entropy[rows], former._best[rows])
        self._done = known - self._lead
        return known

    @property
    def complete(self) -> bool:
        return self._done == len(self._encoded)

    def ledger(self) -> Ledger:
        """What is known by now, nothing of it copied, with its sums, which would hold up the window for a long text."""
        ledger = Ledger(
            encoded=self._encoded,
            unit=self._unit,
            logprob=frozen(self._logprob),
            rank=frozen(self._rank),
            entropy=frozen(self._entropy),
            best=Best(frozen(self._best.packed), frozen(self._best.logprobs)),
            before=self._lead,
            done=self._done,
            first_token=self._first_token,
            windows=self._windows,
            added=self._notes,
        )
        ledger.add_up()
        return ledger


def _score_next(session: Session, partial: bool, id: int) -> Scores:
    """The token ``id`` scored by what the session says is next, without reading it."""
    scores = Scores(*unscored(1))
    if not partial and np.isnan(session.logits()).any():
        return scores
    following = next_of(session)
    logprob, entropy, top = following.logprob(id), following.entropy, following.top(BEST).tolist()
    scores.logprob[0] = np.nan if logprob is None else logprob
    scores.rank[0] = following.rank(id) or 0
    scores.entropy[0] = np.nan if entropy is None else entropy
    scores.best_ids[0, : len(top)] = top
    scores.best_logprobs[0, : len(top)] = [following.logprob(each) for each in top]
    return scores
