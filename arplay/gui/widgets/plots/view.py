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
        self.lit_tokens: tuple[int, int] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_figure(self, figure: Figure | None, said: str) -> None:
        """A user's zoom stays while the same plot of the same text grows."""
        before = self.figure
        if not (figure and before and type(figure) is type(before) and _same(figure.of.ledger, before.of.ledger)):
            self.show_all()
        self.figure = figure
        self.light(None)
        self.show_plot(Plot() if figure is None else figure.chosen(self.lit_tokens), said)
        self._show_lit()

    def show_lit(self, lit: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that light up everywhere."""
        if lit == self.lit_tokens:
            return
        self.lit_tokens = lit
        if isinstance(self.figure, Expected):
            self.show_plot(self.figure.chosen(lit), self.accessibleDescription())
        self._show_lit()

    def show_part(self, part: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that another view of the text has in sight."""
        self.show_sight(None if part is None else (part[0] + 0.5, part[1] + 0.5))

    def _show_lit(self) -> None:
        figure = self.figure
        lit = None if figure is None else figure.of.done(self.lit_tokens)
        self.show_here(() if figure is None or lit is None else figure.here(*lit))

    def words(self, lit: object) -> str:
        assert self.figure is not None
        return self.figure.words(lit)

    def at(self, position: QPointF) -> object:
        return None if self.figure is None else self.figure.at(self.drawing(), position)

    def spot(self, lit: object) -> tuple[float, float | None]:
        assert self.figure is not None
        return self.figure.spot(lit)

    def beside(self, step: int) -> object:
        if self.figure is None:
            return None
        lit = self.lit if self.lit_tokens is None or self.lit is not None else self.figure.of_token(self.lit_tokens[0])
        return self.figure.beside(lit, step)

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
        after = None if self.lit_tokens is None else self.lit_tokens[0]
        found = None if lit is None or self.figure is None else self.figure.token(lit, after)
        if found is not None:
            self.picked.emit(found)


def _same(one: Ledger, other: Ledger) -> bool:
    return one.encoded is other.encoded
