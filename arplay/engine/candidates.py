"""How probable each of several continuations of a document is, token by token."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from arplay.core.candidates import MOST, Candidate
from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Ids, Place
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.place import spot_of
from arplay.engine.state import State, in_chunks, logprobs
from arplay.models.base import Info


@dataclass(frozen=True, slots=True)
class Rate(Question):
    """log p of each of ``candidates`` behind ``document`` up to ``place`` (None: all of it), whose own tokens stay."""

    document: Document
    candidates: tuple[Document, ...]
    reading: Reading = Reading()
    place: Place | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Rated(WithTokens):
    """``candidates`` in the order in which they were given; ``context``: tokens that the model had read before them.

    ``seconds``: how long that took.
    """

    document: Document
    place: Place
    reading: Reading
    info: Info
    first_token: str
    context: int
    candidates: tuple[Candidate, ...]
    seconds: float

    @property
    def texts(self) -> tuple[str, ...]:
        """The list that was compared."""
        return tuple(each.text for each in self.candidates)


def rate(state: State, request: Rate) -> Steps:
    """One after the other, each on a branch of what was read of the document. Raises Problem."""
    model, reading, document, began = state.current(), request.reading, request.document, time.perf_counter()
    if not 1 <= len(request.candidates) <= MOST:
        raise Problem(f"{len(request.candidates):,} candidates cannot be compared", f"give 1 to {MOST:,}")
    if (place := request.place) is not None:
        spot = spot_of(state, document, place, reading)
        document = document.read_before(spot.encoded, place, spot.prefix, state.tokens)
    spot = spot_of(state, document, document.end, reading)
    if not spot.is_open and state.tokens.length is not None:
        raise Problem("nothing comes next here", "give a document in which something is open")
    kept, begun, found = spot.encoded, len(spot.context), list[Candidate]()
    alone = _typed(state, document, reading)
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
        text = encoded.extract(kept.units, encoded.units)
        joins = not np.array_equal(_typed(state, whole, reading), np.concatenate([alone, ids]))
        found.append(Candidate(text, read_only(ids.copy()), read_only(each), encoded.units - kept.units, joins))
    asked, end = request.document, request.document.end if place is None else place
    rest = spot.first_token, begun, tuple(found), time.perf_counter() - began
    return Rated(request.number, state.tokens, asked, end, reading, model.info, *rest)


def _typed(state: State, document: Document, reading: Reading) -> Ids:
    """The ids that the tokenizer would cut it into, if all of it were typed."""
    typed = document.apply(document.retokenise())
    ids: Ids = state.encode(typed, state.current().alphabet, reading.special).ids
    return ids
