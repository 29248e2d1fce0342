"""Where the panels are: one in the middle, the others in docks around it, and what share of the window each has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QDockWidget, QMenu, QTabBar, QTabWidget, QWidget
from shiboken6 import isValid

from arplay.core.tree import Node
from arplay.gui import panels, theme
from arplay.gui.contract import Panel
from arplay.gui.dock import Dock, Panels, TitleBar
from arplay.gui.host import Host
from arplay.gui.playground.watching import Watching
from arplay.gui.sharing import shared
from arplay.gui.widgets.layouts import in_column

if TYPE_CHECKING:
    from arplay.gui.panels.comparison import ComparisonPanel
    from arplay.gui.panels.history import HistoryPanel
    from arplay.gui.panels.plots import PlotsPanel

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
AWAY = 500
"""Pixels outside of the window where Qt keeps a dock that is behind another's tab."""
ROUNDING = 2
"""Pixels by which Qt misses the sizes that it is given: so much is no reason to move everything again."""


class Arrangement(QObject):
    """The panels of the catalogue in their places. ``explain``: what a panel shows is asked for."""

    made = Signal(object)
    """A panel is there that was not until now."""
    explain = Signal(object)
    changed = Signal()
    """A panel has the whole window, or no longer."""

    def __init__(self, window: Host, above: QWidget, export_menu: Callable[[Panel], QMenu]) -> None:
        """``above`` stands over the panel in the middle; ``export_menu`` makes the menu of a panel's title bar."""
        super().__init__(window)
        self._window, self._above, self._export_menu = window, above, export_menu
        self.panels = Panels(panels.PANELS, self._place)
        self.docks: dict[str, Dock] = {}
        self.bars: list[TitleBar] = []
        self.enlarged: Panel | None = None
        self._before: QByteArray | None = None
        self._by_hand: dict[str, tuple[float, float]] = _shares(window.store.text("shares", ""))
        """Share of the window's width and height of each dock, once the user has moved a border."""
        self._stood: dict[str, tuple[object, ...]] = {}
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self.share)
        window.setDockNestingEnabled(True)
        window.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # Qt's menu of docks; the title bars have ours
        above.installEventFilter(self)
        for entry in panels.PANELS:
            if entry.area != "centre":
                dock = self.docks[entry.name] = Dock(entry, self.panels, window)
                dock.shown.triggered.connect(partial(self._on_shown, dock))
                dock.visibilityChanged.connect(self._on_moved)
                dock.topLevelChanged.connect(self._on_moved)
                dock.dockLocationChanged.connect(self._on_moved)
                window.addDockWidget(AREAS[entry.area], dock)
        for entry in panels.PANELS:
            if not entry.behind:
                self.panels[entry.name]
        corners = Qt.Corner
        for corner in (corners.BottomLeftCorner, corners.TopLeftCorner):
            window.setCorner(corner, Qt.DockWidgetArea.LeftDockWidgetArea)
        for corner in (corners.BottomRightCorner, corners.TopRightCorner):
            window.setCorner(corner, Qt.DockWidgetArea.RightDockWidgetArea)
        window.tabifiedDockWidgetActivated.connect(self._on_tab)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    def _place(self, panel: Panel) -> None:
        dock, window = self.docks.get(panel.name), self._window
        bar = TitleBar(panel, self._export_menu(panel), closable=dock is not None, parent=dock or window)
        bar.set_theme(window.theme)
        panel.set_theme(window.theme)
        bar.explain.connect(self.explain)
        bar.enlarge.connect(self.enlarge)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        bar.addActions([each.shown for each in self.docks.values()])
        self.bars.append(bar)
        if dock is not None:
            bar.show_title(not (_is_placed(dock) and self._has_tab(dock)))
            dock.hold(panel, bar)
        else:
            self.middle, self.centre = panel, bar
            self._middle = _column((self._above, bar, panel))
            window.setCentralWidget(self._middle)
        self.made.emit(panel)

    @property
    def _groups(self) -> list[list[str]]:
        """The panels around the text, each with those behind its tab."""
        groups: list[list[str]] = []
        for name, dock in self.docks.items():
            if dock.entry.behind:
                groups[-1].append(name)
            else:
                groups.append([name])
        return groups

    @property
    def _below(self) -> list[list[str]]:
        """Those below the text, from top to bottom."""
        return [group for group in self._groups if self.docks[group[0]].entry.area == "bottom"]

    def _stands(self, name: str) -> bool:
        return _is_placed(self.docks[name])

    def bring_forward(self) -> None:
        """The first of those that share a place in front of the others."""
        for group in self._groups:
            if len(group) > 1:
                self.docks[group[0]].raise_()

    def arrange(self) -> None:
        """The default arrangement: controls left, text and heatmap in the middle, what comes next right."""
        window = self._window
        for dock in self.docks.values():
            dock.setFloating(False)
            if dock.entry.behind:
                dock.hide()  # all beside each other, even for a moment, would widen the window
            else:
                window.addDockWidget(AREAS[dock.entry.area], dock)
                dock.show()
        for above, below in pairwise(self._below):
            window.splitDockWidget(self.docks[above[0]], self.docks[below[0]], Qt.Orientation.Vertical)
        for first, *behind in self._groups:
            for name in behind:
                window.tabifyDockWidget(self.docks[first], self.docks[name])
                self.docks[name].show()
        self.bring_forward()
        self.share()
        self._default = window.saveState()

    # ---- room

    def share(self) -> None:
        """Give each dock its share of the window: as the user left it, else by what the panels hold."""
        window = self._window
        if self.enlarged is not None:
            return
        self._lay_away()
        if self._by_hand:
            across = {name: round(window.width() * share) for name, (share, _) in self._by_hand.items()}
            down = {name: round(window.height() * share) for name, (_, share) in self._by_hand.items()}
            self._resize({name: size for name, size in across.items() if self._at_side(name)}, ACROSS)
            self._resize({name: size for name, size in down.items() if not self._at_side(name)}, DOWN)
            return
        width = window.width()
        beside = {name: dock.entry for name, dock in self.docks.items() if dock.entry.area != "bottom"}
        self._resize({name: entry.width_in(width) for name, entry in beside.items()}, ACROSS)
        middle = [first for group in self._below if (first := next(filter(self._stands, group), None)) is not None]
        below = [name for name in middle if not self._at_side(name)]
        centre, view = self.middle, window.playground.view
        column = [centre, *(self.panels[self._in_front(name)] for name in below)]
        pairs = zip((centre, *(self.panels[name] for name in below)), column, strict=True)
        area = self._middle
        room = area.height() + sum(self.docks[name].height() for name in below)
        wanted = [panel.wanted_height(view, max(1, area.width())) for panel in column]
        least = [max(first.least_height(view), panel.least_height(view)) for first, panel in pairs]
        for sizes in (wanted, least):
            sizes[0] += self._above.height() if self._above.isVisible() else 0
        heights = shared(room, wanted, least)
        self._resize(dict(zip(below, heights[1:], strict=True)), DOWN)

    def _in_front(self, name: str) -> str:
        """Of all that share its place, the one whose tab is in front; itself while none is on the screen."""
        tabs = (dock for dock in self._window.tabifiedDockWidgets(self.docks[name]) if isinstance(dock, Dock))
        return next((dock.entry.name for dock in tabs if not dock.visibleRegion().isEmpty()), name)

    def _lay_away(self) -> None:
        """One that floated and came back behind a tab may be left by Qt in the corner, over and under the others."""
        for dock in self.docks.values():
            if _is_placed(dock) and dock.pos().isNull() and self._window.tabifiedDockWidgets(dock):
                dock.move(-AWAY - dock.width(), -AWAY - dock.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What comes to stand over the text, or goes, takes its room from all that stand in the middle."""
        if watched is self._above and event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Resize):
            self.share_soon()
        return super().eventFilter(watched, event)

    def share_soon(self) -> None:
        self._soon.start(0)

    def moved(self) -> None:
        """The user let go of a border: these shares are kept from now on."""
        if self.enlarged is None:
            width, height = max(1, self._window.width()), max(1, self._window.height())
            placed = {name: dock for name, dock in self.docks.items() if not dock.visibleRegion().isEmpty()}
            for name, dock in placed.items():
                behind = (tab.entry.name for tab in self._window.tabifiedDockWidgets(dock) if isinstance(tab, Dock))
                for one in (name, *behind):  # the tabs behind it are as large
                    self._by_hand[one] = dock.width() / width, dock.height() / height
            self._window.store.set_text("shares", json.dumps(self._by_hand))

    def reset(self) -> None:
        """As it was at first."""
        self.restore()
        self._by_hand = {}
        self._window.store.set_text("shares", "")
        self._window.restoreState(self._default)
        self.bring_forward()
        self.share()

    def _resize(self, sizes: dict[str, int], direction: Qt.Orientation) -> None:
        docks = [self.docks[name] for name in sizes if name in self.docks and _is_placed(self.docks[name])]
        tabs = [self._tabs(dock) if direction == DOWN else 0 for dock in docks]
        given = [sizes[dock.entry.name] + extra for dock, extra in zip(docks, tabs, strict=True)]
        now = [dock.height() if direction == DOWN else dock.width() for dock in docks]
        if any(abs(size - tab - had) > ROUNDING for size, tab, had in zip(given, tabs, now, strict=True)):
            self._window.resizeDocks(docks, given, direction)

    def _tabs(self, dock: Dock) -> int:
        """The height of the row of tabs over ``dock``: Qt takes it from the size that the dock is given."""
        if not self._has_tab(dock):
            return 0
        bars = self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return next((bar.height() for bar in bars if bar.isVisible()), 0)

    def _has_tab(self, dock: Dock) -> bool:
        """Whether another one shares its place."""
        return any(isinstance(other, Dock) and _is_placed(other) for other in self._window.tabifiedDockWidgets(dock))

    def _at_side(self, name: str) -> bool:
        """Whether it stands left or right, where it has the whole height; a name that is not known is nowhere."""
        areas = Qt.DockWidgetArea
        dock = self.docks.get(name)
        sides = (areas.LeftDockWidgetArea, areas.RightDockWidgetArea)
        return dock is not None and self._window.dockWidgetArea(dock) in sides

    def _on_moved(self) -> None:
        """A panel was hidden, shown, put elsewhere, let float, or brought back; another tab in front moves nothing."""
        if not isValid(self._window):  # it goes, and its docks with it
            return
        places = self._places()
        if places != self._stood:
            self._stood = places
            self.share_soon()
            self._name()

    def _places(self) -> dict[str, tuple[object, ...]]:
        """Of each dock that has a place in the window: where, and with whom it shares it."""
        window = self._window
        placed = {name: dock for name, dock in self.docks.items() if _is_placed(dock)}
        return {
            name: (window.dockWidgetArea(dock), {other.objectName() for other in window.tabifiedDockWidgets(dock)})
            for name, dock in placed.items()
        }

    def _name(self) -> None:
        """A panel whose tab says its name has it there alone."""
        for dock in self.docks.values():
            if isinstance(bar := dock.titleBarWidget(), TitleBar):
                bar.show_title(not (_is_placed(dock) and self._has_tab(dock)))

    # ---- the whole window for one panel

    def enlarge(self, panel: Panel) -> None:
        """Give ``panel`` the whole window, or all of them their places again."""
        if self.enlarged is not None:
            self.restore()
            return
        window = self._window
        self._before, self.enlarged = window.saveState(), panel
        own = self.docks.get(panel.name)
        if own is not None:
            own.setFloating(False)  # one that floats has its place in the window until it is given back
        for dock in self.docks.values():
            if dock is not own and not dock.isFloating():
                dock.hide()
        if own is not None:
            own.raise_()  # one that came back from floating may stand behind a tab
        self._middle.setVisible(panel is self.middle)
        self._show_enlarged()
        panel.setFocus()

    def enlarge_focused(self) -> None:
        self.enlarge(self._focused())

    def _focused(self) -> Panel:
        """The panel that has the keyboard, in it, on its title or on its tab; the text where none has."""
        focus = QApplication.focusWidget() or self._window.focusWidget()
        tab = focus.tabText(focus.currentIndex()) if isinstance(focus, QTabBar) else None
        has = (
            dock.panel
            for dock in self.docks.values()
            if focus is not None and (dock is focus or dock.isAncestorOf(focus) or dock.windowTitle() == tab)
        )
        return next(has, self.middle)

    def go_to(self, panel: Panel) -> None:
        """Give ``panel`` the keyboard wherever it is: hidden, behind another's tab, or beside an enlarged one."""
        if self.enlarged is not panel:
            self.restore()
        dock = self.docks.get(panel.name)
        if dock is not None:
            dock.show()
            dock.raise_()
        panel.setFocus(Qt.FocusReason.ShortcutFocusReason)
        focus = panel.window().focusWidget()
        if dock is not None and (focus is panel or focus is None or not panel.isAncestorOf(focus)):  # it has no use now
            dock.bar.explain_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_shown(self, dock: Dock) -> None:
        """The user wants to see it, or no longer: among the others, whichever had the whole window."""
        if dock.shown.isChecked():
            self.go_to(dock.panel)
        else:
            self.restore()
            dock.hide()

    def watch(self, name: str, watching: Watching) -> None:
        """What is asked by itself is so while its panel is in sight: Qt calls one that floats hidden."""
        watching.seen = lambda: not self.docks[name].visibleRegion().isEmpty()
        self.docks[name].visibilityChanged.connect(watching.look)

    def show_state(self, node: Node) -> None:
        """Go to the history, and to a state in it, which stays what it is."""
        panel = cast("HistoryPanel", self.panels["history"])
        self.go_to(panel)
        panel.show_view(self._window.playground.view)  # one that nobody saw is not up to date
        panel.show_state(node)

    def show_base(self) -> None:
        """Bring the comparison with the base text in sight; the keyboard stays where it is."""
        panel = cast("ComparisonPanel", self.panels["comparison"])
        if self.enlarged is not panel:
            self.restore()
        self.docks["comparison"].show()
        self.docks["comparison"].raise_()
        panel.modes.group.button(1).click()

    def show_part(self, part: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that are in sight, where a plot marks them."""
        if "plots" in self.panels.made:
            cast("PlotsPanel", self.panels["plots"]).show_part(part)

    def go_on(self, step: int) -> None:
        """To the next or former panel of those that are not hidden."""
        there = [self.middle.name, *(name for name, dock in self.docks.items() if not dock.isHidden())]
        if self.enlarged is not None:
            there = [self.enlarged.name]
        self.go_to(self.panels[there[(there.index(self._focused().name) + step) % len(there)]])

    def _on_tab(self, dock: QDockWidget) -> None:
        """A tab that was clicked gives its panel the keyboard; keys that walk along the tabs stay there."""
        if isinstance(dock, Dock) and QApplication.mouseButtons():
            QTimer.singleShot(0, dock.panel, dock.panel.setFocus)  # it is shown in a moment

    def restore(self) -> None:
        """Every panel in its place, as large as it was."""
        if self.enlarged is None:
            return
        assert self._before is not None
        panel, self.enlarged = self.enlarged, None
        self._middle.show()
        for dock in self.docks.values():
            if not dock.isFloating():
                dock.hide()  # else Qt leaves the tabs of those that came meanwhile lying over the others
        self._window.restoreState(self._before)
        self._show_enlarged()
        self.share()
        panel.setFocus()  # while the others came back it went to one of them

    def state(self) -> QByteArray:
        """What is to be found again at the next start: no panel is enlarged then."""
        return self._before if self.enlarged is not None and self._before is not None else self._window.saveState()

    def _show_enlarged(self) -> None:
        for bar in self.bars:
            bar.show_large(self.enlarged is not None)
        self.changed.emit()

    def set_theme(self, theme: theme.Theme) -> None:
        for bar in self.bars:
            bar.set_theme(theme)
        for panel in self.panels.made.values():
            panel.set_theme(theme)


def _is_placed(dock: Dock) -> bool:
    return not dock.isHidden() and not dock.isFloating()


def _shares(text: str) -> dict[str, tuple[float, float]]:
    """What :meth:`Arrangement.moved` kept; nothing where that makes no sense any more."""
    try:
        saved = json.loads(text or "{}")
        shares = {str(name): (float(across), float(down)) for name, (across, down) in saved.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}  # the panels share the window as at first, as is seen
    return {name: both for name, both in shares.items() if all(0 < share < 1 for share in both)}


def _column(widgets: Iterable[QWidget]) -> QWidget:
    """One above the other; the last one takes the room."""
    whole = QWidget()
    column = in_column(*widgets, on=whole, spacing=theme.SPACE[0])
    column.setStretch(column.count() - 1, 1)
    return whole
