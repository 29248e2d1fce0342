"""What a row of the form can be: each input says its part of a run, follows the family, and can be remembered."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from arplay import paths
from arplay.core.signs import file_name
from arplay.gui.theme import SPACE
from arplay.gui.training.segments import Option, Segments
from arplay.gui.widgets.push_button import push_button
from arplay.models.family import Training

TIMES = (
    Option("2", "2 min", "Enough to see the loss fall; what it makes is hardly recognised."),
    Option("10", "10 min", "A real result with a small model; you can go on playing meanwhile."),
    Option("30", "30 min", "For the larger models. Pause it whenever you need the processor for something else."),
    Option("60", "1 hour", "For the largest model and plenty to learn from."),
    Option("tokens", "Tokens", "Reads exactly so many tokens: the same count and seed give the same model."),
)
LEAST_TOKENS = 10_000
"""More than a step of the longest context."""
MOST_TOKENS = 1_000_000_000
MOST_SEED = 2**31 - 1
AUTOMATIC = 0
"""What training chooses by itself."""
_NEVER = "Nothing to choose: {} is counted in one go and is as large as its counts."


class Input(QWidget):
    """``name``: its field of a run. ``changed``: by the user. ``buddy`` has the letter of its label."""

    changed = Signal()
    buddy: QWidget

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = name

    def row(self, *widgets: QWidget, down: bool = False) -> None:
        """All that is in it, in a row, the first as wide as there is room; or ``down`` in a column."""
        self.buddy = widgets[0]
        made: QBoxLayout = QVBoxLayout(self) if down else QHBoxLayout(self)
        made.setContentsMargins(0, 0, 0, 0)
        made.setSpacing(SPACE[0] if down else SPACE[1])
        for at, widget in enumerate(widgets):
            made.addWidget(widget, int(at == 0 and not down))

    def stops(self) -> list[QWidget]:
        """Where Tab goes, in that order."""
        return [self.buddy]

    def offer(self, training: Training) -> None:
        """What there is to choose for a family."""

    def said(self) -> dict[str, Any]:
        """Fields of a run."""
        raise NotImplementedError

    def wrong(self) -> str:
        """Why no run can begin with it, as a sentence; empty where one can."""
        return ""

    def kept(self) -> Any:
        """What is to be remembered, for JSON."""
        return self.said().get(self.name)

    def recall(self, kept: Any) -> None:
        """What was remembered; anything may stand there."""


class Choice(Input):
    """One of a few, which the family may have; of those it has, what was chosen last stays chosen."""

    def __init__(self, name: str, title: str, parent: QWidget, options: Callable[[Training], Sequence[Option]]) -> None:
        super().__init__(name, parent)
        self._options = options
        self._chosen: list[str] = []
        self.segments = Segments(title, ())
        self.segments.changed.connect(self._on_changed)
        self.row(self.segments)

    def stops(self) -> list[QWidget]:
        return [*self.segments.buttons.values()]

    def offer(self, training: Training) -> None:
        options = self._options(training)
        if options:
            self.segments.set_options(options)
            for key in self._chosen:
                self.segments.choose(key)
        self.segments.enable(bool(options), _NEVER.format(training.kind))

    def choose(self, key: str) -> None:
        self._chosen = [*(one for one in self._chosen if one != key), key]
        self.segments.choose(key)

    def said(self) -> dict[str, Any]:
        return {self.name: self.segments.key} if self.segments.on else {}

    def kept(self) -> list[str]:
        return self._chosen

    def recall(self, kept: Any) -> None:
        for key in kept if isinstance(kept, list) else [kept]:
            if isinstance(key, str):
                self.choose(key)

    def _on_changed(self, key: str) -> None:
        self.choose(key)
        self.changed.emit()


class Sizes(Choice):
    def said(self) -> dict[str, Any]:
        return {name: int(key) for name, key in super().said().items()}


class Length(Input):
    """Minutes, or a count of tokens."""

    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(name, parent)
        self.segments = Segments(title, TIMES)
        self.segments.choose("10")
        self.segments.changed.connect(self._on_changed)
        self.tokens = QSpinBox(self)
        self.tokens.setRange(LEAST_TOKENS, MOST_TOKENS)
        self.tokens.setSingleStep(100_000)
        self.tokens.setGroupSeparatorShown(True)
        self.tokens.setAccessibleName("Tokens to read")
        self.tokens.setFixedWidth(150)
        self.tokens.lineEdit().setTextMargins(SPACE[1], 0, 0, 0)
        self.row(self.segments, self.tokens, down=True)

    def stops(self) -> list[QWidget]:
        return [*self.segments.buttons.values(), self.tokens]

    def offer(self, training: Training) -> None:
        self.segments.enable(not training.counted, _NEVER.format(training.kind))
        self._show()

    def said(self) -> dict[str, Any]:
        if not self.segments.on:
            return {}
        key = self.segments.key
        return {"tokens": self.tokens.value()} if key == "tokens" else {"minutes": float(key)}

    def kept(self) -> tuple[str, int]:
        return self.segments.key, self.tokens.value()

    def recall(self, kept: Any) -> None:
        key, tokens = kept if isinstance(kept, list) and len(kept) == 2 else (None, None)
        if isinstance(key, str):
            self.segments.choose(key)
        self.tokens.setValue(_whole(tokens, 1_000_000))
        self._show()

    def _show(self) -> None:
        self.tokens.setVisible(self.segments.on and self.segments.key == "tokens")

    def _on_changed(self) -> None:
        self._show()
        self.changed.emit()


class Numbers(Input):
    """One of the numbers that the family has, or what training chooses by itself."""

    def __init__(self, name: str, title: str, parent: QWidget, numbers: Callable[[Training], Sequence[int]]) -> None:
        super().__init__(name, parent)
        self._numbers = numbers
        self.box = QComboBox()
        self.box.setAccessibleName(title)
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(6)
        self.row(self.box)

    def offer(self, training: Training) -> None:
        numbers, kept = self._numbers(training), self.kept()
        self.box.clear()
        self.box.addItem("As usual" if numbers else "None", AUTOMATIC)
        for value in numbers:
            self.box.addItem(f"{value:,}", value)
        self.box.setEnabled(bool(numbers))
        self.recall(kept)

    def said(self) -> dict[str, Any]:
        return {self.name: self.box.currentData() or None}

    def recall(self, kept: Any) -> None:
        self.box.setCurrentIndex(max(0, self.box.findData(_whole(kept, AUTOMATIC))))


class Seed(Input):
    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(name, parent)
        self.box = QSpinBox()
        self.box.setRange(0, MOST_SEED)
        self.box.setAccessibleName(title)
        self.box.lineEdit().setTextMargins(SPACE[1], 0, 0, 0)
        self.row(self.box)

    def said(self) -> dict[str, Any]:
        return {self.name: self.box.value()}

    def recall(self, kept: Any) -> None:
        self.box.setValue(_whole(kept, 1))


class NewFolder(Input):
    """A folder that is not there yet; it follows the name of what is learnt until the user gives another."""

    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(name, parent)
        self._inside = paths.trained()
        self._own = False  # typed by the user
        self._after = ""
        self.line = QLineEdit()
        self.line.setAccessibleName(title)
        self.line.textEdited.connect(self._on_edited)
        self.choose = push_button("Choose…", "Another place for the model's folder", self._ask)
        self.row(self.line, self.choose)

    def stops(self) -> list[QWidget]:
        return [self.line, self.choose]

    @property
    def path(self) -> Path:
        """Whole; a name alone is a folder beside the models that were trained before."""
        given = self.line.text().strip()
        path = Path(given)
        with contextlib.suppress(RuntimeError):  # ~ of nobody
            path = path.expanduser()
        return paths.trained() / path if given else path

    def said(self) -> dict[str, Any]:
        return {self.name: self.path}

    def kept(self) -> None:
        """Nothing: the next run has another one."""

    def wrong(self) -> str:
        return wrong_with_folder(self.path)

    def name_after(self, stem: str) -> None:
        """Suggest one that is not there yet."""
        self._after = stem
        if not self._own:
            self.line.setText(str(folder_for(stem, self._inside)))

    def next(self) -> None:
        """This one is taken now."""
        self._own = False
        self.name_after(self._after)

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Where the model's folder is made", str(self._inside))
        if folder:
            self._inside = Path(folder)
            self.next()
            self.changed.emit()

    def _on_edited(self) -> None:
        self._own = True
        self.changed.emit()


def folder_for(stem: str, inside: Path) -> Path:
    """A folder that is not there yet, named after what is learnt.

    >>> folder_for("My Poems", Path("/nowhere")).as_posix()
    '/nowhere/my-poems'
    """
    name = file_name(stem.lower(), "model")
    free, count = inside / name, 2
    while free.exists():
        free, count = inside / f"{name}-{count}", count + 1
    return free


def wrong_with_folder(path: Path) -> str:
    """Why nothing can be written there, as a sentence; empty where it can."""
    if not path.is_absolute():
        return "Give the folder a name."
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            return f"There is something in {path.name} already. Choose another folder."
        there = next(parent for parent in (path, *path.parents) if parent.exists())
    except OSError as error:
        return f"{path.name} cannot be used ({error.strerror or error}). Choose another folder."
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return f"Nothing can be written in {there}. Choose another folder."
    return ""


def _whole(value: Any, default: int) -> int:
    return value if type(value) is int and 0 <= value <= MOST_SEED else default
