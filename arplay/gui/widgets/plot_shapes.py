"""What a plot may show besides lines: bars, whiskers, and cells of a density; painted below its lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter, QPen

from arplay.gui.theme import Theme

Floats = NDArray[np.float64]
Place = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Where points (x, y) are in pixels."""


@dataclass(frozen=True, eq=False)
class Bars:
    """k bars from 0 up to ``heights``, (k,), between ``edges``, (k + 1,)."""

    edges: Floats
    heights: Floats
    color: str = "fill"

    @property
    def stops(self) -> Floats:
        """The middle of each."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    def at(self, x: float) -> int | None:
        """Which one stands there."""
        found = int(np.searchsorted(self.edges, x, "right")) - 1
        return found if 0 <= found < len(self.heights) else None

    def paint(self, painter: QPainter, theme: Theme, place: Place, lit: float | None) -> None:
        left, top = place(self.edges[:-1], self.heights)
        right, bottom = place(self.edges[1:], np.zeros(len(self.heights)))
        painter.setPen(QPen(theme.color("outline"), 1.0))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        now = None if lit is None else self.at(lit)
        for at in np.flatnonzero(self.heights > 0).tolist():
            wide = max(1.0, right[at] - left[at] - 2)
            painter.setBrush(theme.color("accent" if at == now else self.color))
            if wide < 4:
                painter.fillRect(QRectF(left[at], top[at], wide, bottom[at] - top[at]), painter.brush())
            else:
                painter.drawRect(QRectF(left[at] + 1, top[at], wide, max(1.0, bottom[at] - top[at])))


@dataclass(frozen=True, eq=False)
class Whiskers:
    """From ``low`` to ``high`` at each ``x``, all (k,); NaN: there is none."""

    x: Floats
    low: Floats
    high: Floats
    color: str = "text"

    @property
    def stops(self) -> Floats:
        return self.x

    def paint(self, painter: QPainter, theme: Theme, place: Place, lit: float | None) -> None:
        x, top = place(self.x, self.high)
        bottom = place(self.x, self.low)[1]
        painter.setPen(QPen(theme.color(self.color), 1.5))
        for at in np.flatnonzero(np.isfinite(top) & np.isfinite(bottom)).tolist():
            painter.drawLine(QLineF(x[at], bottom[at], x[at], top[at]))
            for y in (top[at], bottom[at]):
                painter.drawLine(QLineF(x[at] - 4, y, x[at] + 4, y))


@dataclass(frozen=True, eq=False)
class Cells:
    """``counts``, (a, b), in cells with these ``sides`` from (0, 0) on: the more of them, the stronger."""

    sides: tuple[float, float]
    counts: NDArray[np.int64]

    @property
    def stops(self) -> Floats:
        return np.zeros(0)

    def paint(self, painter: QPainter, theme: Theme, place: Place, lit: float | None) -> None:
        across, up = np.nonzero(self.counts)
        if not len(across):
            return
        x, y = across * np.float64(self.sides[0]), up * np.float64(self.sides[1])
        (left, bottom), (right, top) = place(x, y), place(x + self.sides[0], y + self.sides[1])
        most = np.log1p(self.counts.max())
        strength = 0.12 + 0.88 * np.log1p(self.counts[across, up]) / most
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for at in range(len(across)):
            area = QRectF(left[at], top[at], right[at] - left[at] + 0.5, bottom[at] - top[at] + 0.5)
            painter.fillRect(area, theme.color("accent", round(float(strength[at]), 2)))


Shape = Bars | Whiskers | Cells
