"""The surprisal of a sound's samples behind its wave, in the colours of the heatmap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from arplay.core.chain import Ledger
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.sound import EncodedSound
from arplay.gui.canvases.sound.card import of_scored
from arplay.gui.canvases.sound.strip import Shown, Strip, paint_wave
from arplay.gui.contract import Settings, Unit, View
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.figure_row import Figure
from arplay.gui.widgets.heat.card import CardContent
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.heat.sheet import WIDTH, FiguresSheet
from arplay.gui.widgets.sheet import MARGIN

ROW, TALL = 4000, 90
"""Samples of a row on paper, and its height in pixels."""


class SoundHeat(QWidget):
    """The wave, as a :class:`Heat`."""

    picked = Signal(int)
    zoomed = Signal(int)
    beside = False
    empty_text = ""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self._scale, self._unit = HeatScale(LIGHT, Settings().colour_by), Settings().unit
        self._encoded: EncodedSound | None = None
        self._wave: NDArray[np.float64] = np.zeros(0)
        self.strip = Strip(self)
        self.strip.setAccessibleName("Surprisal of the samples")
        self.strip.tell = self._card
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.strip)
        self.setFocusProxy(self.strip)
        self.strip.went.connect(self._go)

    @staticmethod
    def height_of(view: View, width: int) -> int:
        return 160

    def show_style(self, theme: Theme, scale: HeatScale, unit: Unit, text_size: int) -> None:
        self.strip.theme, self._scale, self._unit = theme, scale, unit
        self.show_view(self._view)

    def show_view(self, view: View) -> None:
        self._view, ledger = view, view.ledger
        if ledger is None or not isinstance(ledger.encoded, EncodedSound):
            return
        if self._encoded is not ledger.encoded:
            self._encoded, self._wave = ledger.encoded, ledger.encoded.wave
        shades = np.array(self._scale.shade(ledger, 0, len(ledger)), np.int64)
        at, rate = view.selected or 0, ledger.encoded.tokens.rate
        self.strip.show_wave(Shown(self._wave, rate, at, None, shades, self._scale.fills))

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
    """The wave on paper, half a second a row at 8 kHz."""

    def __init__(
        self,
        ledger: Ledger,
        tokens: TokenSet | None,
        lead: tuple[str, ...],
        theme: Theme,
        scale: HeatScale,
        unit: Unit,
        figures: tuple[Figure, ...],
        caption: str,
    ) -> None:
        encoded = ledger.encoded
        assert isinstance(encoded, EncodedSound), "a sound"
        self.wave, self.shades = encoded.wave, np.array(scale.shade(ledger, 0, len(ledger)), np.int64)
        super().__init__(theme, scale, unit, figures, caption, TALL, max(1, -(-len(encoded) // ROW)))

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        for row in range(first, stop):
            wave, shades = self.wave[row * ROW :][:ROW], self.shades[row * ROW :][:ROW]
            wide = (WIDTH - 2 * MARGIN) * len(wave) / ROW
            place = QRectF(MARGIN, top + (row - first) * TALL, wide, TALL - 6)
            paint_wave(painter, place, wave, shades, list(self.scale.fills), self.theme)
