"""How far each conditional moved by each changed token, as squares of colour, and beside it what is connected."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.core.format import number, power_cell, tick_power
from arplay.engine.causality import Changed
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.labels import label

DECADES = 6
"""The palest colour is a total variation of 10^-6 and less, the darkest 1."""
LINE = SMALL + 6
LEGEND = 180
"""Pixels of width from which the legend stands beside the squares."""
SHEET = (900, 520)


def shade(variation: float) -> float:
    """From 0 (pale) to 1, by the logarithm.

    >>> shade(1.0), shade(1e-3), shade(0.0)
    (1.0, 0.5, 0.0)
    """
    return 0.0 if variation <= 10.0**-DECADES else min(1.0, 1 + math.log10(variation) / DECADES)


def told(found: Changed, r: int, c: int) -> str:
    """A pair in words."""
    i, j = int(found.rows[r]), int(found.columns[c])
    names = [f"{index + 1:,} ({label(found.tokens.label(int(found.ids[index])))})" for index in (i, j)]
    new = label(found.tokens.label(int(found.others[c])))
    lines = [f"i = {names[0]}: p(xᵢ | before)", f"j = {names[1]}, changed to {new}"]
    if j >= i and not found.at_once:
        lines.append("not measured: this model is given the tokens before i alone")
    elif found.moved[r, c]:
        moved = "it may not move!" if j >= i or not _connected(found, r, c) else ""
        lines.append(f"total variation {_small(float(found.variation[r, c]))} {moved}".rstrip())
        lines.append(f"KL {_small(float(found.divergence[r, c]))} nats")
    else:
        lines.append("nothing moved, no logit by any amount")
    if found.declared is not None and j < i:
        lines.append("connected by the architecture" if found.declared[r, c] else "not connected by the architecture")
    return "\n".join(lines)


def _connected(found: Changed, r: int, c: int) -> bool:
    return found.declared is None or bool(found.declared[r, c])


def _small(value: float) -> str:
    return number(value) if value >= 1e-3 or value == 0 else power_cell(value)


class Squares:
    """The measured square and the declared one in ``area``, side by side or one above the other."""

    def __init__(self, found: Changed, area: QRectF, name: str = "measured") -> None:
        self.found, self.name = found, name
        parts = 1 if found.declared is None else 2
        across = area.width() >= area.height()
        beside = area.width() >= parts * area.height() + LEGEND
        room = area.adjusted(0, LINE, 0, 0 if beside else -(LINE + SPACE[2]))
        gap = SPACE[3]
        side = (room.width() - gap * (parts - 1)) / parts if across else room.width()
        high = room.height() if across else (room.height() - (gap + LINE) * (parts - 1)) / parts
        self.cell = max(0.5, min(side / len(found.columns), high / len(found.rows)))
        wide, tall = self.cell * len(found.columns), self.cell * len(found.rows)
        step = QPointF(max(wide, 64) + gap, 0) if across else QPointF(0, tall + gap + LINE)
        self.frames = [QRectF(room.topLeft() + step * k, QSize(1, 1)) for k in range(parts)]
        for frame in self.frames:
            frame.setSize(QRectF(0, 0, wide, tall).size())
        corner = area.bottomLeft() - QPointF(0, LINE + 4)
        if beside:
            corner = self.frames[-1].topLeft() + QPointF(max(wide, 64) + gap, 0)
        self.legend = QRectF(corner.x(), corner.y(), min(area.right() - corner.x(), 260), LINE + 4)

    def at(self, point: QPointF) -> tuple[int, int] | None:
        """Row and column under a point of either square."""
        for frame in self.frames:
            if frame.contains(point):
                r, c = int((point.y() - frame.top()) / self.cell), int((point.x() - frame.left()) / self.cell)
                if r < len(self.found.rows) and c < len(self.found.columns):
                    return r, c
        return None

    def paint(
        self,
        painter: QPainter,
        theme: Theme,
        lit: tuple[int, int] | None = None,
        here: tuple[int, int] | None = None,
    ) -> None:
        """``lit``: a row and a column that are read; ``here``: the tokens [first, stop) that light up everywhere."""
        found, names = self.found, (self.name, "connected")
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for k, frame in enumerate(self.frames):
            painter.setFont(interface_font(SMALL))
            painter.setPen(theme.color("muted"))
            painter.drawText(QPointF(frame.left(), frame.top() - 5), names[k])
            painter.fillRect(frame, theme.color("raised"))
            for r, i in enumerate(found.rows.tolist()):
                for c, j in enumerate(found.columns.tolist()):
                    left, top = round(frame.left() + c * self.cell), round(frame.top() + r * self.cell)
                    right = round(frame.left() + (c + 1) * self.cell)
                    below = round(frame.top() + (r + 1) * self.cell)
                    self._fill(painter, theme, k, (r, i), (c, j), QRectF(left, top, right - left, below - top))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("border"), 1))
            painter.drawRect(frame)
            if here is not None:
                self._mark(painter, theme, frame, here)
            if lit is not None:
                painter.setPen(QPen(theme.color("text"), 2))
                size = max(4.0, self.cell)
                painter.drawRect(
                    QRectF(frame.left() + lit[1] * self.cell, frame.top() + lit[0] * self.cell, size, size)
                )
        self._paint_legend(painter, theme)
        painter.restore()

    def _mark(self, painter: QPainter, theme: Theme, frame: QRectF, tokens: tuple[int, int]) -> None:
        """Bars at the edges, beside the rows and below the columns of these tokens."""
        (top, below), (left, right) = (np.searchsorted(each, tokens) for each in (self.found.rows, self.found.columns))
        cell, accent = self.cell, theme.color("accent")
        painter.fillRect(QRectF(frame.left() - 3, frame.top() + top * cell, 3, (below - top) * cell), accent)
        painter.fillRect(QRectF(frame.left() + left * cell, frame.bottom(), (right - left) * cell, 3), accent)

    def _fill(
        self, painter: QPainter, theme: Theme, k: int, row: tuple[int, int], column: tuple[int, int], cell: QRectF
    ) -> None:
        (r, i), (c, j) = row, column
        found = self.found
        if k == 1:
            if j < i and found.declared is not None and found.declared[r, c]:
                painter.fillRect(cell, theme.color("fill"))
        elif found.moved[r, c]:
            wrong = j >= i or not _connected(found, r, c)
            value = shade(float(found.variation[r, c]))
            painter.fillRect(cell, theme.color("warning") if wrong else theme.heat_color(0.06 + 0.94 * value))
        elif j < i and _connected(found, r, c):
            painter.fillRect(cell, theme.color("surface"))
            painter.fillRect(cell, QBrush(theme.color("border"), Qt.BrushStyle.BDiagPattern))

    def _paint_legend(self, painter: QPainter, theme: Theme) -> None:
        area = self.legend
        painter.setFont(number_font(SMALL))
        words = QFontMetricsF(painter.font())
        name = "total variation"
        taken = words.horizontalAdvance(name) + SPACE[4]
        painter.setPen(theme.color("muted"))
        painter.drawText(QPointF(area.left(), area.top() + words.ascent()), name)
        wide = area.width() - taken - SPACE[2]
        for step in range(48):
            color = theme.heat_color(0.06 + 0.94 * step / 47)
            painter.fillRect(QRectF(area.left() + taken + wide * step / 48, area.top(), wide / 48 + 0.5, 7), color)
        painter.setPen(theme.color("text"))
        for power in (-DECADES, -DECADES // 2, 0):
            text = tick_power(power)
            x = area.left() + taken + wide * (1 + power / DECADES) - words.horizontalAdvance(text) / 2
            painter.drawText(QPointF(x, area.top() + 8 + words.ascent()), text)


class TriangleView(QWidget):
    """``chosen``: a click, or Enter, on a pair goes to the token at i."""

    chosen = Signal(int)

    def __init__(self, name: str = "measured") -> None:
        super().__init__()
        self.name = name
        self.theme: Theme = LIGHT
        self.found: Changed | None = None
        self.message = ""
        self.lit: tuple[int, int] | None = None
        self.here: tuple[int, int] | None = None
        self.dim = False
        self._squares: Squares | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName(f"How far each conditional moved by each changed token, {name}")

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def show_changed(self, found: Changed | None, dim: bool, said: str) -> None:
        if found is not self.found:
            self.found, self.lit = found, None
        self.dim, self._squares = dim, None
        self.setAccessibleDescription(said)
        self.update()

    def show_here(self, tokens: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that light up everywhere."""
        if tokens != self.here:
            self.here = tokens
            self.update()

    def squares(self) -> Squares | None:
        if self._squares is None and self.found is not None:
            inner = QRectF(self.rect()).adjusted(SPACE[2], SPACE[1], -SPACE[2], -SPACE[1])
            self._squares = Squares(self.found, inner, self.name)
        return self._squares

    def resizeEvent(self, event: QEvent) -> None:
        self._squares = None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = paint_frame(painter, self.theme, self.rect(), self.hasFocus())
        squares = self.squares()
        if squares is None:
            paint_message(painter, self.theme, frame, self.message)
        else:
            painter.setOpacity(0.45 if self.dim else 1.0)
            squares.paint(painter, self.theme, self.lit, self.here)
        painter.end()

    def _light(self, lit: tuple[int, int] | None) -> None:
        if lit != self.lit:
            self.lit = lit
            if lit is not None and self.found is not None:
                self.setAccessibleDescription(told(self.found, *lit))
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        squares = self.squares()
        self._light(squares.at(event.position()) if squares is not None else None)
        if self.lit is None or self.found is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), plain(told(self.found, *self.lit)), self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        squares = self.squares()
        self._light(squares.at(event.position()) if squares is not None else None)
        self._choose()

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._light(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if self.lit is None and self.found is not None:
            self._light((len(self.found.rows) - 1, 0))
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)
        }  # fmt: skip
        if self.found is not None and self.lit is not None and event.key() in steps:
            down, right = steps[Qt.Key(event.key())]
            r = min(max(self.lit[0] + down, 0), len(self.found.rows) - 1)
            self._light((r, min(max(self.lit[1] + right, 0), len(self.found.columns) - 1)))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        else:
            super().keyPressEvent(event)

    def _choose(self) -> None:
        if self.lit is not None and self.found is not None:
            self.chosen.emit(int(self.found.rows[self.lit[0]]))
