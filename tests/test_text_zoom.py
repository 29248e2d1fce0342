"""One size of type for the editor and the heatmap: by key, by menu, by wheel; found again in the next window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from arplay.gui.canvases.text.heat.view import HeatView
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
from arplay.gui.theme import TEXT
from arplay.gui.widgets.zoom import SIZES
from tests.windows_open import Open, text_field

Key, Mod = Qt.Key, Qt.KeyboardModifier
WAYS = ("keys", "menu", "wheel over the text", "wheel over the heatmap")


def sizes(window: MainWindow) -> tuple[int, int]:
    """Of the type in the editor and in the heatmap, as they are drawn."""
    heat = window.panels["heatmap"].findChild(HeatView)
    assert heat is not None
    return text_field(window).font().pixelSize(), heat.grid.font.pixelSize()


def turn(widget: QWidget, delta: int, ctrl: bool = True) -> None:
    mods = Mod.ControlModifier if ctrl else Mod.NoModifier
    at = QPointF(widget.rect().center())
    event = QWheelEvent(
        at, at, QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton, mods, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(widget, event)


def zoom(window: MainWindow, qtbot: QtBot, way: str, steps: int) -> None:
    up, heat = steps > 0, window.panels["heatmap"].findChild(HeatView)
    assert heat is not None
    for _ in range(abs(steps)):
        if way == "keys":
            qtbot.keyClick(window, Key.Key_Plus if up else Key.Key_Minus, Mod.ControlModifier)
        elif way == "menu":
            words = "&Larger text" if up else "&Smaller text"
            next(action for action in window.menus.text.view if action.text() == words).trigger()
        else:
            turn((text_field(window) if "text" in way else heat).viewport(), 120 if up else -120)
    QApplication.processEvents()


@pytest.mark.parametrize("way", WAYS)
def test_editor_and_heatmap_change_together(opened: Open, qtbot: QtBot, way: str) -> None:
    window = opened()
    window.activateWindow()
    assert sizes(window) == (TEXT, TEXT)
    for steps in (3, -5, 60, -60, 2):
        before = sizes(window)[0]
        zoom(window, qtbot, way, steps)
        place = min(max(SIZES.index(before) + steps, 0), len(SIZES) - 1)
        assert sizes(window) == (SIZES[place], SIZES[place])
    qtbot.keyClick(window, Key.Key_0, Mod.ControlModifier)
    QApplication.processEvents()
    assert sizes(window) == (TEXT, TEXT)


def test_a_wheel_without_ctrl_scrolls_and_half_a_notch_waits_for_the_other(opened: Open) -> None:
    window = opened()
    for delta, ctrl, after in ((120, False, TEXT), (60, True, TEXT), (60, True, SIZES[SIZES.index(TEXT) + 1])):
        turn(text_field(window).viewport(), delta, ctrl)
        QApplication.processEvents()
        assert sizes(window) == (after, after)


def test_the_size_is_remembered(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    zoom(window, qtbot, "menu", 4)
    path, size = window.store.path, sizes(window)
    window.close()
    assert Store(path).settings().text_size == size[0] == SIZES[SIZES.index(TEXT) + 4]
    assert sizes(opened(store=path)) == size
