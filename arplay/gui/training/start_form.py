"""Setting a run up: a table of fields, of which a few stand in the form; the rest has sensible values under “More”."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QGridLayout, QVBoxLayout, QWidget

from arplay.core.format import short
from arplay.engine.trainer import RunRequest
from arplay.gui.store import Store
from arplay.gui.theme import SPACE, Theme
from arplay.gui.training.inputs import Choice, Input, Length, NewFolder, Numbers, Seed, Sizes
from arplay.gui.training.material import Files
from arplay.gui.training.segments import Option
from arplay.gui.widgets.caption import Label, set_role
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.scrolling import Scrolling
from arplay.models import families
from arplay.models.family import Training, resolve

_KEY = "training_form"


@dataclass(frozen=True)
class Field:
    """A row. ``make`` gets the field's name, its label in plain words, and the form as parent.

    ``more``: 0 stands in the form itself, others in that row under “More”.
    """

    name: str
    label: str
    tip: str
    make: Callable[[str, str, QWidget], Input]
    more: int = 0


def _families(training: Training) -> list[Option]:
    return [Option(one.key, one.label, one.about) for one in families.trainings().values()]


def _sizes(training: Training) -> list[Option]:
    return [Option(str(count), short(count), about) for count, about in training.sizes]


FIELDS = (
    Field("family", "&Family", "What kind of model, and so what it learns from", partial(Choice, options=_families)),
    Field("texts", "&Train on", "What the model learns to predict, token by token; a part of it is held out", Files),
    Field("params", "&Size", "Parameters: the numbers that training adjusts", partial(Sizes, options=_sizes)),
    Field("minutes", "T&ime", "How long training reads; a count of tokens can be repeated exactly", Length),
    Field(
        "context",
        "Context (tokens)",
        "How far back the model looks when it predicts a token: as far as is usual for its family, or less for little "
        "to learn from; a picture is its own context",
        partial(Numbers, numbers=attrgetter("contexts")),
        more=1,
    ),
    Field(
        "vocabulary",
        "Vocabulary (tokens)",
        "How many different tokens there are: of text the tokenizer learns them, by itself up to 4,096; of pictures "
        "these are levels of grey, usually 8",
        partial(Numbers, numbers=attrgetter("vocabularies")),
        more=1,
    ),
    Field(
        "order",
        "Order (n)",
        "Of n-grams: a token is predicted from the n − 1 before it",
        partial(Numbers, numbers=attrgetter("orders")),
        more=1,
    ),
    Field("seed", "Seed", "The same seed and the same token count give the same model on this computer", Seed, more=1),
    Field(
        "out",
        "Folder of the model",
        "A folder of its own is made there; it opens in arplay like any model",
        NewFolder,
        more=2,
    ),
)


class StartForm(QFrame):
    """``start`` emits an :class:`arplay.training.order.RunRequest`; ``reported`` a cause and a remedy.

    ``editor`` gives the text in the playground's editor as bytes; None: something else is there.
    """

    start = Signal(object)
    reported = Signal(str, str)

    def __init__(self, store: Store, editor: Callable[[], bytes | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._store = store
        self.reason = ""
        """Why Start is disabled; empty where it is not."""
        self.live = ""
        """The name of the run that is going."""
        self.inputs = {one.name: one.make(one.name, one.label.replace("&", ""), self) for one in FIELDS}
        self.files.where, self.files.editor = store, editor
        self.more = QWidget(self)
        self.open_more = push_button(
            "More", "Context, vocabulary, order, seed and folder", self._on_more, checkable=True
        )
        self.go = push_button("Start training", "Ctrl+Enter", self.begin, role="primary")
        self.go.setMinimumHeight(38)
        self.why = Label(parent=self, wrap=True)
        self._lay_out()
        self._recall()
        follow = {"family": self._on_family, "texts": self._on_files}
        for name, one in self.inputs.items():
            one.changed.connect(follow.get(name, self._show))
        self.files.reported.connect(self.reported)
        self._on_family()

    @property
    def files(self) -> Files:
        return self.inputs["texts"]  # type: ignore[return-value]

    @property
    def folder(self) -> NewFolder:
        return self.inputs["out"]  # type: ignore[return-value]

    @property
    def training(self) -> Training:
        """That of the family which is chosen."""
        return families.trained(self.inputs["family"].said()["family"])

    def _lay_out(self) -> None:
        form, grid = QGridLayout(), QGridLayout(self.more)
        form.setHorizontalSpacing(SPACE[3])
        form.setVerticalSpacing(SPACE[3])
        form.setColumnStretch(1, 1)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[2])
        grid.setVerticalSpacing(SPACE[0])
        small = [one for one in FIELDS if one.more == 1]
        for at, one in enumerate(FIELDS):
            made = self.inputs[one.name]
            label = Label(one.label, self, role="caption" if one.more else "heading")
            label.setToolTip(one.tip)
            label.setBuddy(made.buddy)
            if not one.more:
                label.setContentsMargins(0, 6, 0, 0)
                form.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
                form.addWidget(made, at, 1)
                form.setRowStretch(at, int(made is self.files))
                continue
            made.buddy.setToolTip(one.tip)
            column, span = (small.index(one), 1) if one in small else (0, len(small))
            grid.addWidget(label, 2 * one.more, column, 1, span)
            grid.addWidget(made, 2 * one.more + 1, column, 1, span)
            grid.setColumnStretch(column, 1)
        bottom = in_row(self.open_more, (self.why, 1), self.go, spacing=SPACE[2])
        inside = QWidget(self)
        in_column((form, 1), self.more, on=inside, margins=(SPACE[3], SPACE[3], SPACE[3], SPACE[1]), spacing=SPACE[3])
        bottom.setContentsMargins(SPACE[3], SPACE[1], SPACE[3], SPACE[3])
        column_of_all = QVBoxLayout(self)
        column_of_all.setContentsMargins(0, 0, 0, 0)
        column_of_all.setSpacing(0)
        self.area = Scrolling(inside)
        column_of_all.addWidget(self.area, 1)
        column_of_all.addLayout(bottom)

    # ---- what is chosen

    def wanted(self) -> RunRequest:
        """The run that is set up; only to be asked for while ``reason`` is empty."""
        return RunRequest(**{name: value for one in self.inputs.values() for name, value in one.said().items()})

    def refresh(self, live: str = "") -> None:
        """Look at the files and the folder again; ``live``: the name of the run that is going."""
        self.live = live
        self.files.look_again()

    def add_files(self, files: Sequence[Path]) -> None:
        """What the family does not learn from goes to the first one that does, which is chosen."""
        whole = [file.resolve() for file in files]
        if whole and resolve(self.training.learns).look(whole[0]).problem:
            known = families.trainings().values()
            fitting = next((one for one in known if not resolve(one.learns).look(whole[0]).problem), self.training)
            self.inputs["family"].recall(fitting.key)
            self._on_family()
        self.files.add_paths(whole)

    def set_theme(self, theme: Theme) -> None:
        self.files.list.set_theme(theme)

    # ---- what the user does

    def begin(self) -> None:
        """Start, if the form is fine."""
        self.refresh(self.live)
        if not self.reason:
            kept = {name: one.kept() for name, one in self.inputs.items()} | {"more": self.open_more.isChecked()}
            self._store.set_text(_KEY, json.dumps(kept))
            self.start.emit(self.wanted())

    def _on_more(self) -> None:
        self.more.setVisible(self.open_more.isChecked())
        if self.open_more.isChecked():
            QApplication.sendPostedEvents()  # of the layout, which has grown
            self.area.ensureWidgetVisible(self.more)

    def _on_family(self) -> None:
        training = self.training
        for name, one in self.inputs.items():
            if name != "family":
                one.offer(training)
        stops = [stop for one in self.inputs.values() for stop in one.stops()]  # as one reads the form
        for before, after in pairwise([*stops, self.open_more, self.go]):
            self.setTabOrder(before, after)
        self._on_files()

    def _on_files(self) -> None:
        found = self.files.found
        self.folder.name_after(found[0].path.stem if found else "model")
        self._show()

    def _show(self) -> None:
        going = f"{self.live} is still being trained: pause or cancel it first." if self.live else ""
        self.reason = going or next(filter(None, (one.wrong() for one in self.inputs.values())), "")
        self.go.setEnabled(not self.reason)
        few = 2 * self.files.count < self.inputs["params"].said().get("params", 0)
        small = self.files.material.small if few else ""
        self.why.setText(self.reason or f"The model will be in {self.folder.path}. {small}")
        set_role(self.why, "warning" if self.reason and self.files.found else "caption")

    def _recall(self) -> None:
        """What was chosen the last time; what is not valid any more has its default."""
        try:
            saved = json.loads(self._store.text(_KEY, "{}"))
        except (ValueError, RecursionError):
            saved = {}  # every choice is seen in the form
        saved = saved if isinstance(saved, dict) else {}
        self.inputs["family"].offer(families.trained(None))
        for name, one in self.inputs.items():
            one.recall(saved.get(name))
            if name == "family":
                for other in self.inputs.values():
                    other.offer(self.training)
        self.open_more.setChecked(saved.get("more") is True)
        self._on_more()
