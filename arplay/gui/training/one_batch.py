"""One batch: the text shifted by one, the loss of every position, and that one pass gives what stepping gives."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from arplay.core.errors import Problem
from arplay.core.format import in_unit, number
from arplay.core.signs import markup
from arplay.engine.load import Loaded
from arplay.engine.messages import Failed
from arplay.engine.one_batch import BatchLosses, OneBatch
from arplay.export.charts import Table
from arplay.gui.settings import Unit
from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.training.asks import AskBatch
from arplay.gui.training.batch import COLUMNS, ROUNDING, Position, positions, records
from arplay.gui.training.batch_sheet import BatchSheet
from arplay.gui.training.batch_table import BatchTable
from arplay.gui.training.exporting import ExportButton, table
from arplay.gui.training.gradient import signed
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.figure_row import Figure, FigureRow
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import FREE, in_column
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.scrolling import Scrolling
from arplay.gui.widgets.sheet import OnSheet

SIDE = 300
BESIDE = 860
"""Pixels of this view from which the words stand beside the list; in a narrower one, in two columns below it."""

NO_MODEL = "This is for the model in the playground: load one there, and see here how training looks at a text."
READY = (
    "Training turns a text into as many tasks as it has tokens: after each one, predict the next.\n\n"
    "Press “Run one batch” to see the tasks of this text, and the loss of each {model}."
)
MODEL = "with {name}, the model in the playground"
RUNNING = "One pass over the text, and then the same token by token…"
SHIFT = (
    "<b>Inputs and targets are one text, shifted by one.</b> Position i reads x<sub>1</sub> … x<sub>i</sub> and is to "
    "predict x<sub>i+1</sub>; its loss is −log p(x<sub>i+1</sub> | x<sub>1</sub> … x<sub>i</sub>). The dashed line "
    "leads to where each target comes back as an input."
)
FORCING = (
    "<b>Teacher forcing:</b> every position reads the true text before it, whatever the model would have written. So "
    "no position has to wait for another, and one pass does all {n} of them; it gives what stepping through the text "
    "token by token gives."
)
COARSE = " Here the two differ by more than 32-bit rounding: a model in a 16-bit number type rounds more coarsely."
TWO_RULES = (
    "<b>Two rules are called “chain rule”.</b> The one of probability, "
    "p(x<sub>1</sub> … x<sub>n</sub>) = Π p(x<sub>i</sub> | x<sub>1</sub> … x<sub>i−1</sub>), makes one factor of "
    "every token, and so the loss a sum over positions. The one of calculus, ∂loss/∂w = ∂loss/∂z · ∂z/∂w, carries the "
    "gradient of that sum back through the layers to each weight w, which is how training knows what to change."
)


class OneBatchView(OnSheet, QWidget):
    """``asked`` carries an :class:`AskBatch`; its answer comes to :meth:`show_result`."""

    asked = Signal(object)

    name = "one_batch"
    title = "One batch"

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.unit: Unit = "nats"
        self.model: Loaded | None = None
        self.batch_losses: BatchLosses | None = None
        self.rows: tuple[Position, ...] = ()
        self._of = ""
        """The text of the batch that is shown, or under way."""
        self._running = False
        self._problem: tuple[str, str] | None = None
        self._touched = False
        self.text = QLineEdit()
        self.text.setPlaceholderText("A text of at least two tokens…")
        self.text.setAccessibleName("Text of the batch")
        self.text.setToolTip("The text to make a batch of; its first 64 tokens are used")
        self.text.textEdited.connect(self._on_typed)
        self.text.returnPressed.connect(self._run)
        self.run = push_button(
            "Run one batch",
            "Score every position of the text with the model in the playground. Nothing is trained",
            self._run,
            role="primary",
        )
        self.export = ExportButton(self)
        self.problem = Label(role="warning", wrap=True)
        self.list = BatchTable()
        self.figures = FigureRow()
        self.figures.set_max_rows(2)
        self.with_model = Label(role="caption", wrap=True)
        self.ways = Label()
        self.forcing = Label()
        self._arrange()
        self.set_theme(LIGHT)
        self._show()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE[1])
        label = Label("&Text")
        label.setBuddy(self.text)
        for widget in (label, self.text, self.run, self.export):
            top.addWidget(widget, int(widget is self.text))
        shift, rules = Label(SHIFT), Label(TWO_RULES)
        for words in (shift, self.ways, self.forcing, rules):
            words.setTextFormat(Qt.TextFormat.RichText)
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        note = QFrame()
        note.setProperty("role", "note")
        QVBoxLayout(note).addWidget(rules)
        side = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, side)
        self._columns.setContentsMargins(0, 0, SPACE[1], 0)
        self._columns.setSpacing(SPACE[3])
        figures: tuple[QWidget, ...] = (self.figures, self.with_model, shift, self.forcing)
        for several in (figures, (self.ways, note)):
            column = in_column(*several, FREE, spacing=SPACE[2])
            self._columns.addLayout(column, 1)
        self._side = Scrolling(side)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(SPACE[3])
        self._body.addWidget(self.list, 5)
        self._body.addWidget(self._side, 4)
        in_column(top, self.problem, (self._body, 1), on=self, margins=SPACE[2], spacing=SPACE[1])
        self.setFocusProxy(self.text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = event.size().width() >= BESIDE
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._body.setDirection(across if beside else down)
        self._columns.setDirection(down if beside else across)
        self._columns.setStretch(0, 0 if beside else 1)
        self._side.setMinimumWidth(SIDE if beside else 0)
        self._side.setMaximumWidth(SIDE if beside else event.size().width())

    # what the window says

    def set_model(self, model: Loaded | None) -> None:
        """The model in the playground; what another one said goes."""
        if model is not self.model:
            self.model = model
            self._forget()

    def suggest_text(self, text: str) -> None:
        """The playground's text, for a field that the user has not written in: its first line that is not empty.

        A result stays, with its text.
        """
        line = next((line.strip() for line in text.splitlines() if line.strip()), "")[:1000]
        if line and not (self._touched or self._running or self.batch_losses) and line != self.text.text():
            self.text.setText(line)
            self._show()

    def show_result(self, result: object) -> None:
        if isinstance(result, BatchLosses) and self._running and self.model is not None:
            self.batch_losses, self._running = result, False
            self.rows = positions(result, self.model.vocabulary)
            self.list.show_rows(self.rows)
            self._show()
        elif isinstance(result, Failed) and self._running and result.asked in (OneBatch, None):
            self._forget()
            self._problem = result.cause, result.remedy
            self._show()

    def set_theme(self, theme: Theme) -> None:
        self.theme = self.figures.theme = theme
        self.list.set_theme(theme)
        self.figures.update()

    def set_unit(self, unit: Unit) -> None:
        self.unit = unit
        self.list.set_unit(unit)
        self._show()

    # what the user does

    def _on_typed(self) -> None:
        """Figures of another text go: those that are seen are always of the text above them."""
        self._touched = True
        self._forget()

    def _run(self) -> None:
        if self.run.isEnabled():
            self._forget()
            self._running, self._of = True, self.text.text()
            self._show()
            self.asked.emit(AskBatch(self._of))

    def _forget(self) -> None:
        self.batch_losses, self.rows, self._running, self._problem = None, (), False, None
        self._show()

    # what is shown

    def _show(self) -> None:
        self.run.setEnabled(self.model is not None and bool(self.text.text()) and not self._running)
        self.export.setEnabled(self.batch_losses is not None)
        self.problem.setVisible(self._problem is not None)
        if self._problem is not None:
            self.problem.setText(". ".join(capital(part) for part in self._problem) + ".")
        self.figures.setVisible(self.batch_losses is not None)
        self.with_model.setVisible(self.batch_losses is not None)
        model = MODEL.format(name=self.model.info.name) if self.model is not None else ""
        self.with_model.setText(model)
        if self.batch_losses is None:
            words = NO_MODEL if self.model is None else RUNNING if self._running else READY.format(model=model)
            self.list.show_rows((), words)
            self.ways.hide()
            self.forcing.setText(FORCING.format(n="").replace("  ", " "))
            return
        n, unit = len(self.rows), self.unit
        difference = self.batch_losses.largest_difference
        self.figures.show_figures(batch_figures(self.batch_losses, unit))
        self.forcing.setText(FORCING.format(n=n) + (COARSE if difference > ROUNDING else ""))
        self.ways.setText(ways_words(self.batch_losses, unit, self.theme))
        self.ways.show()

    # export

    def origin(self) -> list[str]:
        """Lines that say where the figures are from."""
        info = self.model.info if self.model is not None else None
        name = f"{info.name}, revision {info.revision}, {info.dtype} on {info.device}" if info is not None else ""
        return [name, f"one batch of: {self._of}"]

    def table(self) -> Table:
        """A row a position. Raises Problem where there is none yet."""
        if self.batch_losses is None:
            raise Problem("there is no batch to export yet", "run one first")
        mean = f"mean of one_pass: {self.batch_losses.mean_nats} nats"
        return table(records(self.rows), COLUMNS, [self.origin()[0], mean])

    what = "positions"

    def count(self) -> int:
        return len(self.rows)

    def in_sight(self) -> tuple[int, int] | None:
        return self.list.in_sight()

    def sheet(self, first: int = 0, stop: int | None = None) -> BatchSheet | None:
        """Positions [first, stop) on paper; None if there is nothing."""
        if not self.rows or self.batch_losses is None:
            return None
        mean = f"{number(in_unit(self.batch_losses.mean_nats, self.unit))} {self.unit}"
        differ = f"one pass and stepping differ by at most {self._difference()}"
        words = f"{len(self.rows)} positions, {self.with_model.text()}; {differ}"
        return BatchSheet(self.theme, self.rows, self.unit, f"One batch: mean loss {mean}", words, first, stop)

    def _difference(self) -> str:
        assert self.batch_losses is not None
        return difference_words(self.batch_losses.largest_difference, self.unit)


def difference_words(nats: float, unit: Unit) -> str:
    """A difference of two losses, without a sign; — where there is none."""
    if not math.isfinite(nats):
        return number(nats)
    return f"{signed(in_unit(nats, unit)).lstrip('+')} {unit}"


def batch_figures(batch_losses: BatchLosses, unit: Unit) -> tuple[Figure, ...]:
    mean = batch_losses.mean_nats
    perplexity = math.exp(mean) if mean < 700 else math.inf
    return (
        Figure(
            f"{number(in_unit(mean, unit))} {unit}",
            "mean loss",
            "The mean of −log p over the positions: what training makes smaller.",
        ),
        Figure(f"{len(batch_losses.inputs):,}", "positions", "One prediction each, all of one text."),
        Figure(
            number(perplexity, 2), "perplexity", "exp(mean loss in nats): as if each were one of so many equal tokens."
        ),
    )


def ways_words(batch_losses: BatchLosses, unit: Unit, theme: Theme) -> str:
    """The means of both ways beside each other, and how far a single position is apart at most."""
    stepped = math.fsum(batch_losses.stepped) / len(batch_losses.stepped)
    rows = (
        ("one pass over all", f"{number(in_unit(batch_losses.mean_nats, unit), 7)} {unit}"),
        ("stepping, one by one", f"{number(in_unit(stepped, unit), 7)} {unit}"),
        ("largest difference", difference_words(batch_losses.largest_difference, unit)),
    )
    cells = "".join(
        f"<tr><td style='color:{theme.muted}; padding:2px {SPACE[2]}px 2px 0'>{name}</td>"
        f"<td align='right' style='padding:2px 0'><b>{markup(value)}</b></td></tr>"
        for name, value in rows
    )
    return f"<table width='100%' cellspacing='0'>{cells}</table>"
