"""A ledger's total once more, by passes without a cache."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, Result
from arplay.engine.recompute import largest_difference
from arplay.engine.scoring import Known, ledger_of
from arplay.engine.state import State
from arplay.models.base import lead


@dataclass(frozen=True, slots=True)
class Reconcile(Question):
    """Score ``document`` once more by one teacher-forced pass without cache."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Reconciled(Result):
    """``nll_nats`` of the uncached pass, and the largest difference of a single token's log p (nats)."""

    document: Document
    nll_nats: float
    largest_difference: float


def reconcile(state: State, request: Reconcile) -> Steps:
    """The same tokens in the same contexts by passes without cache, against the cached ledger of the same text."""
    model = state.current()
    known = state.kept(Known).ledger
    if known is not None and known[:2] == (request.document, request.reading):
        ledger = known[2]
    else:
        ledger = yield from ledger_of(state, request.number, request.document, request.reading)
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
