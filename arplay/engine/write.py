"""Play: the worker writes a batch of tokens; the window asks for the next one, so that it is never left behind."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np

from arplay.core.decoding.pipeline import Decoded, Pipeline, decode
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.growing import Growing
from arplay.core.modalities.base import Document, Ids, Place, TokenSet, Writer
from arplay.core.picking import Choice, uniform
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.core.stepping import behind_bare, drawn_at, sampled
from arplay.core.tree import Step
from arplay.core.watch import MOST_CHARACTERS, Drawn, Met, Watch, first_met
from arplay.engine.explore import Explore, Explored, explore
from arplay.engine.job import Pause, Steps
from arplay.engine.knowing import known_at
from arplay.engine.messages import Question, WithTokens
from arplay.engine.state import State
from arplay.models.base import next_of

BATCH_SECONDS, MOST_SECONDS = 1 / 30, 0.12
"""A batch has so much of the processor, as long as a picture lasts; where the window takes longer to show one, as much
more as leaves the model its share. At a slower pace a batch is one token."""
SHARE = 6.0
"""Seconds that the model has for each second that the window shows what it wrote."""
FASTEST = 200.0
"""Tokens a second from which on the pace is as fast as it goes."""


def spacing(per_second: float) -> float:
    """Seconds from one token to the next.

    >>> spacing(4.0), spacing(FASTEST)
    (0.25, 0.0)
    """
    return 0.0 if per_second >= FASTEST else 1 / per_second


@dataclass(frozen=True, slots=True)
class Write(Question):
    """Sample up to ``count`` tokens from the caret of ``document`` on, each at u of (seed, index), as one batch.

    At most ``per_second`` (:func:`spacing`), the first not before ``due`` (of the monotonic clock). ``shown``: seconds
    of the processor that showing the last batch took. ``drawn``: as a stage's context has it, where one recalls that.
    ``rules``: where it ends before; ``tail``: of what Play wrote so far.
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
    shown: float = 0.0
    drawn: tuple[float, ...] = ()
    rules: Watch = ()
    tail: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Written(WithTokens):
    """``steps`` of a batch, and the ``answer`` behind the last of them; ``last``: how that was drawn, and from what.

    ``ended``: the count or the token to stop at is reached, or a rule was ``met``. ``stuck``: no token can be sampled
    here.
    """

    steps: tuple[Step, ...]
    answer: Answer
    last: tuple[Choice, Decoded] | None
    ended: bool
    stuck: bool
    met: Met | None = None
    tail: str = ""


@dataclass(slots=True)
class _Batch:
    """What was written so far, and where the next token goes."""

    document: Document
    caret: int
    place: Place
    writer: Writer
    tail: str = ""
    met: Met | None = None
    steps: list[Step] = field(default_factory=list)
    last: tuple[Choice, Decoded] | None = None
    budget: float = BATCH_SECONDS
    began: float = field(default_factory=time.monotonic)
    worked: float = field(default_factory=time.thread_time)

    def ahead(self, per_second: float) -> float:
        """Seconds until the next token is due."""
        return len(self.steps) * spacing(per_second) - (time.monotonic() - self.began)

    def is_full(self, per_second: float) -> bool:
        worked, spent = time.thread_time() - self.worked, time.monotonic() - self.began
        waits = max(0.0, self.ahead(per_second))
        return bool(self.steps) and (worked + waits >= self.budget or spent + waits >= 2 * self.budget)

    def put(self, step: Step, last: tuple[Choice, Decoded], tokens: TokenSet, rules: Watch) -> None:
        if rules:
            self.tail = (self.tail + self.writer.write(step.id, tokens))[-2 * MOST_CHARACTERS :]
            drawn = Drawn(step.prob, step.rank or None, last[1].own.entropy)
            if (met := first_met(rules, drawn, self.tail)) is not None:
                self.met, step = met, replace(step, met=met.why)
        edit, self.caret = self.document.take(self.caret, step.id, tokens)
        self.document = self.document.apply(edit)
        self.place, self.last = self.document.at(self.caret), last
        self.steps.append(step)


