"""What the window does about saved scoring runs: it says that one was saved, and scores one that is open anew."""

from __future__ import annotations

from PySide6.QtCore import QObject

from arplay.core.signs import safe
from arplay.engine.runs import OpenedRun
from arplay.gui.host import Host
from arplay.gui.model_menu import ModelMenu
from arplay.models import catalogue

SAID_MS = 6_000


class RunsDesk(QObject):
    def __init__(self, models: ModelMenu, window: Host) -> None:
        super().__init__(window)
        self._models, self._window = models, window
        window.playground.runs.opened.connect(self._on_opened)
        window.playground.runs.saved.connect(self._on_saved)

    def score_anew(self) -> None:
        """By the model of the run in sight, where this computer has it; else by one that is chosen."""
        play = self._window.playground
        if play.view.run is None:
            play.refused.emit("No saved scoring run is open")
            return
        spec = catalogue.spec_of(play.view.run.info.source)
        if catalogue.is_ready(spec):
            self._window.choose_model(spec)
        else:
            self._window.browse_models()

    def _on_opened(self, opened: OpenedRun) -> None:
        self._window.notice.forget()
        self._window.store.add_recent("recent_files", str(opened.path))
        self._models.current = ""

    def _on_saved(self, name: str) -> None:
        self._window.statusBar().showMessage(f"Saved {safe(name)}", SAID_MS)
