"""Sessions that stand at different places of what was read, so that nothing is read twice that memory can hold."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from arplay.core.modalities.base import Ids
from arplay.core.waits import Interrupted
from arplay.models import devices
from arplay.models.base import Session, expect

WORTH = 16
"""A session is branched rather than rewound where it would lose at least so many tokens."""

MOST_BRANCHES = 16

MOST_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, eq=False, slots=True)
class _Branch:
    session: Session
    chain: Ids


class Prefixes:
    """The branches that were read last, within ``budget`` bytes (a sixteenth of this machine's memory, at most 1 GiB).

    Whoever reads a context gets the session that has most of its beginning; going back, going on, undoing and editing
    in the middle read only what no branch has. The least recently used branches go first; the last one stays
    whatever its size.
    """

    def __init__(self, budget: int | None = None) -> None:
        self._budget = budget
        self._branches: list[_Branch] = []  # the most recently used is the last
        self._freed = 0

    @contextlib.contextmanager
    def session(self, begin: Callable[[], Session], context: Ids, most: int | None = None) -> Iterator[Session]:
        """A session that has read a prefix of ``context`` (of at most ``most`` tokens), as long as any kept one has.

        ``begin`` makes a new one where there is none. It is kept afterwards with whatever it has read by then, but
        not after an exception: nobody knows what it holds then. Nor where all were freed meanwhile: it may be one of
        the former model, whose job is closed only after the new one is there. Nobody rewinds it behind the place where
        it was given.
        """
        (session, place), freed = self._find(begin, context[:most]), self._freed
        expect(session, len(context))
        try:
            yield session
        except (GeneratorExit, Interrupted):  # the job was cancelled between two chunks, or in one
            if freed == self._freed:
                self._keep(session, context[:place])
            raise
        if freed == self._freed:
            self._keep(session, context[:place])

    def latest(self) -> Session:
        """A branch of the session that was used last."""
        return self._branches[-1].session.branch()

    def free(self) -> None:
        """Drop every session and all that they hold."""
        self._branches.clear()
        self._freed += 1

    def __len__(self) -> int:
        return len(self._branches)

    @property
    def bytes(self) -> int:
        """What all branches hold; what several of them share is counted once."""
        return _held(self._branches)

    def _find(self, begin: Callable[[], Session], context: Ids) -> tuple[Session, int]:
        """A session, and how much of ``context`` it has read."""
        best, place = None, 0
        for branch in reversed(self._branches):
            reached = branch.session.reach(common_prefix(branch.chain, context))
            if reached > place:
                best, place = branch, reached
        if best is None:
            return begin(), 0
        if len(best.chain) - place >= WORTH:
            session = best.session.branch()
        else:
            session = best.session
            self._branches.remove(best)
        session.rewind(place)
        return session, place

    def _keep(self, session: Session, known: Ids) -> None:
        """Keep it as the most recent one, without those that are needless now and those that memory does not allow.

        ``known``: what it begins with, so that only what is new of a long chain is turned into an array.
        """
        new = _Branch(session, np.concatenate([known, np.array(session.ids[len(known) :], np.int64)]))
        kept = [branch for branch in self._branches if not _covers(new, branch)]
        if kept and any(_covers(branch, kept[-1]) for branch in kept[:-1]):
            kept.pop()  # it was kept as the most recent one only
        self._branches = [*kept, new]
        if self._budget is None:
            self._budget = min(MOST_BYTES, devices.memory()[1] // 16)
        while len(self) > MOST_BRANCHES or (len(self) > 1 and self.bytes > self._budget):
            del self._branches[0]


def _covers(branch: _Branch, other: _Branch) -> bool:
    """Whether a session can go back to where another one stands, which therefore need not be kept."""
    length = len(other.chain)
    return common_prefix(branch.chain, other.chain) == length and branch.session.reach(length) == length


def _held(branches: list[_Branch]) -> int:
    held: dict[int, int] = {}
    for branch in branches:
        held.update(branch.session.storages)
    return sum(held.values())


def common_prefix(a: Ids, b: Ids) -> int:
    """How many tokens two chains have in common from their start."""
    n = min(len(a), len(b))
    differing = np.flatnonzero(a[:n] != b[:n])
    return int(differing[0]) if len(differing) else n
