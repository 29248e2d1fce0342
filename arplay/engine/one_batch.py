"""One batch of one text as training sees it: inputs, targets one token on, and the loss of each position."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import log_softmax, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.messages import Question, Result
from arplay.engine.recompute import largest_difference
from arplay.engine.state import State
from arplay.models.base import beginning, lead

MOST_TOKENS = 64


@dataclass(frozen=True, slots=True)
class OneBatch(Question):
    """One batch of one text, as training sees it, on the model: inputs, targets and the loss of each."""

    text: str
    reading: Reading = Reading()


@dataclass(frozen=True, eq=False, slots=True)
class BatchLosses(Result):
    """One text, shifted by one: ``inputs`` x_1..x_{n-1} and ``targets`` x_2..x_n, both (n-1,).

    Ids that the tokenizer puts before a text count: its first token has a target then. ``one_pass`` and ``stepped``
    (n-1,): -log p(target | what stands before it) in nats, by one teacher-forced pass without cache and by stepping a
    session token by token. ``mean_nats``: the mean of ``one_pass``, which is the loss of this batch.
    """

    inputs: Ids
    targets: Ids
    one_pass: NDArray[np.float64]
    stepped: NDArray[np.float64]
    mean_nats: float
    largest_difference: float


def one_batch(state: State, request: OneBatch) -> Steps:
    """The current model's loss at each position by one teacher-forced pass, and by stepping a fresh session.

    Raises Problem where no model is loaded, and for a text in which no token stands before another.
    """
    model = state.current()
    lead_ids, _ = lead(model.alphabet, model.can.starts_empty, request.reading.first_token)
    tokens = beginning(model.alphabet, request.text, MOST_TOKENS, request.reading.special)
    context = model.info.context or MOST_TOKENS
    chain = np.concatenate([np.array(lead_ids, np.int64), tokens.ids])[: min(MOST_TOKENS, context + 1)]
    first = max(1, len(lead_ids))  # of the targets: what a tokenizer puts before a text is given, not learned
    inputs, targets = chain[first - 1 : -1].copy(), chain[first:].copy()
    if not len(targets):
        raise Problem("the text is too short: nothing follows its first token", "write at least two tokens")
    one_pass = 0.0 - model.teacher_forced(chain.tolist())[first:]
    yield None
    stepped = np.empty(len(targets))
    session = model.session()
    session.read(chain[:first].tolist())
    for i, target in enumerate(targets.tolist()):
        stepped[i] = 0.0 - log_softmax(session.logits())[target]
        yield None
        if i + 1 < len(targets):  # the last one need not fit the context
            session.read([target])
    return BatchLosses(
        request.number,
        read_only(inputs),
        read_only(targets),
        read_only(one_pass),
        read_only(stepped),
        math.fsum(one_pass) / len(one_pass),
        largest_difference(one_pass, stepped),
    )
