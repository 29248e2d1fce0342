"""A panel in a dock with a quiet title bar: its name, what it is, export, the whole window for it, and hide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QDockWidget, QMenu, QToolButton, QWidget

from arplay.gui.contract import Panel
from arplay.gui.panels.entry import PanelEntry
from arplay.gui.theme import SMALL, SPACE, Theme, icon
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.menu_button import give_menu


class Title(Label):
    """It is cut where there is no room: no name makes a panel, and with it the window, wider."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        ink = self.foregroundRole()
        self.style().drawItemText(painter, self.rect(), int(self.alignment()), self.palette(), True, shown, ink)
        painter.end()


class TitleBar(QWidget):
    """Drag it to move the dock, double-click it to enlarge. Buttons: What is this? · Export · Enlarge · Hide."""

    explain = Signal(object)
    enlarge = Signal(object)

    def __init__(self, panel: Panel, menu: QMenu, closable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel, title = panel, panel.title
        self._label = Title(title, self, role="heading")
        self._buttons: list[tuple[QToolButton, str]] = []
        row = self._row = in_row(self._label, on=self, margins=(SPACE[1], SPACE[0], SPACE[0], SPACE[0]), spacing=0)
        if panel.beside_title is None:
            row.addStretch(1)
        else:
            row.addSpacing(SPACE[2])
            row.addWidget(panel.beside_title, 1)
            panel.beside_title.show()
        self.explain_button = self._button("question", f"What is this? The idea and the formula of “{title}”")
        self.explain_button.clicked.connect(self._on_explain)
        export = self._button("export", f"Export or copy “{title}”")
        give_menu(export, menu)
        self._enlarge = self._button("arrows-out", "")
        self._enlarge.clicked.connect(self._on_enlarge)
        self.show_large(False)
        if closable:
            self.close_button = self._button("x", f"Hide “{title}” (View menu brings it back)")

    def set_title(self, title: str) -> None:
        self._label.setText(title)

    def show_title(self, shown: bool) -> None:
        """Not where the panel's tab says it: there it is as low as its buttons."""
        self._label.setVisible(shown)
        around = SPACE[0] if shown else 0
        self._row.setContentsMargins(SPACE[1], around, SPACE[0], around)

    def set_theme(self, theme: Theme) -> None:
        for button, name in self._buttons:
            button.setIcon(icon(name, theme, "muted"))

    def show_large(self, large: bool) -> None:
        """Whether the panel has the whole window."""
        title = self._panel.title
        tip = "Back to all panels (Esc)" if large else f"Give “{title}” the whole window (double-click, or F11)"
        self._enlarge.setToolTip(tip)
        self._enlarge.setAccessibleName(tip)
        self._enlarge.setCheckable(large)
        self._enlarge.setChecked(large)

    def _on_enlarge(self) -> None:
        self.enlarge.emit(self._panel)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Who clicks it means the panel. No focus proxy says so: Shift+Tab would come back to the panel from there."""
        self._panel.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()  # else the dock would float
        self._on_enlarge()

    def _on_explain(self) -> None:
        self.explain.emit(self._panel)

    def _button(self, name: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("role", "quiet")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setIconSize(QSize(SMALL + 4, SMALL + 4))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._buttons.append((button, name))
        self._row.addWidget(button)
        return button


class Panels(Mapping[str, Panel]):
    """All panels of the catalogue, by name; each is made when it is first asked for.

    ``made``: those that are. ``place`` is called with each new one.
    """

    def __init__(self, entries: Sequence[PanelEntry], place: Callable[[Panel], None]) -> None:
        self.made: dict[str, Panel] = {}
        self._entries = {entry.name: entry for entry in entries}
        self._place = place

    def __getitem__(self, name: str) -> Panel:
        if name not in self.made:
            self.made[name] = panel = self._entries[name].make()
            self._place(panel)
        return self.made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Dock(QDockWidget):
    """A movable, hideable place of a panel; it is empty until somebody sees it, or asks for what is in it."""

    def __init__(self, entry: PanelEntry, panels: Panels, parent: QWidget) -> None:
        super().__init__(entry.title, parent)
        self.entry, self._panels = entry, panels
        self.setObjectName(f"dock-{entry.name}")
        self.shown = QAction(entry.title, self, checkable=True)
        """Show or hide it, also while another one has the whole window, which Qt's own action knows nothing of."""
        self.toggleViewAction().toggled.connect(self.shown.setChecked)
        self.topLevelChanged.connect(self._on_floating)

    @property
    def panel(self) -> Panel:
        return self._panels[self.entry.name]

    @property
    def bar(self) -> TitleBar:
        assert self.panel.entry is self.entry
        return cast(TitleBar, self.titleBarWidget())

    def hold(self, panel: Panel, bar: TitleBar) -> None:
        self.setWidget(panel)
        self.setTitleBarWidget(bar)
        bar.close_button.clicked.connect(self.shown.trigger)

    def _on_floating(self, floats: bool) -> None:
        """It is seen then, though Qt tells of no visibility."""
        if floats:
            self._panels[self.entry.name]
