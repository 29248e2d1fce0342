"""The panel of plots in a real window: each plot, what is read and clicked in it, its controls, and its exports."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.profiles import BLOCK
from arplay.export.plots import BY_NAME, PLOTS, How
from arplay.gui import exports
from arplay.gui.intents import Change, Select
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.plots import PlotsPanel
from arplay.gui.settings import Settings
from arplay.gui.theme import LIGHT
from arplay.gui.view import View
from arplay.gui.widgets.plot import Drawing, Plot
from arplay.gui.widgets.plots.extremes import SURPRISAL, P
from arplay.gui.widgets.plots.figures import Along, Counted, Counts
from tests.ledgers import prose, random_ledger
from tests.panel_checks import pixels
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

TEXT = b"BACCABBACABCABCCBA" * 9


def shown(window: MainWindow, plot: str = "along", size: tuple[int, int] = (1500, 1100)) -> PlotsPanel:
    window.resize(*size)
    window.docks["plots"].show()
    window.docks["plots"].raise_()
    panel = window.panels["plots"]
    assert isinstance(panel, PlotsPanel)
    QApplication.processEvents()
    choose(panel, plot)
    return panel


def choose(panel: PlotsPanel, plot: str) -> None:
    panel.list.setCurrentRow([kind.name for kind in PLOTS].index(plot))
    QApplication.processEvents()


def spot(panel: PlotsPanel, x: float, y: float = 0.0) -> QPoint:
    return panel.plot.drawing().place(x, y).toPoint()


def test_a_click_goes_to_the_token_and_the_selected_one_is_marked(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=TEXT)
    panel, play = shown(window), window.playground
    QTest.mouseClick(panel.plot, Qt.MouseButton.LeftButton, pos=spot(panel, 60.0))
    settle(window, qtbot)
    assert play.view.selected == 59 and panel.plot.here == ((60.0, 60.0),)
    window.handle(Select(100))  # as a click in the heatmap
    settle(window, qtbot)
    assert panel.plot.here == ((101.0, 101.0),)
    choose(panel, "histogram")
    assert panel.plot.here[0][0] == pytest.approx(-play.view.ledger.logprob[100])  # type: ignore[union-attr]
    choose(panel, "entropy")
    ledger = play.view.ledger
    assert ledger is not None
    assert panel.plot.plot.series[-1].name == "selected" and panel.plot.plot.series[-1].x[0] == ledger.entropy[100]
    QTest.mouseClick(
        panel.plot, Qt.MouseButton.LeftButton, pos=spot(panel, float(ledger.entropy[7]), -ledger.logprob[7])
    )
    settle(window, qtbot)
    found = play.view.selected
    assert found is not None
    pairs = np.stack([ledger.entropy, -ledger.logprob])
    assert pairs[:, found] == pytest.approx(pairs[:, 7])


def test_the_keyboard_reads_a_plot_and_goes_to_a_token(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=TEXT)
    panel = shown(window)
    panel.plot.setFocus()
    for _ in range(3):
        QTest.keyClick(panel.plot, Qt.Key.Key_Right)
    assert panel.plot.lit == 3.0 and "surprisal" in panel.plot.words(panel.plot.lit)
    QTest.keyClick(panel.plot, Qt.Key.Key_Return)
    settle(window, qtbot)
    assert window.playground.view.selected == 2
    window.handle(Select(100))  # as a click in the heatmap
    settle(window, qtbot)
    panel.plot.light(None)
    for _ in range(8):
        QTest.keyClick(panel.plot, Qt.Key.Key_Plus)
    assert panel.plot.span is not None and panel.plot.span[0] <= 101 <= panel.plot.span[1], "closer to it"
    QTest.keyClick(panel.plot, Qt.Key.Key_Right)
    assert panel.plot.lit == 102.0, "on from the token that is selected"
    choose(panel, "calibration")
    QTest.keyClick(panel.plot, Qt.Key.Key_Left)
    assert "came" in panel.plot.words(panel.plot.lit)


@pytest.mark.parametrize("plot", ["histogram", "ranks", "context"])
def test_a_click_on_a_bar_goes_to_the_next_token_of_it(plot: str, opened: Open, qtbot: QtBot) -> None:
    window = opened(text=TEXT)
    panel, play = shown(window, plot), window.playground
    window.handle(Select(40))
    settle(window, qtbot)
    figure = panel.plot.figure
    assert isinstance(figure, Counts)
    for at in np.flatnonzero(figure.bars.heights).tolist():
        along = figure.along(0, len(TEXT)).tolist()
        rows = [row for row, x in enumerate(along) if figure.bars.at(x) == at]
        if plot != "context":
            assert len(rows) == figure.bars.heights[at]
        was = play.view.selected
        assert was is not None
        QTest.mouseClick(panel.plot, Qt.MouseButton.LeftButton, pos=spot(panel, float(figure.bars.stops[at])))
        settle(window, qtbot)
        assert play.view.selected == next((row for row in rows if row > was), rows[0])


def test_the_part_in_sight_is_marked(opened: Open) -> None:
    window = opened(text=TEXT * 20)
    panel, editor = shown(window), window.panels["editor"].canvas.scrolls  # type: ignore[attr-defined]
    for bar in (0, editor.verticalScrollBar().maximum()):
        editor.verticalScrollBar().setValue(bar)
        QApplication.processEvents()
        first, last = editor.line_near(0)[0], editor.line_near(editor.viewport().height())[0]
        assert panel.plot.sight == (first + 0.5, last + 1.5) and last - first < len(TEXT) * 20
    choose(panel, "ranks")
    assert panel.plot.sight is None


def test_the_wheel_zooms_and_the_zoom_ends_with_another_plot(opened: Open) -> None:
    panel = shown(opened(text=TEXT))
    middle = QPointF(panel.plot.rect().center())
    wheel = QWheelEvent(
        middle, panel.plot.mapToGlobal(middle), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(panel.plot, wheel)
    assert panel.plot.span is not None and panel.plot.span[1] - panel.plot.span[0] < len(TEXT)
    choose(panel, "ranks")
    assert panel.plot.span is None


def test_each_plot_has_a_sentence_and_a_key_figure(opened: Open) -> None:
    window = opened(text=TEXT)
    panel = shown(window)
    for kind in PLOTS:
        choose(panel, kind.name)
        assert panel.says.full == kind.says and panel.told.full
    choose(panel, "calibration")
    ledger = window.playground.view.ledger
    assert ledger is not None
    error = BY_NAME["calibration"].of(ledger, panel.found.how).calibration.error
    assert f"expected calibration error {error:.2%}" in panel.told.full


def test_units_bins_and_the_width_of_the_mean_are_followed(opened: Open) -> None:
    window = opened(text=TEXT)
    panel, play = shown(window, "along"), window.playground
    assert panel.width_box.isVisible() and not panel.bin_box.isVisible()
    panel.width_box.setValue(1)
    QApplication.processEvents()
    assert play.view.settings.plot_mean == 1, "it is found again at the next start"
    each, smooth = (series.y for series in panel.plot.plot.series)
    assert smooth == pytest.approx(each)
    play.handle(Change(replace(play.view.settings, unit="bits")))
    QApplication.processEvents()
    assert panel.plot.plot.series[0].y == pytest.approx(each / np.log(2)) and "bits" in panel.told.full
    choose(panel, "histogram")
    assert panel.bin_box.isVisible() and panel.bin_box.suffix() == " bits"
    before = panel.plot.plot.end
    panel.bin_box.setValue(1.0)
    QApplication.processEvents()
    assert panel.plot.plot.end >= before - 1 and "0 to 1 bits" in panel.plot.words(0.5)


def test_the_lists_are_sorted_by_the_keyboard(opened: Open, qtbot: QtBot) -> None:
    """As every table whose headings sort: Tab goes to them, the arrows along them, Enter sorts and turns round."""
    window = opened("english", b"It was a dark and stormy night, and the rain fell in torrents.")
    panel = shown(window, "surprising")
    window.arrangement.enlarge(panel)  # all columns are there
    qtbot.waitUntil(lambda: panel.table is not None and len(panel.table.table.rows) > 5)
    table = panel.table
    assert table is not None

    def by(name: str) -> list[float]:
        return [row[name] for row in table.table.rows]

    assert by("surprisal") == sorted(by("surprisal"), reverse=True)
    qtbot.waitUntil(lambda: not table.isColumnHidden(0))
    window.activateWindow()
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Tab)
    qtbot.waitUntil(table.headings.hasFocus)
    assert table.headings.at == SURPRISAL, "where it is sorted"
    QTest.keyClick(table.headings, Qt.Key.Key_Right)
    assert table.headings.at == P and table.headings.accessibleDescription() == "p: Enter sorts by it"
    QTest.keyClick(table.headings, Qt.Key.Key_Return)
    assert by("prob") == sorted(by("prob"))
    QTest.keyClick(table.headings, Qt.Key.Key_Space)
    assert by("prob") == sorted(by("prob"), reverse=True)
    for _ in range(10):
        QTest.keyClick(table.headings, Qt.Key.Key_Left)
    QTest.keyClick(table.headings, Qt.Key.Key_Return)
    assert by("index") == sorted(by("index"))
    QTest.keyClick(table.headings, Qt.Key.Key_Backtab)
    qtbot.waitUntil(table.hasFocus)


def test_the_lists_are_sorted_and_go_to_their_tokens(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=TEXT)
    panel, play = shown(window, "surprising"), window.playground
    table, ledger = panel.table, play.view.ledger
    assert table is not None and table.isVisible() and not panel.plot.isVisible() and ledger is not None
    first = table.table.rows[0]
    assert first["surprisal"] == -np.nanmin(ledger.logprob)
    at = table.visualRect(table.table.index(0, 2)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    settle(window, qtbot)
    assert play.view.selected == first["index"]
    table.sortByColumn(0, Qt.SortOrder.AscendingOrder)  # what a click on its heading does
    assert [row["index"] for row in table.table.rows] == sorted(row["index"] for row in table.table.rows)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Home)
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Return)
    settle(window, qtbot)
    assert play.view.selected == table.table.rows[1]["index"] and table.currentIndex().row() == 1
    choose(panel, "confident")
    assert table.table.rows[0]["surprisal"] == -np.nanmax(ledger.logprob)
    figures = [table.table.text(row, SURPRISAL) for row in range(len(table.table.rows))]
    assert len({len(figure.split(".")[1]) for figure in figures}) == 1, "points stand below each other"


def test_the_list_folds_into_a_box_in_a_narrow_panel(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(100))
    host, panel = QWidget(), PlotsPanel()
    qtbot.addWidget(host)
    panel.setParent(host)  # as in the window; a window of its own could not be made as small
    panel.show_view(View(loaded=loaded, ledger=ledger))
    panel.resize(900, 400)
    host.show()
    assert panel.list.isVisible() and not panel.combo.isVisible()
    panel.resize(400, 300)
    assert panel.combo.isVisible() and not panel.list.isVisible()
    asked: list[object] = []
    panel.intent.connect(asked.append)
    panel.combo.setCurrentIndex(2)
    assert asked == [Change(Settings(plot="ranks"))]
    panel.show_view(View(Settings(plot="ranks"), loaded=loaded, ledger=ledger))
    assert panel.kind.name == "ranks" and panel.list.currentRow() == 2


def test_a_long_text_is_counted_in_blocks_and_a_growing_one_goes_on(qtbot: QtBot) -> None:
    tokens = prose(3 * BLOCK)
    whole, loaded = random_ledger(tokens)
    panel = PlotsPanel()
    qtbot.addWidget(panel)
    panel.resize(900, 400)
    panel.show()
    panel.show_view(View(loaded=loaded, ledger=whole, selected=BLOCK))
    assert panel.counting.done == BLOCK and panel.plot.message == "Counting…", "no more at once"
    qtbot.waitUntil(lambda: panel.plot.figure is not None)
    assert panel.plot.plot.series[1].y == pytest.approx(BY_NAME["along"].of(whole, panel.found.how).smooth, nan_ok=True)
    half = replace(whole, done=BLOCK + 7)
    for ledger in (half, replace(whole, done=2 * BLOCK)):
        panel.show_view(View(loaded=loaded, ledger=ledger))
    assert panel.counting.done in (BLOCK, 2 * BLOCK)
    qtbot.waitUntil(lambda: panel.counting.ready and len(panel.plot.plot.series[0].x) == 2 * BLOCK)
    assert panel.told.full.startswith(f"{2 * BLOCK:,} of {3 * BLOCK:,} tokens so far: ")
    panel.show_view(View(loaded=loaded, ledger=whole))
    qtbot.waitUntil(lambda: len(panel.plot.plot.series[0].x) == 3 * BLOCK)
    panel.show_view(View(Settings(plot="entropy"), loaded=loaded, ledger=whole))
    assert panel.plot.figure is None
    qtbot.waitUntil(lambda: panel.plot.figure is not None)
    figure = panel.plot.figure
    assert figure is not None and figure.of.tally.counted == 3 * BLOCK - 1 and panel.plot.plot.shapes


def test_lows_and_highs_of_many_tokens_draw_the_same_picture(qtbot: QtBot) -> None:
    whole, loaded = random_ledger(prose(400_000))
    how = How("bits", 5_000)
    plot = Along(Counted(BY_NAME["along"].of(whole, how), whole, loaded.vocabulary, how)).plot
    fine = replace(plot, series=tuple(replace(series, coarse=None) for series in plot.series))
    pictures = []
    for each in (plot, fine, Plot(end=plot.end, high=plot.high)):
        image = QImage(1100, 420, QImage.Format.Format_RGB32)
        image.fill(0xFFFFFF)
        painter = QPainter(image)
        Drawing(each, QRectF(0, 0, 1100, 420)).paint(painter, LIGHT)
        painter.end()
        pictures.append(pixels(image))
    coarse, exact, empty = pictures
    assert (coarse != exact).mean() < 0.01 < 0.4 < (empty != exact).mean()


def test_every_plot_is_exported(opened: Open, tmp_path: Path) -> None:
    window = opened(text=TEXT)
    panel = shown(window)
    export = exports.of_panel(panel, window)
    for kind in PLOTS:
        choose(panel, kind.name)
        for suffix in ("png", "svg", "pdf", "csv", "json"):
            assert export.save(tmp_path / f"{kind.name}.{suffix}")
        assert not QImage(str(tmp_path / f"{kind.name}.png")).isNull()
        record = json.loads((tmp_path / f"{kind.name}.json").read_text("utf-8"))
        assert record["plot"] == kind.name and record["told"] == panel.told.full and record["rows"]
        lines = [line for line in (tmp_path / f"{kind.name}.csv").read_text("utf-8").splitlines() if line[0] != "#"]
        assert next(csv.reader(lines)) == list(kind.columns) and len(lines) == len(record["rows"]) + 1
