"""Beam search from a place of a document, one expansion at a time or on to its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from arplay.core.beams import Beam, BeamSearch, Expansion, Floats, Hypothesis, Rules
from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Place
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.knowing import known_at
from arplay.engine.messages import Question, WithTokens
from arplay.engine.place import spot_of
from arplay.engine.state import State
from arplay.models.base import Batch


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
class Searched(WithTokens):
    """``expansions`` so far, the beams that go on, and the finished chains, best first. ``index``: of the first new
    token. ``rules``: those asked for, but ``most`` is less where the context or the document ends before."""

    document: Document
    place: Place
    rules: Rules
    index: int
    expansions: tuple[Expansion, ...]
    beams: tuple[Beam, ...]
    finished: tuple[Hypothesis, ...]
    done: bool
    upto: int | None

    @property
    def is_last(self) -> bool:
        return self.done or len(self.expansions) == self.upto


@dataclass(eq=False)
class _Known:
    """The search stepped last."""

    of: tuple[Any, ...] = ()
    search: BeamSearch | None = None
    batch: Batch | None = None
    expansions: list[Expansion] = field(default_factory=list)


def search(state: State, request: Search) -> Steps:
    """Expand as often as is asked. Raises Problem."""
    model, spot = state.current(), spot_of(state, request.document, request.place, request.reading)
    if not spot.is_open:
        raise Problem("nothing comes next here", "choose a place that is open")
    if model.can.partial:
        raise Problem("a server that tells only some tokens steps no batch", "sample one by one")
    if request.document.ahead(state.tokens):
        raise Problem("a search cannot go around what stands further on", "take it away first")
    chain, index = [*spot.lead, *spot.prefix.ids.tolist()], spot.prefix.index
    ends = [request.rules.most]
    if model.info.context is not None:
        ends.append(model.info.context - len(spot.context) + 1)
    if state.tokens.length is not None:
        ends.append(state.tokens.length - index)
    rules = replace(request.rules, most=min(ends))
    known = state.kept(_Known)
    of = (request.document, request.place, rules, request.pipeline, request.reading)
    if known.of != of or known.search is None or (request.upto or known.search.steps) < known.search.steps:
        known.of, known.search, known.expansions = of, BeamSearch(rules), []
        known.batch = model.batch([spot.context.tolist()] * rules.groups)
    found, batch = known.search, known.batch
    assert batch is not None

    def told() -> Searched:
        return Searched(
            request.number, state.tokens, request.document, request.place, rules, index, tuple(known.expansions),
            found.beams, found.finished, found.done, request.upto,
        )  # fmt: skip

    known.search = None  # what is cancelled on the way is not gone on with
    while not found.done and found.steps != request.upto:
        rows = [_decoded(batch, at, beam, chain, index, request, state) for at, beam in enumerate(found.beams)]
        step = found.expand(np.array(rows))
        known.expansions.append(step)
        if not found.done:
            batch.reorder(step.parents)
            batch.step(step.ids)
        yield told()
    known.search = found
    return told()


def _decoded(batch: Batch, at: int, beam: Beam, chain: list[int], index: int, request: Search, state: State) -> Floats:
    """log p of the next token behind a beam, after the pipeline, in nats, shape (V,)."""
    row = batch.logprobs[at]
    if not request.pipeline.stages:
        return np.asarray(row)
    distribution = Distribution(len(row), row, shift=float(batch.shift[at]))
    drawn = (float("nan"),) * len(beam.ids)  # nobody drew them
    known = known_at(state, [*chain, *beam.ids], len(chain) - index, request.pipeline, 0, drawn)
    left: Floats = decode(distribution, request.pipeline, known).logprobs
    return left
