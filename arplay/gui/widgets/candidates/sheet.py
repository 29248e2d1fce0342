"""The table of candidates on paper."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.core.format import percent_cell
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.candidates.rows import RANKS, SHARE, TEXT, CandidateTable, Row, cells, paint_share
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.sheet import MARGIN, Sheet

WIDTH, LINE, ROW = 960, 20, 26
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class CandidateSheet(Sheet):
    """``said``: what stands above, in a line."""

    again = LINE

    def __init__(self, table: CandidateTable, said: str, unit: Unit, theme: Theme) -> None:
        self.rows_shown: Sequence[Row] = table.rows
        self.heads = [table.title(column) for column in range(len(table.columns))]
        self.widths = [column.width if at != RANKS else 0 for at, column in enumerate(table.columns)]
        self.widths[TEXT] = WIDTH - 2 * MARGIN - sum(self.widths)
        self.said, self.unit = said, unit
        super().__init__(
            "candidates", "Candidates", theme, WIDTH, MARGIN + LINE + SPACE[1] + LINE, ROW, len(table.rows)
        )

    def paint_head(self, painter: QPainter) -> None:
        painter.setFont(interface_font(BODY))
        painter.setPen(self.theme.color("text"))
        self._word(painter, QRectF(MARGIN, MARGIN, WIDTH - 2 * MARGIN, LINE), self.said, _LEFT)

    def paint_again(self, painter: QPainter, top: float) -> None:
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        for column, area in enumerate(self._areas(top, LINE)):
            self._word(painter, area, self.heads[column], _RIGHT if column else _LEFT)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for at, row in enumerate(self.rows_shown[first:stop]):
            texts = (label(row.shown), *cells(row, self.unit)[1:])
            for column, area in enumerate(self._areas(top + at * ROW, ROW)):
                painter.setFont(fixed_font(BODY) if column == TEXT else number_font(BODY))
                painter.setPen(self.theme.color("text"))
                if column == SHARE:
                    paint_share(painter, self.theme, area.adjusted(SPACE[2], 8, 0, -8), row.share, False)
                    self._word(painter, area, percent_cell(row.share), _RIGHT)
                else:
                    self._word(painter, area, texts[column], _RIGHT if column else _LEFT)

    def _areas(self, top: float, high: float) -> list[QRectF]:
        lefts = [MARGIN + sum(self.widths[:column]) for column in range(len(self.widths))]
        return [QRectF(left, top, wide, high) for left, wide in zip(lefts, self.widths, strict=True)]

    @staticmethod
    def _word(painter: QPainter, area: QRectF, text: str, side: Qt.AlignmentFlag) -> None:
        """Nothing where there is no room at all."""
        cut = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, side, cut)
