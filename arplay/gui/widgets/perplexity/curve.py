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

NOT_YET = "not measured yet"


def place(value: int) -> float:
    """Where a number of tokens is on the axis: at its binary logarithm."""
    return math.log2(value)


def plot_of(swept: Swept | None) -> Plot:
    """Nothing where no point came to a perplexity. One that is not measured yet is a gap with a cross below it."""
    points = swept.points if swept is not None else ()
    known = [point.found.perplexity if point.found is not None else None for point in points]
    y = np.array([value if value is not None and math.isfinite(value) else np.nan for value in known])
    drawn = y[~np.isnan(y)]
    if swept is None or not len(drawn):
        return Plot()
    x = np.array([place(swept.at(point)) for point in points])
    gap = max(float(np.ptp(drawn)), 0.02 * float(drawn.max()), 1e-6)
    low, high = max(0.0, float(drawn.min()) - 0.15 * gap), float(drawn.max()) + 0.15 * gap
    ticks = tuple((place(swept.at(point)), f"{swept.at(point):,}") for point in points)
    margin = 0.25 if len(x) > 1 else 1.0
    line = Series("", x, y, "accent", 2.0, mark="dot")
    waits = x[[point.found is None for point in points]]
    missing = Series(NOT_YET, waits, np.full(len(waits), low + 0.05 * (high - low)), "muted", 0.0, mark="cross")
    ends = float(x.min()) - margin, float(x.max()) + margin
    along = f"perplexity by {swept.axis} in tokens", "perplexity"
    return Plot((missing, line), along, ("",), *ends, low, high, ticks=ticks)


def own_place(swept: Swept, ledger: Ledger) -> Stretches:
    """Where the scores in sight are on the axis, where they are a point of it."""
    windows = ledger.windows
    own = (windows.window, windows.stride)
    here = [place(swept.at(p)) for p in swept.points if (p.context, p.stride) == own]
    return ((here[0], here[0]),) if here else ()


def told(swept: Swept, x: float) -> str:
    """What is known of a point."""
    point = min(swept.points, key=lambda each: abs(place(swept.at(each)) - x))
    how = f"context {point.context:,}, stride {point.stride:,}: "
    if point.found is None or point.found.perplexity is None:
        return how + (NOT_YET if point.found is None else "no perplexity")
    how += f"perplexity {number(point.found.perplexity)}"
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
