"""The line chart as a widget: pointing at it reads it, the wheel zooms along the tokens, dragging moves what is shown.

A double click shows all again; with the keyboard on it, ← and → go along its points, + and − zoom, 0 shows all.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.plot import Drawing, Plot, Stretches

SHEET = (900, 520)
"""Pixels of an exported picture, without what is set below it."""
NEAR = 24.0
"""Pixels along the axis at which the pointer means a point."""
CLICK = 4
"""Pixels that the mouse may move in a click."""
CLOSER = 0.8
"""How much of what is in sight stays so where one zooms by a step."""
LEAST = 2.0
"""Tokens (or what the axis counts at least) that are always in sight."""
ZOOMS = {Qt.Key.Key_Plus: 2, Qt.Key.Key_Equal: 2, Qt.Key.Key_Minus: -2}
"""Steps that a key zooms by."""


class LinePlot(QWidget):
    """Shows a Plot, or ``message`` where it is empty. ``clicked``: the x of a click that was no drag.

    ``spanned``: another part of the axis is shown, from x to x; None: all of it.
    """

    clicked = Signal(float)
    spanned = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.plot = Plot()
        self.message = ""
        self.span: tuple[float, float] | None = None
        """The part of the axis that the user zoomed to; None is all of it."""
        self.lit: object = None
        """What is read: an x of the plot, or what :meth:`at` of a subclass gives."""
        self.here: Stretches = ()
        self.sight: tuple[float, float] | None = None
        self._pressed = self._dragged = QPointF()
        self._drawing: Drawing | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName(name)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def show_plot(self, plot: Plot, said: str) -> None:
        """``said``: the newest figures, since a picture cannot be read aloud."""
        self.plot, self._drawing = plot, None
        self.setAccessibleDescription(said)
        self.update()

    def show_here(self, here: Stretches) -> None:
        """Where the tokens are that light up in the rest of the window."""
        if here != self.here:
            self.here = here
            self.update()

    def show_sight(self, sight: tuple[float, float] | None) -> None:
        """The part of the axis that another view of the same text shows."""
        if sight != self.sight:
            self.sight = sight
            self.update()

    # ---- of a chart's own

    def words(self, lit: object) -> str:
        """What is read at a place."""
        raise NotImplementedError

    def at(self, position: QPointF) -> object:
        """What the pointer means: the x of the nearest point."""
        stops, drawing = self.plot.stops, self.drawing()
        if not len(stops):
            return None
        near = int(np.searchsorted(stops, drawing.x_at(position.x())))
        found = stops[max(0, near - 1) : near + 1]
        gaps = [abs(drawing.place(x, self.plot.low).x() - position.x()) for x in found.tolist()]
        return float(found[int(np.argmin(gaps))]) if min(gaps) <= NEAR else None

    def spot(self, lit: object) -> tuple[float, float | None]:
        """Where that is: x, and y where one point is meant."""
        assert isinstance(lit, float)
        return lit, None

    # ----

    def drawing(self) -> Drawing:
        """The plot at this size."""
        area = QRectF(self.rect()).adjusted(SPACE[2], SPACE[2], -SPACE[1], -SPACE[1])
        if self._drawing is None or self._drawing.area != area:
            self._drawing = Drawing(self.plot, area, self.span)
        return self._drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = paint_frame(painter, self.theme, self.rect(), self.hasFocus())
        if self.plot.empty:
            paint_message(painter, self.theme, frame, self.message)
        else:
            lit = None if self.lit is None else self.spot(self.lit)
            self.drawing().paint(painter, self.theme, lit, self.here, self.sight)
        painter.end()

    def light(self, lit: object) -> None:
        if lit != self.lit:
            self.lit = lit
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and not self.plot.empty:
            drawing, by = self.drawing(), self._dragged.x() - event.position().x()
            ends = drawing.frame.left() + by, drawing.frame.right() + by
            self._show(*(drawing.x_at(end) for end in ends))
            self._dragged = event.position()
            return
        self.light(None if self.plot.empty else self.at(event.position()))
        if self.lit is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), plain(self.words(self.lit)), self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = self._dragged = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved = (event.position() - self._pressed).manhattanLength()
        if event.button() == Qt.MouseButton.LeftButton and moved < CLICK and not self.plot.empty:
            self.click(event.position())

    def click(self, position: QPointF) -> None:
        self.clicked.emit(self.drawing().x_at(position.x()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.show_all()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.plot.empty:
            return
        self._zoom(event.position().x(), event.angleDelta().y() / 120)
        event.accept()

    def _zoom(self, pixel: float, steps: float) -> None:
        """Closer by so many steps, or further; what is there stays there."""
        drawing, times = self.drawing(), CLOSER**steps
        ends = (pixel + (edge - pixel) * times for edge in (drawing.frame.left(), drawing.frame.right()))
        self._show(*(drawing.x_at(end) for end in ends))

    def show_all(self) -> None:
        self._show_span(None)

    def _show_span(self, span: tuple[float, float] | None) -> None:
        self._drawing = None
        self.update()
        if span != self.span:
            self.span = span
            self.spanned.emit(span)

    def _show(self, left: float, right: float) -> None:
        """That part of the axis, moved to where there is one."""
        plot, wide = self.plot, max(right - left, LEAST * self.plot.least)
        if wide >= (plot.end - plot.start) * (1 - 1e-9):
            self.show_all()
            return
        left = min(max(left, plot.start), plot.end - wide)
        self._show_span((left, left + wide))

    def leaveEvent(self, event: QEvent) -> None:
        self.light(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.light(None)
        self.update()

    def beside(self, step: int) -> object:
        """What is read ``step`` points further on; at first the first point, or the last; None: there is none."""
        stops = self.plot.stops.tolist()
        if not stops:
            return None
        at = stops.index(self.lit) + step if self.lit in stops else (len(stops) - 1 if step < 0 else 0)
        return stops[min(max(at, 0), len(stops) - 1)]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in ZOOMS and not self.plot.empty:
            self._zoom(self._read(), ZOOMS[key])
            return
        if key == Qt.Key.Key_0:
            self.show_all()
            return
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key)
        to = None if step is None else self.beside(step)
        if to is None:
            super().keyPressEvent(event)
            return
        self.light(to)
        x = self.spot(to)[0]
        if self.span is not None and not self.span[0] <= x <= self.span[1]:
            half = (self.span[1] - self.span[0]) / 2
            self._show(x - half, x + half)
        place = self.drawing().place(self.spot(to)[0], self.plot.high).toPoint() + QPoint(0, 12)
        QToolTip.showText(self.mapToGlobal(place), plain(self.words(to)), self)

    def _read(self) -> float:
        """The pixel of what is read, else of what is selected in sight, else of the middle."""
        drawing = self.drawing()
        x = self.spot(self.lit)[0] if self.lit is not None else self.here[0][0] if self.here else drawing.left - 1
        inside = drawing.left <= x <= drawing.right
        return drawing.place(x, self.plot.high).x() if inside else drawing.frame.center().x()

    # ---- exported

    def chart_size(self) -> tuple[int, int] | None:
        return None if self.plot.empty else SHEET

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        room = area.adjusted(SPACE[4], SPACE[4], -SPACE[4], -SPACE[3])
        painter.fillRect(area, self.theme.color("surface"))
        Drawing(self.plot, room).paint(painter, self.theme)
