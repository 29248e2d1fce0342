"""The tokens of a text on paper."""

from __future__ import annotations

from PySide6.QtGui import QPainter

from arplay.core.chain import Ledger
from arplay.core.modalities.base import TokenSet
from arplay.gui.canvases.text.heat.blocks import Blocks, Rows
from arplay.gui.canvases.text.heat.painting import HeatPainter, Lines, lead_columns
from arplay.gui.canvases.text.heat.shaping import Grid
from arplay.gui.contract import Unit
from arplay.gui.theme import Theme
from arplay.gui.widgets.figure_row import Figure
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.heat.sheet import WIDTH, FiguresSheet
from arplay.gui.widgets.sheet import MARGIN


class HeatSheet(FiguresSheet):
    def __init__(
        self,
        ledger: Ledger,
        vocabulary: TokenSet | None,
        lead: tuple[str, ...],
        theme: Theme,
        scale: HeatScale,
        unit: Unit,
        figures: tuple[Figure, ...],
        caption: str,
    ) -> None:
        grid = Grid.make()
        columns = max(4, int((WIDTH - 2 * MARGIN) / grid.column) - 1)
        flow = Rows(Blocks.of(ledger, vocabulary, grid.measure), columns, lead_columns(lead, columns)[1])
        flow.count_all()
        self.heat = HeatPainter(Lines(grid, flow), theme, scale, ledger, lead)
        self.heat.specials = vocabulary.special if vocabulary is not None else frozenset()
        super().__init__(theme, scale, unit, figures, caption, grid.row, flow.rows)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        painter.save()
        painter.translate(MARGIN, 0)
        self.heat.paint(painter, first, stop, top)
        painter.restore()
