"""In no panel does one control lie over another, or leave its panel, wherever the panel is and however small."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPushButton,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from arplay.gui.main_window import MainWindow
from arplay.gui.panels import PANELS
from arplay.gui.panels.decoding import DecodingPanel
from arplay.gui.panels.entry import PanelEntry
from tests.panel_checks import opened as shown
from tests.panel_views import VIEWS
from tests.windows_open import Open

AREAS = Qt.DockWidgetArea
SIZES = ((60, 60), (120, 120), (200, 60), (200, 120), (320, 180), (640, 60), (640, 240), (1200, 120), (400, 700))
LAID_OUT_BY_QT = (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTabBar,
)  # what is in them is Qt's or scrolls


def _name(widget: QWidget) -> str:
    words = widget.accessibleName() or getattr(widget, "text", str)() or widget.objectName()
    return f"{type(widget).__name__} “{words}” {widget.geometry().getRect()}"


def faults(root: QWidget, cut: bool = False) -> Iterator[str]:
    """What lies over a widget beside it; with ``cut``, also what is not whole within its parent."""
    for parent in (root, *root.findChildren(QWidget)):
        if isinstance(parent, LAID_OUT_BY_QT) or not parent.isVisible():
            continue
        if isinstance(parent.parentWidget(), QAbstractScrollArea) and parent is not root:
            continue
        beside = [kid for kid in parent.children() if isinstance(kid, QWidget) and kid.isVisible()]
        beside = [kid for kid in beside if not kid.isWindow() and not kid.size().isEmpty()]
        for at, one in enumerate(beside):
            seen = one.geometry() & parent.rect()  # Qt keeps docks behind a tab outside of the window
            yield from (f"{_name(one)} over {_name(two)}" for two in beside[:at] if seen & two.geometry())
            if cut and not parent.rect().contains(one.geometry()):
                yield f"{_name(one)} is cut by {_name(parent)}"


@pytest.mark.parametrize("entry", PANELS, ids=lambda entry: entry.panel.rpartition(".")[2])
def test_no_panel_paints_one_control_over_another_at_any_size(entry: PanelEntry, qapp: QApplication) -> None:
    with shown(entry.make) as panel:
        for view in VIEWS:
            panel.show_view(view())
            for size in SIZES:
                panel.resize(*size)
                qapp.processEvents()
                assert list(faults(panel)) == [], (view.__name__, size)


def _wherever(window: MainWindow, name: str) -> Iterator[object]:
    """The dock in every area, alone and beside another, behind whose tab it stands, and floating."""
    dock, other = window.docks[name], window.docks["heatmap" if name != "heatmap" else "ledger"]
    for area in (AREAS.LeftDockWidgetArea, AREAS.TopDockWidgetArea, AREAS.RightDockWidgetArea):
        window.addDockWidget(area, dock)
        yield area
    for way in (Qt.Orientation.Horizontal, Qt.Orientation.Vertical):
        window.splitDockWidget(other, dock, way)
        yield way
    window.tabifyDockWidget(other, dock)
    dock.raise_()
    yield "tab"
    dock.setFloating(True)
    for size in SIZES:
        dock.resize(*size)
        yield dock.size()
    dock.setFloating(False)


def all_faults(window: MainWindow) -> list[str]:
    roots = window, *window.docks.values(), *window.panels.values()
    return [fault for root in roots for fault in faults(root)] + [
        fault for bar in window.arrangement.bars if bar.isVisible() for fault in faults(bar, cut=True)
    ]


def test_wherever_a_panel_is_put_it_and_its_title_are_whole(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    window.setAnimated(False)
    for size in ((1280, 800), (800, 500)):
        window.resize(*size)
        for name in window.docks:
            for where in _wherever(window, name):
                try:
                    qtbot.waitUntil(lambda: not all_faults(window))  # Qt lays docks out in several turns
                except qtbot.TimeoutError:
                    pytest.fail(f"{name}, {where}, in {size}: {all_faults(window)}")
            window.arrangement.reset()


def test_the_search_for_what_is_over_another_finds_it(qapp: QApplication) -> None:
    """Negative control: a button moved over its neighbour, and one that leaves its panel."""
    with shown(DecodingPanel) as panel:
        qapp.processEvents()
        play, rewind = (
            next(button for button in panel.findChildren(QPushButton) if button.text() == words)
            for words in ("Play", "Rewind")
        )
        assert not list(faults(panel))
        play.move(rewind.pos())
        assert any("“Play”" in fault and "“Rewind”" in fault for fault in faults(panel))
        play.move(10_000, 0)
        assert not list(faults(panel)) and any("is cut" in fault for fault in faults(panel, cut=True))
