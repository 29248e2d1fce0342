"""What a step costs with what is kept and without, that the answer is the same, and which tokens bear on it at all."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QWidget,
)

from arplay.gui import kinds
from arplay.gui.intents import Do
from arplay.gui.panels.filled import FilledPanel
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font
from arplay.gui.view import View
from arplay.gui.widgets.cache import facts, sheet
from arplay.gui.widgets.cache.chart import CacheChart
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.figure_row import ROW, FigureRow
from arplay.gui.widgets.layouts import FREE, in_column, in_row
from arplay.gui.widgets.push_button import push_button

SIDE = 308
"""Pixels of the column beside the plot in a wide panel."""
FIELD = 480
"""Pixels of height of the receptive field on paper."""

NOW = (
    "Reads the whole context at the caret once more in one forward with nothing kept. It cannot be interrupted; "
    "by itself it is done in a pause only, and only where it takes no more than about 2 s."
)


class KvCachePanel(FilledPanel):
    explanation = (
        "<p>Whatever depends on the tokens before only can be <b>kept</b>, so that a step need not read them again: a "
        "transformer keeps a KV cache, a PixelCNN the rows of features that it has computed, a WaveNet a queue a "
        "layer (the last d columns where the dilation is d), an LSTM its state. Rows, queues and states have a fixed "
        "size, and a step costs the same however many tokens came before.</p>"
        "<p>To answer after n tokens, attention needs a <b>key</b> and a <b>value</b> of every one of them in every "
        "layer. They depend on the tokens before only, so they can be kept: that is the <b>KV cache</b>.</p>"
        "<p><b>With it</b> a step reads one token, which attends to the n that are kept: a constant part (all weights "
        "are used once), which is most of it, and a small part ∝ n. <b>Without it</b> all n tokens are read again "
        "for each next one: ∝ n, and ∝ n² in attention. Writing n tokens that way costs ∝ n² instead of ∝ n, and "
        "∝ n³ instead of ∝ n² in attention.</p>"
        "<p>The answer is the same: the logits of both ways differ only by rounding, and the largest difference is "
        "shown. The price is memory: 2 × layers × key-value heads × head size × bytes of a number, for every "
        "token.</p>"
        "<p>A dot is a step as you made it, its probabilities included; a diamond is one forward over the same "
        "context without a cache, run while you pause; a cross is an answer that read several tokens at once, as "
        "after a paste or an edit: tokens behind the edit are misses, those before it hits. The lines are medians; an "
        "arrow at the top took longer than the axis shows.</p>"
        "<p><b>Receptive field</b>: the tokens on which the next one can depend. It is shown as the network is "
        "connected (masks, dilations) and as it is measured, by the gradient √Σ<sub>v</sub> "
        "|∂ logit<sub>v</sub> / ∂ x<sub>j</sub>|²; for large vocabularies the sum is estimated along 8 random signs. "
        "A PixelCNN of one stack never sees some pixels above and to the right: its <b>blind spot</b>.</p>"
    )

    waits_for = "answer"

    def __init__(self) -> None:
        super().__init__()
        self.chart = CacheChart()
        self.reach, self.field = Caption(), QWidget()
        self.reach.tip = facts.REACH
        self._fields: dict[str, Any] = {}
        self._shown: Any = None
        self.figures = FigureRow()
        self.verdict, self.going_back, self.state = Caption(), Caption(), Caption()
        again = "Forget all points and begin anew"
        self.now = push_button("Measure without", NOW, self._measure, role="chip", name="Measure with nothing kept now")
        self.clear = push_button("Clear", again, self._clear, role="chip", name="Clear the points")
        self.side = QWidget()
        self._lay_out()
        self._show_words()

    def _lay_out(self) -> None:
        buttons = in_row(self.now, self.clear, FREE, spacing=SPACE[1])
        in_column(
            self.figures, self.verdict, self.going_back, self.state, FREE, buttons, on=self.side, spacing=SPACE[0]
        )
        self.row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.body)
        self.row.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[1])
        self.row.setSpacing(SPACE[2])
        self.fields = in_column(self.reach, on=self.field, spacing=0)
        self.row.addWidget(self.field, 3)
        self.row.addWidget(self.chart, 4)
        self.row.addWidget(self.side)

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        self._show_field()
        same = (
            view.timings is before.timings
            and view.reached is before.reached
            and view.loaded is before.loaded
            and view.problem is before.problem
        )
        if same and (view.stale, view.playing, view.recomputing, view.work) == (
            before.stale,
            before.playing,
            before.recomputing,
            before.work,
        ):
            return
        self._show_words()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.chart.theme = self.figures.theme = theme
        self.chart.update()
        self.figures.update()
        for field in self._fields.values():
            field.set_theme(theme)

    def _show_field(self) -> None:
        """In the shape of the document; of the last place while that of this one is not there yet."""
        view, loaded = self.view, self.view.loaded
        kind = kinds.of_document(view.document)
        if loaded is None or not loaded.can.field:
            return
        if kind.name not in self._fields:
            self._fields[kind.name] = made = kind.field()
            made.set_theme(self.theme)
            self.fields.addWidget(made, 1)
        for name, field in self._fields.items():
            field.setVisible(name == kind.name)
        self._shown = self._fields[kind.name]
        known = view.reached is not None and view.reached.info == loaded.info
        self._shown.show_field(view.reached if known else None)
        self.reach.show_text(facts.reach(view.reached_here))

    def _show_words(self) -> None:
        view = self.view
        has = self._has_points() or (self._has_field() and view.reached is not None)
        self.pages.setCurrentWidget(self.body if has else self.empty)
        loaded = view.loaded
        if loaded is None or not has:
            self.empty.setText(facts.nothing_yet(view))
            return
        info = loaded.info
        self.chart.show_timings(view.timings)
        self.figures.show_figures(facts.figures(view.timings, loaded))
        self.verdict.tip = facts.expected(info)
        self.verdict.show_text(facts.verdict(view.timings, info))
        line, self.going_back.tip = facts.going_back(loaded)
        self.going_back.show_text(line)
        self.state.show_text(facts.state(view))
        self.now.setEnabled(not view.recomputing and not view.playing)
        self._fit()

    def _has_points(self) -> bool:
        loaded = self.view.loaded
        return loaded is not None and loaded.can.keeps and bool(self.view.timings)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Beside each other in a wide panel, below each other in a tall one; in a small one the field, or the plot."""
        width, height = self.width(), self.height()
        wide = width >= 2 * SIDE and height < width
        has = self._has_field()
        self.field.setVisible(has)
        self.chart.setVisible(not has or height >= 420 or (wide and width >= 3 * SIDE))
        self.side.setVisible((wide and height >= 70) or height >= 260)
        self.row.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self.side.setMaximumWidth(SIDE if wide else 16_777_215)
        self.side.setMinimumWidth(SIDE if wide else 0)
        lines = [caption for caption in (self.verdict, self.going_back, self.state) if caption.full]
        free = height - self.now.sizeHint().height() - 2 * SPACE[1]
        self.figures.set_max_rows(max(1, min(3, free // ROW)) if wide else 2 if width >= 420 else 3)
        line = self.verdict.fontMetrics().height() + SPACE[0]
        left = max(0, free - self.figures.sizeHint().height()) // line if wide else 3
        for caption in (self.verdict, self.going_back, self.state):
            caption.setVisible(caption in lines[-left:] if left else False)

    def _measure(self) -> None:
        self.intent.emit(Do("recompute"))

    def _clear(self) -> None:
        self.intent.emit(Do("forget_timings"))

    def _has_field(self) -> bool:
        return self.view.loaded is not None and self.view.loaded.can.field

    # Export

    def chart_size(self) -> tuple[int, int] | None:
        height = sheet.HEIGHT + (FIELD if self._has_field() else 0)
        return (sheet.WIDTH, height) if self._has_points() else None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        if self.view.loaded is None or not self._has_points():
            return
        scale = area.width() / sheet.WIDTH
        if self._has_field():
            painter.fillRect(area, self.theme.color("surface"))
        sheet.paint(painter, area, self.view.timings, self.view.loaded, self.theme)
        if self._has_field():
            margin = sheet.MARGIN
            painter.save()
            painter.translate(area.left(), area.top() + sheet.HEIGHT * scale)
            painter.scale(scale, scale)
            room = QRectF(margin, 0, sheet.WIDTH - 2 * margin, FIELD - margin)
            painter.setPen(self.theme.color("text"))
            painter.setFont(interface_font(SMALL))
            painter.drawText(
                room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, facts.reach(self.view.reached_here)
            )
            self._shown.paint_chart(painter, room.adjusted(0, sheet.LINE + SPACE[1], 0, 0))
            painter.restore()
