"""The loss on the prompt over the snapshots: a small line below the slider, point above handle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from arplay.core.format import in_unit, number
from arplay.gui.settings import Unit
from arplay.gui.theme import SMALL, SPACE, interface_font, number_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Drawing, Plot, Series, paint_mark

HEIGHT = 76
HEAD = SMALL + SPACE[1]
DOTS = 18
"""Pixels of dotted line before the words that say what it is."""
HANDLE = 7
"""Half the width of the slider's handle: the first and last points are so far from the edges."""
NAMES = ("mean NLL of this text", "mean NLL")
"""What the figure is called, and where there is little room."""


class NllLine(LinePlot):
    """``values``: mean NLL of the text in nats at every snapshot, NaN while it is not known; ``here``: the one shown.

    ``uniform``: log V, the loss of a model that gives every token the same probability. A click chooses a snapshot.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__("Loss on the prompt over the snapshots")
        self.unit: Unit = "nats"
        self.values: tuple[float, ...] = ()
        self.uniform: float | None = None
        self.shown = 0
        self.setMouseTracking(False)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            plain(
                "The mean negative log-likelihood of the prompt, −log p for each scored token, at every snapshot. "
                "The dotted line is log V: every token equally probable. Click to go to a snapshot."
            )
        )

    def show_values(self, values: Sequence[float], uniform: float | None, shown: int) -> None:
        self.values, self.uniform, self.shown = tuple(values), uniform, shown
        known = [value for value in self.values if math.isfinite(value)]
        x, end = np.arange(len(self.values), dtype=np.float64), max(1.0, len(self.values) - 1)
        line = Series("", x, np.array(self.values, np.float64), "outline", mark="dot")
        self.show_plot(Plot((line,), end=end, high=max([*known, uniform or 0.0, 1e-9]) * 1.06), self.figure)

    def set_unit(self, unit: Unit) -> None:
        self.unit = unit
        self.setAccessibleDescription(self.figure)
        self.update()

    @property
    def value(self) -> float:
        """Of the snapshot that is shown; NaN where there is none."""
        return self.values[self.shown] if self.shown < len(self.values) else math.nan

    @property
    def figure(self) -> str:
        """The value in words."""
        value = in_unit(self.value, self.unit)
        return "not scored" if math.isnan(value) else f"{number(value, 3)} {self.unit} per token"

    def sizeHint(self) -> QSize:
        return QSize(300, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, HEIGHT)

    def frame(self) -> QRectF:
        return QRectF(HANDLE, HEAD, max(1, self.width() - 2 * HANDLE), HEIGHT - HEAD - SPACE[1])

    def drawing(self) -> Drawing:
        return Drawing(self.plot, QRectF(self.rect()), frame=self.frame())

    def labels(self) -> dict[str, tuple[QRectF, str]]:
        """The words of the head and their places: all above the lines, and what has no room is left out."""
        small, bold = QFontMetricsF(interface_font(SMALL)), QFontMetricsF(number_font(SMALL, bold=True))
        frame, placed = self.frame(), {}
        left, right = frame.left(), frame.right()
        if self.shown < len(self.values):
            size = bold.horizontalAdvance(self.figure) + 2
            placed["value"] = QRectF(left, 0, size, HEAD), self.figure
            left += size + SPACE[1]
        if self.uniform and self.values:
            words = f"log V = {number(in_unit(self.uniform, self.unit), 2)} {self.unit}"
            size = small.horizontalAdvance(words) + 2
            if right - size - DOTS >= left:
                placed["uniform"] = QRectF(right - size, 0, size, HEAD), words
                right -= size + DOTS + SPACE[2]
        for words in NAMES:
            size = small.horizontalAdvance(words) + 2
            if left + size <= right:
                placed["name"] = QRectF(left, 0, size, HEAD), words
                break
        return placed

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, frame, drawing = self.theme, self.frame(), self.drawing()
        for name, (area, words) in self.labels().items():
            painter.setFont(number_font(SMALL, bold=True) if name == "value" else interface_font(SMALL))
            painter.setPen(theme.color("text" if name == "value" else "muted"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)
            if name == "uniform":
                self._dotted(painter, QPointF(area.left() - DOTS, area.center().y()), area.left() - SPACE[0])
        painter.fillRect(QRectF(frame.left(), round(frame.bottom()), frame.width(), 1), theme.color("border"))
        if self.uniform and self.values:
            self._dotted(painter, drawing.place(0.0, self.uniform), frame.right())
        known = math.isfinite(self.value)
        drawing.paint_lines(painter, theme, ((float(self.shown), float(self.shown)),) if known else ())
        if known:
            paint_mark(painter, drawing.place(self.shown, self.value), theme, "dot", "accent", radius=5)
        painter.end()

    def _dotted(self, painter: QPainter, start: QPointF, right: float) -> None:
        painter.setPen(QPen(self.theme.color("muted"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(start, QPointF(right, start.y()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self.values:
            at = round(self.drawing().x_at(event.position().x()))
            self.chosen.emit(min(max(at, 0), len(self.values) - 1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def wheelEvent(self, event: object) -> None:
        """Its points stay above the slider's places."""
