"""A panel in a dock with a quiet title bar: its name, what it is, export, the whole window for it, and hide."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMenu, QToolButton, QWidget

from arplay.gui.contract import Panel
from arplay.gui.theme import SMALL, SPACE, Theme, icon
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.menu_button import give_menu


class TitleBar(QWidget):
    """Drag it to move the dock, double-click it to enlarge. Buttons: What is this? · Export · Enlarge · Hide."""

    explain = Signal(object)
    enlarge = Signal(object)

    def __init__(self, panel: Panel, menu: QMenu, closable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel, title = panel, panel.title
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFocusProxy(panel)
        self._label = Label(title, self, role="heading")
        self._buttons: list[tuple[QToolButton, str]] = []
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[1], SPACE[0], SPACE[0], SPACE[0])
        row.setSpacing(0)
        row.addWidget(self._label)
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
        self._large = False
        self._enlarge = self._button("arrows-out", "")
        self._enlarge.clicked.connect(self._on_enlarge)
        self.show_large(False)
        if closable:
            self.close_button = self._button("x", f"Hide “{title}” (View menu brings it back)")

    def set_title(self, title: str) -> None:
        self._label.setText(title)

    def set_theme(self, theme: Theme) -> None:
        for button, name in self._buttons:
            button.setIcon(icon(name, theme, "muted"))

    def show_large(self, large: bool) -> None:
        """Whether the panel has the whole window."""
        self._large = large
        title = self._panel.title
        tip = "Back to all panels (Esc)" if large else f"Give “{title}” the whole window (double-click, or F11)"
        self._enlarge.setToolTip(tip)
        self._enlarge.setAccessibleName(tip)
        self._enlarge.setCheckable(large)
        self._enlarge.setChecked(large)

    def _on_enlarge(self) -> None:
        self.enlarge.emit(self._panel)

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


class Dock(QDockWidget):
    """A movable, hideable panel."""

    def __init__(self, panel: Panel, menu: QMenu, parent: QWidget) -> None:
        super().__init__(panel.title, parent)
        self.panel = panel
        self.setObjectName(f"dock-{panel.name}")
        self.setWidget(panel)
        self.bar = TitleBar(panel, menu, closable=True, parent=self)
        self.bar.close_button.clicked.connect(self.hide)
        self.setTitleBarWidget(self.bar)
