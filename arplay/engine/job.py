"""What a job of the worker is: a generator over what the worker keeps, and how it reaches whoever asked.

It yields after every forward or chunk (about 50 ms): what it has so far, None where there is nothing to tell, or
a Pause where it only waits. It returns its final result. Closing the generator cancels it; whatever is raised is
a failure. Nothing here knows of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from arplay.engine.messages import Progress, Result
from arplay.engine.state import State
from arplay.models.base import Report

Fetcher = Callable[[str, Path, Callable[[], bool]], Generator[Progress, None, None]]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to do for so long."""

    seconds: float


Steps = Generator[Result | Pause | None, None, Result]


T = TypeVar("T")


def part_of(
    steps: Generator[object, None, T], number: int = 0, what: str = "", done: float = 0.0, share: float = 0.0
) -> Generator[Progress | None, None, T]:
    """Steps that are a part of another job, which was ``done`` so far before them and of which they are ``share``.

    How far they are is told as that of ``what``, nothing where they are no share of it. What they return is returned.

    >>> steps = (Progress(1, "reading", fraction) for fraction in (0.5, None))
    >>> [each and each.fraction for each in part_of(steps, 1, "both", done=0.5, share=0.5)]
    [0.75, None]
    """
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as ended:
                found: T = ended.value
                return found
            told = step.fraction if isinstance(step, Progress) and share else None
            yield None if told is None else Progress(number, what, done + told * share)


class Stopped(BaseException):
    """Raised inside a blocking call to cancel it. Not an Exception, so that no handler on its way swallows it."""


@dataclass(frozen=True, slots=True)
class Line:
    """How a running job reaches whoever asked: ``report`` tells progress, and raises Stopped once ``cancelled()``.

    ``fetch`` gets models that are not here.
    """

    report: Report
    cancelled: Callable[[], bool]
    fetch: Fetcher


@dataclass(frozen=True, slots=True)
class Job:
    """What runs for the requests of one kind, in a lane of its own.

    ``run`` makes its steps, on what is kept of the slot that the request names (slot 0 where it names none).
    ``already``: a second one fails in these words while one runs; where there are none, a newer one replaces the older.
    """

    run: Callable[[State, Any, Line], Steps]
    already: str = ""


def plain(run: Callable[[State, Any], Steps]) -> Job:
    """A job that tells nothing on its way but what it yields."""
    return Job(lambda state, request, line: run(state, request))
