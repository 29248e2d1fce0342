"""Ids of a chain that grows token by token, as an array all the while."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.base import Ids


class Growing:
    """A chain of int64 ids. What was seen of it stays as it was: an append copies nothing, but now and then all.

    >>> chain = Growing(np.array([7]))
    >>> before = chain.ids
    >>> for id in range(100):
    ...     chain.append(id)
    >>> before.tolist(), chain.ids[:3].tolist(), len(chain)
    ([7], [7, 0, 1], 101)
    """

    def __init__(self, ids: Ids | Sequence[int]) -> None:
        self._room: NDArray[np.int64] = np.array(ids, np.int64)
        self._count = len(ids)

    def append(self, id: int) -> None:
        if self._count == len(self._room):
            self._room = np.concatenate([self._room, np.zeros(max(64, self._count), np.int64)])
        self._room[self._count] = id
        self._count += 1

    def __len__(self) -> int:
        return self._count

    @property
    def ids(self) -> Ids:
        """All of them so far, read-only."""
        view = self._room[: self._count]
        view.flags.writeable = False
        return view
