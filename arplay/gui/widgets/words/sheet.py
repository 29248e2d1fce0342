"""Words, lines or sentences on paper: a row each."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.gui.theme import BODY, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.sheet import MARGIN, Sheet
from arplay.gui.widgets.words.table import (
    BAR,
    CORRECTED,
    ENTROPY,
    LOGP,
    NUMBER,
    PER_TOKEN,
    PER_UNIT,
    TEXT,
    TOKENS,
    WordTable,
    paint_bar,
)

WIDTH, LINE, ROW = 1000, 18, 22
_WIDTHS = {
    **{NUMBER: 56, TEXT: 292, TOKENS: 56, LOGP: 92, CORRECTED: 92},
    **{PER_TOKEN: 84, BAR: 72, PER_UNIT: 104, ENTROPY: 96},
}
"""All columns but the last, which is the log p with another sign."""


class WordSheet(Sheet):
    """Rows [first, stop) in the order in which they stand in the window. ``said``: sums of all of them."""

    again = ROW

    def __init__(self, table: WordTable, said: str, theme: Theme, first: int, stop: int) -> None:
        self.table, self.said, self.first = table, said, first
        self.columns = [column for column in _WIDTHS if column != CORRECTED or table.corrected is not None]
        super().__init__("words", "Words", theme, WIDTH, MARGIN + LINE + SPACE[1] + ROW, ROW, stop - first)

    def paint_head(self, painter: QPainter) -> None:
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(MARGIN, MARGIN, WIDTH - 2 * MARGIN, LINE), left, self.said)

    def paint_again(self, painter: QPainter, top: float) -> None:
        self._paint_row(painter, top, [self.table.title(column) for column in self.columns])

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for at in range(first, stop):
            texts = [self.table.text(self.first + at, column) for column in self.columns]
            self._paint_row(painter, top + (at - first) * ROW, texts, self.first + at)

    def _paint_row(self, painter: QPainter, y: float, texts: list[str], row: int | None = None) -> None:
        x = float(MARGIN)
        for column, text in zip(self.columns, texts, strict=True):
            wide = _WIDTHS[column]
            head, room = row is None, QRectF(x + SPACE[1], y, wide - SPACE[1], ROW)
            font = interface_font(SMALL) if head else fixed_font(BODY) if column == TEXT else number_font(BODY)
            painter.setFont(font)
            painter.setPen(self.theme.color("muted" if head or column == NUMBER else "text"))
            side = Qt.AlignmentFlag.AlignLeft if column == TEXT else Qt.AlignmentFlag.AlignRight
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)
            if row is not None and column == BAR and (value := self.table.value(row, BAR)) == value:
                paint_bar(painter, self.theme, room.adjusted(0, 5, 0, -5), value)
            x += wide
        painter.fillRect(QRectF(MARGIN, y + ROW - 0.5, x - MARGIN, 0.5), self.theme.color("border"))
