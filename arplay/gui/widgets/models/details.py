"""All that is known of one model, how it is to be loaded, and what can be done with it."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from arplay.core.format import short, size
from arplay.core.signs import safe
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.models.facts import Choice, Engine, memory
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.scrolling import Scrolling
from arplay.models.base import Info
from arplay.models.family import Ways
from arplay.models.gguf.ways import INSTALL, is_native_there
from arplay.models.store.cards import Card

WIDTH = 348
_EMPTY = "No model is chosen. Choose one on the left, or look one up below."
_DTYPES = (
    ("auto", "Automatic", "float32 on the processor, the weights' own type on an accelerator"),
    ("float32", "float32", "Exact; 4 bytes a parameter"),
    ("bfloat16", "bfloat16", "Half the memory; three significant digits"),
    ("float16", "float16", "Half the memory; a small range of numbers"),
)
_DEVICES = (
    ("auto", "Automatic", "An accelerator where there is one, else the processor"),
    ("cpu", "Processor (cpu)", "Always there"),
    ("cuda", "NVIDIA or AMD GPU (cuda)", "Needs a build of torch for it"),
    ("mps", "Apple GPU (mps)", "On a Mac with Apple silicon"),
    ("xpu", "Intel GPU (xpu)", "Needs a build of torch for it"),
)


class Details(QFrame):
    """``load``, ``get``, ``remove`` and ``show_folder`` are wishes; ``changed``: another way of loading was chosen."""

    load = Signal()
    get = Signal()
    remove = Signal()
    show_folder = Signal()
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setFixedWidth(WIDTH)
        self.card: Card | None = None
        self.verb = "Load"
        """What is done with a model that is here."""
        self.title = _label("heading")
        self._about = _label("caption")
        self.problem = _Banner(self)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE[2])
        self._grid.setVerticalSpacing(SPACE[0] + 2)
        self._grid.setColumnStretch(1, 1)
        self.values: dict[str, QLabel] = {}
        self._names: dict[str, QLabel] = {}
        for row, name in enumerate(_FIELDS):
            self._names[name], self.values[name] = _label("caption"), _label("figure")
            self._names[name].setText(name)
            self._names[name].setWordWrap(False)
            self._names[name].setContentsMargins(0, 1, 0, 0)  # on the baseline of the larger figure beside it
            self._grid.addWidget(self._names[name], row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(self.values[name], row, 1)
        self.engine = _chooser((), "Engine")
        self._offered: Ways = ()
        self.dtype = _chooser(_DTYPES, "Number type")
        self.device = _chooser(_DEVICES, "Device")
        self._ways = QGridLayout()
        self._ways.setVerticalSpacing(SPACE[1])
        self._ways.setColumnStretch(1, 1)
        self._way_names: list[QLabel] = []
        for row, box in enumerate((self.engine, self.dtype, self.device)):
            label = _label("caption")
            label.setText(box.accessibleName())
            label.setWordWrap(False)
            self._way_names.append(label)
            self._ways.addWidget(label, row, 0)
            self._ways.addWidget(box, row, 1)
            box.activated.connect(self._on_chosen)
        self.why = _label("caption")
        self._build(self._buttons())
        self.show_card(None, Choice(), None, None)

    def _buttons(self) -> QHBoxLayout:
        self.main = push_button("Load", "", self._on_main, role="primary", parent=self)
        self.folder = push_button("Folder", "Show the folder where its files are", self.show_folder, parent=self)
        self.away = push_button("Remove…", "", self.remove, parent=self)
        row = in_row(self.main, self.folder, self.away, spacing=SPACE[1])
        return row

    def _build(self, buttons: QHBoxLayout) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE[3], SPACE[3], SPACE[3], SPACE[1])
        column.setSpacing(SPACE[1])
        column.addWidget(self.title)
        column.addWidget(self._about)
        column.addWidget(self.problem)
        column.addSpacing(SPACE[0])
        column.addLayout(self._grid)
        column.addSpacing(SPACE[1])
        column.addLayout(self._ways)
        column.addWidget(self.why)
        column.addStretch(1)
        buttons.setContentsMargins(SPACE[3], 0, SPACE[3], SPACE[3])
        in_column((Scrolling(inside), 1), buttons, on=self, spacing=SPACE[1])

    def choice(self, free: int) -> Choice:
        return Choice(self.dtype.currentData(), self.device.currentData(), self._engine(), free)

    def _engine(self) -> Engine:
        """The way that a GGUF file would run: by llama.cpp or by transformers."""
        chosen: Engine | Literal[""] = self.engine.currentData()
        free = self.dtype.currentData() == self.device.currentData() == "auto"
        return chosen or ("native" if is_native_there() and free else "dequantised")

    def spec(self) -> str:
        """What to load: for a GGUF file the engine that was chosen stands behind its name."""
        assert self.card is not None
        way = self.engine.currentData() if self.card.of.ways else ""
        return f"{self.card.spec}#{way}" if way else self.card.spec

    def show_card(self, card: Card | None, choice: Choice, info: Info | None, loading: str | None) -> None:
        """``info``: of this very model, if it is the one that runs. ``loading``: how far its load is, in words."""
        self.card = card
        self.title.setText(card.title if card else "")
        self.title.setVisible(card is not None)
        self._about.setText(_EMPTY if card is None else _sentence(card.about))
        self._about.setVisible(bool(self._about.text()))
        self.problem.say(card.problem if card and card.state == "broken" else "")
        for name, value in zip(_FIELDS, _values(card, choice, info), strict=True):
            for label in (self._names[name], self.values[name]):
                label.setVisible(bool(value))
            self.values[name].setText(value)
        self.values["Family"].setToolTip(card.of.what if card and card.kind else "")
        self._show_ways(card, info)
        self._show_buttons(card, loading)

    def _show_ways(self, card: Card | None, info: Info | None) -> None:
        loadable = card is not None and card.state != "broken" and card.origin != "server" and not card.of.looked_up
        gguf = card is not None and bool(card.of.ways)
        if card is not None and card.of.ways not in ((), self._offered):
            self._offered = card.of.ways
            _fill(self.engine, card.of.ways)
        native = gguf and self.engine.currentData() == "native"
        for name, box, there in zip(
            self._way_names,
            (self.engine, self.dtype, self.device),
            (loadable and gguf, loadable and not native, loadable and not native),
            strict=True,
        ):
            name.setVisible(there)
            box.setVisible(there)
        why = [f"In use: {info.why}"] if info and info.why else []
        why += [f"Not used: {safe(sentence)}" for sentence in (info.not_used if info else ())]
        if loadable and gguf and not is_native_there():
            why.append(f"llama.cpp, which runs it quantised as it is, is not installed. To have it, run: {INSTALL}")
        self.why.setText("\n".join(why))
        self.why.setVisible(bool(self.why.text()))

    def _show_buttons(self, card: Card | None, loading: str | None) -> None:
        get = card is not None and (card.state == "fetch" or (card.state == "broken" and card.origin == "downloaded"))
        words = self.verb
        if card is not None and get:
            words = "Get again" if card.state == "broken" else f"Get {size(card.download_bytes)}"
        self.main.setText(loading or words)
        broken_file = card is not None and card.state == "broken" and not get
        self.main.setEnabled(card is not None and loading is None and not broken_file)
        self.folder.setEnabled(
            card is not None and card.origin != "server" and (card.path.exists() or card.path.parent.exists())
        )
        removable = card is not None and (
            card.origin in ("file", "server") or (card.origin == "downloaded" and not _to_get(card))
        )
        self.away.setEnabled(removable)
        listed = card is not None and card.origin in ("file", "server")
        self.away.setText("Forget…" if listed else "Remove…")
        self.away.setToolTip(
            "Take it off this list; its files stay" if listed else "Delete its files from this computer"
        )

    def _on_chosen(self) -> None:
        self.changed.emit()

    def _on_main(self) -> None:
        if self.card is not None:
            (self.load if self.card.state == "ready" else self.get).emit()


class _Banner(QFrame):
    """A cause and its remedy, in place; nothing where there is none."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self.text = _label("figure")
        in_column(self.text, on=self, margins=SPACE[1])
        self.hide()

    def say(self, problem: str) -> None:
        self.text.setText(_sentence(problem))
        self.setVisible(bool(problem))


