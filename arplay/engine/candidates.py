"""How probable each of several continuations of a document is, token by token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.candidates import Candidate
from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.place import spot_of
from arplay.engine.state import State, in_chunks, logprobs
from arplay.models.base import Info

MOST = 1000
"""So many are compared at once."""


@dataclass(frozen=True, slots=True)
class Rate(Question):
    """log p of each of ``candidates`` behind all of ``document``, whose own tokens stay as they are."""

    document: Document
    candidates: tuple[Document, ...]
    reading: Reading = Reading()


@dataclass(frozen=True, eq=False, slots=True)
class Rated(WithTokens):
    """``candidates`` in the order in which they were given; ``context``: tokens that the model had read before them."""

    document: Document
    info: Info
    first_token: str
    context: int
    candidates: tuple[Candidate, ...]


def rate(state: State, request: Rate) -> Steps:
    """One after the other, each on a branch of what was read of the document. Raises Problem."""
    model, reading, document = state.current(), request.reading, request.document
    if not 1 <= len(request.candidates) <= MOST:
        raise Problem(f"{len(request.candidates):,} candidates cannot be compared", f"give 1 to {MOST:,}")
    spot = spot_of(state, document, document.end, reading)
    if not spot.is_open and state.tokens.length is not None:
        raise Problem("nothing comes next here", "give a document in which something is open")
    kept, begun, found = spot.encoded, len(spot.context), list[Candidate]()
    with state.prefixes.session(model.session, spot.context) as session:
        for _ in in_chunks(session, session.read, spot.context[len(session.ids) :], state.pace):
            yield None
        start = session.branch()
    for at, candidate in enumerate(request.candidates):
        yield Progress(request.number, "Comparing candidates", at / len(request.candidates))
        whole = document.followed(kept, state.tokens, candidate)
        encoded = state.encode(whole, model.alphabet, reading.special)
        ids = encoded.ids[len(kept) :]
        if not len(ids):
            raise Problem(f"candidate {at + 1:,} is empty", "give each at least one token")
        if model.info.context is not None and begun + len(ids) - 1 > model.info.context:
            cause = f"candidate {at + 1:,} does not fit into the context behind the text"
            raise Problem(cause, "give a shorter text, or shorter candidates")
        known = begun or model.can.starts_empty
        each = (yield from logprobs(start.branch(), ids, state.pace)) if known else np.full(len(ids), np.nan)
        if np.isnan(each).any():
            raise Problem(f"a token of candidate {at + 1:,} has no probability here", "see what the first token needs")
        canonical = state.encode(whole.apply(whole.retokenise()), model.alphabet, reading.special).ids
        text = encoded.extract(kept.units, encoded.units)
        joins = not np.array_equal(canonical, encoded.ids)
        found.append(Candidate(text, read_only(ids.copy()), read_only(each), encoded.units - kept.units, joins))
    return Rated(request.number, state.tokens, document, model.info, spot.first_token, begun, tuple(found))
