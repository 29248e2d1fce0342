"""The window as its parts know it: what it holds, and what they may ask of it. They never know the window itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QMainWindow

from arplay.core.reading import Reading
from arplay.gui.dock import Dock, Panels
from arplay.gui.intents import Change, Intent
from arplay.gui.notice import Notice
from arplay.gui.playground.keeping import Keeping
from arplay.gui.playground.playground import Playground
from arplay.gui.store import Store
from arplay.gui.theme import Theme


class Host(QMainWindow):
    """Its subclass is :class:`arplay.gui.main_window.MainWindow`, which puts all of it together."""

    store: Store
    playground: Playground
    keeping: Keeping
    notice: Notice
    panels: Panels
    docks: dict[str, Dock]
    theme: Theme
    theme_choice: str
    given: Reading | None
    """How the model that is loaded next reads texts, where that is not as it was the last time."""

    def handle(self, intent: Intent) -> None:
        """Carry out what a panel or a menu asks for."""
        raise NotImplementedError

    def change(self, **fields: object) -> None:
        """These settings, the others as they are."""
        self.handle(Change(replace(self.playground.view.settings, **fields)))  # type: ignore[arg-type]

    def read(self, **how: object) -> None:
        """Read texts so, and else as before."""
        self.change(reading=replace(self.playground.view.settings.reading, **how))  # type: ignore[arg-type]

    def report(self, cause: str, remedy: str) -> None:
        """A problem, in the lines above the text."""
        raise NotImplementedError

    def open_file(self, path: Path, encoding: str | None = None) -> None:
        raise NotImplementedError

    def open_later(self, path: Path, encoding: str | None) -> None:
        """Once the model that is on its way is there."""
        raise NotImplementedError

    def choose_model(self, spec: str) -> None:
        raise NotImplementedError

    def browse_models(self, spec: str = "", beside: bool = False) -> None:
        """Show the list of models, at ``spec`` where that is given, or for one beside the window's own."""
        raise NotImplementedError

    def set_theme(self, choice: str) -> None:
        raise NotImplementedError

    def focus_editor(self) -> None:
        raise NotImplementedError

    def start_tour(self) -> None:
        raise NotImplementedError
