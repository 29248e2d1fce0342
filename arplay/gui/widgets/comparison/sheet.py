"""The comparison on paper: the totals as rows, the verdict, and the curve of the difference."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from arplay.core.aligned import Aligned
from arplay.core.edited import Edited
from arplay.engine.divergence import Diverged
from arplay.export.comparing import Beside, Here, edit_summary, verdict
from arplay.export.divergence import summary
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.comparison.curve import plot_of
from arplay.gui.widgets.comparison.divergence_curve import plot_of as divergence_plot
from arplay.gui.widgets.comparison.here import COLORS, ONE, OTHER, TOKEN, PairTable, in_words, paint_pair
from arplay.gui.widgets.comparison.totals import NOW, Row, TotalsTable, base_rows
from arplay.gui.widgets.plot import Drawing

WIDTH, PLOT, ROW, MARGIN = 900, 320, 24, SPACE[4]
COLUMNS = (232, 100, 120, 130, 90, 76, 104)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Paper:
    """A picture of the comparison: what is drawn stands inside its margin."""

    name, title = "comparison", "Comparison"
    theme: Theme

    def chart_size(self) -> tuple[int, int]:
        raise NotImplementedError

    def draw(self, painter: QPainter, wide: int) -> None:
        """From (0, 0) on, so many pixels wide."""
        raise NotImplementedError

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / WIDTH, area.width() / WIDTH)
        painter.fillRect(QRectF(0, 0, *self.chart_size()), self.theme.color("surface"))
        painter.translate(MARGIN, MARGIN)
        self.draw(painter, WIDTH - 2 * MARGIN)
        painter.restore()


@dataclass(eq=False)
class ComparisonSheet(Paper):
    """``rows`` of the totals; ``pairs`` with their names, the ``lines`` of the curve; ``words`` between them."""

    rows: list[Row]
    pairs: tuple[Aligned, ...]
    lines: tuple[str, ...]
    words: str
    unit: Unit
    theme: Theme

    @property
    def _table(self) -> float:
        return float(ROW * (1 + len(self.rows)))

    def chart_size(self) -> tuple[int, int]:
        return WIDTH, round(2 * MARGIN + self._table + 2 * ROW + PLOT + 2 * SPACE[2])

    def draw(self, painter: QPainter, wide: int) -> None:
        theme, table, unit = self.theme, TotalsTable(), self.pairs[0].ledgers[0].unit
        table.show_rows(self.rows, self.unit, unit.per, unit.many)
        self._paint_table(painter, table)
        painter.setFont(interface_font(SMALL))
        painter.setPen(theme.color("muted"))
        room = QRectF(0, self._table + SPACE[2], wide, 2 * ROW)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), self.words)
        plot = plot_of(self.pairs, self.lines, self.unit)
        top = self._table + 2 * ROW + 2 * SPACE[2]
        if not plot.empty:
            Drawing(plot, QRectF(0, top, wide, PLOT)).paint(painter, theme)

    def _paint_table(self, painter: QPainter, table: TotalsTable) -> None:
        x = 0.0
        for column, wide in enumerate(COLUMNS):
            side = _LEFT if column == 0 else _RIGHT
            painter.setFont(interface_font(SMALL))
            painter.setPen(self.theme.color("muted"))
            painter.drawText(QRectF(x, 0, wide, ROW), side, table.title(column))
            painter.setFont(number_font(BODY))
            for row in range(len(table.rows)):
                painter.setPen(self.theme.color(table.ink(row, column)))
                room, metrics = QRectF(x, ROW * (1 + row), wide, ROW), QFontMetricsF(painter.font())
                words = metrics.elidedText(table.text(row, column), Qt.TextElideMode.ElideRight, wide - SPACE[1])
                painter.drawText(room, side, words if column == 0 else table.text(row, column))
            x += wide
        painter.setPen(self.theme.color("border"))
        painter.drawLine(0, ROW, sum(COLUMNS), ROW)


@dataclass(eq=False)
class HereSheet(Paper):
    """Both distributions of one place, with what they have in common."""

    here: Here
    unit: Unit
    theme: Theme

    def chart_size(self) -> tuple[int, int]:
        return WIDTH, round(2 * MARGIN + ROW * (len(self.here.found.rows) + 3))

    def draw(self, painter: QPainter, wide: int) -> None:
        table, theme = PairTable(), self.theme
        table.show_here(self.here)
        painter.setFont(interface_font(SMALL))
        x = 0.0
        for letter, name, color in zip(("A", self.here.letter), self.here.names, COLORS, strict=True):
            painter.fillRect(QRectF(x, 7, 12, 10), theme.color(color))
            painter.setPen(theme.color("text"))
            words = f"{letter}  {name}"
            painter.drawText(QRectF(x + 18, 0, wide, ROW), _LEFT, words)
            x += 18 + painter.fontMetrics().horizontalAdvance(words) + SPACE[4]
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(0, ROW, wide, ROW), _LEFT, in_words(self.here, self.unit))
        for at, row in enumerate(table.rows):
            line = QRectF(0, ROW * (at + 2.5), wide, ROW)
            painter.setPen(theme.color("text"))
            painter.setFont(fixed_font(BODY))
            painter.drawText(QRectF(0, line.top(), 170, ROW), _LEFT, table.text(at, TOKEN))
            paint_pair(painter, theme, line.adjusted(180, 4, -220, -4), row, table.most)
            painter.setFont(number_font(BODY))
            for column, right in ((ONE, 110.0), (OTHER, 0.0)):
                painter.setPen(theme.color(table.ink(at, column)))
                painter.drawText(line.adjusted(wide - right - 110, 0, -right, 0), _RIGHT, table.text(at, column))


@dataclass(eq=False)
class DivergenceSheet(Paper):
    """KL along the text, with the totals."""

    found: Diverged
    unit: Unit
    theme: Theme

    def chart_size(self) -> tuple[int, int]:
        return WIDTH, round(2 * MARGIN + 2 * ROW + PLOT)

    def draw(self, painter: QPainter, wide: int) -> None:
        plot = divergence_plot(self.found, self.unit)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("text"))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        names = (
            f"A  {self.found.info.name} {self.found.info.dtype},  B  {self.found.other.name} {self.found.other.dtype}"
        )
        painter.drawText(QRectF(0, 0, wide, 2 * ROW), int(flags), f"{names}: {summary(self.found)}")
        if not plot.empty:
            Drawing(plot, QRectF(0, 2 * ROW, wide, PLOT)).paint(painter, self.theme)


def sheet_of(found: Beside | Here | Diverged | Edited, unit: Unit, theme: Theme) -> Paper:
    """What is in sight on paper."""
    match found:
        case Here():
            return HereSheet(found, unit, theme)
        case Diverged():
            return DivergenceSheet(found, unit, theme)
        case Edited():
            return ComparisonSheet(base_rows(found), (found,), (NOW,), edit_summary(found), unit, theme)
    parted, per = found.parted, found.parted.ledgers[0].unit.per
    rows = [Row(*each) for each in zip(found.titles, parted.shares, strict=True)]
    return ComparisonSheet(
        rows, parted.pairs, found.titles[1:], verdict(found.letters, parted.shares, per), unit, theme
    )
