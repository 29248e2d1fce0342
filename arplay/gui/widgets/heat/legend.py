"""What stands around a heatmap: the legend of its colours, and the line that fills while the text is scored."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from arplay.gui.contract import Settings, Unit
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.painting import legend_width, paint_legend
from arplay.gui.widgets.heat.scale import HeatScale


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

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_legend(painter, self.theme, self.scale, self.unit, QRectF(self.rect()), self.named)
        painter.end()
