"""The surprisal of a sound's samples behind its wave, in the colours of the heatmap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from arplay.core.modalities.sound import EncodedSound
from arplay.gui.canvases.heat import WidgetHeat
from arplay.gui.canvases.sound.card import of_scored
from arplay.gui.canvases.sound.strip import AXIS, LOWEST, Shown, Strip, paint_wave
from arplay.gui.canvases.sound.together import StretchLink
from arplay.gui.linking import Across
from arplay.gui.theme import SMALL, number_font
from arplay.gui.view import View
from arplay.gui.widgets.heat.card import CardContent
from arplay.gui.widgets.heat.sheet import WIDTH, FiguresSheet, Scored
from arplay.gui.widgets.sheet import MARGIN

HEIGHT = 250
"""Pixels that the panel wants: the wave with its figures and the legend."""
EMPTY = "The wave appears here again, each sample behind the colour of how surprised the model was."
ROW, TALL = 4000, 90
"""Samples of a row on paper, and its height in pixels."""


class SoundHeat(WidgetHeat):
    """The wave."""

    beside = False
    least = LOWEST

    def __init__(self, parent: QWidget | None = None) -> None:
        self.strip = Strip()
        super().__init__(self.strip, "Scores of the samples", parent)
        self._encoded: EncodedSound | None = None
        self._wave: NDArray[np.float64] = np.zeros(0)
        self.strip.tell = self._card
        self.strip.empty = EMPTY
        self.strip.went.connect(self._go)
        self.strip.hovered.connect(self.pointed)

    @staticmethod
    def height_of(view: View, width: int) -> int:
        return HEIGHT

    @staticmethod
    def linked(heats: Sequence[SoundHeat], across: Across) -> StretchLink:
        return StretchLink([heat.strip for heat in heats], across)

    def in_columns(self, many: int, width: int, height: int) -> bool:
        """One time below the other, as far as there is room."""
        return height < many * LOWEST

    def show_view(self, view: View) -> None:
        self._view, ledger = view, view.ledger
        if ledger is None or not isinstance(ledger.encoded, EncodedSound):
            return
        if self._encoded is not ledger.encoded:
            self._encoded, self._wave = ledger.encoded, ledger.encoded.wave
        shades = np.array(self._scale.shade(ledger, 0, len(ledger)), np.int64)
        at, rate = view.selected or 0, ledger.encoded.tokens.rate
        self.strip.show_wave(Shown(self._wave, rate, at, None, shades, self._scale.fills, view.span))

    def show_pointed(self, tokens: tuple[int, int] | None) -> None:
        self.strip.show_pointed(None if tokens is None else tokens[0])

    def in_sight(self) -> tuple[int, int] | None:
        seen = self.strip.stretch
        return None if len(seen) == len(self._wave) else (seen.first, seen.stop)

    def _card(self, index: int) -> CardContent | None:
        view = self._view
        if view.ledger is None or index >= len(view.ledger):
            return None
        return of_scored(view.ledger, index, view.loaded.vocabulary if view.loaded else None, self._unit)

    def _go(self, index: int) -> None:
        ledger = self._view.ledger
        if ledger is not None and len(ledger):
            self.picked.emit(min(index, len(ledger) - 1))


class SoundSheet(FiguresSheet):
    """The wave on paper, half a second a row at 8 kHz, each with the time at which it begins."""

    def __init__(self, scored: Scored) -> None:
        ledger, encoded = scored.ledger, scored.ledger.encoded
        assert isinstance(encoded, EncodedSound), "a sound"
        self.wave, self.shades = encoded.wave, np.array(scored.scale.shade(ledger, 0, len(ledger)), np.int64)
        self.seconds = (encoded.first + ROW * np.arange(-(-len(encoded) // ROW))) / encoded.tokens.rate
        super().__init__(scored, TALL, max(1, -(-len(encoded) // ROW)))

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for row in range(first, stop):
            wave, shades = self.wave[row * ROW :][:ROW], self.shades[row * ROW :][:ROW]
            wide = (WIDTH - 2 * MARGIN) * len(wave) / ROW
            place = QRectF(MARGIN, top + (row - first) * TALL, wide, TALL - AXIS)
            paint_wave(painter, place, wave, shades, list(self.scale.fills), self.theme)
            if len(wave):
                painter.setFont(number_font(SMALL))
                painter.setPen(self.theme.color("muted"))
                painter.drawText(QPointF(MARGIN, place.bottom() + SMALL + 2), f"{self.seconds[row]:g} s")
