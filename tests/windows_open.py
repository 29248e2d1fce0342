"""A real window with a real worker for tests: fixture ``opened``, and what a user sees in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui import overrides
from arplay.gui.bridge import Bridge
from arplay.gui.collecting import Collector
from arplay.gui.contract import Panel
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
from arplay.gui.view import View

PATIENCE = 60_000
"""A hang guard in milliseconds, not a bar."""

Open = Callable[..., MainWindow]
W = TypeVar("W", bound=QWidget)


def put_up(qtbot: QtBot, widget: W, width: int, height: int, view: View | None = None) -> W:
    """The same widget on the screen, where it is a panel with this to see."""
    qtbot.addWidget(widget)
    widget.resize(width, height)
    if view is not None:
        assert isinstance(widget, Panel)
        widget.show_view(view)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


@pytest.fixture(autouse=True)
def _nothing_is_walked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window's collector walks all that lives where it leaves a model, which here is what every test imported.

    It would be a fifth of the time of all tests; ``walks`` marks those of it.
    """
    if not request.node.get_closest_marker("walks"):
        monkeypatch.setattr(Collector, "loaded", lambda *_: None)


@pytest.fixture
def opened(qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    """``opened(model)``: a window on the screen whose model is loaded and whose text is ``text``.

    ``file`` is opened before the model is there. With ``keep``, a folder, its session is kept there; without ``text``
    the newest one there is restored.
    """
    windows: list[MainWindow] = []

    def make(
        model: str = "abc",
        text: bytes | None = b"BAC",
        store: Path | None = None,
        keep: Path | None = None,
        file: Path | None = None,
    ) -> MainWindow:
        overrides.guard()
        window = MainWindow(Store(store or tmp_path / "arplay.ini"), Bridge(), "light")
        windows.append(window)
        qtbot.addWidget(window, before_close_func=_let_go)
        window.show()
        if keep is not None:
            window.keeping.begin(keep, fresh=text is not None)
        if text is not None:
            window.playground.open_document(Text.of(text), at_end=True)
        window.playground.load_model(model)
        if file is not None:
            window.open_file(file)
        qtbot.waitUntil(lambda: window.playground.view.loaded is not None, timeout=PATIENCE)
        settle(window, qtbot)
        return window

    yield make
    for window in windows:
        window.hide()
        window.keeping.end()
        assert window.playground.close(30)


def _let_go(window: MainWindow) -> None:
    """A window that a test leaves is not asked what is to become of its text."""
    window.keeping.end()


def settle(window: MainWindow, qtbot: QtBot) -> None:
    """Until the distribution at the caret and the whole ledger are there."""
    play = window.playground
    qtbot.waitUntil(
        lambda: not play.view.stale and (play.view.problem is not None or not play.busy_scoring()), timeout=PATIENCE
    )


def text_field(window: MainWindow) -> QPlainTextEdit:
    field = window.panels["editor"].findChild(QPlainTextEdit)
    assert field is not None
    return field


def notice(window: MainWindow) -> str:
    """The message above the text; empty where there is none."""
    return window.notice.text() if window.notice.isVisible() else ""


def answer_box(button: str) -> None:
    """Press the button of the message box that is open (for a timer: boxes are modal)."""
    box = QApplication.activeModalWidget()
    assert isinstance(box, QMessageBox)
    next(b for b in box.buttons() if button in b.text().replace("&", "")).click()
