"""Where the panels are: one in the middle, the others in docks around it, and what share of the window each has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu, QTabWidget, QVBoxLayout, QWidget

from arplay.gui import theme
from arplay.gui.contract import Panel
from arplay.gui.dock import Dock, TitleBar
from arplay.gui.panels import PANELS

if TYPE_CHECKING:
    from arplay.gui.main_window import MainWindow

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}


class Arrangement(QObject):
    """The panels of the catalogue in their places. ``explain``: what a panel shows is asked for."""

    explain = Signal(object)

    def __init__(self, window: MainWindow, above: QWidget, export_menu: Callable[[Panel], QMenu]) -> None:
        """``above`` stands over the panel in the middle; ``export_menu`` makes the menu of a panel's title bar."""
        super().__init__(window)
        self._window = window
        self.panels: dict[str, Panel] = {}
        self.docks: dict[str, Dock] = {}
        window.setDockNestingEnabled(True)
        for place in PANELS:
            panel = place.make()
            panel.setParent(window)
            self.panels[panel.name] = panel
            menu = export_menu(panel)
            if place.area == "centre":
                self.centre = TitleBar(panel, menu, closable=False, parent=window)
                window.setCentralWidget(_column((above, self.centre, panel)))
                self.centre.explain.connect(self.explain)
                continue
            dock = self.docks[panel.name] = Dock(panel, menu, window)
            dock.bar.explain.connect(self.explain)
            window.addDockWidget(AREAS[place.area], dock)
        corners = Qt.Corner
        for corner in (corners.BottomLeftCorner, corners.TopLeftCorner):
            window.setCorner(corner, Qt.DockWidgetArea.LeftDockWidgetArea)
        for corner in (corners.BottomRightCorner, corners.TopRightCorner):
            window.setCorner(corner, Qt.DockWidgetArea.RightDockWidgetArea)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    @property
    def bars(self) -> list[TitleBar]:
        return [self.centre, *(dock.bar for dock in self.docks.values())]

    def arrange(self) -> None:
        """The default arrangement: controls left, text and heatmap in the middle, what comes next right."""
        window = self._window
        for place in PANELS:
            if place.area == "centre":
                continue
            dock = self.docks[self._name(place.panel)]
            dock.setFloating(False)
            window.addDockWidget(AREAS[place.area], dock)
            dock.show()
        heatmap, ledger, *behind = (self.docks[self._name(place.panel)] for place in PANELS if place.area == "bottom")
        window.splitDockWidget(heatmap, ledger, Qt.Orientation.Vertical)
        for dock in behind:
            window.tabifyDockWidget(ledger, dock)
        ledger.raise_()
        self.proportion()
        self._default = window.saveState()

    def proportion(self) -> None:
        """Give each dock its share of the window."""
        window, docks = self._window, self.docks
        width, height = window.width(), window.height()
        side = min(460, max(330, width * 3 // 10))
        window.resizeDocks([docks["decoding"], docks["next_token"]], [264, side], Qt.Orientation.Horizontal)
        shares = [height * 34 // 100, height * 24 // 100]
        window.resizeDocks([docks["heatmap"], docks["ledger"]], shares, Qt.Orientation.Vertical)

    def reset(self) -> None:
        """As it was at first."""
        self._window.restoreState(self._default)
        self.docks["ledger"].raise_()
        self.proportion()

    def set_theme(self, theme: theme.Theme) -> None:
        for bar in self.bars:
            bar.set_theme(theme)
        for panel in self.panels.values():
            panel.set_theme(theme)

    def _name(self, panel_class: str) -> str:
        return next(name for name, panel in self.panels.items() if type(panel).__name__ == panel_class)


def _column(widgets: Iterable[QWidget]) -> QWidget:
    """One above the other; the last one takes the room."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.SPACE[0])
    for widget in widgets:
        column.addWidget(widget)
    column.setStretch(column.count() - 1, 1)
    return whole
