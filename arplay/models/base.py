"""What every model is: a thing that gives p(x_i | x_<i). One protocol for tables, transformers and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Coder, Encoded, Note
from arplay.core.modalities.spans import to_bytes
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import alphabet_of
from arplay.core.orders import Joint
from arplay.core.reading import FirstToken
from arplay.core.signs import safe

LONGEST_TOKEN = 1024
"""Characters of a text that are looked at for every token that is wanted."""

LOGITS_BYTES = 64 * 1024 * 1024
"""No more logits than this are held at once: of a forward, of all its copies, or of two models that are compared."""

Report = Callable[[float | None, str], None]
"""Progress of a load: a fraction 0..1 (None: unknown) and what is being done. May raise to cancel the load."""


@dataclass(frozen=True, slots=True)
class Info:
    """What a model is, as the status bar, exports and JSON show it.

    ``vocabulary``: V, the length of its logits. ``context``: tokens it may read at once (None: any number).
    ``revision``: commit, version or digest of the weights. ``parameters``: count (table entries for a table); None,
    like V, where a server does not tell. ``engine``: the library that computes.
    ``why``: the reason for this device and number type, in a sentence. ``placement``: where the layers are, if spread.
    ``not_used``: what would have been used if it had held (a cache, a recorded step, 16-bit weights), a sentence each
    with the reason; empty where everything is.
    """

    name: str
    family: str
    source: str
    revision: str
    dtype: str
    device: str
    vocabulary: int | None
    context: int | None
    parameters: int | None
    engine: str = "transformers"
    why: str = ""
    placement: str = ""
    not_used: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", safe(self.name))  # it is shown wherever a figure is


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do: jobs and views ask here, never what kind of model it is.

    ``starts_empty``: whether the empty prefix has a distribution, p(x_1). ``rewinds``: how a session goes back: its
    cache is "cropped", goes to the last of its "checkpoints", or is "recomputed" from the beginning; "none": nothing is
    kept, as in a table, so there is nothing to go back in. ``batch``: whether chains side by side are stepped by one
    forward; else one by one, which costs as much as so many sessions. ``partial``: only the most probable tokens are
    told; its sessions are :class:`PartialSession`, and the vocabulary grows with what was seen. ``no_scores``: why no
    text can be scored, "" where any can. ``kept``: the name of what a session keeps; ``grows``: with every token.
    ``field``: whether it is :class:`Reaching`. ``reach``: how many tokens before the next one bear on it; None: all.
    ``joint``: its joint distribution where that is written by hand, which any thread may ask for.
    """

    starts_empty: bool
    rewinds: Literal["cropped", "checkpoints", "recomputed", "none"]
    batch: bool
    partial: bool = False
    no_scores: str = ""
    kept: str = "the KV cache"
    grows: bool = True
    field: bool = False
    reach: int | None = None
    joint: Joint | None = None

    @property
    def keeps(self) -> bool:
        """Whether a session keeps what it has read, which costs memory and saves reading it again."""
        return self.rewinds != "none"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a loaded model. ``weights``: of all of them as they are held. ``apart``: the most that a process of its
    own has held; None where it runs in this one."""

    weights: int
    apart: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Scores:
    """What the model said about n given tokens; all arrays have n rows and are read-only.

    ``logprob`` in nats (NaN where the model gives no p(x_1)), ``rank`` from 1 (0 where not scored), ``entropy``
    in nats, ``best_ids`` and ``best_logprobs`` of shape (n, 5) padded with -1 and -inf.
    """

    logprob: NDArray[np.float64]
    rank: NDArray[np.int64]
    entropy: NDArray[np.float64]
    best_ids: NDArray[np.int64]
    best_logprobs: NDArray[np.float64]


Columns = tuple[NDArray[Any], ...]
"""The arrays of :class:`Scores`, in their order."""


def unscored(n: int) -> Columns:
    """Of n tokens that have no scores; may be written."""
    return (
        np.full(n, np.nan),
        np.zeros(n, dtype=np.int64),
        np.full(n, np.nan),
        np.full((n, BEST), -1, dtype=np.int64),
        np.full((n, BEST), -np.inf),
    )


def columns(parts: Iterable[Columns]) -> Columns:
    """One after another, of none or more parts."""
    return tuple(map(np.concatenate, zip(unscored(0), *parts, strict=True)))


def frozen_scores(found: Columns) -> Scores:
    """These arrays from now on read-only."""
    for array in found:
        array.flags.writeable = False
    return Scores(*found)


class Session(Protocol):
    """A position in a chain, with whatever the model keeps to go on from there (a KV cache). Not thread-safe."""

    @property
    def ids(self) -> tuple[int, ...]:
        """The chain so far."""
        ...

    def extend(self, ids: Sequence[int]) -> Scores:
        """Read ``ids`` after the chain so far and score each of them. Raises Problem past the context."""
        ...

    def read(self, ids: Sequence[int]) -> None:
        """Like extend without the scores, which cost a row of V logits for every token."""
        ...

    def rewind(self, length: int) -> None:
        """Go back to the first ``length`` tokens."""
        ...

    def reach(self, length: int) -> int:
        """The most tokens, at most ``length``, to which a rewind costs no more than one token read again.

        ``length`` itself where the cache can be cropped there, else the last checkpoint before it, or 0. Whoever
        rewinds further reads what is missing at once, when the next logits are asked for.
        """
        ...

    def logits(self) -> NDArray[np.floating]:
        """Logits of the next token, shape (V,), read-only; float32 (float64 for a table).

        Raises Problem where the empty prefix has none.
        """
        ...

    def branch(self) -> Session:
        """A second session at the same place; both go on independently and share what memory they can."""
        ...

    @property
    def cache_bytes(self) -> int:
        """What this session keeps in memory to go on from here; branches that share memory each count it."""
        ...

    @property
    def storages(self) -> Mapping[int, int]:
        """``cache_bytes`` by address of the memory, which branches that share it have in common."""
        ...

    @property
    def evaluated(self) -> int:
        """How many tokens the model has read for this session since it was made, repeated ones counted again."""
        ...


def expect(session: Session, length: int) -> None:
    """Tell a session that wants to know it that its chain is going to have so many tokens.

    What it keeps then has its place from the beginning, and is not moved again and again as it grows.
    """
    told = getattr(session, "expect", None)  # isinstance of a protocol takes as long as a small model
    if told is not None:
        told(length)


@runtime_checkable
class InRows(Protocol):
    """A session that tells the logits after each of several tokens by one forward."""

    def rows(self, ids: Sequence[int]) -> NDArray[np.floating]:
        """Read ``ids`` after the chain so far; the logits after each of them, shape (n, V). Raises Problem past the
        context."""
        ...


def rows_of(session: Session, ids: Sequence[int]) -> NDArray[np.floating]:
    """:meth:`InRows.rows`, of another session token by token; (n, V)."""
    if isinstance(session, InRows):
        return session.rows(ids)
    found = []
    for id in ids:
        session.read([id])
        found.append(session.logits())
    return np.stack(found)


class PartialSession(Protocol):
    """A session that has no logits, since only the most probable tokens are told."""

    def distribution(self) -> Distribution:
        """p(next | the chain so far), as far as it is known. Raises Problem where the empty prefix has none."""
        ...


def next_of(session: Session) -> Distribution:
    """p(next | the session's chain), of the whole vocabulary or of what is known of it. Raises Problem."""
    told = getattr(session, "distribution", None)  # of a PartialSession: isinstance takes as long as a small model
    return Distribution.from_logits(session.logits()) if told is None else told()


class Batch(Protocol):
    """B chains of one length, stepped together. Not thread-safe."""

    @property
    def logprobs(self) -> NDArray[np.float64]:
        """log p of the next token after each chain, in nats, shape (B, V), read-only."""
        ...

    @property
    def shift(self) -> NDArray[np.float64]:
        """What makes the log-probs of each chain the model's logits when it is added, shape (B,), read-only."""
        ...

    def step(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """Read one id a chain, shape (B,), and give :attr:`logprobs` after them.

        Raises ValueError unless there are B of them, and Problem past the context, for an id that does not exist,
        and where nothing comes next. After anything that fails on the way (no memory) make a new batch.
        """
        ...

    def reorder(self, parents: Sequence[int]) -> None:
        """Chain i goes on from what was chain ``parents[i]``; there may be more of them then than before, or fewer.

        Raises ValueError for one that there is not.
        """
        ...


def next_of_each(batch: Batch) -> list[Distribution]:
    """p(next | chain) of each chain."""
    rows = zip(batch.logprobs, batch.shift, strict=True)
    return [Distribution(len(row), row, shift=float(shift)) for row, shift in rows]


class Model(Protocol):
    """A loaded model. Everything but ``alphabet``, ``info`` and ``can`` is used by the worker thread alone."""

    @property
    def info(self) -> Info: ...

    @property
    def alphabet(self) -> Coder: ...

    @property
    def can(self) -> Capabilities: ...

    def memory(self) -> Memory: ...

    def session(self) -> Session: ...

    def batch(self, prefixes: Sequence[Sequence[int]]) -> Batch:
        """Chains that begin with these ids, all of one length; one that comes several times is read once.

        Raises ValueError for other lengths or no prefix at all, and Problem where a session would.
        """
        ...

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """log p (nats) of every token by one pass without any cache, shape (n,); NaN where there is no p(x_1).

        The last token is scored but not read, so n may be one more than the context.
        Independent of Session on purpose: the ledger is reconciled against it.
        """
        ...

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        """Logits after ``ids`` by one forward that neither reads nor keeps a cache, shape (V,), read-only.

        Raises Problem as ``extend`` does. What the cache saves is measured against it.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """A model that knows more of a whole document than the chain in the order in which it is read."""

    def told_of(self, encoded: Encoded) -> tuple[Note, ...]:
        """What belongs to its totals; in little time, since it is asked for with every change."""
        ...


def told_of(model: Model, encoded: Encoded) -> tuple[Note, ...]:
    """What a :class:`Telling` model knows; nothing of another one."""
    return model.told_of(encoded) if isinstance(model, Telling) else ()


@runtime_checkable
class Parallel(Protocol):
    """A model that reads a whole chain in one pass: nothing but its mask keeps a later token from an earlier one."""

    def at_once(self, ids: Sequence[int], first: int) -> NDArray[np.floating]:
        """Logits of each of ids[first:] given those before it, by one pass that reads all of ``ids``, shape (rows, V).

        Raises Problem past the context; ``first`` is 1 at least where there is no p(x_1).
        """
        ...


@runtime_checkable
class Abreast(Protocol):
    """A model that scores several windows in one forward, where it can batch (:attr:`Capabilities.batch`).

    ``rows``: of how many tokens it holds logits at once.
    """

    @property
    def rows(self) -> int: ...

    def abreast(self, windows: Sequence[Sequence[int]], count: int) -> Scores:
        """Scores of the last ``count`` tokens, at most ``rows``, of each window, one window after the other.

        All are of one length, and the last token of each is scored but not read. Raises Problem past the context.
        """
        ...


def abreast(model: Model) -> Abreast | None:
    """The model, where it is :class:`Abreast`."""
    return model if model.can.batch and isinstance(model, Abreast) else None


@runtime_checkable
class Wired(Protocol):
    """A model that tells what its architecture connects, whatever its weights are."""

    @property
    def wiring(self) -> str:
        """In words: "every token before"."""
        ...

    def reads(self, index: int) -> NDArray[np.bool_]:
        """Which of the first ``index`` tokens of a chain the next one's distribution can depend on, shape (index,)."""
        ...


def parallel(model: Model) -> Parallel | None:
    """The model, where it is :class:`Parallel`."""
    return model if isinstance(model, Parallel) else None


def wired(model: Model) -> Wired | None:
    """The model, where it is :class:`Wired`."""
    return model if isinstance(model, Wired) else None


def reads_last(index: int, most: int) -> NDArray[np.bool_]:
    """:meth:`Wired.reads` of a model that reads the last ``most`` tokens.

    >>> reads_last(4, 2).tolist()
    [False, False, True, True]
    """
    return np.arange(index) >= index - most


@dataclass(frozen=True, eq=False, slots=True)
class Field:
    """The receptive field of the token after a chain, for the last n tokens of the chain: arrays (n,), read-only.

    ``declared``: which of them it can depend on, as the architecture connects them. ``gradient``: how much its logits
    move with each, sqrt(sum_v |d logit_v / d input|^2). ``blind``: which it would read but for a fault of the order in
    which the network is connected.
    """

    declared: NDArray[np.bool_]
    gradient: NDArray[np.float64]
    blind: NDArray[np.bool_]

    def last(self, n: int) -> Field:
        """Of the last ``n`` tokens alone."""
        first = len(self.declared) - n
        return Field(self.declared[first:], self.gradient[first:], self.blind[first:])


@runtime_checkable
class Reaching(Protocol):
    """A model whose receptive field is declared by its connections and can be measured by gradient."""

    def field(self, ids: Sequence[int]) -> Field:
        """That of the token after ``ids``, which need not say all of them: the last ones. Raises Problem."""
        ...


def field_of(model: Model, ids: Sequence[int]) -> Field:
    """That of a model that has one. Raises Problem where it has none."""
    if not (model.can.field and isinstance(model, Reaching)):
        raise Problem("this model has no receptive field that is measured", "choose a PixelCNN, a WaveNet or an LSTM")
    return model.field(ids)


def lead(alphabet: Coder, starts_empty: bool, choice: FirstToken) -> tuple[tuple[int, ...], str]:
    """The ids put before a text, and the name of that treatment as results show it.

    ``auto`` is what the tokenizer itself adds; if it adds nothing, the first token is the model's own p(x_1) or
    stays unscored. ``unscored`` leaves it unscored even where the model has a p(x_1). Raises Problem for a BOS or
    EOS that the model does not have.
    """
    if choice in ("bos", "eos"):
        id = alphabet.bos if choice == "bos" else alphabet.eos
        if id is None:
            raise Problem(f"this model has no {choice.upper()} token", "choose another first-token rule")
        return (id,), choice
    if choice == "auto" and alphabet.lead:
        return alphabet.lead, "tokenizer"
    return (), "model" if starts_empty and choice == "auto" else "unscored"


def beginning(coder: Coder, text: str, tokens: int, special: bool = False) -> Encoded:
    """The tokens of as much of a text as so many of them can be, and perhaps more.

    Raises Problem for text that is no Unicode, and for a model that reads something else.
    """
    try:
        data = to_bytes(text[: LONGEST_TOKEN * tokens])
    except UnicodeEncodeError as error:
        raise Problem("the text holds half a character (a lone surrogate)", "remove it") from error
    return Text.of(data).encoded(alphabet_of(coder), special)


def check(info: Info, ids: Sequence[int], before: int = 0) -> None:
    """Refuse what a device must not see: more tokens than the context after ``before`` others, ids that do not exist.

    Raises Problem.
    """
    if info.context is not None and before + len(ids) > info.context:
        raise Problem(f"the context is full ({info.context:,} tokens)", "shorten the text or use a longer context")
    if ids and info.vocabulary is not None and not 0 <= min(ids) <= max(ids) < info.vocabulary:
        raise Problem(f"an id is outside the vocabulary of {info.vocabulary:,}", "re-tokenise the text")


def no_first() -> Problem:
    """What a model says that has no p(x_1) where it is asked for it."""
    return Problem("this model gives no distribution of a first token", "type something, or choose BOS or EOS")
