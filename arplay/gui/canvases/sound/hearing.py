"""A continuation of a sound, heard and seen without being written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QImage

from arplay.core.modalities.sound import Amplitudes, Sound
from arplay.engine.player import Player

SIDE = 56
"""Pixels of a small picture, which a tile shows so many times as large."""
PAPER, INK, AXIS = 255, 40, 190


class Voice:
    """What plays continuations, one at a time."""

    def __init__(self) -> None:
        self.player = Player()

    @property
    def sounds(self) -> bool:
        return self.player.at is not None

    def hear(self, sound: Sound, place: int, ids: Sequence[int]) -> None:
        """The sound up to ``place`` with ``ids`` behind it. Raises Problem where nothing can be heard."""
        whole = Sound(sound.rate, sound.levels, sound.samples[:place] + bytes(ids))
        self.player.play(whole.wave, sound.rate, 0, len(whole))

    def stop(self) -> None:
        self.player.stop()


def drawn(sound: Sound, tokens: Amplitudes, ids: Sequence[int]) -> QImage:
    """The wave of ``ids`` alone, as high as the loudest of them."""
    wave = tokens.amplitudes[list(ids)]
    pixels = np.full((SIDE, SIDE), PAPER, np.uint8)
    pixels[SIDE // 2] = AXIS
    if len(wave):
        edges = np.linspace(0, len(wave), min(SIDE, len(wave)) + 1).astype(int)[:-1]
        low, high = np.minimum.reduceat(wave, edges), np.maximum.reduceat(wave, edges)
        scale = (SIDE // 2 - 2) / max(float(np.abs(wave).max()), 1e-9)
        rows, columns = np.arange(SIDE)[:, None], np.arange(SIDE) * len(edges) // SIDE
        top, bottom = (SIDE // 2 - np.rint(scale * each).astype(int) for each in (high, low))
        pixels[(rows >= top[columns]) & (rows <= bottom[columns])] = INK
    return QImage(pixels.tobytes(), SIDE, SIDE, SIDE, QImage.Format.Format_Grayscale8).copy()
