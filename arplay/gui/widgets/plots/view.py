"""The widget that shows one plot of a scored text: it is read, zoomed, and a click or Enter goes to a token."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent

from arplay.core.chain import Ledger
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Plot
from arplay.gui.widgets.plots.figures import Expected, Figure


class PlotView(LinePlot):
    """``picked``: the index of a token."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__("Plot of the scored text")
        self.figure: Figure | None = None
        self.selected: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_figure(self, figure: Figure | None, said: str) -> None:
        """A user's zoom stays while the same plot of the same text grows."""
        before = self.figure
        if not (figure and before and type(figure) is type(before) and _same(figure.of.ledger, before.of.ledger)):
            self.span = None
        self.figure = figure
        self.light(None)
        self.show_plot(Plot() if figure is None else figure.chosen(self.selected), said)
        self._show_selected()

    def show_selected(self, index: int | None) -> None:
        if index == self.selected:
            return
        self.selected = index
        if isinstance(self.figure, Expected):
            self.show_plot(self.figure.chosen(index), self.accessibleDescription())
        self._show_selected()

    def show_part(self, part: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that another view of the text has in sight."""
        self.show_sight(None if part is None else (part[0] + 0.5, part[1] + 0.5))

    def _show_selected(self) -> None:
        figure, index = self.figure, self.selected
        there = figure is not None and index is not None and index < figure.of.ledger.done
        self.show_here(figure.here(index) if there and figure is not None and index is not None else None)

    def words(self, lit: object) -> str:
        assert self.figure is not None
        return self.figure.words(lit)

    def at(self, position: QPointF) -> object:
        return None if self.figure is None else self.figure.at(self.drawing(), position)

    def spot(self, lit: object) -> tuple[float, float | None]:
        assert self.figure is not None
        return self.figure.spot(lit)

    def beside(self, step: int) -> object:
        return None if self.figure is None else self.figure.beside(self.lit, step)

    def click(self, position: QPointF) -> None:
        figure = self.figure
        if figure is None:
            return
        lit = figure.nearest(self.drawing(), position) if isinstance(figure, Expected) else self.at(position)
        self._pick(lit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.lit is not None:
            self._pick(self.lit)
        else:
            super().keyPressEvent(event)

    def _pick(self, lit: object) -> None:
        found = None if lit is None or self.figure is None else self.figure.token(lit, self.selected)
        if found is not None:
            self.picked.emit(found)


def _same(one: Ledger, other: Ledger) -> bool:
    return one.encoded is other.encoded
