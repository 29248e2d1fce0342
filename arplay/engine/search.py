"""Beam search from a place of a document, one expansion at a time or on to its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from arplay.core.beams import Beam, BeamSearch, Expansion, Floats, Hypothesis, Rules, Whole, whole
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.distribution import Distribution
from arplay.core.modalities.base import Document, Place
from arplay.core.reading import Reading
from arplay.core.tree import Step
from arplay.engine.job import Steps
from arplay.engine.knowing import left_behind
from arplay.engine.messages import Question
from arplay.engine.place import OfPlace, free_spot
from arplay.engine.state import State
from arplay.models.base import Batch, next_of, next_of_each

MOST_CHAINS = 20_000
"""So many at most are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Search(Question):
    """The first ``upto`` expansions (all for None) of a search by ``rules`` behind ``place``.

    What the pipeline leaves is what is searched; log-probs are those after it. One that was stepped before goes on
    from there. A chain ends at the end of the context or of a whole document as well.
    """

    document: Document
    place: Place
    rules: Rules
    pipeline: Pipeline = Pipeline()
    reading: Reading = Reading()
    upto: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Searched(OfPlace):
    """``expansions`` so far, the beams that go on, and the finished chains, best first. ``index``: of the first new
    token. ``steps``: of each candidate of each expansion, with the model's own log p and rank. ``asked``: the rules
    that were asked for; ``rules``: the same, but ``most`` is less where the context or the document ends before.
    ``whole``: every chain there is, of a model that counts, where they are few and the search is done."""

    asked: Rules
    rules: Rules
    index: int
    expansions: tuple[Expansion, ...]
    steps: tuple[tuple[Step, ...], ...]
    beams: tuple[Beam, ...]
    finished: tuple[Hypothesis, ...]
    done: bool
    whole: Whole | None
    last: bool

    @property
    def is_last(self) -> bool:
        return self.last


@dataclass(eq=False)
class _Known:
    """The search stepped last."""

    of: tuple[Any, ...] = ()
    search: BeamSearch | None = None
    batch: Batch | None = None
    expansions: list[Expansion] = field(default_factory=list)
    steps: list[tuple[Step, ...]] = field(default_factory=list)


def search(state: State, request: Search) -> Steps:
    """Expand as often as is asked. Raises Problem."""
    model, spot = state.current(), free_spot(state, request.document, request.place, request.reading, "a search")
    chain, index = spot.chain, spot.prefix.index
    ends = [request.rules.most]
    if model.info.context is not None:
        ends.append(model.info.context - len(spot.context) + 1)
    if state.tokens.length is not None:
        ends.append(state.tokens.length - index)
    rules = replace(request.rules, most=min(ends))
    known = state.kept(_Known)
    of = (request.document, request.place, rules, request.pipeline, request.reading)
    if known.of != of or known.search is None or (request.upto or known.search.steps) < known.search.steps:
        known.of, known.search, known.expansions, known.steps = of, BeamSearch(rules), [], []
        known.batch = model.batch([spot.context.tolist()] * rules.groups)
    found, batch = known.search, known.batch
    assert batch is not None

    every: Whole | None = None

    def result(last: bool = False) -> Searched:
        return Searched(
            request.number, state.tokens, request.document, request.place, model.info, request.pipeline,
            spot.first_token, request.rules, rules, index, tuple(known.expansions), tuple(known.steps), found.beams,
            found.finished, found.done, every, last,
        )  # fmt: skip

    def left(own: Distribution, ids: Sequence[int]) -> Floats:
        return left_behind(state, own, chain, ids, len(chain) - index, request.pipeline)

    known.search = None  # what is cancelled on the way is not gone on with
    while not found.done and found.steps != request.upto:
        if found.steps:
            yield result()
        own = next_of_each(batch)
        rows = [left(each, beam.ids) for each, beam in zip(own, found.beams, strict=True)]
        step = found.expand(np.array(rows))
        known.expansions.append(step)
        known.steps.append(
            tuple(
                _step(own[each.parent], rows[each.parent], each.id, index + found.steps - 1, request)
                for each in step.candidates
            )
        )
        if not found.done:
            batch.reorder(step.parents)
            batch.step(step.ids)
    known.search = found
    if found.done and not model.can.batch and len(state.tokens) ** rules.most <= MOST_CHAINS:
        session, start = model.session(), len(spot.context)
        session.read(spot.context.tolist())

        def next_of_chain(ids: Sequence[int]) -> Floats:
            session.rewind(start)
            session.read(ids)
            return left(next_of(session), ids)

        for number, looked in enumerate(whole(next_of_chain, rules)):
            every = looked
            if number % 100 == 99:
                yield result()
    return result(True)


def _step(own: Distribution, left: Floats, id: int, index: int, request: Search) -> Step:
    """The record of a token that a search took, ``left`` being log p of all tokens after the pipeline, in nats."""
    logprob = own.logprob(id)
    assert logprob is not None, "a model that tells only some tokens is not searched"
    by = request.pipeline.spelled
    return Step(id, index, logprob, math.exp(logprob), math.exp(left[id]), own.rank(id) or 0, by=by)
