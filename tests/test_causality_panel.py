"""The causality lab in the real window: measured by mouse and by keyboard, shown, stopped, exported."""

from __future__ import annotations

import csv
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core.causality import repetition
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.image import Raster
from arplay.core.modalities.text import Text
from arplay.engine.causality import Changed
from arplay.engine.free_running import Freed, FreeRun, free_run
from arplay.engine.job import Job, Line, Pause, Steps
from arplay.engine.masks import BreakMask, Broke, broke, kind_of
from arplay.engine.messages import Progress
from arplay.engine.rollouts import Roll, roll
from arplay.engine.table import JOBS
from arplay.gui import exports
from arplay.gui.intents import Select
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.causality import CausalityPanel
from arplay.gui.settings import Lab
from arplay.gui.widgets.causality.broken import BrokenView
from arplay.gui.widgets.causality.triangle import shade, told
from arplay.models.families.pixelcnn.network import Sizes
from tests import test_pixelcnn
from tests.panel_views import pair
from tests.small_model import SmallModel
from tests.test_jobs import abc, run, state_of
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]


def panel_of(window: MainWindow) -> CausalityPanel:
    panel = window.panels["causality"]
    assert isinstance(panel, CausalityPanel)
    window.docks["causality"].show()
    window.docks["causality"].raise_()
    QTest.qWait(0)
    return panel


def measured(panel: CausalityPanel, lab: Lab, qtbot: QtBot) -> Changed | Freed:
    QTest.mouseClick(panel.modes[lab], Qt.MouseButton.LeftButton)
    QTest.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.view.measuring and panel.found is not None, timeout=PATIENCE)
    assert panel.found is not None
    return panel.found


def test_all_is_measured_shown_and_exported(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"BACAB")
    panel, play = panel_of(window), window.playground
    assert "Measure changes each" in panel.triangle.message and panel.found is None
    found = measured(panel, "triangle", qtbot)
    assert isinstance(found, Changed) and found.agreement.holds and found.variation.shape == (5, 5)
    assert "no later one could reach it" in panel.said.full and "the last 2 tokens" in panel.about.full
    squares = panel.triangle.squares()
    assert squares is not None and len(squares.frames) == 2
    at = squares.frames[0].topLeft() + QPoint(int(1.5 * squares.cell), int(3.5 * squares.cell))
    QTest.mouseClick(panel.triangle, Qt.MouseButton.LeftButton, pos=at.toPoint())
    qtbot.waitUntil(lambda: play.view.selected == 3, timeout=PATIENCE)
    assert panel.triangle.lit == (3, 1) and "i = 4 (A)" in told(found, 3, 1) and "total variation" in told(found, 3, 1)
    QTest.keyClick(panel.triangle, Qt.Key.Key_Up)
    QTest.keyClick(panel.triangle, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: play.view.selected == 2, timeout=PATIENCE)
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"causality.{kind}")
    record = json.loads((tmp_path / "causality.json").read_text("utf-8"))
    assert record["causal"] and record["total_variation"] == found.variation.tolist()
    lines = [one for one in (tmp_path / "causality.csv").read_text("utf-8").splitlines() if not one.startswith("#")]
    assert len(list(csv.DictReader(lines))) == 25
    play.handle(Select(1))
    settle(window, qtbot)
    column = measured(panel, "poisoned", qtbot)
    assert isinstance(column, Changed) and column.columns.tolist() == [1] and not panel.plot.plot.empty
    row = measured(panel, "reached", qtbot)
    assert isinstance(row, Changed) and row.rows.tolist() == [1]
    assert row.variation[0, 0] == found.variation[1, 0]
    free = measured(panel, "free", qtbot)
    assert isinstance(free, Freed) and free.start == 1 and free.free.nll.shape == (8, 64)
    for at_figure in range(panel.figure.count()):
        panel.figure.setCurrentIndex(at_figure)
        assert not panel.plot.plot.empty
    assert export.save(tmp_path / "free.csv")
    assert '"seed","index","nll"' in (tmp_path / "free.csv").read_text("utf-8")
    play.open_document(Text.of(b"ABC"))
    qtbot.waitUntil(lambda: panel.said.full.startswith("of before"), timeout=PATIENCE)


def test_rollouts_are_those_of_the_seeds_and_the_real_text_is_scored() -> None:
    table, text = abc(), Text.of(b"BACAB")
    made = run(free_run(state_of(table), FreeRun(1, text, text.at(2), (5, 6), 6)))[1]
    assert isinstance(made, Freed) and made.start == 2
    model = arplay.load("abc")
    for chain, seed in enumerate((5, 6)):
        sample = model.sample("BA", 6, seed=seed)
        assert made.free.nll[chain] == pytest.approx(-sample.logprob)
    assert made.forced.nll[0] == pytest.approx(-model.score("BACAB").logprob[2:])
    assert made.free.distance[:, 0].tolist() == [0.0, 0.0], "the same prefix yet"
    assert np.isfinite(made.free.distance[:, :3]).all() and np.isnan(made.free.distance[:, 3:]).all()


