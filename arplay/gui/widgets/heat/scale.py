"""From a token's figures to its colour: surprisal and entropy on one fixed curve, ranks in four buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
from PySide6.QtGui import QColor

from arplay.core.chain import Ledger
from arplay.export.colours import STEPS, shades
from arplay.gui.theme import Theme, contrast

RANKS = ((1, "1"), (10, "2–10"), (100, "11–100"), (math.inf, ">100"))
"""Upper bound and name of every bucket of ranks."""

PLAIN, UNSCORED = -1, -2
_INKS = QColor("#000000"), QColor("#ffffff")


@cache
def _colours(theme: Theme) -> tuple[tuple[QColor, ...], tuple[QColor, ...]]:
    """The STEPS colours of a theme, and what can be read on each; a window has ten scales, which share them."""
    fills = tuple(theme.heat_color(i / (STEPS - 1)) for i in range(STEPS))
    return fills, tuple(theme.ink_on(color) for color in fills)


class HeatScale:
    """``shade`` gives numbers of colours; ``fills`` and ``inks`` are the colours and what can be read on them."""

    def __init__(self, theme: Theme, colour_by: str) -> None:
        self.colour_by = colour_by
        self.fills, self.inks = _colours(theme)

    def dark_on(self, shades: Sequence[int]) -> bool:
        """Whether black is easier to read than white on the one of these colours where it is harder."""
        contrasts = [self._contrasts[shade] for shade in shades]
        return min(dark for dark, _ in contrasts) >= min(light for _, light in contrasts)

    @cached_property
    def _contrasts(self) -> list[tuple[float, float]]:
        """Of black and of white on every colour."""
        return [(contrast(_INKS[0], fill), contrast(_INKS[1], fill)) for fill in self.fills]

    def of_bucket(self, bucket: int) -> int:
        return round((0.06, 0.36, 0.66, 1.0)[bucket] * (STEPS - 1))

    def shade(self, ledger: Ledger, first: int, stop: int) -> list[int]:
        """The colour of tokens [first, stop): an index, PLAIN (not yet scored) or UNSCORED (cannot be scored)."""
        scored = ~np.isnan(ledger.logprob[first:stop])
        if self.colour_by == "rank":
            bounds = np.array([bound for bound, _ in RANKS])
            colours = np.array([self.of_bucket(i) for i in range(len(RANKS))])
            scored = scored & (ledger.rank[first:stop] > 0)
            values = colours[np.searchsorted(bounds, ledger.rank[first:stop])]
        else:
            nats = ledger.entropy[first:stop] if self.colour_by == "entropy" else -ledger.logprob[first:stop]
            scored = scored & ~np.isnan(nats)
            values = shades(np.where(scored, nats, 0.0))
        waiting = np.arange(first, stop) >= ledger.done
        return np.where(waiting, PLAIN, np.where(scored, values, UNSCORED)).tolist()
