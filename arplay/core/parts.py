"""The words, lines or sentences of a scored document as rows: what each costs, and what its tokens have to do with it.

A token belongs to the part in which it begins, so every token counts once and the sums are those of the whole. One that
goes on into the next part is counted as crossing: the two then share what it costs, which nobody can divide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger, added_up
from arplay.core.distribution import LN2
from arplay.core.errors import Problem
from arplay.core.modalities.base import Encoded, Ids

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Parts:
    """m parts of one kind, side by side: each is the units [``starts``, ``ends``), and the tokens [``first``, ``stop``)
    that begin there. All arrays of shape (m,)."""

    ledger: Ledger
    kind: str
    starts: Ids
    ends: Ids
    first: Ids
    stop: Ids

    @classmethod
    def of(cls, ledger: Ledger, kind: str) -> Parts:
        """Those of a document, as far as it is scored. Raises Problem where it has no parts of that kind.

        >>> from arplay import load
        >>> parts = Parts.of(load("english").score("It was a dark night.").ledger, "word")
        >>> parts.starts.tolist(), round(float(parts.logprob.sum()), 3)
        ([0, 2, 6, 8, 13], -16.336)
        """
        none = np.zeros(0, np.int64)
        cuts = [(none, none), *spans(ledger.encoded, kind)]
        return cls.at(ledger, kind, *map(np.concatenate, zip(*cuts, strict=True)))

    @classmethod
    def at(cls, ledger: Ledger, kind: str, starts: Ids, ends: Ids) -> Parts:
        """Of these spans of units alone."""
        edges = ledger.ends[:-1]  # where the tokens behind the first one begin; no copy of a long array is made here
        first, stop = (
            np.where(places > 0, 1 + edges.searchsorted(places.astype(edges.dtype)), 0) for places in (starts, ends)
        )
        if len(ends) and ends[-1] == ledger.encoded.units:
            stop[-1] = len(ledger)  # a token without units at the very end
        return cls(ledger, kind, starts, ends, first, stop)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: slice) -> Parts:
        cut = (self.starts, self.ends, self.first, self.stop)
        return Parts(self.ledger, self.kind, *(column[rows] for column in cut))

    @property
    def _tokens(self) -> slice:
        return slice(int(self.first[0]), int(self.stop[-1])) if len(self) else slice(0, 0)

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """Which of its tokens have a score."""
        return ~np.isnan(self.ledger.logprob[self._tokens])

    def _sums(self, values: NDArray[Any]) -> Floats:
        """``values`` of its tokens, added up by parts where they are known."""
        edges = np.append(self.first, self.stop[-1:]) - self.first[:1]
        return added_up(np.where(self._known, values.astype(np.float64), 0.0), edges)

    @property
    def tokens(self) -> Ids:
        """How many begin in each, (m,)."""
        return self.stop - self.first

    @cached_property
    def scored(self) -> Ids:
        """How many tokens of each have a score, (m,)."""
        return np.rint(self._sums(self._known)).astype(np.int64)

    @cached_property
    def logprob(self) -> Floats:
        """log p of each in nats: the sum over its scored tokens, (m,); NaN where none is."""
        return np.where(self.scored > 0, self._sums(self.ledger.logprob[self._tokens]), np.nan)

    @cached_property
    def entropy(self) -> Floats:
        """The entropies of its tokens added up in nats, (m,); NaN where one is not known."""
        return np.where(self.scored > 0, self._sums(self.ledger.entropy[self._tokens]), np.nan)

    @cached_property
    def crossing(self) -> NDArray[np.bool_]:
        """Whether the last token of a part goes on into the next, (m,)."""
        last = np.maximum(self.stop - 1, 0)
        return (self.stop > self.first) & (self.ledger.ends[last] > self.ends)

    @cached_property
    def bits_per_unit(self) -> Floats:
        """Surprisal in bits over the units of a part, (m,); NaN where it has none."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.ends > self.starts, -self.logprob / LN2 / (self.ends - self.starts), np.nan)


def check(encoded: Encoded, kind: str) -> None:
    """Raises Problem where a document has no parts of that kind."""
    if kind not in (known := encoded.divisions):
        there = f"use {', '.join(known)}" if known else "it has none of any kind"
        raise Problem(f"this document has no parts called {kind!r}", there)


def spans(encoded: Encoded, kind: str) -> Iterator[tuple[Ids, Ids]]:
    """Where the parts of a document start and end, in its units, some at a time.

    Raises Problem where it has no parts of that kind.
    """
    check(encoded, kind)
    held = np.zeros(0, np.int64)
    for block in encoded.parts(kind):
        places = np.concatenate([held, block])
        if len(places) > 1:
            yield places[:-1], places[1:]
        held = places[-1:]
    if len(held):
        yield held, np.array([encoded.units])


@dataclass(eq=False)
class Columns:
    """What is known of the first parts of a growing table, arrays of shape (m,)."""

    starts: Ids
    ends: Ids
    first: Ids
    stop: Ids
    scored: Ids
    logprob: Floats
    entropy: Floats
    bits_per_unit: Floats


class Growing:
    """The parts of a document, as far as they are found and scored. Each block takes a few milliseconds.

    >>> from arplay import load
    >>> growing = Growing(load("english").score("It was a dark night.").ledger, "word")
    >>> len(growing), growing.go_on(), len(growing), growing.go_on(), growing.go_on(), len(growing)
    (0, True, 4, True, False, 5)
    """

    def __init__(self, ledger: Ledger, kind: str) -> None:
        """Raises Problem where there are no parts of that kind."""
        self.ledger, self.kind = ledger, kind
        self._spans = spans(ledger.encoded, kind)
        self._waiting: tuple[Ids, Ids] | None = None
        self._room = {field.name: np.zeros(64, _type(field.name)) for field in fields(Columns)}
        self._count = 0
        self.found = False
        """Whether all of them are there."""

    def __len__(self) -> int:
        return self._count

    @property
    def columns(self) -> Columns:
        """Of all that are there; the arrays are good until more are."""
        return Columns(**{name: room[: self._count] for name, room in self._room.items()})

    def follows(self, ledger: Ledger) -> bool:
        """Whether another ledger is one of the same scoring; if so, go on with it."""
        same = ledger.encoded is self.ledger.encoded and ledger.logprob.base is self.ledger.logprob.base
        if same or ledger is self.ledger:
            self.ledger = ledger
        return same or ledger is self.ledger

    def go_on(self) -> bool:
        """Look at some more; False where none are left, or where they are not scored yet."""
        if self._waiting is None:
            self._waiting = next(self._spans, None)
            if self._waiting is None:
                self.found = True
                return False
        starts, ends = self._waiting
        parts = Parts.at(self.ledger, self.kind, starts, ends)
        ready = len(parts) if self.ledger.complete else int(np.searchsorted(parts.stop, self.ledger.done, "right"))
        self._add(parts[:ready])
        self._waiting = (starts[ready:], ends[ready:]) if ready < len(parts) else None
        return ready > 0

    def _add(self, parts: Parts) -> None:
        stop = self._count + len(parts)
        for name, room in self._room.items():
            if stop > len(room):
                self._room[name] = np.concatenate([room, np.zeros(stop, room.dtype)])
            self._room[name][self._count : stop] = getattr(parts, name)
        self._count = stop


def _type(name: str) -> type[np.generic]:
    return np.float64 if name in ("logprob", "entropy", "bits_per_unit") else np.int64
