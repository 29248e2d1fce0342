"""How loud each frequency is along the part of a sound that is in sight: darker, or brighter on black, is louder."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from arplay.gui.canvases.sound.stretch import Stretch
from arplay.gui.theme import LIGHT, SMALL, Theme, number_font

FRAME = 256
"""Samples that a column is of: 32 ms at 8 kHz, so that the pitch of a voice can be seen."""
HOP = FRAME // 16
"""Samples from one column to the next, at least: what lies between looks the same."""
FLOOR = 80.0
"""Decibels below a full tone that are as good as silence."""


HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)


def loudness(wave: NDArray[np.float64], stretch: Stretch, columns: int) -> NDArray[np.float32]:
    """Shape (columns, FRAME / 2 + 1), from 0 (FLOOR dB below a full tone, or less) to 1 (a full tone, 0 dB).

    Column i is of the FRAME samples around its middle, weighted by Hann's window, silence outside of the sound: only
    what is in sight is computed, so that minutes cost as much as a word.

    >>> tone = np.sin(2 * np.pi * 1000 / 8000 * np.arange(8000))
    >>> seen = loudness(tone, Stretch(0, 8000), 9)
    >>> int(seen[4].argmax()) * 8000 / FRAME, round(float(seen[4].max()), 4)
    (1000.0, 1.0)
    """
    middles = stretch.first + (np.arange(columns) + 0.5) * len(stretch) / columns
    first = int(middles[0]) - FRAME
    part = np.zeros(int(middles[-1]) + FRAME - first + 1)
    low, high = max(first, 0), min(first + len(part), len(wave))
    part[low - first : high - first] = wave[low:high]
    starts = middles.astype(int) - first - FRAME // 2
    frames = np.lib.stride_tricks.sliding_window_view(part.astype(np.float32), FRAME)[starts]
    power = np.abs(np.fft.rfft(frames * HANN, axis=1)) / (HANN.sum() / 2)
    return np.clip(1 + 20 * np.log10(np.maximum(power, 1e-9)) / FLOOR, 0, 1)


class Spectrum(QWidget):
    """Of the stretch that its wave shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._wave: NDArray[np.float64] = np.zeros(0)
        self._rate = 1
        self._stretch = Stretch(0, 0)
        self._made: tuple[object, ...] = ()
        self._image = QImage()
        self.setMinimumHeight(40)
        self.setAccessibleName("Spectrogram")

    def show_stretch(self, wave: NDArray[np.float64], rate: int, stretch: Stretch) -> None:
        if wave is not self._wave or (rate, stretch) != (self._rate, self._stretch):
            self._wave, self._rate, self._stretch = wave, rate, stretch
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        room = QRectF(self.rect())
        painter.fillRect(room, self.theme.color("surface"))
        if len(self._stretch):
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(room, self._picture())
            ink = self.theme.color("muted")
            painter.setFont(number_font(SMALL))
            painter.setPen(ink)
            shares = (1.0, 0.5, 0.0) if room.height() >= 5 * SMALL else (1.0, 0.0)
            for share, place in ((share, 1 - share) for share in shares):
                y = min(max(room.height() * place, SMALL), room.height() - 4)
                words = f"{share * self._rate / 2000:g} kHz"
                wide = painter.fontMetrics().horizontalAdvance(words) + 6
                painter.fillRect(QRectF(0, y - SMALL, wide, SMALL + 4), self.theme.color("surface", 0.75))
                painter.drawText(QPointF(3, y), words)
        painter.end()

    def _picture(self) -> QImage:
        """Made once for what is in sight."""
        columns = max(1, min(round(self.width() * self.devicePixelRatioF()), len(self._stretch) // HOP))
        key = (id(self._wave), len(self._wave), self._stretch, columns, self.theme)
        if key != self._made:
            self._made = key
            seen = loudness(self._wave, self._stretch, columns)
            shades = np.ascontiguousarray(np.rint(255 * seen.T[::-1]).astype(np.uint8))
            height, width = shades.shape
            image = QImage(shades.tobytes(), width, height, width, QImage.Format.Format_Indexed8)
            image.setColorTable(_colours(self.theme))
            self._image = image.convertToFormat(QImage.Format.Format_RGB32)
        return self._image


@cache
def _colours(theme: Theme) -> list[int]:
    """Of the 256 shades from silence to a full tone."""
    return [theme.heat_color(i / 255).rgb() for i in range(256)]
