"""A next-token distribution p(x_i | x_<i) over a whole vocabulary, or the part of it that is known."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.format import LN2 as LN2

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

T = TypeVar("T", bound=np.generic)
_ROWS = 1 << 19


def log_softmax(logits: NDArray[np.floating]) -> Floats:
    """log p_i = z_i - log sum_j exp z_j, in nats and float64, over the last axis.

    Raises Problem for logits that define no distribution (NaN, +inf, or all minus infinity).

    >>> np.exp(log_softmax(np.array([0.0, np.log(3.0)])))
    array([0.25, 0.75])
    """
    z = np.asarray(logits, dtype=np.float64)
    top = np.max(z, axis=-1, keepdims=True)
    if not np.all(np.isfinite(top)):  # max carries NaN and both infinities
        raise Problem("the model's logits are not numbers (NaN or infinite)", "use float32, or another model")
    with np.errstate(over="ignore"):  # two logits may lie further apart than a float reaches: p = 0
        shifted = z - top
    result: Floats = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return result


def entropy(logprobs: Floats) -> float:
    """H = -sum p log p in nats, with 0 log 0 = 0 (Shannon 1948).

    >>> round(entropy(np.log([0.5, 0.25, 0.25])) / LN2, 6)  # bits
    1.5
    """
    alive = logprobs[logprobs > -np.inf]
    return max(0.0, float(-np.sum(np.exp(alive) * alive)))


class Distribution:
    """p(next | prefix) over V tokens; immutable.

    Full: every one of the V log-probs is known (``ids`` is None). Partial: a server told only some of them;
    then ``ids`` lists the known ones and what is left is one mass, ``rest``, never invented token by token.
    ``open``: there are tokens beyond the ``size`` that have a name, and nobody knows how many. ``ceiling``: the most
    that the log-prob of an unknown one may be, where it may be more than that of known ones. ``shift``: what is added
    to a log-prob to be the logit that the model gave, where it gave logits. ``support`` is looked for where it
    is not known. ``told_entropy``: in nats, of a partial one that was known as a whole once.
    Ranks count from 1; equal probabilities are ordered by id.
    """

    def __init__(
        self,
        size: int,
        logprobs: Floats,
        ids: Ids | None = None,
        open: bool = False,
        ceiling: float = -np.inf,
        shift: float | None = None,
        support: Ids | None = None,
        told_entropy: float | None = None,
    ) -> None:
        self.size, self.open, self.ceiling, self.shift = size, open, ceiling, shift
        if support is not None:
            self.__dict__["support"] = frozen(support)
        if told_entropy is not None:
            self.__dict__["entropy"] = told_entropy
        self.logprobs = frozen(np.asarray(logprobs, dtype=np.float64))
        self.ids = None if ids is None else frozen(np.asarray(ids, dtype=np.int64))
        self._best: Ids = frozen(np.zeros(0, np.int64))
        expected = size if self.ids is None else len(self.ids)
        if self.logprobs.shape != (expected,):
            raise ValueError(f"{expected} log-probs expected, got shape {self.logprobs.shape}")

    @classmethod
    def from_logits(cls, logits: NDArray[np.floating]) -> Distribution:
        """Softmax over the whole vocabulary; logits of shape (V,). Raises Problem for NaN."""
        logprobs = log_softmax(logits)
        best = int(np.argmax(logits))
        return cls(len(logits), logprobs, shift=float(logits[best]) - float(logprobs[best]))

    @property
    def full(self) -> bool:
        return self.ids is None

    @cached_property
    def support(self) -> Ids:
        """Where ``logprobs`` is not minus infinity, rising: the ids that can follow, of a full distribution.

        >>> Distribution(3, np.log([0.5, 1e-300, 0.5]) + [0, -np.inf, 0]).support
        array([0, 2])
        """
        return frozen(np.flatnonzero(self.logprobs > -np.inf))

    @cached_property
    def probs(self) -> Floats:
        alive = self.support
        if len(alive) == len(self.logprobs):
            return frozen(np.exp(self.logprobs))
        result = np.zeros(len(self.logprobs))  # after a decoding most are: exp of an infinity takes four times as long
        result[alive] = np.exp(self.logprobs[alive])
        return frozen(result)

    @cached_property
    def order(self) -> Ids:
        """Known ids from the most to the least probable, ties by id."""
        ids = np.arange(self.size) if self.ids is None else self.ids
        return frozen(ids[np.lexsort((ids, -self.logprobs))])

    @cached_property
    def entropy(self) -> float | None:
        """Entropy in nats; None for a partial distribution, whose entropy nobody knows unless it is told."""
        return entropy(self.logprobs) if self.full else None

    def top(self, n: int) -> Ids:
        """The n most probable known ids, ties by id (fewer where fewer are known)."""
        n = max(0, n)
        if self.ids is not None or not 0 < n < self.size or "order" in self.__dict__:
            return self.order[:n]
        if n <= len(self._best):
            return self._best[:n]
        cut = np.partition(self.logprobs, self.size - n)[self.size - n]
        near = np.flatnonzero(self.logprobs >= cut)
        self._best = frozen(near[np.lexsort((near, -self.logprobs[near]))][:n])
        return self._best

    def logprob(self, id: int) -> float | None:
        """log p(id) in nats, or None where it is not known."""
        place = self._place(id)
        return None if place is None else float(self.logprobs[place])

    def rank(self, id: int) -> int | None:
        """1 for the most probable token; None where it is not known."""
        place = self._place(id)
        if place is None:
            return None
        mine = self.logprobs[place]
        if mine < self.ceiling:
            return None
        ids = np.arange(self.size) if self.ids is None else self.ids
        ahead = (self.logprobs > mine) | ((self.logprobs == mine) & (ids < id))
        return 1 + int(np.count_nonzero(ahead))

    def rest(self, shown: Ids) -> tuple[int | None, float]:
        """How many tokens are not among ``shown`` (None: nobody knows), and their probability together.

        >>> told = Distribution(5, np.log([0.5, 0.25]), np.array([3, 1]), open=True)
        >>> told.rest(told.top(1))
        (None, 0.5)
        """
        if self.ids is None:
            alive, ids = self.support, np.unique(shown)  # after a decoding few are left
            left, places = self.probs[alive], np.searchsorted(alive, ids, "right") - 1
            left[places[(places >= 0) & (alive[places] == ids)]] = 0.0
            return self.size - len(ids), float(np.sum(left))
        known = float(sum(self.probs[place] for id in shown if (place := self._place(int(id))) is not None))
        return None if self.open else int(self.size - len(shown)), max(0.0, 1.0 - known)

    def _place(self, id: int) -> int | None:
        if not 0 <= id < self.size and not (self.open and id >= 0):
            raise IndexError(f"id {id} is outside a vocabulary of {self.size}")
        if self.ids is None:
            return id
        where = np.flatnonzero(self.ids == id)
        return int(where[0]) if len(where) else None


def frozen(array: NDArray[T]) -> NDArray[T]:
    """A read-only view: the caller's own array stays as it was."""
    view = array.view()
    view.flags.writeable = False
    return view


def filled(shape: tuple[int, ...], value: float, kind: type[T]) -> NDArray[T]:
    """An array of one value, filled in blocks: other threads have their turn in between."""
    made = np.empty(shape, kind)
    for at in range(0, shape[0], _ROWS):
        made[at : at + _ROWS] = value
    return made


def read_only(array: NDArray[T]) -> NDArray[T]:
    """The same array, which nobody can write to any more."""
    array.flags.writeable = False
    return array
