"""The chain-rule ledger as a user meets it: its figures are core's, rows and curve select, growth keeps its place."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.chain import underflows
from arplay.core.format import power
from arplay.core.modalities.text import Text
from arplay.core.profiles import PACK
from arplay.engine.reconcile import Reconciled
from arplay.gui.intents import Do, Select
from arplay.gui.panels.history import HistoryPanel
from arplay.gui.panels.ledger import LedgerPanel
from arplay.gui.settings import Settings, Unit
from arplay.gui.theme import DARK, LIGHT
from arplay.gui.view import View
from arplay.gui.widgets.ledger import curve
from arplay.gui.widgets.ledger.curve import SurprisalCurve, Surprisals
from arplay.gui.widgets.ledger.table import LOGP, NUMBER, POWER, PRODUCT, RUNNING, TOKEN, P
from arplay.gui.widgets.ledger.totals import written_out
from tests.ledgers import abc_ledger, prose, random_ledger
from tests.panel_checks import pixels
from tests.windows_open import PATIENCE, Open, opened, put_up, settle

__all__ = ["opened"]


def shown(qtbot: QtBot, view: View, width: int = 900, height: int = 170) -> LedgerPanel:
    return put_up(qtbot, LedgerPanel(), width, height, view)


def says(panel: LedgerPanel, row: int, column: int) -> str:
    return str(panel.model.data(panel.model.index(row, column)))


def figure(panel: LedgerPanel, name: str) -> str:
    return next(f.value for f in panel.figures.figures if f.name == name)


def test_bac_is_0_12_both_ways(qtbot: QtBot) -> None:
    ledger, loaded = abc_ledger()
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    assert [says(panel, row, TOKEN) for row in range(3)] == ["B", "A", "C"]
    assert [says(panel, row, P) for row in range(3)] == ["0.4000", "0.5000", "0.6000"]
    assert [says(panel, row, LOGP) for row in range(3)] == ["−0.9163", "−0.6931", "−0.5108"]
    assert says(panel, 2, RUNNING) == "−2.1203"
    assert (says(panel, 2, PRODUCT), says(panel, 2, POWER)) == ("0.12", "1.200·10⁻¹")
    assert figure(panel, "NLL") == "2.1203 nats" and figure(panel, "product of all p") == "1.200·10⁻¹"
    assert panel.product.full == "0.4 × 0.5 × 0.6 = 0.12  and  exp(−2.1203) = 0.12:  they agree"


def test_bits_are_nats_over_ln_2(qtbot: QtBot) -> None:
    ledger, loaded = abc_ledger()
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded, settings=Settings(unit="bits")))
    assert says(panel, 1, LOGP) == "−1.0000"
    assert figure(panel, "NLL") == f"{ledger.totals.nll_bits:.4f} bits"
    assert panel.model.headerData(LOGP, Qt.Orientation.Horizontal) == "log p (bits)"


def test_the_product_is_written_out_for_short_texts_only() -> None:
    assert written_out(abc_ledger(b"BACB")[0]).startswith("0.4 × 0.5 × 0.6 × ")
    assert written_out(abc_ledger(b"BAC" * 10)[0]) == ""


def test_an_underflow_is_marked_exactly_where_a_float_would_be_0(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(600))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    marked = [says(panel, row, PRODUCT) == "underflows float64" for row in range(600)]
    assert marked == [underflows(float(value)) for value in ledger.running]
    assert marked == [math.exp(value) == 0.0 for value in ledger.running]
    assert True in marked and False in marked
    assert "·10⁻" in says(panel, 599, POWER)


def test_an_unscored_first_token_counts_nothing(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(5))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    assert [says(panel, 0, column) for column in (P, LOGP, RUNNING)] == ["—", "unscored", "0.0000"]
    tip = panel.model.data(panel.model.index(0, LOGP), Qt.ItemDataRole.ToolTipRole)
    assert tip == "not scored: nothing stands before it"
    assert panel.product.full.split(" = ")[0].count("×") == 3


def test_a_click_and_the_arrow_keys_select(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(50))
    view = View(ledger=ledger, loaded=loaded)
    panel = shown(qtbot, view, 900, 300)
    place = panel.table.visualRect(panel.model.index(3, TOKEN)).center()
    with qtbot.waitSignal(panel.intent) as told:
        qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told.args == [Select(3)]
    panel.show_view(replace(view, selected=3))
    with qtbot.waitSignal(panel.intent) as told:
        qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert told.args == [Select(4)]


def test_a_selection_from_elsewhere_is_shown_and_not_answered(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(2000))
    view = View(ledger=ledger, loaded=loaded)
    panel = shown(qtbot, view)
    with qtbot.assertNotEmitted(panel.intent):
        panel.show_view(replace(view, selected=1500))
    assert [index.row() for index in panel.table.selectionModel().selectedRows(NUMBER)] == [1500]
    assert panel.table.viewport().rect().contains(panel.table.visualRect(panel.model.index(1500, TOKEN)).center())
    assert panel.curve.here == ((1501.0, 1501.0),) and panel.curve.isVisible()


def test_a_growing_ledger_adds_rows_and_keeps_its_place(qtbot: QtBot) -> None:
    tokens = prose(3000)
    (part, loaded), (whole, _), (other, _) = (
        random_ledger(tokens, done=1000),
        random_ledger(tokens),
        random_ledger(prose(3000, seed=5)),
    )
    panel = shown(qtbot, View(ledger=part, loaded=loaded))
    assert panel.model.rowCount() == 1000 and panel.product.full == "1,000 of 3,000 scored so far"
    assert not panel.button.isEnabled()
    panel.table.verticalScrollBar().setValue(4000)
    with qtbot.assertNotEmitted(panel.model.modelReset):
        panel.show_view(View(ledger=whole, loaded=loaded))
    assert panel.model.rowCount() == 3000 and panel.table.verticalScrollBar().value() == 4000
    with qtbot.waitSignal(panel.model.modelReset):
        panel.show_view(View(ledger=other, loaded=loaded))


def test_check_asks_for_the_second_count_and_shows_it(qtbot: QtBot) -> None:
    ledger, loaded = abc_ledger()
    view = View(ledger=ledger, loaded=loaded, document=Text.of(b"BAC"))
    panel = shown(qtbot, view)
    assert panel.check.full == "not checked yet"
    with qtbot.waitSignal(panel.intent) as told:
        qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert told.args == [Do("reconcile")]
    counted = Reconciled(1, view.document, ledger.totals.nll_nats + 3e-8, 2e-8)
    panel.show_view(replace(view, reconciled=counted))
    assert panel.check.full == "difference 3.0·10⁻⁸, uncached pass: 2.1203 nats"


def test_the_curve_is_surprisal_and_its_running_mean(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(300))
    known = Surprisals(ledger, "nats")
    each, mean = known.each, known.mean
    totals = ledger.totals
    assert np.isnan(each[0]) and np.isnan(mean[0])
    assert mean[-1] == pytest.approx(totals.nll_nats / totals.scored)
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    place = panel.curve.drawing().frame.center().toPoint()
    with qtbot.waitSignal(panel.intent) as told:
        qtbot.mouseClick(panel.curve, Qt.MouseButton.LeftButton, pos=place)
    assert abs(told.args[0].index - 150) <= 2
    assert f"{each[9]:.4f}" in panel.curve.words(10.0)


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_a_curve_that_grew_is_the_curve_computed_at_once(qtbot: QtBot, unit: Unit) -> None:
    ledger, _ = random_ledger(prose(9000))
    assert len(ledger) == 9000
    logprob = ledger.logprob.copy()
    logprob[[5, 4095, 4096, 5000]] = np.nan, -np.inf, np.nan, np.nan
    ledger = replace(ledger, logprob=logprob)
    grown = Surprisals(replace(ledger, done=3), unit)
    for done in (3, 4, 4095, 4096, 8500, 9000):
        later = replace(ledger, done=done)
        assert grown.grows_to(later, unit)
        grown.add(later)
        running, scored = later.running[:done], np.cumsum(later.scored[:done])
        scale = -1 / np.log(2) if unit == "bits" else -1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(np.isinf(running), np.nan, running / scored * scale)
        np.testing.assert_allclose(grown.mean[:done], mean, rtol=1e-12)
        whole = np.where(np.isinf(logprob), np.nan, logprob * scale)[:done]
        np.testing.assert_allclose(grown.each[:done], whole, rtol=1e-12)
        assert grown.places[:done].tolist() == list(range(1, done + 1))
        for values, packed in zip((grown.each, grown.mean), grown.packed, strict=True):
            for block in range(0, done, PACK):
                part = values[block : min(block + PACK, done)]
                known = part[~np.isnan(part)]
                expected = [known.min(), known.max()] if len(known) else [np.nan, np.nan]
                np.testing.assert_array_equal(packed[block // PACK], expected)
        assert grown.most == np.nanmax(whole)
    for other in (replace(ledger, logprob=logprob.copy()), replace(ledger, done=8999)):
        assert not grown.grows_to(other, unit), "another scoring, or an earlier state of this one"
    assert not grown.grows_to(ledger, "bits" if unit == "nats" else "nats")


def test_lows_and_highs_draw_the_curve_of_all_tokens(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, loaded = random_ledger(prose(400_000))
    shown = SurprisalCurve()
    qtbot.addWidget(shown)
    shown.resize(500, 200)
    pictures = []
    for enough in (curve.ENOUGH, 500_000):
        monkeypatch.setattr(curve, "ENOUGH", enough)
        shown.show_ledger(ledger, loaded.vocabulary)
        pictures.append(pixels(shown.grab().toImage()))
    shown.show_ledger(None, None)
    empty = pixels(shown.grab().toImage())
    coarse, exact = pictures
    assert (coarse != exact).mean() < 0.01 < 0.2 < (empty != exact).mean()


@pytest.mark.parametrize("size", [(900, 170), (460, 620), (400, 200), (200, 120), (60, 40)])
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_it_draws_at_any_size(qtbot: QtBot, size: tuple[int, int], theme: object) -> None:
    panel = shown(qtbot, View(), *size)
    panel.set_theme(theme)  # type: ignore[arg-type]
    assert panel.pages.currentWidget() is panel.empty and panel.empty.text()
    ledger, loaded = random_ledger(prose(100), done=40)
    panel.show_view(View(ledger=ledger, loaded=loaded, selected=70))
    assert panel.pages.currentWidget() is panel.body
    QApplication.processEvents()
    assert not panel.grab().isNull()
    assert not panel.table.selectionModel().hasSelection()  # that row is not there yet


def test_a_long_ledger_is_shown(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(20_000))
    panel = shown(qtbot, View(), 900, 300)
    start = time.perf_counter()
    panel.show_view(View(ledger=ledger, loaded=loaded, selected=15_000))
    panel.grab()
    print(f"20,000 rows with their curve: {1e3 * (time.perf_counter() - start):.0f} ms")
    start = time.perf_counter()
    panel.show_view(View(ledger=replace(ledger), loaded=loaded, selected=15_001))
    panel.grab()
    print(f"shown again: {1e3 * (time.perf_counter() - start):.0f} ms")
    assert panel.model.rowCount() == 20_000


def test_the_exported_sheet_has_every_row(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(1200))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    size, sheet, part = panel.chart_size(), panel.sheet(), panel.sheet(100, 140)
    assert size is not None and sheet is not None and part is not None
    assert (sheet.rows, part.rows, part.lines[-1].startswith("rows 101 to 140 of 1,200")) == (1200, 40, True)
    image = QImage(*size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    panel.paint_chart(painter, QRectF(0, 0, *size))
    painter.end()
    foot = {image.pixelColor(x, y).name() for x in range(24, 220) for y in range(size[1] - 42, size[1] - 24)}
    assert len(foot) > 1
    first, stop = panel.in_sight() or (0, 0)
    assert first == 0 < stop < 100
    assert shown(qtbot, View()).chart_size() is None


def test_the_curve_of_a_long_text_draws_no_more_than_can_be_seen(qtbot: QtBot) -> None:
    drawn = {}
    for count in (200, 20_000):
        curve = put_up(qtbot, SurprisalCurve(), 300, 200)
        ledger, loaded = random_ledger(prose(count), first_token="model")
        curve.show_ledger(ledger, loaded.vocabulary)
        curve.grab()
        drawn[count] = [sum(len(run) for run in runs) for runs in curve.drawing().polygons]
    assert drawn[200] == [400, 200], "all of a short one"
    assert all(each < 12 * 300 for each in drawn[20_000])


def test_a_row_leads_to_heat_cell_chart_and_history(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BA")
    play = window.playground
    for _ in range(3):
        play.handle(Do("step"))
        settle(window, qtbot)
    panel = cast(LedgerPanel, window.panels["ledger"])
    window.docks["ledger"].raise_()
    qtbot.waitUntil(lambda: panel.isVisible() and panel.model.rowCount() == 5)
    place = panel.table.visualRect(panel.model.index(2, TOKEN)).center()
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(window, qtbot)
    assert play.view.selected == 2 and play.view.answer is not None and play.view.answer.prefix.index == 2
    history, document = cast(HistoryPanel, window.panels["history"]), play.document
    menu = panel.menu_of(3)
    next(each for each in menu.actions() if "history" in each.text()).trigger()
    qtbot.waitUntil(history.isVisible)
    node = history.model.rows[history.rows.currentIndex().row()].node
    assert node.step is not None and node.step.index == 3, "the state in which that token was sampled"
    assert play.document is document, "nothing else is done"
    next(each for each in panel.menu_of(0).actions() if "history" in each.text()).trigger()
    node = history.model.rows[history.rows.currentIndex().row()].node
    assert node.step is None and node.kind == "opened"
    history.show_as(1)
    next(each for each in panel.menu_of(4).actions() if "history" in each.text()).trigger()
    shown = history.branches.shown
    assert shown is not None
    assert any(n.step is not None and n.step.index == 4 for n in shown.outline.nodes[history.branches.current])


def test_a_long_text_reconciles_and_never_underflows(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    """20,000 tokens: the product is told as a power of ten, and an independent pass gives the same sum."""
    path = tmp_path / "long.txt"
    path.write_bytes(b"BACABCCABB" * 2_000)
    window = opened("abc", b"", file=path)
    panel, play = cast(LedgerPanel, window.panels["ledger"]), window.playground
    qtbot.waitUntil(lambda: play.view.ledger is not None and play.view.ledger.complete, timeout=PATIENCE)
    window.docks["ledger"].raise_()
    qtbot.waitUntil(lambda: panel.isVisible() and panel.model.rowCount() == 20_000)
    ledger = play.view.ledger
    assert ledger is not None
    total = math.fsum(ledger.logprob)
    exponent = math.floor(total / math.log(10))
    assert says(panel, 19_999, PRODUCT) == "underflows float64"
    assert says(panel, 19_999, POWER) == figure(panel, "product of all p") == power(total)
    assert str(-exponent) in says(panel, 19_999, POWER).translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    assert ledger.running_at(19_999) == pytest.approx(total, abs=1e-8)
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.check.full.startswith("difference "), timeout=PATIENCE)
    assert play.view.reconciled is not None and abs(play.view.reconciled.nll_nats + total) < 1e-6
    panel.table.choose([17_777], TOKEN)
    qtbot.waitUntil(lambda: play.view.selected == 17_777)
    state = next(each for each in panel.menu_of(17_777).actions() if "history" in each.text())
    assert state.isEnabled() == (play.view.excerpt_of is None)
