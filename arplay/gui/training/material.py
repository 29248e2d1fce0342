"""The row of the form for what is learnt from: the files or folders that the family asks for, in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QHeaderView, QWidget

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.export.writers import replacing
from arplay.gui.store import Store
from arplay.gui.training.inputs import Input
from arplay.gui.widgets.caption import Caption, plain
from arplay.gui.widgets.layouts import FREE, in_row
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.row_table import Column, RowTable, TableRows
from arplay.models import families
from arplay.models.family import Found, Material, Training, resolve

ROW = 26


class FoundRows(TableRows):
    columns = (
        Column("Name", "Of the file or folder", kind="words"),
        Column("Size", "How much it is, or why nothing can be learnt from it", 90),
    )
    rows: Sequence[Found]
    material: Material

    def text(self, row: int, column: int) -> str:
        one = self.rows[row]
        return safe(one.path.name) if not column else one.problem or self.material.words(one.count)

    def tip(self, row: int, column: int) -> str:
        one = self.rows[row]
        return f"{one.path}\n{one.path.name} {one.problem}" if one.problem else str(one.path)

    def ink(self, row: int, column: int) -> str:
        return "warning" if column and self.rows[row].problem else "text"


class FoundList(RowTable):
    """Name and size of each file or folder. ``removed``: Delete was pressed."""

    removed = Signal()

    def __init__(self) -> None:
        super().__init__("What to train on", ROW)
        self.table = FoundRows(self)
        self.show_model(self.table)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setMinimumHeight(84)

    def show_found(self, found: Sequence[Found], material: Material) -> None:
        self.message, self.table.material = material.empty, material
        self.table.reset(found)
        self.horizontalHeader().setVisible(bool(found))
        bad = [at for at, one in enumerate(found) if one.problem]
        if bad:
            self.selectRow(bad[0])  # so that Remove takes the first of them

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)


class Files(Input):
    """``found``: what there is for the family; that of others is kept. ``reported``: a cause and a remedy.

    ``editor``, given by the form, is the text in the playground's editor as bytes; None: something else is there.
    """

    reported = Signal(str, str)

    where: Store
    """In which the folder of the dialog is kept."""
    editor: Callable[[], bytes | None]

    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(name, parent)
        self._learns = families.trained(None).learns
        self._lists: dict[str, list[Found]] = {}
        self.list = FoundList()
        self.add = push_button("", "", self._ask)
        self.use_editor = push_button(
            "Use the text in the editor", "A copy of the playground's text as it is now", self.add_editor
        )
        self.remove = push_button("Remove", "Take the chosen ones off the list (Delete)", self.remove_chosen)
        self.total = Caption()
        buttons = QWidget()
        in_row(self.add, self.use_editor, self.remove, FREE, on=buttons)
        self.row(buttons, self.list, self.total, down=True)
        self.buddy = self.list
        self.list.removed.connect(self.remove_chosen)
        self.list.selectionModel().selectionChanged.connect(self._on_chosen)

    def stops(self) -> list[QWidget]:
        return [self.add, self.use_editor, self.remove, self.list]

    @property
    def material(self) -> Material:
        made: Material = resolve(self._learns)
        return made

    @property
    def found(self) -> list[Found]:
        return self._lists.get(self._learns, [])

    @property
    def count(self) -> int:
        """Bytes or files of all of them."""
        return sum(one.count for one in self.found)

    def offer(self, training: Training) -> None:
        self._learns = training.learns
        material = self.material
        self.add.setText(material.add)
        self.add.setToolTip(plain(material.tip))
        self.use_editor.setVisible(material.typed)
        self._show()

    def said(self) -> dict[str, Any]:
        return {self.name: tuple(one.path for one in self.found)}

    def wrong(self) -> str:
        material = self.material
        if not self.found:
            return f"Add a {material.noun} to train on."
        for one in self.found:
            if one.problem:
                return f"{one.path.name} {one.problem}. Take it off the list."
        return material.few.format(self.count) if self.count < material.least else ""

    def kept(self) -> dict[str, list[str]]:
        return {learns: [str(one.path) for one in found] for learns, found in self._lists.items()}

    def recall(self, kept: Any) -> None:
        lists = kept if isinstance(kept, dict) else {self._learns: kept}
        known = {training.learns for training in families.trainings().values()}
        for learns in known & lists.keys():
            given = lists[learns] if isinstance(lists[learns], list) else []
            there = [Path(one) for one in given if isinstance(one, str) and Path(one).exists()]
            self._lists[learns] = [resolve(learns).look(path) for path in there]

    def add_paths(self, added: Iterable[Path]) -> None:
        """Each once; one that is there already is looked at again."""
        for path in added:
            others = [known for known in self.found if known.path != path]
            self._lists[self._learns] = [*others, self.material.look(path)]
        self._changed()

    def remove_chosen(self) -> None:
        gone = {index.row() for index in self.list.selectionModel().selectedRows()}
        if gone:
            self._lists[self._learns] = [one for at, one in enumerate(self.found) if at not in gone]
            self._changed()

    def look_again(self) -> None:
        """Files change and go while a window stands open."""
        self._lists[self._learns] = [self.material.look(one.path) for one in self.found]
        self._changed()

    def add_editor(self) -> None:
        """Keep a copy of the editor's text as a file that never changes, so that the run can be repeated."""
        data = self.editor()
        if data is None:
            self.reported.emit("there is no text in the playground now", "choose a model that reads texts there first")
            return
        path = paths.trained() / "texts" / f"editor-{sha256(data).hexdigest()[:8]}.txt"
        if not data:
            self.reported.emit("the editor is empty", "type or open a text in the playground first")
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_bytes(data)
        except OSError as error:
            self.reported.emit(f"{path.parent} cannot be made ({error.strerror})", "check the rights of that folder")
        except Problem as problem:
            self.reported.emit(problem.cause, problem.remedy)
        else:
            self.add_paths([path])

    def _ask(self) -> None:
        material, last = self.material, self.where.text("training_texts", "")
        if material.files:
            files, _ = QFileDialog.getOpenFileNames(self, "Add files to train on", last, material.files)
        else:
            folder = QFileDialog.getExistingDirectory(self, "Add a folder to train on", last)
            files = [folder] if folder else []
        if files:
            self.where.set_text("training_texts", str(Path(files[0]).parent))
            self.add_paths(Path(file).resolve() for file in files)

    def _on_chosen(self) -> None:
        self.remove.setEnabled(self.list.selectionModel().hasSelection())

    def _changed(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        material, many = self.material, len(self.found)
        self.list.show_found(self.found, material)
        self.total.show_text(f"{many} {material.noun}{'' if many == 1 else 's'}, {material.words(self.count)}")
        self.total.setVisible(bool(many))
        self._on_chosen()
