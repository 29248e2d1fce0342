"""What a job of the worker is: a generator over what the worker keeps, and how it reaches whoever asked.

It yields after every forward or chunk (about 50 ms): what it has so far, None where there is nothing to tell, or
a Pause where it only waits. It returns its final result. Closing the generator cancels it; whatever is raised is
a failure. Nothing here knows of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arplay.engine.messages import Progress, Result
from arplay.engine.state import State
from arplay.models.base import Report

Fetcher = Callable[[str, Path, Callable[[], bool]], Generator[Progress, None, None]]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to do for so long."""

    seconds: float


Steps = Generator[Result | Pause | None, None, Result]


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