def write(state: State, request: Write) -> Steps:
    """Explore, choose and write as one Step of the window does, again and again.

    Behind the first token the session alone goes on; the last answer tells whether it read what the document says.
    """
    batch = _Batch(
        request.document,
        request.caret,
        request.document.at(request.caret, request.index),
        request.document.writer(),
        request.tail,
    )
    batch.budget = min(max(BATCH_SECONDS, SHARE * request.shown), MOST_SECONDS)
    if (wait := request.due - time.monotonic()) > 0:
        yield Pause(wait)
        batch.began = time.monotonic()
    first, chain = batch, np.zeros(0, np.int64)

    def written(batch: _Batch, answer: Answer, ended: bool, stuck: bool) -> Written:
        return Written(
            request.number, state.tokens, tuple(batch.steps), answer, batch.last, ended, stuck, batch.met, batch.tail
        )

    while True:
        wants, done = request.pipeline.wants, len(request.drawn) + len(batch.steps)
        asked = Explore(request.number, batch.document, batch.place, request.reading, wants, done)
        explored = yield from explore(state, asked)
        assert isinstance(explored, Explored)
        answer = explored.answer
        read = np.concatenate([np.array(answer.lead, np.int64), answer.prefix.ids])
        if len(batch.steps) > 1 and not np.array_equal(read, chain):
            batch = first  # another chain than the one that its tokens were drawn behind
            continue
        ended = _has_ended(request, batch, answer.prefix.index, state.tokens)
        if ended or batch.is_full(request.per_second):
            return written(batch, answer, ended, stuck=False)
        chosen = None
        if answer.distribution is not None and not behind_bare(answer) and (request.slide or not answer.position.start):
            chosen = _choose(answer.distribution, request, len(answer.lead), read, state, batch.steps)
        if chosen is None:
            return written(batch, answer, ended=False, stuck=True)
        if (ahead := batch.ahead(request.per_second)) > 0:
            yield Pause(ahead)
        batch.put(*chosen, state.tokens, request.rules)
        chain = np.append(read, batch.steps[-1].id)
        first = replace(batch, steps=[*batch.steps])
        if not answer.position.start:
            chain = yield from _go_on(state, request, batch, chain, len(answer.lead))


def _go_on(state: State, request: Write, batch: _Batch, chain: Ids, lead: int) -> Generator[Pause | None, None, Ids]:
    """Write on as long as the batch and the context have room; the chain so far."""
    model, grown = state.current(), Growing(chain)
    most = model.info.context
    with state.prefixes.session(model.session, chain) as session:
        unread = chain[len(session.ids) :].tolist()
        while not (batch.is_full(request.per_second) or (most is not None and len(grown) > most)):
            if _has_ended(request, batch, len(grown) - lead, state.tokens):
                break
            session.read(unread)
            chosen = _choose(next_of(session), request, lead, grown.ids, state, batch.steps)
            if chosen is None:
                break
            yield Pause(ahead) if (ahead := batch.ahead(request.per_second)) > 0 else None
            batch.put(*chosen, state.tokens, request.rules)
            unread = [batch.steps[-1].id]
            grown.append(unread[0])
    return grown.ids


def _has_ended(request: Write, batch: _Batch, index: int, tokens: TokenSet) -> bool:
    steps = batch.steps
    stopped = bool(steps) and (steps[-1].id == request.stop_at or index == tokens.length)
    return len(steps) >= request.count or stopped or batch.met is not None


def _choose(
    distribution: Distribution, request: Write, lead: int, chain: Ids, state: State, steps: list[Step]
) -> tuple[Step, tuple[Choice, Decoded]] | None:
    """None where nothing can be sampled: the window says why, as it does for a single Step."""
    index = len(chain) - lead
    u = uniform(request.seed, index)
    drawn = (*request.drawn, *map(drawn_at, steps)) if request.pipeline.recalls else ()
    try:
        context = known_at(state, chain, lead, request.pipeline, request.seed, drawn)
        decoded = decode(distribution, request.pipeline, context)
        step, choice = sampled(distribution, decoded, index, u, request.seed)
    except Problem:
        return None
    return step, (choice, decoded)
