"""Setting a run up: texts, size and time are three choices; the rest has sensible values under “More”."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.engine.trainer import RunRequest
from arplay.export.writers import replacing
from arplay.gui.store import Store
from arplay.gui.theme import SPACE, Theme
from arplay.gui.training.choices import (
    LEAST_TOKENS,
    MOST_SEED,
    MOST_TOKENS,
    SIZES,
    TIMES,
    overfitting,
    wrong_with_folder,
    wrong_with_texts,
)
from arplay.gui.training.more import AUTOMATIC, More
from arplay.gui.training.segments import Option, Segments
from arplay.gui.training.texts import TextList
from arplay.gui.widgets.caption import Caption, Label, set_role
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.scrolling import Scrolling
from arplay.models import families

_KEY = "training_form"
_NEVER = "Nothing to choose: {} is counted in one go and is as large as its counts."


class StartForm(QFrame):
    """``start`` emits an :class:`arplay.training.order.RunRequest`; ``reported`` a cause and a remedy.

    ``editor`` gives the text in the playground's editor as bytes; None: something else is there.
    """

    start = Signal(object)
    reported = Signal(str, str)

    def __init__(self, store: Store, editor: Callable[[], bytes | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._store, self._editor = store, editor
        self.reason = ""
        """Why Start is disabled; empty where it is not."""
        self.live = ""
        """The name of the run that is going."""
        self.texts = TextList(self)
        self.add = push_button("Add files…", "Texts in UTF-8; you can also drop them here", self._ask_files)
        self.use_editor = push_button(
            "Use the text in the editor", "A copy of the playground's text as it is now", self.add_editor
        )
        self.remove = push_button("Remove", "Take the chosen texts off the list (Delete)", self.texts.remove_chosen)
        self.total = Caption()
        self.params = Segments("Size", SIZES)
        self.time = Segments("Time", TIMES)
        self.family = Segments(
            "Family",
            [Option(one.key, one.label, one.about) for one in families.trainings().values() if one.unit == "byte"],
        )
        self.tokens = QSpinBox(self)
        self.tokens.setRange(LEAST_TOKENS, MOST_TOKENS)
        self.tokens.setSingleStep(100_000)
        self.tokens.setGroupSeparatorShown(True)
        self.tokens.setAccessibleName("Tokens to read")
        self.tokens.setFixedWidth(150)
        self.tokens.lineEdit().setTextMargins(SPACE[1], 0, 0, 0)
        self.more = More(self)
        self.open_more = push_button("More", "Context, vocabulary, seed and folder", self._on_more)
        self.open_more.setCheckable(True)
        self.go = push_button("Start training", "Ctrl+Enter", self.begin)
        self.go.setProperty("role", "primary")
        self.go.setMinimumHeight(38)
        self.why = Label(parent=self, wrap=True)
        self._lay_out()
        self._recall()
        self.texts.changed.connect(self._on_texts)
        self.texts.itemSelectionChanged.connect(self._on_chosen)
        self.more.changed.connect(self._show)
        for segments in (self.params, self.time, self.family):
            segments.changed.connect(self._show)
        self._on_texts()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE[1])
        for button in (self.add, self.use_editor, self.remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        texts = QVBoxLayout()
        texts.setSpacing(SPACE[1])
        texts.addLayout(buttons)
        texts.addWidget(self.texts, 1)
        texts.addWidget(self.total)
        self.texts.setMinimumHeight(84)
        time = QVBoxLayout()
        time.setSpacing(SPACE[0])
        time.addWidget(self.time)
        time.addWidget(self.tokens)
        form = QGridLayout()
        form.setHorizontalSpacing(SPACE[3])
        form.setVerticalSpacing(SPACE[3])
        form.setColumnStretch(1, 1)
        form.setRowStretch(0, 1)
        known = "What the model learns to predict, token by token; of each text a part is held out"
        rows: tuple[tuple[str, str, QWidget, QWidget | QVBoxLayout], ...] = (
            ("&Texts", known, self.texts, texts),
            ("&Size", "Parameters: the numbers that training adjusts", self.params, self.params),
            ("T&ime", "How long training reads; a count of tokens can be repeated exactly", self.time, time),
            ("&Family", "How the model looks back at the tokens before", self.family, self.family),
        )
        for row, (name, tip, buddy, what) in enumerate(rows):
            label = Label(name, self)
            label.setToolTip(tip)
            label.setBuddy(buddy)
            label.setProperty("role", "heading")
            label.setContentsMargins(0, 6, 0, 0)
            form.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            if isinstance(what, QWidget):
                form.addWidget(what, row, 1)
            else:
                form.addLayout(what, row, 1)
        bottom = QHBoxLayout()
        bottom.setSpacing(SPACE[2])
        bottom.addWidget(self.open_more)
        bottom.addWidget(self.why, 1)
        bottom.addWidget(self.go)
        inside = QWidget(self)
        upper = QVBoxLayout(inside)
        upper.setContentsMargins(SPACE[3], SPACE[3], SPACE[3], SPACE[1])
        upper.setSpacing(SPACE[3])
        upper.addLayout(form, 1)
        upper.addWidget(self.more)
        bottom.setContentsMargins(SPACE[3], SPACE[1], SPACE[3], SPACE[3])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.area = Scrolling(inside)
        column.addWidget(self.area, 1)
        column.addLayout(bottom)
        self._order_tabs()

    def _order_tabs(self) -> None:
        """As one reads the form, whatever was made first."""
        order: list[QWidget] = [self.add, self.use_editor, self.remove, self.texts]
        for segments in (self.params, self.time):
            order += segments.buttons.values()
        order += [self.tokens, *self.family.buttons.values()]
        order += [self.more.context, self.more.vocabulary, self.more.seed, self.more.folder, self.more.choose]
        for before, after in pairwise([*order, self.open_more, self.go]):
            self.setTabOrder(before, after)

    # ---- what is chosen

    def wanted(self) -> RunRequest:
        """The run that is set up; only to be asked for while ``reason`` is empty."""
        timed = self.time.key != "tokens"
        order = RunRequest(
            texts=tuple(text.path for text in self.texts.texts),
            out=self.more.path,
            family=self.family.key,
            params=int(self.params.key),
            context=self.more.context.currentData() or None,
            vocabulary=self.more.vocabulary.currentData() or None,
            minutes=float(self.time.key) if timed else None,
            tokens=None if timed else self.tokens.value(),
            seed=self.more.seed.value(),
        )
        counted = families.trained(order.family).counted  # which has no size, and ends with its texts
        return replace(order, params=None, context=None, minutes=None, tokens=None) if counted else order

    def refresh(self, live: str = "") -> None:
        """Look at the files and the folder again; ``live``: the name of the run that is going."""
        self.live = live
        self.texts.look_again()

    def add_files(self, files: list[Path]) -> None:
        self.texts.add(file.resolve() for file in files)

    def add_editor(self) -> None:
        """Keep a copy of the editor's text as a file that never changes, so that the run can be repeated."""
        data = self._editor()
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
            self.add_files([path])

    def set_theme(self, theme: Theme) -> None:
        self.texts.set_theme(theme)

    # ---- what the user does

    def begin(self) -> None:
        """Start, if the form is fine."""
        self.refresh(self.live)
        if not self.reason:
            self._keep()
            self.start.emit(self.wanted())

    def _ask_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(
            self, "Add texts", self._store.text("training_texts", ""), "Texts (*.txt *.md);;All files (*)"
        )
        if files:
            self._store.set_text("training_texts", str(Path(files[0]).parent))
            self.add_files([Path(file) for file in files])

    def _on_more(self) -> None:
        self.more.setVisible(self.open_more.isChecked())
        if self.open_more.isChecked():
            QApplication.sendPostedEvents()  # of the layout, which has grown
            self.area.ensureWidgetVisible(self.more)

    def _on_chosen(self) -> None:
        self.remove.setEnabled(bool(self.texts.selectedIndexes()))

    def _on_texts(self) -> None:
        self.more.name_after(self.texts.texts)
        self._show()

    def _show(self) -> None:
        texts = self.texts.texts
        total = sum(text.bytes for text in texts)
        count = f"{len(texts)} text{'' if len(texts) == 1 else 's'}, {size(total)}"
        self.total.show_text(count if texts else "")
        self.total.setVisible(bool(texts))
        self._on_chosen()
        training = families.trained(self.family.key)
        counted = training.counted
        for segments in (self.params, self.time):
            segments.enable(not counted, _NEVER.format(training.kind))
        self.tokens.setVisible(self.time.key == "tokens" and not counted)
        self.more.context.setEnabled(not counted)
        going = f"{self.live} is still being trained: pause or cancel it first." if self.live else ""
        self.reason = going or wrong_with_texts(texts) or wrong_with_folder(self.more.path)
        self.go.setEnabled(not self.reason)
        small = "" if counted else overfitting(total, int(self.params.key))
        self.why.setText(self.reason or f"The model will be in {self.more.path}. {small}")
        set_role(self.why, "warning" if self.reason and texts else "caption")

    # ---- remembered

    def _keep(self) -> None:
        kept = {
            "texts": [str(text.path) for text in self.texts.texts],
            "size": self.params.key,
            "time": self.time.key,
            "family": self.family.key,
            "tokens": self.tokens.value(),
            "context": self.more.context.currentData(),
            "vocabulary": self.more.vocabulary.currentData(),
            "seed": self.more.seed.value(),
            "more": self.open_more.isChecked(),
        }
        self._store.set_text(_KEY, json.dumps(kept))

    def _recall(self) -> None:
        """What was chosen the last time; what is not valid any more has its default."""
        try:
            saved = json.loads(self._store.text(_KEY, "{}"))
        except (ValueError, RecursionError):
            saved = {}  # every choice is seen in the form
        saved = saved if isinstance(saved, dict) else {}
        self.time.choose("10")
        for segments, name in ((self.params, "size"), (self.time, "time"), (self.family, "family")):
            if isinstance(key := saved.get(name), str):
                segments.choose(key)
        self.tokens.setValue(_whole(saved.get("tokens"), 1_000_000))
        self.more.seed.setValue(_whole(saved.get("seed"), 1))
        for box, name in ((self.more.context, "context"), (self.more.vocabulary, "vocabulary")):
            at = box.findData(_whole(saved.get(name), AUTOMATIC))
            box.setCurrentIndex(at if at >= 0 else box.findData(AUTOMATIC))
        self.open_more.setChecked(saved.get("more") is True)
        self._on_more()
        known = saved.get("texts")
        files = [Path(one) for one in known if isinstance(one, str)] if isinstance(known, list) else []
        self.texts.add(file for file in files if file.is_file())


def _whole(value: Any, default: int) -> int:
    return value if type(value) is int and 0 <= value <= MOST_SEED else default
