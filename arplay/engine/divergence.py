"""Two models of the same tokens side by side: both read the same windows, and whole distributions are compared."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core import divergence
from arplay.core.divergence import Rows
from arplay.core.errors import Problem
from arplay.core.matching import matching
from arplay.core.modalities.base import Document, Encoded, Ids
from arplay.core.reading import Reading
from arplay.core.windows import windows_of
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, Result
from arplay.engine.state import State
from arplay.models.base import LOGITS_BYTES, Info, Model, lead, rows_of

BLOCK_BYTES = 2 << 20
"""So many bytes of logits are compared in one go, in 64 bits."""


@dataclass(frozen=True, slots=True)
class Diverge(Question):
    """How far is the model of ``slot`` from that of ``base``, at every token of ``document``?"""

    document: Document
    reading: Reading = Reading()
    base: int = 0

    @property
    def slots(self) -> tuple[int, ...]:
        return (self.slot, self.base)


@dataclass(frozen=True, eq=False, slots=True)
class Diverged(Result):
    """``info``: of the model p, ``other``: of the model q. ``rows``: a place a token of ``encoded``."""

    document: Document
    encoded: Encoded
    info: Info
    other: Info
    rows: Rows


def diverge(state: State, request: Diverge) -> Steps:
    """Raises Problem for models of other tokens, and for one that tells only some."""
    base = state.slots.get(request.base)
    if base is None:
        raise Problem("no model is loaded", "choose a model first")
    return (yield from divergence_of(base, state, request.number, request.document, request.reading))


def divergence_of(
    base: State, state: State, number: int, document: Document, reading: Reading
) -> Generator[Progress | None, None, Diverged]:
    """The model of ``base`` is p, that of ``state`` is q."""
    one, other = base.current(), state.current()
    for model in (one, other):
        if model.can.partial:
            raise Problem(f"{model.info.name} tells only its most probable tokens", "compare log p of the text instead")
    match = yield from matching(one.alphabet.vocabulary, other.alphabet.vocabulary)
    if not match.same:
        cause = f"{other.info.name} has other tokens than {one.info.name}: their distributions are over other sets"
        raise Problem(cause, "compare bits, or take the same model in another number type or quantisation")
    if one.info.vocabulary != other.info.vocabulary:
        raise Problem(f"{other.info.name} has another number of logits than {one.info.name}", "take the same model")
    lead_ids, _ = lead(one.alphabet, one.can.starts_empty, reading.first_token)
    encoded = base.encode(document, one.alphabet, reading.special)
    chain = np.concatenate([np.array(lead_ids, np.int64), encoded.ids])
    found = Rows.nothing(len(encoded))
    yield from _read(one, other, chain, len(lead_ids), reading, found, state, number)
    rows = found.frozen()
    yield None
    rows.add_up()
    return Diverged(number, document, encoded, one.info, other.info, rows)


def _read(
    one: Model, other: Model, chain: Ids, before: int, reading: Reading, found: Rows, state: State, number: int
) -> Generator[Progress | None, None, None]:
    """Window by window, those that the ledger has (of the smaller context of both)."""
    contexts = [model.info.context for model in (one, other) if model.info.context]
    windows = windows_of(min(contexts, default=None), len(chain), reading, before)
    size = max(1, one.info.vocabulary or 1)
    most = max(1, LOGITS_BYTES // (2 * 4 * size))
    for start, first, stop in windows.spans(len(chain)):
        begin = start - windows.before(start)
        context = windows.read(chain, start, stop - 1)
        sessions = one.session(), other.session()
        known = max(first, before, 1)
        if first == 0 and before == 0 and one.can.starts_empty and other.can.starts_empty:
            _put(found, 0, [session.logits()[None] for session in sessions], chain[:1])
        at = 0  # of the context
        while at < len(context):
            skipped = known - 1 - begin - at  # what is read without a look at its logits
            count = min(most, state.pace.size, len(context) - at, skipped if skipped > 0 else len(context))
            chunk, began = context[at : at + count].tolist(), time.perf_counter()
            if skipped > 0:
                for session in sessions:
                    session.read(chunk)
                    yield None
            else:
                logits = []
                for session in sessions:
                    logits.append(rows_of(session, chunk))
                    yield None
                place = begin + at + 1
                _put(found, place - before, logits, chain[place : place + count])
                del logits
            state.pace.learn(count, time.perf_counter() - began)
            at += count
            yield Progress(number, "comparing distributions", (begin + at) / max(1, len(chain)))


def _put(found: Rows, at: int, logits: list[NDArray[np.floating]], ids: Ids) -> None:
    """A block of rows at a time: in 64 bits all of them would take twice as much again."""
    p, q = logits
    step = max(1, BLOCK_BYTES // (8 * p.shape[1]))
    for low in range(0, len(ids), step):
        part = slice(low, low + step)
        found.put(at + low, divergence.rows(p[part], q[part], ids[part]))
