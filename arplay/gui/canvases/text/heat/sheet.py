"""The tokens of a text on paper."""

from __future__ import annotations

from PySide6.QtGui import QPainter

from arplay.gui.canvases.text.heat.blocks import Blocks, Rows
from arplay.gui.canvases.text.heat.painting import HeatPainter, Lines, lead_columns
from arplay.gui.canvases.text.heat.shaping import Grid
from arplay.gui.settings import Wrap
from arplay.gui.widgets.heat.sheet import WIDTH, FiguresSheet, Scored
from arplay.gui.widgets.sheet import MARGIN


class HeatSheet(FiguresSheet):
    def __init__(self, scored: Scored) -> None:
        grid = Grid.make()
        columns = max(4, int((WIDTH - 2 * MARGIN) / grid.column) - 1)
        blocks = Blocks.of(scored.ledger, scored.tokens, grid.measure)
        wrap: Wrap = "words" if scored.wrap == "lines" else scored.wrap  # nobody scrolls a page across
        flow = Rows(blocks, columns, lead_columns(scored.lead, columns)[1], wrap)
        flow.count_all()
        self.heat = HeatPainter(Lines(grid, flow), scored.theme, scored.scale, scored.ledger, scored.lead)
        self.heat.specials = scored.tokens.special if scored.tokens is not None else frozenset()
        super().__init__(scored, grid.row, flow.rows)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        painter.save()
        painter.translate(MARGIN, 0)
        self.heat.paint(painter, first, stop, top)
        painter.restore()