@settings(max_examples=15)
@given(st.text("ABC", min_size=3, max_size=9), st.integers(0, 2), st.integers(0, 99))
def test_curves_of_rollouts_are_those_of_the_table(text: str, start: int, seed: int) -> None:
    """By brute force: every figure of every position, from the rows of the table alone."""
    table, document = abc(), Text.of(text.encode())
    made = run(free_run(state_of(table), FreeRun(1, document, document.at(start), (seed, seed + 1), 7)))[1]
    assert isinstance(made, Freed)
    ids = ["ABC".index(letter) for letter in text]
    model = arplay.load("abc")
    sampled = [model.sample(text[:start], 7, seed=each).ids.tolist() for each in made.seeds]
    for curves, chains in ((made.forced, [ids[start : start + 7]]), (made.free, sampled)):
        for chain, drawn in enumerate(chains):
            assert curves.repetition[chain] == pytest.approx(repetition(drawn), nan_ok=True)
            for at, id in enumerate(drawn):
                p = np.exp(table.logprobs([*ids[:start], *drawn[:at]]))
                known = p[p > 0]
                assert curves.nll[chain, at] == pytest.approx(-np.log(p[id]))
                assert curves.entropy[chain, at] == pytest.approx(-float((known * np.log(known)).sum()))
                if curves is made.free and start + at < len(ids):
                    real = np.exp(table.logprobs(ids[: start + at]))
                    assert curves.distance[chain, at] == pytest.approx(0.5 * float(np.abs(p - real).sum()))
    far = made.free.distance[:, len(ids) - start :]
    assert np.isnan(far).all(), "there is nothing real any more to be compared with"
    other = run(free_run(state_of(table), FreeRun(1, document, document.at(start), (seed + 2, seed + 3), 7)))[1]
    assert isinstance(other, Freed) and np.array_equal(other.forced.nll, made.forced.nll), "the real ones need no seed"


def test_rollouts_start_inside_a_whole_picture() -> None:
    """What really stands there makes room for them, and is read beside them."""
    model = test_pixelcnn.made_model(Sizes(4, 4, 3, 4, 2))
    cells = np.random.default_rng(3).integers(0, 3, 16)
    picture = model.alphabet.levels(cells.reshape(4, 4))
    state, place = state_of(model), 6
    made = run(free_run(state, FreeRun(1, picture, place, (0, 1), 99)))[1]
    assert isinstance(made, Freed) and made.start == 6
    assert made.forced.nll[0] == pytest.approx(-model.teacher_forced(cells.tolist())[6:], rel=1e-5)
    assert np.isfinite(made.free.nll).sum(axis=1).tolist() == [10, 10]
    assert made.free.distance[:, 0] == pytest.approx([0, 0], abs=1e-6), "the same prefix yet"
    with pytest.raises(Problem, match="something stands here already"):  # control: rollouts alone write over nothing
        run(roll(state, Roll(1, picture, place, Pipeline(), (0, 1), 4)))


def test_free_running_ends_where_the_context_does() -> None:
    text = Text.of(b"ABCA")
    made = run(free_run(state_of(SmallModel(context=4)), FreeRun(1, text, text.at(2), (0, 1), 9)))[1]
    assert isinstance(made, Freed) and np.isfinite(made.free.nll).sum(axis=1).tolist() == [4, 4]


def test_the_colour_is_a_logarithm() -> None:
    assert [shade(10.0**power) for power in (-9, -6, -3, 0)] == [0, 0, pytest.approx(0.5), 1]


def test_the_command_line_exports_it(tmp_path: Path) -> None:
    for kind in ("json", "png"):
        out = tmp_path / f"c.{kind}"
        assert cli.main(["export", "--prompt", "BAC", "--model", "abc", "--chart", "causality", "--out", str(out)]) == 0
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["causal"]


