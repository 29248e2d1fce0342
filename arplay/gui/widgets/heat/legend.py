"""What stands around a heatmap: the legend of its colours, and the line that fills while the text is scored."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from arplay.core.distribution import LN2
from arplay.export.colours import shades
from arplay.gui.settings import Settings, Unit
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.scale import RANKS, HeatScale

LEAST_RAMP = 80.0
"""Pixels of the ramp of colours."""


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
    """What the colours mean; ``named`` False where the measure's name stands beside it."""

    def __init__(self, named: bool = True) -> None:
        super().__init__()
        self.named = named
        self.theme: Theme = LIGHT
        self.scale = HeatScale(LIGHT, Settings().colour_by)
        self.unit: Unit = "nats"
        self.setMinimumHeight(28)
        self.setToolTip(plain("The same colour means the same number in every text, so that texts can be compared."))

    def show_scale(self, theme: Theme, scale: HeatScale, unit: Unit) -> None:
        self.theme, self.scale, self.unit = theme, scale, unit
        self.setAccessibleName(f"Legend: colour shows {scale.colour_by}")
        self.update()

    def wanted_width(self) -> int:
        return math.ceil(legend_width(self.scale, self.unit, self.named))

    def fit(self, room: float) -> None:
        """Shown where there is room for it, and with its measure's name where there is room for that."""
        self.named = room >= legend_width(self.scale, self.unit)
        self.setVisible(room >= self.wanted_width())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_legend(painter, self.theme, self.scale, self.unit, QRectF(self.rect()), self.named)
        painter.end()


def legend_width(scale: HeatScale, unit: Unit, named: bool = True) -> float:
    """Pixels that :func:`paint_legend` wants at least, without cutting any of its words."""
    metrics = QFontMetricsF(interface_font(SMALL))
    if scale.colour_by == "rank":
        words, gap = [name for _, name in RANKS], SPACE[2] if named else SPACE[1]
        return sum(metrics.horizontalAdvance(name) + 16 + gap for name in words) + (
            metrics.horizontalAdvance("rank") if named else 0
        )
    return metrics.horizontalAdvance(_measure_name(scale, unit, named)) + LEAST_RAMP + 3 * SPACE[2]


def paint_legend(
    painter: QPainter, theme: Theme, scale: HeatScale, unit: Unit, area: QRectF, named: bool = True
) -> None:
    """What the colours mean, right-aligned in ``area``, 26 high and as wide as :func:`legend_width` at least."""
    painter.setFont(interface_font(SMALL))
    metrics = QFontMetricsF(interface_font(SMALL))
    middle, bar = area.center().y(), 10.0
    if scale.colour_by == "rank":
        gap = SPACE[2] if named else SPACE[1]
        x = area.right()
        for bucket in reversed(range(len(RANKS))):
            name = RANKS[bucket][1]
            x -= metrics.horizontalAdvance(name)
            painter.setPen(theme.color("text"))
            painter.drawText(QPointF(x, middle + metrics.ascent() / 2 - 1), name)
            x -= 16
            painter.setPen(theme.color("border"))
            painter.setBrush(scale.fills[scale.of_bucket(bucket)])
            painter.drawRoundedRect(QRectF(x, middle - 6, 12, 12), 2, 2)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            x -= gap
        if named:
            painter.setPen(theme.color("muted"))
            painter.drawText(QPointF(x - metrics.horizontalAdvance("rank"), middle + metrics.ascent() / 2 - 1), "rank")
        return
    per_unit = LN2 if unit == "bits" else 1.0
    ticks = (0, 2, 4, 8, 16) if unit == "bits" else (0, 1, 2, 4, 12)
    name = _measure_name(scale, unit, named)
    taken = metrics.horizontalAdvance(name)
    wide = max(LEAST_RAMP, min(190.0, area.width() * 0.6, area.width() - taken - 3 * SPACE[2]))
    left, top = area.right() - wide - SPACE[2], middle - bar + 1
    count = 48
    ramp = shades(ticks[-1] * per_unit * np.linspace(0.0, 1.0, count) ** 2)  # room for small figures too
    for i, shade in enumerate(ramp.tolist()):
        painter.fillRect(QRectF(left + wide * i / count, top, wide / count + 0.5, bar), scale.fills[shade])
    painter.setPen(theme.color("border"))
    painter.drawRect(QRectF(left, top, wide, bar))
    painter.setPen(theme.color("text"))
    for tick in ticks:
        text = f"{tick}" if tick < ticks[-1] else f"{tick}+"
        x = left + wide * math.sqrt(tick / ticks[-1])
        painter.drawText(QPointF(x - metrics.horizontalAdvance(text) / 2, top + bar + metrics.ascent()), text)
    painter.setPen(theme.color("muted"))
    painter.drawText(QPointF(left - taken - SPACE[2], middle + metrics.ascent() / 2 - 2), name)


def _measure_name(scale: HeatScale, unit: Unit, named: bool) -> str:
    label = "surprisal −log p" if scale.colour_by == "surprisal" else "entropy"
    return f"{label}, {unit}" if named else unit
