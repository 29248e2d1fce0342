"""Changing the model quickly: the built-in ones and those used lately; all others are in the list of models."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from arplay.core.signs import safe
from arplay.gui.store import Store
from arplay.gui.widgets.caption import plain
from arplay.models import catalogue


class ModelMenu(QMenu):
    """Rebuilt each time it opens, because models come and go on disk. ``browse``: show the list, at a model."""

    chosen = Signal(str)
    browse = Signal(str)

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__("&Model", parent)
        self._store = store
        self.current = ""
        self.setToolTipsVisible(True)
        self.all = QAction("&All models…", self)
        self.all.setShortcut(QKeySequence("Ctrl+M"))
        self.all.setToolTip("Every model on this computer; open a folder or file, or get one from the hub")
        self.all.triggered.connect(self._on_all)
        self.train = QAction("&Train on my text…", self)
        self.train.setShortcut(QKeySequence("Ctrl+T"))
        self.train.setToolTip("Train a model on your own text and watch it learn")
        self.aboutToShow.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        for action in self.actions():
            self.removeAction(action)
            if action not in (self.all, self.train):
                action.deleteLater()
        self.addAction(self.all)
        self.addAction(self.train)
        self.addSeparator()
        for entry in catalogue.entries():
            size = f"  (get, {entry.download_bytes / 1e6:.0f} MB)" if entry.state == "fetch" else ""
            action = self._add(entry.name, entry.title + size, f"{entry.about}. Licence: {entry.licence}")
            action.triggered.connect(self._on_all if size else self._on_action)
        recent = [spec for spec in self._store.recent("recent_models") if catalogue.is_ready(spec)]
        if recent:
            self.addSection("Used lately")
        for spec in recent:
            words = Path(spec).name if Path(spec).is_absolute() else spec
            self._add(spec, words, spec).triggered.connect(self._on_action)

    def _add(self, spec: str, words: str, tip: str) -> QAction:
        action = self.addAction(safe(words).replace("&", "&&"))
        action.setToolTip(plain(tip))
        action.setData(spec)
        action.setCheckable(True)
        action.setChecked(spec == self.current)
        return action

    def _on_action(self) -> None:
        self.chosen.emit(self.sender().data())  # type: ignore[attr-defined]

    def _on_all(self) -> None:
        self.browse.emit(self.sender().data() or "")  # type: ignore[attr-defined]
