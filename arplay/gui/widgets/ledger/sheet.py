"""The ledger on paper: totals, the product written out, the check, and the rows (the first ones of a long text)."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.core.chain import Ledger
from arplay.core.pieces import Vocabulary
from arplay.engine.messages import Reconciled
from arplay.gui.contract import Unit
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.figure_row import ROW as FIGURES
from arplay.gui.widgets.figure_row import layout, paint_figures
from arplay.gui.widgets.ledger import totals as ledger_totals
from arplay.gui.widgets.ledger.table import NUMBER, POWER, TOKEN, LedgerTable, cell

WIDTH, MARGIN, LINE, ROW = 900, SPACE[4], 18, 22
MOST_ROWS = 1000
"""A picture holds this many rows at most; the data of all of them is in the CSV and JSON exports."""

_WIDTHS = (60, 192, 96, 104, 112, 144, 144)


def height(ledger: Ledger) -> int:
    cut = LINE if ledger.done > MOST_ROWS else 0
    return 2 * MARGIN + FIGURES + 2 * LINE + SPACE[2] + ROW * (1 + min(ledger.done, MOST_ROWS)) + cut


def paint(
    painter: QPainter,
    area: QRectF,
    ledger: Ledger,
    vocabulary: Vocabulary | None,
    reconciled: Reconciled | None,
    theme: Theme,
    unit: Unit,
) -> None:
    painter.save()
    painter.translate(area.topLeft())
    painter.scale(area.width() / WIDTH, area.width() / WIDTH)
    painter.fillRect(QRectF(0, 0, WIDTH, height(ledger)), theme.color("surface"))
    painter.translate(MARGIN, MARGIN)
    paint_figures(painter, theme, layout(ledger_totals.figures(ledger, unit), WIDTH - 2 * MARGIN, 1))
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    painter.setFont(interface_font(SMALL))
    painter.setPen(theme.color("muted"))
    y = float(FIGURES)
    for text in (ledger_totals.written_out(ledger), ledger_totals.reconciliation(ledger, reconciled, unit)):
        painter.drawText(QRectF(0, y, WIDTH - 2 * MARGIN, LINE), left, text)
        y += LINE
    y += SPACE[2]
    table = LedgerTable()
    table.unit = unit
    _paint_row(painter, theme, y, tuple(table.heading(column) for column in range(POWER + 1)), head=True)
    y += ROW
    rows = min(ledger.done, MOST_ROWS)
    for row in range(rows):
        texts = tuple(cell(ledger, vocabulary, row, column, unit) for column in range(POWER + 1))
        _paint_row(painter, theme, y, texts)
        y += ROW
    if rows < ledger.done:
        painter.setFont(interface_font(SMALL))
        painter.setPen(theme.color("muted"))
        text = f"the first {rows:,} of {ledger.done:,} rows; the totals are of all of them"
        painter.drawText(QRectF(0, y, WIDTH - 2 * MARGIN, LINE), left, text)
    painter.restore()


def _paint_row(painter: QPainter, theme: Theme, y: float, texts: tuple[str, ...], head: bool = False) -> None:
    x = 0.0
    for column, (text, wide) in enumerate(zip(texts, _WIDTHS, strict=True)):
        font = interface_font(SMALL) if head else fixed_font(BODY) if column == TOKEN else number_font(BODY)
        side = Qt.AlignmentFlag.AlignLeft if column == TOKEN else Qt.AlignmentFlag.AlignRight
        painter.setFont(font)
        painter.setPen(theme.color("muted" if head or column == NUMBER else "text"))
        room = QRectF(x + SPACE[1], y, wide - SPACE[1], ROW)
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)
        x += wide
    painter.fillRect(QRectF(0, y + ROW - 0.5, sum(_WIDTHS), 0.5), theme.color("border"))
