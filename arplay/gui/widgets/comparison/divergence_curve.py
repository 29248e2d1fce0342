"""How far two models of the same tokens are apart along the text: KL at every token, as a line."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal

from arplay.core.distribution import LN2
from arplay.core.format import in_unit, number
from arplay.core.modalities.base import TokenSet
from arplay.engine.divergence import Diverged
from arplay.gui.settings import Unit
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Plot, Series


class DivergenceCurve(LinePlot):
    """``picked``: a click, as the index of a token."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__("Curve of KL over the text")
        self.found: Diverged | None = None
        self.tokens: TokenSet | None = None
        self.unit: Unit = "nats"
        self.clicked.connect(self._pick)

    def show_found(self, found: Diverged | None, tokens: TokenSet | None, unit: Unit) -> None:
        if (found, unit) != (self.found, self.unit):
            self.found, self.tokens, self.unit = found, tokens, unit
            self.show_all()
            self.light(None)
            self.show_plot(plot_of(found, unit), "")

    def words(self, lit: object) -> str:
        assert self.found is not None and isinstance(lit, float)
        at, rows = int(lit) - 1, self.found.rows
        kl, change = (number(in_unit(float(value), self.unit), 6) for value in (rows.kl[at], rows.change[at]))
        said = label(self.found.encoded.said(at, self.tokens))
        return f"{at + 1:,}  {said[:60]}\nKL {kl} {self.unit}\nlog p of it {change} {self.unit}"

    def _pick(self, x: float) -> None:
        if self.found is not None and 1 <= round(x) <= len(self.found.rows):
            self.picked.emit(round(x) - 1)


def plot_of(found: Diverged | None, unit: Unit) -> Plot:
    """Empty where nothing is known."""
    if found is None or not found.rows.known.any():
        return Plot()
    scale = LN2 if unit == "bits" else 1.0
    kl = found.rows.kl if scale == 1.0 else found.rows.kl / scale
    line = Series("each token", np.arange(1.0, len(kl) + 1), kl, "accent", 1.0, steps=True)
    high = float(np.nanmax(np.where(np.isfinite(kl), kl, np.nan))) or 1.0
    return Plot((line,), (f"KL(A‖B), {unit}", unit), start=0.5, end=len(kl) + 0.5, high=1.05 * high)
