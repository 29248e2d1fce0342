"""From a token's figures to its colour in a theme; the curves are those of ``arplay/export/scales.py``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
from PySide6.QtGui import QColor

from arplay.core import measures
from arplay.core.chain import Ledger
from arplay.core.measures import BOUNDS, Measure
from arplay.export import scales
from arplay.gui.settings import Settings
from arplay.gui.theme import Theme, contrast

PLAIN, UNSCORED = -1, scales.UNSCORED
_INKS = QColor("#000000"), QColor("#ffffff")


@cache
def _colours(theme: Theme, signed: bool) -> tuple[tuple[QColor, ...], tuple[QColor, ...]]:
    """The colours of a theme, and what can be read on each; a window has ten scales, which share them."""
    found = scales.Scale(measures.of("surprisal-minus-entropy" if signed else "surprisal")).colours(
        theme.heat, theme.cool
    )
    fills = tuple(QColor(*rgb) for rgb in found)
    return fills, tuple(theme.ink_on(color) for color in fills)


class HeatScale:
    """``shade`` gives numbers of colours; ``fills`` and ``inks`` are the colours and what can be read on them."""

    def __init__(self, theme: Theme, measure: Measure | str, bounds: tuple[int, ...] = BOUNDS) -> None:
        self.measure = measures.of(measure) if isinstance(measure, str) else measure
        self.scale = scales.Scale(self.measure, bounds)
        self.fills, self.inks = _colours(theme, self.scale.signed)

    @classmethod
    def by(cls, theme: Theme, settings: Settings) -> HeatScale:
        """What the user chose to see."""
        return cls(theme, settings.colour_by, settings.rank_bounds)

    @property
    def colour_by(self) -> str:
        return self.measure.name

    @property
    def bounds(self) -> tuple[int, ...]:
        return self.scale.bounds

    def is_like(self, other: HeatScale) -> bool:
        """Whether a token has the same colour on both, in one theme."""
        return self.scale == other.scale

    def dark_on(self, shades: Sequence[int]) -> bool:
        """Whether black is easier to read than white on the one of these colours where it is harder."""
        contrasts = [self._contrasts[shade] for shade in shades]
        return min(dark for dark, _ in contrasts) >= min(light for _, light in contrasts)

    @cached_property
    def written(self) -> list[int]:
        """The inks, as numbers."""
        return [ink.rgba() for ink in self.inks]

    @cached_property
    def _contrasts(self) -> list[tuple[float, float]]:
        """Of black and of white on every colour."""
        return [(contrast(_INKS[0], fill), contrast(_INKS[1], fill)) for fill in self.fills]

    def shade(self, ledger: Ledger, first: int, stop: int) -> list[int]:
        """The colour of tokens [first, stop): an index, PLAIN (not yet scored) or UNSCORED (cannot be scored)."""
        shades = self.scale.shade(self.measure.values(ledger, first, stop))
        return np.where(np.arange(first, stop) >= ledger.done, PLAIN, shades).tolist()
