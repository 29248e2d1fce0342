"""Export … of a view of training: its chart as a picture, or the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtWidgets import QMessageBox, QPushButton, QToolTip, QWidget

from arplay.core.errors import Problem
from arplay.export.charts import Table
from arplay.export.tables import Record
from arplay.gui.exports import Export, Exported
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.menu_button import give_menu


def table(rows: Sequence[Record], columns: Sequence[str], comments: Sequence[str]) -> Table:
    """A table whose JSON has what its CSV has."""
    return Table({"about": list(comments), "rows": list(rows)}, rows, columns, comments)


class ExportButton(QPushButton):
    """A button whose menu asks for a file name."""

    def __init__(self, view: Exported, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self.setProperty("role", "chip")
        self.setAutoDefault(False)
        self.setToolTip("Save what is shown as a picture, or the numbers behind it as a table")
        self.setAccessibleName(f"Export {view.title}")
        self.exporting = Export(view, cast(QWidget, view), self._show_done, self._fail)
        give_menu(self, self.exporting.menu(self))

    def _show_done(self, words: str) -> None:
        """Said where the eye is: this window has no status bar."""
        QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), words, self)

    def _fail(self, problem: Problem) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, "Export", capital(problem.cause), parent=self.window())
        box.setInformativeText(capital(problem.remedy))
        box.open()
