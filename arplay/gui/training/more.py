"""What has sensible values and is seldom changed: context, vocabulary, seed and the folder of the model."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from arplay import paths
from arplay.gui.theme import SPACE
from arplay.gui.training.choices import CONTEXTS, MOST_SEED, VOCABULARIES, folder_for
from arplay.gui.training.texts import Text
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.push_button import push_button

_TIPS = (
    (
        "Context (tokens)",
        "How far back the model looks when it predicts a token; by itself up to 512, for an LSTM up to 128",
    ),
    ("Vocabulary (tokens)", "How many different tokens the tokenizer learns from your text; by itself up to 4,096"),
    ("Seed", "The same seed and the same token count give the same model on this computer"),
)


AUTOMATIC = 0
"""Of the context and the vocabulary: what training chooses by itself."""


class More(QWidget):
    """The folder follows the name of the first text until the user gives another. ``changed``: the folder did."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inside = paths.trained()
        self._own_folder = False  # typed by the user
        self._texts: Sequence[Text] = ()
        self.context = _combo(CONTEXTS, "Context in tokens")
        self.vocabulary = _combo(VOCABULARIES, "Vocabulary in tokens")
        self.context.insertItem(0, "As usual", AUTOMATIC)
        self.vocabulary.insertItem(0, "As the text supports", AUTOMATIC)
        self.seed = QSpinBox(self)
        self.seed.setRange(0, MOST_SEED)
        self.seed.setAccessibleName("Seed")
        self.seed.lineEdit().setTextMargins(SPACE[1], 0, 0, 0)
        self.folder = QLineEdit(self)
        self.folder.setAccessibleName("Folder of the model")
        self.folder.textEdited.connect(self._on_edited)
        self.choose = push_button("Choose…", "Another place for the model's folder", self._ask_folder, parent=self)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[2])
        grid.setVerticalSpacing(SPACE[0])
        widgets = (self.context, self.vocabulary, self.seed)
        for column, ((words, tip), widget) in enumerate(zip(_TIPS, widgets, strict=True)):
            grid.addWidget(self._label(words, tip, widget), 0, column)
            grid.addWidget(widget, 1, column)
            grid.setColumnStretch(column, 1)
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        where = "A folder of its own is made there; it opens in arplay like any model"
        grid.addWidget(self._label("Folder of the model", where, self.folder), 2, 0, 1, 3)
        grid.addLayout(row, 3, 0, 1, 3)

    @property
    def path(self) -> Path:
        """Whole; a name alone is a folder beside the models that were trained before."""
        given = self.folder.text().strip()
        path = Path(given)
        with contextlib.suppress(RuntimeError):  # ~ of nobody
            path = path.expanduser()
        return paths.trained() / path if given else path

    def name_after(self, texts: Sequence[Text]) -> None:
        """Suggest a folder that is not there yet."""
        self._texts = texts
        if not self._own_folder:
            self.folder.setText(str(folder_for(texts, self._inside)))

    def next_folder(self) -> None:
        """This one is taken now."""
        self._own_folder = False
        self.name_after(self._texts)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Where the model's folder is made", str(self._inside))
        if folder:
            self._inside = Path(folder)
            self.next_folder()
            self.changed.emit()

    def _on_edited(self) -> None:
        self._own_folder = True
        self.changed.emit()

    def _label(self, words: str, tip: str, widget: QWidget) -> QLabel:
        label = Label(words, self, role="caption")
        label.setBuddy(widget)
        label.setToolTip(tip)
        widget.setToolTip(tip)
        return label


def _combo(values: tuple[int, ...], name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    for value in values:
        box.addItem(f"{value:,}", value)
    return box
