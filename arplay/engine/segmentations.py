"""Every way to cut a short text into tokens, each scored by the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.core.segmentations import Segmentation, Segmentations
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.state import State, in_chunks, logprobs
from arplay.models.base import Info, Session, lead, next_of

MOST = 4096
"""Distributions that are looked at: one for each beginning of a way."""


@dataclass(frozen=True, slots=True)
class Segment(Question):
    """All ways to write ``document``, of at most ``most`` beginnings."""

    document: Document
    reading: Reading = Reading()
    most: int = MOST


@dataclass(frozen=True, eq=False, slots=True)
class Segmented(WithTokens):
    document: Document
    info: Info
    found: Segmentations


def segment(state: State, request: Segment) -> Steps:
    """Depth first, the longest token first, so the usual ways come early. Raises Problem."""
    model, tokens = state.current(), state.tokens
    if model.can.partial:
        raise Problem("a server that tells only some tokens cannot add up all ways", "choose a model that is here")
    before, first_token = lead(model.alphabet, model.can.starts_empty, request.reading.first_token)
    if not before and not (model.can.starts_empty and first_token == "model"):
        raise Problem("the first token has no probability here", "choose another first-token rule, BOS say")
    encoded = state.encode(request.document, model.alphabet, request.reading.special)
    usual = tuple(encoded.ids.tolist())
    if not usual:
        raise Problem("there is nothing to cut", "give a text")
    session = model.session()
    for _ in in_chunks(session, session.read, np.array(before, np.int64), state.pace):
        yield None
    waiting: list[tuple[Session, int, tuple[int, ...], float]] = [(session, 0, (), 0.0)]
    ways, looked, whole = list[Segmentation](), 0, True
    while waiting and looked < request.most:
        session, at, ids, logprob = waiting.pop()
        distribution, looked = next_of(session), looked + 1
        for id, end in request.document.cuts(at, tokens):
            known = distribution.logprob(id)
            if known is None or known == -np.inf:
                continue
            if end == len(request.document):
                ways.append(Segmentation((*ids, id), logprob + known))
            elif model.info.context is None or len(before) + len(ids) < model.info.context:
                branch = session.branch()
                branch.read([id])
                waiting.append((branch, end, (*ids, id), logprob + known))
            else:
                whole = False  # ways of so many tokens do not fit into the context
        yield Progress(request.number, "Cutting in every way", min(1.0, looked / request.most))
    canonical = next((way for way in ways if way.ids == usual), None)
    if canonical is None:  # it was not come to, or has special tokens
        start = model.session()
        start.read(before)
        each = yield from logprobs(start, encoded.ids, state.pace)
        canonical = Segmentation(usual, float(np.sum(each)))
        ways.append(canonical)
    ways.sort(key=lambda way: (-way.logprob, way.ids))
    found = Segmentations(tuple(ways), canonical, whole and not waiting)
    return Segmented(request.number, tokens, request.document, model.info, found)
