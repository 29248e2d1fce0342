"""Time of an answer over the tokens of its context, painted; the panel and the exported picture share it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from arplay.core.timings import Kind, Timing, trend
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.cache.words import LEGEND

LINE = SMALL + SPACE[0]
NEAR = 14.0
"""Pixels from a mark at which the pointer means it."""
_LINES: tuple[Kind, ...] = ("uncached", "cached")
_MEASURES: tuple[Kind, ...] = ("prefill", "uncached", "cached")
"""The order of painting: the steps lie on top."""


@dataclass(frozen=True, slots=True)
class Scales:
    """``frame``: where the marks are; ``tokens`` and ``ms``: the ends of the axes, which begin at 0.

    What took longer than ``ms`` stands at the upper edge. ``lines``: the medians of each kind that has a line.
    """

    area: QRectF
    lines: dict[Kind, list[tuple[float, float]]]
    frame: QRectF
    tokens: float
    ms: float

    def place(self, context: float, seconds: float) -> QPointF:
        x = self.frame.left() + self.frame.width() * context / self.tokens
        return QPointF(x, self.frame.bottom() - self.frame.height() * min(1.0, 1000 * seconds / self.ms))


def measured(timings: Sequence[Timing]) -> list[Timing]:
    return [t for t in timings if math.isfinite(t.seconds)]


def ticks(top: float, most: int) -> list[float]:
    """At most ``most`` round numbers from 0 up to ``top``, a multiple of 1, 2 or 5 apart.

    >>> ticks(23.0, 4)
    [0.0, 10.0, 20.0]
    """
    rough = top / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * (1 - 1e-9))
    if step > top:  # one number beside 0 at least
        step = max(power * k for k in (0.5, 1, 2, 5) if power * k <= top)
    return [step * i for i in range(int(top / step + 1e-9) + 1)]


def scales(area: QRectF, timings: Sequence[Timing]) -> Scales:
    """The axes for ``timings`` inside ``area``, with room for their numbers and the legend.

    The upright one ends above the medians, so that one slow answer (the first of a model) does not flatten the rest.
    """
    tokens = 1.04 * max((t.context for t in timings), default=8)
    timings = measured(timings)
    lines = {kind: trend(timings, kind) for kind in _LINES}
    middles = [1000 * seconds for line in lines.values() for _, seconds in line]
    ms = 1.15 * max(middles or [1000 * t.seconds for t in timings], default=10.0)
    tokens, ms = max(8.0, tokens), max(0.01, ms)
    marks = ticks(ms, _how_many(area.height() - 2 * LINE, 34))
    wide = max(QFontMetricsF(number_font(SMALL)).horizontalAdvance(_tick(value, marks)) for value in marks)
    below = LINE + SPACE[0] if area.height() >= 90 else SPACE[0]
    return Scales(area, lines, area.adjusted(wide + SPACE[1], LINE + SPACE[1], -SPACE[2], -below), tokens, ms)


def paint(painter: QPainter, on: Scales, theme: Theme, timings: Sequence[Timing], lit: Timing | None = None) -> None:
    """Axes, legend, every mark (one where many would lie on each other), and the medians; ``lit`` is ringed."""
    shown, area = measured(timings), on.area
    taken: set[tuple[str, int, int]] = set()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_axes(painter, area, on, theme)
    _paint_legend(painter, area, theme, [kind for kind in ("cached", "uncached", "prefill") if _any(shown, kind)])
    for kind in _MEASURES:
        mine = [t for t in shown if t.kind == kind]
        crowded = len(mine) > on.frame.width() / 6
        for t in mine:
            at = on.place(t.context, t.seconds)
            cell = (kind, round(at.x() / 2), round(at.y() / 2))
            if cell in taken:
                continue
            taken.add(cell)
            if 1000 * t.seconds > on.ms:
                _paint_beyond(painter, at, kind, theme)
            else:
                _paint_mark(painter, at, kind, theme, 0.3 if crowded else 1.0)
        if kind in _LINES:
            _paint_line(painter, [on.place(*middle) for middle in on.lines[kind]], kind, theme)
    if lit is not None:
        painter.setPen(QPen(theme.color("text"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(on.place(lit.context, lit.seconds), 7, 7)
    painter.restore()


def nearest(on: Scales, timings: Sequence[Timing], position: QPointF) -> Timing | None:
    """The mark that the pointer means, if one is near; of equals the newest."""
    best, found = NEAR, None
    for t in measured(timings):
        gap = on.place(t.context, t.seconds) - position
        distance = math.hypot(gap.x(), gap.y())
        if distance <= best:
            best, found = distance, t
    return found


def _any(timings: Sequence[Timing], kind: str) -> bool:
    return any(t.kind == kind for t in timings)


def _how_many(pixels: float, each: float) -> int:
    return max(2, min(7, int(pixels / each) + 1))


def _tick(value: float, marks: Sequence[float]) -> str:
    step = marks[1] - marks[0] if len(marks) > 1 else value
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    return f"{value:,.{digits}f}"


def _paint_axes(painter: QPainter, area: QRectF, on: Scales, theme: Theme) -> None:
    frame = on.frame
    font = number_font(SMALL)
    painter.setFont(font)
    words = QFontMetricsF(font)
    marks = ticks(on.ms, _how_many(area.height() - 2 * LINE, 34))
    for value in marks:
        y = on.place(0, value / 1000).y()
        painter.setPen(QPen(theme.color("border"), 1.0 if value else 1.5))
        painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
        painter.setPen(theme.color("muted"))
        room = QRectF(area.left(), y - LINE / 2, frame.left() - area.left() - SPACE[0] - 1, LINE)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, _tick(value, marks))
    if area.bottom() - frame.bottom() < LINE:
        return
    name = "tokens of context" if frame.width() >= 400 else "tokens"
    wide = words.horizontalAdvance(name) + SPACE[1]
    numbers = [n for n in ticks(on.tokens, _how_many(frame.width(), 56)) if n == int(n)]
    named = frame.width() >= 160
    for value in numbers:
        x = on.place(value, 0).x()
        half = words.horizontalAdvance(f"{value:,.0f}") / 2
        if named and x + half + SPACE[1] > frame.right() - wide:
            break
        painter.setPen(theme.color("muted"))
        painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + 3))
        room = QRectF(x - half - 2, frame.bottom() + SPACE[0], 2 * half + 4, LINE)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, f"{value:,.0f}")
    if named:
        room = QRectF(frame.right() - wide, frame.bottom() + SPACE[0], wide, LINE)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)


def _paint_legend(painter: QPainter, area: QRectF, theme: Theme, kinds: Sequence[str]) -> None:
    """The unit of the upright axis, then the marks and what they mean, as far as there is room."""
    painter.setFont(interface_font(SMALL))
    words = QFontMetricsF(painter.font())
    middle = area.top() + LINE / 2
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    wide = [words.horizontalAdvance(LEGEND[kind]) + 14 + SPACE[3] for kind in kinds]
    name = "ms an answer" if sum(wide) + 90 < area.width() else "ms"
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(area.left(), area.top(), area.width(), LINE), left, name)
    x = area.left() + words.horizontalAdvance(name) + SPACE[4]
    for kind, room in zip(kinds, wide, strict=True):
        if x + room - SPACE[3] > area.right():
            return
        _paint_mark(painter, QPointF(x + 5, middle), kind, theme, 1.0)
        painter.setPen(theme.color("text"))
        painter.drawText(QRectF(x + 14, area.top(), room, LINE), left, LEGEND[kind])
        x += room


def _paint_mark(painter: QPainter, at: QPointF, kind: str, theme: Theme, alpha: float) -> None:
    """A dot with the cache, an open diamond without it, a cross where several tokens were read."""
    if kind == "cached":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent", alpha))
        radius = 3.0 if alpha == 1.0 else 2.0
        painter.drawEllipse(at, radius, radius)
    elif kind == "uncached":
        painter.setPen(QPen(theme.color("warning", max(alpha, 0.6)), 1.5))
        painter.setBrush(theme.color("surface"))
        x, y, r = at.x(), at.y(), 4.5
        painter.drawPolygon(QPolygonF([QPointF(x, y - r), QPointF(x + r, y), QPointF(x, y + r), QPointF(x - r, y)]))
    else:
        painter.setPen(QPen(theme.color("muted", alpha), 1.5))
        for dy in (3.0, -3.0):
            painter.drawLine(QPointF(at.x() - 3, at.y() - dy), QPointF(at.x() + 3, at.y() + dy))


def _paint_beyond(painter: QPainter, at: QPointF, kind: str, theme: Theme) -> None:
    """An arrow at the upper edge, in the colour of its kind."""
    painter.setPen(QPen(theme.color({"cached": "accent", "uncached": "warning", "prefill": "muted"}[kind]), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    x, y = at.x(), at.y()
    painter.drawPolyline(QPolygonF([QPointF(x - 3, y + 3), QPointF(x, y), QPointF(x + 3, y + 3)]))
    painter.drawLine(QPointF(x, y), QPointF(x, y + 7))


def _paint_line(painter: QPainter, points: Sequence[QPointF], kind: str, theme: Theme) -> None:
    if len(points) < 2:
        return
    style = Qt.PenStyle.SolidLine if kind == "cached" else Qt.PenStyle.DashLine
    painter.setPen(QPen(theme.color("accent" if kind == "cached" else "warning"), 1.5, style))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(list(points)))
