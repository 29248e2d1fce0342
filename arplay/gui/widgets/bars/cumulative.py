"""The cumulative distribution as one stacked bar, and where u fell on it: inverse-CDF sampling made visible."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.core.distribution import Distribution
from arplay.core.format import power_cell
from arplay.core.modalities.base import TokenSet
from arplay.core.picking import Choice
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.swatch import ink_of, paint_named

MOST = 400
THINNEST = 5e-4
"""At most so many segments, none with a smaller share: the rest is narrower than a pixel."""
BAR = 22
LENS = SMALL + 4
WIDE_ENOUGH = 12.0
"""Pixels of a share that is seen without a lens."""
LEAST_SHARE = 1e-15
MOST_U = float(np.nextafter(1.0, 0.0))
TO_HOLD = "<i>press or drag, or ← →: steps are drawn at this u</i>"
HELD = "<i>u is held: a double-click, or Esc, lets it go</i>"
_FINE = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
NEAR = 3
"""Neighbours that the lens may show on each side."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A token and its share [low, high) of the cumulative distribution."""

    id: int
    tokens: TokenSet
    low: float
    high: float

    @property
    def text(self) -> str:
        """Its label, which few segments have the room for."""
        return label(self.tokens.label(self.id))


@dataclass(frozen=True, slots=True)
class Strip:
    """Segments from the most probable token on, in the order of core.picking.choose; too thin ones are left to
    ``tail``, which counts them. ``chosen`` and ``u`` are those of the last step, None before the first; ``near`` are
    the segments around the chosen one, however thin, for the lens."""

    segments: tuple[Segment, ...] = ()
    tail: int = 0
    chosen: Segment | None = None
    u: float | None = None
    near: tuple[Segment, ...] = ()
    held: bool = False
    """A hand holds u over the next token's distribution, from which nothing is drawn yet."""

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
        held = "held " if self.held else ""
        return f"{held}u = {self.u:.{digits}f} → {self.chosen.text} ({low} – {high})"

    @property
    def what(self) -> str:
        """Whose distribution this is: the bars beside it always show the next token's."""
        return "cumulative probability" if self.u is None or self.held else "cumulative probability at the last step"

    def lens(self, width: float) -> tuple[float, float] | None:
        """The part of 0 .. 1 that is shown enlarged, where the chosen share has too few of ``width`` pixels."""
        if self.chosen is None or (self.chosen.high - self.chosen.low) * width >= WIDE_ENOUGH:
            return None
        share = max(self.chosen.high - self.chosen.low, LEAST_SHARE)
        middle = (self.chosen.low + self.chosen.high) / 2
        return middle - 2 * share, middle + 2 * share

    def at(self, u: float) -> Segment | None:
        if self.chosen and self.chosen.low <= u < self.chosen.high:
            return self.chosen
        return next((segment for segment in self.segments if segment.low <= u < segment.high), None)


def strip_of(drawn: Distribution, vocabulary: TokenSet, choice: Choice | None) -> Strip:
    """The stacked bar of a decoded distribution, with the step that was drawn from it, if one was."""
    if drawn.full:  # at most 1 / THINNEST tokens are left to sort, whatever the vocabulary
        ids = drawn.support[drawn.probs[drawn.support] > THINNEST]
        ids = ids[np.argsort(-drawn.logprobs[ids], kind="stable")][:MOST]
        masses, alive = drawn.probs[ids], len(drawn.support)
    else:
        ids = drawn.order[:MOST]
        masses = np.exp([drawn.logprob(int(id)) or 0.0 for id in ids])
        alive = len(drawn.logprobs) if drawn.open else drawn.size
    highs = np.cumsum(masses)
    places = zip(ids.tolist(), (highs - masses).tolist(), highs.tolist(), strict=True)
    segments = tuple(Segment(id, vocabulary, low, high) for id, low, high in places)
    if choice is None:
        return Strip(segments, alive - len(ids))
    chosen = Segment(choice.id, vocabulary, choice.low, choice.high)
    return Strip(segments, alive - len(ids), chosen, choice.u, _around(drawn, vocabulary, choice))


