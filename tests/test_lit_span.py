"""A word or a line that is selected lights up whole: every view that shows its tokens shows all of them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.sound import Amplitudes
from arplay.gui.canvases.picture.canvas import PictureCanvas
from arplay.gui.canvases.picture.heat import PictureHeat
from arplay.gui.canvases.sound.canvas import SoundCanvas
from arplay.gui.canvases.sound.heat import SoundHeat
from arplay.gui.intents import AddPeer, Do, Measure, Select
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.causality import CausalityPanel
from arplay.gui.panels.comparison import ComparisonPanel
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.panels.history import HistoryPanel
from arplay.gui.panels.ledger import LedgerPanel
from arplay.gui.panels.plots import PlotsPanel
from arplay.gui.panels.words import WordsPanel
from arplay.gui.widgets.comparison.pages import TEXT
from arplay.gui.widgets.ledger.table import LOGP, TOKEN
from arplay.gui.widgets.plots.figures import Counts
from arplay.gui.widgets.row_table import RowTable
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]
LINES = b"It was dark.\nNobody was there at all.\nThe end"


def in_front(window: MainWindow, name: str) -> object:
    window.docks[name].show()
    window.docks[name].raise_()
    QApplication.processEvents()
    return window.panels[name]


def select_line(window: MainWindow, qtbot: QtBot, line: int) -> tuple[int, int]:
    """Click on the row of a line in Words; its tokens."""
    panel = cast(WordsPanel, in_front(window, "words"))
    panel.kinds.chosen.emit(1)
    qtbot.waitUntil(lambda: len(panel.rows.table.rows) == 3, timeout=PATIENCE)
    place = panel.rows.visualRect(panel.rows.table.index(line, LOGP)).center()
    QTest.mouseClick(panel.rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(window, qtbot)
    span = window.playground.view.span
    assert span is not None and span[1] - span[0] > 3, "several tokens"
    return span


def chosen(table: RowTable) -> list[int]:
    return sorted(index.row() for index in table.selectionModel().selectedRows())


def test_the_ledger_lights_all_its_rows(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", LINES)
    first, stop = select_line(window, qtbot, 1)
    panel = cast(LedgerPanel, window.panels["ledger"])
    qtbot.waitUntil(lambda: chosen(panel.table) == list(range(first, stop)), timeout=PATIENCE)
    assert window.playground.view.lit == (first, stop), "what is shown is not answered"
    window.arrangement.enlarge(panel)
    qtbot.waitUntil(lambda: panel.curve.here == ((first + 0.5, stop + 0.5),), timeout=PATIENCE)
    place = panel.table.visualRect(panel.model.index(first, TOKEN)).center()
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(window, qtbot)
    assert window.playground.view.lit == (first, first + 1), "a click on the first of them chooses it alone"
    qtbot.waitUntil(lambda: panel.curve.here == ((first + 1.0, first + 1.0),), timeout=PATIENCE)
    assert chosen(panel.table) == [first]
    QTest.keyClick(panel.table, Qt.Key.Key_Down)
    settle(window, qtbot)
    assert window.playground.view.lit == (first + 1, first + 2)


def test_every_plot_lights_all_of_them(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", LINES)
    first, stop = select_line(window, qtbot, 1)
    panel = cast(PlotsPanel, in_front(window, "plots"))
    ledger = window.playground.view.ledger
    assert ledger is not None
    qtbot.waitUntil(lambda: panel.plot.here == ((first + 0.5, stop + 0.5),), timeout=PATIENCE)
    for row, name in ((1, "histogram"), (2, "ranks"), (5, "context")):
        panel.list.setCurrentRow(row)
        qtbot.waitUntil(lambda name=name: panel.kind.name == name and panel.plot.figure is not None)  # type: ignore[misc]
        figure = panel.plot.figure
        assert isinstance(figure, Counts)
        bars = {figure.bars.at(x) for x in figure.along(first, stop).tolist()}
        assert {figure.bars.at(left) for left, _ in panel.plot.here} == bars and len(bars) > 1, name
    panel.list.setCurrentRow(3)
    QApplication.processEvents()
    mark = panel.plot.plot.series[-1]
    assert mark.name == "selected"
    assert sorted(mark.y.tolist()) == pytest.approx(np.sort(-ledger.logprob[first:stop]))
    for row in (6, 7):
        panel.list.setCurrentRow(row)
        QApplication.processEvents()
        table = panel.table
        assert table is not None and not table.isHidden()
        listed = {at for at, record in enumerate(table.table.rows) if first <= record["index"] < stop}
        assert set(chosen(table)) == listed and len(listed) > 1


def test_both_texts_of_a_comparison_light_them(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", LINES)
    panel = cast(ComparisonPanel, in_front(window, "comparison"))
    window.handle(AddPeer("english"))
    qtbot.waitUntil(lambda: window.playground.view.parted_here, timeout=PATIENCE)
    first, stop = select_line(window, qtbot, 1)
    in_front(window, "comparison")
    qtbot.waitUntil(lambda: panel.curve.here == ((first + 0.5, stop + 0.5),), timeout=PATIENCE)
    panel.group.button(TEXT).click()
    panel.pages.text.ways[True].click()
    qtbot.waitUntil(lambda: len(panel.pages.text.heats) == 2, timeout=PATIENCE)
    assert [heat.lit for heat in panel.pages.text.heats] == [(first, stop)] * 2


def test_a_row_of_a_picture_has_an_edge_in_both_views(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo", None)
    play = window.playground
    for _ in range(9):
        window.handle(Do("step"))
        settle(window, qtbot)
    panel = cast(WordsPanel, in_front(window, "words"))
    qtbot.waitUntil(lambda: len(panel.rows.table.rows) == 3, timeout=PATIENCE)
    place = panel.rows.visualRect(panel.rows.table.index(1, LOGP)).center()
    QTest.mouseClick(panel.rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(window, qtbot)
    assert play.view.span == (3, 6)
    canvas = cast(EditorPanel, window.panels["editor"]).canvas
    assert isinstance(canvas, PictureCanvas) and canvas.grid.lit == (3, 4, 5)
    heat = cast(HeatmapPanel, in_front(window, "heatmap")).heat
    assert isinstance(heat, PictureHeat)
    qtbot.waitUntil(lambda: heat.grid.lit == (3, 4, 5), timeout=PATIENCE)


def test_a_stretch_of_a_sound_lights_in_both_waves(opened: Open, qtbot: QtBot) -> None:
    window = opened("speech", None)
    window.playground.open_document(Amplitudes(8000).sound(bytes(range(100, 150))), at_end=True)
    settle(window, qtbot)
    window.handle(Select(10, 30))
    settle(window, qtbot)
    canvas = cast(EditorPanel, window.panels["editor"]).canvas
    heat = cast(HeatmapPanel, window.panels["heatmap"]).heat
    assert isinstance(canvas, SoundCanvas) and isinstance(heat, SoundHeat)
    for strip in (canvas.strip, heat.strip):
        qtbot.waitUntil(lambda strip=strip: strip.shown.lit == (10, 30), timeout=PATIENCE)  # type: ignore[misc]
        seen = strip.grab().toImage()
        inside, outside = (round(strip.x_of(at) * seen.devicePixelRatio()) for at in (20, 45))
        assert seen.pixelColor(inside, 2) != seen.pixelColor(outside, 2)
    window.handle(Select(12))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: heat.strip.shown.lit is None, timeout=PATIENCE)


def test_the_triangle_marks_their_rows_and_columns(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"BACABCAB")
    panel = cast(CausalityPanel, in_front(window, "causality"))
    window.handle(Measure("triangle", 0, 8, 1, 1))
    qtbot.waitUntil(lambda: panel.triangle.found is not None, timeout=PATIENCE)
    before = panel.triangle.grab().toImage()
    window.handle(Select(2, 5))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.triangle.here == (2, 5), timeout=PATIENCE)
    assert panel.triangle.grab().toImage() != before


def test_the_history_lights_the_states_that_wrote_them(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    play = window.playground
    for _ in range(4):
        window.handle(Do("step"))
        settle(window, qtbot)
    steps = play.tree.path()[-4:]
    panel = cast(HistoryPanel, in_front(window, "history"))
    window.handle(Select(4, 6))
    settle(window, qtbot)
    wrote = frozenset(node.serial for node in steps[1:3])
    qtbot.waitUntil(lambda: panel.model.lit == wrote, timeout=PATIENCE)
    row = panel.model.row_of(steps[1])
    assert row is not None
    place = panel.rows.visualRect(panel.model.index(row, 0))
    lit = panel.rows.viewport().grab(place).toImage()
    for at, board in ((1, panel.branches), (2, panel.blocks)):
        panel.show_as(at)
        assert board.shown is not None
        outline = board.shown.outline
        assert board.shown.lit == {outline.of[serial] for serial in wrote}
    panel.show_as(0)
    window.handle(Select(0))
    settle(window, qtbot)
    root = frozenset([play.tree.root.serial])
    qtbot.waitUntil(lambda: panel.model.lit == root, timeout=PATIENCE)
    assert panel.rows.viewport().grab(place).toImage() != lit
