"""Time of an answer over the tokens of its context: a mark for each, and the medians; pointing at a mark reads it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF

from arplay.core.timings import Kind, Timing, Timings, trend
from arplay.gui.widgets.cache import facts
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Mark, Plot, Series

NEAR = 14.0
"""Pixels from a mark at which the pointer means it."""
STYLE: dict[Kind, tuple[str, Mark]] = {
    "prefill": ("muted", "cross"), "uncached": ("warning", "diamond"), "cached": ("accent", "dot")
}  # fmt: skip
"""In the order of painting: the steps lie on top. Of a prefill there is no median."""


def measured(timings: Sequence[Timing]) -> list[Timing]:
    return [t for t in timings if math.isfinite(t.seconds)]


def plot_of(timings: Sequence[Timing]) -> Plot:
    """In milliseconds. The upright axis ends above the medians, so that one slow answer (the first of a model) does not
    flatten the rest."""
    known, series, tallest = measured(timings), [], 0.0
    for kind, (color, mark) in STYLE.items():
        mine = sorted((t.context, 1000 * t.seconds) for t in known if t.kind == kind)
        series.append(_series(facts.LEGEND[kind], mine, color, width=0.0, mark=mark))
        if kind != "prefill":
            middle = [(context, 1000 * seconds) for context, seconds in trend(known, kind)]
            tallest = max([tallest, *(ms for _, ms in middle)])
            series.append(_series("", middle if len(middle) > 1 else [], color, dashed=kind == "uncached"))
    tallest = tallest or max((1000 * t.seconds for t in known), default=10.0)
    end = max(8.0, 1.04 * max((t.context for t in timings), default=8))
    names = ("tokens of context", "tokens")
    return Plot(tuple(series), ("ms an answer", "ms"), names, 0.0, end, 0.0, max(0.01, 1.15 * tallest))


def _series(name: str, points: Sequence[tuple[float, float]], color: str, **look: object) -> Series:
    x, y = zip(*points, strict=True) if points else ((), ())
    return Series(name, np.array(x, np.float64), np.array(y, np.float64), color, **look)  # type: ignore[arg-type]


class CacheChart(LinePlot):
    def __init__(self) -> None:
        super().__init__("Time of an answer over the tokens of its context")
        self.timings: Timings = ()

    def show_timings(self, timings: Timings) -> None:
        if timings is not self.timings:
            self.timings = timings
            self.light(self.lit if self.lit in timings else None)
            newest = {t.kind: t for t in timings}
            said = "; ".join(facts.point(t).replace("\n", ", ") for t in newest.values())
            self.show_plot(plot_of(timings), said)

    def at(self, position: QPointF) -> Timing | None:
        """The mark that the pointer means, if one is near; of equals the newest."""
        best, found, drawing = NEAR, None, self.drawing()
        for t in measured(self.timings):
            gap = drawing.place(*self.spot(t)) - position
            distance = math.hypot(gap.x(), gap.y())
            if distance <= best:
                best, found = distance, t
        return found

    def spot(self, lit: object) -> tuple[float, float]:
        assert isinstance(lit, Timing)
        return float(lit.context), 1000 * lit.seconds

    def words(self, lit: object) -> str:
        assert isinstance(lit, Timing)
        return facts.point(lit)
