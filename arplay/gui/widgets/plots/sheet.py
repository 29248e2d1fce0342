"""A plot on paper: its title, its key figure, and what it is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from arplay.export.plots import Kind
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.line_plot import SHEET
from arplay.gui.widgets.plot import Drawing, Plot

HEAD = 62
FOOT = 40
_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)


class PlotSheet:
    def __init__(self, kind: Kind, told: str, plot: Plot, theme: Theme) -> None:
        self.kind, self.told, self.plot, self.theme = kind, told, plot, theme

    def chart_size(self) -> tuple[int, int]:
        return SHEET

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / SHEET[0], area.width() / SHEET[0])
        whole = QRectF(0, 0, SHEET[0], area.height() * SHEET[0] / area.width())
        painter.fillRect(whole, self.theme.color("surface"))
        room = whole.adjusted(SPACE[4], SPACE[3], -SPACE[4], -SPACE[1])
        painter.setPen(self.theme.color("text"))
        painter.setFont(interface_font(BODY, bold=True))
        painter.drawText(room, _WRAPPED, self.kind.title)
        painter.setFont(interface_font(SMALL))
        painter.drawText(room.adjusted(0, 22, 0, 0), _WRAPPED, self.told)
        painter.setPen(self.theme.color("muted"))
        painter.drawText(QRectF(room.left(), room.bottom() - FOOT, room.width(), FOOT), _WRAPPED, self.kind.says)
        Drawing(self.plot, room.adjusted(0, HEAD, 0, -FOOT - SPACE[1])).paint(painter, self.theme)
        painter.restore()
