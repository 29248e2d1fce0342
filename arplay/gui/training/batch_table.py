"""The rows of one batch, painted: inputs and targets side by side, so that one sees that targets are inputs shifted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from arplay.core.format import in_unit, number, probability
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, RADIUS, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.training.batch import Position, longest
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import ChoiceTable, Column, Index, TableRows

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
        text = min(max(0.165 * width, 60.0), 170.0)
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


class BatchRows(TableRows):
    """A row a position, painted whole."""

    columns = (Column("position", "What each position reads, is to predict, and pays", kind="words"),)
    rows: tuple[Position, ...]
    unit: Unit = "nats"

    def text(self, row: int, column: int) -> str:
        return ""

    def spoken(self, row: int, column: int) -> str:
        one = self.rows[row]
        loss = f"{number(in_unit(one.one_pass, self.unit))} {self.unit}"
        return f"position {one.index}, input {label(one.input.label)}, target {label(one.target.label)}, loss {loss}"

    def tip(self, row: int, column: int) -> str:
        one = self.rows[row]
        before = f"the {one.index} token{'s' * (one.index > 1)} up to {label(one.input.label)}"
        loss = f"{number(one.one_pass, 6)} nats = {number(in_unit(one.one_pass, 'bits'), 6)} bits"
        told = f"p({label(one.target.label)} | {before}) = {probability(-one.one_pass)}"
        return f"{told}\nloss −log p = {loss}\nby stepping {number(one.stepped, 6)} nats"


class Head(QHeaderView):
    """Names of the columns, and the axis of the bars."""

    def __init__(self, view: BatchTable) -> None:
        super().__init__(Qt.Orientation.Horizontal, view)
        self._view = view
        self.setFixedHeight(HEAD)

    def paintSection(self, painter: QPainter, rect: QRect, at: int) -> None:
        if self._view.table.rows:
            self._view.painter(painter, rect.width()).head(rect.top() + 2)


class BatchRow(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        view, area = self.parent(), option.rect
        assert isinstance(view, BatchTable)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        view.painter(painter, area.width()).row(index.row(), area.top(), chosen, view.hasFocus())


class BatchTable(ChoiceTable):
    """The positions of a batch, or a message."""

    def __init__(self) -> None:
        super().__init__("Positions of the batch", ROW)
        self.table = BatchRows(self)
        self.setHorizontalHeader(Head(self))
        self.setItemDelegate(BatchRow(self))
        self.show_model(self.table)
        self.selectionModel().currentRowChanged.connect(self._on_row)

    def painter(self, painter: QPainter, width: float) -> BatchPainter:
        return BatchPainter(painter, self.table.theme, self.table.rows, self.table.unit, width)

    def show_rows(self, rows: tuple[Position, ...], message: str = "") -> None:
        """``message`` stands where there are none."""
        self.message = message
        self.table.reset(rows)
        self.setAccessibleDescription(message)
        if rows:
            self.selectRow(0)

    def set_unit(self, unit: Unit) -> None:
        self.table.unit = unit
        self.viewport().update()
        self.horizontalHeader().viewport().update()

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 100)

    def in_sight(self) -> tuple[int, int] | None:
        """The rows [first, stop) that are seen whole."""
        bar, room = self.verticalScrollBar(), self.viewport().height()
        first, count = -(-bar.value() // ROW), len(self.table.rows)
        return (first, max(first + 1, min(count, (bar.value() + room) // ROW))) if count else None

    def _on_row(self) -> None:
        self.viewport().update()  # an arrow leads into the row below
