"""A chart of rows on paper: a head and all its rows as one tall picture, or cut into pages."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.gui.theme import SMALL, SPACE, Theme, interface_font

MARGIN = SPACE[4]
_FOOT = 20


class OnSheet:
    """A view that is exported as the sheet that it makes; None where there is nothing to export yet."""

    def sheet(self, first: int = 0, stop: int | None = None) -> Sheet | None:
        raise NotImplementedError

    def chart_size(self) -> tuple[int, int] | None:
        sheet = self.sheet()
        return None if sheet is None else sheet.chart_size()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        sheet = self.sheet()
        if sheet is not None:
            sheet.paint_chart(painter, area)


class Sheet:
    """Laid out for ``width`` pixels; a page holds the rows that fit below its head. What can be exported, too.

    ``head``: pixels above the first row. ``again``: the last of them that other pages repeat (names of columns).
    """

    again: float = 0.0

    def __init__(self, name: str, title: str, theme: Theme, width: int, head: float, row: float, rows: int) -> None:
        self.name, self.title, self.theme, self.width = name, title, theme, width
        self.head, self.row, self.rows = head, row, rows

    def paint_head(self, painter: QPainter) -> None:
        """What stands above the rows of the first page, without what is repeated."""
        raise NotImplementedError

    def paint_again(self, painter: QPainter, top: float) -> None:
        """What stands above the rows of every page."""

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        raise NotImplementedError

    @property
    def height(self) -> float:
        return self.head + self.rows * self.row + MARGIN

    def rows_on(self, page: int, height: float) -> tuple[int, int]:
        """The rows [first, stop) of a page of this height."""
        on_first = max(1, int((height - self.head - MARGIN - _FOOT) // self.row))
        on_other = max(1, int((height - self.again - 2 * MARGIN - _FOOT) // self.row))
        first = 0 if page == 0 else on_first + (page - 1) * on_other
        return min(first, self.rows), min(first + (on_first if page == 0 else on_other), self.rows)

    def pages(self, page_width: float, page_height: float) -> int:
        """Pages that all rows take at this size (any unit: a page is always as many pixels wide as the sheet)."""
        height = page_height * self.width / page_width
        first, other = self.rows_on(0, height)[1], self.rows_on(1, height)
        each = max(1, other[1] - other[0])
        return 1 + -(-(self.rows - first) // each)

    def chart_size(self) -> tuple[int, int]:
        return self.width, round(self.height)

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        self._begin(painter, area, self.height)
        self._paint(painter, 0, self.rows, first=True)
        painter.restore()

    def paint_page(self, painter: QPainter, page: int, area: QRectF) -> None:
        """Paint page 0, 1, ... into ``area``, which has the proportions given to :meth:`pages`."""
        height = area.height() * self.width / area.width()
        self._begin(painter, area, height)
        self._paint(painter, *self.rows_on(page, height), first=page == 0)
        text = f"{page + 1:,} of {self.pages(self.width, height):,}"
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        x = self.width - MARGIN - QFontMetricsF(interface_font(SMALL)).horizontalAdvance(text)
        painter.drawText(QPointF(x, height - MARGIN + 4), text)
        painter.restore()

    def _begin(self, painter: QPainter, area: QRectF, height: float) -> None:
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / self.width, area.width() / self.width)
        painter.fillRect(QRectF(0, 0, self.width, height), self.theme.color("surface"))

    def _paint(self, painter: QPainter, start: int, stop: int, first: bool) -> None:
        top = self.head if first else MARGIN + self.again
        if first:
            self.paint_head(painter)
        self.paint_again(painter, top - self.again)
        self.paint_rows(painter, start, stop, top)
