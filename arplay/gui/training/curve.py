"""The loss curve: training and held-out loss over the tokens read, and the line of a model that knows nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.engine.trainer import Report, TrainingState
from arplay.export.charts import Table
from arplay.gui.training.exporting import table
from arplay.gui.training.facts import about, nothing_yet
from arplay.gui.training.losses import Losses, LossUnit, Point, losses, unit_words
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Plot, Series
from arplay.version import __version__

COLUMNS = tuple(field.name for field in fields(Report))


def loss_plot(shown: Losses, planned: int, logarithmic: bool) -> Plot:
    """The axis of tokens ends at ``planned``, or at a half, quarter, ... of it on the way."""
    end = float(max(planned, shown.tokens, 1))
    while end / 2 >= shown.tokens * 1.02 and end > 1000:
        end /= 2
    points = (*shown.training, *shown.held_out)
    values = [loss for _, loss in points]
    values += [shown.uniform] if shown.uniform is not None else []
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.1
    first = float(min((tokens for tokens, _ in points if tokens > 0), default=1))
    level = None if shown.uniform is None else (shown.uniform, f"knows nothing: log V = {shown.uniform:.2f}")
    training = Series("training", *_columns(shown.training), "outline", 1.0, 0.75)
    held_out = Series("held-out", *_columns(shown.held_out), "accent", 2.0, mark="dot")
    return Plot(
        (training, held_out), (shown.unit,), ("tokens read", "tokens"), 0.0, end, max(0.0, low - margin), high + margin,
        level, first if logarithmic else None,
    )  # fmt: skip


def _columns(points: Sequence[Point]) -> tuple[np.ndarray, np.ndarray]:
    x, y = zip(*points, strict=True) if points else ((), ())
    return np.array(x, np.float64), np.array(y, np.float64)


class LossCurve(LinePlot):
    """Training and held-out loss of one run. It is exported as it is shown, or as the reports behind it."""

    name = "loss"
    title = "Loss"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Loss over the tokens read", parent)
        self.state: TrainingState | None = None
        self.losses = Losses()
        self.logarithmic = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)

    def show_run(self, state: TrainingState | None, unit: LossUnit) -> None:
        if state is None or self.state is None or state.folder != self.state.folder:
            self.show_all()
        self.state = state
        plan = state.plan if state is not None else None
        found = losses(state.reports if state is not None else (), plan.vocabulary if plan else None, unit)
        self.losses = replace(found, unit=unit_words(unit, plan))
        self._show_losses()
        if self.lit not in self.plot.stops.tolist():
            self.light(None)

    def set_logarithmic(self, on: bool) -> None:
        self.logarithmic = on
        self._show_losses()

    def _show_losses(self) -> None:
        plan = self.state.plan if self.state is not None else None
        self.message = nothing_yet(self.state)
        self.show_plot(loss_plot(self.losses, plan.tokens if plan else 0, self.logarithmic), self._newest())

    def words(self, lit: object) -> str:
        """The loss of both texts at a point."""
        assert isinstance(lit, float | int)
        lines = [f"{lit:,.0f} tokens read"]
        for name, series in self._named:
            lines += [f"{name} {number(loss, 3)} {self.losses.unit}" for tokens, loss in series if tokens == lit]
        return "\n".join(lines)

    @property
    def _named(self) -> tuple[tuple[str, tuple[Point, ...]], ...]:
        return ("training", self.losses.training), ("held-out", self.losses.held_out)

    def _newest(self) -> str:
        if self.losses.empty:
            return nothing_yet(self.state)
        newest = [
            f"{name} {number(series[-1][1], 3)} {self.losses.unit} after {series[-1][0]:,} tokens"
            for name, series in self._named
            if series
        ]
        return "; ".join(newest)

    # ---- exported

    def table(self) -> Table:
        """The reports. Raises Problem where there is none yet."""
        if self.state is None or not self.state.reports:
            raise Problem("there is nothing to export yet", "wait for the first report of the run")
        rows = [asdict(report) for report in self.state.reports]
        return table(rows, COLUMNS, [*self.origin(), "loss and held_out are means in nats per token"])

    def origin(self) -> list[str]:
        """Lines that say where the figures are from."""
        if self.state is None or self.state.plan is None:
            return []
        plan, name = self.state.plan, self.state.folder.name
        threads = f"{plan.threads} thread{'s' * (plan.threads != 1)}"
        how = f"{plan.precision} on {plan.device}, {threads}, {plan.batch} rows a step"
        texts = f"{len(plan.texts)} text{'' if len(plan.texts) == 1 else 's'}"
        return [f"training run {name}: {about(plan)}", f"{texts} · {how} · arplay {__version__}"]
