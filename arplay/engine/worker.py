"""The one thread that runs models: requests in, results out, the most urgent job first."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from arplay.core import waits
from arplay.core.errors import Problem, in_one_line
from arplay.engine import state
from arplay.engine.downloads import download
from arplay.engine.job import Fetcher, Line, Pause, Steps, Stopped
from arplay.engine.load import Load, Loaded, Unload
from arplay.engine.messages import Cancelled, Failed, Lane, Progress, Question, Request, Result
from arplay.engine.recovery import with_recovery
from arplay.engine.table import JOBS
from arplay.models import catalogue
from arplay.models.base import Report
from arplay.models.devices import out_of_memory, too_little_memory

PATIENCE_SECONDS, HANG_SECONDS = 0.25, 1.0
"""A cancelled job that waits for another process so long is made to give up; and that process is ended."""

Emit = Callable[[Result], None]

_log = logging.getLogger(__name__)


class Worker:
    """Runs requests in a thread of its own and hands results to ``emit``, which is called in that thread.

    Each request is answered by any number of Progress, Replayed and growing Scored, and then by exactly one final
    result: its own, Cancelled or Failed; what is reported after it, say by a thread of a library, is dropped.
    In a lane (explore, load, score, ... of one slot) a new request replaces the older one, which ends as Cancelled,
    unless the step under way completes it; or a second one fails, as the table of jobs has it.
    A loaded model takes the jobs of the former one in its slot with it, and the jobs of other slots go on: the most
    urgent first, of equally urgent ones the older. Nothing is emitted after :meth:`close` returned.
    ``emit`` must not raise and must not wait for this worker.
    """

    def __init__(self, emit: Emit, load: state.Loader | None = None, fetch: Fetcher | None = None) -> None:
        self._emit = emit
        self._load, self._fetch = load or catalogue.load, fetch or download
        self._slots: dict[int, state.State] = {}
        self._changed = threading.Condition()
        self._lanes: dict[Lane, _Job] = {}  # the oldest first
        self._dropped: deque[_Job] = deque()
        self._refused: deque[tuple[_Job, Result]] = deque()
        self._closing = False
        self._emitting = threading.Lock()
        self._silent = False
        self._running: _Job | None = None
        self._interrupter: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name="arplay-worker", daemon=False)

    def submit(self, request: Request) -> None:
        """Queue a request (the first one starts the thread); RuntimeError after :meth:`close`."""
        kind, lane = type(request), request.lane
        with self._changed:
            if self._closing:
                raise RuntimeError("this worker is closed")
            if self._thread.ident is None:  # a window that fails to open leaves no thread that keeps the program alive
                self._thread.start()
            already = JOBS[kind].already
            if already and lane in self._lanes:
                cause = f"{self._lanes[lane].name} {already}"
                refusal = Failed(request.number, cause, "wait for it, or cancel it first", kind)
                self._refused.append((_Job(request), refusal))
            else:
                self._drop(lane)
                if isinstance(request, Unload):
                    self._drop_questions(request.slot)
                self._lanes[lane] = _Job(request)
            self._changed.notify_all()

    def cancel(self, number: int | None = None) -> None:
        """Cancel the request with this number, or all; at most one more forward is run for it."""
        with self._changed:
            for lane, job in list(self._lanes.items()):
                if number in (None, job.request.number):
                    self._drop(lane)
            self._changed.notify_all()

    def close(self, timeout: float) -> bool:
        """Cancel everything and wait for the thread. False: it is still inside a call that cannot be interrupted."""
        with self._changed:
            self._closing = True
            for lane in list(self._lanes):
                self._drop(lane)
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        with self._emitting:
            self._silent = True
        return not self._thread.is_alive()

    def _drop(self, lane: Lane) -> None:
        """Cancel a lane's job; the thread ends it between two steps. The lock is held."""
        job = self._lanes.pop(lane, None)
        if job is not None:
            job.cancelled.set()
            self._dropped.append(job)
            if job is self._running:
                self._interrupter = threading.Thread(target=self._interrupt, args=(job,), daemon=True)
                self._interrupter.start()

    def _drop_questions(self, slot: int, before: float = math.inf) -> None:
        """Those that have begun, and those whose number is less than ``before``. The lock is held."""
        for lane, job in list(self._lanes.items()):
            of_former = job.steps is not None or job.request.number < before
            if isinstance(job.request, Question) and slot in job.request.slots and of_former:
                self._drop(lane)

    def _interrupt(self, job: _Job) -> None:
        """End what a cancelled job waits for, at last by force. Runs in a thread of its own, as long as the step."""
        assert self._thread.ident is not None
        with self._changed:
            for seconds, force in ((PATIENCE_SECONDS, False), (HANG_SECONDS - PATIENCE_SECONDS, True)):
                if self._changed.wait_for(lambda: self._running is not job, seconds):
                    return
                waits.interrupt(self._thread.ident, force)

    def _run(self) -> None:
        while True:
            task = self._next()
            if task is None:
                for slot in self._slots.values():
                    slot.leave()
                return
            if not isinstance(task, _Job):
                self._emit_result(*task)
            elif task.cancelled.is_set():
                self._end(task)
            else:
                self._step(task)

    def _next(self) -> _Job | tuple[_Job, Result] | None:
        """What to do now: emit a refusal, end a cancelled job, advance the most urgent one; None: end the thread."""
        with self._changed:
            while True:
                if self._refused:
                    return self._refused.popleft()
                if self._dropped:
                    return self._dropped.popleft()
                if self._closing:
                    return None
                now, urgency = time.monotonic(), list(JOBS)
                waiting = [job for job in self._lanes.values() if not self._too_early(job.request)]
                for job in sorted(waiting, key=lambda job: urgency.index(type(job.request))):
                    if job.due <= now:
                        return job
                self._changed.wait(min(job.due for job in waiting) - now if waiting else None)

    def _too_early(self, request: Request) -> bool:
        """Before the first model is in a slot, questions to it wait for its load."""
        is_empty = isinstance(request, Question) and self._state(request).model is None
        return is_empty and Lane(Load, request.lane.slot) in self._lanes

    def _state(self, request: Request) -> state.State:
        slot = request.lane.slot
        if slot not in self._slots:
            self._slots[slot] = state.State(self._load, slot, slots=self._slots)
        return self._slots[slot]

    def _step(self, job: _Job) -> None:
        with self._changed:
            self._running = job
            if job.cancelled.is_set():
                self._running = None
                return
        try:
            self._advance(job)
        finally:
            with self._changed:
                self._running, interrupter, self._interrupter = None, self._interrupter, None
                self._changed.notify_all()
            if interrupter is not None:
                interrupter.join()
            waits.go_on()

    def _advance(self, job: _Job) -> None:
        try:
            if job.steps is None:
                job.steps = self._begin(job)
            self._state(job.request).report = self._report(job)
            result = next(job.steps)
        except StopIteration as finished:
            self._finish(job, finished.value)
        except Stopped:
            self._finish(job, Cancelled(job.request.number, type(job.request)))
        except Exception as error:  # noqa: BLE001 - the last resort: emitted as a Failed value, and logged
            self._finish(job, self._failed(job, error))
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of a Rust library: it ends a job, not this thread
                raise
            self._finish(job, self._failed(job, error))
        else:
            if isinstance(result, Pause):
                job.due = time.monotonic() + result.seconds
            elif result is not None and not job.cancelled.is_set():
                self._emit_result(job, result)

    def _begin(self, job: _Job) -> Steps:
        if isinstance(job.request, Question):
            mine, number = self._state(job.request), job.request.number
            for other in self._slots.values():
                if other is not mine:
                    other.pace.hurry()
            return with_recovery(mine, number, lambda: self._steps(job), self._report(job))
        return self._steps(job)

    def _steps(self, job: _Job) -> Steps:
        line = Line(self._report(job), job.cancelled.is_set, self._fetch)
        return JOBS[type(job.request)].run(self._state(job.request), job.request, line)

    def _report(self, job: _Job) -> Report:
        def report(fraction: float | None, what: str) -> None:
            if job.cancelled.is_set():
                raise Stopped
            self._emit_result(job, Progress(job.request.number, what, fraction))

        return report

    def _finish(self, job: _Job, result: Result) -> None:
        """The job has ended by itself. A new model ends what was begun, or asked, of the former one in its slot."""
        with self._changed:
            if job in self._dropped:
                self._dropped.remove(job)
            else:
                del self._lanes[job.request.lane]
            if isinstance(result, Loaded):
                self._drop_questions(job.request.lane.slot, before=result.number)
        self._emit_result(job, result)

    def _end(self, job: _Job) -> None:
        """Close a cancelled job between two steps."""
        try:
            if job.steps is not None:
                job.steps.close()
        except Exception as error:  # noqa: BLE001 - as in _step
            self._emit_result(job, self._failed(job, error))
        else:
            self._emit_result(job, Cancelled(job.request.number, type(job.request)))

    def _failed(self, job: _Job, error: BaseException) -> Result:
        number, asked = job.request.number, type(job.request)
        if job.cancelled.is_set() and isinstance(error, Problem):
            return Cancelled(number, asked)  # a loader may turn what stops it into a Problem of its own
        if isinstance(error, Problem):
            return Failed(number, error.cause, error.remedy, asked)
        _log.error("%s failed", job.request.__class__.__name__, exc_info=error)
        if out_of_memory(error):
            problem = too_little_memory(error)
            return Failed(number, problem.cause, problem.remedy, asked)
        return Failed(number, in_one_line(error), "this is a bug; please report it with the log", asked)

    def _emit_result(self, job: _Job, result: Result) -> None:
        with self._emitting:
            if not self._silent and not job.answered:
                job.answered = result.is_last
                self._emit(result)


class _Job:
    """A request and how far it is. ``due``: when its pause ends, on the monotonic clock; ``answered``: for good."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.steps: Steps | None = None
        self.cancelled = threading.Event()
        self.due = 0.0
        self.answered = False

    @property
    def name(self) -> str:
        return str(getattr(self.request, "name", type(self.request).__name__))
