"""Lines over tokens with axes and a legend, painted: every line chart, on screen and on paper, is one of these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from arplay.core.format import number, short
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.plot_shapes import Shape

LINE = SMALL + SPACE[0]
LOW = 90
"""Pixels of height below which the axis of tokens has no numbers."""
UNSEEN = 0.3
"""Pixels between points of which one is left out where there are many."""
MOST_IN_FULL = 100_000
"""An axis that ends below it has all digits of its numbers."""
SAMPLE = 22
"""Pixels of line in the legend."""
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignCenter

Floats = NDArray[np.float64]
Stretches = tuple[tuple[float, float], ...]
"""Parts of an axis, from x to x; a line where both are one."""
Mark = Literal["", "dot", "diamond", "cross"]


@dataclass(frozen=True, eq=False)
class Series:
    """``x``, which rises, and ``y`` of shape (n,); NaN is a gap. ``name``: in the legend, "" is not there.

    ``width`` 0: only the marks. ``steps``: a level for each x, from half a unit before it to half a unit behind it.
    ``coarse``: fewer points between the same lows and highs, for where a pixel would still have several of those.
    """

    name: str
    x: Floats
    y: Floats
    color: str
    width: float = 1.5
    alpha: float = 1.0
    dashed: bool = False
    mark: Mark = ""
    steps: bool = False
    coarse: Series | None = None

    def pen(self, theme: Theme, opaque: bool = False) -> QPen:
        """``opaque``: the colour that it has on the ground, which is painted ten times as fast."""
        color = theme.color(self.color, self.alpha)
        if opaque:
            ground = theme.color("surface")
            rgb = ((ground.red(), color.red()), (ground.green(), color.green()), (ground.blue(), color.blue()))
            color = QColor(*(round(below + self.alpha * (above - below)) for below, above in rgb))
        style = Qt.PenStyle.DashLine if self.dashed else Qt.PenStyle.SolidLine
        return QPen(color, self.width, style)

    def within(self, left: float, right: float, beyond: int = 0) -> tuple[Floats, Floats]:
        """x and y of the points from ``left`` to ``right``, with so many on either side."""
        first = max(0, int(np.searchsorted(self.x, left, "left")) - beyond)
        stop = int(np.searchsorted(self.x, right, "right")) + beyond
        return self.x[first:stop], self.y[first:stop]


@dataclass(frozen=True, eq=False)
class Plot:
    """``series``: the last one lies on top. ``unit`` and ``along``: what the axes are, the longest words first.

    ``start`` and ``end`` of the axis of tokens, ``low`` and ``high`` of the upright one; what is beyond ``high`` stands
    at the upper edge. ``level``: a height with a name. ``first``: None for an even axis of tokens; else it is
    logarithmic beyond so many tokens and even before them, so that 0 has a place. ``shapes`` lie below the series.
    ``least``: how far apart numbers of the axis are at least; ``ticks``: those there are instead, with their words.
    """

    series: tuple[Series, ...] = ()
    unit: tuple[str, ...] = ("",)
    along: tuple[str, ...] = ("tokens",)
    start: float = 0.0
    end: float = 1.0
    low: float = 0.0
    high: float = 1.0
    level: tuple[float, str] | None = None
    first: float | None = None
    shapes: tuple[Shape, ...] = ()
    least: float = 1.0
    ticks: tuple[tuple[float, str], ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.shapes or any(len(each.x) for each in self.series))

    @cached_property
    def stops(self) -> Floats:
        """Every x that has a point."""
        every = [*(each.x for each in self.series), *(each.stops for each in self.shapes)]
        return np.unique(np.concatenate(every or [np.zeros(0)]))


def of_tokens(lit: tuple[int, int] | None) -> Stretches:
    """Where the tokens [first, stop) are on an axis that counts them from 1.

    >>> of_tokens((3, 4)), of_tokens((3, 6)), of_tokens(None)
    (((4.0, 4.0),), ((3.5, 6.5),), ())
    """
    if lit is None:
        return ()
    first, stop = lit
    return ((float(stop), float(stop)) if stop == first + 1 else (first + 0.5, stop + 0.5),)


def tokens_in(span: tuple[float, float] | None) -> tuple[int, int] | None:
    """The tokens [first, stop) that are seen, if only in part, in a stretch of that axis.

    >>> tokens_in((3.5, 6.5)), tokens_in((3.6, 6.6)), tokens_in(None)
    ((3, 6), (3, 7), None)
    """
    if span is None:
        return None
    return max(0, math.floor(span[0] - 0.5)), math.ceil(span[1] - 0.5)


def round_numbers(low: float, high: float, most: int, least: float = 0.0) -> list[float]:
    """About ``most`` multiples of 1, 2 or 5 times a power of ten; two of them at least, unless ``least`` apart.

    >>> round_numbers(0.0, 23.0, 4), round_numbers(2.1, 4.3, 7)
    ([0.0, 10.0, 20.0], [2.5, 3.0, 3.5, 4.0])
    """
    rough = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    ladder = [power * times for times in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
    at = next(i for i, step in enumerate(ladder) if step >= rough * (1 - 1e-9))
    for step in reversed(ladder[: at + 1]):
        step = max(step, least)
        start, end = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if end > start or step == least:
            break
    return [step * i for i in range(start, end + 1)]


def upright(low: float, high: float, pixels: float) -> list[tuple[float, str]]:
    """Round numbers between ``low`` and ``high`` with what stands beside them.

    >>> upright(2.1, 4.3, 100), upright(-60.0, 0.0, 50)
    ([(3.0, '3'), (4.0, '4')], [(-50.0, '−50'), (0.0, '0')])
    """
    numbers = round_numbers(low, high, max(2, min(7, int(pixels / 34) + 2)))
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1.0
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(value, number(value, digits)) for value in numbers]


class Drawing:
    """A plot in ``area``, of which ``span`` of the axis of tokens is shown. ``frame``: where the lines are."""

    def __init__(
        self, plot: Plot, area: QRectF, span: tuple[float, float] | None = None, frame: QRectF | None = None
    ) -> None:
        """With ``frame`` there is nothing around the lines."""
        self.plot, self.area = plot, area
        self.left, self.right = span or (plot.start, plot.end)
        self.numbers = upright(plot.low, plot.high, area.height() - 3 * LINE) if frame is None else []
        words = QFontMetricsF(number_font(SMALL))
        wide = max((words.horizontalAdvance(text) for _, text in self.numbers), default=0.0)
        below = LINE + SPACE[1] if area.height() >= LOW else SPACE[0]
        self.frame = frame or area.adjusted(wide + SPACE[1], LINE + SPACE[1], -SPACE[2], -below)

    def place(self, x: float, y: float) -> QPointF:
        """Where a point is drawn; what is outside stands at the edge."""
        frame = self.frame
        at = float(self._across(np.array([x]))[0])
        return QPointF(min(max(at, frame.left()), frame.right()), float(self._up(np.array([y]))[0]))

    def x_at(self, pixel: float) -> float:
        """Which x a place on the axis is."""
        return float(self._xs(np.array([pixel]))[0])

    def _xs(self, pixels: Floats) -> Floats:
        left, right = self._even(self.left), self._even(self.right)
        even = left + (right - left) * (pixels - self.frame.left()) / self.frame.width()
        return even if self.plot.first is None else self.plot.first * np.expm1(even)

    def _even(self, x: float) -> float:
        return x if self.plot.first is None else math.log1p(x / self.plot.first)

    def _across(self, x: Floats) -> Floats:
        left, right = self._even(self.left), self._even(self.right)
        even = x if self.plot.first is None else np.log1p(x / self.plot.first)
        return self.frame.left() + self.frame.width() * (even - left) / (right - left)

    def _up(self, y: Floats) -> Floats:
        low, high = self.plot.low, self.plot.high
        return self.frame.bottom() - self.frame.height() * (np.clip(y, low, high) - low) / (high - low)

    @cached_property
    def polygons(self) -> list[list[QPolygonF]]:
        """The lines of every series, without what cannot be seen: a long text has a million points."""
        return [self._polygons(each) if each.width else [] for each in self.plot.series]

    def _polygons(self, series: Series) -> list[QPolygonF]:
        x, y = series.within(self.left, self.right, beyond=1)
        if series.coarse is not None:
            packed = series.coarse.within(self.left, self.right, beyond=1)
            x, y = packed if self._is_dense(packed[0]) else (x, y)
        dense = self._is_dense(x)
        if dense:
            x, y = thinned(x, y, self._xs(np.arange(self.frame.left(), self.frame.right() + 1)))
        elif series.steps:
            x, y = (np.stack([x - 0.5, x + 0.5], 1).ravel(), np.repeat(y, 2))
        across, up = self._across(x), self._up(y)
        if dense:  # each in the middle of its column, else some columns stay empty as places are rounded
            across = self.frame.left() + np.floor(across - self.frame.left() + 1e-6) + 0.5
        if dense:  # a stroke's cost is its points, seen or not
            seen = ~(np.abs(np.diff(across, prepend=np.nan)) + np.abs(np.diff(up, prepend=np.nan)) < UNSEEN)
            across, up = across[seen], up[seen]
            moves = np.diff(np.round(up / UNSEEN), prepend=np.nan, append=np.nan) != 0
            corners = moves[:-1] | moves[1:]  # between which it is level
            across, up = across[corners], up[corners]
        known = np.isfinite(up)
        runs = np.split(np.arange(len(up)), np.flatnonzero(known[1:] != known[:-1]) + 1)
        runs = [run for run in runs if len(run) and known[run[0]]]
        return [QPolygonF(list(map(QPointF, across[run].tolist(), up[run].tolist()))) for run in runs]

    def _is_dense(self, x: Floats) -> bool:
        """Whether several points lie in a pixel's column, on the average."""
        return len(x) > 4 * self.frame.width()

    def paint(
        self,
        painter: QPainter,
        theme: Theme,
        lit: tuple[float, float | None] | None = None,
        here: Stretches = (),
        sight: tuple[float, float] | None = None,
    ) -> None:
        """Axes, lines, marks and legend. ``lit``: a point that is read, or all at one x; ``here``: where the tokens
        are that light up in the rest of the window; ``sight``: from where to where it shows the text."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if sight is not None:
            ends = [self.place(x, self.plot.low).x() for x in sight]
            painter.fillRect(
                QRectF(ends[0], self.frame.top(), max(2.0, ends[1] - ends[0]), self.frame.height()),
                theme.color("accent_soft"),
            )
        self._paint_axes(painter, theme)
        self._paint_level(painter, theme)
        self._paint_shapes(painter, theme, lit)
        self.paint_lines(painter, theme, here)
        if lit is not None:
            self._paint_lit(painter, theme, *lit)
        self._paint_legend(painter, theme)
        painter.restore()

    def paint_lines(self, painter: QPainter, theme: Theme, here: Stretches = ()) -> None:
        for series, polygons in zip(self.plot.series, self.polygons, strict=True):
            painter.save()
            painter.setClipRect(self.frame.adjusted(-1, -2, 1, 2))
            packed = sum(polygon.size() for polygon in polygons) > 2 * self.frame.width()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, not packed)
            pen = series.pen(theme, opaque=packed)
            lines = max(1, round(series.width)) if packed else 1
            if packed:
                pen.setWidthF(1.0)  # two thin lines below each other are painted thirty times as fast as a thick one
            painter.setPen(pen)
            for _ in range(lines):
                for polygon in polygons:
                    painter.drawPolyline(polygon)
                painter.translate(0, 1)
            painter.restore()
            self._paint_marks(painter, theme, series)
        for first, last in here:
            if last < self.left or first > self.right:
                continue
            left, right = (round(self.place(x, self.plot.low).x()) for x in (first, last))
            area = QRectF(left - 1, self.frame.top(), right - left + 2, self.frame.height())
            painter.fillRect(area, theme.color("accent", 1.0 if first == last else 0.28))

    def _paint_shapes(self, painter: QPainter, theme: Theme, lit: tuple[float, float | None] | None) -> None:
        for shape in self.plot.shapes:
            painter.save()
            painter.setClipRect(self.frame.adjusted(-1, -2, 1, 0))
            shape.paint(painter, theme, lambda x, y: (self._across(x), self._up(y)), None if lit is None else lit[0])
            painter.restore()

    def _paint_marks(self, painter: QPainter, theme: Theme, series: Series) -> None:
        """One where many would lie on each other; an arrow at the upper edge for what is beyond it."""
        x, y = series.within(self.left, self.right)
        if not series.mark and np.count_nonzero(np.isfinite(y[:64])) > 1:
            return  # a line, which may have a million points
        known = np.isfinite(y)
        count = np.count_nonzero(known)
        mark = series.mark or ("dot" if count == 1 else "")  # a line needs two
        if not mark or not count:
            return
        x, y = x[known], y[known]
        points = np.stack([self._across(x), self._up(y)], axis=1)
        _, kept = np.unique(np.round(points / 2), axis=0, return_index=True)
        crowded = len(points) > self.frame.width() / 6
        for i in np.sort(kept).tolist():
            at = QPointF(*points[i].tolist())
            if y[i] > self.plot.high:
                _paint_beyond(painter, at, theme, series.color)
            else:
                paint_mark(painter, at, theme, mark, series.color, crowded)

    def _paint_axes(self, painter: QPainter, theme: Theme) -> None:
        frame, area = self.frame, self.area
        painter.setFont(number_font(SMALL))
        words = QFontMetricsF(painter.font())
        for value, text in self.numbers:
            y = self.place(self.left, value).y()
            painter.setPen(QPen(theme.color("border", 0.7), 1.0))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(theme.color("muted"))
            room = QRectF(area.left(), y - LINE / 2, frame.left() - area.left() - SPACE[0], LINE)
            painter.drawText(room, _RIGHT, text)
        painter.setPen(QPen(theme.color("border"), 1.5))
        painter.drawLine(frame.bottomLeft(), frame.bottomRight())
        if area.bottom() - frame.bottom() < LINE:
            return
        name = _fitting(self.plot.along, words, frame.width() * 0.35)
        wide = words.horizontalAdvance(name) + SPACE[1] if name else 0.0
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(frame.right() - wide, frame.bottom() + SPACE[0], wide, LINE), _RIGHT, name)
        taken = area.left() - SPACE[1]
        for value, text in self._along():
            x, half = self.place(value, self.plot.low).x(), words.horizontalAdvance(text) / 2
            if x - half < taken + SPACE[1] or x + half + SPACE[1] > (frame.right() - wide if wide else area.right()):
                continue
            taken = x + half
            painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + 3))
            painter.drawText(QRectF(x - half - 2, frame.bottom() + SPACE[0], 2 * half + 4, LINE), _CENTER, text)

    def _along(self) -> list[tuple[float, str]]:
        """Where the axis of tokens has numbers: evenly, or at the powers of ten beyond ``first``."""
        most = max(2, min(7, int(self.frame.width() / 70) + 1))
        if self.plot.ticks:
            return list(self.plot.ticks)
        if self.plot.first is None:
            numbers = round_numbers(self.left, self.right, most, least=self.plot.least)
            if self.plot.least < 1:
                return [(value, f"{value:.6g}") for value in numbers]
        else:
            powers = range(math.ceil(math.log10(self.plot.first) - 1e-9), 13)
            numbers = [n for n in (0.0, *(10.0**power for power in powers)) if self.left <= n <= self.right]
        texts = [short(value, 1_000) for value in numbers]
        if len(set(texts)) < len(texts) or max(numbers, default=0) < MOST_IN_FULL:  # all alike, “5,000” and “10,000”
            texts = [f"{value:,.0f}" for value in numbers]
        return list(zip(numbers, texts, strict=True))

    def _paint_level(self, painter: QPainter, theme: Theme) -> None:
        if self.plot.level is None:
            return
        value, text = self.plot.level
        y = self.place(self.left, value).y()
        painter.setPen(QPen(theme.color("warning"), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(self.frame.left(), y), QPointF(self.frame.right(), y))
        painter.setFont(interface_font(SMALL))
        wide = QFontMetricsF(painter.font()).horizontalAdvance(text) + 2
        painter.drawText(QRectF(self.frame.right() - wide, y + 2, wide, LINE), _RIGHT, text)

    def _paint_lit(self, painter: QPainter, theme: Theme, x: float, y: float | None) -> None:
        heights = [y] if y is not None else [h for each in self.plot.series for h in each.within(x, x)[1].tolist()]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if y is None:
            across = self.place(x, self.plot.low).x()
            painter.setPen(QPen(theme.color("muted"), 1.0, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(across, self.frame.top()), QPointF(across, self.frame.bottom()))
        painter.setPen(QPen(theme.color("text"), 1.5))
        for height in heights:
            if math.isfinite(height):
                painter.drawEllipse(self.place(x, height), 6.0, 6.0)

    def _paint_legend(self, painter: QPainter, theme: Theme) -> None:
        """The unit of the upright axis, then a sample of each line, the topmost first, with as much of its name as
        there is room for."""
        area = self.area
        painter.setFont(interface_font(SMALL))
        words = QFontMetricsF(painter.font())
        named = [series for series in reversed(self.plot.series) if series.name and len(series.x)]
        samples = [SAMPLE if series.width else 10 for series in named]
        taken = [at + SPACE[0] + words.horizontalAdvance(s.name) + 2 for s, at in zip(named, samples, strict=True)]
        unit = _fitting(self.plot.unit, words, area.width() - SPACE[4] - sum(taken) - SPACE[3] * len(taken))
        unit = unit or self.plot.unit[-1]
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(area.left(), area.top(), area.width(), LINE), _LEFT, unit)
        x, middle = area.left() + words.horizontalAdvance(unit) + SPACE[4], area.top() + LINE / 2
        room = area.right() - x - SPACE[3] * (len(named) - 1)
        if sum(taken) > room:
            taken = [min(wide, room / len(named)) for wide in taken]
        for series, sample, wide in zip(named, samples, taken, strict=True):
            if series.width:
                painter.setPen(series.pen(theme))
                painter.drawLine(QPointF(x, middle), QPointF(x + sample, middle))
            if series.mark:
                paint_mark(painter, QPointF(x + sample / 2, middle), theme, series.mark, series.color)
            painter.setPen(theme.color("text"))
            name = words.elidedText(series.name, Qt.TextElideMode.ElideRight, wide - sample - SPACE[0])
            painter.drawText(QRectF(x + sample + SPACE[0], area.top(), wide, LINE), _LEFT, name)
            x += wide + SPACE[3]


def thinned(x: Floats, y: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """Of the points between two ``edges`` (columns of pixels) only the first, the lowest, the highest and the last.

    They look the same. ``x``, which rises, and ``y`` of shape (n,); up to four points of each column are returned.
    """
    if not len(x):
        return x, y
    starts = np.append(0, np.searchsorted(x, edges))
    starts = starts[(np.diff(starts, prepend=-1) > 0) & (starts < len(x))]
    lasts = np.append(starts[1:], len(x)) - 1
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return np.repeat(x[starts], 4), np.stack([y[starts], low, high, y[lasts]], axis=1).ravel()


def paint_mark(
    painter: QPainter, at: QPointF, theme: Theme, mark: Mark, color: str, crowded: bool = False, radius: float = 3.5
) -> None:
    alpha = 0.3 if crowded else 1.0
    painter.save()
    if mark == "dot":
        painter.setPen(Qt.PenStyle.NoPen if crowded else QPen(theme.color("surface"), 1.0))
        painter.setBrush(theme.color(color, alpha))
        painter.drawEllipse(at, 2.0 if crowded else radius, 2.0 if crowded else radius)
    elif mark == "diamond":
        painter.setPen(QPen(theme.color(color, max(alpha, 0.6)), 1.5))
        painter.setBrush(theme.color("surface"))
        painter.drawPolygon(QPolygonF([at + QPointF(dx, dy) for dx, dy in ((0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0))]))
    else:
        painter.setPen(QPen(theme.color(color, alpha), 1.5))
        for dy in (3, -3):
            painter.drawLine(at + QPointF(-3, -dy), at + QPointF(3, dy))
    painter.restore()


def _paint_beyond(painter: QPainter, at: QPointF, theme: Theme, color: str) -> None:
    painter.setPen(QPen(theme.color(color), 1.5))
    for tip, end in pairwise((QPointF(-3, 3), QPointF(0, 0), QPointF(3, 3))):
        painter.drawLine(at + tip, at + end)
    painter.drawLine(at, at + QPointF(0, 7))


def _fitting(names: Sequence[str], words: QFontMetricsF, room: float) -> str:
    """The first of ``names`` that fits; "" where none does."""
    return next((name for name in names if words.horizontalAdvance(name) <= room), "")
