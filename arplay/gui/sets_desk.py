"""What the window does about several texts: their window, and files of records, of which a field is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from arplay.engine.text_set import FieldRead, FieldsRead, FileRead, Item
from arplay.gui import files
from arplay.gui.host import Host
from arplay.gui.records_dialog import RecordsDialog
from arplay.gui.text_set import SetWindow
from arplay.gui.theme import Theme


class SetsDesk(QObject):
    """The window of the set is made when it is first opened."""

    def __init__(self, window: Host) -> None:
        super().__init__(window)
        self._window, self._texts = window, window.playground.text_set
        self.window: SetWindow | None = None
        self.dialog: RecordsDialog | None = None
        self._as_set = True
        self._texts.fields.connect(self._on_fields)
        self._texts.file_read.connect(self._on_file)
        self._texts.not_read.connect(self._on_not_read)
        self._texts.no_records.connect(self._on_none)
        self._texts.taken.connect(self._on_taken)

    def open(self) -> SetWindow:
        if self.window is None:
            self.window = SetWindow(self._texts, self._window)
        self.window.open()
        return self.window

    def ask(self) -> None:
        """Ask for files; the window opens in any case."""
        names, _ = QFileDialog.getOpenFileNames(self._window, "Open a set of texts")
        self.add([Path(name) for name in names])

    def add(self, paths: Sequence[Path]) -> None:
        self.open()
        self._texts.add([Item(path.name, path) for path in paths])

    def set_theme(self, theme: Theme) -> None:
        if self.window is not None:
            self.window.set_theme(theme)

    def close(self) -> None:
        if self.window is not None:
            self.window.hide()

    def _on_fields(self, found: FieldsRead) -> None:
        dialog = self.dialog = RecordsDialog(found, self._window)
        dialog.chosen.connect(partial(self._take, found.path))
        dialog.as_it_is.connect(partial(files.open_file, found.path, None, self._window, True))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _on_file(self, found: FileRead) -> None:
        files.show_file(found.path, found.encoding, found.document, found.changed, self._window)

    def _on_not_read(self, path: Path, encoding: str | None, raw: bool) -> None:
        """What is wrong with it is told, and another encoding offered, as of a small one."""
        files.open_file(path, encoding, self._window, raw, at_once=True)

    def _on_none(self, path: Path, cause: str) -> None:
        if files.open_file(path, None, self._window, True):
            self._window.report(f"{path.name} is opened as it is", cause)

    def _take(self, path: Path, field: str, as_set: bool) -> None:
        self._as_set = as_set
        self._texts.read_field(path, field)

    def _on_taken(self, found: FieldRead) -> None:
        window = self._window
        window.store.add_recent("recent_files", str(found.path))
        if self._as_set:
            self.open()
            self._texts.add(found.items)
        else:
            window.playground.open_text(b"\n\n".join(item.data for item in found.items), found.path.name)
        if found.without:
            count = len(found.items) + found.without
            window.report(f"{found.without:,} of {count:,} records have no such text", "they are left out")
