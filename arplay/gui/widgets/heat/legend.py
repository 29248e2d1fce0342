"""What stands around a heatmap: the legend of its colours, and the line that fills while the text is scored."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from arplay.core.format import nats_or_bits, part_percent
from arplay.core.measures import bucket_names
from arplay.gui.settings import Settings, Unit
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.scale import HeatScale

LEAST_RAMP, MOST_RAMP = 80.0, 190.0
"""Pixels of the ramp of colours."""
_SWATCH, _BAR = 16.0, 10.0
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

    Of ranks it tells how many tokens are in each bucket. ``moved`` carries the nats to which the mark was dragged from
    which a token counts as surprising.
    """

    moved = Signal(float)

    def __init__(self, named: bool = True) -> None:
        super().__init__()
        self.named = named
        self.theme: Theme = LIGHT
        self.scale = HeatScale(LIGHT, Settings().colour_by)
        self.unit: Unit = "nats"
        self.counts: tuple[int, ...] = ()
        self.mark: float | None = None
        self._dragged = False
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
        told += [
            f"Tokens of rank {', of rank '.join(parts)}. The bounds can be moved: the button on the right."
        ] * bool(parts)
        if self._has_mark():
            assert self.mark is not None
            told.append(
                f"The mark at {nats_or_bits(self.mark, self.unit, 1)}: from there on a token counts as surprising (F8 "
                "goes to the next one). Drag it."
            )
        self.setToolTip(plain("\n".join(told)))
        self.setMouseTracking(self._has_mark())
        self.update()

    def _names(self) -> tuple[str, ...]:
        return bucket_names(self.scale.bounds) if self.scale.scale.bucketed else ()

    def _has_mark(self) -> bool:
        return self.mark is not None and self.scale.colour_by == "surprisal"

    def wanted_width(self) -> int:
        return math.ceil(legend_width(self.scale, self.unit, self.named, self.counts))

    def least_width(self) -> int:
        """Without the measure's name."""
        return math.ceil(legend_width(self.scale, self.unit, False, self.counts))

    def fit(self, room: float) -> None:
        """Shown where there is room for it, and with its measure's name where there is room for that."""
        self.named = room >= legend_width(self.scale, self.unit, True, self.counts)
        self.setVisible(room >= legend_width(self.scale, self.unit, False))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        counts = self.counts if self.width() >= self.wanted_width() else ()
        area = QRectF(self.rect())
        paint_legend(painter, self.theme, self.scale, self.unit, area, self.named, counts)
        if self._has_mark():
            ramp = self._ramp()
            x = self._x_of_mark()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color("accent"))
            top = ramp.top() - 1
            painter.drawPolygon(QPolygonF([QPointF(x - 4, top - 5), QPointF(x + 4, top - 5), QPointF(x, top)]))
            painter.fillRect(QRectF(x - 0.5, top, 1, ramp.height() + 2), self.theme.color("accent"))
        painter.end()

    # ---- the mark

    def _ramp(self) -> QRectF:
        return ramp_place(self.scale, self.unit, QRectF(self.rect()), self.named)

    def _x_of_mark(self) -> float:
        ramp = self._ramp()
        assert self.mark is not None
        return ramp.left() + ramp.width() * self.scale.scale.along(self.mark, self.unit)

    def _is_at_mark(self, place: QPointF) -> bool:
        return self._has_mark() and abs(place.x() - self._x_of_mark()) <= 6

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._dragged = event.button() == Qt.MouseButton.LeftButton and self._is_at_mark(event.position())
        event.setAccepted(self._dragged)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at_mark = self._dragged or self._is_at_mark(event.position())
        self.setCursor(Qt.CursorShape.SizeHorCursor if at_mark else Qt.CursorShape.ArrowCursor)
        if self._dragged:
            ramp = self._ramp()
            along = min(max((event.position().x() - ramp.left()) / ramp.width(), 0.0), 1.0)
            self.moved.emit(self.scale.scale.figure(along, self.unit))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = False


def legend_width(scale: HeatScale, unit: Unit, named: bool = True, counts: Sequence[int] = ()) -> float:
    """Pixels that :func:`paint_legend` wants at least, without cutting any of its words."""
    metrics = QFontMetricsF(interface_font(SMALL))
    if scale.scale.bucketed:
        gap = SPACE[2] if named else SPACE[1]
        words = sum(metrics.horizontalAdvance(name + share) for name, share in _buckets(scale, counts))
        return (
            words
            + len(scale.bounds) * gap
            + (len(scale.bounds) + 1) * _SWATCH
            + SPACE[1]
            + (metrics.horizontalAdvance(scale.measure.said) + gap if named else 0)
        )
    return metrics.horizontalAdvance(_measure_name(scale, unit, named)) + LEAST_RAMP + 3 * SPACE[2]


def ramp_place(scale: HeatScale, unit: Unit, area: QRectF, named: bool) -> QRectF:
    """Where the ramp of colours stands."""
    taken = QFontMetricsF(interface_font(SMALL)).horizontalAdvance(_measure_name(scale, unit, named))
    wide = max(LEAST_RAMP, min(MOST_RAMP, area.width() * 0.6, area.width() - taken - 3 * SPACE[2]))
    return QRectF(area.right() - wide - SPACE[2], area.center().y() - _BAR + 1, wide, _BAR)


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
    painter.setFont(interface_font(SMALL))
    if scale.scale.bucketed:
        _paint_buckets(painter, theme, scale, area, named, counts)
        return
    metrics = QFontMetricsF(interface_font(SMALL))
    ramp, ticks = ramp_place(scale, unit, area, named), scale.scale.ticks(unit)
    count = round(ramp.width())
    for i, shade in enumerate(scale.scale.ramp(unit, count).tolist()):
        wide = ramp.width() / count
        painter.fillRect(QRectF(ramp.left() + wide * i, ramp.top(), wide + 0.5, _BAR), scale.fills[shade])
    painter.setPen(theme.color("border"))
    painter.drawRect(ramp)
    painter.setPen(theme.color("text"))
    for tick in ticks:
        x = ramp.left() + ramp.width() * tick.along
        wide = metrics.horizontalAdvance(tick.words)
        painter.drawText(QPointF(x - wide / 2, ramp.bottom() + metrics.ascent()), tick.words)
    painter.setPen(theme.color("muted"))
    name = _measure_name(scale, unit, named)
    left = ramp.left() - metrics.horizontalAdvance(name) - SPACE[2]
    painter.drawText(QPointF(left, area.center().y() + metrics.ascent() / 2 - 2), name)


def _paint_buckets(
    painter: QPainter, theme: Theme, scale: HeatScale, area: QRectF, named: bool, counts: Sequence[int]
) -> None:
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
