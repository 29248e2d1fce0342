"""The falling probabilities that a stage was given, and what it made of them, as a small chart."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from arplay.core.decoding.trace import Trace
from arplay.core.format import percent
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font

HEIGHT = 56
MOST = 40
"""So many tokens at most: more would be thinner than a pixel in a narrow panel."""


class Falling(QWidget):
    """A bar for each of the most probable tokens: outlined what it had, filled what it has; one that went has no fill.

    It looks the tokens up when it is painted: what nobody sees costs nothing.
    """

    theme: Theme = LIGHT

    def __init__(self) -> None:
        super().__init__()
        self._trace: Trace | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "The most probable tokens before the stage, from left to right: outlined their p before it, filled after it"
        )

    def show_trace(self, trace: Trace | None) -> None:
        if trace is not self._trace:
            self._trace = trace
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, area = self.theme, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -1.5)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if self._trace is None:
            return
        before, after = self._trace.falling(MOST)
        most = max(float(before.max(initial=0)), float(after.max(initial=0)))
        if not most > 0:
            return
        wide = min(area.width() / len(before), 14.0)
        for at, (had, has) in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
            left = area.left() + at * wide
            for p, pen, fill in ((has, None, "fill"), (had, "outline" if has else "muted", None)):
                high = area.height() * p / most
                bar = QRectF(left + 1, area.bottom() - high, max(1.0, wide - 2), high)
                if fill and p:
                    painter.fillRect(bar, theme.color(fill))
                elif pen:
                    painter.setPen(QPen(theme.color(pen), 1))
                    painter.drawRect(bar)
        painter.setFont(interface_font(SMALL))
        painter.setPen(theme.color("muted"))
        words = percent(most)
        width = painter.fontMetrics().horizontalAdvance(words)
        if wide * len(before) + width + SPACE[1] < area.width() or len(before) > 8:
            painter.drawText(QRectF(area.right() - width, area.top(), width, SMALL + SPACE[0]), 0, words)
