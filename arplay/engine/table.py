"""The table of jobs: what runs for which request, the most urgent first. A new job is a file and a line here.

Those that only look at a child, five times a second, stand before scoring, and so do the short ones of the views of
training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arplay.engine import jobs
from arplay.engine.jobs import Steps
from arplay.engine.messages import (
    Describe,
    Explore,
    Fetch,
    Load,
    OneBatch,
    Recompute,
    Reconcile,
    Replay,
    Request,
    Score,
    Unload,
)
from arplay.engine.one_batch import one_batch
from arplay.engine.recompute import recompute
from arplay.engine.replay import replay
from arplay.engine.state import State
from arplay.engine.write import Write, write
from arplay.models.base import Report


@dataclass(frozen=True, slots=True)
class Line:
    """How a running job reaches whoever asked: ``report`` tells progress, and raises Stopped once ``cancelled()``."""

    report: Report
    cancelled: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """What runs for the requests of one kind, in a lane of its own.

    ``run`` makes its steps, on what is kept of the slot that the request names (slot 0 where it names none).
    ``already``: a second one fails in these words while one runs; where there are none, a newer one replaces the older.
    """

    run: Callable[[State, Any, Line], Steps]
    already: str = ""


def _plain(run: Callable[[State, Any], Steps]) -> Job:
    """A job that tells nothing on its way but what it yields."""
    return Job(lambda state, request, line: run(state, request))


JOBS: dict[type[Request], Job] = {
    Unload: _plain(jobs.unload),
    Explore: _plain(jobs.explore),
    Write: _plain(write),
    Load: Job(lambda state, request, line: jobs.load(state, request, line.report)),
    Describe: Job(lambda state, request, line: jobs.describe(request, line.cancelled)),
    Fetch: Job(
        lambda state, request, line: jobs.fetch(state, request, line.cancelled), already="is being fetched already"
    ),
    OneBatch: _plain(one_batch),
    Replay: _plain(replay),
    Score: _plain(jobs.score),
    Reconcile: _plain(jobs.reconcile),
    Recompute: _plain(recompute),
}
