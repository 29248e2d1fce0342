"""The tokens that may still be drawn: what one decoding stage hands to the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import Distribution, frozen
from arplay.core.errors import Problem

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


class Candidates:
    """Tokens in the order of their ids, with log-probs up to a constant; immutable.

    ``ids`` and ``scores`` have the shape (n,); ids is None where nothing of V tokens was removed. Probabilities are
    exp(scores) / total: a stage need not renormalise. ``shift``: what makes a score the logit that the model gave and
    the stages changed, where that is known. ``unknown``: how many tokens a partial distribution says
    nothing of (None: nobody knows), and their weight together in the same unit as exp(scores); (0, 0.0) for a full one.
    """

    def __init__(
        self,
        size: int,
        scores: Floats,
        ids: Ids | None = None,
        unknown: tuple[int | None, float] = (0, 0.0),
        shift: float | None = None,
    ) -> None:
        self.size, self.scores, self.unknown, self.shift = size, frozen(scores), unknown, shift
        self._ids = ids
        self._sorted: Callable[[], Floats] | None = None

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, distribution: Distribution) -> Candidates:
        """Every token that ``distribution`` gives a probability above 0.

        The same object for the same one, so that it is sorted once while a hand moves a slider.
        """
        scores, ids = distribution.logprobs, distribution.ids
        unknown: tuple[int | None, float] = (0, 0.0)
        if ids is not None:
            by_id = np.argsort(ids)
            scores, ids = scores[by_id], ids[by_id]
            unknown = distribution.rest(distribution.order)
        whole = cls(distribution.size, scores, ids, unknown, distribution.shift)
        alive = scores > -np.inf
        return whole if alive.all() else whole.keep(np.flatnonzero(alive))

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def is_partial(self) -> bool:
        """Whether there are tokens of which nobody knows the probability."""
        return self.unknown[0] != 0

    @property
    def ids(self) -> Ids:
        return np.arange(self.size) if self._ids is None else self._ids

    @cached_property
    def best(self) -> float:
        """The largest score."""
        return float(np.max(self.scores))

    @cached_property
    def weights(self) -> Floats:
        """exp(scores), shape (n,)."""
        return frozen(np.exp(self.scores))

    @cached_property
    def total(self) -> float:
        """What the weights are divided by to be probabilities."""
        return float(np.sum(self.weights)) + self.unknown[1]

    @cached_property
    def logprobs(self) -> Floats:
        """log p of each of them as they stand, in nats, shape (n,)."""
        return frozen(self.scores - np.log(self.total))

    @property
    def entropy(self) -> float:
        """Of what may be drawn, in nats. Raises Problem where not every token's probability is known."""
        self.must_be_full("the entropy")
        return float(-np.sum(self.weights * self.logprobs)) / self.total

    @cached_property
    def reached(self) -> Floats:
        """The weights from the most to the least probable token, summed up, shape (n,)."""
        return frozen(np.cumsum(np.exp(self.falling)))

    def keep(self, places: NDArray[np.int64]) -> Candidates:
        """The known tokens at these places, which rise; nothing of the unknown ones."""
        ids = places if self._ids is None else self._ids[places]
        return Candidates(self.size, self.scores[places], ids, shift=self.shift)

    def where(self, alive: NDArray[np.bool_]) -> Candidates:
        """The known tokens that are ``alive``, shape (n,); nothing of the unknown ones."""
        return self if alive.all() and not self.is_partial else self.keep(np.flatnonzero(alive))

    def places(self, ids: Ids) -> NDArray[np.int64]:
        """Where those of ``ids`` that may be drawn stand, each once, rising."""
        if self._ids is None:
            return np.unique(ids[(ids >= 0) & (ids < self.size)])
        return np.flatnonzero(np.isin(self._ids, ids))

    def scored(self, scores: Floats, shift: float | None = None) -> Candidates:
        """The same tokens with other scores. Raises Problem where the unknown ones would need some, too."""
        self.must_be_full("another score for every token")
        return Candidates(self.size, scores, self._ids, shift=shift)

    def mapped(self, rising: Callable[[Floats], Floats], shift: float | None = None) -> Candidates:
        """The same tokens in the same order with the scores that ``rising`` makes: what was sorted stays so."""
        done = self.scored(rising(self.scores), shift)
        done._sorted = lambda: rising(self.falling)
        return done

    def changed(self, ids: Ids, change: Callable[[Floats, Ids], Floats]) -> Candidates:
        """``change`` gives the scores of those of ``ids`` that may be drawn, from their scores and ids.

        One that becomes minus infinity is gone. Raises Problem where the unknown ones might be among them.
        """
        places = self.places(ids)
        if not len(places):
            return self
        self.must_be_full("another score for some tokens")
        scores = self.scores.copy()
        scores[places] = change(scores[places], self.ids[places])
        done = self.scored(scores, self.shift)
        gone = scores[places] == -np.inf
        return done.keep(np.flatnonzero(scores > -np.inf)) if gone.any() else done

    def first(self, count: int) -> Candidates:
        """The ``count`` most probable of the known tokens, of equals those with the lowest ids."""
        if count >= len(self):
            return self.keep(np.arange(len(self))) if self.is_partial else self
        least = self.falling_at(count - 1)
        chosen = self.scores >= least
        extra = int(np.count_nonzero(chosen)) - count
        if extra:
            chosen[np.flatnonzero(self.scores == least)[-extra:]] = False
        return self.keep(np.flatnonzero(chosen))

    def ranked(self, place: int) -> int:
        """The id at ``place`` from the most probable token on, equals by id.

        >>> Candidates(3, np.log([0.2, 0.4, 0.4])).ranked(1)
        2
        """
        score = self.falling_at(place)
        before = int(np.count_nonzero(self.scores > score))
        return int(self.ids[np.flatnonzero(self.scores == score)[place - before]])

    def falling_at(self, place: int) -> float:
        """The score at ``place`` from the largest on."""
        if "falling" in self.__dict__:
            return float(self.falling[place])
        at = len(self) - 1 - place
        return float(np.partition(self.scores, at)[at])

    def must_be_full(self, wanted: str) -> None:
        """Raises Problem where not every token's probability is known."""
        if self.is_partial:
            of = "" if self.unknown[0] is None else f" of {self.size:,}"
            raise Problem(
                f"{wanted} needs every token's probability, and the server tells only {len(self):,}{of}",
                f"put top-k of at most {len(self):,} before it",
            )

    @cached_property
    def falling(self) -> Floats:
        """The scores from the largest to the smallest: sorting values takes a quarter of sorting places."""
        return frozen(np.sort(self.scores)[::-1] if self._sorted is None else self._sorted())
