"""Chains side by side, stepped together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import frozen, log_softmax
from arplay.models.base import Info, Session, check


class SideBySide:
    """:class:`arplay.models.base.Batch`, but for who reads and who follows."""

    def __init__(self, info: Info, prefixes: Sequence[Sequence[int]]) -> None:
        texts, parents = distinct(prefixes)
        self._info, self._length, self.logprobs = info, 0, np.empty((len(texts), info.vocabulary or 0))
        self.shift = np.zeros(len(texts))
        self._read(texts)
        self.reorder(parents)

    def step(self, ids: Sequence[int]) -> NDArray[np.float64]:
        if len(ids) != len(self.logprobs):
            raise ValueError(f"{len(ids)} ids for {len(self.logprobs)} chains")
        self._read([(int(id),) for id in ids])
        return self.logprobs

    def reorder(self, parents: Sequence[int]) -> None:
        chains, given = len(self.logprobs), [int(parent) for parent in parents]
        if not given or not 0 <= min(given) <= max(given) < chains:
            raise ValueError(f"no chains to go on from: {given} of {chains}")
        if given != list(range(chains)):
            self._follow(given)
            self.logprobs, self.shift = frozen(self.logprobs[given]), frozen(self.shift[given])

    def _read(self, ids: Sequence[tuple[int, ...]]) -> None:
        for each in ids:
            check(self._info, each, self._length)
        self._length += len(ids[0])
        logits = self._after(ids)
        self.logprobs = frozen(log_softmax(logits))
        self.shift = frozen(np.max(logits, axis=-1).astype(np.float64) - np.max(self.logprobs, axis=-1))

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        """Read some more of each chain; the logits after them, (B, V)."""
        raise NotImplementedError

    def _follow(self, parents: list[int]) -> None:
        raise NotImplementedError


class OneByOne(SideBySide):
    """By a session for each chain, where several cannot be read at once, or need not."""

    def __init__(self, info: Info, session: Callable[[], Session], prefixes: Sequence[Sequence[int]]) -> None:
        self._sessions = [session() for _ in distinct(prefixes)[0]]
        super().__init__(info, prefixes)

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        for session, each in zip(self._sessions, ids, strict=True):
            session.read(each)
        return np.stack([session.logits() for session in self._sessions])

    def _follow(self, parents: list[int]) -> None:
        first = {parent: i for i, parent in reversed(list(enumerate(parents)))}  # goes on itself, the others branch
        self._sessions = [
            self._sessions[parent] if first[parent] == i else self._sessions[parent].branch()
            for i, parent in enumerate(parents)
        ]


def distinct(prefixes: Sequence[Sequence[int]]) -> tuple[list[tuple[int, ...]], list[int]]:
    """Each of them once, and which of those every one is. Raises ValueError unless all have one length.

    >>> distinct([[5, 6], [5, 7], [5, 6]])
    ([(5, 6), (5, 7)], [0, 1, 0])
    """
    texts = [tuple(map(int, prefix)) for prefix in prefixes]
    if len({len(text) for text in texts}) != 1:
        raise ValueError("a batch needs one prefix or more, all of one length")
    places = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    return list(places), [places[text] for text in texts]
