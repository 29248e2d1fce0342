"""The window of training in the real window: its form, its curve, every state of a run (runs that are going:
test_training_runs.py). The last test trains a model with the command itself."""

from __future__ import annotations

import csv
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from arplay import paths
from arplay.core.distribution import LN2
from arplay.core.errors import Problem
from arplay.core.modalities.text import Text as Document
from arplay.engine import trainer as trainers
from arplay.engine.trainer import Report, Status, TrainingState
from arplay.gui.training import facts
from arplay.gui.training.curve import LossCurve, loss_plot
from arplay.gui.training.exporting import ExportButton
from arplay.gui.training.inputs import folder_for, wrong_with_folder
from arplay.gui.training.losses import Losses, losses
from arplay.gui.training.window import TrainingWindow
from arplay.gui.widgets.plot import Drawing, upright
from arplay.models.family import Found
from arplay.training.texts import look
from tests.tiny_runs import plan
from tests.training_open import TEXT, OpenTraining, begin, reached
from tests.windows_open import PATIENCE, notice, settle


def report(step: int, steps: int = 100, held_out: float | None = None, loss: float = 2.0) -> Report:
    held_bits = None if held_out is None else held_out / LN2 / 4
    return Report(step, steps, 128 * step, 0.5 * step, loss, held_out, loss / LN2 / 4, held_bits, 256.0, 90.0, 1.0)


def state(status: Status, folder: Path, reports: tuple[Report, ...] = (), **changes: object) -> TrainingState:
    made = TrainingState(
        status, "reading texts", plan(tokens=128 * 100) if reports else None, reports, (), None, folder, False
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def is_dark(widget: QWidget) -> bool:
    return widget.grab().toImage().pixelColor(4, widget.height() - 6).lightness() < 80


def show(view: TrainingWindow, shown: TrainingState) -> None:
    view.run.state = shown
    view.run.changed.emit()
    view.show_run()
    QApplication.processEvents()


# ---- the form


def test_the_form_says_what_is_missing_until_it_is_fine(training: OpenTraining, text: Path, tmp_path: Path) -> None:
    window, view = training()
    form = view.form
    assert not form.go.isEnabled() and "Add a text" in form.why.text()
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"\xff\xfeabc")
    form.add_files([text, bad])
    assert not form.go.isEnabled() and "bad.txt is not UTF-8" in form.why.text()
    form.files.remove.click()
    assert form.go.isEnabled() and [one.path for one in form.files.found] == [text]
    assert form.folder.path == paths.trained() / "my-cat"
    form.folder.line.setText(str(tmp_path))
    form.folder.line.textEdited.emit(str(tmp_path))
    assert not form.go.isEnabled() and "Choose another folder" in form.why.text()
    form.folder.next()
    form.inputs["params"].segments.buttons["3000000"].click()
    form.inputs["minutes"].segments.buttons["tokens"].click()
    assert form.inputs["minutes"].tokens.isVisible()
    form.inputs["minutes"].tokens.setValue(50_000)
    wanted = form.wanted()
    assert (wanted.params, wanted.tokens, wanted.minutes, wanted.vocabulary) == (3_000_000, 50_000, None, None)
    form.inputs["minutes"].segments.buttons["30"].click()
    assert (form.wanted().tokens, form.wanted().minutes) == (None, 30.0) and not form.inputs[
        "minutes"
    ].tokens.isVisible()
    form.inputs["family"].segments.buttons["ngram"].click()
    assert form.wanted().family == "ngram" and not form.inputs["params"].segments.buttons["1000000"].isEnabled()
    assert "counted" in form.inputs["minutes"].segments.about.text()
    text.unlink()
    form.begin()
    assert not form.go.isEnabled() and view.run.state is None and "My cat.txt cannot be read" in form.why.text()
    assert not notice(window)


