"""The distribution over tokens that are in order, such as amplitudes: as one outline, in bins that open on a click."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.core.distribution import Distribution
from arplay.core.format import percent
from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import LIGHT, SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.labels import label

BINS = 32
LEAST = 2 * BINS
"""Tokens from which rows alone are too many to read."""
HIGH = 44


@dataclass(frozen=True, eq=False)
class Binned:
    """``edges`` of the bins, ids, one more than there are bins; their probabilities ``own`` and, after decoding,
    ``drawn``; the bin of the token that follows, and how each is called.

    >>> from arplay.core.modalities.sound import Amplitudes
    >>> b = binned(Distribution.from_logits(np.zeros(256)), None, Amplitudes(8000), 130)
    >>> len(b.own), round(float(b.own[0]), 6), b.actual, b.names[16]
    (32, 0.03125, 16, '+3 … +50')
    """

    edges: NDArray[np.int64]
    own: NDArray[np.float64]
    drawn: NDArray[np.float64] | None
    actual: int | None
    names: tuple[str, ...]


def binned(own: Distribution, drawn: Distribution | None, tokens: TokenSet, actual: int | None) -> Binned | None:
    """None where the tokens have no order, are few enough for rows, or are not all told."""
    if not tokens.ordered or len(tokens) < LEAST or not own.full or own.size != len(tokens):
        return None
    edges = np.linspace(0, own.size, BINS + 1).astype(np.int64)
    after = None if drawn is None or not drawn.full else np.add.reduceat(drawn.probs, edges[:-1])
    names = tuple(
        f"{label(tokens.label(int(first)))} … {label(tokens.label(int(stop) - 1))}" for first, stop in pairwise(edges)
    )
    at = None if actual is None else int(np.searchsorted(edges, actual, "right")) - 1
    return Binned(edges, np.add.reduceat(own.probs, edges[:-1]), after, at, names)


class Levels(QWidget):
    """``chosen``: another bin is open (:attr:`ids`), or none."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.binned: Binned | None = None
        self.open: int | None = None
        self.at = BINS // 2
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Distribution over the tokens in order")

    @property
    def ids(self) -> range | None:
        """Of the bin that is open."""
        if self.open is None or self.binned is None:
            return None
        return range(*map(int, self.binned.edges[self.open : self.open + 2]))

    def show_binned(self, shown: Binned | None) -> None:
        self.binned = shown
        if shown is None:
            self.open = None
        self._tell()
        self.update()

    def choose(self, bin: int | None) -> None:
        """Open it; the one that is open is closed again."""
        self.open = None if bin == self.open else bin
        if bin is not None:
            self.at = bin
        self._tell()
        self.update()
        self.chosen.emit()

    def words(self, bin: int) -> str:
        shown = self.binned
        assert shown is not None
        own = percent(float(shown.own[bin]))
        after = own if shown.drawn is None else percent(float(shown.drawn[bin]))
        return f"{shown.names[bin]}: {own}" + (f", {after} after decoding" if after != own else "")

    def _tell(self) -> None:
        self.setAccessibleDescription("" if self.binned is None else self.words(self.at))

    def sizeHint(self) -> QSize:
        return QSize(200, HIGH + SMALL + SPACE[1])

    def _bin_at(self, x: float) -> int:
        return min(max(int(x * BINS / max(1, self.width())), 0), BINS - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.binned is not None:
            self.choose(self._bin_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if self.binned is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif step is not None:
            self.at = min(max(self.at + step, 0), BINS - 1)
            self._tell()
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose(self.at)
        elif event.key() == Qt.Key.Key_Escape and self.open is not None:
            self.choose(None)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            if self.binned is not None:
                said = f"{self.words(self._bin_at(event.pos().x()))}\nClick for a bar of each of them, in order."
                QToolTip.showText(event.globalPos(), plain(said), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.binned
        if shown is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t, wide = self.theme, self.width() / BINS
        painter.fillRect(QRectF(0, 0, self.width(), HIGH), t.color("surface"))
        marks = [(self.open, "accent_soft")] + ([(self.at, "raised")] if self.hasFocus() else [])
        for bin, color in marks[::-1]:
            if bin is not None:
                painter.fillRect(QRectF(bin * wide, 0, wide, HIGH), t.color(color))
        most = max(float(shown.own.max()), 0.0 if shown.drawn is None else float(shown.drawn.max()), 1e-12)
        filled = shown.own if shown.drawn is None else shown.drawn
        for bin, p in enumerate((filled / most).tolist()):
            tall = p * (HIGH - 2)
            ink = t.color("accent" if bin == shown.actual else "fill")
            painter.fillRect(QRectF(bin * wide + 1, HIGH - tall, wide - 2, tall), ink)
        outline = QPolygonF()
        for bin, p in enumerate((shown.own / most).tolist()):
            y = HIGH - p * (HIGH - 2)
            outline << QPointF(bin * wide, y) << QPointF((bin + 1) * wide, y)
        painter.setPen(QPen(t.color("outline"), 1.2))
        painter.drawPolyline(outline)
        if self.hasFocus():
            painter.setPen(QPen(t.color("accent"), 1))
            painter.drawRect(QRectF(self.at * wide + 0.5, 0.5, wide - 1, HIGH - 1))
        painter.setFont(interface_font(SMALL))
        painter.setPen(t.color("muted"))
        below = QRectF(0, HIGH + 1, self.width(), SMALL + SPACE[0])
        low, high = shown.names[0].partition(" … ")[0], shown.names[-1].rpartition(" … ")[2]
        told = self.at if self.hasFocus() else self.open
        middle = "in order: click for the bars of a part" if told is None else self.words(told)
        sides = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight
        for words, side in zip((low, middle, high), sides, strict=True):
            painter.drawText(below, side, words)
        painter.end()
