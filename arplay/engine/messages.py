"""What crosses between the window and the worker thread: frozen requests in, frozen results out.

Every request carries the whole state it needs and a number; every result is stamped with the number of the request
that it answers. Arrays in results are read-only; no tensor crosses. Here is what all jobs have in common: each has its
request and its results in its own file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from arplay.core.format import transfer
from arplay.core.modalities.base import TokenSet


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

    @property
    def slots(self) -> tuple[int, ...]:
        """Every slot whose model it is about."""
        return (self.slot,)


@dataclass(frozen=True, eq=False, slots=True)
class Result:
    """What is said of the request of the same number."""

    number: int

    @property
    def is_last(self) -> bool:
        """Whether it ends its request; exactly one result does."""
        return True


@dataclass(frozen=True, eq=False, slots=True)
class WithTokens(Result):
    """A result with ids in it. ``tokens``: what they stand for; of a partial model they become more and more."""

    tokens: TokenSet


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

    @property
    def transfer(self) -> list[str]:
        """The download in words, as :func:`arplay.core.format.transfer` says it; empty for other work."""
        return transfer(self.bytes_done, self.bytes_total, self.per_second, self.seconds_left)


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
