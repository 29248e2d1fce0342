"""Strips that show the same stretch of one sound: the one where the user zooms or moves leads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject

from arplay.gui.canvases.sound.strip import Strip
from arplay.gui.linking import Across


class StretchLink(QObject):
    """``across``: which sample of another strip stands where one of a strip does; strips by their numbers, from 0."""

    def __init__(self, strips: Sequence[Strip], across: Across) -> None:
        super().__init__(strips[0])
        self._strips, self._across, self._side = strips, across, 0
        for side, strip in enumerate(strips):
            strip.moved.connect(partial(self._lead, side))

    def _lead(self, side: int) -> None:
        self._side, seen = side, self._strips[side].stretch
        for to, strip in enumerate(self._strips):
            first = None if to == side else self._across(side, seen.first, to)
            if first is not None:
                strip.look(first, len(seen))

    def align(self) -> None:
        self._lead(self._side)
