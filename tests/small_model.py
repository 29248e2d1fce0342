"""A collaborator for the engine's tests: a model whose every answer depends on all the tokens it has read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.models.base import Capabilities, Info, Memory, Scores, frozen_scores
from arplay.models.batches import OneByOne
from arplay.models.families.table.model import TableAlphabet

TOKENS = (b"A", b"B", b"C", b"AB", b"^")


class SmallModel:
    """p(next | context) is drawn afresh for every context, so a wrong context shows in the first digit.

    ``forwards`` counts calls of extend and ``read`` the tokens read; ``before_forward`` may block or raise.
    """

    def __init__(
        self,
        context: int | None = 4,
        starts_empty: bool = False,
        lead: tuple[int, ...] = (),
        before_forward: Callable[[], None] = lambda: None,
        name: str = "small",
    ) -> None:
        self.alphabet = TableAlphabet(Vocabulary("small", TOKENS))
        self.alphabet.lead = lead
        self.alphabet.bos = 4
        self.can = Capabilities(starts_empty, "cropped", batch=False)
        self.info = Info(name, "double", "tests", "0", "float64", "cpu", len(TOKENS), context, 0)
        self.before_forward = before_forward
        self.forwards = 0
        self.read = 0

    def distribution(self, ids: Sequence[int]) -> Distribution:
        if self.info.context is not None and len(ids) > self.info.context:
            raise Problem("the context is full", "shorten the text")
        logits = np.random.default_rng(zlib.crc32(bytes(ids))).normal(size=len(TOKENS))
        return Distribution.from_logits(logits)

    def memory(self) -> Memory:
        return Memory(0)

    def session(self) -> SmallSession:
        return SmallSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> OneByOne:
        return OneByOne(self.info, self.session, prefixes)

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        known = [self.can.starts_empty or i > 0 for i in range(len(ids))]
        return np.array([self.distribution(ids[:i]).logprobs[ids[i]] if known[i] else np.nan for i in range(len(ids))])

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        self.before_forward()
        return self.distribution(ids).logprobs


class SmallSession:
    cache_bytes = 0

    def __init__(self, model: SmallModel) -> None:
        self.model = model
        self.evaluated = 0
        self._ids: list[int] = []

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._ids)

    def extend(self, ids: Sequence[int]) -> Scores:
        self.model.before_forward()
        self.model.forwards += 1
        self.model.read += len(ids)
        self.evaluated += len(ids)
        n = len(ids)
        logprob, entropy, rank = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64)
        best_ids, best = np.full((n, BEST), -1, np.int64), np.full((n, BEST), -np.inf)
        for i, id in enumerate(ids):
            if self._ids or self.model.can.starts_empty:
                following = self.model.distribution(self._ids)
                logprob[i], entropy[i] = following.logprobs[id], following.entropy
                rank[i] = following.rank(id) or 0
                best_ids[i] = following.top(BEST)
                best[i] = following.logprobs[best_ids[i]]
            self._ids.append(id)
        self.model.distribution(self._ids)  # complains past the context
        return frozen_scores((logprob, rank, entropy, best_ids, best))

    def read(self, ids: Sequence[int]) -> None:
        self.extend(ids)

    def rewind(self, length: int) -> None:
        del self._ids[length:]

    def reach(self, length: int) -> int:
        return length

    @property
    def storages(self) -> Mapping[int, int]:
        return {}

    def branch(self) -> SmallSession:
        other = SmallSession(self.model)
        other._ids = self._ids.copy()
        return other

    def logits(self) -> NDArray[np.floating]:
        if not self._ids and not self.model.can.starts_empty:
            raise Problem("no p(x_1)", "type something")
        return self.model.distribution(self._ids).logprobs
