"""The orders on paper: what the totals say, a row an order, and above them the two networks, where trained."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.core.format import in_unit, number
from arplay.core.modalities.places import Place
from arplay.core.orders import Orders, Product
from arplay.core.two_orders import TwoOrders
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.orders.painting import drawn, paint_cells, paint_way, written
from arplay.gui.widgets.orders.two import HIGH, paint_two
from arplay.gui.widgets.sheet import MARGIN, Sheet

WIDTH, LINE, ROW = 900, 20, 28
_TOTAL, _NAME = 140, 150
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class OrderSheet(Sheet):
    """``said``: what the totals say; ``rows``: in the order in which they stand in the window."""

    again = LINE

    def __init__(
        self,
        orders: Orders,
        products: Sequence[Product],
        places: Sequence[Place],
        said: str,
        trained: TwoOrders | None,
        theme: Theme,
        unit: Unit,
    ) -> None:
        self.products, self.places, self.said, self.trained, self.unit = products, places, said, trained, unit
        self.way = 44 if drawn(places) else 24 + 11 * max(4, len(orders.ids))
        head = MARGIN + LINE + SPACE[1] + (LINE + HIGH + SPACE[3] if trained is not None else 0) + LINE
        super().__init__("orders", "Orders", theme, WIDTH, head, ROW, len(products))

    def paint_head(self, painter: QPainter) -> None:
        painter.setFont(interface_font(BODY))
        painter.setPen(self.theme.color("text"))
        painter.drawText(QRectF(MARGIN, MARGIN, WIDTH - 2 * MARGIN, LINE), _LEFT, self.said)
        if self.trained is not None:
            two = f"Two networks of {self.trained.parameters:,} parameters, each trained in one order"
            apart = f"{two}: a{self.trained.differ[1:]}"
            painter.drawText(QRectF(MARGIN, MARGIN + LINE, WIDTH - 2 * MARGIN, LINE), _LEFT, apart)
            area = QRectF(MARGIN, MARGIN + 2 * LINE + SPACE[1], WIDTH - 2 * MARGIN, HIGH)
            paint_two(painter, self.theme, area, self.trained)

    def paint_again(self, painter: QPainter, top: float) -> None:
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        heads = ("order", "name", "log p of each token, given those before it", f"total, {self.unit}")
        for area, head in zip(self._columns(top, LINE), heads, strict=True):
            painter.drawText(area, _RIGHT if head.startswith("total") else _LEFT, head)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for at, product in enumerate(self.products[first:stop]):
            way, name, cells, total = self._columns(top + at * ROW, ROW)
            painter.save()
            if drawn(self.places):
                paint_way(painter, self.theme, way.adjusted(0, 2, 0, -2), product.order, self.places)
            else:
                painter.setFont(number_font(BODY))
                painter.setPen(self.theme.color("text"))
                painter.drawText(way, _LEFT, written(product.order).replace(" ", "\u2009"))
            painter.restore()
            paint_cells(painter, self.theme, cells.adjusted(0, 2, 0, -2), product, self.unit)
            painter.setFont(number_font(BODY))
            painter.setPen(self.theme.color("text"))
            named = QFontMetricsF(number_font(BODY)).elidedText(product.name, Qt.TextElideMode.ElideRight, name.width())
            painter.drawText(name, _LEFT, named)
            painter.drawText(total, _RIGHT, number(in_unit(product.total, self.unit), 12))

    def _columns(self, top: float, high: float) -> tuple[QRectF, QRectF, QRectF, QRectF]:
        right = WIDTH - MARGIN
        name, cells = MARGIN + self.way, MARGIN + self.way + _NAME
        return (
            QRectF(MARGIN, top, self.way, high),
            QRectF(name, top, _NAME - SPACE[0], high),
            QRectF(cells, top, right - _TOTAL - cells, high),
            QRectF(right - _TOTAL, top, _TOTAL, high),
        )
