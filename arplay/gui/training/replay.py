"""Replay: how the prediction of the user's prompt sharpened, and its heatmap cooled down, over a run's snapshots."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedLayout, QVBoxLayout, QWidget

from arplay.core.errors import Problem
from arplay.engine.messages import Failed
from arplay.engine.replay import Replay, Replayed, ReplayEnded
from arplay.engine.trainer import TrainingState
from arplay.export.charts import Table
from arplay.gui.canvases.text.heat.view import HeatView
from arplay.gui.panels.heatmap import heat_figures
from arplay.gui.settings import Unit
from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.training import facts
from arplay.gui.training.asks import AskReplay
from arplay.gui.training.exporting import ExportButton, table
from arplay.gui.training.next_chart import COLUMNS, NextChart
from arplay.gui.training.snapshot_answers import SnapshotAnswers
from arplay.gui.training.snapshots import Snapshot
from arplay.gui.training.timeline import Timeline
from arplay.gui.widgets.caption import Caption, Label
from arplay.gui.widgets.figure_row import FigureRow
from arplay.gui.widgets.heat.legend import Legend, ProgressLine
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import in_column
from arplay.gui.widgets.push_button import push_button

DEFAULT = "Once upon a time there was a little girl who lived in a house by the sea."
PAUSE_MS = 350
"""So long after the last key the prompt is asked about."""
LONGEST = 2000
"""Characters of a text that the prompt is given to begin with; snapshots read its first 256 tokens."""

NO_RUN = (
    "Here you see how a model learned to predict your text.\n\n"
    "Start a training run, or open one of before: it keeps a snapshot of its weights now and then, and every one of "
    "them is asked about the same text."
)
NO_TEXT = "Write a text above: the snapshots say what they expect after it, and how much each token surprised them."
NO_FIRST = "Nothing stands before the first token, so the model has no distribution for it. Choose a later one."
CLICK = "Click a token to see what was expected there"


class ReplayView(QWidget):
    """``asked`` carries an :class:`AskReplay`; its answers come to :meth:`show_result`. Hidden, it asks for nothing."""

    asked = Signal(object)

    name = "replay"
    title = "Replay"

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.unit: Unit = "nats"
        self.state: TrainingState | None = None
        self.answers = SnapshotAnswers()
        self.chosen: int | None = None
        """The step that the user went to; None follows the newest."""
        self.index: int | None = None
        """As in :class:`AskReplay`."""
        self._problem: tuple[str, str] | None = None
        self._failed_at: tuple[int, ...] = ()
        self.prompt = QLineEdit(DEFAULT)
        self.prompt.setPlaceholderText("A text to watch while the model learns…")
        self.prompt.setAccessibleName("Prompt")
        self.prompt.setToolTip("The text that every snapshot is asked about; its first 256 tokens are read")
        self._touched = False
        self.prompt.textEdited.connect(self._on_typed)
        self.after = push_button(
            "After the text",
            "Show what the snapshots expect after the whole text",
            lambda: self._go_to(None),
            role="chip",
            name="Show the prediction after the whole text",
            checkable=True,
        )
        self.timeline = Timeline()
        self.timeline.moved.connect(self._on_moved)
        self.timeline.followed.connect(self._on_followed)
        self.chart = NextChart()
        self.heat = HeatView()
        self.heat.picked.connect(self._on_picked)
        self.figures = FigureRow()
        self.caption = Caption()
        self.caption.tip = "The tokens of the text are coloured by their surprisal at this snapshot"
        self.legend = Legend()
        self.progress = ProgressLine()
        self.problem = Label(role="warning", wrap=True)
        self.export = ExportButton(self)
        self.empty = Label(wrap=True)
        self.empty.setMargin(SPACE[4])
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._typing = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._typing.timeout.connect(self._ask_anew)
        self._arrange()
        self.set_theme(LIGHT)
        self._show()

    def _arrange(self) -> None:
        top, foot, body, right = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), QVBoxLayout()
        label = Label("&Prompt")
        label.setBuddy(self.prompt)
        for widget in (label, self.prompt, self.after, self.export):
            top.addWidget(widget, int(widget is self.prompt))
        foot.addWidget(self.legend, 1)
        right.addWidget(self.figures)
        right.addWidget(self.caption)
        right.addWidget(self.heat, 1)
        right.addLayout(foot)
        body.addWidget(self.chart, 11)
        body.addLayout(right, 9)
        top.setSpacing(SPACE[1])
        right.setSpacing(SPACE[0])
        body.setSpacing(SPACE[3])
        self.body = QWidget()
        in_column(
            top, self.problem, self.progress, self.timeline, (body, 1), on=self.body, margins=SPACE[2], spacing=SPACE[1]
        )
        self.pages = QStackedLayout(self)
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.body)
        self.setFocusProxy(self.timeline)

    # what the window says

    def set_run(self, state: TrainingState | None) -> None:
        """The run as it stands, as often as the window looks; None: there is none."""
        if state is not None and not facts.of_text(state):
            state = replace(state, snapshots=())
        before, self.state = self.state, state
        if state is None or before is None or state.folder != before.folder:
            self._start_over()
        elif state.snapshots != before.snapshots:
            self.answers.keep(state.snapshots)
        if state != before:
            self._catch_up()
            self._show()

    def suggest_text(self, text: str) -> None:
        """The playground's text, for a prompt that the user has not written in: its first line that is not empty."""
        line = next((line.strip() for line in text.splitlines() if line.strip()), "")[:LONGEST]
        if line and not self._touched and line != self.prompt.text():
            self.prompt.setText(line)
            self._ask_anew()

    def show_result(self, result: object) -> None:
        if isinstance(result, Replayed):
            self.answers.take(result)
            if self.answers.stale:
                self._show_progress()
            else:
                self._show()
        elif isinstance(result, ReplayEnded):
            self.answers.end()
            self._show()
        elif isinstance(result, Failed) and result.asked in (Replay, None) and self.answers.asked is not None:
            self.answers.give_up()
            self._problem = result.cause, result.remedy
            self._failed_at = self.state.snapshots if self.state is not None else ()
            self._show()

    def set_theme(self, theme: Theme) -> None:
        self.theme = self.figures.theme = self.progress.theme = theme
        self.chart.set_theme(theme)
        self.timeline.set_theme(theme)
        self._show_heat_style()
        self.figures.update()

    def set_unit(self, unit: Unit) -> None:
        self.unit = unit
        self.chart.set_unit(unit)
        self.timeline.set_unit(unit)
        self._show_heat_style()
        self._show()

    def set_animate(self, animate: bool) -> None:
        self.chart.bars.animate = animate

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.legend.setVisible(event.size().width() >= 720)
        tall = event.size().height() >= 440
        self.timeline.line.setVisible(tall)
        self.figures.set_max_rows(2 if tall else 1)

    # asking

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._catch_up()

    def _start_over(self) -> None:
        self.answers, self.chosen, self.index = SnapshotAnswers(), None, None
        self._problem = None
        self.timeline.stop()

    def _catch_up(self) -> None:
        """Ask for the snapshots that have not answered, if there are any, and nothing is under way or hopeless."""
        state = self.state
        if not self.isVisible() or state is None or not state.snapshots:
            return
        if self.answers.asked or self._typing.isActive():
            return
        known = max(self.answers.shown, default=-1)
        if state.snapshots[-1] <= known or (self._problem and state.snapshots == self._failed_at):
            return
        self._ask(after=known)

    def _ask_anew(self) -> None:
        self._typing.stop()
        self.index = None
        self._ask()

    def _ask(self, after: int = -1) -> None:
        self._problem = None
        if not self.prompt.text():
            self.answers = SnapshotAnswers()
        elif self.state is not None and self.state.snapshots and self.isVisible():
            ask = AskReplay(self.prompt.text(), self.index, after)
            self.answers.ask(ask)
            if self.answers.stale:
                self.chart.wait()
            self.asked.emit(ask)
        elif after < 0:
            self.answers = SnapshotAnswers()  # asked when it is seen again
        self._show()

    # what the user does

    def _on_typed(self) -> None:
        self._touched = True
        self._typing.start()

    def _on_moved(self, at: int) -> None:
        steps = self.answers.steps
        if at < len(steps):
            self.chosen = None if at == len(steps) - 1 else steps[at]
            self._show()

    def _on_followed(self, follow: bool) -> None:
        shown = self.shown
        self.chosen = None if follow or shown is None else shown.step
        self._show()

    def _on_picked(self, index: int) -> None:
        shown = self.shown
        if shown is not None:
            self._go_to(shown.answer.lead + index)

    def _go_to(self, index: int | None) -> None:
        self.after.setChecked(index is None)
        if index == self.index:
            return
        self.index = index
        if index == 0:  # only where nothing is read before the text
            self._show()
        else:
            self._ask()

    # what is shown

    @property
    def shown(self) -> Snapshot | None:
        """The snapshot that the user went to, or the newest; the one before it where it has not answered."""
        steps = self.answers.steps
        if not steps:
            return None
        if self.chosen is None:
            return self.answers.newest
        return self.answers.shown[max((step for step in steps if step <= self.chosen), default=steps[0])]

    @property
    def live(self) -> bool:
        return self.state is not None and self.state.status in ("starting", "running", "pausing")

    def _show(self) -> None:
        state = self.state
        there = state is not None and (bool(state.snapshots) or bool(self.answers.shown))
        self.pages.setCurrentIndex(int(there))
        if state is None or not there:
            self.empty.setText(NO_RUN if state is None else facts.no_snapshots(state))
            return
        self.problem.setVisible(self._problem is not None)
        if self._problem is not None:
            self.problem.setText(". ".join(capital(part) for part in self._problem) + ".")
        self._show_progress()
        shown = self.shown
        self._show_timeline(state, shown)
        self.after.setChecked(self.index is None)
        self.export.setEnabled(shown is not None)
        if shown is None:
            self._show_nothing()
            return
        self._show_heat(shown)
        if self.index == 0:
            self.chart.show_message(NO_FIRST)
        else:
            snapshots = [self.answers.shown[step] for step in self.answers.steps]
            self.chart.show_snapshots(shown, self.answers.newest, snapshots)
            if self.answers.stale:
                self.chart.wait()

    def _show_nothing(self) -> None:
        message = NO_TEXT if not self.prompt.text() else "Asking the snapshots…"
        if self._problem is not None:
            message = "The snapshots could not be asked."
        self.chart.show_message(message)
        self.heat.show_empty(message)
        self.heat.show_ledger(None, None, ())
        self.figures.show_figures(())
        self.caption.show_text("")

    def _show_progress(self) -> None:
        asked, state = self.answers.asked, self.state
        wanted = 0 if asked is None or state is None else sum(step > asked.after for step in state.snapshots)
        answered = self.answers.answered if asked is not None and asked.after < 0 else 0
        self.progress.show_share(min(1.0, answered / wanted) if wanted else None)

    def _show_timeline(self, state: TrainingState, shown: Snapshot | None) -> None:
        self.timeline.show_live(self.live, self.chosen is None)
        if shown is None:
            self.timeline.show_nothing()
            return
        steps = self.answers.steps
        at = steps.index(shown.step)
        self.timeline.show_steps(len(steps), at)
        self.timeline.show_words(shown.step, state.plan, state.reports)
        values = [self.answers.shown[step].mean_nats for step in steps]
        self.timeline.line.show_values(values, math.log(len(shown.answer.vocabulary)), at)

    def _show_heat(self, shown: Snapshot) -> None:
        ledger, answer = shown.ledger, shown.answer
        self.heat.show_ledger(ledger, answer.vocabulary, shown.lead)
        index = answer.index - answer.lead if self.index != 0 else 0
        self.heat.show_place((index, index + 1) if self.index is not None and index < len(ledger) else None, None)
        self.figures.show_figures(heat_figures(ledger, self.unit))
        cut = answer.encoded.units < len(self.prompt.text().encode("utf-8", "replace"))
        self.caption.show_text(
            f"the first {len(ledger):,} tokens of the text" if cut and not self.answers.stale else CLICK
        )

    def _show_heat_style(self) -> None:
        scale = HeatScale(self.theme, "surprisal")
        self.heat.show_style(self.theme, scale, self.unit)
        self.legend.show_scale(self.theme, scale, self.unit)

    # export

    def origin(self) -> list[str]:
        """Lines that say where the figures are from."""
        shown = self.shown
        if self.state is None or shown is None:
            return []
        steps = f"step {shown.step:,} of {shown.answer.steps:,}" if shown.answer.steps else f"step {shown.step:,}"
        return [f"training run {self.state.folder.name}, {steps}", f"text: {self.prompt.text()}"]

    def table(self) -> Table:
        records = self.chart.records()
        if not records:
            raise Problem("there is nothing to export yet", "wait for the first answer of a snapshot")
        return table(records, COLUMNS, [*self.origin()[:1], self.chart.words()])

    def chart_size(self) -> tuple[int, int] | None:
        return self.chart.chart_size()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        shown = self.shown
        if shown is not None:
            what = "Gradient by the logits" if self.chart.shows_gradient else "Next token"
            self.chart.paint_chart(painter, area, f"{what} after step {shown.step:,}")