_FIELDS = (
    "Family",
    "Parameters",
    "Size on disk",
    "To download",
    "Stored as",
    "Context",
    "Licence",
    "Memory",
    "Revision",
)


def _values(card: Card | None, choice: Choice, info: Info | None) -> list[str]:
    if card is None:
        return [""] * len(_FIELDS)
    usable = card.state != "broken"
    return [
        card.family,
        short(card.parameters) if card.parameters else "",
        size(card.disk_bytes) if card.disk_bytes else "",
        size(card.download_bytes) if card.download_bytes else "",
        card.stored_dtype,
        f"{card.context:,} tokens" if card.context else "any" if card.of.any_context else "",
        card.licence or ("not stated" if usable and card.parameters else ""),
        memory(card, choice) if usable else "",
        _in_halves(info.revision if info and info.revision else card.revision),
    ]


def _in_halves(revision: str) -> str:
    """A commit is 40 characters with no place to break a line at."""
    return f"{revision[:20]}\n{revision[20:]}" if len(revision) == 40 else revision


def _to_get(card: Card) -> bool:
    return card.state == "fetch"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{capital(text)}."


def _label(role: str) -> QLabel:
    label = Label(role=role, wrap=True)
    if role == "figure":
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _chooser(entries: Ways, name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setMinimumContentsLength(8)
    _fill(box, entries)
    return box


def _fill(box: QComboBox, entries: Ways) -> None:
    box.clear()
    for i, (key, words, tip) in enumerate(entries):
        box.addItem(words, key)
        box.setItemData(i, tip, Qt.ItemDataRole.ToolTipRole)
