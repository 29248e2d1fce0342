"""The perplexity of a text on paper: its figures, and a row a convention."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.engine.curves import Swept
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.figure_row import ROW as FIGURES
from arplay.gui.widgets.figure_row import layout, paint_figures
from arplay.gui.widgets.perplexity.curve import own_place, plot_of
from arplay.gui.widgets.perplexity.figures import conventions_of, figures
from arplay.gui.widgets.perplexity.rows import FIRST, NAME, ConventionTable, Shown, cell
from arplay.gui.widgets.plot import Drawing
from arplay.gui.widgets.sheet import MARGIN, Sheet

LINE, ROW, HIGH = 20, 24, 260
_WIDTHS = (250, 84, 60, 96, 92, 64, 56, 68, 104, 166)
WIDTH = sum(_WIDTHS) + 2 * MARGIN
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PerplexitySheet(Sheet):
    again = ROW

    def __init__(self, shown: Shown, curves: Sequence[Swept], theme: Theme, unit: Unit) -> None:
        self.shown, self.unit, self.curves = shown, unit, curves
        self.table = ConventionTable()
        self.table.shown, self.table.unit = shown, unit
        head = MARGIN + 2 * FIGURES + LINE + SPACE[2] + (HIGH + SPACE[3] if curves else 0) + ROW
        super().__init__("perplexity", "Perplexity", theme, WIDTH, head, ROW, len(shown.figures))

    def paint_head(self, painter: QPainter) -> None:
        painter.save()
        painter.translate(MARGIN, MARGIN)
        placed = layout(figures(self.shown.ledger, self.unit), WIDTH - 2 * MARGIN, 2)
        paint_figures(painter, self.theme, placed)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        top = FIGURES * (1 + max((row for _, row, _ in placed), default=0))
        said = conventions_of(self.shown.ledger, self.unit)
        painter.drawText(QRectF(0, top, WIDTH - 2 * MARGIN, LINE), _LEFT, said)
        wide = (WIDTH - 2 * MARGIN) / max(1, len(self.curves))
        for at, swept in enumerate(self.curves):
            area = QRectF(at * wide, 2 * FIGURES + LINE + SPACE[2], wide - SPACE[3] * (len(self.curves) - 1), HIGH)
            Drawing(plot_of(swept), area).paint(painter, self.theme, here=own_place(swept, self.shown.ledger))
        painter.restore()

    def paint_again(self, painter: QPainter, top: float) -> None:
        self._paint_row(painter, top, [self.table.title(column) for column in range(FIRST + 1)], head=True)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for row in range(first, stop):
            texts = [cell(self.shown, row, column, self.unit) for column in range(FIRST + 1)]
            self._paint_row(painter, top + (row - first) * ROW, texts, ink=self.table.ink(row, NAME))

    def _paint_row(self, painter: QPainter, y: float, texts: list[str], head: bool = False, ink: str = "text") -> None:
        x = float(MARGIN)
        for column, (text, wide) in enumerate(zip(texts, _WIDTHS, strict=True)):
            words = column in (NAME, FIRST)
            font = interface_font(SMALL if head else BODY) if head or words else number_font(BODY)
            painter.setFont(font)
            painter.setPen(self.theme.color("muted" if head else ink if column == NAME else "text"))
            room = QRectF(x + SPACE[1], y, wide - SPACE[1], ROW)
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, _LEFT if words else _RIGHT, shown)
            x += wide
        painter.fillRect(QRectF(MARGIN, y + ROW - 0.5, sum(_WIDTHS), 0.5), self.theme.color("border"))
