"""A wave in a strip: as many samples a column as are in sight, each from its lowest to its highest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from arplay.gui.canvases.sound.stretch import Stretch
from arplay.gui.theme import LIGHT, SMALL, Theme, number_font
from arplay.gui.widgets.heat.card import CardContent, HeatCard
from arplay.gui.widgets.zoom import NOTCH

MS = 10
"""Milliseconds that Shift and an arrow key go."""
AXIS = SMALL + 6
"""Pixels of height of the axis of time."""
LOWEST = 48
"""Pixels of height, axis included, below which no wave is seen."""
WIDE = 6
"""Pixels from one sample to the next from which each has a dot."""
PAD = 12
"""Pixels around words."""
FAR = 4
"""Pixels that the mouse goes before it selects."""
_CONTROL = Qt.KeyboardModifier.ControlModifier
_ZOOMS = {Qt.Key.Key_Plus: 0.5, Qt.Key.Key_Equal: 0.5, Qt.Key.Key_Minus: 2.0, Qt.Key.Key_0: 1e9}


@dataclass(frozen=True, eq=False)
class Shown:
    """``at``: where the line stands; ``reach``: how many samples before it bear on it, None where all of them do.

    ``shades``: of each sample the number of one of ``colours``; -1 and less is plain, and None is all plain.
    ``lit``: the samples [first, stop) that light up everywhere.
    """

    wave: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    rate: int = 8000
    at: int = 0
    reach: int | None = None
    shades: NDArray[np.int64] | None = None
    colours: Sequence[QColor] = ()
    lit: tuple[int, int] | None = None


class Strip(QWidget):
    """``went`` carries the index of the sample that the user goes to; the last one may be that behind all.

    ``looked``: another stretch is in sight, ``moved``: which the user did; ``chosen``: other samples are selected;
    ``hovered``: the sample below the mouse, or None. ``tell``: what the card of a sample says.
    """

    went = Signal(int)
    looked = Signal()
    moved = Signal()
    hovered = Signal(object)
    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.shown = Shown()
        self.stretch = Stretch(0, 0)
        self.selection: tuple[int, int] | None = None
        self.heard: int | None = None
        self.pointed: int | None = None
        self.tell: Callable[[int], CardContent | None] = lambda index: None
        self.empty = ""
        """What is said where there is no sound."""
        self.card = HeatCard(self)
        self._pressed: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumHeight(LOWEST)

    def show_wave(self, shown: Shown) -> None:
        """All of another sound; of one that grew by a little what was in sight, and the line in any case."""
        before, self.shown = self.shown, shown
        n, whole = len(shown.wave), len(self.stretch) == len(before.wave)
        wanted = Stretch(0, n) if whole or not n else self.stretch.moved(0, n)
        if shown.at != before.at:
            wanted = wanted.holding(shown.at, n)
        if self.selection is not None and self.selection[1] > n:
            self.select(None)
        self._look(wanted)
        self.update()

    def show_heard(self, at: int | None) -> None:
        """The sample that is heard now."""
        if at != self.heard:
            self.heard = at
            if at is not None:
                self._look(self.stretch.holding(at, len(self.shown.wave)))
            self.update()

    def select(self, samples: tuple[int, int] | None) -> None:
        if samples != self.selection:
            self.selection = samples
            self.update()
            self.chosen.emit()

    def zoom(self, factor: float, at: int | None = None) -> None:
        """``at``: the sample that stays where it is; that at the line where it is in sight, else the middle."""
        here = self.shown.at if self.stretch.first <= self.shown.at <= self.stretch.stop else None
        middle = (self.stretch.first + self.stretch.stop) // 2
        fixed = next(one for one in (at, here, middle) if one is not None)
        self._move(self.stretch.zoomed(factor, fixed, len(self.shown.wave)))

    def look(self, first: int, count: int) -> None:
        """So many samples from ``first`` on, as far as there are."""
        self._look(Stretch(first, first + count).moved(0, len(self.shown.wave)))

    def show_pointed(self, at: int | None) -> None:
        """The mouse is at this sample of another one."""
        if at != self.pointed:
            self.pointed = at
            self.update()

    def _move(self, stretch: Stretch) -> None:
        self._look(stretch)
        self.moved.emit()

    def _look(self, stretch: Stretch) -> None:
        if stretch != self.stretch:
            self.stretch = stretch
            self.card.hide()
            self.update()
            self.looked.emit()

    def index_at(self, x: float) -> int:
        found = self.stretch.first + round(x * len(self.stretch) / max(1, self.width()))
        return min(max(found, self.stretch.first), self.stretch.stop)

    @property
    def gain(self) -> int:
        """How many times as high what is in sight is shown, a power of two, so that quiet sounds are seen, too."""
        peak = np.abs(self.shown.wave[self.stretch.first : self.stretch.stop]).max(initial=0)
        return 1 << min(max(int(np.floor(-np.log2(max(peak, 1e-9)))), 0), 8)

    def x_of(self, index: float) -> float:
        return (index - self.stretch.first) * self.width() / max(1, len(self.stretch))

    # what the user does

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.card.hide()
        if event.button() == Qt.MouseButton.LeftButton and len(self.shown.wave):
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            self._hover(event.position())
        elif abs(event.position().x() - self._pressed.x()) >= FAR:
            first, stop = sorted((self.index_at(self._pressed.x()), self.index_at(event.position().x())))
            self.select((first, stop) if first < stop else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if abs(event.position().x() - pressed.x()) >= FAR:
            return
        to = self.index_at(pressed.x())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            first, stop = sorted((self.shown.at, to))
            self.select((first, stop) if first < stop else None)
            return
        self.select(None)
        self.went.emit(to)

    def leaveEvent(self, event: QEvent) -> None:
        self.card.hide()
        self.hovered.emit(None)

    def hideEvent(self, event: QHideEvent) -> None:
        self.card.hide()

    def _hover(self, point: QPointF) -> None:
        index = min(self.index_at(point.x()), len(self.shown.wave) - 1)
        content = self.tell(index) if index >= 0 else None
        self.hovered.emit(index if index >= 0 else None)
        if content is None:
            self.card.hide()
        else:
            self.card.theme = self.theme
            place = self.mapToGlobal(QPoint(round(self.x_of(index)) + 8, self.height()))
            self.card.show_at(content, QRect(place.x(), place.y() - self.height(), 1, self.height()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Up and down zooms at the pointer, sideways or with Shift pans."""
        turned, n = event.angleDelta(), len(self.shown.wave)
        sideways = turned.x() or (turned.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self._move(self.stretch.moved(round(-sideways / NOTCH * len(self.stretch) / 8), n))
        elif turned.y():
            self.zoom(0.8 ** (turned.y() / NOTCH), self.index_at(event.position().x()))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """The keys that zoom are its own while it has the keyboard, not those of the menu."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._zooms(event):
            event.accept()
            return True
        return super().event(event)

    def _zooms(self, event: QKeyEvent) -> float | None:
        return _ZOOMS.get(Qt.Key(event.key())) if event.modifiers() & _CONTROL else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        n, at, key = len(self.shown.wave), self.shown.at, Qt.Key(event.key())
        if (factor := self._zooms(event)) is not None:
            self.zoom(factor)
            return
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        step = self.shown.rate * MS // 1000 if shift else 1
        page = max(1, len(self.stretch) // 4)
        to = {
            Qt.Key.Key_Left: at - step, Qt.Key.Key_Right: at + step, Qt.Key.Key_PageUp: at - page,
            Qt.Key.Key_PageDown: at + page, Qt.Key.Key_Home: 0, Qt.Key.Key_End: n,
        }.get(key)  # fmt: skip
        others = ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        if to is None or event.modifiers() & others:
            if key == Qt.Key.Key_Escape and self.selection is not None:
                self.select(None)
            elif key == Qt.Key.Key_A and event.modifiers() == _CONTROL and n:
                self.select((0, n))
            else:
                super().keyPressEvent(event)
        elif 0 <= (to := min(max(to, 0), n)) != at:
            self.went.emit(to)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, shown, room = QPainter(self), self.shown, QRectF(self.rect())
        painter.fillRect(room, self.theme.color("surface"))
        tall = room.height() - AXIS
        if shown.reach is not None and shown.at:
            left, right = self.x_of(max(0, shown.at - shown.reach)), self.x_of(shown.at)
            painter.fillRect(QRectF(left, 0, right - left, tall), self.theme.color("accent_soft"))
        first, stop = self.stretch.first, self.stretch.stop
        shades = None if shown.shades is None else shown.shades[first:stop]
        seen, gain = shown.wave[first:stop], self.gain
        paint_wave(painter, QRectF(0, 0, room.width(), tall), seen * gain, shades, shown.colours, self.theme)
        for chosen in filter(None, (shown.lit, self.selection)):
            left, right = map(self.x_of, chosen)
            painter.fillRect(QRectF(left, 0, right - left, tall), self.theme.color("accent", 0.28))
            for edge in (0.0, tall - 2):  # what bears on the next sample has nearly the same ground
                painter.fillRect(QRectF(left, edge, right - left, 2), self.theme.color("accent"))
        if not len(shown.wave):
            painter.setPen(self.theme.color("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room.adjusted(PAD, PAD, -PAD, -PAD), int(flags), self.empty)
        else:
            self._axis(painter, tall)
            if gain > 1:
                words = f"amplitude ×{gain}"
                wide = painter.fontMetrics().horizontalAdvance(words) + 6
                ground = QRectF(room.width() - wide, 0, wide, AXIS)
                painter.fillRect(ground, self.theme.color("surface", 0.75))
                painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, words)
        if len(shown.wave) or shown.at:
            self._line(painter, shown.at, "accent", 2 if self.hasFocus() else 1, room.height())
        for at in (self.heard, self.pointed):
            if at is not None:
                self._line(painter, at, "text", 1, tall)
        painter.end()

    def _line(self, painter: QPainter, at: int, color: str, wide: int, tall: float) -> None:
        x = min(max(self.x_of(at), 0.0), self.width() - wide)
        painter.fillRect(QRectF(x, 0, wide, tall), self.theme.color(color))

    def _axis(self, painter: QPainter, top: float) -> None:
        """Round times, as many as there is room for."""
        painter.setFont(number_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        rate, seconds = self.shown.rate, len(self.stretch) / self.shown.rate
        most = max(1.0, self.width() / 90)
        steps = (unit * 10.0**power for power in range(-5, 5) for unit in (1, 2, 5))
        step = next((one for one in steps if seconds / one <= most), seconds)
        for tick in range(int(np.ceil(self.stretch.first / rate / step)), int(self.stretch.stop / rate / step) + 1):
            x, time = self.x_of(tick * step * rate), tick * step
            words = f"{time:g} s" if step >= 0.1 else f"{1000 * time:.6g} ms"
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.fillRect(QRectF(x, top, 1, 4), self.theme.color("muted"))
            if x + 3 + wide <= self.width():
                painter.drawText(QPointF(x + 3, self.height() - 4), words)


def paint_wave(
    painter: QPainter,
    room: QRectF,
    wave: NDArray[np.float64],
    shades: NDArray[np.int64] | None,
    colours: Sequence[QColor],
    theme: Theme,
) -> None:
    """The wave; with ``shades`` behind each column the colour of the most surprising of its samples."""
    n, columns = len(wave), max(1, int(room.width()))
    if not n:
        return
    edges = np.linspace(0, n, min(columns, n) + 1).astype(int)
    wide = room.width() / (len(edges) - 1)
    if shades is not None:
        most = np.maximum.reduceat(shades, edges[:-1])
        turns = [0, *(np.flatnonzero(np.diff(most)) + 1).tolist(), len(most)]  # neighbours of one colour at once
        for first, stop in pairwise(turns):
            if (shade := int(most[first])) >= 0:
                place = QRectF(room.left() + first * wide, room.top(), (stop - first) * wide + 0.5, room.height())
                painter.fillRect(place, colours[shade])
    middle, tall = room.center().y(), room.height() / 2 - 2
    painter.fillRect(QRectF(room.left(), middle, room.width(), 1), theme.color("border"))
    painter.setPen(theme.color("text"))
    if wide < WIDE:
        low, high = np.minimum.reduceat(wave, edges[:-1]), np.maximum.reduceat(wave, edges[:-1])
        # from the highest of the column before, so that no gap is left in a steep wave
        low[1:], high[1:] = np.minimum(low[1:], high[:-1]), np.maximum(high[1:], low[:-1])
        painter.drawLines(
            [
                QLineF(x, middle - tall * top, x, middle - tall * bottom + 1)
                for i, (bottom, top) in enumerate(zip(low.tolist(), high.tolist(), strict=True))
                for x in (room.left() + (i + 0.5) * wide,)
            ]
        )
        return
    for i, value in enumerate(wave.tolist()):
        x, y = room.left() + (i + 0.5) * wide, middle - tall * value
        painter.drawLine(QLineF(x, middle, x, y))
        painter.fillRect(QRectF(x - 2, y - 2, 4, 4), theme.color("text"))
