"""Many continuations of one place at once: one batch over what all of them have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from arplay.core.decoding.grammar import Matched
from arplay.core.decoding.pipeline import Chain, Pipeline
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.growing import Growing
from arplay.core.modalities.base import Document, Place, Writer
from arplay.core.picking import uniform
from arplay.core.reading import Reading
from arplay.core.stepping import drawn_at, sampled
from arplay.core.stopping import Stops
from arplay.core.tree import Step
from arplay.engine.job import Steps
from arplay.engine.knowing import known_at
from arplay.engine.messages import Question
from arplay.engine.place import OfPlace, free_spot
from arplay.engine.state import State
from arplay.models.base import next_of_each

Stopped: TypeAlias = Literal["", "eos", "length", "context", "complete", "matched", "stop"]
OnStep: TypeAlias = Callable[[int, Sequence[int], Sequence[Distribution]], None]
MOST_ROLLOUTS = 1024


@dataclass(frozen=True, slots=True)
class Rollout:
    """One continuation: its steps so far, the text that they write, and why it ended ("": it has not)."""

    seed: int
    steps: tuple[Step, ...] = ()
    stopped: Stopped = ""
    text: str = ""

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(step.id for step in self.steps)

    @property
    def logprob(self) -> float:
        """log p of its tokens by the model itself, in nats."""
        return math.fsum(step.logprob for step in self.steps)

    @property
    def perplexity(self) -> float:
        """exp(-log p / n) of its n tokens; NaN without one."""
        return math.exp(-self.logprob / len(self.steps)) if self.steps else math.nan


@dataclass(frozen=True, slots=True)
class Roll(Question):
    """A rollout of up to ``count`` tokens from ``place`` on for each of ``seeds``, as one sample by each would be.

    ``stop_at``: the token that ends one; ``stops``: strings before which the text of one ends. ``drawn``: as a stage's
    context has it.
    """

    document: Document
    place: Place
    pipeline: Pipeline
    seeds: tuple[int, ...]
    count: int
    reading: Reading = Reading()
    stop_at: int | None = None
    drawn: tuple[float, ...] = ()
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Rolled(OfPlace):
    """All rollouts as far as they have come."""

    rollouts: tuple[Rollout, ...]

    @property
    def is_last(self) -> bool:
        return all(each.stopped for each in self.rollouts)


@dataclass(eq=False)
class _Running:
    rollout: int
    seed: int
    chain: Growing
    decoding: Chain
    drawn: list[float]
    writer: Writer
    stops: Stops
    steps: list[Step] = field(default_factory=list)
    text: str = ""

    def so_far(self, why: Stopped) -> Rollout:
        if why:
            self.text += self.stops.write(self.writer.end()) + self.stops.end()
        return Rollout(self.seed, tuple(self.steps), why, self.text)


def roll(state: State, request: Roll, on_step: OnStep | None = None) -> Steps:
    """All rollouts together, a token each at a time. Raises Problem.

    ``on_step`` gets the index of each token before it is drawn, which rollouts go on, and p(next) of each.
    """
    if not 1 <= len(request.seeds) <= MOST_ROLLOUTS:
        raise Problem(f"{len(request.seeds):,} rollouts cannot be drawn", f"ask for 1 to {MOST_ROLLOUTS:,}")
    model, spot = state.current(), free_spot(state, request.document, request.place, request.reading)
    chain, index = spot.chain, spot.prefix.index
    running = [
        _Running(
            at, seed, Growing(chain), Chain(request.pipeline), list(request.drawn), request.document.writer(),
            Stops(request.stops),
        )
        for at, seed in enumerate(request.seeds)
    ]  # fmt: skip
    done = [Rollout(seed) for seed in request.seeds]
    batch = model.batch([spot.context.tolist()] * len(running))
    ahead = request.document.ahead(state.tokens)
    room = None if model.info.context is None else model.info.context - len(spot.context)
    length = 0

    def result() -> Rolled:
        for each in running:
            done[each.rollout] = each.so_far(why)
        return Rolled(
            request.number,
            state.tokens,
            request.document,
            request.place,
            model.info,
            request.pipeline,
            spot.first_token,
            tuple(done),
        )

    while True:
        why = _all_end(request, state, length, index, room)
        if why:
            return result()
        rows = next_of_each(batch)
        if on_step is not None:
            on_step(index, [each.rollout for each in running], rows)
        ended = [
            _draw(each, own, index, state, request, ahead.get(index)) for each, own in zip(running, rows, strict=True)
        ]
        index, length = index + 1, length + (ahead.get(index) is None)
        going = []
        for at, each in enumerate(running):
            if ended[at]:
                done[each.rollout] = each.so_far(ended[at])
            else:
                going.append(at)
        if len(going) < len(running):
            running = [running[at] for at in going]
            if not running:
                return result()
            batch.reorder(going)
        yield result()
        room = None if room is None else room - 1
        if not _all_end(request, state, length, index, room):
            batch.step([int(each.chain.ids[-1]) for each in running])


def _all_end(request: Roll, state: State, length: int, index: int, room: int | None) -> Stopped:
    """Why all of them end here, if they do: they have one length."""
    if index == state.tokens.length:
        return "complete"
    if length >= request.count:
        return "length"
    return "context" if room is not None and room < 0 else ""


def _draw(
    each: _Running, distribution: Distribution, index: int, state: State, request: Roll, fixed: int | None
) -> Stopped:
    """Why this one ends here, if it does."""
    if fixed is not None:  # the document itself has this one
        each.chain.append(fixed)
        each.decoding.accept(fixed)
        return ""
    u, lead = uniform(each.seed, index), len(each.chain) - index
    known = known_at(state, each.chain.ids, lead, each.decoding.pipeline, each.seed, each.drawn)
    try:
        decoded = each.decoding.apply(distribution, known)
    except Matched:
        return "matched"
    step, _ = sampled(distribution, decoded, index, u, each.seed)
    each.chain.append(step.id)
    each.decoding.accept(step.id)
    each.drawn.append(drawn_at(step))
    each.steps.append(step)
    if step.id == request.stop_at:
        return "eos"
    each.text += each.stops.write(each.writer.write(step.id, state.tokens))
    return "stop" if each.stops.found else ""


def seeds(first: int, count: int) -> Sequence[int]:
    """Those of ``count`` rollouts: the first one draws as a sample by ``first`` does.

    >>> list(seeds(7, 3))
    [7, 8, 9]
    """
    return [(first + at) % (1 << 64) for at in range(count)]