def test_texts_are_looked_at(tmp_path: Path) -> None:
    cut = tmp_path / "cut.txt"
    cut.write_bytes(b"a" * (64 * 1024 - 1) + "é".encode())  # the character lies across what is looked at
    empty = tmp_path / "empty.txt"
    empty.touch()
    binary = tmp_path / "a.bin"
    binary.write_bytes(b"abc\0def")
    assert look(cut) == Found(cut, 64 * 1024 + 1)
    assert (look(empty).problem, look(binary).problem) == ("is empty", "is no text")
    assert "folder" in look(tmp_path).problem and "cannot be read" in look(tmp_path / "gone").problem


def test_a_folder_must_be_new_and_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    assert wrong_with_folder(tmp_path / "a" / "b") == ""
    for path in (Path("relative"), tmp_path, file, file / "inside"):
        assert wrong_with_folder(path), path
    first = folder_for("Ünder ~ way", tmp_path)
    assert first.name == "ünder-way"
    first.mkdir()
    assert folder_for("Ünder ~ way", tmp_path).name == "ünder-way-2"


def test_the_text_of_the_editor_is_copied_and_files_are_dropped(
    training: OpenTraining, qtbot: QtBot, text: Path
) -> None:
    window, view = training()
    window.playground.open_document(Document.of(TEXT.encode()))
    view.form.files.use_editor.click()
    kept = view.form.files.found[0]
    assert kept.path.read_text() == TEXT and kept.path.is_relative_to(paths.trained())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(text))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(view, QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))
    QApplication.sendEvent(view, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))
    assert [one.path for one in view.form.files.found] == [kept.path, text]
    window.playground.open_document(Document())
    view.form.files.use_editor.click()
    assert view.notice.isVisible() and "empty" in view.notice.text() and len(view.form.files.found) == 2


def test_what_was_chosen_is_remembered(training: OpenTraining, qtbot: QtBot, text: Path) -> None:
    _, view = training()
    view.form.inputs["params"].segments.buttons["6000000"].click()
    view.form.inputs["minutes"].segments.buttons["2"].click()
    view.form.inputs["seed"].box.setValue(7)
    view.page.unit.buttons["bits per byte"].click()
    begin(view, qtbot, text)
    reached(view, qtbot, "running")
    _, other = training()
    form = other.form
    assert (
        form.inputs["params"].segments.key,
        form.inputs["minutes"].segments.key,
        form.inputs["seed"].box.value(),
    ) == ("6000000", "2", 7)
    assert [one.path for one in form.files.found] == [text] and other.page.loss_unit == "bits per byte"
    assert form.folder.path.name == "my-cat-2"


# ---- the curve


def test_losses_in_every_unit_and_log_v() -> None:
    reports = [report(0, held_out=math.log(280)), report(1, loss=math.nan), report(2, held_out=1.5, loss=1.0)]
    nats, bits, per_byte = (
        losses(reports, 280, unit) for unit in ("nats per token", "bits per token", "bits per byte")
    )
    assert nats.training == ((0, 2.0), (256, 1.0)) and nats.held_out == ((0, math.log(280)), (256, 1.5))
    assert nats.uniform == pytest.approx(math.log(280)) and bits.uniform == pytest.approx(math.log2(280))
    assert per_byte.uniform == pytest.approx(math.log2(280) / 4)  # of these reports: four bytes a token
    assert bits.training[-1][1] == pytest.approx(1 / LN2) and per_byte.held_out[-1][1] == pytest.approx(1.5 / LN2 / 4)
    assert losses([], 280, "bits per byte").uniform is None and losses([], None, "nats per token").empty


