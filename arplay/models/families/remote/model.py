"""A model that a server runs, which tells only the most probable next tokens: OpenAI's completions over HTTP.

What is not told stays unknown: a distribution is partial, entropy and V have no value, a token that the server never
named cannot be drawn. How its tokens are known differs: by ids (models/families/remote/ids.py) or by texts
(models/families/remote/texts.py), whichever the server can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Tokens
from arplay.core.recent import Recent
from arplay.core.signs import safe
from arplay.models.base import Batch, Capabilities, Info, Memory, Report, Scores
from arplay.models.families.remote import answers as remote_answers
from arplay.models.families.remote import http as remote_http
from arplay.models.families.remote.answers import Server
from arplay.models.families.remote.http import Refused
from arplay.models.families.remote.ids import ByIds
from arplay.models.families.remote.texts import Texts
from arplay.models.families.remote.tokens import Seen, SeenTokens
from arplay.models.sessions import Chain

_NAMED = 8


class Told(Protocol):
    """What one kind of server tells. ``count``: of how many next tokens."""

    count: int
    lead: tuple[int, ...]
    context: int | None
    no_scores: str

    @property
    def notes(self) -> tuple[str, ...]: ...

    def cut(self, data: bytes, start: bool) -> Tokens: ...

    def scores(self, ids: Sequence[int], fresh: bool) -> Scores: ...

    def following(self, ids: Sequence[int]) -> Distribution: ...


def load(spec: str, name: str, device: str, dtype: str, report: Report) -> Remote:
    """Look what the server of an address has, and how it tells its tokens. It chooses device and number type itself.

    Raises Problem where there is no server, it has no such model, or tells no log-probs; and whatever ``report`` raises
    to cancel.
    """
    address = remote_http.parse(spec)
    server = Server(address)
    report(None, f"asking {server.where} for its models")
    server, context = _choose(server)
    report(None, f"asking {server.where} how it tells its tokens")
    tokens = SeenTokens()
    told: Told
    try:
        told = ByIds(server, tokens, context)
    except Refused as refused:
        if refused.status not in (400, 404, 405, 422):
            raise
        tokens = SeenTokens()
        told = Texts(server, tokens)
    return Remote(server, tokens, told, (device, dtype) != ("auto", "auto"))


def _choose(server: Server) -> tuple[Server, int | None]:
    """The server with the name of its model, and that one's context if it tells that."""
    address = server.address
    try:
        models = server.ask(f"{address.path}/models", remote_answers.MODELS)["data"]
    except Refused as refused:
        if refused.status not in (404, 405) or not address.model:
            raise
        return server, None
    names = [model["id"] for model in models]
    listed = ", ".join(safe(name)[:80] for name in names[:_NAMED]) or "none"
    if address.model and address.model not in names:
        raise Problem(f"{server.where} has no model {safe(address.model)}", f"it has {listed}")
    if not address.model and len(names) != 1:
        raise Problem(f"{server.where} has {len(names):,} models", f"name one behind a #: {listed}")
    chosen = models[names.index(address.model)] if address.model else models[0]
    named = remote_http.Address(address.scheme, address.host, address.port, address.path, chosen["id"])
    return Server(named), chosen["max_model_len"]


class RemoteAlphabet:
    """How the server reads texts. What was cut is not asked again for a while: an answer takes its time."""

    bos: int | None = None
    eos: int | None = None
    lossy = ""

    def __init__(self, tokens: SeenTokens, told: Told) -> None:
        self._tokens, self._told = tokens, told
        self._cuts = Recent[tuple[bytes, int], Tokens](remote_answers.KEPT)
        self.lead = told.lead

    @property
    def vocabulary(self) -> Seen:
        """The tokens that were seen by now."""
        return self._tokens.vocabulary

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Tokens:
        """As Alphabet says; it is the server that reads names of special tokens as these or as letters."""
        return self._cuts.get((data, start), lambda: self._told.cut(data, start))


class Remote:
    """A model at a server."""

    def __init__(self, server: Server, tokens: SeenTokens, told: Told, chosen: bool) -> None:
        self.told = told
        no_scores = told.no_scores
        self.can = Capabilities(starts_empty=False, rewinds="none", batch=False, partial=True, no_scores=no_scores)
        self.alphabet = RemoteAlphabet(tokens, told)
        address = server.address
        partial = f"only the {told.count:,} most probable next tokens are told: entropy and V are not known"
        open_key = "the key goes to the server unencrypted, since the address begins with http:"
        notes = [partial, *told.notes, "which token ends a text is not told: Play ends by its length"]
        if no_scores:
            notes.append(f"scores: {no_scores}")
        if chosen:
            notes.append("device and number type: the server has chosen them")
        if address.scheme == "http" and remote_http.has_key() and not remote_http.is_loopback(address):
            notes.append(open_key)
        self.info = Info(
            name=address.model,
            family="remote",
            source=f"{address.base}#{address.model}",
            revision="not told by the server",
            dtype="served",
            device=server.where,
            vocabulary=None,
            context=told.context,
            parameters=None,
            engine=f"the server at {address.base}",
            why=f"asked for the {told.count:,} best tokens at each place",
            not_used=tuple(notes),
        )

    def memory(self) -> Memory:
        return Memory(weights=0)

    def session(self) -> RemoteSession:
        return RemoteSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> Batch:
        raise Problem("a server tells no whole distributions", "open the model on this computer to step many chains")

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """log p of every token by a question of its own, shape (n,); NaN where the server tells none."""
        return self.told.scores(ids, fresh=True).logprob

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        raise Problem("a server tells no logits", "open the model on this computer to compare them")


class RemoteSession(Chain):
    """A chain; whatever the server keeps of it is its own affair."""

    def __init__(self, model: Remote) -> None:
        super().__init__(model.info)
        self._model = model

    def extend(self, ids: Sequence[int]) -> Scores:
        before, chain = len(self._ids), [*self._ids, *self._checked(ids)]
        scores = self._model.told.scores(chain, fresh=False)
        self.read(ids)
        return remote_answers.rows(scores, before, len(chain))

    def branch(self) -> RemoteSession:
        other = RemoteSession(self._model)
        other._ids = self._ids.copy()
        return other

    def distribution(self) -> Distribution:
        """What the server tells of the next token. Raises Problem for an empty chain, of which it tells nothing."""
        if not self._ids:
            raise Problem("this server gives no distribution of a first token", "type something")
        return self._model.told.following(self._ids)

    def logits(self) -> NDArray[np.floating]:
        raise Problem("a server tells no logits", "choose a model on this computer")
