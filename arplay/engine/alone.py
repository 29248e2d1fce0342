"""A job of the table where no worker is: run to its end by whoever asks, as in Python and on the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

from arplay.engine.downloads import download
from arplay.engine.job import Line, Pause
from arplay.engine.messages import Progress, Request
from arplay.engine.state import State
from arplay.engine.table import JOBS
from arplay.models.devices import out_of_memory, too_little_memory

R = TypeVar("R")
OnProgress = Callable[[Progress], None]


def answered(kind: type[R], state: State, request: Request, on_progress: OnProgress) -> R:
    """The result of the job that the table has for ``request``."""
    line = Line(lambda fraction, what: on_progress(Progress(0, what, fraction)), lambda: False, download)
    return ended(kind, JOBS[type(request)].run(state, request, line), on_progress)


def ended(kind: type[R], steps: Generator[object, None, object], on_progress: OnProgress) -> R:
    """Run a job of the engine to its end, telling progress; its result."""
    with closing(steps):
        while True:
            try:
                told = next(steps)
            except StopIteration as finished:
                assert isinstance(finished.value, kind)
                return finished.value
            except Exception as error:
                if out_of_memory(error):
                    raise too_little_memory(error) from error
                raise
            if isinstance(told, Progress):
                on_progress(told)
            elif isinstance(told, Pause):
                time.sleep(told.seconds)
