"""Errors in what Qt calls (painting, events, models): told once, and everything goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from arplay.gui import app, overrides
from arplay.gui.canvases.text import painting as text_painting
from arplay.gui.canvases.text.heat import view as heat_view
from arplay.gui.options import WindowOptions
from tests.windows_open import Open, notice, settle, text_field

ROOT = Path(__file__).parents[1]
PAINTS = {"editor": "paint_below", "heatmap": "HeatPainter"}
SAID = ["ZeroDivisionError: integer division or modulo by zero"]


def child(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.overrides_child", str(folder), *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_each_method_that_qt_calls_may_fail_and_it_is_told_once(tmp_path: Path) -> None:
    done = child(tmp_path, "guarded")
    assert done.returncode == 0, done.stderr
    *lines, end = [json.loads(line) for line in done.stdout.splitlines()]
    assert end == {"closed": True}
    assert len(lines) > 100
    wrong = [line for line in lines if not line["fired"] or line["told"] != SAID or line["raised"]]
    assert not wrong, "not called by Qt here, not told once, or given to the caller"


@pytest.mark.parametrize("method", ["HeatView.paintEvent", "TextArea.paintEvent"])
def test_without_the_guard_the_process_ends_or_somebody_else_is_given_the_error(tmp_path: Path, method: str) -> None:
    """Negative control: an error of C's below a method of ours."""
    done = child(tmp_path, "plain", method)
    if sys.version_info < (3, 12):
        assert done.returncode < 0, done.stdout
    else:
        assert SAID not in [json.loads(line).get("told") for line in done.stdout.splitlines()]


def test_a_class_that_is_made_later_is_guarded_too(qtbot: QtBot) -> None:
    overrides.guard()

    class Late(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:
            int("no number")

    late = Late()
    qtbot.addWidget(late)
    with qtbot.capture_exceptions() as seen:
        late.grab()
        late.grab()
    assert [kind for kind, *_ in seen] == [ValueError]


def fail(*args: Any, **named: Any) -> Any:
    1 // 0  # noqa: B018


@pytest.mark.parametrize("panel", ["editor", "heatmap"])
def test_the_window_tells_it_once_and_shows_a_calm_sentence(
    panel: str, opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    shown = window.panels[panel]
    monkeypatch.setattr(sys, "excepthook", app._Hook(window))
    whole = shown.grab().toImage()
    with monkeypatch.context() as broken:
        broken.setattr({"editor": text_painting, "heatmap": heat_view}[panel], PAINTS[panel], fail)
        image = shown.grab().toImage()
        assert (
            image != whole and len({image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}) > 9
        )
        qtbot.waitUntil(lambda: "ZeroDivisionError" in notice(window))
        window.notice.forget()
        for _ in range(3):
            shown.grab()
            QApplication.processEvents()
        assert notice(window) == "", "it is told once, not with each paint"
        qtbot.keyClicks(text_field(window), "ABC")
        settle(window, qtbot)
        assert window.playground.document.data == b"BACABC", "all else goes on"
        image = shown.grab().toImage()
    mended = shown.grab().toImage()
    assert mended.size() == image.size() and mended != image, "what is mended is drawn again"


def test_a_close_that_fails_keeps_the_window_and_the_next_one_closes(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    monkeypatch.setattr(sys, "excepthook", app._Hook(window))
    monkeypatch.setattr(window.keeping, "flush", fail)
    assert not window.close() and window.isVisible()
    qtbot.waitUntil(lambda: "ZeroDivisionError" in notice(window))
    assert window.close() and not window.isVisible()


def test_a_close_ends_the_program_whatever_fails_on_the_way(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    with monkeypatch.context() as broken, qtbot.capture_exceptions() as seen, qtbot.waitSignal(window.closed):
        broken.setattr(window.status, "rest", fail)
        QApplication.sendEvent(window, QCloseEvent())
    assert [kind for kind, *_ in seen] == [ZeroDivisionError] and not window.isVisible()


def test_a_picture_that_cannot_be_drawn_is_not_written(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_painting, "paint_below", fail)
    with pytest.raises(ZeroDivisionError):
        app.picture(WindowOptions(model="abc", prompt="BAC"), tmp_path / "window.png")
    assert not list(tmp_path.iterdir())


def test_a_question_is_answered_as_qt_would(qtbot: QtBot) -> None:
    overrides.guard()

    class Odd(QWidget):
        def sizeHint(self) -> Any:
            fail()

        def event(self, event: QEvent) -> Any:
            return fail() if event.type() == QEvent.Type.User else super().event(event)

    odd = Odd()
    qtbot.addWidget(odd)
    with qtbot.capture_exceptions() as seen:
        assert odd.property("sizeHint") == QWidget().sizeHint()
        assert not QApplication.sendEvent(odd, QEvent(QEvent.Type.User))
    assert len(seen) == 2
