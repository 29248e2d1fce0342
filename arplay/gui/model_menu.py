"""Changing the model quickly: the built-in ones and those used lately; all others are in the list of models."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from arplay.core.format import size
from arplay.gui.store import Store
from arplay.gui.widgets.entries import Entries, Entry
from arplay.models import catalogue


class ModelMenu(QMenu):
    """Looks at the disk each time it opens, because models come and go. ``browse``: show the list, at a model."""

    chosen = Signal(str)
    browse = Signal(str)

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__("&Model", parent)
        self._store = store
        self.current = ""
        self.setToolTipsVisible(True)
        self.all = self._action(
            "&All models…", "Ctrl+M", "Every model on this computer; open a folder or file, or get one from the hub"
        )
        self.all.triggered.connect(self._on_all)
        self.train = self._action("&Train a model…", "Ctrl+T", "On your own texts, pictures or sounds; watch it learn")
        self.addSeparator()
        self._lately = self.addSection("Used lately")
        self._known, self._recent = Entries(self, before=self._lately), Entries(self)
        self._absent: set[str] = set()
        for entries in (self._known, self._recent):
            entries.chosen.connect(self._on_chosen)
        self.aboutToShow.connect(self._fill)
        self._fill()

    def _action(self, words: str, key: str, tip: str) -> QAction:
        action = self.addAction(words)
        action.setShortcut(QKeySequence(key))
        action.setToolTip(tip)
        return action

    def _fill(self) -> None:
        entries = catalogue.entries()
        self._absent = {entry.spec for entry in entries if entry.state == "fetch"}
        known = [
            Entry(
                entry.spec,
                entry.title + (f"  (get, {size(entry.download_bytes)})" if entry.state == "fetch" else ""),
                f"{entry.about}. Licence: {entry.licence}",
                entry.spec == self.current,
            )
            for entry in entries
        ]
        recent = [
            Entry(spec, Path(spec).name if Path(spec).is_absolute() else spec, spec, spec == self.current)
            for spec in self._store.recent("recent_models")
            if catalogue.is_ready(spec)
        ]
        self._known.show(known)
        self._lately.setVisible(bool(recent))
        self._recent.show(recent)

    def _on_chosen(self, spec: str) -> None:
        """One that is not on this computer yet is shown in the list, where it can be got."""
        (self.browse if spec in self._absent else self.chosen).emit(spec)

    def show_training(self, name: str) -> None:
        """The model that is being trained, "" where none is."""
        escaped = name.replace("&", "&&")
        self.train.setText(f"&Training of {escaped}…" if name else "&Train a model…")

    def _on_all(self) -> None:
        self.browse.emit("")
