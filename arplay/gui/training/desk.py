"""What the playground's window knows of training: open its window, tell what happened behind it, end it in time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from arplay.core.signs import safe
from arplay.engine.trainer import TrainingState
from arplay.gui.notice import Notice
from arplay.gui.playground.playground import Playground
from arplay.gui.store import Store
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.training.run import TrainingRun

if TYPE_CHECKING:
    from arplay.gui.training.window import TrainingWindow

CLOSE_SECONDS = 10.0
"""So long the end of the program waits for a checkpoint. A child that takes longer writes it all the same."""


class TrainingDesk(QObject):
    """The window of training is made when it is first opened; the run does not need it.

    ``open_model``: the folder of a model to show in the playground; ``reported``: why a run failed; ``said``: news for
    the status bar, and for how many milliseconds; ``named``: what is being trained now, or "" where nothing is.
    """

    open_model = Signal(str)
    reported = Signal(str, str)
    said = Signal(str, int)
    named = Signal(str)

    def __init__(self, store: Store, play: Playground, notice: Notice, main: QWidget) -> None:
        super().__init__(main)
        self._store, self._play, self._notice, self._main = store, play, notice, main
        self._theme: Theme = LIGHT
        self.run = TrainingRun(store, self)
        self.window: TrainingWindow | None = None
        self._left: Path | None = None
        self._resume = QAction("Resume", self)
        self._resume.triggered.connect(self._on_resume)
        self.run.changed.connect(self._on_changed)
        self.run.ended.connect(self._on_ended)

    def open(self) -> TrainingWindow:
        if self.window is None:
            from arplay.gui.training.window import TrainingWindow

            self.window = TrainingWindow(self._store, self.run, self._play, self._main)
            self.window.open_model.connect(self._on_open_model)
            self.window.set_theme(self._theme)
        self.window.open()
        to_front(self.window)
        return self.window

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self.window is not None:
            self.window.set_theme(theme)

    def remind(self) -> None:
        """At the start of the program: a run that was going at its end can be gone on with."""
        self._left = self.run.left()
        if self._left is not None:
            cause = f"the training of {self._left.name} was stopped when arplay closed"
            self._notice.report(cause, "resume it now, or later with Model > Train a model", self._resume)

    def close(self) -> None:
        """The program ends: hide, and let the child write its checkpoint."""
        if self.window is not None:
            self.window.hide()
        self.run.close(CLOSE_SECONDS)

    def _on_resume(self) -> None:
        self._notice.forget()
        if self._left is not None:
            self.open().resume_folder(self._left)

    def _on_open_model(self, folder: str) -> None:
        """The model is seen in the playground: it comes to the front."""
        self.open_model.emit(folder)
        to_front(self._main)

    def _on_changed(self) -> None:
        state = self.run.state
        self.named.emit(safe(state.folder.name) if state is not None and self.run.live else "")

    def _on_ended(self, state: TrainingState) -> None:
        """Tell it where the user is, if that is not the window of training, which shows it by itself."""
        if self.window is not None and self.window.isVisible():
            return
        if state.status == "failed" and state.problem is not None:
            self.reported.emit(*state.problem)
        elif state.status == "done":
            self.said.emit(f"{safe(state.folder.name)} is trained; Ctrl+T shows it", 10_000)


def to_front(window: QWidget) -> None:
    """Before the other windows, with the keyboard; also out of the task bar."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
