"""What the window does about saved scoring runs: it says that one was saved, and scores one that is open anew."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from arplay.core.signs import safe
from arplay.engine.runs import OpenedRun
from arplay.gui.host import Host
from arplay.gui.model_menu import ModelMenu
from arplay.models import catalogue

SAID_MS = 6_000
KINDS = {"report": ("Report of the scores", "HTML", ".html"), "lines": ("Scores as JSON lines", "JSON lines", ".jsonl")}


def asked_file(kind: Literal["report", "lines"], window: Host) -> Path | None:
    """The file that the user names, in the folder of the last export; None where none is named."""
    title, words, ending = KINDS[kind]
    view = window.playground.view
    stem = Path(view.excerpt_of or view.name or "scores").stem
    proposed = str(Path(window.store.text("export_folder", "")) / f"{stem}-scores{ending}")
    name, _ = QFileDialog.getSaveFileName(window, f"Export: {title}", proposed, f"{words} (*{ending})")
    if not name:
        return None
    path = Path(name)
    window.store.set_text("export_folder", str(path.parent))
    return path if path.suffix.lower() == ending else path.with_name(path.name + ending)


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

    def export(self, kind: Literal["report", "lines"]) -> None:
        """Ask for a file that the scores in sight are told in."""
        if (path := asked_file(kind, self._window)) is not None:
            self._window.playground.runs.report(path)

    def _on_opened(self, opened: OpenedRun) -> None:
        self._window.notice.forget()
        self._window.store.add_recent("recent_files", str(opened.path))
        self._models.current = ""

    def _on_saved(self, name: str) -> None:
        self._window.statusBar().showMessage(f"Saved {safe(name)}", SAID_MS)
