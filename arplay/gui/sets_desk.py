"""What the window does about several texts: their window, and files of records, of which a field is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from arplay.engine.text_set import FieldRead, FieldsRead, FileRead, Item
from arplay.gui import files
from arplay.gui.host import Host
from arplay.gui.records_dialog import RecordsDialog
from arplay.gui.theme import Theme
from arplay.models import documents, recordsfile

if TYPE_CHECKING:
    from arplay.gui.text_set import SetWindow


class SetsDesk(QObject):
    """The window of the set is made when it is first opened."""

    def __init__(self, window: Host) -> None:
        super().__init__(window)
        self._window, self._texts = window, window.playground.text_set
        self.window: SetWindow | None = None
        self.dialog: RecordsDialog | None = None
        self._as_set = True
        self._held: list[Path] = []
        """Files of records among those that were added: a field is asked for, and taken of all of them."""
        self._texts.fields.connect(self._on_fields)
        self._texts.file_read.connect(self._on_file)
        self._texts.not_read.connect(self._on_not_read)
        self._texts.no_records.connect(self._on_none)
        self._texts.taken.connect(self._on_taken)

    def open(self) -> SetWindow:
        if self.window is None:
            from arplay.gui.text_set import SetWindow

            self.window = SetWindow(self._texts, self._window)
            self.window.added.connect(self.add)
        self.window.open()
        return self.window

    def ask(self) -> None:
        """Show the set that was put away; else ask for files, and the window opens in any case."""
        if self._texts.rows and self.window is not None and not self.window.isVisible():
            self.open()
            return
        names, _ = QFileDialog.getOpenFileNames(self._window, "Open a set of texts")
        self.add([Path(name) for name in names])

    def add(self, paths: Sequence[Path]) -> None:
        """Texts are scored; what text of them it is, is asked of files of records."""
        self.open()
        loaded = self._window.playground.view.loaded
        encoded = documents.reader_of(loaded.vocabulary if loaded is not None else None).encoded
        held = [path for path in paths if encoded and recordsfile.holds_records(path)]
        self._texts.add([Item(path.name, path) for path in paths if path not in held])
        if held:
            self._held = held
            self._texts.read_fields(held[0])

    def _asked_of(self, path: Path) -> list[Path]:
        """The files of a set that are asked about with this one; none where it is opened by itself."""
        return self._held if path in self._held else []

    def _as_it_is(self, path: Path) -> None:
        held, self._held = self._asked_of(path), []
        if held:
            self._texts.add([Item(each.name, each) for each in held])
        else:
            files.open_file(path, None, self._window, True)

    def set_theme(self, theme: Theme) -> None:
        if self.window is not None:
            self.window.set_theme(theme)

    def close(self) -> None:
        if self.window is not None:
            self.window.hide()

    def _on_fields(self, found: FieldsRead) -> None:
        held = self._asked_of(found.path)
        over = self.window if held and self.window is not None else self._window
        dialog = self.dialog = RecordsDialog(found, over, max(0, len(held) - 1))
        dialog.chosen.connect(partial(self._take, held or [found.path]))
        dialog.as_it_is.connect(partial(self._as_it_is, found.path))
        dialog.rejected.connect(self._held.clear)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _on_file(self, found: FileRead) -> None:
        files.show_file(found.path, found.encoding, found.document, found.changed, self._window)

    def _on_not_read(self, path: Path, encoding: str | None, raw: bool) -> None:
        """What is wrong with it is told, and another encoding offered, as of a small one."""
        files.open_file(path, encoding, self._window, raw, at_once=True)

    def _on_none(self, path: Path, cause: str) -> None:
        held = self._asked_of(path)
        if held:  # by itself it is a text like any other; the others are asked about
            self._held = held[1:]
            self._texts.add([Item(path.name, path)])
            self._remark(f"{path.name} is in the set as it is", cause)
            if self._held:
                self._texts.read_fields(self._held[0])
        elif files.open_file(path, None, self._window, True):
            self._window.report(f"{path.name} is opened as it is", cause)

    def _take(self, paths: Sequence[Path], field: str, as_set: bool) -> None:
        self._held, self._as_set = [], as_set
        self._texts.read_field(paths, field)

    def _on_taken(self, found: FieldRead) -> None:
        window = self._window
        for path in found.paths:
            window.store.add_recent("recent_files", str(path))
        if self._as_set:
            self.open()
            self._texts.add(found.items)
        else:
            window.playground.open_text(b"\n\n".join(item.data for item in found.items), found.paths[0].name)
        count = len(found.items) + found.without
        without = [f"{found.without:,} of {count:,} records have no such text"] if found.without else []
        if without or found.refused:
            self._remark("; ".join((*without, *found.refused)), "they are left out")

    def _remark(self, cause: str, remedy: str) -> None:
        """Above the text, and in the window of the set, which may cover that."""
        self._window.report(cause, remedy)
        if self.window is not None:
            self.window.remark = f"{cause}: {remedy}"
            self.window.show_set()
