"""The comparison on paper: the totals as rows, the verdict, and the curve of the difference."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from arplay.core.aligned import Aligned
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.comparison.curve import plot_of
from arplay.gui.widgets.comparison.totals import Row, TotalsTable
from arplay.gui.widgets.plot import Drawing

WIDTH, PLOT, ROW, MARGIN = 900, 320, 24, SPACE[4]
COLUMNS = (232, 100, 120, 130, 90, 76, 104)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, eq=False, slots=True)
class ComparisonSheet:
    """``rows`` of the totals; ``pairs`` with their names, the ``lines`` of the curve; ``words`` between them."""

    rows: list[Row]
    pairs: tuple[Aligned, ...]
    lines: tuple[str, ...]
    words: str
    unit: Unit
    theme: Theme

    @property
    def _table(self) -> float:
        return float(ROW * (1 + len(self.rows)))

    def chart_size(self) -> tuple[int, int]:
        return WIDTH, round(2 * MARGIN + self._table + 2 * ROW + PLOT + 2 * SPACE[2])

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        wide, theme = WIDTH - 2 * MARGIN, self.theme
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / WIDTH, area.width() / WIDTH)
        painter.fillRect(QRectF(0, 0, *self.chart_size()), theme.color("surface"))
        painter.translate(MARGIN, MARGIN)
        table, unit = TotalsTable(), self.pairs[0].ledgers[0].unit
        table.show_rows(self.rows, self.unit, unit.per, unit.many)
        self._paint_table(painter, table)
        painter.setFont(interface_font(SMALL))
        painter.setPen(theme.color("muted"))
        room = QRectF(0, self._table + SPACE[2], wide, 2 * ROW)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), self.words)
        plot = plot_of(self.pairs, self.lines, self.unit)
        top = self._table + 2 * ROW + 2 * SPACE[2]
        if not plot.empty:
            Drawing(plot, QRectF(0, top, wide, PLOT)).paint(painter, theme)
        painter.restore()

    def _paint_table(self, painter: QPainter, table: TotalsTable) -> None:
        x = 0.0
        for column, wide in enumerate(COLUMNS):
            side = _LEFT if column == 0 else _RIGHT
            painter.setFont(interface_font(SMALL))
            painter.setPen(self.theme.color("muted"))
            painter.drawText(QRectF(x, 0, wide, ROW), side, table.title(column))
            painter.setFont(number_font(BODY))
            for row in range(len(table.rows)):
                painter.setPen(self.theme.color(table.ink(row, column)))
                painter.drawText(QRectF(x, ROW * (1 + row), wide, ROW), side, table.text(row, column))
            x += wide
        painter.setPen(self.theme.color("border"))
        painter.drawLine(0, ROW, sum(COLUMNS), ROW)
