"""How probable a set of tokens is at many places of a chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from arplay.core.word_edges import log_mass
from arplay.models.base import Session

Reader = Callable[[Sequence[int]], NDArray[np.float64]]


@runtime_checkable
class Massing(Protocol):
    """A session that tells that in one forward."""

    def masses(self, ids: Sequence[int], among: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What :func:`masses_after` tells."""
        ...


def masses_after(session: Session, among: NDArray[np.bool_]) -> Reader:
    """What reads n ids after the session's chain and tells, after each of them, log of the probability that the next
    token is one of ``among``, (V,), in nats, (n,): in one forward where the session can, else token by token.

    It raises Problem past the context, and for a session that has no logits.

    >>> from arplay import load
    >>> session = load("abc").backend.session()
    >>> np.exp(masses_after(session, np.array([True, True, False]))([1, 0])).round(3).tolist()  # after B: 0.5 + 0.2
    [0.7, 0.4]
    """
    if isinstance(session, Massing):
        massing = session
        return lambda ids: massing.masses(ids, among)

    def step(ids: Sequence[int]) -> NDArray[np.float64]:
        found = np.empty(len(ids))
        for at, id in enumerate(ids):
            session.read([id])
            found[at] = log_mass(session.logits(), among)
        return found

    return step
