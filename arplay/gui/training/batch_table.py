"""The rows of one batch, painted: inputs and targets side by side, so that one sees that targets are inputs shifted."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from arplay.core.format import in_unit, number, probability
from arplay.gui.contract import Unit
from arplay.gui.theme import BODY, LIGHT, RADIUS, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.training.batch import Position, longest
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.keys import row_after
from arplay.gui.widgets.labels import label

ROW = 28
HEAD = 40
GAP = 52.0
"""Between an input and its target: room for the arrows."""
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignCenter


class BatchPainter:
    """Paints rows into a width; the same code for the screen and for exported pictures."""

    def __init__(self, painter: QPainter, theme: Theme, rows: Sequence[Position], unit: Unit, width: float) -> None:
        self.painter, self.theme, self.rows, self.unit = painter, theme, rows, unit
        figures = QFontMetricsF(number_font(SMALL))
        wide = figures.horizontalAdvance("100.0000") + SPACE[0]
        index = figures.horizontalAdvance("000")
        text = min(max(0.17 * width, 60.0), 170.0)
        left = float(SPACE[2])
        self.index = (left, index)
        self.input = (left + index + SPACE[2], text)
        self.target = (self.input[0] + text + GAP, text)
        both = width >= 480
        self.width = width
        self.stepped = (width - SPACE[2] - wide, wide if both else 0.0)
        self.one_pass = (self.stepped[0] - SPACE[2] - wide if both else self.stepped[0], wide)
        bar = self.target[0] + text + SPACE[3]
        self.bar = (bar, max(8.0, self.one_pass[0] - SPACE[2] - bar))
        self.longest = longest(rows, unit)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def head(self, top: float) -> None:
        """Names of the columns, and the axis of the bars."""
        names = (
            (self.index, "i", _RIGHT),
            (self.input, "input xᵢ", _LEFT),
            (self.target, "target xᵢ₊₁", _LEFT),
            (self.one_pass, "one pass", _RIGHT),
            (self.stepped, "stepping", _RIGHT),
        )
        self.painter.setFont(interface_font(SMALL))
        self.painter.setPen(self.theme.color("muted"))
        for (left, width), name, align in names:
            if not width:
                continue
            area = QRectF(left - (12 if align == _RIGHT else 0), top, width + 12, HEAD - 18)
            self.painter.drawText(area, align, name)
        left, width = self.bar
        metrics = QFontMetricsF(interface_font(SMALL))
        label = f"loss −log p, {self.unit}"
        shown = metrics.elidedText(label, Qt.TextElideMode.ElideRight, width)
        self.painter.drawText(QRectF(left, top, width, HEAD - 18), _LEFT, shown)
        for share, align in ((0.0, _LEFT), (1.0, _RIGHT)):
            area = QRectF(left, top + HEAD - 20, width, 18)
            self.painter.drawText(area, align, f"{share * self.longest:g}")
        self._mean(top)

    def _mean(self, top: float) -> None:
        """Where the mean is on the axis."""
        left, width = self.bar
        metrics = QFontMetricsF(interface_font(SMALL))
        at, size = self.mean_x, metrics.horizontalAdvance("mean") + 2
        room = metrics.horizontalAdvance(f"{self.longest:g}") + SPACE[0]
        if at is not None and left + size <= at <= left + width - room - size / 2:
            self.painter.setPen(self.theme.color("text"))
            self.painter.drawText(QRectF(at - size / 2, top + HEAD - 20, size, 18), _CENTER, "mean")

    @property
    def mean_x(self) -> float | None:
        """None where a loss is not finite: there is no mean then."""
        mean = math.fsum(row.one_pass for row in self.rows) / len(self.rows)
        share = in_unit(mean, self.unit) / self.longest
        return self.bar[0] + self.bar[1] * share if math.isfinite(share) and self.bar[1] > 60 else None

    def row(self, at: int, top: float, chosen: bool = False, focused: bool = False) -> None:
        row, area = self.rows[at], QRectF(0, top, self.width, ROW)
        if chosen:
            self.painter.setPen(QPen(self.theme.color("accent"), 1) if focused else Qt.PenStyle.NoPen)
            self.painter.setBrush(self.theme.color("accent_soft"))
            self.painter.drawRoundedRect(area.adjusted(SPACE[0], 1.5, -SPACE[0], -1.5), RADIUS, RADIUS)
        self._cell(self.index, area, f"{row.index}", "muted")
        self._chip(self.input, area, label(row.input.label), "border")
        self._chip(self.target, area, label(row.target.label), "accent")
        self._arrows(area, at + 1 < len(self.rows))
        self._bar(area, row.one_pass)
        mean = self.mean_x
        if mean is not None:
            self.painter.fillRect(QRectF(round(mean), area.top(), 1, ROW), self.theme.color("text", 0.55))
        for column, value in ((self.one_pass, row.one_pass), (self.stepped, row.stepped)):
            self._cell(column, area, number(in_unit(value, self.unit)), "text")

    def _chip(self, column: tuple[float, float], area: QRectF, text: str, edge: str) -> None:
        left, width = column
        font = fixed_font(BODY)
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width - 2 * SPACE[1])
        self.painter.setPen(QPen(self.theme.color(edge), 1.2))
        self.painter.setBrush(self.theme.color("raised"))
        box = QRectF(left, area.top() + 3, width, ROW - 6)
        self.painter.drawRoundedRect(box, 5, 5)
        self.painter.setFont(font)
        self.painter.setPen(self.theme.color("text"))
        self.painter.drawText(box.adjusted(SPACE[1], 0, -SPACE[1], 0), _LEFT, shown)

    def _arrows(self, area: QRectF, more: bool) -> None:
        """This input predicts this target; the target is the next input, whatever the model said."""
        left, right, y = self.input[0] + self.input[1] + 5, self.target[0] - 5, area.center().y()
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        if more:
            self.painter.setPen(QPen(self.theme.color("muted", 0.8), 1, Qt.PenStyle.DashLine))
            self.painter.drawLine(QPointF(right + 3, y + 5), QPointF(left - 2, y + ROW - 5))
        self.painter.setPen(QPen(self.theme.color("accent"), 1.6))
        self.painter.drawLine(QPointF(left, y), QPointF(right, y))
        for rise in (-4, 4):
            self.painter.drawLine(QPointF(right, y), QPointF(right - 5, y + rise))

    def _bar(self, area: QRectF, nats: float) -> None:
        left, width = self.bar
        if math.isnan(nats):
            return
        share = min(in_unit(nats, self.unit) / self.longest, 1.0)
        box = QRectF(left, area.center().y() - 5, max(1.5, width * share), 10)
        self.painter.setPen(QPen(self.theme.color("outline"), 1))
        self.painter.setBrush(self.theme.color("fill"))
        self.painter.drawRoundedRect(box, min(5.0, box.width() / 2), min(5.0, box.width() / 2))

    def _cell(self, column: tuple[float, float], area: QRectF, text: str, color: str) -> None:
        if column[1]:
            self.painter.setFont(number_font(SMALL))
            self.painter.setPen(self.theme.color(color))
            self.painter.drawText(QRectF(column[0], area.top(), column[1], ROW), _RIGHT, text)


class BatchTable(QAbstractScrollArea):
    """A scrolling list of positions under a fixed head. ↑ ↓, Page, Home and End choose a row."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.unit: Unit = "nats"
        self.rows: tuple[Position, ...] = ()
        self.chosen = 0
        self.message = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Positions of the batch")

    def show_rows(self, rows: tuple[Position, ...]) -> None:
        self.rows, self.chosen, self.message = rows, 0, ""
        self.verticalScrollBar().setValue(0)
        self._fit()
        self._tell()

    def show_message(self, message: str) -> None:
        self.rows, self.message = (), message
        self.setAccessibleDescription(message)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 100)

    def in_sight(self) -> tuple[int, int] | None:
        """The rows [first, stop) that are seen whole."""
        bar = self.verticalScrollBar()
        first = -(-bar.value() // ROW)
        return (
            (first, max(first + 1, min(len(self.rows), (bar.value() + bar.pageStep()) // ROW))) if self.rows else None
        )

    def row_at(self, y: float) -> int | None:
        at = int((y - HEAD + self.verticalScrollBar().value()) // ROW)
        return at if y >= HEAD and 0 <= at < len(self.rows) else None

    def words(self, at: int) -> str:
        """What hovering over a row says, as rich text."""
        row = self.rows[at]
        loss = f"{number(row.one_pass, 6)} nats = {number(in_unit(row.one_pass, 'bits'), 6)} bits"
        return (
            f"<b>p({html.escape(label(row.target.label))} | the {row.index} token{'s' * (row.index > 1)} up to "
            f"{html.escape(label(row.input.label))}) = {probability(-row.one_pass)}</b><br>loss −log p = {loss}<br>"
            f"by stepping {number(row.stepped, 6)} nats"
        )

    def _fit(self) -> None:
        bar, room = self.verticalScrollBar(), self.viewport().height() - HEAD - SPACE[1]
        bar.setRange(0, max(0, len(self.rows) * ROW - room))
        bar.setPageStep(max(ROW, room))
        bar.setSingleStep(ROW)
        self.viewport().update()

    def _tell(self) -> None:
        if self.chosen < len(self.rows):
            row = self.rows[self.chosen]
            loss = f"{number(in_unit(row.one_pass, self.unit))} {self.unit}"
            self.setAccessibleDescription(
                f"position {row.index}, input {label(row.input.label)}, target {label(row.target.label)}, loss {loss}"
            )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        frame = paint_frame(painter, self.theme, self.viewport().rect(), self.hasFocus())
        if self.rows:
            paint = BatchPainter(painter, self.theme, self.rows, self.unit, frame.width())
            paint.head(2)
            painter.setClipRect(frame.adjusted(1, HEAD, -1, -2))
            first = HEAD - self.verticalScrollBar().value()
            for at in range(len(self.rows)):
                if first + (at + 1) * ROW > HEAD and first + at * ROW < frame.bottom():
                    paint.row(at, first + at * ROW, at == self.chosen, self.hasFocus())
        else:
            paint_message(painter, self.theme, frame, self.message)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, self.verticalScrollBar().pageStep() // ROW - 1)
        to = row_after(event.key(), self.chosen, len(self.rows), page)
        if to is not None and self.rows:
            self.choose(to)
        else:
            super().keyPressEvent(event)

    def choose(self, at: int) -> None:
        """Light a row up, and scroll it into sight."""
        self.chosen = at
        bar, top = self.verticalScrollBar(), at * ROW
        if top < bar.value():
            bar.setValue(top)
        elif top + ROW > bar.value() + bar.pageStep():
            bar.setValue(top + ROW - bar.pageStep())
        self._tell()
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self.row_at(event.position().y())
        if at is not None:
            self.choose(at)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self.row_at(event.pos().y())
            QToolTip.showText(event.globalPos(), "" if at is None else self.words(at), self.viewport())
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()