def test_the_axes_hold_every_point_and_the_line_of_log_v(qapp: QApplication) -> None:
    shown = Losses("nats per token", ((0, 5.0), (500, 3.0), (900, 2.5)), ((900, 2.75),), 5.6)
    for logarithmic in (False, True):
        on = Drawing(loss_plot(shown, 8000, logarithmic), QRectF(0, 0, 500, 300))
        assert on.plot.end == 1000 and on.plot.low < 2.5 and on.plot.high > 5.6
        places = [on.place(*point) for point in shown.training]
        assert all(on.frame.contains(place) for place in places)
        assert places[0].x() == on.frame.left() and [p.x() for p in places] == sorted(p.x() for p in places)
        assert [p.y() for p in places] == sorted(p.y() for p in places)  # the smaller, the lower
    assert upright(2.1, 4.3, 200) == [(2.5, "2.5"), (3.0, "3.0"), (3.5, "3.5"), (4.0, "4.0")]
    flat = loss_plot(Losses(training=((0, 2.0),)), 0, False)
    assert flat.low < 2.0 < flat.high


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curve_drawn_read_and_exported(qtbot: QtBot, tmp_path: Path, theme: str) -> None:
    from arplay.gui.theme import DARK, LIGHT

    curve = LossCurve()
    qtbot.addWidget(curve)
    curve.set_theme(DARK if theme == "dark" else LIGHT)
    curve.resize(480, 320)
    curve.show()
    with pytest.raises(Problem):
        ExportButton(curve, curve).exporting.write(tmp_path / "loss.csv")
    reports = tuple(report(i, held_out=5.0 / (1 + i) if i % 2 == 0 else None, loss=4.8 / (1 + i)) for i in range(9))
    curve.show_run(state("running", tmp_path / "cats", reports), "nats per token")
    picture = curve.grab().toImage()
    assert is_dark(curve) == (theme == "dark")
    assert len({picture.pixel(x, y) for x in range(0, 480, 3) for y in range(0, 320, 3)}) > 20  # lines and letters
    place = curve.drawing().place(256, 1.0)
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, curve.mapToGlobal(place), Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    curve.mouseMoveEvent(event)
    assert curve.lit == 256 and "training 1.600" in curve.words(256) and "held-out 1.667" in curve.words(256)
    qtbot.keyClick(curve, Qt.Key.Key_Right)
    assert curve.lit == 384
    assert "after 1,024 tokens" in curve.accessibleDescription()
    for suffix in (".png", ".svg", ".pdf", ".csv"):
        ExportButton(curve, curve).exporting.write(tmp_path / f"loss{suffix}")
    assert "knows nothing" in (tmp_path / "loss.svg").read_text()
    lines = (tmp_path / "loss.csv").read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert [float(row["loss"]) for row in rows] == [r.loss for r in reports] and rows[1]["held_out"] == ""


# ---- states, made by hand


def test_every_state_says_what_can_be_done(training: OpenTraining, tmp_path: Path) -> None:
    _, view = training()
    folder = tmp_path / "cats"
    bar = view.page.bar
    reports = (report(0, held_out=5.5), report(40, held_out=3.0), report(50))
    show(view, state("starting", folder))
    assert bar.main.text() == "Pause" and bar.stop.isVisible() and not bar.open_it.isEnabled()
    assert "Reading texts" in bar.status.full and bar.bar.maximum() == 0 and view.page.curve.losses.empty
    height = bar.height()
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    show(view, state("running", folder, reports))
    figures = {figure.name: figure.value for figure in bar.figures.figures}
    assert figures["held-out, nats per token"] == "3.000" and figures["perplexity"] == "20.1"
    assert figures["left"] == "1 min 30 s" and figures["tokens read"] == "6,400 of 12,800"
    assert bar.open_it.isEnabled() and bar.bar.value() == 500 and "50%" in bar.status.full
    assert bar.height() == height  # the figures had their place before there was one
    assert view.page.curve.losses.uniform == pytest.approx(math.log(280))
    assert not view.page.overfitting.isVisible()
    show(view, state("running", folder, (*reports, report(60, held_out=3.1))))
    assert "since 5,120 tokens" in view.page.overfitting.text() and view.page.overfitting.isVisible()
    show(view, state("pausing", folder, reports))
    assert bar.main.text() == "Pausing…"
    show(view, state("paused", folder, reports, resumable=True))
    assert bar.main.text() == "Resume" and bar.main.isEnabled() and not bar.stop.isVisible()
    show(view, state("failed", folder, reports, problem=("the disk is full", "free some space"), resumable=True))
    assert view.notice.isVisible() and "The disk is full" in view.notice.text() and bar.main.isVisible()
    assert "begins with" not in facts.nothing_yet(view.run.state)
    show(view, state("done", folder, (*reports, report(100))))
    assert not bar.main.isVisible() and bar.open_it.property("role") == "primary" and bar.bar.value() == 1000
    assert (
        "Done" in facts.status(state("done", folder, reports))
        and "perplexity" in facts.figures(state("done", folder, reports), "bits per byte")[2].name
    )
    for look_ in ("dark", "light"):
        view.parent().set_theme(look_)
        for size in ((900, 600), (1280, 800)):
            view.resize(*size)
            QApplication.processEvents()
            assert is_dark(view) == (look_ == "dark")
            beside = view.page.split.count() == 2
            assert beside == (size[0] >= 1100)
    view.run.state = None


