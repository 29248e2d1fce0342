"""The lines beside the triangle: change by distance, what reached a token, what one token did, and free running."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from arplay.core.causality import LEAST_FELT, band, by_distance
from arplay.core.distribution import Floats
from arplay.core.format import number
from arplay.engine.causality import Changed
from arplay.engine.field import Reached
from arplay.engine.free_running import Curves, Freed
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Plot, Series
from arplay.models.base import Field

Figure = Literal["nll", "entropy", "repetition", "distance"]
FIGURES: dict[Figure, tuple[str, str]] = {
    "nll": ("NLL, nats", "−log p of each token by the model itself"),
    "entropy": ("entropy, nats", "of the distribution that each token is drawn from"),
    "repetition": ("repeated 4-grams", "the share of the 4-grams so far that were there before"),
    "distance": ("distance from the real", "total variation between p(· | own past) and p(· | real past)"),
}
SMOOTH = 8
FLOOR = -12.0
"""Powers of ten below which the lines of total variation are not told apart."""


def _log(values: Floats) -> Floats:
    """log10, and NaN for nothing at all."""
    with np.errstate(divide="ignore"):
        found = np.log10(values)
    return np.where(np.isfinite(found), np.maximum(found, FLOOR), np.nan)


def _low(*series: Floats) -> float:
    known = np.concatenate([each[np.isfinite(each)] for each in series] or [np.zeros(0)])
    return min(-1.0, math.floor(float(known.min()))) if len(known) else -1.0


def reached_of(found: Changed) -> Reached:
    """What moved the only row, as a receptive field: total variation in place of the gradient."""
    index = int(found.rows[0])
    before = found.columns < index
    none = np.zeros(len(found.columns), bool)
    declared = found.moved[0] if found.declared is None else found.declared[0]
    blind = none if found.blind is None else found.blind
    field = Field(declared[before], found.variation[0][before], blind[before])
    return Reached(found.number, found.tokens, found.document, None, found.info, index, field, "total variation")


def by_distance_plot(found: Changed) -> Plot:
    distance, mean, low, high = by_distance(found.rows.tolist(), found.columns.tolist(), found.variation)
    x, lines = distance.astype(np.float64), [_log(each) for each in (low, high, mean)]
    series = (
        Series("", x, lines[0], "muted", 1.0, dashed=True),
        Series("least and greatest", x, lines[1], "muted", 1.0, dashed=True),
        Series("mean", x, lines[2], "accent", 2.0),
    )
    end = float(x[-1]) if len(x) else 1.0
    unit = ("log₁₀ of total variation", "log₁₀ TV")
    return Plot(series, unit, ("i − j, tokens", "i − j"), 1.0, max(2.0, end), _low(*lines), 0.0)


def reached_plot(found: Changed) -> Plot:
    x, y = found.columns.astype(np.float64) + 1, _log(found.variation[0])
    series = [Series("what moved p(xᵢ | before)", x, y, "accent", 1.5, mark="dot" if len(x) < 80 else "")]
    if found.declared is not None:
        connected = np.where(found.declared[0], _low(y), np.nan)
        series.insert(0, Series("connected", x, connected, "fill", 4.0))
    unit = ("log₁₀ of total variation", "log₁₀ TV")
    return Plot(tuple(series), unit, ("changed token j", "j"), float(x[0]), float(x[-1]) + 1, _low(y), 0.0)


Effect = Literal["divergence", "felt"]
EFFECTS: dict[Effect, tuple[str, str]] = {
    "divergence": ("KL, nats", "how far the distribution moves, KL(before ‖ after)"),
    "felt": ("change of log p", "how much more or less probable the real token becomes"),
}


def poisoned_plot(found: Changed, effect: Effect = "felt") -> Plot:
    """By distance behind the wrong token: of each token that it was changed to, or their median and quarters."""
    j = int(found.columns[0])
    behind = found.rows > j
    x = (found.rows[behind] - j).astype(np.float64)
    of_each = band(np.stack([getattr(each, effect)[behind, 0] for each in found.draws]))
    three = [of_each.low, of_each.high, of_each.middle]
    if effect == "divergence":
        three = [_log(part) for part in three]
    known = np.concatenate([part[np.isfinite(part)] for part in three])
    most = max(0.1, float(np.abs(known).max())) if len(known) else 1.0
    count = len(found.draws)
    name = EFFECTS[effect][0] if count == 1 else f"median of {count:,} other tokens"
    series = [Series(name, x, three[2], "accent", 2.0, mark="dot" if len(x) < 80 else "")]
    if count > 1:
        quarters = {"color": "accent", "width": 1.0, "alpha": 0.6, "dashed": True}
        series = [
            Series("", x, three[0], **quarters),  # type: ignore[arg-type]
            Series("their quarters", x, three[1], **quarters),  # type: ignore[arg-type]
            *series,
        ]
    end = max(2.0, float(x[-1])) if len(x) else 2.0
    along = ("i − j, tokens", "i − j")
    if effect == "divergence":
        unit = ("log₁₀ of KL, nats", "log₁₀ KL")
        low, high = _low(*three), max(0.0, math.ceil(float(known.max()))) if len(known) else 0.0
        level = math.log10(LEAST_FELT), f"felt: {LEAST_FELT:g} nats"
        return Plot(tuple(series), unit, along, 1.0, end, min(low, level[0] - 1), high + 0.2, level)
    unit = ("nats; below 0: less probable than behind the real token", "nats")
    return Plot(tuple(series), unit, along, 1.0, end, -1.1 * most, 1.1 * most, (0.0, ""))


def smoothed(values: Floats) -> Floats:
    """Mean of the last 8 positions that are known; values (k, n).

    >>> smoothed(np.array([[1.0, 3.0, math.nan]])).tolist()
    [[1.0, 2.0, nan]]
    """
    found = np.full(values.shape, np.nan)
    for at in range(values.shape[1]):
        part = values[:, max(0, at - SMOOTH + 1) : at + 1]
        known = ~np.isnan(values[:, at])
        if known.any():
            found[known, at] = np.nanmean(part[known], axis=1)
    return found


def of(curves: Curves, figure: Figure) -> Floats:
    values: Floats = getattr(curves, figure)
    return smoothed(values) if figure in ("nll", "entropy") else values


def free_plot(found: Freed, figure: Figure) -> Plot:
    free, forced = band(of(found.free, figure)), of(found.forced, figure)[0]
    x = np.arange(1.0, found.free.nll.shape[1] + 1)
    series = [
        Series("", x, free.low, "accent", 1.0, alpha=0.6, dashed=True),
        Series("quarters of the seeds", x, free.high, "accent", 1.0, alpha=0.6, dashed=True),
        Series(f"free running, median of {len(found.seeds):,}", x, free.middle, "accent", 2.0),
    ]
    if np.isfinite(forced).any():
        series.insert(0, Series("the real tokens", x[: len(forced)], forced, "text", 2.0))
    tops = [each.y[np.isfinite(each.y)] for each in series]
    high = max([0.1, *(float(top.max()) for top in tops if len(top))])
    name = FIGURES[figure][0] + (f", mean of {SMOOTH}" if figure in ("nll", "entropy") else "")
    along = ("tokens behind the prefix", "tokens")
    return Plot(tuple(series), (name, FIGURES[figure][0]), along, 1.0, max(2.0, float(len(x))), 0.0, 1.08 * high)


class MeasureLines(LinePlot):
    """One of them at a time."""

    def __init__(self) -> None:
        super().__init__("Lines of what was measured")
        self.found: Changed | Freed | None = None

    def show_found(self, found: Changed | Freed | None, plot: Plot, said: str) -> None:
        self.found = found
        self.light(None)
        self.show_plot(plot, said)

    def words(self, lit: object) -> str:
        assert isinstance(lit, float)
        lines = []
        for each in self.plot.series:
            at = np.flatnonzero(each.x == lit)
            if len(at) and np.isfinite(each.y[at[0]]) and each.name:
                lines.append(f"{each.name}: {number(float(each.y[at[0]]), 3)}")
        return "\n".join([self._where(int(lit)), *lines])

    def _where(self, x: int) -> str:
        found = self.found
        if isinstance(found, Changed) and len(found.rows) == 1:
            return f"token {x:,}  {label(found.tokens.label(int(found.ids[x - 1])))}"
        if isinstance(found, Changed) and len(found.columns) == 1 and int(found.columns[0]) + x < len(found.ids):
            i = int(found.columns[0]) + x
            return f"token {i + 1:,}  {label(found.tokens.label(int(found.ids[i])))}, {x:,} on"
        return f"{self.plot.along[-1]} = {x:,}"
