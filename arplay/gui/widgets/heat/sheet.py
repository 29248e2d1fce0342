"""A heatmap on paper: title, figures, legend and rows, as one tall picture or cut into pages."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.core.chain import Ledger
from arplay.core.pieces import Piece, Vocabulary
from arplay.gui.contract import Unit
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.figure_row import ROW as FIGURE_ROW
from arplay.gui.widgets.figure_row import Figure, layout, paint_figures
from arplay.gui.widgets.heat.layout import Flow, Units
from arplay.gui.widgets.heat.painting import HeatPainter, Lines, lead_columns, paint_legend
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.heat.shaping import Grid

MARGIN = SPACE[4]
FOOT = 20


class HeatSheet:
    """Laid out for a width in pixels; rows of a page are those that fit below its head."""

    def __init__(
        self,
        ledger: Ledger,
        units: Units,
        vocabulary: Vocabulary | None,
        lead: tuple[Piece, ...],
        theme: Theme,
        scale: HeatScale,
        unit: Unit,
        figures: tuple[Figure, ...],
        caption: str,
        width: float,
    ) -> None:
        self.theme, self.scale, self.unit, self.caption, self.width = theme, scale, unit, caption, width
        grid = Grid.make()
        columns = max(4, int((width - 2 * MARGIN) / grid.column) - 1)
        self.flow = Flow.of(units, columns, lead_columns(lead, columns)[1])
        self.heat = HeatPainter(Lines(grid, self.flow), theme, scale, ledger, lead)
        self.heat.specials = vocabulary.special if vocabulary is not None else frozenset()
        self.figures = layout(figures, width - 2 * MARGIN, 3)
        self.figures_height = FIGURE_ROW * (1 + max((row for _, row, _ in self.figures), default=0))

    @property
    def head(self) -> float:
        """Pixels above the first row."""
        return MARGIN + self.figures_height + 20 + 30 + SPACE[1]

    @property
    def height(self) -> float:
        return self.head + self.flow.rows * self.heat.grid.row + MARGIN

    def rows_on(self, page: int, height: float) -> tuple[int, int]:
        """The rows [first, stop) of a page of this height."""
        on_first = max(1, int((height - self.head - MARGIN - FOOT) // self.heat.grid.row))
        on_other = max(1, int((height - 2 * MARGIN - FOOT) // self.heat.grid.row))
        first = 0 if page == 0 else on_first + (page - 1) * on_other
        return min(first, self.flow.rows), min(first + (on_first if page == 0 else on_other), self.flow.rows)

    def pages(self, height: float) -> int:
        page = 0
        while self.rows_on(page, height)[1] < self.flow.rows:
            page += 1
        return page + 1

    def paint_all(self, painter: QPainter) -> None:
        painter.fillRect(QRectF(0, 0, self.width, self.height), self.theme.color("surface"))
        self._paint_head(painter)
        self._paint_rows(painter, 0, self.flow.rows, self.head)

    def paint_page(self, painter: QPainter, page: int, height: float) -> None:
        painter.fillRect(QRectF(0, 0, self.width, height), self.theme.color("surface"))
        if page == 0:
            self._paint_head(painter)
        first, stop = self.rows_on(page, height)
        self._paint_rows(painter, first, stop, self.head if page == 0 else MARGIN)
        font = interface_font(SMALL)
        text = f"{page + 1} of {self.pages(height)}"
        painter.setFont(font)
        painter.setPen(self.theme.color("muted"))
        x = self.width - MARGIN - QFontMetricsF(font).horizontalAdvance(text)
        painter.drawText(QPointF(x, height - MARGIN + 4), text)

    def _paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        painter.save()
        painter.translate(MARGIN, 0)
        self.heat.paint(painter, first, stop, top)
        painter.restore()

    def _paint_head(self, painter: QPainter) -> None:
        painter.save()
        painter.translate(MARGIN, MARGIN)
        paint_figures(painter, self.theme, self.figures)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        painter.drawText(QPointF(0, self.figures_height + 14), self.caption)
        wide = self.width - 2 * MARGIN
        area = QRectF(0, self.figures_height + 22, min(wide, 320), 26)
        paint_legend(painter, self.theme, self.scale, self.unit, area)
        painter.restore()
