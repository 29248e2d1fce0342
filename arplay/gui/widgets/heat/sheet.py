"""A heatmap on paper: figures, legend, and rows that its kind paints."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from arplay.core.chain import Ledger
from arplay.core.measures import bucket_counts
from arplay.core.modalities.base import TokenSet
from arplay.gui.settings import Unit, Wrap
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.figure_row import ROW as FIGURE_ROW
from arplay.gui.widgets.figure_row import Figure, layout, paint_figures
from arplay.gui.widgets.heat.legend import legend_width, paint_legend
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.sheet import MARGIN, Sheet

WIDTH = 900


@dataclass(frozen=True, eq=False, slots=True)
class Scored:
    """What a heatmap shows: ``lead`` is read before the tokens, ``caption`` below the figures; ``wrap``: what begins a
    row of a text."""

    ledger: Ledger
    tokens: TokenSet | None
    lead: tuple[str, ...]
    theme: Theme
    scale: HeatScale
    unit: Unit
    figures: tuple[Figure, ...]
    caption: str
    wrap: Wrap = "words"


class FiguresSheet(Sheet):
    """Rows below the figures of a whole document and the legend of their colours."""

    def __init__(self, scored: Scored, row: float, rows: int) -> None:
        self.scale, self.unit, self.caption = scored.scale, scored.unit, scored.caption
        self.counts = bucket_counts(scored.ledger, scored.scale.bounds) if scored.scale.scale.bucketed else ()
        self.figures = layout(scored.figures, WIDTH - 2 * MARGIN, 3)
        self.figures_height = FIGURE_ROW * (1 + max((row for _, row, _ in self.figures), default=0))
        head = MARGIN + self.figures_height + 20 + 30 + SPACE[1]
        super().__init__("heatmap", "Heatmap", scored.theme, WIDTH, head, row, rows)

    def paint_head(self, painter: QPainter) -> None:
        painter.save()
        painter.translate(MARGIN, MARGIN)
        paint_figures(painter, self.theme, self.figures)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        painter.drawText(QPointF(0, self.figures_height + 14), self.caption)
        wide = self.width - 2 * MARGIN
        wanted = max(320.0, legend_width(self.scale, self.unit, True, self.counts))
        area = QRectF(0, self.figures_height + 22, min(wide, wanted), 26)
        paint_legend(painter, self.theme, self.scale, self.unit, area, True, self.counts)
        painter.restore()
