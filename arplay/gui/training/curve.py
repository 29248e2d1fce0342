"""The loss curve as a widget: unit and axis are chosen above it, pointing at it reads it, ← and → go along it."""

from __future__ import annotations

from dataclasses import asdict, fields

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay import __version__
from arplay.core.errors import Problem
from arplay.engine.trainer import Report, TrainingState
from arplay.export.charts import Table
from arplay.gui.theme import LIGHT, RADIUS, SPACE, Theme
from arplay.gui.training import plot
from arplay.gui.training.exporting import table
from arplay.gui.training.losses import Losses, LossUnit, losses
from arplay.gui.training.words import about, nothing_yet
from arplay.gui.widgets.words import number

COLUMNS = tuple(field.name for field in fields(Report))
SHEET = (900, 520)
"""Pixels of the exported picture, without what is set below it."""
NEAR = 24.0
"""Pixels along the axis at which the pointer means a point."""


class LossCurve(QWidget):
    """Training and held-out loss of one run. It is exported as it is shown, or as the reports behind it."""

    name = "loss"
    title = "Loss"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.state: TrainingState | None = None
        self.losses = Losses()
        self.logarithmic = False
        self.lit: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("Loss over the tokens read")

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)

    def show_run(self, state: TrainingState | None, unit: LossUnit) -> None:
        self.state = state
        plan = state.plan if state is not None else None
        self.losses = losses(state.reports if state is not None else (), plan.vocabulary if plan else None, unit)
        if self.lit not in self._stops():
            self._light(None)
        self.setAccessibleDescription(self._newest())
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def set_logarithmic(self, on: bool) -> None:
        self.logarithmic = on
        self.update()

    @property
    def planned(self) -> int:
        """Tokens that the whole run will read; 0 where that is not known."""
        return self.state.plan.tokens if self.state is not None and self.state.plan is not None else 0

    def scales(self) -> plot.Scales:
        area = QRectF(self.rect()).adjusted(SPACE[2], SPACE[2], -SPACE[1], -SPACE[1])
        return plot.scales(area, self.losses, self.planned, self.logarithmic)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.theme.color("accent" if self.hasFocus() else "border"))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        if self.losses.empty:
            painter.setPen(self.theme.color("muted"))
            room = QRectF(self.rect()).adjusted(SPACE[4], SPACE[4], -SPACE[4], -SPACE[4])
            painter.drawText(
                room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), nothing_yet(self.state)
            )
        else:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            plot.paint(painter, self.scales(), self.theme, self.losses, self.lit)
        painter.end()

    # ---- reading it

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        on, x = self.scales(), event.position().x()
        gaps = [(abs(on.place(tokens, on.low).x() - x), tokens) for tokens in self._stops()]
        gap, tokens = min(gaps, default=(NEAR + 1, 0))
        self._light(tokens if gap <= NEAR else None)
        if self.lit is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), self.words(self.lit), self)

    def leaveEvent(self, event: QEvent) -> None:
        self._light(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._light(None)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        stops = self._stops()
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not stops:
            super().keyPressEvent(event)
            return
        at = stops.index(self.lit) + step if self.lit in stops else (len(stops) - 1 if step < 0 else 0)
        self._light(stops[min(max(at, 0), len(stops) - 1)])
        assert self.lit is not None
        on = self.scales()
        QToolTip.showText(self.mapToGlobal(on.place(self.lit, on.high).toPoint() + QPoint(0, 12)), self.words(self.lit))

    def words(self, tokens: int) -> str:
        """What is read at a point: the loss of both texts there."""
        lines = [f"{tokens:,} tokens read"]
        for name, series in (("training", self.losses.training), ("held-out", self.losses.held_out)):
            lines += [f"{name} {number(loss, 3)} {self.losses.unit}" for at, loss in series if at == tokens]
        return "\n".join(lines)

    def _stops(self) -> list[int]:
        return sorted({tokens for series in (self.losses.training, self.losses.held_out) for tokens, _ in series})

    def _light(self, tokens: int | None) -> None:
        if tokens != self.lit:
            self.lit = tokens
            self.update()

    def _newest(self) -> str:
        """A picture cannot be read aloud."""
        if self.losses.empty:
            return nothing_yet(self.state)
        newest = [
            f"{name} {number(series[-1][1], 3)} {self.losses.unit} after {series[-1][0]:,} tokens"
            for name, series in (("training", self.losses.training), ("held-out", self.losses.held_out))
            if series
        ]
        return "; ".join(newest)

    # ---- exported

    def chart_size(self) -> tuple[int, int] | None:
        return None if self.losses.empty else SHEET

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        room = area.adjusted(SPACE[4], SPACE[4], -SPACE[4], -SPACE[3])
        on = plot.scales(room, self.losses, self.planned, self.logarithmic)
        painter.fillRect(area, self.theme.color("surface"))
        plot.paint(painter, on, self.theme, self.losses)

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
