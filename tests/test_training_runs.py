"""Runs in the real window of training, of a stand-in for `arplay train` that starts at once (tests/tiny_trainer.py)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot

from arplay import paths
from arplay.engine import trainer as trainers
from arplay.gui.training import facts
from tests.training_open import OpenTraining, begin, process, reached
from tests.windows_open import PATIENCE, answer_box, notice


def test_start_watch_pause_go_on_and_cancel(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    window, view = training()
    begin(view, qtbot, text)
    reached(view, qtbot, "running")
    qtbot.waitUntil(lambda: len(view.page.curve.losses.training) > 20, timeout=PATIENCE)
    assert view.run.state.folder == paths.trained() / "my-cat"
    qtbot.keyClick(view, Qt.Key.Key_Escape)  # the run goes on without its window
    assert not view.isVisible() and view.run.live and "my-cat" in window.menus.models.train.text()
    window.menus.models.train.trigger()
    assert view.isVisible() and view.pages.currentWidget() is view.page
    view.page.bar.go_back.click()
    assert "still being trained" in view.form.why.text() and not view.form.go.isEnabled()
    view.earlier.cards[0].show_it.click()
    view.page.bar.main.click()
    paused = reached(view, qtbot, "paused")
    assert paused.resumable and view.page.bar.main.text() == "Resume"
    view.page.bar.main.click()
    more = reached(view, qtbot, "running")
    qtbot.waitUntil(lambda: view.run.state.reports[-1].step > paused.reports[-1].step, timeout=PATIENCE)
    assert more.folder == paused.folder
    QTimer.singleShot(0, go_on)
    view.page.bar.stop.click()
    assert view.run.live
    QTimer.singleShot(0, stop_it)
    view.page.bar.stop.click()
    assert not view.run.live
    view.page.bar.go_back.click()
    assert view.form.go.isEnabled() and view.form.folder.path.name == "my-cat-2"
    card = view.earlier.cards[0]
    assert card.resume.isVisible() and card.show_it.isVisible() and not card.open.isVisible()
    view.earlier.cards[0].away.click()
    assert not view.earlier.cards and paused.folder.is_dir()


def go_on() -> None:
    answer_box("Go on")


def stop_it() -> None:
    answer_box("Stop it")


def test_a_killed_child_is_told_with_a_remedy_and_resumed(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    window, view = training()
    begin(view, qtbot, text)
    state = reached(view, qtbot, "running")
    qtbot.waitUntil(lambda: view.run.state is not None and bool(view.run.state.snapshots), timeout=PATIENCE)
    os.kill(process(state), signal.SIGKILL)
    failed = reached(view, qtbot, "failed")
    assert failed.problem is not None and view.notice.isVisible() and "resume" in view.notice.text().lower()
    view.close()
    view.notice._offer.click()
    reached(view, qtbot, "running")
    assert not view.notice.isVisible()
    os.kill(process(view.run.state), signal.SIGKILL)
    reached(view, qtbot, "failed")
    assert "my-cat" in notice(window) or notice(window)  # nobody looks at the other window


def test_a_problem_of_the_run_is_told(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    _, view = training("problem")
    begin(view, qtbot, text)
    reached(view, qtbot, "failed")
    assert "The disk is full" in view.notice.text() and "Free some space" in view.notice.text()
    assert view.form.files.found[0].path == text  # nothing that was set up is lost


def test_closing_the_playground_pauses_the_run_and_the_next_start_offers_it(
    training: OpenTraining, qtbot: QtBot, text: Path
) -> None:
    window, view = training()
    begin(view, qtbot, text)
    state = reached(view, qtbot, "running")
    child = process(state)
    window.close()
    assert not view.isVisible() and not window.isVisible()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    other, _ = training()
    other.training.remind()
    assert "my-cat" in notice(other)
    other.notice._offer.click()
    assert other.training.window is not None
    resumed = reached(other.training.window, qtbot, "running")
    assert resumed.folder == state.folder and not notice(other)
    other.training.window.page.bar.main.click()
    reached(other.training.window, qtbot, "paused")
    third, _ = training()
    third.training.remind()  # paused by hand: listed, but not called back
    assert not notice(third) and third.training.run.earlier()[0].folder == state.folder


def test_the_runs_of_before_while_one_is_going(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    _, view = training()
    begin(view, qtbot, text)
    reached(view, qtbot, "running")
    view.page.bar.main.click()
    former = reached(view, qtbot, "paused").folder
    view.page.bar.go_back.click()
    begin(view, qtbot, text)
    view.page.bar.go_back.click()
    mine, other = view.earlier.cards
    assert "Getting ready" in mine.said.text() and mine.show_it.text() == "Go to it"
    assert not other.resume.isEnabled() and not other.show_it.isEnabled()
    assert "my-cat-2 is still being trained" in other.show_it.toolTip() == other.resume.toolTip()
    reached(view, qtbot, "running")
    assert "Training" in mine.said.text()  # the very card: the keyboard stays on its button
    view.resume_folder(former)  # as the playground offers it at its start
    reports = len(view.run.state.reports)
    qtbot.waitUntil(lambda: len(view.run.state.reports) > reports, timeout=PATIENCE)
    assert view.notice.isVisible() and "The training of my-cat-2 goes on" in view.notice.text()
    mine.show_it.click()
    assert view.pages.currentWidget() is view.page
    view.page.bar.go_back.click()
    view.run.pause()
    reached(view, qtbot, "paused")
    mine, other = view.earlier.cards
    assert mine.resume.isEnabled() and other.resume.isEnabled() and other.folder == former
    other.show_it.click()
    assert view.run.state.folder == former


def test_pause_and_cancel_by_keyboard(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    _, view = training("deaf")
    bar = view.page.bar
    begin(view, qtbot, text)
    reached(view, qtbot, "running")
    qtbot.keyClick(bar.main, Qt.Key.Key_Space)
    reached(view, qtbot, "pausing")
    assert view.focusWidget() is bar.main and bar.main.text() == "Pausing…"
    qtbot.keyClick(bar.main, Qt.Key.Key_Return)  # once is enough
    assert view.run.state.status == "pausing"
    bar.stop.setFocus()
    QTimer.singleShot(0, stop_it)
    qtbot.keyClick(bar.stop, Qt.Key.Key_Return)
    assert not view.run.live
    bar.go_back.setFocus()
    qtbot.keyClick(bar.go_back, Qt.Key.Key_Enter)
    assert view.pages.currentWidget() is not view.page


def test_a_run_that_is_stopped_at_once_says_what_it_goes_on_from(
    training: OpenTraining, qtbot: QtBot, text: Path
) -> None:
    _, view = training("rare")  # its checkpoint is of step 5, 640 tokens
    bar = view.page.bar
    begin(view, qtbot, text)
    qtbot.waitUntil(lambda: bar.state is not None and len(bar.state.reports) > 20, timeout=PATIENCE)
    assert "goes on from" not in bar.status.full
    view.run.cancel()
    stopped = reached(view, qtbot, "paused")
    assert stopped.goes_on_from == 640 and stopped.what == "stopped; it goes on from 640 tokens"
    assert bar.status.full.startswith("Stopped, 0%") and "It goes on from 640 tokens" in bar.status.full
    assert {figure.name: figure.value for figure in bar.figures.figures}["tokens read"].startswith("640 of")
    bar.main.click()
    reached(view, qtbot, "running")
    assert [report.step for report in view.run.state.reports[:7]] == list(range(7)) and "goes" not in bar.status.full
    qtbot.waitUntil(lambda: len(view.run.state.reports) > 20, timeout=PATIENCE)
    os.kill(process(view.run.state), signal.SIGKILL)
    assert reached(view, qtbot, "failed").goes_on_from == 640 and "from 640 tokens" in bar.status.full
    (stopped.folder / "training" / "state.safetensors").write_bytes(b"cut off")
    assert trainers.runs([str(stopped.folder)])[0].goes_on_from is None  # resuming tells what is wrong with it
    (stopped.folder / "training" / "state.safetensors").unlink()
    assert "It begins again" in facts.status(trainers.runs([str(stopped.folder)])[0])


def test_a_run_that_failed_before_its_plan_stays_listed(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    _, view = training("unread")
    begin(view, qtbot, text)
    failed = reached(view, qtbot, "failed")
    assert not failed.resumable
    _, view = training()
    card = view.earlier.cards[0]
    assert card.folder == failed.folder and "The texts are too short" in card.said.text()
    assert not card.resume.isVisible() and not card.open.isVisible()
    card.show_it.click()
    assert "The texts are too short" in view.notice.text() and view.notice.isVisible()
    view.page.bar.go_back.click()
    view.earlier.cards[0].away.click()
    assert not view.earlier.cards and failed.folder.is_dir()


def test_a_model_is_opened_in_front(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    window, view = training("short")
    begin(view, qtbot, text)
    done = reached(view, qtbot, "done")
    assert view.focusWidget() is view.page.bar.go_back  # Pause, which had the keyboard, is gone
    (done.folder / "config.json").write_text("{}")
    view.page.bar.go_back.click()
    assert view.isActiveWindow() and view.windowHandle().transientParent() is None
    window.showMinimized()
    view.activateWindow()
    view.earlier.cards[0].open.click()
    assert window.playground.view.busy == "Loading my-cat"
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    assert not window.isMinimized() and view.isVisible()
    qtbot.waitUntil(lambda: "my-cat" in notice(window), timeout=PATIENCE)  # of the model that is none
