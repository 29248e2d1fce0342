"""A short text whose boundaries are put by hand: a click between two characters makes one, or takes it away."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from arplay.gui.theme import BODY, LIGHT, SPACE, Theme, fixed_font
from arplay.gui.widgets.frame import paint_frame
from arplay.gui.widgets.tokenizers.lines import Lines

HIGH, LETTER = 40, 8.0
"""Pixels: height, and what a character has beside its own width."""


class CutRow(QWidget):
    """``edges``: units at which a token ends, the last one included. ``cut``: the user changed them."""

    cut = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.data = b""
        self.edges: frozenset[int] = frozenset()
        self.gap = 0
        """The gap that keys are about, from 0 on."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Boundaries by hand")
        self.setToolTip("Click between two characters to put a boundary there or take it away; ← and → go from gap to "
                        "gap, Space changes it")  # fmt: skip

    def sizeHint(self) -> QSize:
        return QSize(200, HIGH)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def show_text(self, data: bytes, edges: frozenset[int]) -> None:
        if (data, edges) != (self.data, self.edges):
            self.data, self.edges = data, edges
            self.gap = min(self.gap, max(0, len(self.gaps) - 1))
            self._say()

    @property
    def lines(self) -> Lines:
        """In one line, whatever its width."""
        metrics = QFontMetricsF(fixed_font(BODY))
        return Lines(self.data.replace(b"\n", b" "), 0, 1e9, lambda shown: metrics.horizontalAdvance(shown) + LETTER)

    @property
    def gaps(self) -> list[int]:
        """The units between two characters."""
        lines = self.lines.lines
        return lines[0].starts[1:-1].tolist() if lines else []

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = paint_frame(painter, self.theme, self.rect(), self.hasFocus())
        painter.setClipRect(frame.adjusted(1, 1, -1, -1))
        for line in self.lines.lines:
            lefts = line.lefts + SPACE[1]
            painter.setFont(fixed_font(BODY))
            inner = [int(edge) for edge in line.starts if edge in self.edges]
            for at, (low, high) in enumerate(zip([line.start, *inner[:-1]], inner, strict=True)):
                left, right = np.interp([low, high], line.starts, lefts)
                painter.fillRect(
                    QRectF(left + 1, 7, right - left - 2, HIGH - 14), self.theme.color("fill", 0.6 if at % 2 else 0.35)
                )
            for at, char in enumerate(line.shown):
                painter.setPen(self.theme.color("text"))
                box = QRectF(lefts[at], 7, lefts[at + 1] - lefts[at], HIGH - 14)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, char)
            if self.hasFocus() and self.gaps:
                x = float(np.interp(self.gaps[self.gap], line.starts, lefts))
                painter.setPen(QPen(self.theme.color("accent"), 2))
                painter.drawLine(int(x), 3, int(x), HIGH - 4)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        gaps, lines = self.gaps, self.lines.lines
        if gaps and lines:
            places = np.interp(gaps, lines[0].starts, lines[0].lefts + SPACE[1])
            self.gap = int(np.argmin(np.abs(places - event.position().x())))
            self.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and self.gaps:
            self.gap = min(max(self.gap + step, 0), len(self.gaps) - 1)
            self._say()
        elif event.key() == Qt.Key.Key_Space and self.gaps:
            self.toggle()
        else:
            super().keyPressEvent(event)

    def toggle(self) -> None:
        """Put a boundary into the gap, or take it away."""
        self.edges = self.edges ^ {self.gaps[self.gap]}
        self._say()
        self.cut.emit()

    def _say(self) -> None:
        gaps = self.gaps
        if gaps:
            here = "a boundary" if gaps[self.gap] in self.edges else "none"
            self.setAccessibleDescription(f"gap {self.gap + 1} of {len(gaps)}: {here}")
        self.update()
