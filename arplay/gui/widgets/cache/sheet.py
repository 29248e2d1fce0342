"""The cost of a step on paper: figures, the plot, and the two sentences below it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from arplay.core.timings import Timings
from arplay.engine.load import Loaded
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.cache import facts
from arplay.gui.widgets.cache.chart import plot_of
from arplay.gui.widgets.figure_row import ROW, layout, paint_figures
from arplay.gui.widgets.plot import Drawing

WIDTH, HEIGHT, MARGIN, LINE = 900, 520, SPACE[4], 18


def paint(painter: QPainter, area: QRectF, timings: Timings, loaded: Loaded, theme: Theme) -> None:
    painter.save()
    painter.translate(area.topLeft())
    painter.scale(area.width() / WIDTH, area.width() / WIDTH)
    painter.fillRect(QRectF(0, 0, WIDTH, HEIGHT), theme.color("surface"))
    painter.translate(MARGIN, MARGIN)
    wide = WIDTH - 2 * MARGIN
    paint_figures(painter, theme, layout(facts.figures(timings, loaded), wide, 1))
    top, foot = ROW + SPACE[2], 2 * LINE + SPACE[1]
    Drawing(plot_of(timings), QRectF(0, top, wide, HEIGHT - 2 * MARGIN - top - foot)).paint(painter, theme)
    painter.setFont(interface_font(SMALL))
    painter.setPen(theme.color("muted"))
    y = float(HEIGHT - 2 * MARGIN - foot + SPACE[1])
    for text in (facts.verdict(timings, loaded.info), ". ".join(facts.going_back(loaded))):
        painter.drawText(QRectF(0, y, wide, LINE), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        y += LINE
    painter.restore()
