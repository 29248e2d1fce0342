"""One batch on paper: its mean, and a row a position."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from arplay.gui.settings import Unit
from arplay.gui.theme import SMALL, SPACE, TITLE, Theme, interface_font
from arplay.gui.training.batch import Position
from arplay.gui.training.batch_table import HEAD, ROW, BatchPainter
from arplay.gui.widgets.sheet import Sheet

WIDTH = 860
_TOP = SPACE[2] + TITLE + SPACE[1] + SMALL + SPACE[2]


class BatchSheet(Sheet):
    """Positions [first, stop) of a batch; the mean and the scale of the bars are those of all of them."""

    again = HEAD

    def __init__(
        self,
        theme: Theme,
        rows: Sequence[Position],
        unit: Unit,
        heading: str,
        words: str,
        first: int = 0,
        stop: int | None = None,
    ) -> None:
        stop = len(rows) if stop is None else stop
        self.positions, self.unit, self.heading, self.words, self.first = rows, unit, heading, words, first
        super().__init__("one_batch", "One batch", theme, WIDTH, _TOP + HEAD, ROW, stop - first)

    def paint_head(self, painter: QPainter) -> None:
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(interface_font(TITLE, bold=True))
        painter.setPen(self.theme.color("text"))
        painter.drawText(QRectF(SPACE[2], SPACE[2], WIDTH, TITLE + SPACE[1]), left, self.heading)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        place = QRectF(SPACE[2], SPACE[2] + TITLE + SPACE[1], WIDTH, SMALL + SPACE[1])
        painter.drawText(place, left, self.words)

    def paint_again(self, painter: QPainter, top: float) -> None:
        self._painter(painter).head(top)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        paint = self._painter(painter)
        for at in range(first, stop):
            paint.row(self.first + at, top + (at - first) * ROW)

    def _painter(self, painter: QPainter) -> BatchPainter:
        return BatchPainter(painter, self.theme, self.positions, self.unit, WIDTH)
