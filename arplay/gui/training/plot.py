"""Loss over the tokens read, painted; the window and the exported picture share it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from arplay.gui.theme import SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.training.losses import Losses, Point
from arplay.gui.widgets.cache.plot import ticks

LINE = SMALL + SPACE[0]
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Scales:
    """``frame``: where the lines are. ``tokens``: the right end of the axis, ``low`` and ``high``: of the upright one.

    ``first``: None for an even axis of tokens; else the axis is logarithmic beyond so many tokens and even before
    them, so that 0 has a place.
    """

    area: QRectF
    frame: QRectF
    tokens: float
    low: float
    high: float
    first: float | None

    def place(self, tokens: float, loss: float) -> QPointF:
        along = min(1.0, tokens / self.tokens)
        if self.first is not None:
            along = min(1.0, math.log1p(tokens / self.first) / math.log1p(self.tokens / self.first))
        up = (min(max(loss, self.low), self.high) - self.low) / (self.high - self.low)
        return QPointF(self.frame.left() + self.frame.width() * along, self.frame.bottom() - self.frame.height() * up)


def scales(area: QRectF, shown: Losses, planned: int, logarithmic: bool) -> Scales:
    """The axes inside ``area``. The axis of tokens ends at ``planned``, or at a half, quarter, ... of it on the way."""
    tokens = float(max(planned, shown.tokens, 1))
    while tokens / 2 >= shown.tokens * 1.02 and tokens > 1000:
        tokens /= 2
    values = [loss for series in (shown.training, shown.held_out) for _, loss in series]
    values += [shown.uniform] if shown.uniform is not None else []
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.1
    low, high = max(0.0, low - margin), high + margin
    first = min((t for series in (shown.training, shown.held_out) for t, _ in series if t > 0), default=1)
    marks = upright(low, high, area.height() - 3 * LINE)
    words = QFontMetricsF(number_font(SMALL))
    wide = max(words.horizontalAdvance(text) for _, text in marks)
    frame = area.adjusted(wide + SPACE[1], LINE + SPACE[1], -SPACE[2], -(LINE + SPACE[1]))
    return Scales(area, frame, tokens, low, high, float(first) if logarithmic else None)


def upright(low: float, high: float, pixels: float) -> list[tuple[float, str]]:
    """Round numbers between ``low`` and ``high`` with what stands beside them.

    >>> upright(2.1, 4.3, 100)
    [(3.0, '3'), (4.0, '4')]
    """
    span = ticks(high - low, max(2, min(7, int(pixels / 34) + 2)))
    step = span[1]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    start, end = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(step * i, f"{step * i:,.{digits}f}") for i in range(start, end + 1)]


def short(count: float) -> str:
    """A count of tokens for an axis.

    >>> short(0), short(800), short(25_000), short(1_500_000)
    ('0', '800', '25 k', '1.5 M')
    """
    if count < 10_000:
        return f"{count:,.0f}"
    unit, name = (1e6, "M") if count >= 1e6 else (1e3, "k")
    return f"{count / unit:,.3g} {name}"


def paint(painter: QPainter, on: Scales, theme: Theme, shown: Losses, lit: int | None = None) -> None:
    """Axes, legend, the two lines and the dashed one; ``lit``: tokens of the point that is read."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_axes(painter, on, theme, shown)
    _paint_uniform(painter, on, theme, shown)
    painter.setPen(training_pen(theme))
    painter.drawPolyline(_polygon(on, shown.training))
    painter.setPen(QPen(theme.color("accent"), 2.0))
    painter.drawPolyline(_polygon(on, shown.held_out))
    if len(shown.training) == 1:  # no line: an n-gram model is counted in one go
        _paint_dot(painter, on.place(*shown.training[0]), theme, "outline")
    for tokens, loss in shown.held_out:
        _paint_dot(painter, on.place(tokens, loss), theme)
    if lit is not None:
        _paint_lit(painter, on, theme, shown, lit)
    _paint_legend(painter, on.area, theme, shown)
    painter.restore()


def training_pen(theme: Theme) -> QPen:
    return QPen(theme.color("outline", 0.75), 1.0)


def _polygon(on: Scales, series: Sequence[Point]) -> QPolygonF:
    """No more than the lowest and the highest point of each pixel column: a long run has many thousand."""
    columns: dict[int, list[QPointF]] = {}
    for tokens, loss in series:
        at = on.place(tokens, loss)
        columns.setdefault(round(at.x()), []).append(at)
    kept: list[QPointF] = []
    for points in columns.values():
        if len(points) > 2:
            ends = {0, len(points) - 1}
            ends |= {
                min(range(len(points)), key=lambda i: points[i].y()),
                max(range(len(points)), key=lambda i: points[i].y()),
            }
            points = [points[i] for i in sorted(ends)]
        kept += points
    return QPolygonF(kept)


