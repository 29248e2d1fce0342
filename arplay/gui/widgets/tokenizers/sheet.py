"""Tokenizers on paper: their figures, and the text with the boundaries of each below it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.export.tables import Record
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.sheet import MARGIN, Sheet
from arplay.gui.widgets.tokenizers.figures import ROW, FigureTable, cell
from arplay.gui.widgets.tokenizers.stack import NAMES, Layer, laid, line_height, paint_line, paint_names

WIDTH, LINE = 960, 20
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TokenizerSheet(Sheet):
    def __init__(
        self, records: Sequence[Record], layers: Sequence[Layer], data: bytes, start: int, said: str, theme: Theme
    ) -> None:
        self.records, self.layers, self.said = records, layers, said
        self.lines = laid(data, start, WIDTH - 2 * MARGIN - NAMES).lines
        head = MARGIN + LINE + SPACE[1] + LINE + ROW * len(records) + SPACE[3]
        super().__init__("tokenizers", "Tokenizers", theme, WIDTH, head, line_height(layers), len(self.lines))

    def paint_head(self, painter: QPainter) -> None:
        columns = FigureTable.columns
        widths = [column.width for column in columns]
        widths[0] = WIDTH - 2 * MARGIN - sum(widths)
        rows = [[column.title for column in columns]]
        rows += [[cell(each, at) for at in range(len(columns))] for each in self.records]
        self._word(painter, QRectF(MARGIN, MARGIN, WIDTH - 2 * MARGIN, LINE), self.said, _LEFT, "text")
        y = float(MARGIN + LINE + SPACE[1])
        for at, cells in enumerate(rows):
            x = float(MARGIN)
            painter.setFont(number_font(BODY) if at else interface_font(SMALL))
            for column, text in enumerate(cells):
                side = _RIGHT if columns[column].kind == "number" else _LEFT
                self._word(painter, QRectF(x, y, widths[column] - SPACE[0], ROW), text, side, "text" if at else "muted")
                x += widths[column]
            y += ROW if at else LINE

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for at in range(first, stop):
            y = top + (at - first) * self.row
            paint_names(painter, self.theme, self.layers, MARGIN, y, NAMES)
            paint_line(painter, self.theme, self.lines[at], self.layers, MARGIN + NAMES, y, (-1, -1))

    def _word(self, painter: QPainter, area: QRectF, text: str, side: Qt.AlignmentFlag, ink: str) -> None:
        painter.setPen(self.theme.color(ink))
        cut = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, side, cut)
