"""What a thread waits for outside of this program, and how another thread puts an end to that.

The worker cannot look at its cancel flag while it waits for another process. Whoever waits says here how the wait is
ended; whoever cancels asks for that, first so that nothing is lost, and then by force.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from arplay.core.errors import Problem

_ends: dict[int, Callable[[bool], None]] = {}
_interrupted: set[int] = set()


class Interrupted(Problem):
    """A wait was ended by another thread. ``lost``: by force, and what was waited for is gone."""

    def __init__(self, what: str, lost: bool) -> None:
        super().__init__(f"{what} was stopped", "ask again")
        self.what, self.lost = what, lost


@contextlib.contextmanager
def ended_by(end: Callable[[bool], None]) -> Iterator[None]:
    """While this thread waits ``end(force)``, called in another one, makes the wait raise :class:`Interrupted`."""
    here = threading.get_ident()
    _ends[here] = end
    try:
        yield
    finally:
        del _ends[here]


def interrupt(thread: int, force: bool) -> None:
    """End what ``thread`` waits for, and each further wait that asks :func:`is_interrupted`, until :func:`go_on`."""
    _interrupted.add(thread)
    if end := _ends.get(thread):
        end(force)


def is_interrupted() -> bool:
    """Whether this thread is to begin nothing more that takes long."""
    return threading.get_ident() in _interrupted


def go_on() -> None:
    """This thread begins something else."""
    _interrupted.discard(threading.get_ident())
