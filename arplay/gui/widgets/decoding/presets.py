"""The layouts of stages that are ready."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from arplay.core.decoding.rows import PRESETS, USUAL, Rows, pipeline_of
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.menu_button import give_menu

OWN = "Own stages"
TIP = "Stages that are ready, by name"


class PresetMenu(QPushButton):
    """A button that says which preset is laid out, with a menu of all of them; ``chosen`` tells its rows."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(OWN, parent)
        self.setAutoDefault(False)
        self.setProperty("role", "chip")
        self._rows: Rows = USUAL
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        menu.triggered.connect(self._on_action)
        give_menu(self, menu)

    def show_layout(self, rows: Rows) -> None:
        """Named after the preset that works as these rows do."""
        self._rows = rows
        pipeline = pipeline_of(rows)
        name = next((name for name, (_, known) in PRESETS.items() if pipeline_of(known) == pipeline), OWN)
        self.setText(name)
        self.setToolTip(plain(f"{TIP}. Now: {pipeline.label}"))
        self.setAccessibleName(f"Preset: {name}")

    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        menu.setToolTipsVisible(True)
        for name, (words, _) in PRESETS.items():
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(name == self.text())
            action.setToolTip(plain(words))
            action.setData(name)
        menu.addSeparator()
        reset = menu.addAction("Reset")
        reset.setToolTip("The stages as they were at first: none of them does anything")
        reset.triggered.connect(self._on_reset)

    def _on_action(self, action: QAction) -> None:
        if action.data() in PRESETS:
            self.chosen.emit(PRESETS[action.data()][1])

    def _on_reset(self) -> None:
        self.chosen.emit(USUAL)
