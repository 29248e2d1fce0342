"""The layouts of stages that are ready, the user's own, and files of them."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QMessageBox, QPushButton, QSizePolicy, QWidget

from arplay.core.decoding.generation_config import to_config
from arplay.core.decoding.layouts import MOST_BYTES, Presets, layout_of, named
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.decoding.rows import PRESETS, USUAL, Rows, as_json, pipeline_of
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import safe
from arplay.export.writers import replacing
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.menu_button import give_menu
from arplay.textfile import read_json

OWN = "Own stages"
TIP = "Stages that are ready, by name; your own, and files of them"
FILES = "JSON (*.json);;All files (*)"
MOST_NOTES = 6
AROUND = 36
"""Pixels of a button that are not its words."""


class PresetMenu(QPushButton):
    """A button that says which preset is laid out, with a menu of all of them.

    ``chosen`` tells the rows of one, ``kept`` the user's presets as they are to be now, ``told`` a problem.
    """

    chosen = Signal(object)
    kept = Signal(object)
    told = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(OWN, parent)
        self.setAutoDefault(False)
        self.setProperty("role", "chip")
        self.name = OWN
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # a name may be long
        self._rows: Rows = USUAL
        self._meant = ""
        """The preset that was chosen or named last: others may have the same stages."""
        self._shown: tuple[Pipeline, str] | None = None
        self._presets: Presets = ()
        self._tokens: TokenSet | None = None
        menu = QMenu(self)
        menu.aboutToShow.connect(self._mark)
        menu.triggered.connect(self._on_action)
        give_menu(self, menu)
        self._fill()

    def show_layout(self, rows: Rows, presets: Presets, tokens: TokenSet | None) -> None:
        """Named after the preset that works as these rows do. ``tokens``: those that the rows may name."""
        anew = presets != self._presets
        self._rows, self._presets, self._tokens = rows, presets, tokens
        if anew:
            self._fill()
        pipeline = pipeline_of(rows)
        if (pipeline, self._meant) == self._shown and not anew:
            return
        self._shown = pipeline, self._meant
        alike = [name for name, each in self._known.items() if each == pipeline]
        self.name = self._meant if self._meant in alike else next(iter(alike), OWN)
        self._elide()
        self.setToolTip(plain(f"{TIP}. Now: {pipeline.label}"))
        self.setAccessibleName(f"Preset: {self.name}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideRight, max(0, self.width() - AROUND))
        self.setText(shown.replace("&", "&&"))

    # ---- the menu

    def _fill(self) -> None:
        known = {name: rows for name, (_, rows) in PRESETS.items()} | dict(self._presets)
        self._known = {name: pipeline_of(rows) for name, rows in known.items()}
        menu = self.menu()
        menu.clear()
        menu.setToolTipsVisible(True)
        for name, (words, _) in PRESETS.items():
            self._entry(name, words, name).setCheckable(True)
        if self._presets:
            menu.addSection("Yours")
        for name, rows in self._presets:
            self._entry(name.replace("&", "&&"), pipeline_of(rows).label, name).setCheckable(True)
        menu.addSeparator()
        self._entry("Save as a preset…", "Keep these stages under a name", "save")
        self.renames = self._entry("Rename…", "Give the preset that is chosen another name", "rename")
        self.deletes = self._entry("Delete", "Forget the preset that is chosen", "delete")
        menu.addSeparator()
        self._entry("Import…", "Stages from a JSON file, or from a generation_config.json", "ask_import")
        self._entry("Export as JSON…", "These stages, for another arplay", "ask_export")
        self._entry("Export as generation_config.json…", "For transformers, as far as it can say them", "ask_config")
        menu.addSeparator()
        self._entry("Reset", "The stages as they were at first: none of them does anything", "reset")

    def _entry(self, words: str, tip: str, data: str) -> QAction:
        """``data``: the name of a preset, or of the method that does it."""
        action = self.menu().addAction(words)
        action.setToolTip(plain(tip))
        action.setData(data)
        return action

    def _mark(self) -> None:
        own = any(name == self.name for name, _ in self._presets)
        for action in self.menu().actions():
            if action.isCheckable():
                action.setChecked(action.data() == self.name)
        for action in (self.renames, self.deletes):
            action.setEnabled(own)

    def _on_action(self, action: QAction) -> None:
        name = action.data()
        known = {name: rows for name, (_, rows) in PRESETS.items()} | dict(self._presets)
        try:
            if action.isCheckable():
                self._meant = name
                self.chosen.emit(known[name])
                self.show_layout(self._rows, self._presets, self._tokens)  # the same stages under another name
            else:
                getattr(self, name)()
        except Problem as problem:
            self.told.emit(problem.cause, problem.remedy)

    # ---- what is in it

    def save(self) -> None:
        name, agreed = QInputDialog.getText(self, "Save as a preset", "Name of these stages")
        if agreed and self._may_have(name):
            self._keep(name, named(self._presets, name, self._rows))

    def rename(self) -> None:
        former = self.name
        name, agreed = QInputDialog.getText(self, "Rename the preset", "Its new name", text=former)
        if agreed and (name.strip() == former or self._may_have(name)):
            self._keep(name, named(self._presets, name, dict(self._presets)[former], former))

    def _keep(self, name: str, presets: Presets) -> None:
        self._meant = safe(name.strip())
        self.kept.emit(presets)

    def _may_have(self, name: str) -> bool:
        """Whether a name is free, or what has it may be replaced."""
        name = safe(name.strip())
        if name not in dict(self._presets):
            return True
        asked = QMessageBox.question(self, "Presets", plain(f"There is a preset “{name}” already. Replace it?"))
        return asked == QMessageBox.StandardButton.Yes

    def delete(self) -> None:
        self.kept.emit(named(self._presets, self.name, None))

    def reset(self) -> None:
        self.chosen.emit(USUAL)

    def ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import stages", filter=FILES)
        if path:
            self.read(Path(path))

    def read(self, path: Path) -> None:
        """Lay out what a file has; what of it is not taken over is told. Raises Problem."""
        try:
            rows, notes = layout_of(read_json(path, MOST_BYTES))
        except OSError as error:
            raise Problem(f"{path.name} cannot be read ({error.strerror or error})", "choose another file") from error
        except ValueError as error:
            raise Problem(f"{path.name} is no JSON that can be read: {error}", "export it again") from error
        self.chosen.emit(rows)
        self._tell_notes(f"not all of {path.name} is taken over", notes)

    def ask_export(self) -> None:
        self._write("stages.json", as_json(self._rows))

    def ask_config(self) -> None:
        said, notes = to_config(pipeline_of(self._rows), self._tokens)
        if self._write("generation_config.json", said):
            self._tell_notes("a generation_config.json cannot say all of it", notes)

    def _write(self, name: str, said: object) -> bool:
        path, _ = QFileDialog.getSaveFileName(self, "Export the stages", name, FILES)
        if path:
            with replacing(Path(path)) as temporary:
                temporary.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return bool(path)

    def _tell_notes(self, cause: str, notes: list[str]) -> None:
        if notes:
            more = f", and {len(notes) - MOST_NOTES:,} more" if len(notes) > MOST_NOTES else ""
            self.told.emit(f"{cause}: {', '.join(notes[:MOST_NOTES])}{more}", "the rest is as it was")
