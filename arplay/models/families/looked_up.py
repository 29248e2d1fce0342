"""What a model has in common that looks its distributions up: a prefix is all that its sessions keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST
from arplay.core.distribution import Distribution
from arplay.core.distribution import entropy as shannon
from arplay.core.errors import Problem
from arplay.models.base import Capabilities, Info, Memory, Scores, check, frozen_scores
from arplay.models.batches import OneByOne


class LookedUp:
    """A model that looks its distributions up, in float64: a table, a joint, counts of n-grams."""

    info: Info
    can = Capabilities(starts_empty=True, rewinds="none", batch=False)

    def logprobs(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """log p(next | ids) in nats, shape (V,), read-only."""
        raise NotImplementedError

    def memory(self) -> Memory:
        return Memory(8 * (self.info.parameters or 0))

    def session(self) -> TableSession:
        return TableSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> OneByOne:
        return OneByOne(self.info, self.session, prefixes)

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        check(self.info, ids)
        return self.logprobs(ids)


class TableSession:
    """A prefix; what is looked up needs no cache."""

    cache_bytes = 0

    def __init__(self, table: LookedUp) -> None:
        self._table = table
        self._ids: list[int] = []
        self.evaluated = 0

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._ids)

    def extend(self, ids: Sequence[int]) -> Scores:
        given = self._checked(ids)
        n = len(given)
        logprob, entropy = np.zeros(n), np.zeros(n)
        rank = np.zeros(n, dtype=np.int64)
        best_ids, best = np.full((n, BEST), -1, dtype=np.int64), np.full((n, BEST), -np.inf)
        for i, id in enumerate(given):
            row = self._table.logprobs(self._ids)
            next_token = Distribution(len(row), row)
            logprob[i], entropy[i] = next_token.logprobs[id], shannon(next_token.logprobs)
            rank[i] = next_token.rank(id) or 0
            top = next_token.top(BEST)
            best_ids[i, : len(top)], best[i, : len(top)] = top, next_token.logprobs[top]
            self._ids.append(id)
        return frozen_scores(logprob, rank, entropy, best_ids, best)

    def read(self, ids: Sequence[int]) -> None:
        self._ids += self._checked(ids)

    def _checked(self, ids: Sequence[int]) -> list[int]:
        given = [int(id) for id in ids]
        size = self._table.info.vocabulary or 0
        if given and not 0 <= min(given) <= max(given) < size:
            raise Problem(f"an id is outside the alphabet of {size}", "re-tokenise the text")
        self.evaluated += len(given)
        return given

    def rewind(self, length: int) -> None:
        if not 0 <= length <= len(self._ids):
            raise ValueError(f"cannot rewind {len(self._ids)} tokens to {length}")
        del self._ids[length:]

    def reach(self, length: int) -> int:
        return length

    @property
    def storages(self) -> Mapping[int, int]:
        return {}

    def branch(self) -> TableSession:
        other = TableSession(self._table)
        other._ids = self._ids.copy()
        return other

    def logits(self) -> NDArray[np.floating]:
        return self._table.logprobs(self._ids)
