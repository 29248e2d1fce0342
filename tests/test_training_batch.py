"""One batch on made-up results: its figures, its texts and its model, and the room that its columns have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter, QTextDocumentFragment
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.engine.messages import Failed
from arplay.engine.one_batch import OneBatch
from arplay.gui.theme import LIGHT
from arplay.gui.training.asks import AskBatch
from arplay.gui.training.batch import positions
from arplay.gui.training.batch_table import BatchPainter
from arplay.gui.training.one_batch import OneBatchView, difference_words
from tests.panel_checks import drawn
from tests.replays import (
    TEXT,
    batch_losses,
    loaded,
    tokens,
    vocabulary,
)
from tests.training_views import Asked, shown, teaching

GIRL = 1 + tokens(TEXT).index(b" girl")


@pytest.fixture(autouse=True)
def _plain_afterwards(qapp: QApplication) -> Iterator[None]:
    yield
    qapp.setStyleSheet("")


def test_a_batch_is_asked_for_and_shown_exactly(qtbot: QtBot) -> None:
    view = OneBatchView()
    shown(qtbot, view)
    asked = Asked(view)
    assert not view.run.isEnabled() and "load one" in view.list.message
    view.set_model(loaded(vocabulary()))
    view.suggest_text(TEXT)
    assert "Run one batch" in view.list.message
    QTest.keyClick(view.text, Qt.Key.Key_Return)
    assert asked.all == [AskBatch(TEXT)] and not view.run.isEnabled()
    result = batch_losses()
    view.show_result(result)
    assert view.run.isEnabled() and view.list.table.rows == positions(result, vocabulary())
    assert [figure.value for figure in view.figures.figures][:2] == [f"{result.mean_nats:.4f} nats", "17"]
    assert f"{np.mean(result.one_pass):.7f} nats" in view.ways.text()
    assert f"{np.mean(result.stepped):.7f} nats" in view.ways.text()
    read = QTextDocumentFragment.fromHtml(view.ways.text()).toPlainText()
    assert difference_words(result.largest_difference, "nats") in read, "< is no markup"
    view.set_unit("bits")
    assert f"{result.mean_nats / math.log(2):.7f} bits" in view.ways.text()


def test_the_figures_say_which_model_they_are_of(qtbot: QtBot) -> None:
    view = OneBatchView()
    shown(qtbot, view)
    view.set_model(loaded(vocabulary()))
    assert "with made up, the model in the playground" in view.list.message
    view.suggest_text(TEXT)
    view.run.click()
    view.show_result(batch_losses())
    assert view.with_model.isVisible() and view.with_model.text() == "with made up, the model in the playground"


def test_figures_are_of_the_text_above_them(qtbot: QtBot) -> None:
    view = teaching(qtbot)
    result = view.batch_losses
    view.suggest_text("The playground has stepped on.")
    assert view.text.text() == TEXT and view.batch_losses is result is not None
    view.text.setFocus()
    QTest.keyClicks(view.text, "!")
    assert view.batch_losses is None and view.list.table.rows == () and not view.figures.isVisible()


def test_a_text_under_way_is_not_replaced(qtbot: QtBot) -> None:
    view = teaching(qtbot)
    view.run.click()
    view.suggest_text("The playground has stepped on.")
    view.show_result(batch_losses())
    assert view.text.text() == TEXT and view.batch_losses is not None
    view.set_model(loaded(vocabulary("another one")))
    view.suggest_text("The playground has stepped on.")
    assert view.text.text() == "The playground has stepped on."


def test_tokens_and_bars_have_room_in_the_page_of_a_run(qtbot: QtBot) -> None:
    view = teaching(qtbot)
    for width, height in ((737, 640), (876, 460), (1100, 640)):
        view.resize(width, height)
        QApplication.processEvents()
        image = QImage(9, 9, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        paint = BatchPainter(painter, LIGHT, view.rows, "nats", view.list.viewport().width())
        painter.end()
        assert paint.input[1] >= 80 and paint.bar[1] >= 85, width
    assert view.list.width() < 800  # the words stand beside it


def test_the_list_of_positions_is_walked_with_keys(qtbot: QtBot) -> None:
    view = teaching(qtbot)
    view.list.setFocus()
    QTest.keyClick(view.list, Qt.Key.Key_End)
    said = view.list.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole)
    assert view.list.currentIndex().row() == 16 and "position 17, input ␣the, target ␣sea." in said
    QTest.keyClick(view.list, Qt.Key.Key_Up)
    assert view.list.currentIndex().row() == 15
    QTest.keyClick(view.list, Qt.Key.Key_Home)
    QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, 45))
    assert view.list.currentIndex().row() == 1
    assert "p(␣girl | the 9 tokens up to ␣little)" in view.list.table.tip(GIRL - 1, 0)


def test_another_model_clears_the_batch_and_a_failure_is_told(qtbot: QtBot) -> None:
    view = teaching(qtbot)
    view.set_model(loaded(vocabulary("another one")))
    assert view.batch_losses is None and view.list.table.rows == ()
    view.show_result(batch_losses())
    assert view.batch_losses is None  # of the model before
    view.run.click()
    view.show_result(Failed(1, "the text is too short", "write at least two tokens", OneBatch))
    assert view.problem.isVisible() and view.run.isEnabled()


def test_a_coarse_model_is_not_said_to_agree(qtbot: QtBot) -> None:
    view = teaching(qtbot)
    assert "16-bit" not in view.forcing.text()
    view.run.click()
    view.show_result(replace(batch_losses(), largest_difference=0.02))
    assert "16-bit" in view.forcing.text()


def test_an_impossible_target_has_no_finite_loss(qtbot: QtBot) -> None:
    view = teaching(qtbot)
    view.run.click()
    one_pass = batch_losses().one_pass.copy()
    one_pass[3] = math.inf
    view.show_result(replace(batch_losses(), one_pass=one_pass, mean_nats=math.inf, largest_difference=math.nan))
    assert view.figures.figures[0].value == "∞ nats"
    assert drawn(view.grab().toImage()) > 1000
