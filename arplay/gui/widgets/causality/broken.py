"""*Break the mask* on the screen: losses, figures, triangles and samples of two networks, of which one sees ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QToolTip, QWidget

from arplay.core.format import number
from arplay.core.masks import NAMES, Pair, why
from arplay.engine.masks import Broke
from arplay.export.masks import cells
from arplay.gui import kinds
from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.causality.triangle import Squares, TriangleView
from arplay.gui.widgets.frame import paint_frame
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Drawing, Plot, Series

COLOURS = "accent", "warning"
"""Of the causal network, and of the one that sees ahead."""
LINE, ROW, NUMBERS = 16, 20, 76
"""Pixels: a title, a row of the table, a column of numbers."""
FIGURES = LINE + 4 * ROW
BESIDE, TALL, MIDDLE = 900, 330, 560
"""Pixels from which all stands side by side, and from which the words stand below."""
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def curves_plot(pair: Pair) -> Plot:
    """Held-out losses as thick lines, those of the batches as thin ones."""
    series, values = [], [pair.uniform]
    for name, colour, curve in zip(NAMES, COLOURS, pair.curves, strict=True):
        steps = np.array([point.step for point in curve], np.float64)
        held_out, training = ([getattr(point, of) for point in curve] for of in ("held_out", "training"))
        series += [
            Series("", steps, np.array(training), colour, 1.0, 0.5),
            Series(name, steps, np.array(held_out), colour, 2.0),
        ]
        values += [*held_out, *training]
    if not pair.curves[0]:
        return Plot()
    level = pair.uniform, f"knows nothing: log₂ V = {pair.uniform:.2f}"
    units = "held-out loss, bits a token", "bits a token"
    return Plot(
        tuple(series), units, ("steps of training", "steps"), 0.0, float(pair.steps), 0.0, 1.1 * max(values), level
    )


class MaskCurves(LinePlot):
    """Both losses while they fall."""

    def __init__(self) -> None:
        super().__init__("Losses of both networks over the steps of training")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.pair: Pair | None = None

    def show_pair(self, pair: Pair | None) -> None:
        self.pair = pair
        said = "" if pair is None or not pair.curves[0] else self.words(float(pair.curves[0][-1].step))
        self.show_plot(Plot() if pair is None else curves_plot(pair), said)

    def words(self, lit: object) -> str:
        lines = [f"step {lit:,.0f}"]
        for name, curve in zip(NAMES, self.pair.curves if self.pair is not None else ((), ()), strict=True):
            for point in curve:
                if point.step == lit:
                    losses = f"held-out {number(point.held_out, 3)}, batches {number(point.training, 3)}"
                    lines.append(f"{name}: {losses} bits a token")
        return "\n".join(lines)


def paint_figures(painter: QPainter, theme: Theme, area: QRectF, pair: Pair) -> None:
    """A table: a row a figure, a column a network."""
    painter.setFont(interface_font(SMALL))
    lefts = [area.right() - NUMBERS * 2, area.right() - NUMBERS]
    for name, colour, left in zip(NAMES, COLOURS, lefts, strict=True):
        painter.setPen(theme.color(colour))
        painter.drawText(QRectF(left, area.top(), NUMBERS, LINE), _RIGHT, name)
    for row, (words, *values, _) in enumerate(cells(pair)):
        top = area.top() + LINE + row * ROW
        painter.fillRect(QRectF(area.left(), top, area.width(), 1), theme.color("border"))
        painter.setFont(interface_font(SMALL))
        painter.setPen(theme.color("text"))
        room = QRectF(area.left(), top, lefts[0] - area.left() - SPACE[0], ROW)
        elided = QFontMetricsF(painter.font()).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, _LEFT, elided)
        painter.setFont(number_font(BODY))
        for value, left in zip(values, lefts, strict=True):
            painter.drawText(QRectF(left, top, NUMBERS, ROW), _RIGHT, value)


class MaskFigures(QWidget):
    """What each row is, its tooltip tells."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.pair: Pair | None = None
        self.setAccessibleName("Figures of both networks")

    def sizeHint(self) -> QSize:
        return QSize(330, FIGURES)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, FIGURES)

    def show_pair(self, pair: Pair | None) -> None:
        self.pair = pair
        rows = [] if pair is None else cells(pair)
        said = [f"{words}: {NAMES[0]} {causal}, {NAMES[1]} {sees} ({what})" for words, causal, sees, what in rows]
        self.setAccessibleDescription("\n".join(said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.pair is not None:
            painter = QPainter(self)
            paint_figures(painter, self.theme, QRectF(self.rect()), self.pair)
            painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and self.pair is not None:
            row, found = (event.pos().y() - LINE) // ROW, cells(self.pair)
            words = f"{found[row][0]}: {found[row][3]}" if 0 <= row < len(found) else ""
            QToolTip.showText(event.globalPos(), plain(words), self)
            return True
        return super().event(event)


def paint_samples(painter: QPainter, theme: Theme, area: QRectF, found: Broke) -> None:
    """What each network drew, as many as there is room for: the causal one above the other."""
    half = (area.height() - SPACE[1]) / 2
    for at, (name, colour, documents) in enumerate(zip(NAMES, COLOURS, found.samples, strict=True)):
        top = area.top() + at * (half + SPACE[1])
        painter.setFont(interface_font(SMALL))
        painter.setPen(theme.color(colour))
        painter.drawText(QRectF(area.left(), top, area.width(), LINE), _LEFT, f"drawn by: {name}")
        x, y, bottom = area.left(), top + LINE + 2, top + half
        for document in documents:
            sketch = kinds.of_document(document).sketch
            high = min(float(sketch.high), bottom - y) if sketch.wide is not None else float(sketch.high)
            wide = area.width() if sketch.wide is None else sketch.wide * high / sketch.high
            if x > area.left() and x + wide > area.right():
                x, y = area.left(), y + high + SPACE[0]
            if y + high > bottom + 1 or high < 12:
                break
            sketch.paint(painter, QRectF(x, y, wide, high), theme, document, found.tokens)
            x += wide + SPACE[1]


class MaskSamples(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.found: Broke | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("What each network drew")

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def show_broke(self, found: Broke | None) -> None:
        self.found = found
        drawn = () if found is None else zip(NAMES, found.samples, strict=False)
        self.setAccessibleDescription("\n".join(f"{name}: {each[0].shown}" for name, each in drawn))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = paint_frame(painter, self.theme, self.rect())
        if self.found is not None and self.found.samples:
            paint_samples(painter, self.theme, frame.adjusted(SPACE[1], SPACE[0], -SPACE[1], -SPACE[0]), self.found)
        painter.end()


class BrokenView(QWidget):
    """All of it, side by side in a wide panel, in two rows in a tall one. ``laid``: it stands otherwise now."""

    laid = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.found: Broke | None = None
        self.curves, self.figures, self.samples = MaskCurves(), MaskFigures(), MaskSamples()
        self.triangles = tuple(TriangleView(name) for name in NAMES)
        self.why = Label(role="caption", wrap=True)
        self.why.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(SPACE[1])
        self._laid: str = ""
        self.parts = (self.curves, self.figures, *self.triangles, self.samples, self.why)
        for part in self.parts:
            part.setParent(self)  # else one that stands nowhere yet would be a window
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.show_broke(None, "")
        self._lay()

    def set_theme(self, theme: Theme) -> None:
        self.curves.set_theme(theme)
        self.figures.theme = self.samples.theme = theme
        for triangle in self.triangles:
            triangle.theme = theme
        for part in (self.figures, self.samples, *self.triangles):
            part.update()

    def show_broke(self, found: Broke | None, message: str) -> None:
        """``message`` stands where nothing is found yet."""
        self.found, self.curves.message = found, message
        pair = found.pair if found is not None else None
        self.curves.show_pair(pair)
        self.figures.show_pair(pair)
        self.samples.show_broke(found)
        for at, triangle in enumerate(self.triangles):
            ended = found is not None and bool(found.triangles)
            triangle.show_changed(found.triangles[at] if found is not None and ended else None, False, "")
        self.why.setText(why(pair) if pair is not None else "")
        self._lay()

    @property
    def tells_why(self) -> bool:
        """Whether the whole explanation is in sight here."""
        return self._laid == "rows"

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._lay()

    def _lay(self) -> None:
        wide, high, ended = self.width(), self.height(), self.found is not None and self.found.is_last
        beside = wide >= BESIDE and high < TALL
        rows = "row" if beside else "rows" if high >= TALL and wide >= MIDDLE else "few" if wide >= MIDDLE else "one"
        how = rows if ended else "curves"
        if how == self._laid:
            return
        self._laid = how
        for part in self.parts:
            self.grid.removeWidget(part)
        places: dict[str, tuple[tuple[int, int, int, int] | None, ...]] = {
            "curves": ((0, 0, 1, 1), None, None, None, None, None),
            "one": ((0, 0, 1, 1), (1, 0, 1, 1), None, None, None, None),
            "few": ((0, 0, 1, 1), (0, 1, 1, 1), None, None, None, None),
            "row": ((0, 0, 1, 1), (0, 1, 1, 1), (0, 2, 1, 1), (0, 3, 1, 1), (0, 4, 1, 1), None),
            "rows": ((0, 0, 1, 2), (0, 2, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1), (1, 2, 1, 1), (2, 0, 1, 3)),
        }
        for part, place in zip(self.parts, places[how], strict=True):
            part.setVisible(place is not None)
            if place is not None:
                top = part is self.figures
                self.grid.addWidget(part, *place, *((Qt.AlignmentFlag.AlignTop,) if top else ()))
        stretches = {"row": (4, 0, 2, 2, 3), "rows": (1, 1, 0, 0, 0), "few": (1, 0, 0, 0, 0)}.get(how, (1, 0, 0, 0, 0))
        for column, stretch in enumerate(stretches):
            self.grid.setColumnStretch(column, stretch)
        for row in range(3):
            self.grid.setRowStretch(row, 1 if row < (2 if how == "rows" else 1) else 0)
        self.laid.emit()


def paint_broken(painter: QPainter, theme: Theme, area: QRectF, found: Broke) -> None:
    """All of it on paper."""
    top = 0.42 * area.height()
    Drawing(curves_plot(found.pair), QRectF(area.left(), area.top(), 0.58 * area.width(), top)).paint(painter, theme)
    if not found.is_last:
        return
    right = QRectF(area.left() + 0.62 * area.width(), area.top(), 0.38 * area.width(), FIGURES)
    paint_figures(painter, theme, right, found.pair)
    second = area.top() + top + SPACE[3]
    side = 0.29 * area.width()
    words = 4 * LINE
    for at, triangle in enumerate(found.triangles):
        place = QRectF(area.left() + at * side, second, side - SPACE[3], area.bottom() - words - second)
        Squares(triangle, place, NAMES[at]).paint(painter, theme)
    place = QRectF(right.left(), second, right.width(), area.bottom() - words - second)
    paint_samples(painter, theme, place, found)
    painter.setFont(interface_font(SMALL))
    painter.setPen(QPen(theme.color("text"), 1))
    below = QRectF(QPointF(area.left(), area.bottom() - words + SPACE[1]), area.bottomRight())
    painter.drawText(below, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), why(found.pair))
