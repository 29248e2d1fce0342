"""How probable a new word is at each edge of a word: what :mod:`arplay.core.word_edges` corrects by."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.distribution import Floats, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Ids, TokenSet
from arplay.core.parts import Parts
from arplay.core.reading import Reading
from arplay.core.word_edges import KIND, log_mass, opening
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, Result
from arplay.engine.scoring import ledger_of
from arplay.engine.state import State, in_chunks
from arplay.models.base import Info, Model, lead
from arplay.models.masses import masses_after


@dataclass(frozen=True, slots=True)
class Edges(Question):
    """log P(a word begins) at each edge of a word of ``document``, in the contexts in which its tokens are scored."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, eq=False, slots=True)
class Edged(Result):
    """``edges``: in nats, one before each of m words and one behind the last, (m + 1,); NaN where a token lies across.

    ``read``: how many tokens that took.
    """

    document: Document
    info: Info
    first_token: str
    context: int
    stride: int
    edges: Floats
    read: int

    def is_of(self, ledger: Ledger) -> bool:
        """Whether its contexts are those of a ledger of the same document and model."""
        mine = self.first_token, self.context, self.stride
        return mine == (ledger.first_token, ledger.windows.window, ledger.windows.stride)


def edges_of(state: State, request: Edges) -> Steps:
    """The text is read once more, window by window. Raises Problem where that means nothing."""
    model, tokens = state.current(), state.tokens
    if model.can.partial:
        cause = "this model tells only its most probable tokens, and not how probable all are that begin a word"
        raise Problem(cause, "choose a model that runs here")
    if not len(tokens.opening):
        raise Problem("no token of this model begins with white space", "its words need no correction")
    ledger = yield from ledger_of(state, request.number, request.document, request.reading)
    words = Parts.of(ledger, KIND)
    among = opening(tokens)
    ids, _ = lead(model.alphabet, model.can.starts_empty, request.reading.first_token)
    chain = np.concatenate([np.array(ids, np.int64), ledger.ids])
    mass = yield from _masses(state, request.number, model, ledger, chain, among)
    found = np.full(len(words) + 1, np.nan)
    if len(words):
        _put(found, words, mass, among)
        found[0] = _first(model, tokens, ledger, chain)
        last = ledger.encoded.extract(int(words.starts[-1]), ledger.encoded.units)
        found[-1] = 0.0 if last[-1:].isspace() else mass[-1]  # the word has ended already
    windows = ledger.windows
    how = ledger.first_token, windows.window, windows.stride
    read = windows.cost(len(chain) + 1).read
    return Edged(request.number, request.document, model.info, *how, read_only(found), read)


def _put(found: Floats, words: Parts, mass: Floats, among: np.ndarray) -> None:
    """The edges between words: a token has to begin there, and it has to be one of those that are counted."""
    ledger, inner = words.ledger, slice(1, len(words))
    first = np.minimum(words.first[inner], len(ledger) - 1)
    clean = (ledger.starts[first] == words.starts[inner]) & among[ledger.ids[first]]
    found[inner] = np.where(clean, mass[ledger.before + words.first[inner]], np.nan)


def _first(model: Model, tokens: TokenSet, ledger: Ledger, chain: Ids) -> float:
    """At the beginning of the text: a first word without white space is drawn from the tokens that have none."""
    if not ledger.before and not model.can.starts_empty:
        return float("nan")
    session = model.session()
    session.read(chain[: ledger.before].tolist())
    white = np.zeros(len(tokens), bool)
    white[tokens.opening] = True
    return log_mass(session.logits(), opening(tokens) if white[int(ledger.ids[0])] else ~white)


def _masses(
    state: State, number: int, model: Model, ledger: Ledger, chain: Ids, among: np.ndarray
) -> Generator[Progress | None, None, Floats]:
    """log P(one of ``among`` | what a token is scored with) before each token of the chain and behind it, (n + 1,)."""
    windows, mass = ledger.windows, np.full(len(chain) + 1, np.nan)
    for start, first, stop in windows.spans(len(mass)):
        session, at = model.session(), start - windows.before(start)
        context = windows.read(chain, start, stop - 1)
        for values in in_chunks(session, masses_after(session, among), context, state.pace):
            low, end = max(first, at + 1), at + 1 + len(values)
            if low < end:
                mass[low:end] = values[low - at - 1 :]
            at += len(values)
            yield Progress(number, "reading the edges of words", at / len(mass))
    return mass
