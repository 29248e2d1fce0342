"""The one run that the window has in hand: started, looked at twice a second, remembered for the next time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from arplay.core.errors import Problem
from arplay.engine.trainer import RunRequest, Trainer, TrainingState, runs
from arplay.gui.store import Store

POLL_MS = 500
_RUNS = "training_runs"
_LEFT = "training_left"


class TrainingRun(QObject):
    """Does not need a window to be open. ``changed`` when ``state`` is another one; ``reported``: cause and remedy.

    ``ended`` gives the state in which a run that was going came to its end: paused, done or failed.
    """

    changed = Signal()
    ended = Signal(object)
    reported = Signal(str, str)

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._trainer: Trainer | None = None
        self.state: TrainingState | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def live(self) -> bool:
        """Whether a child process runs."""
        return is_live(self.state)

    # ---- what the user does

    def start(self, start: RunRequest) -> bool:
        """Begin a run; False, and ``reported``, where that is not possible."""
        if self._busy():
            return False
        return self._take(lambda: Trainer.start(start))

    def show(self, folder: Path) -> bool:
        """A run of before, as it stands."""
        if self.state is not None and self.state.folder == folder:
            return True
        return not self._busy() and self._take(lambda: Trainer.open(folder))

    def resume(self) -> None:
        if self._trainer is not None:
            try:
                self._trainer.resume()
            except Problem as problem:
                self.reported.emit(problem.cause, problem.remedy)
            self._poll()

    def pause(self) -> None:
        if self._trainer is not None:
            self._trainer.pause()
            self._poll()

    def cancel(self) -> None:
        """End the child at once. Its folder stays, and with it what its last checkpoint has."""
        if self._trainer is not None:
            self._trainer.cancel()
            self._poll()

    def close(self, timeout: float) -> bool:
        """The program ends: pause, and wait so long for the checkpoint. False: it is still being written."""
        self._timer.stop()
        if self._trainer is None:
            return True
        if self.live:
            self._store.set_text(_LEFT, str(self._trainer.folder))
        return self._trainer.close(timeout)

    # ---- remembered

    def earlier(self) -> list[TrainingState]:
        """The runs of before, newest first; the one in hand is as it stands now."""
        others = runs(folder for folder in self._store.recent(_RUNS) if not self._holds(folder))
        mine = [self.state] if self.state is not None and str(self.state.folder) in self._store.recent(_RUNS) else []
        return mine + others

    def forget(self, folder: Path) -> None:
        """Take a run off the list of those of before; its folder stays."""
        self._store.remove_recent(_RUNS, str(folder))

    def left(self) -> Path | None:
        """The run that was going when the program ended the last time, if it can be gone on with. Told once."""
        folder = self._store.text(_LEFT, "")
        self._store.set_text(_LEFT, "")
        return Path(folder) if folder and any(state.resumable for state in runs([folder])) else None

    # ----

    def _busy(self) -> bool:
        if self.live and self.state is not None:
            self.reported.emit(f"the training of {self.state.folder.name} goes on", "pause or cancel it first")
            return True
        return False

    def _take(self, make: Callable[[], Trainer]) -> bool:
        try:
            self._trainer = make()
        except Problem as problem:
            self.reported.emit(problem.cause, problem.remedy)
            return False
        self.state = None
        self._store.add_recent(_RUNS, str(self._trainer.folder))
        self._poll()
        return True

    def _holds(self, folder: str) -> bool:
        return self._trainer is not None and str(self._trainer.folder) == folder

    def _poll(self) -> None:
        assert self._trainer is not None
        former, self.state = self.state, self._trainer.poll()
        if self.live:
            if not is_live(former):
                self._store.set_text(_LEFT, str(self.state.folder))  # also for the case that this program is killed
            self._timer.start()
        else:
            self._timer.stop()
        if self.state != former:
            self.changed.emit()
            if is_live(former) and not self.live:
                self._store.set_text(_LEFT, "")
                self.ended.emit(self.state)


def is_live(state: TrainingState | None) -> bool:
    return state is not None and state.status in ("starting", "running", "pausing")
