"""What crosses between the window and the worker thread: frozen requests in, frozen results out.

Every request carries the whole state it needs and a number; every result is stamped with the number of the request
that it answers. Arrays in results are read-only; no tensor crosses. A job that is not here has its request and its
results in its own file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Document, Ids, Place, TokenSet
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.models.base import Capabilities, Info
from arplay.models.store.cards import Card

Device = Literal["auto", "cpu", "cuda", "mps", "xpu"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class Lane(NamedTuple):
    """Where a newer request replaces the older one: those of one kind to one slot (0 where they name none)."""

    kind: type[Request]
    slot: int


@dataclass(frozen=True, eq=False, slots=True)
class Request:
    """What the worker is asked for, with all that it needs to know."""

    number: int

    @property
    def lane(self) -> Lane:
        return Lane(type(self), 0)


@dataclass(frozen=True, eq=False, slots=True)
class Slotted(Request):
    """A request to one slot. Each holds one model, or none, with its caches; the window's own model is in slot 0."""

    slot: int = field(default=0, kw_only=True)

    @property
    def lane(self) -> Lane:
        return Lane(type(self), self.slot)


@dataclass(frozen=True, eq=False, slots=True)
class Question(Slotted):
    """A question to the model in the slot: another one that is loaded there makes it meaningless."""


@dataclass(frozen=True, eq=False, slots=True)
class Result:
    """What is said of the request of the same number."""

    number: int

    @property
    def is_last(self) -> bool:
        """Whether it ends its request; exactly one result does."""
        return True


@dataclass(frozen=True, slots=True)
class Load(Slotted):
    """Load a model by catalogue name or path into the slot; the former one stays there until then."""

    spec: str
    device: Device = "auto"
    dtype: Dtype = "auto"


@dataclass(frozen=True, slots=True)
class Unload(Slotted):
    """Free the slot: end what was asked of its model, and give back the memory of that and of its caches."""

    @property
    def lane(self) -> Lane:
        return Lane(Load, self.slot)  # of the two the newer one counts


@dataclass(frozen=True, slots=True)
class Explore(Question):
    """What comes next at ``place`` of ``document``?"""

    document: Document
    place: Place
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Score(Question):
    """Score every token of ``document``; ledgers come back growing, the last one complete."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Reconcile(Question):
    """Score ``document`` once more by one teacher-forced pass without cache."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Recompute(Question):
    """What would the answer to the :class:`Explore` of the same fields cost, and be, without a cache?"""

    document: Document
    place: Place
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Fetch(Request):
    """Get a model into the user's cache: one of the catalogue, or of a hub as ``org/name[@revision]``."""

    name: str


@dataclass(frozen=True, slots=True)
class Describe(Request):
    """What is it, and how much would :class:`Fetch` bring? Asks the hub for its models."""

    name: str


@dataclass(frozen=True, slots=True)
class Replay(Request):
    """What did the snapshots of the run in ``folder`` say about ``text``, and at token ``place`` of it?

    The whole vocabulary is told for one place only: that of the token with index ``place`` in :attr:`Replayed.ids`
    (None: after the last one). Only snapshots of a step later than ``after`` are asked: a live view asks again for
    what is new.
    """

    folder: str
    text: str
    place: int | None = None
    after: int = -1


@dataclass(frozen=True, slots=True)
class OneBatch(Question):
    """One batch of one text, as training sees it, on the model: inputs, targets and the loss of each."""

    text: str
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Progress(Result):
    """``fraction`` is 0..1, or None where nobody knows; the others are of a download, None where not known."""

    what: str
    fraction: float | None
    bytes_done: int | None = None
    bytes_total: int | None = None
    per_second: float | None = None
    seconds_left: float | None = None

    @property
    def is_last(self) -> bool:
        return False


@dataclass(frozen=True, eq=False, slots=True)
class Loaded(Result):
    info: Info
    vocabulary: TokenSet
    lead: tuple[int, ...]
    bos: int | None
    eos: int | None
    can: Capabilities
    lossy: str = ""
    """How the tokenizer changes text, as one sentence; empty where its tokens are the text."""

    def grown(self, result: Result) -> Loaded:
        """The same with the tokens that ``result`` knows, if it is of this model and knows more."""
        if not isinstance(result, WithTokens) or result.tokens is self.vocabulary:
            return self
        return replace(self, vocabulary=result.tokens) if result.tokens.name == self.vocabulary.name else self


@dataclass(frozen=True, slots=True)
class Unloaded(Result):
    """The slot is empty."""


@dataclass(frozen=True, eq=False, slots=True)
class WithTokens(Result):
    """A result with ids in it. ``tokens``: what they stand for; of a partial model they become more and more."""

    tokens: TokenSet


@dataclass(frozen=True, eq=False, slots=True)
class Explored(WithTokens):
    document: Document
    place: Place
    answer: Answer


@dataclass(frozen=True, eq=False, slots=True)
class Scored(WithTokens):
    """``departures``: spans of units whose kept ids are not canonical; None while the ledger grows."""

    document: Document
    ledger: Ledger
    departures: tuple[tuple[int, int], ...] | None = None

    @property
    def is_last(self) -> bool:
        return self.ledger.complete


@dataclass(frozen=True, slots=True)
class Reconciled(Result):
    """``nll_nats`` of the uncached pass, and the largest difference of a single token's log p (nats)."""

    document: Document
    nll_nats: float
    largest_difference: float


@dataclass(frozen=True, slots=True)
class Recomputed(Result):
    """``seconds`` of one forward over ``context`` tokens that neither reads nor keeps a cache.

    ``largest_difference`` of its logits from those of the answer at the same place; None where there was no answer.
    """

    document: Document
    place: Place
    context: int
    seconds: float
    largest_difference: float | None


@dataclass(frozen=True, slots=True)
class Fetched(Result):
    name: str


@dataclass(frozen=True, slots=True)
class Described(Result):
    listing: Card


@dataclass(frozen=True, eq=False, slots=True)
class Replayed(Result):
    """What one snapshot said, by one pass without cache. Not the end of its request: that is ReplayEnded.

    ``step`` of ``steps``; ``steps`` is 0 where the run does not know its length. ``ids`` (n,): the text's first tokens,
    behind ``lead`` ids that the tokenizer puts before every text; ``ends`` (n,): the byte of the text where each ends
    (0 for the lead). ``logprob`` (n,) in nats, NaN where unscored (the lead, and the first token where there is none).
    ``logits`` (V,) float32 of p(. | ids[:place]); ``target`` is the id that really follows there, None at the text's
    end.
    """

    folder: str
    step: int
    steps: int
    ids: Ids
    lead: int
    ends: Ids
    vocabulary: TokenSet
    logprob: NDArray[np.float64]
    place: int
    logits: NDArray[np.float32]
    target: int | None

    @property
    def is_last(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ReplayEnded(Result):
    """Every snapshot that was asked has been told; ``last`` is the step of the run's latest one, -1 without any."""

    folder: str
    last: int


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


@dataclass(frozen=True, slots=True)
class Cancelled(Result):
    """The end of a request that was cancelled or replaced; ``asked`` is its kind."""

    asked: type[Request] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Failed(Result):
    """A failure as a value: what happened and what to do. ``asked`` is the kind of request that failed."""

    cause: str
    remedy: str
    asked: type[Request] | None = field(default=None, compare=False)
