"""What stands around a heatmap: the legend of its colours, and the line that fills while the text is scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from arplay.core.distribution import LN2
from arplay.core.format import nats_or_bits, part_percent
from arplay.core.measures import bounds_with, bucket_names
from arplay.gui.settings import Settings, Unit
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.handle import Handle
from arplay.gui.widgets.heat.scale import HeatScale

LEAST_RAMP, MOST_RAMP = 80.0, 190.0
"""Pixels of the ramp of colours."""
LEAST_BUCKETS, MOST_BUCKETS = 200.0, 260.0
"""The same of the ramp of ranks, which has the share of each bucket in it."""
_SWATCH, _BAR, _TALL_BAR = 16.0, 10.0, 13.0
_SAME = "The same colour means the same number in every text, so that texts can be compared."


class ProgressLine(QWidget):
    """A thin line that fills while a text is scored; its place is kept when there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(3)
        self.theme: Theme = LIGHT
        self.share: float | None = None
        self.setAccessibleName("Progress of scoring")

    def show_share(self, share: float | None) -> None:
        if share != self.share:
            self.share = share
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.share is None:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("border"))
        painter.fillRect(QRectF(0, 0, self.width() * self.share, self.height()), self.theme.color("accent"))
        painter.end()


class Legend(QWidget):
    """What the colours mean; ``named`` False where the measure's name stands beside it.

    One that is ``movable`` has handles: ``moved`` carries the nats from which a token is to count as surprising,
    ``bounded`` the bounds of the buckets of ranks. Of these it tells how many tokens each has.
    """

    moved = Signal(float)
    bounded = Signal(object)

    def __init__(self, named: bool = True, movable: bool = False) -> None:
        super().__init__()
        self.named, self.movable = named, movable
        self.theme: Theme = LIGHT
        self.scale = HeatScale(LIGHT, Settings().colour_by)
        self.unit: Unit = "nats"
        self.counts: tuple[int, ...] = ()
        self.mark: float | None = None
        self.handles: list[Handle] = []
        self._before: tuple[int, ...] = ()
        """The bounds as they were when one was taken hold of: those that made room for it come back."""
        self.setMinimumHeight(28)

    def show_scale(self, theme: Theme, scale: HeatScale, unit: Unit) -> None:
        self.theme, self.scale, self.unit = theme, scale, unit
        self._tell()

    def show_counts(self, counts: tuple[int, ...]) -> None:
        """How many tokens each bucket has; none where that is not told."""
        if counts != self.counts:
            self.counts = counts
            self._tell()

    def show_mark(self, nats: float) -> None:
        """From where a token counts as surprising; the mark stands where the colours show surprisal."""
        if nats != self.mark:
            self.mark = nats
            self._tell()

    def _tell(self) -> None:
        words = f"Legend: colour shows {self.scale.colour_by}"
        parts = [f"{name}: {count:,}" for name, count in zip(self._names(), self.counts, strict=False)]
        self.setAccessibleName(f"{words}, tokens of rank {', '.join(parts)}" if parts else words)
        told = [self.scale.measure.tip, _SAME]
        if parts:
            told.append(f"Tokens of rank {', of rank '.join(parts)}. The bounds can be dragged.")
        self.setToolTip(plain("\n".join(told)))
        self._place_handles()
        self.update()

    def _names(self) -> tuple[str, ...]:
        return bucket_names(self.scale.bounds) if self.scale.scale.bucketed else ()

    def wanted_width(self) -> int:
        return math.ceil(legend_width(self.scale, self.unit, self.named, ramped=self.movable))

    def least_width(self) -> int:
        """Without the measure's name."""
        return math.ceil(legend_width(self.scale, self.unit, False, ramped=self.movable))

    def fit(self, room: float) -> None:
        """Shown where there is room for it, and with its measure's name where there is room for that."""
        self.named = room >= legend_width(self.scale, self.unit, True, ramped=self.movable)
        self.setVisible(room >= self.least_width())
        self._place_handles()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_handles()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self.movable and self.scale.scale.bucketed:
            held = next((handle for handle in self.handles if handle.is_held or handle.hasFocus()), None)
            bound = None if held is None else self.scale.bounds[self.handles.index(held)]
            paint_ramp(painter, self.theme, self.scale, self.unit, area, self.named, self.counts, bound)
        else:
            paint_legend(painter, self.theme, self.scale, self.unit, area, self.named)
        painter.end()

    # ---- the handles

    def _figures(self) -> tuple[float, ...]:
        """Where there is something to move."""
        if self.movable and self.scale.scale.bucketed:
            return self.scale.bounds
        marked = self.movable and self.mark is not None and self.scale.colour_by == "surprisal"
        return (self.mark,) if marked and self.mark is not None else ()

    def _place_handles(self) -> None:
        figures, ramp = self._figures(), self._ramp()
        while len(self.handles) < len(figures):
            self._make(len(self.handles))
        for place, handle in enumerate(self.handles):
            if place >= len(figures):
                handle.hide()
                continue
            x = ramp.left() + ramp.width() * self.scale.scale.along(figures[place], self.unit)
            handle.show_at(x, ramp, self.theme, *self._said(place, figures[place]))

    def _make(self, place: int) -> None:
        handle = Handle(self)
        handle.held.connect(self._hold)
        handle.dragged.connect(lambda x: self._drag(place, x))
        handle.stepped.connect(lambda step: self._step(place, step))
        self.handles.append(handle)

    def _said(self, place: int, figure: float) -> tuple[str, str]:
        """The name of a handle, and its tooltip."""
        if not self.scale.scale.bucketed:
            told = nats_or_bits(figure, self.unit, 1)
            return f"Surprising from {told} on", (
                f"From {told} on a token counts as surprising (F8 goes to the next one). Drag it, or press ← and →."
            )
        told = f"Ranks up to {figure:,.0f} have the colour on the left."
        if self.counts:
            share = sum(self.counts[: place + 1]) / max(1, sum(self.counts))
            told += f" These are {part_percent(share)} of the tokens."
        return f"Bound of ranks {place + 1}: {figure:,.0f}", f"{told} Drag it, or press ← and →; the others make room."

    def _hold(self) -> None:
        self._before = self.scale.bounds

    def _drag(self, place: int, x: float) -> None:
        ramp = self._ramp()
        figure = self.scale.scale.figure(min(max((x - ramp.left()) / ramp.width(), 0.0), 1.0), self.unit)
        if self.scale.scale.bucketed:
            self._bound(bounds_with(self._before, place, round(figure)))
        else:
            self.moved.emit(figure)

    def _step(self, place: int, step: int) -> None:
        if self.scale.scale.bucketed:
            bound = self.scale.bounds[place]
            self._bound(bounds_with(self.scale.bounds, place, bound + step * step_of(bound if step > 0 else bound - 1)))
        elif self.mark is not None:
            self.moved.emit(self.mark + step * (0.1 * LN2 if self.unit == "bits" else 0.1))

    def _bound(self, bounds: tuple[int, ...]) -> None:
        if bounds != self.scale.bounds:
            self.bounded.emit(bounds)

    def _ramp(self) -> QRectF:
        return ramp_place(self.scale, self.unit, QRectF(self.rect()), self.named)


