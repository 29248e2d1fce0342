"""The loss on the prompt over the snapshots: a small line below the slider, point above handle."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from arplay.gui.contract import Unit
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.words import in_unit, number

HEIGHT = 76
HEAD = SMALL + SPACE[1]
DOTS = 18
"""Pixels of dotted line before the words that say what it is."""
HANDLE = 7
"""Half the width of the slider's handle: the first and last points are so far from the edges."""
NAMES = ("mean NLL of this text", "mean NLL")
"""What the figure is called, and where there is little room."""


class NllLine(QWidget):
    """``values``: mean NLL of the text in nats at every snapshot, NaN while it is not known; ``here``: the one shown.

    ``uniform``: log V, the loss of a model that gives every token the same probability. A click chooses a snapshot.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.unit: Unit = "nats"
        self.values: tuple[float, ...] = ()
        self.uniform: float | None = None
        self.here = 0
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Loss on the prompt over the snapshots")
        self.setToolTip(
            plain(
                "The mean negative log-likelihood of the prompt, −log p for each scored token, at every snapshot. "
                "The dotted line is log V: every token equally probable. Click to go to a snapshot."
            )
        )

    def show_values(self, values: Sequence[float], uniform: float | None, here: int) -> None:
        if (tuple(values), uniform, here) == (self.values, self.uniform, self.here):
            return
        self.values, self.uniform, self.here = tuple(values), uniform, here
        self.setAccessibleDescription(self.words)
        self.update()

    @property
    def words(self) -> str:
        """The figure at the snapshot that is shown."""
        value = self.values[self.here] if self.here < len(self.values) else math.nan
        return "not scored" if math.isnan(value) else f"{number(in_unit(value, self.unit), 3)} {self.unit} per token"

    def sizeHint(self) -> QSize:
        return QSize(300, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, HEIGHT)

    def x_of(self, place: int) -> float:
        last = max(1, len(self.values) - 1)
        return HANDLE + (self.width() - 2 * HANDLE) * place / last

    def place_at(self, x: float) -> int:
        last = max(1, len(self.values) - 1)
        place = round((x - HANDLE) / max(1.0, self.width() - 2 * HANDLE) * last)
        return min(max(place, 0), max(0, len(self.values) - 1))

    def frame(self) -> QRectF:
        return QRectF(HANDLE, HEAD, max(1, self.width() - 2 * HANDLE), HEIGHT - HEAD - SPACE[1])

    def labels(self) -> dict[str, tuple[QRectF, str]]:
        """The words of the head and their places: all above the lines, and what has no room is left out."""
        small, bold = QFontMetricsF(interface_font(SMALL)), QFontMetricsF(number_font(SMALL, bold=True))
        frame, placed = self.frame(), {}
        left, right = frame.left(), frame.right()
        if self.here < len(self.values):
            size = bold.horizontalAdvance(self.words) + 2
            placed["value"] = QRectF(left, 0, size, HEAD), self.words
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

    def top(self) -> float:
        """The value at the top of the frame."""
        known = [value for value in self.values if math.isfinite(value)]
        return max([*known, self.uniform or 0.0, 1e-9]) * 1.06

    def y_of(self, value: float) -> float:
        frame = self.frame()
        return frame.bottom() - frame.height() * min(value / self.top(), 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, frame = self.theme, self.frame()
        for name, (area, words) in self.labels().items():
            painter.setFont(number_font(SMALL, bold=True) if name == "value" else interface_font(SMALL))
            painter.setPen(theme.color("text" if name == "value" else "muted"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)
            if name == "uniform":
                self._dotted(painter, QPointF(area.left() - DOTS, area.center().y()), area.left() - SPACE[0])
        painter.fillRect(QRectF(frame.left(), round(frame.bottom()), frame.width(), 1), theme.color("border"))
        if self.uniform and self.values:
            self._dotted(painter, QPointF(frame.left(), self.y_of(self.uniform)), frame.right())
        self._line(painter)
        if self.here < len(self.values) and math.isfinite(self.values[self.here]):
            self._here(painter, frame)
        painter.end()

    def _dotted(self, painter: QPainter, start: QPointF, right: float) -> None:
        painter.setPen(QPen(self.theme.color("muted"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(start, QPointF(right, start.y()))

    def _line(self, painter: QPainter) -> None:
        runs: list[list[QPointF]] = [[]]
        for place, value in enumerate(self.values):
            if math.isfinite(value):
                runs[-1].append(QPointF(self.x_of(place), self.y_of(value)))
            elif runs[-1]:
                runs.append([])
        painter.setPen(QPen(self.theme.color("outline"), 1.5))
        for run in runs:
            painter.drawPolyline(QPolygonF(run))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("outline"))
        for run in runs:
            for point in run:
                painter.drawEllipse(point, 2.0, 2.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _here(self, painter: QPainter, frame: QRectF) -> None:
        at = QPointF(self.x_of(self.here), self.y_of(self.values[self.here]))
        painter.fillRect(QRectF(round(at.x()), frame.top(), 1, frame.height()), self.theme.color("accent", 0.5))
        painter.setPen(QPen(self.theme.color("background"), 2))
        painter.setBrush(self.theme.color("accent"))
        painter.drawEllipse(at, 5, 5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._choose(event)

    def _choose(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self.values:
            self.chosen.emit(self.place_at(event.position().x()))
