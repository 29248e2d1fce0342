"""The ledger on paper: totals, the product written out, the check, and the rows."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.core.chain import Ledger
from arplay.core.modalities.base import TokenSet
from arplay.engine.reconcile import Reconciled
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.figure_row import ROW as FIGURES
from arplay.gui.widgets.figure_row import layout, paint_figures
from arplay.gui.widgets.ledger import totals as ledger_totals
from arplay.gui.widgets.ledger.table import NUMBER, POWER, TOKEN, LedgerTable, cell
from arplay.gui.widgets.sheet import MARGIN, Sheet
from arplay.gui.widgets.swatch import ink_of, paint_named

WIDTH, LINE, ROW = 900, 18, 22
_WIDTHS = (60, 192, 96, 104, 112, 144, 144)


class LedgerSheet(Sheet):
    """Rows [first, stop) of the ledger; sums and products begin at the text's start, totals are of all of it."""

    again = ROW

    def __init__(
        self,
        ledger: Ledger,
        vocabulary: TokenSet | None,
        reconciled: Reconciled | None,
        theme: Theme,
        unit: Unit,
        first: int,
        stop: int,
    ) -> None:
        self.ledger, self.vocabulary, self.unit, self.first = ledger, vocabulary, unit, first
        self.lines = [ledger_totals.in_words(ledger), ledger_totals.reconciliation(ledger, reconciled, unit)]
        if stop - first < ledger.done:
            self.lines.append(f"rows {first + 1:,} to {stop:,} of {ledger.done:,}; sums begin at the text’s start")
        head = MARGIN + FIGURES + LINE * len(self.lines) + SPACE[2] + ROW
        super().__init__("ledger", "Ledger", theme, WIDTH, head, ROW, stop - first)

    def paint_head(self, painter: QPainter) -> None:
        painter.save()
        painter.translate(MARGIN, MARGIN)
        figures = layout(ledger_totals.figures(self.ledger, self.unit), WIDTH - 2 * MARGIN, 1)
        paint_figures(painter, self.theme, figures)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        for i, text in enumerate(self.lines):
            painter.drawText(QRectF(0, FIGURES + LINE * i, WIDTH - 2 * MARGIN, LINE), left, text)
        painter.restore()

    def paint_again(self, painter: QPainter, top: float) -> None:
        table = LedgerTable()
        table.unit = self.unit
        _paint_row(painter, self.theme, top, tuple(table.title(column) for column in range(POWER + 1)), head=True)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for place in range(first, stop):
            row = self.first + place
            texts = tuple(cell(self.ledger, self.vocabulary, row, column, self.unit) for column in range(POWER + 1))
            ink = ink_of(self.vocabulary, int(self.ledger.ids[row]))
            _paint_row(painter, self.theme, top + (place - first) * ROW, texts, ink=ink)


def _paint_row(
    painter: QPainter, theme: Theme, y: float, texts: tuple[str, ...], head: bool = False, ink: float | None = None
) -> None:
    x = float(MARGIN)
    for column, (text, wide) in enumerate(zip(texts, _WIDTHS, strict=True)):
        font = interface_font(SMALL) if head else fixed_font(BODY) if column == TOKEN else number_font(BODY)
        colour = theme.color("muted" if head or column == NUMBER else "text")
        painter.setFont(font)
        room = QRectF(x + SPACE[1], y, wide - SPACE[1], ROW)
        if column == TOKEN:
            paint_named(painter, theme, room, text, ink, colour)
        else:
            painter.setPen(colour)
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)
        x += wide
    painter.fillRect(QRectF(MARGIN, y + ROW - 0.5, sum(_WIDTHS), 0.5), theme.color("border"))
