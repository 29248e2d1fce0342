"""How far two scorings of one text have come apart by each place: the sum of the differences so far, as a line."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal

from arplay.core.aligned import Aligned
from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.format import number
from arplay.core.modalities.base import TokenSet
from arplay.gui.settings import Unit
from arplay.gui.widgets.labels import token_text
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Plot, Series

LOOKS = (("accent", False), ("warning", False), ("text", True))
"""Colour, and whether it is dashed, of each model beside the first."""


class DifferenceCurve(LinePlot):
    """Tokens of the window's model along x, a line a model beside it. Above 0 it has paid more so far.

    ``picked``: a click, as the index of a token.
    """

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__("Curve of the difference so far")
        self.pairs: tuple[Aligned, ...] = ()
        self.names: tuple[str, ...] = ()
        self.tokens: TokenSet | None = None
        self.unit: Unit = "nats"
        self.clicked.connect(self._pick)

    def show_pairs(
        self, pairs: tuple[Aligned, ...], names: tuple[str, ...], tokens: TokenSet | None, unit: Unit
    ) -> None:
        """``names``: of the others, as the legend has them."""
        if not pairs or not self.pairs or _own(pairs[0]) is not _own(self.pairs[0]):
            self.show_all()
        self.pairs, self.names, self.tokens, self.unit = pairs, names, tokens, unit
        self.light(None)
        self.show_plot(plot_of(pairs, names, unit), self._said())

    def _said(self) -> str:
        ends = (f"{name}: {self._at(pair, len(pair) - 1)}" for name, pair in zip(self.names, self.pairs, strict=True))
        return "; ".join(ends)

    def _at(self, pair: Aligned, span: int) -> str:
        value = float(pair.running[span]) if 0 <= span < len(pair) else 0.0
        said = number(value / LN2 if self.unit == "bits" else value, 3)
        return f"{said if said.startswith('−') else f'+{said}'} {self.unit}"

    def words(self, lit: object) -> str:
        assert isinstance(lit, float) and self.pairs
        index, ledger = max(0, int(lit) - 1), _own(self.pairs[0])
        told = [f"{index + 1:,}  {token_text(ledger, index, self.tokens)[:60]}"]
        for name, pair in zip(self.names, self.pairs, strict=True):
            span = int(np.searchsorted(pair.first[pair.own], lit, side="right")) - 2
            told.append(f"{name}  {self._at(pair, span)} so far")
        return "\n".join(told)

    def _pick(self, x: float) -> None:
        if self.pairs:
            self.picked.emit(min(max(round(x), 1), len(_own(self.pairs[0]))) - 1)


def _own(pair: Aligned) -> Ledger:
    """That of the text in sight."""
    return pair.ledgers[pair.own]


def plot_of(pairs: tuple[Aligned, ...], names: tuple[str, ...], unit: Unit) -> Plot:
    """The lines; empty where nothing is compared."""
    if not pairs or not len(pairs[0]):
        return Plot()
    scale = LN2 if unit == "bits" else 1.0
    end = float(len(_own(pairs[0])))
    lines = [
        Series(
            name,
            pair.first[pair.own][1:].astype(np.float64),
            pair.running if scale == 1.0 else pair.running / scale,
            color,
            2.0,
            dashed=dashed,
        )
        for pair, name, (color, dashed) in zip(pairs, names, LOOKS, strict=False)
    ]
    low = min(pair.extent[0] for pair in pairs) / scale
    high = max(pair.extent[1] for pair in pairs) / scale
    room = 0.05 * (high - low or 1.0)
    ground = Series("", np.array([0.0, end]), np.zeros(2), "muted", 1.0)
    what = (f"more paid than by A so far, {unit}", f"more than A, {unit}", unit)
    return Plot((ground, *lines), what, start=0.0, end=max(end, 1.0), low=low - room, high=high + room)
