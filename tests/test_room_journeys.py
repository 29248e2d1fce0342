"""Room in one running window: useful shares of it, and the same sizes again after any way there and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui.bridge import Bridge
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.dock import Dock
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
from arplay.models.base import Model, Report
from tests.small_model import SmallModel
from tests.windows_open import PATIENCE, Open, settle

TEXT = b"ABCABBACCABACBA" * 200
DOCKS = ("decoding", "next_token", "heatmap", "ledger", "history", "kv_cache")
EVERY = ("editor", *DOCKS)

STEP = st.one_of(
    st.tuples(st.just("resize"), st.tuples(st.integers(640, 2200), st.integers(420, 1300))),
    st.tuples(st.sampled_from(("hide", "menu", "float", "front", "enlarge")), st.sampled_from(DOCKS)),
    st.just(("restore", "")),
)


def _load(spec: str, device: str, dtype: str, report: Report) -> Model:
    return SmallModel(name=spec, context=None)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """A window with a text that is longer than any panel."""
    window = MainWindow(Store(tmp_path / "arplay.ini"), Bridge(load=_load), "light")
    qtbot.addWidget(window, before_close_func=lambda each: each.keeping.end())
    window.show()
    window.playground.open_document(Text.of(TEXT))
    window.playground.load_model("small")
    qtbot.waitUntil(lambda: window.playground.view.loaded is not None, timeout=PATIENCE)
    settle(window, qtbot)
    yield window
    window.hide()
    window.keeping.end()
    assert window.playground.close(30)


def sizes(window: MainWindow) -> dict[str, tuple[int, int]]:
    """Of the panels in sight."""
    shown = {name: panel for name, panel in window.panels.items() if not panel.visibleRegion().isEmpty()}
    return {name: (panel.width(), panel.height()) for name, panel in shown.items()}


def settled(window: MainWindow) -> dict[str, tuple[int, int]]:
    """Sizes once nothing is left to be laid out."""
    former: dict[str, tuple[int, int]] = {}
    while former != (former := sizes(window)):
        for _ in range(3):
            QApplication.processEvents()
    return former


def changed(after: dict[str, tuple[int, int]], before: dict[str, tuple[int, int]]) -> dict[str, object]:
    """The panels that have another size, but for what Qt rounds where a tab comes to the front or a panel was large."""
    none = (0, 0)
    both = {name: (before.get(name, none), after.get(name, none)) for name in before | after}
    return {name: (b, a) for name, (b, a) in both.items() if max(abs(a[0] - b[0]), abs(a[1] - b[1])) > 2}


def home(window: MainWindow, width: int = 1280, height: int = 800) -> dict[str, tuple[int, int]]:
    """Everything as it is at first: by what a user would do, not by "Restore the arrangement"."""
    window.arrangement.restore()
    for dock in window.docks.values():
        dock.setFloating(False)
        dock.show()
    for name in ("next_token", "heatmap", "ledger"):
        window.docks[name].raise_()
    window.resize(width, height)
    return settled(window)


def go(window: MainWindow, what: str, how: object) -> None:
    if what == "resize":
        window.resize(*how)  # type: ignore[misc]
    elif what == "restore":
        window.arrangement.restore()
    else:
        dock: Dock = window.docks[str(how)]
        match what:
            case "hide" if not dock.isHidden():
                dock.bar.close_button.click()
            case "menu":
                dock.shown.trigger()
            case "float":
                dock.setFloating(True)
            case "front":
                dock.raise_()
            case "enlarge":
                window.arrangement.enlarge(dock.panel)
    settled(window)


def stray(window: MainWindow) -> list[tuple[str, str]]:
    """Each row of tabs that lies over a panel, with that panel."""
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    shown = {name: dock for name, dock in window.docks.items() if not dock.visibleRegion().isEmpty()}
    return [
        (bar.tabText(bar.currentIndex()), name)
        for bar in bars
        for name, dock in shown.items()
        if bar.isVisible() and not dock.isFloating() and bar.geometry().intersects(dock.geometry())
    ]


def in_sight(window: MainWindow) -> dict[str, float]:
    """Lines, rows and bars that can be read without scrolling."""
    panels = window.panels
    area, heat, table = panels["editor"].canvas.area, panels["heatmap"].text, panels["ledger"].table  # type: ignore[attr-defined]
    return {
        "lines of text": area.viewport().height() / area.fontMetrics().lineSpacing(),
        "lines of heatmap": heat.viewport().height() / heat.grid.row,
        "rows of ledger": table.viewport().height() / table.rowHeight(0),
    }


def test_every_panel_of_a_large_window_shows_a_useful_part(window: MainWindow) -> None:
    large = home(window, 1920, 1200)
    assert all(count >= 6 for count in in_sight(window).values()), in_sight(window)
    column = [large[name][1] for name in ("editor", "heatmap", "ledger")]
    assert max(column) < 1.2 * min(column)  # all three hold more than there is room for
    assert large["next_token"][1] > 0.8 * 1200 and large["next_token"][0] > 0.25 * 1920
    small = home(window, 800, 500)
    assert any(count < 6 for count in in_sight(window).values())  # the measure can fail
    assert all(height >= 80 for _, height in small.values())
    home(window)


def test_what_holds_little_leaves_its_room_to_the_others(window: MainWindow, qtbot: QtBot) -> None:
    before = home(window, 1920, 1200)
    window.playground.open_document(Text.of(b"ABC"))
    settle(window, qtbot)
    short = settled(window)
    assert short["editor"][1] < before["editor"][1] and short["ledger"][1] > before["ledger"][1]
    window.playground.open_document(Text.of(TEXT))
    settle(window, qtbot)
    assert settled(window) == before
    home(window)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(journey=st.lists(STEP, max_size=5))
def test_sizes_come_back_after_any_journey(window: MainWindow, journey: list[tuple[str, object]]) -> None:
    before = home(window)
    for what, how in journey:
        go(window, what, how)
        assert not stray(window), (what, how)
    assert not changed(home(window), before)


def test_sizes_would_not_come_back_by_themselves(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    before = home(window)
    with monkeypatch.context() as still:
        still.setattr(window.arrangement, "share_soon", lambda: None)
        go(window, "resize", (800, 500))
        assert changed(home(window), before)
    home(window, 1279, 800)
    assert not changed(home(window), before)


def _double_click(window: MainWindow, name: str) -> None:
    bar = window.arrangement.centre if name == "editor" else window.docks[name].bar
    QTest.mouseDClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(40, bar.height() // 2))


def _in_hand(window: MainWindow, name: str) -> None:
    """A click on the title, where the panel does not have the keyboard already, as one that was enlarged."""
    bar = window.arrangement.centre if name == "editor" else window.docks[name].bar
    if not window.panels[name].isAncestorOf(QApplication.focusWidget() or bar):
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(40, bar.height() // 2))


def _key(key: Qt.Key) -> None:
    focus = QApplication.focusWidget()
    assert focus is not None, "nothing has the keyboard"
    QTest.keyClick(focus, key)


def _by_key(window: MainWindow, name: str) -> None:
    _in_hand(window, name)
    _key(Qt.Key.Key_F11)


def _by_menu(window: MainWindow, name: str) -> None:
    _in_hand(window, name)
    entries = [each for each in window.findChildren(QAction) if each.text().replace("&", "") == "Enlarge the panel"]
    entries[0].trigger()


def _tab_bar(window: MainWindow, name: str) -> tuple[QTabBar, int]:
    """The tab of a panel, where it has one."""
    title = window.docks[name].windowTitle()
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible()]
    return next((bar, at) for bar in bars for at in range(bar.count()) if bar.tabText(at) == title)


@pytest.mark.parametrize("way", (_double_click, _by_key, _by_menu))
def test_every_panel_can_have_the_whole_window_and_give_it_back(
    window: MainWindow, way: Callable[[MainWindow, str], None], qtbot: QtBot
) -> None:
    home(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    others: list[QWindow | None] = []
    QApplication.instance().focusWindowChanged.connect(others.append)  # type: ignore[union-attr]
    for name in EVERY:
        if name in DOCKS:
            window.docks[name].raise_()
        before = settled(window)
        way(window, name)
        large = settled(window)
        assert set(large) == {name} and large[name][0] >= 1270 and large[name][1] > 550, large
        assert _has_keyboard(window, name)
        way(window, name)
        assert not changed(settled(window), before) and _has_keyboard(window, name)
        way(window, name)
        assert set(settled(window)) == {name}
        _key(Qt.Key.Key_Escape)
        assert not changed(settled(window), before)
    assert others == [], "another window came to the front"


def _has_keyboard(window: MainWindow, name: str) -> bool:
    focus, panel = QApplication.focusWidget(), window.panels[name]
    return focus is panel or panel.isAncestorOf(focus or window)


@pytest.mark.parametrize("name", ("ledger", "history", "kv_cache"))
def test_a_tab_that_was_clicked_or_walked_to_is_the_panel_that_is_enlarged(
    window: MainWindow, name: str, qtbot: QtBot
) -> None:
    home(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.docks["kv_cache" if name != "kv_cache" else "ledger"].raise_()
    settled(window)
    window.panels["editor"].setFocus()
    bar, at = _tab_bar(window, name)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(at).center())
    settled(window)
    assert _has_keyboard(window, name)
    bar.setFocus(Qt.FocusReason.TabFocusReason)
    _key(Qt.Key.Key_F11)
    assert set(settled(window)) == {name}
    _key(Qt.Key.Key_F11)
    settled(window)
    bar, at = _tab_bar(window, name)
    bar.setFocus(Qt.FocusReason.TabFocusReason)
    _key(Qt.Key.Key_Left if at else Qt.Key.Key_Right)
    settled(window)
    assert QApplication.focusWidget() is bar  # keys walk on


def test_without_the_keyboard_in_it_another_panel_is_enlarged(window: MainWindow, qtbot: QtBot) -> None:
    """The negative control: it is the keyboard that tells which panel is meant."""
    home(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.panels["editor"].setFocus()
    window.docks["history"].raise_()
    settled(window)
    _key(Qt.Key.Key_F11)
    assert set(settled(window)) == {"editor"}
    home(window)


def test_a_panel_that_floats_has_the_window_and_floats_again(window: MainWindow) -> None:
    home(window)
    dock = window.docks["heatmap"]
    dock.setFloating(True)
    dock.resize(500, 300)
    before = settled(window)
    _double_click(window, "heatmap")
    assert settled(window).keys() == {"heatmap"} and not dock.isFloating() and window.panels["heatmap"].width() > 1200
    _double_click(window, "heatmap")
    assert settled(window) == before and dock.isFloating()
    home(window)


def test_a_border_that_was_moved_stays_while_panels_come_and_go(window: MainWindow) -> None:
    home(window)
    window.resizeDocks([window.docks["heatmap"]], [300], Qt.Orientation.Vertical)
    settled(window)
    window.arrangement.moved()
    before = settled(window)
    for step in (("enlarge", "ledger"), ("restore", ""), ("hide", "heatmap"), ("resize", (900, 600))):
        go(window, *step)
    after = home(window)
    assert all(abs(after[name][1] - height) <= 2 for name, (_, height) in before.items())
    window.arrangement.reset()
    assert home(window) != before


@pytest.mark.parametrize("by_hand", (False, True))
def test_another_tab_moves_no_border_whatever_was_written_before(
    window: MainWindow, qtbot: QtBot, by_hand: bool
) -> None:
    home(window)
    window.playground.open_document(Text.of(b"ABC"))
    settle(window, qtbot)
    if by_hand:
        go(window, "front", "history")
        window.resizeDocks([window.docks["heatmap"], window.docks["history"]], [250, 200], Qt.Orientation.Vertical)
        settled(window)
        window.arrangement.moved()
        go(window, "front", "ledger")
    before = settled(window)["heatmap"]
    window.playground.handle(Typed(3, 3, TEXT[:1500], 3))
    settle(window, qtbot)
    for name in ("history", "kv_cache", "ledger"):
        go(window, "front", name)
        assert abs(settled(window)["heatmap"][1] - before[1]) <= 2, name
    go(window, "resize", (1200, 780))
    go(window, "resize", (1280, 800))
    stays = abs(settled(window)["heatmap"][1] - before[1]) <= 2
    assert stays == by_hand, "room is shared anew with another size of the window, but for borders moved by hand"
    window.arrangement.reset()
    window.playground.open_document(Text.of(TEXT))
    settle(window, qtbot)


@pytest.mark.parametrize("enlarged", (False, True))
def test_a_new_window_has_the_sizes_of_the_one_before(opened: Open, tmp_path: Path, enlarged: bool) -> None:
    store = tmp_path / "kept.ini"
    first = opened(store=store)
    first.resize(780, 740)  # it fits on the screen of the tests: a larger one comes back smaller
    first.docks["decoding"].hide()
    settled(first)
    before = settled(first)
    if enlarged:
        first.arrangement.enlarge(first.panels["heatmap"])
        assert settled(first) != before
    first.close()
    second = opened(store=store)
    assert settled(second) == before and second.arrangement.enlarged is None


def test_a_text_that_is_opened_has_its_room_at_once(window: MainWindow, qtbot: QtBot) -> None:
    """Not only after the window was resized: sharing once more would change nothing."""
    for text in (b"A", TEXT, b"", TEXT[:200]):
        window.playground.open_document(Text.of(text))
        settle(window, qtbot)
        before = settled(window)
        window.arrangement.share()
        assert settled(window) == before


@pytest.mark.parametrize("name", ("comparison", "history", "heatmap", "next_token"))
def test_beside_an_enlarged_panel_the_menu_brings_one_back_among_the_others(window: MainWindow, name: str) -> None:
    before = home(window)
    window.arrangement.enlarge(window.panels["perplexity"])
    settled(window)
    assert window.docks["perplexity"].shown.isChecked() and not window.docks[name].shown.isChecked()
    window.docks[name].shown.trigger()
    after = settled(window)
    assert window.arrangement.enlarged is None and name in after and "editor" in after
    assert window.docks[name].shown.isChecked() and not stray(window)
    assert not changed(home(window), before)


def test_an_enlarged_panel_that_is_hidden_leaves_the_others_and_no_empty_window(window: MainWindow) -> None:
    before = home(window)
    window.arrangement.enlarge(window.panels["ledger"])
    window.docks["ledger"].bar.close_button.click()
    after = settled(window)
    assert window.arrangement.enlarged is None and "ledger" not in after and set(before) - {"ledger"} < set(after)
    assert not changed(home(window), before)


def test_tabs_that_lie_over_a_panel_are_seen(window: MainWindow) -> None:
    home(window)
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    bar = next(bar for bar in bars if bar.isVisible())
    bar.move(window.docks["decoding"].pos())
    assert stray(window)