def _around(drawn: Distribution, vocabulary: TokenSet, choice: Choice) -> tuple[Segment, ...]:
    """The chosen token's share and those on both its sides."""
    probs, ids = drawn.probs, np.arange(drawn.size) if drawn.ids is None else drawn.ids
    mine = float(probs[ids == choice.id][0])
    before = np.flatnonzero((probs > mine) | ((probs == mine) & (ids < choice.id)))
    behind = np.flatnonzero((probs > 0) & ((probs < mine) | ((probs == mine) & (ids > choice.id))))
    result = [Segment(choice.id, vocabulary, choice.low, choice.high)]
    for at in before[np.lexsort((-ids[before], probs[before]))[:NEAR]].tolist():
        low = result[0].low
        result.insert(0, Segment(int(ids[at]), vocabulary, low - float(probs[at]), low))
    for at in behind[np.lexsort((ids[behind], -probs[behind]))[:NEAR]].tolist():
        high = result[-1].high
        result.append(Segment(int(ids[at]), vocabulary, high, high + float(probs[at])))
    return tuple(result)


class CumulativeStrip(QWidget):
    """Paints one Strip with a caption; hovering names the tokens.

    The mouse, or ← and →, take u in hand (``held``); Esc lets it go, with None.
    """

    held = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.strip = Strip()
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Cumulative distribution")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_strip(self, strip: Strip) -> None:
        self.strip = strip
        self.setAccessibleDescription(strip.line)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, SMALL + SPACE[2] + BAR + SPACE[0] + LENS + 1)

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
        line = ("last step: " if happened and not self.strip.held else "") + self.strip.line
        if happened and QFontMetricsF(font).horizontalAdvance(line) > self.width():
            line = self.strip.line
        shown = QFontMetricsF(font).elidedText(line, Qt.TextElideMode.ElideRight, self.width() - 2)
        painter.drawText(QRectF(1, 0, self.width() - 2, SMALL + SPACE[0]), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        if (lens := self.strip.lens(self.bar_area().width())) is not None:
            self._lens(painter, *lens)
            return
        below = self.below()
        for tick, align in (("0", Qt.AlignmentFlag.AlignLeft), ("1", Qt.AlignmentFlag.AlignRight)):
            painter.drawText(below, align | Qt.AlignmentFlag.AlignVCenter, tick)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self.strip.what)

    def below(self) -> QRectF:
        """The line under the bar: its scale, or the lens."""
        return QRectF(1, self.bar_area().bottom() + SPACE[0], self.width() - 2, LENS)

    def lens_area(self) -> QRectF:
        """The lens, right of the words that say what it is."""
        return self.below().adjusted(min(96.0, self.width() / 3), 0, 0, 0)

    def _lens(self, painter: QPainter, low: float, high: float) -> None:
        """The neighbourhood of u, enlarged, and where in the bar it is from."""
        strip, bar, area = self.strip, self.bar_area(), self.lens_area()
        assert strip.chosen is not None and strip.u is not None
        times = f"× {1 / (high - low):,.0f}" if high - low > 1e-7 else f"× {power_cell(1 / (high - low), 1)}"
        words = self.below().adjusted(0, 0, area.left() - self.below().right() - SPACE[0], 0)
        shown = painter.fontMetrics().elidedText(
            times if strip.held else f"{times}, last step", Qt.TextElideMode.ElideRight, int(words.width())
        )
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        x = bar.left() + strip.u * bar.width()
        painter.setPen(QPen(self.theme.color("outline"), 1))
        painter.drawLine(QPointF(x, bar.bottom()), area.topLeft())
        painter.drawLine(QPointF(x, bar.bottom()), area.topRight())
        painter.save()
        painter.setClipRect(area)
        painter.fillRect(area, self.theme.color("surface"))
        painter.setFont(fixed_font(SMALL))
        enlarged = QRectF(
            area.left() - low / (high - low) * area.width(), area.top(), area.width() / (high - low), area.height()
        )
        for place, segment in enumerate(strip.near):
            mine = segment.id == strip.chosen.id
            color = self.theme.color("accent") if mine else self.theme.color("fill", (0.85, 0.55)[place % 2])
            ink = self.theme.color("on_accent" if mine else "text")
            self._segment(painter, enlarged, segment, color, ink)
        painter.restore()
        painter.setPen(QPen(self.theme.color("border"), 1))
        painter.drawRect(area.adjusted(0, 0, -1, -1))
        self._marker(painter, area, (strip.u - low) / (high - low))

    def _bar(self, painter: QPainter, area: QRectF) -> None:
        round_corners = QPainterPath()
        round_corners.addRoundedRect(area, 4, 4)
        painter.save()
        painter.setClipPath(round_corners)
        painter.fillRect(area, self.theme.color("raised"))
        if self.strip.segments and self.strip.end < 1 - 1e-6:
            rest = QRectF(area.left() + area.width() * self.strip.end, area.top(), area.width(), area.height())
            painter.fillRect(rest, QBrush(self.theme.color("outline", 0.5), Qt.BrushStyle.BDiagPattern))
        surface, ink = self.theme.color("surface"), self.theme.color("text")
        painter.setFont(fixed_font(SMALL))
        painter.fillRect(QRectF(area.left(), area.top(), area.width() * self.strip.end, area.height()), surface)
        painter.setPen(Qt.PenStyle.NoPen)
        boxes = [_box(area, segment.low, segment.high) for segment in self.strip.segments]
        for place, shade in enumerate((0.85, 0.55)):
            painter.setBrush(self.theme.color("fill", shade))
            painter.drawRects(boxes[place::2])
        for box, segment in zip(boxes, self.strip.segments, strict=True):
            self._name(painter, box, segment, ink)
        if self.strip.chosen:
            self._segment(painter, area, self.strip.chosen, self.theme.color("accent"), self.theme.color("on_accent"))
        painter.restore()
        painter.setPen(QPen(self.theme.color("accent" if self.hasFocus() else "border"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(round_corners)
        if self.strip.u is not None:
            self._marker(painter, area, self.strip.u)

    def _segment(self, painter: QPainter, area: QRectF, segment: Segment, color: QColor, ink: QColor) -> None:
        """One share; the chosen one is seen however thin it is."""
        box = _box(area, segment.low, segment.high)
        if segment is self.strip.chosen:
            box.setWidth(max(box.width(), 2.0))
            painter.fillRect(box, self.theme.color("surface"))
        painter.fillRect(box, color)
        self._name(painter, box, segment, ink)

    def _name(self, painter: QPainter, box: QRectF, segment: Segment, ink: QColor) -> None:
        """What it is called, where there is room for it."""
        if box.width() <= 13:
            return
        wide = QFontMetricsF(painter.font()).horizontalAdvance(segment.text)
        if wide + 7 <= box.width():
            place = QRectF(box.center().x() - wide / 2, box.top(), wide + 1, box.height())
            paint_named(painter, self.theme, place, segment.text, ink_of(segment.tokens, segment.id), ink)

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

    def _hold(self, u: float) -> None:
        if self.strip.segments:
            self.held.emit(min(max(u, 0.0), MOST_U))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.bar_area().contains(event.position()):
            self._hold((event.position().x() - self.bar_area().left()) / self.bar_area().width())
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Its first press may have held u; what was held is let go."""
        if event.button() == Qt.MouseButton.LeftButton and self.bar_area().contains(event.position()):
            self.held.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if by is not None and not event.modifiers() & ~_FINE:
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            at = 0.5 if self.strip.u is None else self.strip.u + by * (0.001 if fine else 0.01)
            self._hold(at)
        elif event.key() == Qt.Key.Key_Escape and self.strip.held:
            self.held.emit(None)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._hold((event.position().x() - self.bar_area().left()) / self.bar_area().width())
            return
        area, lens = self.bar_area(), self.strip.lens(self.bar_area().width())
        u = (event.position().x() - area.left()) / area.width()
        segment = self.strip.at(u)
        if lens is not None and self.lens_area().contains(event.position()):
            area = self.lens_area()
            u = lens[0] + (event.position().x() - area.left()) / area.width() * (lens[1] - lens[0])
            segment = next((near for near in self.strip.near if near.low <= u < near.high), None)
        if not self.strip.segments or not area.contains(event.position()):
            QToolTip.hideText()
            return
        if segment:
            digits = 4 if segment.high - segment.low >= 0.0005 else 9
            share = f"u from {segment.low:.{digits}f} to {segment.high:.{digits}f} takes it"
            text = f"<b>{html.escape(segment.text)}</b><br>{share}<br>{self.strip.what}"
        else:
            text = f"{self.strip.tail:,} less probable tokens share u from {self.strip.end:.4f} to 1"
        QToolTip.showText(event.globalPosition().toPoint(), f"{text}<br>{HELD if self.strip.held else TO_HOLD}", self)


def _box(area: QRectF, low: float, high: float) -> QRectF:
    """A share [low, high) of the bar ``area``; wide ones leave a gap of a pixel."""
    width = (high - low) * area.width()
    return QRectF(area.left() + low * area.width(), area.top(), width - (1 if width > 4 else 0), area.height())
