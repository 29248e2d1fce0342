"""How the panels share the window: by what they hold, the same again after every way there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QTabBar, QToolButton
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui.canvases.text.notes import Notes
from arplay.gui.intents import CaretMoved, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.sharing import shared
from tests.windows_open import PATIENCE, Open, settle, text_field

HEIGHTS = st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 300)), min_size=1, max_size=5)


@given(room=st.integers(1, 5000), panels=HEIGHTS)
def test_the_whole_room_is_given_and_nobody_below_the_least_starves(room: int, panels: list[tuple[int, int]]) -> None:
    wanted, least = [want for want, _ in panels], [low for _, low in panels]
    sizes = shared(room, wanted, least)
    assert sum(sizes) == room and min(sizes) >= 0
    if room >= sum(least):
        assert all(size >= low for size, low in zip(sizes, least, strict=True))


def heights(window: MainWindow) -> dict[str, int]:
    return {name: panel.height() for name, panel in window.panels.items() if not panel.visibleRegion().isEmpty()}


def test_a_border_moved_by_hand_is_kept_over_a_resize_and_a_click_on_a_title_moves_none(
    opened: Open, qtbot: QtBot
) -> None:
    window = opened()
    heatmap = window.docks["heatmap"]
    QTest.mouseClick(heatmap.bar, Qt.MouseButton.LeftButton)
    assert window.store.text("shares", "") == ""
    top, before = heatmap.geometry().topLeft(), heatmap.height()
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    over = max(bar.geometry().top() for bar in bars if bar.geometry().bottom() <= top.y() + 1)  # the row of its tabs
    border = QPoint(heatmap.geometry().center().x(), over - 3)
    QTest.mouseClick(window, Qt.MouseButton.LeftButton, pos=border)
    assert window.store.text("shares", "") == "", "a click moves no border"
    QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=border)
    QTest.mouseMove(window, border - QPoint(0, 30))
    qtbot.waitUntil(lambda: heatmap.height() > before)
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=border - QPoint(0, 30))
    assert window.store.text("shares", "") != ""
    left = heights(window)
    window.resize(800, 500)
    qtbot.waitUntil(lambda: heights(window)["heatmap"] < left["heatmap"])
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: all(abs(heights(window)[name] - height) <= 2 for name, height in left.items()))


@pytest.mark.parametrize("height", [600, 800])
def test_the_way_back_to_a_text_put_aside_is_in_sight_in_a_small_window(
    opened: Open, qtbot: QtBot, height: int
) -> None:
    text = b"BACABCBACABC"
    window = opened()
    window.resize(1280, height)
    window.playground.open_document(Text.of(text))
    settle(window, qtbot)
    notes = window.panels["editor"].findChild(Notes)
    assert notes is not None and notes.button("Bring it back") is None
    window.playground.handle(CaretMoved(3))
    settle(window, qtbot)
    window.playground.handle(Take(0))
    settle(window, qtbot)
    back = notes.button("Bring it back")
    assert back is not None and back.visibleRegion().boundingRect().size() == back.size()
    assert text_field(window).visibleRegion().boundingRect().height() >= text_field(window).fontMetrics().height()
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert window.playground.view.document.data == text


def test_a_group_of_tabs_has_the_room_that_the_one_in_front_wants(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    qtbot.waitUntil(lambda: "heatmap" in heights(window))
    before = heights(window)["heatmap"]
    window.docks["tokenizers"].raise_()
    qtbot.waitUntil(lambda: "tokenizers" in heights(window))
    assert heights(window)["tokenizers"] == before, "another tab in front moves no border"
    view, wide = window.playground.view, window.arrangement.middle.width()
    wanted = window.panels["tokenizers"].wanted_height(view, wide)
    assert wanted > window.panels["heatmap"].wanted_height(view, wide)
    window.arrangement.share()
    qtbot.waitUntil(lambda: heights(window)["tokenizers"] > before)
    window.docks["heatmap"].raise_()
    window.arrangement.share()
    qtbot.waitUntil(lambda: heights(window).get("heatmap") == before)


def test_a_panel_has_its_title_where_no_tab_says_it(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")

    def titled(name: str) -> bool:
        return any(label.isVisible() and label.text() for label in window.docks[name].bar.findChildren(QLabel))

    qtbot.waitUntil(lambda: titled("decoding") and not titled("heatmap") and not titled("ledger"))
    window.docks["words"].raise_()
    qtbot.waitUntil(lambda: "words" in heights(window))
    assert not titled("words"), "also of one that was made only now"
    window.arrangement.enlarge(window.panels["words"])
    qtbot.waitUntil(lambda: titled("words"))
    window.arrangement.restore()
    qtbot.waitUntil(lambda: not titled("words"))
    window.docks["words"].setFloating(True)
    qtbot.waitUntil(lambda: titled("words"))
    window.docks["words"].setFloating(False)
    qtbot.waitUntil(lambda: not titled("words"))
    window.docks["candidates"].hide()
    qtbot.waitUntil(lambda: titled("next_token"))


def test_the_window_can_be_as_small_whichever_panels_were_seen(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc")
    before = window.minimumSizeHint()
    for name, dock in window.docks.items():
        dock.raise_()
        qtbot.waitUntil(lambda name=name: name in window.panels.made, timeout=PATIENCE)  # type: ignore[misc]
        QApplication.processEvents()
        now = window.minimumSizeHint()
        assert now.width() <= before.width() and now.height() <= before.height(), name
    dock = window.docks["continuations"]
    bar = dock.titleBarWidget()
    bar.show_title(True)  # as where it stands alone
    bar.resize(150, bar.height())
    label = bar.findChild(QLabel)
    assert label is not None and label.geometry().right() < dock.panel.width()
    assert all(button.geometry().right() <= 150 for button in bar.findChildren(QToolButton)), "its buttons stay"