# ---- what the views ask


def test_one_batch_and_a_replay_that_fails_leave_the_playground_alone(
    training: OpenTraining, qtbot: QtBot, tmp_path: Path
) -> None:
    window, view = training()
    show(view, state("paused", tmp_path / "gone", (report(0), report(1)), snapshots=(0, 1), resumable=True))
    batch, replay = view.page.batch, view.page.replay
    assert batch.text.text() == "BAC" and batch.run.isEnabled()
    view.page.tabs.setCurrentWidget(replay)
    qtbot.waitUntil(lambda: replay.problem.isVisible(), timeout=PATIENCE)
    assert window.playground.view.problem is None and not notice(window)
    view.page.tabs.setCurrentWidget(batch)
    batch.run.click()
    qtbot.waitUntil(lambda: batch.batch_losses is not None, timeout=PATIENCE)
    assert batch.batch_losses.largest_difference < 1e-9 and len(batch.rows) == len(batch.batch_losses.targets)
    assert not window.playground.view.stale
    view.run.state = None


# ---- the command itself


@pytest.mark.slow
def test_a_model_is_trained_in_the_window_and_opened_in_the_playground(
    training: OpenTraining, qtbot: QtBot, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, view = training()
    view.resize(1280, 800)  # wide enough for the replay beside the curve: hidden, it asks for nothing
    monkeypatch.setattr(trainers, "COMMAND", (sys.executable, "-m", "arplay", "train"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # two threads of one run wait for each other where others compute too
    form = view.form
    form.inputs["minutes"].segments.buttons["tokens"].click()
    form.inputs["minutes"].tokens.setValue(12_000)
    form.inputs["context"].box.setCurrentIndex(form.inputs["context"].box.findData(64))
    form.inputs["vocabulary"].box.setCurrentIndex(form.inputs["vocabulary"].box.findData(0))
    begin(view, qtbot, text)
    minutes = 5 * PATIENCE
    qtbot.waitUntil(lambda: view.run.state.status != "starting", timeout=minutes)
    assert view.run.state.status == "running", view.run.state
    qtbot.waitUntil(lambda: len(view.page.curve.losses.training) >= 2, timeout=minutes)
    first = view.page.curve.losses
    assert first.training[0][1] == pytest.approx(first.uniform, rel=0.05)  # it knows nothing yet
    view.page.bar.main.click()
    qtbot.waitUntil(lambda: view.run.state.status in ("paused", "done", "failed"), timeout=minutes)
    assert view.run.state.status == "paused", view.run.state
    before = view.run.state.reports[-1].step
    view.page.bar.main.click()
    qtbot.waitUntil(lambda: view.run.state.status == "running", timeout=minutes)
    qtbot.waitUntil(lambda: view.run.state.status in ("done", "failed"), timeout=minutes)
    assert view.run.state.status == "done" and view.run.state.reports[-1].step > before
    last = view.page.curve.losses
    assert last.held_out and last.training[-1][1] < 0.6 * last.uniform
    view.page.bar.open_it.click()
    qtbot.waitUntil(lambda: window.playground.view.loaded.info.name == "my-cat", timeout=minutes)
    settle(window, qtbot)
    assert window.playground.view.answer.distribution.full
    qtbot.waitUntil(lambda: len(view.page.replay.answers.steps) == len(view.run.state.snapshots), timeout=minutes)
