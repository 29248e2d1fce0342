"""Decoding in the running window: what moving a stage changes, where a token went, and a stage that cannot work."""

from __future__ import annotations

import html
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.modalities.text import Text
from arplay.export.trees import records
from arplay.gui.bridge import Bridge
from arplay.gui.intents import CaretMoved, Change, Do, HoldU, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.decoding import DecodingPanel
from arplay.gui.panels.next_token import NextTokenPanel
from arplay.gui.store import Store
from arplay.gui.widgets.history_rows import HistoryRows
from arplay.models import catalogue
from arplay.models.base import Report
from tests.windows_open import PATIENCE, Open, notice, opened, settle

__all__ = ["opened"]


def lay(window: MainWindow, spelled: str, qtbot: QtBot) -> DecodingPanel:
    play, panel = window.playground, window.panels["decoding"]
    assert isinstance(panel, DecodingPanel)
    play.handle(Change(replace(play.view.settings, decoding=Pipeline(spelled))))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.view is play.view)
    return panel


def test_moving_a_stage_says_what_changes(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    panel = lay(window, "temperature:3,top-p:0.5", qtbot)
    before = window.playground.view.decoded
    rows = {row.stage.name: row for row in panel.stages.rows}
    rows["temperature"].inputs[0].field.setFocus()
    for _ in range(5):
        qtbot.keyClick(rows["temperature"].inputs[0].field, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(lambda: panel.view is window.playground.view)
        if window.playground.view.settings.decoding.spelled == "top-p:0.5,temperature:3.0":
            break
    after = window.playground.view.decoded
    assert before is not None and after is not None
    qtbot.waitUntil(lambda: "Temperature after Top-p: " in panel.effect.text())
    for verb, one, other in (
        ("come", after.candidates, before.candidates),
        ("go", before.candidates, after.candidates),
    ):
        count = len(set(one.ids.tolist()) - set(other.ids.tolist()))
        assert bool(count) == (f"{count} token" in panel.effect.text() and verb in panel.effect.text())
    assert "of the mass moves" in panel.effect.text()
    while panel.stages.rows[-1] is not rows["temperature"]:
        panel.stages.rows[-1].moved.emit(-1)
    qtbot.waitUntil(lambda: "changes nothing here" in panel.effect.text())  # past stages that are off


def test_where_a_token_went_is_told_and_its_bar_names_the_stage(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    panel = lay(window, "top-k:1", qtbot)
    decoded, chart = window.playground.view.decoded, window.panels["next_token"]
    assert decoded is not None and window.playground.view.loaded is not None and isinstance(chart, NextTokenPanel)
    tokens, (kept,) = window.playground.view.loaded.vocabulary, decoded.candidates.ids.tolist()
    for row in chart.bars.bars.rows:
        panel.where.field.setText(tokens.label(row.id) if not row.special else f"#{row.id}")
        told, card = panel.where.told.text(), chart.bars.row_card(row)
        if row.id == kept:
            assert "may be drawn" in told and "cut by" not in card
        else:
            lost = decoded.lost(row.id)
            assert lost is not None and "top-k 1 cut it" in told and f"rank {lost.rank}" in told
            assert "cut by" in card and "top-k 1" in card and "least p that stayed" in card
    panel.where.field.setText("no such token")
    assert "No token" in panel.where.told.text()
    panel.where.field.clear()
    assert not panel.where.told.isVisible()


@pytest.mark.parametrize("spelled", ['ban:"no such"', 'ban:"[\\"A\\",\\"B\\",\\"C\\",\\"#3\\"]"'])
def test_a_stage_that_cannot_work_says_so_in_its_row_and_nothing_is_drawn(
    opened: Open, qtbot: QtBot, spelled: str
) -> None:
    window = opened(text=b"BA")
    play = window.playground
    panel = lay(window, spelled, qtbot)
    undecoded = play.view.undecoded
    assert undecoded is not None and undecoded.at == 0 and play.view.decoded is None
    rows = {row.stage.name: row for row in panel.stages.rows}
    assert undecoded.cause.lower() in rows["ban"].problem.text().lower() and rows["ban"].problem.isVisible()
    assert not rows["temperature"].problem.isVisible()
    assert not panel.step.isEnabled() and undecoded.remedy in html.unescape(panel.step.toolTip())
    assert notice(window) == "", "once is enough"
    for what in ("step", "play"):
        window.notice.forget()
        play.handle(Do(what))
        assert undecoded.cause.lower() in notice(window).lower() and play.view.document.file == b"BA"
    rows["ban"].switch.click()
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.step.isEnabled() and not rows["ban"].problem.isVisible())
    window.notice.forget()
    window.arrangement.enlarge(window.panels["editor"])  # the row is out of sight
    play.handle(Change(replace(play.view.settings, decoding=Pipeline(spelled))))
    qtbot.waitUntil(lambda: undecoded.cause.lower() in notice(window).lower())


def test_u_is_held_by_hand_while_the_stages_move_until_it_is_rolled_anew(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    play, chart = window.playground, window.panels["next_token"]
    assert isinstance(chart, NextTokenPanel)
    strip = chart.strip
    area = strip.bar_area()
    for share in (0.9, 0.4):
        where = QPointF(area.left() + share * area.width(), area.center().y()).toPoint()
        qtbot.mousePress(strip, Qt.MouseButton.LeftButton, pos=where)
        qtbot.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=where)
        assert play.view.held == pytest.approx(share, abs=0.01)
        assert strip.accessibleDescription().startswith("held u = ")
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.keyClick(strip, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    held = play.view.held
    assert held == pytest.approx(0.409, abs=0.01)
    lay(window, "temperature:0.1", qtbot)
    assert play.view.held == held and strip.strip.chosen is not None
    expected = strip.strip.chosen.id
    play.handle(Do("step"))
    step = play.view.node.step if play.view.node is not None else None
    assert step is not None and (step.id, step.u, step.seed) == (expected, held, None)
    settle(window, qtbot)
    play.handle(Do("rewind"))
    settle(window, qtbot)
    assert play.view.held == held
    play.handle(Do("reroll"))
    assert play.view.held is None
    settle(window, qtbot)
    play.handle(Do("step"))
    step = play.view.node.step if play.view.node is not None else None
    assert step is not None and step.seed == play.view.settings.seed and step.u != held
    for key, u in ((Qt.Key.Key_End, None), (Qt.Key.Key_Right, 0.5), (Qt.Key.Key_Escape, None)):
        settle(window, qtbot)
        if play.view.step is not None:
            play.handle(HoldU(0.49))
        qtbot.keyClick(strip, key)
        assert u is None or play.view.held == pytest.approx(u)
    assert play.view.held is None


def test_a_text_that_cannot_be_read_is_not_taken(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    panel = lay(window, 'bias:"{\\"A\\": 2}"', qtbot)
    row = next(row for row in panel.stages.rows if row.stage.name == "bias")
    field = row.inputs[0].field
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "nonsense")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert "names no biases" in row.problem.text() and row.problem.isVisible()
    assert window.playground.view.settings.decoding.stages == (("bias", ('{"A": 2}',)),)


def test_a_token_that_was_cut_may_be_picked_and_it_is_told_before_and_after(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = opened("abc", b"B", keep=tmp_path / "kept")
    play, bars = window.playground, window.panels["next_token"].bars  # type: ignore[attr-defined]
    lay(window, "top-k:1", qtbot)
    qtbot.waitUntil(lambda: bars.decoded is play.view.decoded)
    kept, *cut = bars.bars.all_rows
    assert not kept.removed and "cut" not in bars.row_card(kept), "negative control"
    assert all(row.removed for row in cut)
    card = bars.row_card(cut[-1])
    assert "cut by" in card and "top-k" in card.lower() and "a click takes it by hand" in card
    bars.choose(len(cut))
    assert "takes it by hand" in bars.accessibleDescription()
    QTest.mouseClick(bars.viewport(), Qt.MouseButton.LeftButton, pos=bars.row_area(len(cut)).center().toPoint())
    settle(window, qtbot)
    step = play.tree.node.step
    assert step is not None and step.id == cut[-1].id and step.u is None and step.decoded_prob == 0.0
    assert "top-k" in step.cut.lower() and step.rank == 3 and step.prob == pytest.approx(math.exp(step.logprob))
    rows = HistoryRows()
    rows.follow(play.tree, play.tree.node)
    assert "cut by" in rows.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert records(play.tree)[-1]["cut_text"] == step.cut
    play.handle(Take(kept.id))
    settle(window, qtbot)
    window.keeping.end()
    again = opened("abc", None, keep=tmp_path / "kept").playground.tree
    assert again.nodes[next(n for n, node in play.tree.nodes.items() if node.step == step)].step == step


def test_a_second_model_that_loads_says_so_in_its_row_and_may_be_cancelled(qtbot: QtBot, tmp_path: Path) -> None:
    held = threading.Event()
    held.set()

    def load(spec: str, device: Any, dtype: Any, report: Report) -> Any:
        while not held.wait(0.01):
            report(0.5, "weights")  # which raises once it is cancelled
        return catalogue.load(spec, device, dtype, report)

    window = MainWindow(Store(tmp_path / "arplay.ini"), Bridge(load=load), "light")
    qtbot.addWidget(window)
    window.show()
    play, panel = window.playground, window.panels["decoding"]
    assert isinstance(panel, DecodingPanel)
    play.open_document(Text.of(b"BA"))
    play.load_model("abc")
    qtbot.waitUntil(lambda: play.view.loaded is not None, timeout=PATIENCE)
    settle(window, qtbot)
    held.clear()

    def waits() -> bool:
        row = next((row for row in panel.stages.rows if row.stage.name == "contrastive"), None)
        return row is not None and not row.waits.isHidden() and "Loading abc, the weaker model" in row.loading.full

    play.handle(Change(replace(play.view.settings, decoding=Pipeline("contrastive:0.1:abc"))))
    qtbot.waitUntil(waits, timeout=PATIENCE)
    row = next(row for row in panel.stages.rows if row.stage.name == "contrastive")
    assert "weights" in row.loading.full
    stop = next(button for button in row.waits.findChildren(QPushButton) if button.text() == "Cancel")
    QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not play.view.stale and row.waits.isHidden(), timeout=PATIENCE)
    assert play.view.problem is not None and "cancelled" in play.view.problem[0]
    held.set()
    play.handle(CaretMoved(1))
    qtbot.waitUntil(lambda: not play.view.stale and play.view.decoded is not None, timeout=PATIENCE)
    assert play.view.problem is None and row.waits.isHidden()
    settle(window, qtbot)
    window.keeping.end()
    window.hide()
    assert play.close(30)
