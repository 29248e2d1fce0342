"""One run: its head, the loss curve, and the views of its snapshots beside or below the curve."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QTabWidget, QWidget

from arplay.engine.trainer import TrainingState
from arplay.gui.settings import Unit
from arplay.gui.theme import SPACE, Theme
from arplay.gui.training import facts
from arplay.gui.training.curve import LossCurve
from arplay.gui.training.exporting import ExportButton
from arplay.gui.training.losses import LossUnit
from arplay.gui.training.one_batch import OneBatchView
from arplay.gui.training.replay import ReplayView
from arplay.gui.training.run_bar import RunBar
from arplay.gui.training.segments import Option, Segments
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import FREE, in_column, in_row
from arplay.gui.widgets.push_button import push_button

UNITS = (
    Option("nats per token", "nats", "Nats per token: what training minimises, the mean of −log p(token)"),
    Option("bits per token", "bits", "Bits per token: nats / ln 2"),
)
WIDE = 1100
"""Pixels of the window from which the curve stands beside the views; in a smaller one it is the first of them."""


def units(state: TrainingState | None) -> list[Option]:
    """Those of a run, of whatever its family's bits are told per."""
    unit = state.plan.training.unit if state is not None and state.plan is not None else "byte"
    return [*UNITS, Option("bits per byte", f"bits/{unit}", f"Bits per {unit}: can be compared across vocabularies")]


class RunPage(QWidget):
    """``unit_chosen`` emits the unit that the user chose."""

    unit_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state: TrainingState | None = None
        self.bar = RunBar(self)
        self.curve = LossCurve(self)
        self.unit = Segments("Unit", units(None), sentence=False)
        self.unit.changed.connect(self._on_unit)
        self.logarithmic = push_button(
            "Log axis",
            "Logarithmic axis of tokens: the first steps, where most is learned, get more room",
            role="chip",
            checkable=True,
            parent=self,
        )
        self.logarithmic.toggled.connect(self.curve.set_logarithmic)
        self.overfitting = Label(parent=self, role="caption", wrap=True)
        self.replay, self.batch = ReplayView(), OneBatchView()
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        for view in (self.replay, self.batch):
            self.tabs.addTab(view, view.title)
        self.split = QSplitter(self)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(SPACE[1])
        self.split.addWidget(self.tabs)
        self._section = self._curve_section()
        self.tabs.insertTab(0, self._section, "Loss")
        self.tabs.setCurrentIndex(0)
        in_column(self.bar, (self.split, 1), on=self, spacing=SPACE[1])

    def _curve_section(self) -> QWidget:
        section = QWidget(self)
        row = in_row(self.unit, FREE, self.logarithmic, ExportButton(self.curve, section), spacing=SPACE[1])
        in_column(row, (self.curve, 1), self.overfitting, on=section, margins=(0, SPACE[0], 0, 0), spacing=SPACE[1])
        return section

    @property
    def loss_unit(self) -> LossUnit:
        return self.unit.key  # type: ignore[return-value]

    def show_run(self, state: TrainingState | None) -> None:
        self.state, chosen = state, self.unit.key
        self.unit.set_options(units(state))
        self.unit.choose(chosen)
        if state is not None:
            self.bar.show_run(state, self.loss_unit)
        self.curve.show_run(state, self.loss_unit)
        warning = facts.overfitting(state) if state is not None else ""
        self.overfitting.setText(warning)
        self.overfitting.setVisible(bool(warning))
        self.replay.set_run(state)

    def choose_unit(self, unit: str) -> None:
        self.unit.choose(unit)
        views: Unit = "nats" if self.loss_unit == "nats per token" else "bits"
        self.replay.set_unit(views)
        self.batch.set_unit(views)
        self.show_run(self.state)

    def set_theme(self, theme: Theme) -> None:
        self.bar.set_theme(theme)
        self.curve.set_theme(theme)
        self.replay.set_theme(theme)
        self.batch.set_theme(theme)

    def _on_unit(self, unit: str) -> None:
        self.choose_unit(unit)
        self.unit_chosen.emit(unit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.split.count() == 2
        if self.width() >= WIDE and not beside:
            self.split.insertWidget(0, self._section)
            self._section.show()
            self.split.setSizes([self.width() * 2 // 5, self.width() * 3 // 5])
        elif self.width() < WIDE and beside:
            self.tabs.insertTab(0, self._section, "Loss")
            self.tabs.setCurrentIndex(0)
