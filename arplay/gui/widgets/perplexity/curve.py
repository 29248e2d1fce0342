"""Perplexity against stride or context, drawn: each point is the same text, scored once more."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Qt

from arplay.core.chain import Ledger
from arplay.core.format import number
from arplay.engine.curves import Swept
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Plot, Series, Stretches


def place(value: int) -> float:
    """Where a number of tokens is on the axis: at its binary logarithm."""
    return math.log2(value)


def plot_of(swept: Swept | None) -> Plot:
    """Nothing where no point came to a perplexity."""
    known = [(point, point.found.perplexity) for point in swept.points if point.found] if swept is not None else []
    drawn = [(swept.at(p), value) for p, value in known if swept and value is not None and math.isfinite(value)]
    if swept is None or not drawn:
        return Plot()
    x = np.array([place(at) for at, _ in drawn])
    y = np.array([value for _, value in drawn])
    gap = max(float(np.ptp(y)), 0.02 * float(y.max()), 1e-6)
    low, high = max(0.0, float(y.min()) - 0.15 * gap), float(y.max()) + 0.15 * gap
    ticks = tuple((place(at), f"{at:,}") for at, _ in drawn)
    margin = 0.25 if len(drawn) > 1 else 1.0
    line = Series("", x, y, "accent", 2.0, mark="dot")
    ends = float(x.min()) - margin, float(x.max()) + margin
    return Plot((line,), (f"perplexity by {swept.axis} in tokens", "perplexity"), ("",), *ends, low, high, ticks=ticks)


def own_place(swept: Swept, ledger: Ledger) -> Stretches:
    """Where the scores in sight are on the axis, where they are a point of it."""
    windows = ledger.windows
    own = (windows.window, windows.stride)
    here = [place(swept.at(p)) for p in swept.points if (p.context, p.stride) == own]
    return ((here[0], here[0]),) if here else ()


def told(swept: Swept, x: float) -> str:
    """What is known of a point."""
    point = min(swept.points, key=lambda each: abs(place(swept.at(each)) - x))
    if point.found is None or point.found.perplexity is None:
        return ""
    how = f"context {point.context:,}, stride {point.stride:,}: perplexity {number(point.found.perplexity)}"
    nll = "" if point.found.nll is None else f"\nNLL {number(point.found.nll)} nats over {point.found.counted:,} tokens"
    return f"{how}{nll}\n{point.read:,} tokens read"


class PerplexityCurve(LinePlot):
    """The x of a point is read; the upright line is at the scores in sight."""

    def __init__(self) -> None:
        super().__init__("Perplexity by stride or context")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.swept: Swept | None = None

    def show_swept(self, swept: Swept | None, ledger: Ledger | None, said: str) -> None:
        if swept is not self.swept:
            self.swept = swept
            self.show_all()
            self.show_plot(plot_of(swept), said)
        self.show_here(own_place(swept, ledger) if swept is not None and ledger is not None else ())

    def words(self, lit: object) -> str:
        assert isinstance(lit, float)
        return "" if self.swept is None else told(self.swept, lit)