def step_of(bound: int) -> int:
    """How far a key moves a bound of ranks: by its second digit.

    >>> [step_of(bound) for bound in (1, 99, 100, 4096)]
    [1, 1, 10, 100]
    """
    return max(1, 10 ** (len(str(max(1, bound))) - 2)) if bound >= 10 else 1


def legend_width(
    scale: HeatScale, unit: Unit, named: bool = True, counts: Sequence[int] = (), ramped: bool = False
) -> float:
    """Pixels that :func:`paint_legend` wants at least, without cutting any of its words; ``ramped``: as a ramp, also
    where the scale has buckets."""
    metrics = QFontMetricsF(interface_font(SMALL))
    if scale.scale.bucketed and not ramped:
        gap = SPACE[2] if named else SPACE[1]
        words = sum(metrics.horizontalAdvance(name + share) for name, share in _buckets(scale, counts))
        return (
            words
            + len(scale.bounds) * gap
            + (len(scale.bounds) + 1) * _SWATCH
            + SPACE[1]
            + (metrics.horizontalAdvance(scale.measure.said) + gap if named else 0)
        )
    least = LEAST_BUCKETS if scale.scale.bucketed else LEAST_RAMP
    return metrics.horizontalAdvance(_measure_name(scale, unit, named)) + least + 3 * SPACE[2] + _overhang(scale, unit)


def ramp_place(scale: HeatScale, unit: Unit, area: QRectF, named: bool) -> QRectF:
    """Where the ramp of colours stands."""
    taken = QFontMetricsF(interface_font(SMALL)).horizontalAdvance(_measure_name(scale, unit, named))
    taken += _overhang(scale, unit)
    least, most = (LEAST_BUCKETS, MOST_BUCKETS) if scale.scale.bucketed else (LEAST_RAMP, MOST_RAMP)
    wide = max(least, min(most, area.width() * 0.6, area.width() - taken - 3 * SPACE[2]))
    tall, above = (_TALL_BAR, _TALL_BAR - 4) if scale.scale.bucketed else (_BAR, _BAR - 1)
    return QRectF(area.right() - wide - SPACE[2], area.center().y() - above, wide, tall)


