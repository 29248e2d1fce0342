"""Which text of the records of a file is opened: its field, as a set of texts or joined to one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QRadioButton, QVBoxLayout, QWidget

from arplay.core.signs import safe
from arplay.engine.text_set import FieldsRead
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label, plain
from arplay.models.recordsfile import LOOKED_AT

SHOWN = 70


class RecordsDialog(QDialog):
    """``chosen``: the name of the field, and whether its texts are a set. ``as_it_is``: the file as plain text."""

    chosen = Signal(str, bool)
    as_it_is = Signal()

    def __init__(self, found: FieldsRead, parent: QWidget, others: int = 0) -> None:
        """``others``: how many more files of records are asked about together with this one."""
        super().__init__(parent)
        self.setWindowTitle("Open records")
        self.found = found
        many = f"{found.count:,} record{'s' * (found.count != 1)}"
        more = f" The same is taken of {others:,} more file{'s' * (others > 1)}." if others else ""
        head = Label(f"{found.path.name} has {many}. Which text of them is it?{more}", wrap=True)
        self.list = QListWidget()
        self.list.setSpacing(2)
        self.list.setAccessibleName("Fields that hold texts")
        for field in found.fields:
            example = safe(field.example)
            looked = min(found.count, LOOKED_AT)
            has = f"  ·  in {field.count:,} of {looked:,}" if field.count < looked else ""
            self.list.addItem(f"{safe(field.name)}: {example[:SHOWN]}{'…' * (len(example) > SHOWN)}{has}")
            self.list.item(self.list.count() - 1).setToolTip(plain(f"{field.name}: {field.example[:400]}"))
        sizes = [len(field.example) for field in found.fields]
        self.list.setCurrentRow(sizes.index(max(sizes)) if sizes else -1)  # names and roles are shorter
        self.set = QRadioButton("Each a &text of its own, in the set of texts")
        self.one = QRadioButton("All &joined to one text, with an empty line between")
        self.set.setChecked(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton("&Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.raw = buttons.addButton("Open as &it is", QDialogButtonBox.ButtonRole.ResetRole)
        self.go.setEnabled(bool(found.fields))
        self.raw.clicked.connect(self._raw)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        self.list.itemDoubleClicked.connect(self._accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        widgets: tuple[QLabel | QListWidget | QRadioButton | QDialogButtonBox, ...]
        widgets = (head, self.list, self.set, self.one, buttons)
        for widget in widgets:
            column.addWidget(widget)
        self.go.setDefault(True)  # it is the dialog's by now: before, the first button would take its place
        self.resize(620, 380)

    def _accept(self) -> None:
        self.accept()
        self.chosen.emit(self.found.fields[self.list.currentRow()].name, self.set.isChecked())

    def _raw(self) -> None:
        self.as_it_is.emit()
        self.reject()
