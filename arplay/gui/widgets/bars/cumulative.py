"""The cumulative distribution as one stacked bar, and where u fell on it: inverse-CDF sampling made visible."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.core.distribution import Distribution
from arplay.core.picking import Choice
from arplay.core.pieces import Piece, Vocabulary
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.words import label

MOST = 400
THINNEST = 5e-4
"""At most so many segments, none with a smaller share: the rest is narrower than a pixel."""
BAR = 22


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece and its share [low, high) of the cumulative distribution."""

    piece: Piece
    low: float
    high: float

    @property
    def id(self) -> int:
        return self.piece.id

    @property
    def text(self) -> str:
        return label(self.piece.text)


@dataclass(frozen=True, slots=True)
class Strip:
    """Segments from the most probable piece on, in the order of core.picking.choose; too thin ones are left to
    ``tail``, which counts them. ``chosen`` and ``u`` are those of the last step, None before the first."""

    segments: tuple[Segment, ...] = ()
    tail: int = 0
    chosen: Segment | None = None
    u: float | None = None

    @property
    def end(self) -> float:
        return self.segments[-1].high if self.segments else 0.0

    @property
    def line(self) -> str:
        """The step in one line."""
        if self.chosen is None or self.u is None:
            return "a step draws u from 0 to 1 and takes the token under it"
        digits = 4 if self.chosen.high - self.chosen.low >= 0.0005 else 7
        low, high = f"{self.chosen.low:.{digits}f}", f"{self.chosen.high:.{digits}f}"
        return f"u = {self.u:.{digits}f} → {self.chosen.text} ({low} – {high})"

    def at(self, u: float) -> Segment | None:
        if self.chosen and self.chosen.low <= u < self.chosen.high:
            return self.chosen
        return next((segment for segment in self.segments if segment.low <= u < segment.high), None)


def strip_of(drawn: Distribution, vocabulary: Vocabulary, choice: Choice | None) -> Strip:
    """The stacked bar of a decoded distribution, with the step that was drawn from it, if one was."""
    ids = drawn.order[:MOST] if not drawn.full else np.flatnonzero(drawn.probs > THINNEST)
    if drawn.full:  # at most 1 / THINNEST pieces are left to sort, whatever the vocabulary
        ids = ids[np.argsort(-drawn.logprobs[ids], kind="stable")][:MOST]
    masses = drawn.probs[ids] if drawn.full else np.exp([drawn.logprob(int(id)) or 0.0 for id in ids])
    highs = np.cumsum(masses)
    segments = tuple(
        Segment(vocabulary.piece(int(id)), float(high - mass), float(high))
        for id, high, mass in zip(ids, highs, masses, strict=True)
    )
    alive = int(np.count_nonzero(drawn.logprobs > -np.inf)) if drawn.full else drawn.size
    chosen = None if choice is None else Segment(vocabulary.piece(choice.id), choice.low, choice.high)
    return Strip(segments, alive - len(ids), chosen, None if choice is None else choice.u)


class CumulativeStrip(QWidget):
    """Paints one Strip with a caption; hovering names the pieces."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.strip = Strip()
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Cumulative distribution")

    def show_strip(self, strip: Strip) -> None:
        self.strip = strip
        self.setAccessibleDescription(strip.line)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, 2 * (SMALL + SPACE[0]) + BAR + SPACE[1])

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def bar_area(self) -> QRectF:
        return QRectF(1, SMALL + SPACE[2], self.width() - 2, BAR)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._caption(painter)
        self._bar(painter, self.bar_area())
        painter.end()

    def _caption(self, painter: QPainter) -> None:
        happened = self.strip.u is not None
        font = number_font(SMALL, bold=happened)
        painter.setFont(font)
        painter.setPen(self.theme.color("text" if happened else "muted"))
        line = ("last step: " if happened else "") + self.strip.line
        if happened and QFontMetricsF(font).horizontalAdvance(line) > self.width():
            line = self.strip.line
        shown = QFontMetricsF(font).elidedText(line, Qt.TextElideMode.ElideRight, self.width() - 2)
        painter.drawText(QRectF(1, 0, self.width() - 2, SMALL + SPACE[0]), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        below = QRectF(1, self.bar_area().bottom() + 1, self.width() - 2, SMALL + 3)
        for tick, align in (("0", Qt.AlignmentFlag.AlignLeft), ("1", Qt.AlignmentFlag.AlignRight)):
            painter.drawText(below, align | Qt.AlignmentFlag.AlignVCenter, tick)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, "cumulative probability")

    def _bar(self, painter: QPainter, area: QRectF) -> None:
        round_corners = QPainterPath()
        round_corners.addRoundedRect(area, 4, 4)
        painter.save()
        painter.setClipPath(round_corners)
        painter.fillRect(area, self.theme.color("raised"))
        if self.strip.segments and self.strip.end < 1 - 1e-6:
            rest = QRectF(area.left() + area.width() * self.strip.end, area.top(), area.width(), area.height())
            painter.fillRect(rest, QBrush(self.theme.color("outline", 0.5), Qt.BrushStyle.BDiagPattern))
        surface, ink, font = self.theme.color("surface"), self.theme.color("text"), fixed_font(SMALL)
        shades = (self.theme.color("fill", 0.85), self.theme.color("fill", 0.55))
        painter.setFont(font)
        painter.fillRect(QRectF(area.left(), area.top(), area.width() * self.strip.end, area.height()), surface)
        for place, segment in enumerate(self.strip.segments):
            self._segment(painter, area, segment, shades[place % 2], ink)
        if self.strip.chosen:
            self._segment(painter, area, self.strip.chosen, self.theme.color("accent"), self.theme.color("on_accent"))
        painter.restore()
        painter.setPen(QPen(self.theme.color("border"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(round_corners)
        if self.strip.u is not None:
            self._marker(painter, area, self.strip.u)

    def _segment(self, painter: QPainter, area: QRectF, segment: Segment, color: QColor, ink: QColor) -> None:
        """One share; the chosen one is seen however thin it is."""
        x = area.left() + segment.low * area.width()
        width = (segment.high - segment.low) * area.width()
        if segment is self.strip.chosen:
            width = max(width, 2.0)
            painter.fillRect(QRectF(x, area.top(), width, area.height()), self.theme.color("surface"))
        box = QRectF(x, area.top(), width - (1 if width > 4 else 0), area.height())
        painter.fillRect(box, color)
        if width > 14 and QFontMetricsF(painter.font()).horizontalAdvance(segment.text) + 8 <= width:
            painter.setPen(ink)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, segment.text)

    def _marker(self, painter: QPainter, area: QRectF, u: float) -> None:
        x = area.left() + u * area.width()
        painter.setPen(QPen(self.theme.color("surface"), 4))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setPen(QPen(self.theme.color("text"), 2))
        painter.drawLine(QPointF(x, area.top() - 1), QPointF(x, area.bottom() + 1))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("text"))
        top = area.top()
        painter.drawPolygon(QPolygonF([QPointF(x, top + 1), QPointF(x - 4, top - 5), QPointF(x + 4, top - 5)]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        area = self.bar_area()
        u = (event.position().x() - area.left()) / area.width()
        if not self.strip.segments or not area.contains(event.position()):
            QToolTip.hideText()
            return
        segment = self.strip.at(u)
        if segment:
            text = f"<b>{html.escape(segment.text)}</b><br>u from {segment.low:.4f} to {segment.high:.4f} takes it"
        else:
            text = f"{self.strip.tail:,} less probable tokens share u from {self.strip.end:.4f} to 1"
        QToolTip.showText(event.globalPosition().toPoint(), text, self)