def paint_legend(
    painter: QPainter,
    theme: Theme,
    scale: HeatScale,
    unit: Unit,
    area: QRectF,
    named: bool = True,
    counts: Sequence[int] = (),
) -> None:
    """What the colours mean, right-aligned in ``area``, 26 high and as wide as :func:`legend_width` at least."""
    if scale.scale.bucketed:
        _paint_buckets(painter, theme, scale, area, named, counts)
    else:
        paint_ramp(painter, theme, scale, unit, area, named)


def paint_ramp(
    painter: QPainter,
    theme: Theme,
    scale: HeatScale,
    unit: Unit,
    area: QRectF,
    named: bool,
    counts: Sequence[int] = (),
    held: float | None = None,
) -> None:
    """The colours as a ramp.

    ``counts``: of tokens in each bucket, whose share stands in it where it has room; ``held``: the bound that a hand
    moves, whose words come first.
    """
    painter.setFont(interface_font(SMALL))
    metrics = QFontMetricsF(interface_font(SMALL))
    ramp, ticks = ramp_place(scale, unit, area, named), scale.scale.ticks(unit)
    count = round(ramp.width())
    for i, shade in enumerate(scale.scale.ramp(unit, count).tolist()):
        wide = ramp.width() / count
        painter.fillRect(QRectF(ramp.left() + wide * i, ramp.top(), wide + 0.5, ramp.height()), scale.fills[shade])
    painter.setPen(theme.color("border"))
    painter.drawRect(ramp)
    painter.setPen(theme.color("text"))
    taken: list[tuple[float, float]] = []
    for tick in sorted(ticks, key=lambda tick: tick.figure != held):
        x, half = ramp.left() + ramp.width() * tick.along, metrics.horizontalAdvance(tick.words) / 2
        if all(abs(x - other) >= half + wide + SPACE[0] for other, wide in taken):  # bounds may be moved together
            painter.drawText(QPointF(x - half, ramp.bottom() + metrics.ascent() - 1), tick.words)
            taken.append((x, half))
    edges = [0.0, *(tick.along for tick in ticks), 1.0]
    for bucket, ((low, high), many) in enumerate(zip(pairwise(edges), counts, strict=False)):
        place = QRectF(ramp.left() + ramp.width() * low, ramp.top(), ramp.width() * (high - low), ramp.height())
        words = part_percent(many / max(1, sum(counts)))
        if metrics.horizontalAdvance(words) + 2 <= place.width():
            painter.setPen(scale.inks[scale.scale.of_bucket(bucket)])
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), words)
    painter.setPen(theme.color("muted"))
    name = _measure_name(scale, unit, named)
    left = ramp.left() - metrics.horizontalAdvance(name) - SPACE[2] - _overhang(scale, unit)
    painter.drawText(QPointF(left, area.center().y() + metrics.ascent() / 2 - 2), name)


def _overhang(scale: HeatScale, unit: Unit) -> float:
    """Pixels by which the first number stands out on the left of the ramp."""
    first = min(scale.scale.ticks(unit), key=lambda tick: tick.along)
    half = QFontMetricsF(interface_font(SMALL)).horizontalAdvance(first.words) / 2
    return max(0.0, half - SPACE[1])


def _paint_buckets(
    painter: QPainter, theme: Theme, scale: HeatScale, area: QRectF, named: bool, counts: Sequence[int]
) -> None:
    painter.setFont(interface_font(SMALL))
    metrics = QFontMetricsF(interface_font(SMALL))
    gap, middle, x = SPACE[2] if named else SPACE[1], area.center().y(), area.right()
    base = middle + metrics.ascent() / 2 - 1
    for bucket, (name, share) in reversed(list(enumerate(_buckets(scale, counts)))):
        for words, ink in ((share, "muted"), (name, "text")):
            x -= metrics.horizontalAdvance(words)
            painter.setPen(theme.color(ink))
            painter.drawText(QPointF(x, base), words)
        x -= _SWATCH
        painter.setPen(theme.color("border"))
        painter.setBrush(scale.fills[scale.scale.of_bucket(bucket)])
        painter.drawRoundedRect(QRectF(x, middle - 6, 12, 12), 2, 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        x -= gap
    if named:
        painter.setPen(theme.color("muted"))
        painter.drawText(QPointF(x - metrics.horizontalAdvance(scale.measure.said), base), scale.measure.said)


def _buckets(scale: HeatScale, counts: Sequence[int]) -> list[tuple[str, str]]:
    """The name of each bucket, and the share of the tokens that it has, where that is known."""
    names, total = bucket_names(scale.bounds), sum(counts)
    if not total:
        return [(name, "") for name in names]
    return [(name, f"  {part_percent(count / total)}") for name, count in zip(names, counts, strict=True)]


def _measure_name(scale: HeatScale, unit: Unit, named: bool) -> str:
    kind = unit if scale.measure.in_nats else "tokens" if scale.measure.scale == "count" else ""
    return ", ".join(filter(None, (scale.measure.said if named else "", kind)))
