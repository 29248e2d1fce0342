"""One text under several tokenizers: the text once, below it a row of boxes for each, so that boundaries line up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from arplay.core.modalities.base import Encoded, TokenSet
from arplay.core.rising import place_in
from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, fixed_font, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.tokenizers.lines import Line, Lines

TEXT, BOX, BETWEEN, NAMES = 20, 15, 10, 96
"""Pixels: height of a line of text, of a row of boxes, between two lines, and the width of the names."""
NAMED = 300
"""Pixels of the view from which the names stand beside each line."""
_SIGNS = "␣↵⇥⟨"
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """The tokens of one tokenizer."""

    name: str
    tokens: TokenSet
    encoded: Encoded

    def told(self, index: int) -> str:
        """A token with its id, its units and its details."""
        id, (start, end) = int(self.encoded.ids[index]), self.encoded.span(index)
        special = " (special)" if self.tokens.is_special(id) else ""
        details = "\n".join(f"{name}: {value}" for name, value in self.tokens.details(id))
        unit = self.tokens.unit
        many = f"{end - start:,} {unit.one if end - start == 1 else unit.many} from {start:,} on"
        return f"{self.name}: {label(self.tokens.label(id))}{special}, id {id:,}\n{many}\n{details}"

    def within(self, start: int, stop: int) -> range:
        """The tokens that have units of [start, stop)."""
        first = place_in(self.encoded.ends, start, "right")
        return range(first, min(len(self.encoded), place_in(self.encoded.ends, stop) + 1))


def line_height(layers: Sequence[Layer]) -> int:
    return TEXT + BOX * len(layers) + BETWEEN


def paint_line(
    painter: QPainter, theme: Theme, line: Line, layers: Sequence[Layer], x: float, y: float, chosen: tuple[int, int]
) -> None:
    """The text of a line and its boxes, from (x, y) on; ``chosen``: a layer and a token of it, or (-1, -1)."""
    painter.setFont(fixed_font(BODY))
    for char, left in zip(line.shown, line.lefts, strict=False):
        painter.setPen(theme.color("muted" if char[0] in _SIGNS else "text"))
        painter.drawText(QPointF(x + left, y + TEXT - 6), char)
    for at, layer in enumerate(layers):
        top = y + TEXT + at * BOX
        within = layer.within(line.start, line.stop)
        starts = np.array([layer.encoded.span(index) for index in within], np.int64).reshape(-1, 2)
        edges = line.x(np.clip(starts, line.start, line.stop))
        for index, (start, end), (left, right) in zip(within, starts.tolist(), edges.tolist(), strict=True):
            box = QRectF(x + left + 0.5, top + 1, max(1.5, right - left - 1), BOX - 3)
            special = layer.tokens.is_special(int(layer.encoded.ids[index]))
            painter.fillRect(box, theme.color("warning" if special else "fill", 0.75 if index % 2 else 0.35))
            if start < line.start or end > line.stop:  # it goes on in another line
                edge = box.left() if start < line.start else box.right() - 2
                painter.fillRect(QRectF(edge, box.top(), 2, box.height()), theme.color("surface"))
            if (at, index) == chosen:
                painter.setPen(QPen(theme.color("text"), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box)


def laid(data: bytes, start: int, width: float) -> Lines:
    metrics = QFontMetricsF(fixed_font(BODY))
    return Lines(data, start, width, metrics.horizontalAdvance)


class StackView(QAbstractScrollArea):
    """``chosen``: Enter or a click on a token, of a layer and an index. Arrows go from token to token."""

    chosen = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.layers: tuple[Layer, ...] = ()
        self.message = ""
        self.current = -1, -1
        self.dim = False
        self._data, self._start = b"", 0
        self._lines: Lines | None = None
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Boundaries of the tokens")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.viewport().update()

    def show_layers(self, layers: tuple[Layer, ...], data: bytes, start: int, message: str, dim: bool) -> None:
        """``data``: the part of the text that is shown, from unit ``start`` on."""
        same = data == self._data and start == self._start
        self.layers, self.message, self.dim, self._data, self._start = layers, message, dim, data, start
        if not same:
            self.current = -1, -1
            self._lines = None
        if self.current[0] >= len(layers) or (layers and self.current[1] >= len(layers[self.current[0]].encoded)):
            self.current = -1, -1
        self._fit()

    @property
    def lines(self) -> tuple[Line, ...]:
        if self._lines is None:
            self._lines = laid(self._data, self._start, max(40, self.viewport().width() - self._names - 2 * SPACE[1]))
        return self._lines.lines

    @property
    def _names(self) -> int:
        wide = self.viewport().width()
        return 0 if wide < NAMED else min(max(NAMES, wide // 6), 2 * NAMES)

    def _fit(self) -> None:
        high = len(self.lines) * line_height(self.layers) + 2 * SPACE[1]
        bar, page = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, high - page))
        bar.setPageStep(page)
        bar.setSingleStep(line_height(self.layers))
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lines = None
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        frame = paint_frame(painter, self.theme, self.viewport().rect(), self.hasFocus())
        if not self.layers or not self._data:
            paint_message(painter, self.theme, frame, self.message)
        else:
            painter.setClipRect(frame.adjusted(1, 1, -1, -1))
            painter.setOpacity(0.5 if self.dim else 1.0)
            self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        high, top = line_height(self.layers), SPACE[1] - self.verticalScrollBar().value()
        first = max(0, -top // high)
        for at in range(first, min(len(self.lines), first + self.viewport().height() // high + 2)):
            y = top + at * high
            if self._names:
                paint_names(painter, self.theme, self.layers, SPACE[1], y, self._names - SPACE[1])
            paint_line(painter, self.theme, self.lines[at], self.layers, SPACE[1] + self._names, y, self.current)

    # ---- going through it

    def at(self, place: QPointF) -> tuple[int, int] | None:
        """The layer and the token at a place of the viewport."""
        if not self.layers or not self._data:
            return None
        high = line_height(self.layers)
        row, inside = divmod(place.y() - SPACE[1] + self.verticalScrollBar().value(), high)
        layer = max(0, int((inside - TEXT) // BOX))
        if not 0 <= row < len(self.lines) or layer >= len(self.layers):
            return None
        line, x = self.lines[int(row)], place.x() - SPACE[1] - self._names
        if not 0 <= x < line.lefts[-1]:
            return None
        index = place_in(self.layers[layer].encoded.ends, line.unit_at(x), "right")
        return (layer, index) if index < len(self.layers[layer].encoded) else None

    def go(self, layer: int, index: int) -> None:
        """Make a token the current one, in sight."""
        self.current = layer, index
        self.setAccessibleDescription(self.layers[layer].told(index))
        start, _ = self.layers[layer].encoded.span(index)
        row = next((at for at, line in enumerate(self.lines) if line.start <= start < line.stop), None)
        if row is not None:
            bar, high = self.verticalScrollBar(), line_height(self.layers)
            top, bottom = row * high, (row + 1) * high + 2 * SPACE[1] - self.viewport().height()
            bar.setValue(min(max(bar.value(), bottom), top))
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()  # the frame is painted there

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        layer, index = self.current
        steps = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self.layers and self._data:
            self._step(layer, index, *step)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index >= 0:
            self.chosen.emit(layer, index)
        else:
            super().keyPressEvent(event)

    def _step(self, layer: int, index: int, down: int, on: int) -> None:
        stop = self._start + len(self._data)
        if index < 0:
            self.go(0, self.layers[0].within(self._start, stop).start)
        elif on:
            within = self.layers[layer].within(self._start, stop)
            self.go(layer, min(max(index + on, within.start), within.stop - 1))
        elif 0 <= layer + down < len(self.layers):
            start, _ = self.layers[layer].encoded.span(index)
            other = self.layers[layer + down].encoded
            self.go(layer + down, min(place_in(other.ends, start, "right"), len(other) - 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.at(event.position())
        if found is not None:
            self.go(*found)
            self.chosen.emit(*found)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.at(QPointF(event.pos()))
            words = self.layers[found[0]].told(found[1]) if found is not None else ""
            QToolTip.showText(event.globalPos(), plain(words), self, QRect())
            return True
        return super().viewportEvent(event)


def paint_names(painter: QPainter, theme: Theme, layers: Sequence[Layer], x: float, y: float, wide: float) -> None:
    """The names of the tokenizers, each beside its boxes."""
    painter.setFont(interface_font(SMALL))
    painter.setPen(theme.color("muted"))
    metrics = QFontMetricsF(painter.font())
    for at, layer in enumerate(layers):
        name = metrics.elidedText(layer.name, Qt.TextElideMode.ElideRight, wide - SPACE[0])
        painter.drawText(QRectF(x, y + TEXT + at * BOX - 1, wide, BOX), _LEFT, name)
