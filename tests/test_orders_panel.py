"""The orders of a document as rows: equal totals, sorting, the product in full, and why some models have none."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.gui import exports
from arplay.gui.intents import Train
from arplay.gui.panels.orders import OrdersPanel
from arplay.gui.settings import Settings
from arplay.gui.view import View
from arplay.gui.widgets.orders.rows import FACTORS, NAME, TOTAL, WAY
from tests.panel_views import growing
from tests.windows_open import PATIENCE, Open, opened, put_up, settle, text_field

__all__ = ["opened"]


def shown(qtbot: QtBot, model: str, document: str, **changes: object) -> OrdersPanel:
    score = arplay.load(model).score(document)
    return put_up(qtbot, OrdersPanel(), 1200, 300, View(loaded=score.loaded, ledger=score.ledger, **changes))  # type: ignore[arg-type]


def column(panel: OrdersPanel, number: int) -> list[str]:
    table = panel.rows.table
    return [str(table.data(table.index(row, number))) for row in range(table.rowCount())]


def test_every_order_of_bac_is_a_row_with_the_same_total(qtbot: QtBot) -> None:
    panel = shown(qtbot, "abc", "BAC")
    assert panel.verdict.full.startswith("All 6 orders, one total: log p = −2.1203 nats")
    assert len(set(column(panel, WAY))) == 6 and set(column(panel, TOTAL)) == {"−2.120263536200"}
    assert panel.formula.text() == "p(x₁ = B) · p(x₂ = A | x₁) · p(x₃ = C | x₁, x₂) = 0.4 · 0.5 · 0.6 = 0.12"
    panel.rows.selectRow(column(panel, NAME).index("backwards"))
    assert panel.formula.text().startswith("p(x₃ = C) · p(x₂ = A | x₃) · p(x₁ = B | x₂, x₃) = ")
    assert panel.formula.text().endswith(" = 0.12")
    panel.show_view(View(loaded=panel.view.loaded, ledger=panel.view.ledger, settings=Settings(unit="bits")))
    assert set(column(panel, TOTAL)) == {f"−{-math.log2(0.12):.12f}"}


def test_a_heading_sorts(qtbot: QtBot) -> None:
    panel = shown(qtbot, "abc", "BACB")
    header, table = panel.rows.horizontalHeader(), panel.rows.table
    before = column(panel, WAY)
    place = QPoint(header.sectionViewportPosition(FACTORS) + 40, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    largest = [each.largest for each in table.rows]
    assert largest == sorted(largest) or largest == sorted(largest, reverse=True)
    assert column(panel, WAY) != before and sorted(column(panel, WAY)) == sorted(before)


def test_a_cell_tells_its_distribution(qtbot: QtBot) -> None:
    panel = shown(qtbot, "xo", "#.# .#. #.#")
    assert {"own order, by rows", "by columns", "boustrophedon"} <= set(column(panel, NAME))
    cell = panel.rows.visualRect(panel.rows.table.index(0, FACTORS))
    pos = QPoint(cell.left() + cell.width() // 6, cell.center().y())  # the second of nine
    where = panel.rows.viewport().mapToGlobal(pos)
    QApplication.sendEvent(panel.rows.viewport(), QHelpEvent(QEvent.Type.ToolTip, pos, where))
    told = QToolTip.text()
    QToolTip.hideText()
    assert "p(x₂ = □ white | x₁) = 0.5000" in told and "known: x₁ = ■ black" in told


@pytest.mark.parametrize("document", ["", "BACBACBACBAC"])
def test_nothing_and_too_much_are_said(document: str, qtbot: QtBot) -> None:
    panel = shown(qtbot, "abc", document)
    if document:
        assert panel.verdict.full.startswith("The first 9 of 12 tokens: 7 orders, one total")
    else:
        assert panel.empty.isVisible() and "Write a token" in panel.empty.text()


def test_a_network_has_one_order(qtbot: QtBot) -> None:
    panel = OrdersPanel()
    qtbot.addWidget(panel)
    panel.show_view(growing())
    panel.show_view(View(loaded=growing().loaded))
    assert "in its own order only" in panel.empty.text()


def test_it_follows_the_window(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BA")
    window.docks["orders"].raise_()
    panel = cast(OrdersPanel, window.panels["orders"])
    qtbot.waitUntil(lambda: panel.verdict.full.startswith("All 2 orders"))
    QTest.keyClicks(text_field(window), "C")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.verdict.full.startswith("All 6 orders"))
    assert set(column(panel, TOTAL)) == {"−2.120263536200"}


def test_two_networks_are_trained_by_mouse_and_by_keyboard_and_exported(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = opened("abc", b"BAC")
    window.docks["orders"].show()
    window.docks["orders"].raise_()
    panel, play = cast(OrdersPanel, window.panels["orders"]), window.playground
    qtbot.waitUntil(lambda: panel.isVisible() and panel.orders is not None)
    assert panel.sides.isVisible() and panel.rows.isVisible() and not panel.train.isVisible(), (
        "a low panel has one side"
    )
    QTest.mouseClick(panel.side[1], Qt.MouseButton.LeftButton)
    assert panel.train.isVisible() and not panel.rows.isVisible()
    assert panel.names == ("own order", "backwards") and "two models are not one" in panel.two.message
    QTest.mouseClick(panel.train, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.train.text() == "Stop" and panel.told.full.startswith("starting"))
    QTest.keyClick(panel.train, Qt.Key.Key_Return)  # ends it
    assert not play.view.answer_to(Train).runs
    qtbot.waitUntil(lambda: panel.train.text() == "Train")
    panel.second.setCurrentText("own order")
    panel.second.activated.emit(0)
    assert not panel.train.isEnabled() and panel.told.full == "choose two orders that differ"
    panel.second.setCurrentText("backwards")
    panel.second.activated.emit(1)
    QTest.keyClick(panel.train, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: play.view.answer_to(Train).found is not None, timeout=PATIENCE)
    found = panel.two.found
    assert found is not None and found.names == ("own order", "backwards")
    assert "387 parameters each, 1,000 chains, seed 0" in panel.told.full
    assert "Apart by" in panel.two.accessibleName()
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"orders.{kind}")
    record = json.loads((tmp_path / "orders.json").read_text("utf-8"))
    assert record["trained"]["mean"] == found.apart.mean and record["total"] == pytest.approx(math.log(0.12))
    lines = (tmp_path / "orders.csv").read_text("utf-8").splitlines()
    assert any("two networks, in bits: Apart by" in line for line in lines)
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == 6 * 3 and {row["total"] for row in rows} == {rows[0]["total"]}
    QTest.keyClicks(text_field(window), "C")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.told.full == "those trained before were of another text or model")
    assert panel.two.found is None


def test_the_command_line_exports_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("json", "png"):
        out = tmp_path / f"o.{kind}"
        assert cli.main(["export", "--prompt", "BAC", "--model", "abc", "--chart", "orders", "--out", str(out)]) == 0
    assert json.loads((tmp_path / "o.json").read_text("utf-8"))["every_order"]
    assert cli.main(["export", "--prompt", "", "--model", "abc", "--chart", "orders", "--out", str(out)]) == 1
    assert "there is no token whose orders could be listed" in capsys.readouterr().err


def test_orders_that_a_hand_chose_stay_and_others_are_the_usual_ones(qtbot: QtBot) -> None:
    panel = shown(qtbot, "xo", "#.? ??? ???")
    assert panel.names == ("own order", "backwards")
    score = arplay.load("xo").score("#.# .#. #.#")
    whole = View(loaded=score.loaded, ledger=score.ledger)
    panel.show_view(whole)
    assert panel.names == ("own order, by rows", "by columns") and not panel.sides.isVisible()
    panel.second.setCurrentText("boustrophedon")
    panel.second.activated.emit(2)
    panel.show_view(View(loaded=score.loaded, ledger=score.ledger, settings=Settings(unit="bits")))
    assert panel.names == ("own order, by rows", "boustrophedon")
