"""One place of the prompt at one snapshot: p(next) or the gradient by the logits, on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from arplay.core.format import nats_or_bits, percent
from arplay.core.gradient import logit_gradient
from arplay.core.modalities.base import Ids
from arplay.gui.settings import Unit
from arplay.gui.stale import Waiting
from arplay.gui.theme import LIGHT, SMALL, SPACE, TITLE, Theme, interface_font
from arplay.gui.training.gradient import MEANING, gradient_of
from arplay.gui.training.gradient_chart import GradientChart, GradientPainter, height_of
from arplay.gui.training.segments import Option, Segments
from arplay.gui.training.snapshot_bars import SnapshotBars
from arplay.gui.training.snapshots import Snapshot, bars_of_snapshot, order_of, prefix_words, steady_axis
from arplay.gui.widgets.bars.painting import AXIS_HEIGHT, LEFT, LEGEND_HEIGHT, BarPainter, lengths_of
from arplay.gui.widgets.bars.view import ROW
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.layouts import FREE, in_column, in_row
from arplay.gui.widgets.push_button import push_button

BARS = 20
EXPORT_WIDTH = 760
COLUMNS = ("step", "id", "text", "prob", "gradient")

NO_TARGET = (
    "The text ends here, so there is no true next token and no loss to take a gradient of.\n\n"
    "Click a token of the text to see the gradient where that token was to be predicted."
)
LOG = "Log axis: every gridline is a power of ten, so rare tokens show"
NO_LOG = "A gradient has both signs, so its axis is linear, from −1 to 1"
NOT_NUMBERS = "This snapshot’s logits are not numbers (NaN): training diverged. Go to an earlier snapshot."


class NextChart(QWidget):
    """Shows ``this`` snapshot beside the ``newest``; ``snapshots`` are all of them, for one steady axis."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.unit: Unit = "nats"
        self.this: Snapshot | None = None
        self.newest: Snapshot | None = None
        self.snapshots: Sequence[Snapshot] = ()
        self.bars = SnapshotBars()
        self.gradient = GradientChart()
        self.gradient.resized.connect(self._show)
        self.title = Caption()
        self.title.tip = (
            "What the chart shows: the distribution of the token after this prefix, or the gradient of the loss there"
        )
        self.what = Segments(
            "Chart",
            (
                Option("p", "p(next)", "The probability of each token after the prefix, at this snapshot"),
                Option(
                    "gradient",
                    "Gradient",
                    "The gradient of the loss by the logits, p − one-hot: what a training step at this place would "
                    "push down, and the one logit that it would pull up",
                ),
            ),
            sentence=False,
        )
        self.order = Segments(
            "Order of the rows",
            (
                Option(
                    "newest",
                    "By newest",
                    "The rows are the newest snapshot’s most probable tokens and stay where they are, "
                    "so one sees the same tokens grow and shrink",
                ),
                Option("this", "By this", "The rows are the most probable tokens of the snapshot that is shown"),
            ),
            sentence=False,
        )
        self.log = push_button("log", role="chip", name="Logarithmic axis", checkable=True)
        for signal in (self.what.changed, self.order.changed, self.log.clicked):
            signal.connect(self._show)
        controls = in_row(self.what, self.order, FREE, self.log, spacing=SPACE[2])
        self._pages = QStackedLayout()
        self._pages.addWidget(self.bars)
        self._pages.addWidget(self.gradient)
        self.waiting = Waiting(self)
        self.waiting.add(self.bars)
        in_column(controls, self.title, (self._pages, 1), on=self, spacing=SPACE[1])

    @property
    def shows_gradient(self) -> bool:
        return self.what.key == "gradient"

    def show_snapshots(self, this: Snapshot, newest: Snapshot, snapshots: Sequence[Snapshot]) -> None:
        self.waiting.wait("")
        self.this, self.newest, self.snapshots = this, newest, snapshots
        self._show()

    def show_message(self, message: str) -> None:
        self.waiting.wait("")
        self.this, self.newest, self.snapshots = None, None, ()
        self.title.show_text("")
        self.bars.show_message(message)
        self.gradient.show_message(message)
        self._pages.setCurrentIndex(int(self.shows_gradient))

    def wait(self) -> None:
        """What is shown is of an earlier question."""
        self.bars.wait()
        self.waiting.wait("Asking the snapshots…" if self.this is not None else "")

    def set_theme(self, theme: Theme) -> None:
        self.theme = self.bars.theme = self.gradient.theme = theme
        self.waiting.set_theme(theme)
        self.bars.viewport().update()
        self.gradient.update()

    def set_unit(self, unit: Unit) -> None:
        self.unit = unit
        self._show_title()

    def _ids(self, count: int) -> Ids | None:
        this = self.this.distribution if self.this is not None else None
        newest = self.newest.distribution if self.newest is not None else None
        return None if this is None or newest is None else order_of(this, newest, count, self.order.key == "this")

    def _show(self) -> None:
        self._pages.setCurrentIndex(int(self.shows_gradient))
        self.log.setEnabled(not self.shows_gradient)
        self.log.setToolTip(NO_LOG if self.shows_gradient else LOG)
        if self.this is None or self.newest is None:
            return
        self._show_title()
        if self.shows_gradient:
            self._show_gradient(self.this)
            return
        ids = self._ids(BARS)
        bars = None if ids is None else bars_of_snapshot(self.this, self.newest, ids)
        if ids is None or bars is None:
            self.bars.show_message(NOT_NUMBERS)
            return
        axis = steady_axis(self.snapshots, np.array([row.id for row in bars.all_rows]), self.log.isChecked())
        self.bars.show_bars(bars, axis, self.this.answer.target, keep_choice=True)

    def _show_gradient(self, this: Snapshot) -> None:
        answer, ids = this.answer, self._ids(self.gradient.rows + 1)
        if answer.target is None:
            self.gradient.show_message(NO_TARGET)
            return
        found = (
            None
            if ids is None
            else gradient_of(answer.logits, answer.target, _without(ids, answer.target), answer.vocabulary)
        )
        if found is None:
            self.gradient.show_message(NOT_NUMBERS)
        else:
            self.gradient.show_gradient(found)

    def _show_title(self) -> None:
        self.title.show_text(self.words(self.width()) if self.this is not None else "")

    def words(self, width: float = EXPORT_WIDTH) -> str:
        """The place, how undecided the snapshot is there, and what it gives the token that really follows."""
        assert self.this is not None
        answer, distribution, wide = self.this.answer, self.this.distribution, width >= 500
        parts = [prefix_words(self.this, 30 if wide else 16)]
        if self.shows_gradient:
            parts = [*parts, MEANING] if wide else [MEANING]
        elif distribution is not None and distribution.entropy is not None:
            parts.append(f"H = {nats_or_bits(distribution.entropy, self.unit)}")
        if distribution is not None and answer.target is not None:
            text = label(answer.vocabulary.label(answer.target))
            parts.append(f"true next: {text} {percent(float(distribution.probs[answer.target]))}")
        return " · ".join(parts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_title()

    # export

    def records(self) -> list[dict[str, Any]]:
        """p and, where a true next token exists, its gradient, of the rows of the chart, for every snapshot."""
        ids, records = self._ids(BARS), []
        if ids is None:
            return []
        for snapshot in self.snapshots:
            answer, distribution = snapshot.answer, snapshot.distribution
            if distribution is None:
                continue
            gradient = None if answer.target is None else logit_gradient(answer.logits, answer.target)
            for id in ids.tolist():
                text, p = next(iter(answer.vocabulary.record(id).values())), float(distribution.probs[id])
                pull = None if gradient is None else float(gradient[id])
                records.append(dict(zip(COLUMNS, (snapshot.step, id, text, p, pull), strict=True)))
        return records

    def chart_size(self) -> tuple[int, int] | None:
        if self.this is None or (self.gradient.gradient is None if self.shows_gradient else not self.bars.bars.rows):
            return None
        rows = len(self.bars.bars.all_rows) + 1
        body = height_of(BARS) if self.shows_gradient else LEGEND_HEIGHT + AXIS_HEIGHT + rows * ROW + SPACE[2]
        return EXPORT_WIDTH, int(self._body() + body + SPACE[2])

    def _body(self) -> float:
        return SPACE[2] + TITLE + SPACE[1] + SMALL + SPACE[2]

    def paint_chart(self, painter: QPainter, area: QRectF, heading: str) -> None:
        size = self.chart_size()
        if size is None or self.this is None:
            return
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / size[0], area.height() / size[1])
        painter.fillRect(QRectF(0, 0, *size), self.theme.color("surface"))
        width = float(size[0])
        painter.setFont(interface_font(TITLE, bold=True))
        painter.setPen(self.theme.color("text"))
        painter.drawText(QRectF(SPACE[2], SPACE[2], width, TITLE + SPACE[1]), LEFT, heading)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        painter.drawText(QRectF(SPACE[2], SPACE[2] + TITLE + SPACE[1], width, SMALL + SPACE[1]), LEFT, self.words())
        self._paint_gradient(painter, width) if self.shows_gradient else self._paint_bars(painter, width, size[1])
        painter.restore()

    def _paint_bars(self, painter: QPainter, width: float, height: float) -> None:
        bars, axis, top = self.bars.bars, self.bars.axis, self._body()
        paint = BarPainter(painter, self.theme, bars, axis, lengths_of(bars, axis), width)
        paint.chart(QRectF(0, top, width, height - SPACE[2] - top), ROW)

    def _paint_gradient(self, painter: QPainter, width: float) -> None:
        assert self.this is not None
        answer, ids = self.this.answer, self._ids(BARS + 1)
        if ids is not None and answer.target is not None:
            found = gradient_of(answer.logits, answer.target, _without(ids, answer.target), answer.vocabulary)
            if found is not None:
                GradientPainter(painter, self.theme, found, width).paint(self._body())


def _without(ids: Ids, target: int) -> Ids:
    """The rows beside the true token's own: one fewer than there are ids."""
    return ids[ids != target][: len(ids) - 1]
