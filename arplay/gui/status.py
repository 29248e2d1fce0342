"""The status bar: what runs now with a cancel button, and which model on what device at what speed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from arplay.core.position import Answer
from arplay.engine.messages import Loaded, Progress
from arplay.gui.contract import View
from arplay.gui.theme import SPACE, Theme, icon


class StatusBar(QStatusBar):
    cancel = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._progress: Progress | None = None
        self._work = QWidget(self)
        row = QHBoxLayout(self._work)
        row.setContentsMargins(SPACE[1], 0, 0, 0)
        row.setSpacing(SPACE[1])
        self._what = QLabel(self._work)
        self._bar = QProgressBar(self._work)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(140)
        self._cancel = QToolButton(self._work)
        self._cancel.setProperty("role", "quiet")
        self._cancel.setToolTip("Cancel what is running")
        self._cancel.setAccessibleName("Cancel what is running")
        self._cancel.clicked.connect(self._on_cancel)
        for widget in (self._what, self._bar, self._cancel):
            row.addWidget(widget)
        row.addStretch(1)
        self.addWidget(self._work)
        self._work.hide()
        self._model = self._label("The model that gives every number here: name, parameters, number type and device")
        self._context = self._label("Tokens of context that the model has read, and the most it can read at once")
        self._speed = self._label("Time of the last forward pass, and the tokens read per second")

    def show_progress(self, progress: Progress | None) -> None:
        self._progress = progress
        self._work.setVisible(progress is not None)
        if progress is None:
            return
        self._what.setText(progress.what[:1].upper() + progress.what[1:])
        unknown = progress.fraction is None
        self._bar.setRange(0, 0 if unknown else 1000)
        if progress.fraction is not None:
            self._bar.setValue(round(1000 * progress.fraction))

    def show_view(self, view: View) -> None:
        self._model.setText(_model_words(view.loaded) if view.loaded else "no model yet")
        self._context.setText(_context_words(view.answer, view.loaded) if view.answer and view.loaded else "")
        if view.answer is not None and view.answer.evaluated and view.answer.seconds > 0:
            ms, rate = 1000 * view.answer.seconds, view.answer.evaluated / view.answer.seconds
            self._speed.setText(f"{ms:,.0f} ms · {rate:,.0f} tokens/s")

    def set_theme(self, theme: Theme) -> None:
        self._cancel.setIcon(icon("x-circle", theme))

    def _on_cancel(self) -> None:
        if self._progress is not None:
            self.cancel.emit(self._progress.number)

    def _label(self, tip: str) -> QLabel:
        label = QLabel(self)
        label.setToolTip(tip)
        self.addPermanentWidget(label)
        return label


def _model_words(loaded: Loaded) -> str:
    info = loaded.info
    count = info.parameters
    size = f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count:,}"
    return f"{info.name} · {size} parameters · {info.dtype} on {info.device}"


def _context_words(answer: Answer, loaded: Loaded) -> str:
    used = answer.position.context
    limit = loaded.info.context
    words = f"context {used:,} of {limit:,}" if limit else f"context {used:,}"
    return words if answer.position.start == 0 else f"{words}, from token {answer.position.start:,}"
