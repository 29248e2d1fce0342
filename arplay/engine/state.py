"""What the worker keeps of one slot from job to job: the model, sessions to step in, documents encoded and scored."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakSet

import numpy as np

from arplay.core.distribution import Floats, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Coder, Document, Encoded, Ids, Place, TokenSet
from arplay.core.modalities.lengthy import Begun, Lengthy
from arplay.core.recent import Recent
from arplay.engine.prefixes import Prefixes
from arplay.models import devices
from arplay.models.base import Model, Report, Session, next_of

CHUNK_SECONDS, PATIENT_SECONDS = 0.05, 0.4
LEAST_CHUNK, FIRST_CHUNK, MOST_CHUNK, ALONE_CHUNK = 16, 64, 256, 1024
DOCUMENTS_KEPT = 4

T = TypeVar("T", bound=np.generic)
R = TypeVar("R")


@dataclass(eq=False, slots=True)
class Cutting:
    """A long document that is being cut into tokens: the steps, what they told last, and its first tokens as they were
    asked for last."""

    steps: Iterator[Begun]
    begun: Begun | None = None
    first: Encoded | None = None


Loader = Callable[[str, str, str, Report], Model]


@dataclass(slots=True)
class Pace:
    """How many tokens a chunk has: so many that reading it takes ``seconds``.

    That is 50 ms where somebody waits for another answer. Larger chunks are read up to three times as fast (SmolLM2 on
    two cores: 104 tokens/s in chunks of 16, 303 in chunks of 128), so a reading that nobody disturbs takes longer ones.
    """

    size: int = FIRST_CHUNK
    seconds: float = CHUNK_SECONDS
    patience: float = PATIENT_SECONDS
    """The longest chunk, in seconds, that a reading without disturbance comes to."""
    most: int = MOST_CHUNK
    reached: int = 0
    """Tokens that the session held when the last chunk was read."""
    alone: bool = False
    """Nobody can wait for another answer, so chunks are long from the beginning."""

    def __post_init__(self) -> None:
        if self.alone:
            self.size, self.most, self.seconds = MOST_CHUNK, ALONE_CHUNK, self.patience

    def shrink(self) -> bool:
        """Read a quarter as much at a time from now on, since memory ran out; False where it is one token already."""
        if self.size == 1:
            return False
        self.size = self.most = max(1, self.size // 4)
        return True

    def hurry(self) -> None:
        """Somebody waits: short chunks again."""
        self.size = min(self.most, max(LEAST_CHUNK, int(self.size * CHUNK_SECONDS / self.seconds)))
        self.seconds = CHUNK_SECONDS

    def learn(self, tokens: int, seconds: float) -> None:
        """Adjust to a measured chunk. A short one (the end of a text) says little and is ignored."""
        if tokens >= self.size:
            wanted = tokens * self.seconds / max(seconds, 1e-6)
            self.seconds = min(self.patience, 1.5 * self.seconds)
            self.size = int(min(max(wanted, LEAST_CHUNK), self.most, 2 * self.size))


_LEFT: WeakSet[Any] = WeakSet()
"""Models that no state uses any more, and what they hold, as long as something else holds it."""


def left_over() -> bool:
    """Whether a former model is still in memory: it is part of a cycle, which only a collection frees."""
    return bool(_LEFT)


def _tell_nobody(fraction: float | None, what: str) -> None:
    """Where no worker runs, as in Python and on the command line."""


@dataclass(eq=False)
class State:
    """What the worker keeps of one slot from job to job. It never leaves its thread."""

    load: Loader
    slot: int = 0
    report: Report = _tell_nobody
    """Progress of the step that runs now; raises Stopped where that was cancelled."""
    slots: Mapping[int, State] = field(default_factory=dict)
    """Those of all slots, for what is asked of two."""
    model: Model | None = None
    prefixes: Prefixes = field(default_factory=Prefixes)
    pace: Pace = field(default_factory=Pace)
    _of_model: dict[type, Any] = field(default_factory=dict)
    _outliving: dict[type, Any] = field(default_factory=dict)
    _documents: Recent[tuple[Document, str, bool], Encoded] = field(default_factory=lambda: Recent(DOCUMENTS_KEPT))
    _parts: Recent[Hashable, Any] = field(default_factory=lambda: Recent(DOCUMENTS_KEPT))
    """Parts of documents: a token that is written after a long one does not have it encoded again."""
    _cutting: Recent[tuple[Document, str, bool], Cutting] = field(default_factory=lambda: Recent(1))

    asked: tuple[str, str, str] | None = None
    """Name or path, device and number type as the current model was asked for."""
    lost: tuple[str, str, str] | None = None
    """The same of a model that was lost with its device or its process, until it is loaded again."""
    lost_with: str = ""
    """What it was lost with, as users are told."""

    def use(self, model: Model | None) -> None:
        """Make ``model`` the current one (None: the slot is empty) and free what belonged to the former."""
        was_empty = self.model is None
        self.leave()
        self.model, self.pace = model, Pace(patience=self.pace.patience, alone=self.pace.alone)
        if model is not None and model.can.reach is not None:  # a chunk reads what bears on its first token anew
            self.pace.most = max(self.pace.most, 4 * model.can.reach)
        self.lost = None
        self._of_model.clear()
        self._documents.clear()
        self._parts.clear()  # the same vocabulary may be put together by other merges
        self._cutting.clear()
        self.prefixes.free()
        if not was_empty:
            devices.release()

    def leave(self) -> None:
        """No model any more; what still holds the former is to be collected."""
        former, self.model = self.model, None
        for part in () if former is None else (former, *vars(former).values()):
            with contextlib.suppress(TypeError):  # a number, say, cannot be watched
                _LEFT.add(part)

    def forget(self) -> None:
        """Drop every kept session, and with them all caches."""
        self.prefixes.free()

    def lose(self, reason: str) -> None:
        """The device or process died and took the model along: keep what is needed to load it again as it was."""
        self.lost_with = reason
        if self.model is not None and self.asked is not None:
            spec, device, dtype = self.asked
            info = self.model.info
            if device == "auto":
                device = info.device.partition(":")[0]
            if dtype == "auto" and info.dtype in devices.BYTES:
                dtype = info.dtype
            self.lost = spec, device, dtype
        self.leave()
        self.forget()

    def kept(self, kind: type[R], outlives: bool = False) -> R:
        """What jobs of one file keep here from one to the next, by its class: made empty, and anew for every model.

        ``outlives``: it stays when another model comes.
        """
        kept = self._outliving if outlives else self._of_model
        if kind not in kept:
            kept[kind] = kind()
        found: R = kept[kind]
        return found

    def current(self) -> Model:
        if self.model is None:
            where = f" in slot {self.slot}" if self.slot else ""
            raise Problem(f"no model is loaded{where}", "choose a model first")
        return self.model

    @property
    def tokens(self) -> TokenSet:
        """The current model's token set; that of a partial model has more tokens after an answer than before."""
        return self.current().alphabet.vocabulary

    def encode(self, document: Document, coder: Coder, special: bool) -> Encoded:
        """The document's tokens; the last few documents are remembered, and the last parts of them."""

        def whole() -> Encoded:
            encoded = document.encoded(coder, special, self._parts.get)
            for array in (encoded.ids, encoded.ends, encoded.fixed):
                read_only(array)
            return encoded

        key = (document, coder.vocabulary.name, special)
        return self._documents.get(key, whole)

    def encoding(self, document: Document, coder: Coder, special: bool) -> Generator[Begun, None, Encoded]:
        """As :meth:`encode`, as steps of a job: of a long document they tell in between what there is of it.

        Where the job is cancelled the next one goes on.
        """
        key, parts = (document, coder.vocabulary.name, special), self._parts
        if isinstance(document, Lengthy) and key not in self._documents:
            cutting = self._cutting.get(key, lambda: Cutting(document.cutting(coder, special, parts)))
            try:
                while (begun := next(cutting.steps, None)) is not None:
                    cutting.begun = begun
                    yield begun
            except Exception:
                self._cutting.drop(key)
                raise
            self._cutting.drop(key)
        return self.encode(document, coder, special)

    def beginning(self, document: Document, coder: Coder, special: bool) -> Encoded | None:
        """The first tokens of a long document, as many as there are by now; None where none are certain yet."""
        cutting = self._cutting.find((document, coder.vocabulary.name, special))
        if cutting is None or cutting.begun is None or cutting.begun.first is None:
            return None
        cutting.first = cutting.begun.first()
        return cutting.first

    def encoded_to(self, document: Document, coder: Coder, special: bool, place: Place) -> Encoded:
        """As :meth:`encode`; while a long document is cut, the beginning of which there are scores, if that goes beyond
        the place."""
        cutting = self._cutting.find((document, coder.vocabulary.name, special))
        first = cutting.first if cutting is not None else None
        if first is not None and isinstance(document, Lengthy) and document.reaches(first, place):
            return first
        return self.encode(document, coder, special)

    def departures(self, document: Document, coder: Coder, special: bool) -> tuple[tuple[int, int], ...]:
        """Spans of units whose kept ids are not those that the coder gives the same document."""
        return document.departures(self.encode(document, coder, special), coder, special)


def logprobs(session: Session, ids: Ids, pace: Pace) -> Generator[None, None, Floats]:
    """log p in nats of each of ``ids`` (one at least) behind what the session has read, (n,); NaN where not scored.

    The last one is scored, but not read.
    """
    found = [np.empty(0)]
    for scores in in_chunks(session, session.extend, ids[:-1], pace):
        found.append(scores.logprob)
        yield None
    last = next_of(session).logprob(int(ids[-1]))
    return np.concatenate([*found, [np.nan if last is None else last]])


def in_chunks(session: Session, read: Callable[[Sequence[int]], R], ids: Ids, pace: Pace) -> Generator[R, None, None]:
    """Give ``ids`` to ``read`` (extend or read of the session), a chunk at a time."""
    at = 0
    while at < len(ids):
        chunk = ids[at : at + pace.size].tolist()
        began = time.perf_counter()
        result = read(chunk)
        pace.learn(len(chunk), time.perf_counter() - began)
        pace.reached = len(session.ids)
        at += len(chunk)
        yield result
