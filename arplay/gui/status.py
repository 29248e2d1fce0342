"""The status bar: what runs now with a cancel button, and which model on what device at what speed."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QProgressBar, QStatusBar, QToolButton, QWidget

from arplay.core.format import short, size
from arplay.core.position import Answer
from arplay.core.signs import markup, safe
from arplay.engine.load import Loaded
from arplay.engine.messages import Progress
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, Label, plain
from arplay.gui.widgets.labels import capital
from arplay.models.scored_run import SavedRun

MODEL_TIP = "The model that gives every number here: name, parameters, number type and device"
RUN_TIP = "The model that gave the numbers of this saved scoring run. It is not loaded"
CACHE_TIP = (
    "Memory that keeps what was read, so that it is not read again: see the panel Cost of a step.\n"
    "Branches of the text share it, within a sixteenth of this machine's memory and 1 GiB at most; where that is "
    "used up, the branch that was not used for longest goes first (LRU)."
)
WIDEST_NAME = 130


class StatusBar(QStatusBar):
    cancel = Signal(int)
    says = Signal(str)
    """What is done now, in which phase and for how long; empty where nothing is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._progress: Progress | None = None
        self._loaded: Loaded | None = None
        self._busy = ""
        self._began = 0.0
        self._clock = QTimer(self)
        self._clock.setInterval(500)
        self._clock.timeout.connect(self._show_work)
        self._work = QWidget(self)
        row = QHBoxLayout(self._work)
        row.setContentsMargins(SPACE[1], 0, 0, 0)
        row.setSpacing(SPACE[1])
        self._what = Caption()
        self._bar = QProgressBar(self._work)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(100)
        self._cancel = QToolButton(self._work)
        self._cancel.setProperty("role", "quiet")
        self._cancel.setToolTip("Cancel what is running")
        self._cancel.setAccessibleName("Cancel what is running")
        self._cancel.clicked.connect(self._on_cancel)
        row.addWidget(self._bar)
        row.addWidget(self._cancel)
        row.addWidget(self._what, 1)
        self.addWidget(self._work, 1)
        self._work.hide()
        self._unused = QToolButton(self)
        self._unused.setProperty("role", "quiet")
        self._unused.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._unused.clicked.connect(self._on_unused)
        self._unused.hide()
        self.addPermanentWidget(self._unused)
        self._model = self._label(MODEL_TIP)
        self._context = self._label("Tokens of context that the model has read, and the most it can read at once")
        self._cache = self._label(CACHE_TIP)
        self._speed = self._label("Time of the last forward pass, and the tokens read per second")
        self._show_model(None)

    def show_progress(self, progress: Progress | None) -> None:
        self._progress = progress
        self._show_work()

    def rest(self) -> None:
        """The window closes: the clock stands still."""
        self._busy, self._progress = "", None
        self._show_work()

    def _show_work(self) -> None:
        """What is done, in which phase, and for how long."""
        progress = self._progress
        works = bool(self._busy) or progress is not None
        self._work.setVisible(works)
        self._cancel.setVisible(progress is not None)
        if not works:
            self._clock.stop()
            self.says.emit("")
            return
        if not self._clock.isActive():
            self._began = time.monotonic()
            self._clock.start()
        words = [] if progress is None else [progress.what, *progress.transfer]
        loads = self._busy.startswith("Loading") and (progress is None or progress.bytes_done is None)
        if loads or not words:  # a load has phases; what else is done says so itself
            words.insert(0, self._busy)
        seconds = int(time.monotonic() - self._began)
        if seconds and (progress is None or progress.seconds_left is None):
            words.append(f"{seconds:,} s")
        self._what.show_text(capital(" · ".join(words)))
        self.says.emit(self._what.full)
        fraction = None if progress is None else progress.fraction
        self._bar.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self._bar.setValue(round(1000 * fraction))

    def show_view(self, view: View) -> None:
        if (view.busy or "") != self._busy:
            self._busy = view.busy or ""
            self._clock.stop()  # what is done now has a time of its own
            self._show_work()
        self._cache.setText(_cache_words(view.answer, view.loaded) if view.answer and view.loaded else "")
        self._context.setText(_context_words(view.answer, view.loaded) if view.answer and view.loaded else "")
        if view.info is not (self._loaded and self._loaded.info):
            self._show_model(view.loaded, view.run)
        self._loaded = view.loaded
        if view.answer is not None and view.answer.evaluated and view.answer.seconds > 0:
            ms, rate = 1000 * view.answer.seconds, view.answer.evaluated / view.answer.seconds
            self._speed.setText(f"{ms:,.0f} ms · {rate:,.0f} tokens/s")

    def _show_model(self, loaded: Loaded | None, run: SavedRun | None = None) -> None:
        name = loaded.info.name if loaded else ""
        short = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, WIDEST_NAME)
        self._model.setText(("saved run · " if run is not None else "") + _model_words(short, loaded))
        tip = "\n".join((_model_words(name, loaded), *_how_it_runs(loaded), MODEL_TIP if run is None else RUN_TIP))
        self._model.setToolTip(plain(tip))
        self._show_unused(loaded.info.not_used if loaded else ())
        self._speed.clear()  # it was another model's

    def _show_unused(self, sentences: tuple[str, ...]) -> None:
        told = [capital(each) for each in sentences]
        self._unused.setVisible(bool(told))
        self._unused.setText(f"{len(told)} not used")
        self._unused.setAccessibleName(f"Not used with this model: {safe('; '.join(told))}")
        self._unused.setToolTip(markup("\n".join(("Not used with this model, and why:", *told))))

    def _on_unused(self) -> None:
        box = QMessageBox(QMessageBox.Icon.Information, "Not used with this model", "", parent=self)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText("\n\n".join(safe(capital(each)) for each in self._loaded.info.not_used) if self._loaded else "")
        box.setInformativeText("What is shown is computed without it.")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def set_theme(self, theme: Theme) -> None:
        self._unused.setIcon(icon("warning-circle", theme, "muted"))
        self._cancel.setIcon(icon("x-circle", theme))

    def _on_cancel(self) -> None:
        if self._progress is not None:
            self.cancel.emit(self._progress.number)

    def _label(self, tip: str) -> QLabel:
        label = Label(parent=self)
        label.setToolTip(tip)
        label.setMinimumWidth(1)  # a long line must not widen the window beyond a small screen
        self.addPermanentWidget(label)
        return label


def _model_words(name: str, loaded: Loaded | None) -> str:
    if loaded is None:
        return "no model yet"
    info = loaded.info
    if (count := info.parameters) is None:
        return f"{name} · {info.dtype} on {info.device}"
    return f"{name} · {short(count)} parameters · {info.dtype} on {info.device}"


def _how_it_runs(loaded: Loaded | None) -> list[str]:
    """The library that computes, why it does so there and in this number type, and where its layers are."""
    info = loaded.info if loaded else None
    return [line for line in (f"Computed by {info.engine}", info.why, info.placement) if line] if info else []


def _cache_words(answer: Answer, loaded: Loaded) -> str:
    if not loaded.can.keeps or not answer.cache_bytes:
        return ""
    words = f"cache {size(answer.cache_bytes)}"
    return f"{words} · {answer.branches:,} branches" if answer.branches > 1 else words


def _context_words(answer: Answer, loaded: Loaded) -> str:
    used = answer.position.context
    limit = loaded.info.context
    words = f"context {used:,} of {limit:,}" if limit else f"context {used:,}"
    return words if answer.position.start == 0 else f"{words}, from token {answer.position.start:,}"
