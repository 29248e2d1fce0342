"""A training run as a window sees it: a child process at low priority, and the folder that it writes.

The child is ``python -m arplay train``, the folder the whole interface (arplay/training/run_folder.py). Asked to stop,
by SIGTERM or (on Windows, which has none that can be caught) by a file, it writes its checkpoint and exits with 130;
so it does by itself when the process named in ``ARPLAY_TRAIN_PARENT`` is gone. Therefore it does not run under the
guard of engine/child.py, which kills at once. It holds the lock of its folder as long as it lives, and its watcher
another one, so two windows cannot train in one folder.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from arplay.core.errors import Problem
from arplay.engine.child import kill_all
from arplay.engine.children import why_ended
from arplay.training.order import RunRequest
from arplay.training.run_folder import Plan, Report, RunFolder

__all__ = ["Plan", "Report", "RunRequest", "Status", "Trainer", "TrainingState", "runs"]

Status = Literal["starting", "running", "pausing", "paused", "done", "failed"]

COMMAND = (sys.executable, "-m", "arplay", "train")
NICE = 10
"""How much lower than this process's own priority a run's is."""

STOPPED = 130
"""Exit status of a run that was asked to stop and has written its checkpoint."""

MOST_OUTPUT = 1024 * 1024
_TAIL = 4096
_NO_PLAN = "it was stopped before its training began", "start it again in another folder"


@dataclass(frozen=True, slots=True)
class TrainingState:
    """How a run stands. ``what``: one line for a person, of what is being done. ``problem``: (cause, remedy).

    ``reports`` and ``snapshots`` (steps) are all there are, oldest first. ``resumable``: whether
    :meth:`Trainer.resume` has something to go on with. ``goes_on_from``: the tokens of the checkpoint of a run that was
    not stopped politely, so that the reports after it will be done again; else None. ``facts``: what it said of what it
    reads, of what was changed in that, and of how it trains.
    """

    status: Status
    what: str
    plan: Plan | None
    reports: tuple[Report, ...]
    snapshots: tuple[int, ...]
    problem: tuple[str, str] | None
    folder: Path
    resumable: bool
    goes_on_from: int | None = None
    facts: tuple[str, ...] = ()


class Trainer:
    """One run, by its folder. Not thread-safe; nothing but :meth:`close` waits."""

    def __init__(self, folder: Path, start: RunRequest | None = None) -> None:
        """Use :meth:`start` or :meth:`open`."""
        self.folder = folder.absolute()
        self._run = RunFolder(self.folder)
        self._start = start
        self._output = self._run.training / "output.txt"
        self._child: subprocess.Popen[bytes] | None = None
        self._watched = FileLock(self._run.training / "watched", mode=0o600, thread_local=False)
        self._asked: Literal["", "pause", "cancel"] = ""
        self._seen: tuple[int, Report | None] = (0, None)
        self._failure: tuple[str, str] | None = None

    @classmethod
    def start(cls, start: RunRequest) -> Trainer:
        """Begin a run. Raises Problem for a folder that holds one, cannot be written, or is being trained in."""
        run = RunFolder(start.out.absolute())
        if run.has_plan():
            raise Problem(f"{start.out} holds a training run already", "choose another folder, or open that run")
        try:
            RunRequest(start.texts, start.out).check(run)  # the child cannot, once its output is there
        except Problem as problem:
            raise Problem(problem.cause, "choose a new or empty folder") from problem
        trainer = cls(start.out, start)
        trainer._spawn(start.arguments)
        return trainer

    @classmethod
    def open(cls, folder: Path) -> Trainer:
        """A run that is there: paused, done or failed. Raises Problem where there is none, or one that goes on.

        One that ended before it had a plan has failed: what it was to do is not known any more.
        """
        trainer = cls(folder)
        planned = trainer._run.has_plan()
        if planned or not trainer._output.is_file():
            trainer._run.plan()
        with trainer._watching():
            pass
        trainer._failure = trainer._run.problem() or (None if planned else _NO_PLAN)
        return trainer

    def resume(self) -> None:
        """Go on from the checkpoint, or begin again where none was reached; nothing while it runs.

        Raises Problem as :meth:`start` does, and for a run that is done.
        """
        self._look()
        if self._child is not None:
            return
        if self._run.done():
            raise Problem("this run is done", "start a new one")
        if self._run.has_plan():
            self._spawn(RunRequest((), self.folder, resume=True).arguments)
        elif self._start is not None:
            self._spawn(self._start.arguments)

    def pause(self) -> None:
        """Ask for a checkpoint and the end of the child: "pausing" until it is gone."""
        if self._child is not None and self._asked == "":
            self._asked = "pause"
            if sys.platform == "win32":
                self._run.stop.touch()
            else:
                self._child.terminate()  # SIGINT is ignored where a shell put arplay into the background

    def cancel(self) -> None:
        """End the child at once; the folder stays, as of its last checkpoint."""
        if self._child is not None:
            self._asked = "cancel"
            kill_all(self._child.pid)
            self._child.wait()
            self._look()

    def close(self, timeout: float) -> bool:
        """Pause, and wait so many seconds for the checkpoint. False: it is still being written, and will be."""
        self.pause()
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # the answer below is that it still runs
                self._child.wait(timeout)
            self._look()
        return self._child is None

    def poll(self) -> TrainingState:
        """How it stands now; only what is new is read."""
        self._look()
        problem = self._failure
        plan: Plan | None = None
        reports: tuple[Report, ...] = ()
        snapshots: tuple[int, ...] = ()
        done = False
        try:
            plan = self._run.plan() if self._run.has_plan() else None
            reports = tuple(self._run.reports())
            snapshots = tuple(self._run.snapshots())
            done = self._run.done()
        except Problem as error:
            problem = problem or (error.cause, error.remedy)
        except OSError as error:
            unreadable = f"{self.folder} cannot be read ({error.strerror or error})", "check the folder and its disk"
            problem = problem or unreadable
        status = self._status(problem is not None, done, _latest(reports) != self._seen)
        goes_on_from = _goes_on_from(self._run, plan, reports) if self._child is None and not done else None
        what = self._what(status, reports, goes_on_from)
        again = self._start is not None and self._run.problem() is None  # else it would only fail again
        resumable = self._child is None and not done and (plan is not None or again)
        return TrainingState(
            status, what, plan, reports, snapshots, problem, self.folder, resumable, goes_on_from, self._facts()
        )

    def _status(self, failed: bool, done: bool, reported: bool) -> Status:
        if self._child is not None:
            if self._asked:
                return "pausing"
            return "running" if reported else "starting"
        return "failed" if failed else "done" if done else "paused"

    def _what(self, status: Status, reports: tuple[Report, ...], goes_on_from: int | None) -> str:
        match status:
            case "starting":
                return self._last_line() or "starting"
            case "pausing":
                return "writing the checkpoint" if reports else "stopping"
            case "running":
                return "training"
            case "paused" if goes_on_from is not None:
                return f"stopped; it goes on from {goes_on_from:,} tokens"
            case "paused":
                return f"paused after step {reports[-1].step:,} of {reports[-1].steps:,}" if reports else "paused"
            case "done":
                return "done"
            case "failed":
                return "stopped by a problem"

    def _spawn(self, arguments: list[str]) -> None:
        try:
            self._run.training.mkdir(parents=True, exist_ok=True)
            with self._watching() as watched:
                self._seen = _latest(self._run.reports())
                self._failure, self._asked = None, ""
                self._run.stop.unlink(missing_ok=True)
                self._output.unlink(missing_ok=True)  # it may be a link to elsewhere
                with self._output.open("ab") as output:
                    self._child = subprocess.Popen(
                        [*COMMAND, *arguments],
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        cwd=Path(__file__).resolve().parents[2],
                        env=os.environ | {"ARPLAY_TRAIN_PARENT": str(os.getpid()), "PYTHONUNBUFFERED": "1"},
                        start_new_session=True,  # Ctrl-C in the terminal is for the window, which asks the child
                    )
                watched.pop_all()  # until the child's end
            import psutil  # where a run is begun only: the window looks here at its start

            with contextlib.suppress(psutil.Error):  # it may be gone already
                psutil.Process(self._child.pid).nice(_lower())
        except OSError as error:
            cause = f"training cannot start in {self.folder} ({error.strerror or error})"
            raise Problem(cause, "choose another folder, or free space on its disk") from error

    @contextlib.contextmanager
    def _watching(self) -> Iterator[contextlib.ExitStack]:
        """Keep other windows from this folder, whose run must stand still. Raises Problem where it does not."""
        with contextlib.ExitStack() as stack:
            try:
                self._watched.acquire(blocking=False)
                stack.callback(self._watched.release)
                with self._run.locked(0):
                    pass
            except Timeout as error:
                raise self._run.busy() from error
            except OSError as error:
                remedy = "make that folder writable, or choose another"
                raise Problem(f"nothing can be written in {self.folder} ({error.strerror or error})", remedy) from error
            yield stack

    def _look(self) -> None:
        """Notice the child's end, and why it ended."""
        if self._child is None:
            return
        status = self._child.poll()
        if status is None:
            with contextlib.suppress(OSError):  # somebody may have removed it
                if self._output.stat().st_size > MOST_OUTPUT:
                    os.truncate(self._output, 0)  # the child appends: it goes on from the beginning
            return
        asked, self._child = self._asked, None
        self._watched.release()
        if status in (0, STOPPED) or asked == "cancel":
            return
        if asked == "pause" and status == -signal.SIGTERM:  # before it could catch the signal
            return
        failure = self._run.problem()
        if failure is None:
            remedy = "resume it; at most what came after its last checkpoint is done again"
            problem = why_ended("training", self.folder.name, status, self._tail(), remedy)
            failure = problem.cause, problem.remedy
        self._failure = failure

    def _tail(self, first: int | None = None) -> str:
        """The end of what the child printed, or so much from ``first`` on."""
        with contextlib.suppress(OSError), self._output.open("rb") as file:  # no last words: the status tells the end
            file.seek(max(0, self._output.stat().st_size - _TAIL) if first is None else first)
            return file.read(_TAIL).decode("utf-8", "replace").replace("\r", "\n")
        return ""

    def _facts(self) -> tuple[str, ...]:
        """The lines that it began with and that hold figures."""
        said = self._tail(0).splitlines()[:-1]  # the last one may be cut
        return tuple(line for line in said if any(map(str.isdigit, line)) and not line.startswith(("step ", "done")))

    def _last_line(self) -> str:
        return next((line.strip() for line in reversed(self._tail().splitlines()) if line.strip()), "")


def _lower() -> int:
    """The priority of a run: lower than that of this process."""
    import psutil

    if sys.platform == "win32":
        return int(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    return min(19, int(psutil.Process().nice()) + NICE)


def _latest(reports: Sequence[Report]) -> tuple[int, Report | None]:
    """Changes when a child reports anything."""
    return len(reports), reports[-1] if reports else None


def _goes_on_from(run: RunFolder, plan: Plan | None, reports: Sequence[Report]) -> int | None:
    """The tokens of the checkpoint, where a report came after it (see TrainingState)."""
    if plan is None or not reports:
        return None
    step = run.checkpoint()
    return step * plan.batch * plan.context if step is not None and step < reports[-1].step else None


def runs(folders: Iterable[str]) -> list[TrainingState]:
    """The runs among some folders, as they stand; a folder without one, or whose run goes on, is left out."""
    found = []
    for folder in folders:
        with contextlib.suppress(Problem, OSError):  # a folder that was removed is one of those left out
            found.append(Trainer.open(Path(folder)).poll())
    return found