def _paint_dot(painter: QPainter, at: QPointF, theme: Theme, color: str = "accent") -> None:
    painter.setPen(QPen(theme.color("surface"), 1.0))
    painter.setBrush(theme.color(color))
    painter.drawEllipse(at, 3.5, 3.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_axes(painter: QPainter, on: Scales, theme: Theme, shown: Losses) -> None:
    frame, area = on.frame, on.area
    painter.setFont(number_font(SMALL))
    words = QFontMetricsF(painter.font())
    for value, text in upright(on.low, on.high, area.height() - 3 * LINE):
        y = on.place(0, value).y()
        painter.setPen(QPen(theme.color("border", 0.7), 1.0))
        painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(area.left(), y - LINE / 2, frame.left() - area.left() - SPACE[0], LINE), _RIGHT, text)
    painter.setPen(QPen(theme.color("border"), 1.5))
    painter.drawLine(frame.bottomLeft(), frame.bottomRight())
    name = "tokens read"
    wide = words.horizontalAdvance(name) + SPACE[1]
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(frame.right() - wide, frame.bottom() + SPACE[0], wide, LINE), _RIGHT, name)
    taken = area.left() - SPACE[1]
    for value in _along(on):
        text, x = short(value), on.place(value, on.low).x()
        half = words.horizontalAdvance(text) / 2
        if x - half < taken + SPACE[1] or x + half + SPACE[1] > frame.right() - wide:
            continue
        taken = x + half
        painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + 3))
        painter.drawText(QRectF(x - half - 2, frame.bottom() + SPACE[0], 2 * half + 4, LINE), _centre(), text)


def _along(on: Scales) -> list[float]:
    """Where the axis of tokens has numbers: evenly, or at the powers of ten beyond ``first``."""
    if on.first is None:
        return [n for n in ticks(on.tokens, max(2, min(7, int(on.frame.width() / 70) + 1))) if n == int(n)]
    lowest = math.ceil(math.log10(on.first) - 1e-9)
    return [0.0, *(10.0**n for n in range(lowest, math.floor(math.log10(on.tokens) + 1e-9) + 1))]


def _paint_uniform(painter: QPainter, on: Scales, theme: Theme, shown: Losses) -> None:
    if shown.uniform is None:
        return
    y = on.place(0, shown.uniform).y()
    painter.setPen(QPen(theme.color("warning"), 1.5, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(on.frame.left(), y), QPointF(on.frame.right(), y))
    painter.setFont(interface_font(SMALL))
    text = f"knows nothing: log V = {shown.uniform:.2f}"
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text) + 2
    painter.drawText(QRectF(on.frame.right() - wide, y + 2, wide, LINE), _RIGHT, text)


def _paint_lit(painter: QPainter, on: Scales, theme: Theme, shown: Losses, lit: int) -> None:
    x = on.place(lit, on.low).x()
    painter.setPen(QPen(theme.color("muted"), 1.0, Qt.PenStyle.DotLine))
    painter.drawLine(QPointF(x, on.frame.top()), QPointF(x, on.frame.bottom()))
    painter.setPen(QPen(theme.color("text"), 1.5))
    for series in (shown.training, shown.held_out):
        for tokens, loss in series:
            if tokens == lit:
                painter.drawEllipse(on.place(tokens, loss), 6.0, 6.0)


def _paint_legend(painter: QPainter, area: QRectF, theme: Theme, shown: Losses) -> None:
    """The unit of the upright axis, then a sample of each line."""
    painter.setFont(interface_font(SMALL))
    words = QFontMetricsF(painter.font())
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(area.left(), area.top(), area.width(), LINE), _LEFT, shown.unit)
    x, middle = area.left() + words.horizontalAdvance(shown.unit) + SPACE[4], area.top() + LINE / 2
    for name, series in (("training", shown.training), ("held-out", shown.held_out)):
        wide = 22 + SPACE[0] + words.horizontalAdvance(name) + 2
        if not series or x + wide > area.right():
            continue
        ends = QPointF(x, middle), QPointF(x + 22, middle)
        painter.setPen(training_pen(theme) if name == "training" else QPen(theme.color("accent"), 2.0))
        painter.drawLine(*ends)
        if name == "held-out":
            _paint_dot(painter, QPointF(x + 11, middle), theme)
        painter.setPen(theme.color("text"))
        painter.drawText(QRectF(x + 22 + SPACE[0], area.top(), wide, LINE), _LEFT, name)
        x += wide + SPACE[3]


def _centre() -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignCenter
