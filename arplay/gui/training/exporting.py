"""Export … of a view of training: its chart as a picture, or the numbers behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QPushButton, QWidget

from arplay.core.errors import Problem
from arplay.export.writers import write
from arplay.gui import export_image, export_parts
from arplay.gui.export_image import Chart
from arplay.gui.widgets.words import capital

KINDS = {"PNG picture": ".png", "SVG drawing": ".svg", "PDF document": ".pdf", "CSV table": ".csv"}


class Exported(Chart, Protocol):
    """A view with a chart, the table behind it, and lines that say where both are from."""

    def table(self) -> str:
        """CSV. Raises Problem where there is nothing yet."""
        ...

    def origin(self) -> list[str]: ...


def save(view: Exported, path: Path) -> None:
    """Write the chart or the table of ``view``, by what ``path`` ends with. Raises Problem; the file then stays."""
    if path.suffix == ".csv":
        write(path, view.table())
    else:
        export_image.save(view, path, view.origin())


class ExportButton(QPushButton):
    """A button whose menu asks for a file name."""

    def __init__(self, view: Exported, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self._view = view
        self.setProperty("role", "chip")
        self.setAutoDefault(False)
        self.setToolTip("Save what is shown as a picture, or the numbers behind it as a table")
        self.setAccessibleName(f"Export {view.title}")
        menu = QMenu(self)
        for words, suffix in KINDS.items():
            menu.addAction(f"{words}…").setData(suffix)
        menu.triggered.connect(lambda action: self.ask(action.data()))
        self.setMenu(menu)

    def ask(self, suffix: str) -> None:
        """Ask what of a long chart to export, then for a file name."""
        view = self._view
        if suffix == ".csv":
            self._ask_file(view, suffix)
            return
        export_parts.ask_part(
            view, suffix, view.origin(), None, self.window(), lambda chart: self._ask_file(chart, suffix)
        )

    def _ask_file(self, chart: Chart, suffix: str) -> None:
        words = next(words for words, ending in KINDS.items() if ending == suffix)
        name, _ = QFileDialog.getSaveFileName(
            self.window(), f"Export “{self._view.title}”", f"{self._view.name}{suffix}", f"{words} (*{suffix})"
        )
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() not in KINDS.values():
            path = path.with_name(path.name + suffix)
        if path.suffix.lower() != ".csv":
            export_parts.write(chart, path, self._view.origin(), self.window(), lambda words: None, self._tell)
            return
        try:
            save(self._view, path)
        except Problem as problem:
            self._tell(problem)

    def _tell(self, problem: Problem) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, "Export", capital(problem.cause), parent=self.window())
        box.setInformativeText(capital(problem.remedy))
        box.open()
