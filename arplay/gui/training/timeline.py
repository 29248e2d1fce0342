"""The slider over the snapshots of a run: where one is, how far training was then, and how the prompt's loss fell."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QSlider, QWidget

from arplay.core.format import nats_or_bits, number
from arplay.engine.trainer import Plan, Report
from arplay.gui.settings import Unit
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.training.nll_line import NllLine
from arplay.gui.widgets.caption import Caption, Label
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.push_button import push_button

PLAY_MS = 250


class Timeline(QWidget):
    """``moved``: the number of the snapshot to show, 0 the oldest. ``followed``: the newest one from now on, or not."""

    moved = Signal(int)
    followed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme | None = None
        self.unit: Unit = "nats"
        self._told: tuple[str, int, Sequence[Report]] = ("", 0, ())
        self.play = push_button(
            "Play", "Run through the snapshots, four a second", self._play_or_pause, name="Play the snapshots"
        )
        self.step = Label(role="heading")
        self.facts = Caption()
        self.facts.tip = (
            "The loss in both units: per token of this run's vocabulary, and in bits per byte, NLL / (B ln 2) over the "
            "B bytes of text. Held-out text is not trained on, so its figure says what was learned and not what was "
            "learned by heart. The tokens are those read in training up to this step."
        )
        self.follow = push_button(
            "Follow the newest",
            "Go to every new snapshot as soon as the run has written it",
            self.followed,
            role="chip",
            name="Follow the newest snapshot",
            checkable=True,
        )
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setPageStep(4)
        self.slider.setAccessibleName("Snapshot")
        self.slider.setToolTip("The snapshots of the run, oldest first: arrow keys, Home and End")
        self.slider.valueChanged.connect(self._on_slider)
        self.line = NllLine()
        self.line.chosen.connect(self.slider.setValue)
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_MS)
        self._timer.timeout.connect(self._next)
        row = in_row(self.play, self.step, (self.facts, 1), self.follow, spacing=SPACE[2])
        in_column(row, self.slider, self.line, on=self, spacing=SPACE[0])
        self.setFocusProxy(self.slider)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def show_steps(self, count: int, at: int) -> None:
        """``count`` snapshots, the one ``at`` shown. Emits nothing."""
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, count - 1))
        self.slider.setValue(at)
        self.slider.blockSignals(False)
        self.slider.setEnabled(count > 1)
        self.play.setEnabled(count > 1)

    def show_words(self, step: int, plan: Plan | None, reports: Sequence[Report]) -> None:
        """How far training was after ``step``."""
        steps = plan.steps if plan is not None else reports[-1].steps if reports else 0
        self.step.setText(f"Step {step:,} of {steps:,}" if steps else f"Step {step:,}")
        self._told = tokens_words(step, plan, reports), step, reports
        self._show_facts()

    def _show_facts(self) -> None:
        tokens, step, reports = self._told
        known = (loss_words(step, reports, self.unit), tokens)
        self.facts.show_text(" · ".join(part for part in known if part))
        self.slider.setAccessibleDescription(f"{self.step.text()}, {self.facts.full}")

    def show_nothing(self) -> None:
        """No snapshot has answered yet."""
        self._told = "", 0, ()
        self.show_steps(0, 0)
        self.step.setText("")
        self.facts.show_text("")
        self.line.show_values((), None, 0)

    def show_live(self, live: bool, following: bool) -> None:
        self.follow.setVisible(live)
        self.follow.setChecked(following)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.line.set_theme(theme)
        self._show_button()

    def set_unit(self, unit: Unit) -> None:
        self.unit = unit
        self.line.set_unit(unit)
        self._show_facts()

    def stop(self) -> None:
        self._timer.stop()
        self._show_button()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.stop()

    def _play_or_pause(self) -> None:
        if self.playing:
            self.stop()
            return
        if self.slider.value() == self.slider.maximum():
            self.slider.setValue(0)
        self._timer.start()
        self._show_button()

    def _next(self) -> None:
        self.slider.setValue(self.slider.value() + 1)
        if self.slider.value() == self.slider.maximum():
            self.stop()

    def _on_slider(self, at: int) -> None:
        self.moved.emit(at)

    def _show_button(self) -> None:
        self.play.setText("Pause" if self.playing else "Play")
        if self.theme is not None:
            self.play.setIcon(icon("pause" if self.playing else "play", self.theme))


def tokens_words(step: int, plan: Plan | None, reports: Sequence[Report]) -> str:
    """Predictions made in training up to ``step``; "" where nobody knows. Every step of a network reads as many."""
    if plan is not None and not plan.training.counted:
        return f"{step * plan.batch * plan.context:,} tokens"
    found = next((report for report in reports if report.step == step), None)
    return f"{found.tokens:,} tokens" if found is not None else ""


def loss_words(step: int, reports: Sequence[Report], unit: Unit) -> str:
    """The report that is nearest to ``step``, held-out where one was measured, in both units that a loss has.

    "" without any report.
    """
    held = [report for report in reports if report.held_out_bits_per_byte is not None]
    if not (held or reports):
        return ""
    nearest = min(held or reports, key=lambda report: abs(report.step - step))
    nats, per_byte, what = nearest.held_out, nearest.held_out_bits_per_byte, "held-out"
    if nats is None or per_byte is None:
        nats, per_byte, what = nearest.loss, nearest.bits_per_byte, "training"
    at = "" if nearest.step == step else f" (measured at step {nearest.step:,})"
    return f"{what} {nats_or_bits(nats, unit)}/token = {number(per_byte, 3)} bits/byte{at}"
