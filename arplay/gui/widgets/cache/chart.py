"""The plot as a widget: pointing at a mark shows its figures."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.core.timings import Timing, Timings
from arplay.gui.theme import LIGHT, RADIUS, SPACE, Theme
from arplay.gui.widgets.cache import plot, words


class CacheChart(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.timings: Timings = ()
        self.lit: Timing | None = None
        self._scales: plot.Scales | None = None  # of these timings at this size
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("Time of an answer over the tokens of its context")

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def show_timings(self, timings: Timings) -> None:
        if timings is not self.timings:
            self.timings, self._scales = timings, None
            self.lit = self.lit if self.lit in timings else None
            self.setAccessibleDescription(_read_aloud(timings))
            self.update()

    def scales(self) -> plot.Scales:
        area = QRectF(self.rect()).adjusted(SPACE[1], SPACE[1], -SPACE[0], -SPACE[0])
        if self._scales is None or self._scales.area != area:
            self._scales = plot.scales(area, self.timings)
        return self._scales

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.theme.color("border"))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        plot.paint(painter, self.scales(), self.theme, self.timings, self.lit)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._light(plot.nearest(self.scales(), self.timings, event.position()))
        if self.lit is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), words.point(self.lit), self)

    def leaveEvent(self, event: QEvent) -> None:
        self._light(None)

    def _light(self, timing: Timing | None) -> None:
        if timing is not self.lit:
            self.lit = timing
            self.update()


def _read_aloud(timings: Timings) -> str:
    """The newest of each kind: a picture cannot be read aloud."""
    newest = {t.kind: t for t in timings}
    return "; ".join(words.point(t).replace("\n", ", ") for t in newest.values())