def test_a_mask_is_broken_in_the_window(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    """By the keyboard: curves while it is trained, then all of it; another one is stopped. The child is played here."""
    window = opened("abc", b"BA")
    panel, play = panel_of(window), window.playground
    QTest.mouseClick(panel.modes["mask"], Qt.MouseButton.LeftButton)
    assert panel.broken.isVisible() and not panel.triangle.isVisible() and "wonderful" in panel.broken.curves.message
    part, whole = replace(pair(), figures=None), pair()
    go, asked = threading.Event(), []

    def played(_: object, request: BreakMask, line: Line) -> Steps:
        asked.append(request.kind)
        yield Progress(request.number, "training", 0.5)
        yield Broke(request.number, kind_of("lstm").tokens, part)
        while not go.is_set():
            yield Pause(0.01)
        return broke(request.number, whole)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(JOBS, BreakMask, Job(played))
        panel.kind.setFocus()
        QTest.keyClick(panel.kind, Qt.Key.Key_Down)
        panel.run.setFocus()
        QTest.keyClick(panel.run, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: isinstance(panel.found, Broke), timeout=PATIENCE)
        assert panel.run.text() == "Stop" and "50%" in panel.said.full and not panel.broken.figures.isVisible()
        assert not panel.broken.curves.plot.empty and asked == ["lstm"]
        play.load_model("abc")  # which asks nothing of it
        go.set()
        qtbot.waitUntil(lambda: not panel.view.measuring, timeout=PATIENCE)
        assert panel.broken.figures.isVisible() and "connectivity" in panel.said.full
        go.clear()
        QTest.keyClick(panel.run, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: len(asked) == 2 and panel.run.text() == "Stop", timeout=PATIENCE)
        QTest.keyClick(panel.run, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: panel.run.text() == "Train", timeout=PATIENCE)
    play.show(measured={"mask": broke(1, whole)})
    view = BrokenView()
    qtbot.addWidget(view)
    view.show_broke(broke(1, whole), "")
    for size in ((1200, 700), (1200, 260), (700, 260), (300, 200)):
        view.resize(*size)
        view.show()
        assert view.samples.isVisible() is (size[0] == 1200) and view.tells_why is (size[1] == 700)
    qtbot.waitUntil(lambda: isinstance(panel.found, Broke) and panel.found.is_last, timeout=PATIENCE)
    QTest.keyClick(panel.broken.curves, Qt.Key.Key_Left)
    assert "sees ahead: held-out 0.100" in panel.broken.curves.words(2.0)
    assert "sum over all endings: causal 1.000, sees ahead 10.000" in panel.broken.figures.accessibleDescription()
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg"):
        assert export.save(tmp_path / f"mask.{kind}")
    assert json.loads((tmp_path / "mask.json").read_text("utf-8"))["networks"][1]["figures"]["endings"] == 10
    assert "sees ahead" in (tmp_path / "mask.csv").read_text("utf-8")


@pytest.mark.parametrize("stacks", [1, 2])
def test_the_blind_spot_is_found_by_mouse_and_keyboard(stacks: int, opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    """By changing pixels; two stacks, the negative control, have none."""
    folder, sizes = tmp_path / "made", Sizes(7, 7, 3, 3, 4, stacks)
    folder.mkdir()
    test_pixelcnn.network(sizes).float().save_pretrained(folder)
    window = opened(str(folder), None)
    panel, play = panel_of(window), window.playground
    tokens = cast(Raster, play.view.loaded and play.view.loaded.vocabulary)
    play.open_document(tokens.levels(np.random.default_rng(0).integers(0, 3, (7, 7))), at_end=False)
    settle(window, qtbot)
    play.handle(Select(27))
    settle(window, qtbot)
    found = measured(panel, "reached", qtbot)
    assert isinstance(found, Changed) and found.rows.tolist() == [27] and panel.field is not None
    assert panel.field.grid.marked == 27 and "blind" not in panel.said.full, "the end of a row"
    panel.field.grid.setFocus()
    QTest.keyClick(panel.field.grid, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: panel.found is not found and not panel.view.measuring, timeout=PATIENCE)
    assert play.view.selected == panel.field.grid.marked == 34
    last = panel.found
    spot = panel.field.grid.rect_of(28).center().toPoint()
    QTest.mouseClick(panel.field.grid, Qt.MouseButton.LeftButton, pos=spot)
    qtbot.waitUntil(lambda: panel.found is not last and not panel.view.measuring, timeout=PATIENCE)
    now = panel.found
    assert isinstance(now, Changed) and now.rows.tolist() == [28] and now.agreement.holds and now.blind is not None
    blind = sizes.blind_spot(4, 0).ravel()[:28]
    assert blind.any() == (stacks == 1) and now.blind[:28].tolist() == blind.tolist()
    assert not now.moved[0, :28][blind].any(), "measured: nothing there moves it"
    cells = panel.field.grid.cells
    assert cells.measure == "total variation" and cells.blind == frozenset(np.flatnonzero(blind).tolist())
    assert (f"blind spot: {blind.sum()} tokens before it" in panel.said.full) == (stacks == 1)
    assert exports.of_panel(panel, window).save(tmp_path / "field.png")
