"""The window of training for tests: fixture ``training``, and a run of the stand-in for `arplay train` in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from arplay.engine import trainer as trainers
from arplay.engine.trainer import Status, TrainingState
from arplay.gui.main_window import MainWindow
from arplay.gui.training.window import TrainingWindow
from tests.windows_open import PATIENCE, Open

STAND_IN = (sys.executable, "-m", "tests.tiny_trainer")
TEXT = "The cat sat on the mat. The dog sat on the log, and then they went home.\n\n" * 80

OpenTraining = Callable[..., tuple[MainWindow, TrainingWindow]]


@pytest.fixture
def training(opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenTraining]:
    """``training(way)``: the window of training of a new window, opened by its key; runs are of the stand-in."""
    monkeypatch.setattr(trainers, "COMMAND", STAND_IN)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    windows: list[MainWindow] = []

    def make(way: str = "") -> tuple[MainWindow, TrainingWindow]:
        monkeypatch.setenv("ARPLAY_TINY_TRAINER", way)
        window = opened()
        windows.append(window)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
        qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
        assert window.training.window is not None and window.training.window.isVisible()
        return window, window.training.window

    yield make
    for window in windows:
        window.training.run.cancel()
        window.training.close()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "My cat.txt"
    path.write_text(TEXT)
    return path


def begin(view: TrainingWindow, qtbot: QtBot, text: Path) -> None:
    view.form.add_files([text])
    assert view.form.go.isEnabled()
    qtbot.waitUntil(view.isActiveWindow, timeout=PATIENCE)
    qtbot.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert view.pages.currentWidget() is view.page


def reached(view: TrainingWindow, qtbot: QtBot, status: Status) -> TrainingState:
    qtbot.waitUntil(lambda: view.run.state is not None and view.run.state.status == status, timeout=PATIENCE)
    assert view.run.state is not None
    return view.run.state


def process(state: TrainingState) -> int:
    return int((state.folder / "training" / "pid").read_text())
