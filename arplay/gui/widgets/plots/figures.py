"""How each plot of a scored text is drawn, and what is read at a place of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF

from arplay.core import profiles
from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.format import in_unit, nats_or_bits, number, percent
from arplay.core.modalities.base import TokenSet
from arplay.export.plots import How, bin_of, span_words
from arplay.gui.widgets.labels import token_text
from arplay.gui.widgets.plot import Drawing, Plot, Series, Stretches, of_tokens
from arplay.gui.widgets.plot_shapes import Bars, Cells, Floats, Whiskers

FEW = 4_000
"""Tokens up to which each is a point of its own."""
GO = "A click goes to the next of them."
NEAR = 24.0
"""Pixels from a point within which it is meant."""


@dataclass(frozen=True, eq=False)
class Counted:
    """``tally`` of the tokens of ``ledger`` that are done."""

    tally: Any
    ledger: Ledger
    tokens: TokenSet | None
    how: How

    def surprisal(self, index: int) -> float:
        return in_unit(0.0 - float(self.ledger.logprob[index]), self.how.unit)

    def done(self, lit: tuple[int, int] | None) -> tuple[int, int] | None:
        """Of the tokens [first, stop) those that are counted; None: none is."""
        stop = 0 if lit is None else min(lit[1], self.ledger.done)
        return (lit[0], stop) if lit is not None and lit[0] < stop else None

    def token(self, index: int) -> str:
        """Its number, and what it says."""
        return f"{index + 1:,}  {token_text(self.ledger, index, self.tokens)[:60]}"


class Figure:
    """``plot``, and what is read of it; ``lit`` is what the pointer means: the x of a stop, or more in some."""

    plot = Plot()

    def __init__(self, of: Counted) -> None:
        self.of = of

    def at(self, drawing: Drawing, position: QPointF) -> Any:
        """The x of the nearest stop."""
        stops = self.plot.stops
        if not len(stops):
            return None
        near = stops[int(np.argmin(np.abs(stops - drawing.x_at(position.x()))))]
        return float(near) if abs(drawing.place(near, 0.0).x() - position.x()) <= NEAR else None

    def spot(self, lit: Any) -> tuple[float, float | None]:
        return lit, None

    def beside(self, lit: Any, step: int) -> Any:
        stops = self.plot.stops
        if not len(stops):
            return None
        at = (len(stops) - 1 if step < 0 else 0) if lit is None else int(np.searchsorted(stops, lit)) + step
        return float(stops[min(max(at, 0), len(stops) - 1)])

    def of_token(self, index: int) -> Any:
        """What is read at this token, from where keys go on; None: they begin at an end."""
        return None

    def words(self, lit: Any) -> str:
        raise NotImplementedError

    def token(self, lit: Any, after: int | None) -> int | None:
        """Which one a click there chooses, where one of many is meant the next one behind ``after``; None: none is."""
        return None

    def here(self, first: int, stop: int) -> Stretches:
        """Where on the axis the tokens [first, stop) belong."""
        return ()

    def chosen(self, lit: tuple[int, int] | None) -> Plot:
        """The plot with the tokens [first, stop) marked where a line at their x would not tell it."""
        return self.plot


class Along(Figure):
    def __init__(self, of: Counted) -> None:
        super().__init__(of)
        found: profiles.Along = of.tally
        done, unit = of.ledger.done, of.how.unit
        x, blocks = np.arange(1.0, done + 1), -(-done // profiles.PACK)
        each, smooth = found.each[:done], found.smooth[:done]
        places = profiles.places(done)
        packed = (Series("", places, part[:blocks].ravel(), "") for part in found.packed)
        series = (
            Series("each token", x, each, "fill", 1.0, 0.75, steps=True, coarse=next(packed)),
            Series(f"mean of the last {found.width:,}", x, smooth, "text", 2.0, coarse=next(packed)),
        )
        most = float(np.fmax.reduce(found.packed[0, :blocks, 1], initial=0.1))
        names = (f"surprisal, {unit}", unit)
        self.plot = Plot(series, names, start=0.5, end=len(of.ledger) + 0.5, high=1.05 * most)

    def at(self, drawing: Drawing, position: QPointF) -> Any:
        place = round(drawing.x_at(position.x()))
        return float(place) if 1 <= place <= self.of.ledger.done else None

    def beside(self, lit: Any, step: int) -> Any:
        done = self.of.ledger.done
        return float(min(max(1 if lit is None else lit + step, 1), done))

    def of_token(self, index: int) -> Any:
        return float(index + 1)

    def words(self, lit: Any) -> str:
        index, found, unit = int(lit) - 1, self.of.tally, self.of.how.unit
        mean = f"mean of the last {found.width:,}: {number(float(found.smooth[index]))} {unit}"
        return f"{self.of.token(index)}\nsurprisal {number(self.of.surprisal(index))} {unit}\n{mean}"

    def token(self, lit: Any, after: int | None) -> int | None:
        return int(lit) - 1

    def here(self, first: int, stop: int) -> Stretches:
        return of_tokens((first, stop))


class Counts(Figure):
    """Bars of how many tokens each."""

    bars: Bars

    def at(self, drawing: Drawing, position: QPointF) -> Any:
        found = self.bars.at(drawing.x_at(position.x()))
        return None if found is None else float(self.bars.stops[found])

    def words(self, lit: Any) -> str:
        at = self.bars.at(lit)
        assert at is not None
        count, total = int(self.bars.heights[at]), float(self.bars.heights.sum())
        return f"{self.name(at)}\n{count:,} tokens, {percent(count / total if total else None)}\n{GO}"

    def name(self, at: int) -> str:
        raise NotImplementedError

    def inside(self, at: int) -> np.ndarray:
        """Which tokens that are done bar ``at`` counts."""
        raise NotImplementedError

    def along(self, first: int, stop: int) -> Floats:
        """Where each of the tokens [first, stop) is on the axis; NaN: nowhere."""
        raise NotImplementedError

    def here(self, first: int, stop: int) -> Stretches:
        """Of several tokens a line in the middle of each bar that counts some of them."""
        x = self.along(first, stop)
        x = x[np.isfinite(x)]
        if stop - first > 1:
            x = self.bars.stops[np.unique(np.searchsorted(self.bars.edges[1:-1], x, "right"))]
        return tuple((at, at) for at in x.tolist())

    def token(self, lit: Any, after: int | None) -> int | None:
        at = self.bars.at(lit)
        rows = np.flatnonzero(self.inside(at)) if at is not None else ()
        if not len(rows):
            return None
        behind = int(np.searchsorted(rows, -1 if after is None else after, "right"))
        return int(rows[behind % len(rows)])

    def _bars(
        self, edges: Floats, counts: Floats, along: tuple[str, ...], names: tuple[str, ...] = ("tokens",), **more: Any
    ) -> None:
        self.bars = Bars(edges, counts.astype(np.float64))
        high = 1.05 * max(1.0, float(counts.max()))
        self.plot = Plot((), names, along, float(edges[0]), float(edges[-1]), high=high, shapes=(self.bars,), **more)


class Histogram(Counts):
    def __init__(self, of: Counted) -> None:
        super().__init__(of)
        found = of.tally.histogram
        self._bars(found.edges, found.counts, (f"surprisal, {of.how.unit}", of.how.unit), least=of.how.bin)

    def name(self, at: int) -> str:
        low, high = self.bars.edges[at : at + 2].tolist()
        return f"{bin_of(low)} to {bin_of(high)} {self.of.how.unit}"

    def inside(self, at: int) -> np.ndarray:
        paid = self.along(0, self.of.ledger.done)
        return (paid >= self.bars.edges[at] if at else ~np.isnan(paid)) & (paid < self.bars.edges[at + 1])

    def along(self, first: int, stop: int) -> Floats:
        return (0.0 - self.of.ledger.logprob[first:stop]) * (1 / LN2 if self.of.how.unit == "bits" else 1.0)


class Ranks(Counts):
    def __init__(self, of: Counted) -> None:
        super().__init__(of)
        found = of.tally.histogram
        self.spans = [(low, high - 1) for low, high in pairwise(found.edges.astype(int).tolist())]
        ticks = tuple((at + 0.5, f"{a:,}" if a >= b else f"{a:,}–{b:,}") for at, (a, b) in enumerate(self.spans))
        names = "tokens, by the rank of the one that came", "tokens, by rank"
        self._bars(np.arange(len(found.counts) + 1.0), found.counts, ("",), names, ticks=ticks)

    def name(self, at: int) -> str:
        low, high = self.spans[at]
        return f"rank {low:,}" if low >= high else f"rank {low:,} to {high:,}"

    def inside(self, at: int) -> np.ndarray:
        rank, (low, high) = self.of.ledger.rank[: self.of.ledger.done], self.spans[at]
        return (rank >= low) & (rank <= high)

    def along(self, first: int, stop: int) -> Floats:
        rank = self.of.ledger.rank[first:stop].astype(np.float64)
        return np.ceil(np.log2(rank, where=rank > 0, out=np.full(len(rank), np.nan))) + 0.5


class Contexts(Counts):
    def __init__(self, of: Counted) -> None:
        super().__init__(of)
        self.found = found = of.tally.contexts
        edges = np.arange(len(found.first) + 1.0)
        spans = [span_words(first).replace(" to ", "–") for first in found.first.tolist()]
        self.bars = Bars(edges, found.mean)
        whiskers = Whiskers(self.bars.stops, found.low, found.high)
        high = float(np.fmax.reduce(np.append(found.mean, found.high), initial=0.1))
        self.plot = Plot(
            (),
            (f"mean surprisal, {of.how.unit}, by the tokens read before", f"{of.how.unit}, by tokens before"),
            ("",),
            end=float(len(edges) - 1) or 1.0,
            high=1.05 * high,
            shapes=(self.bars, whiskers),
            ticks=tuple((at + 0.5, words) for at, words in enumerate(spans)),
        )

    def words(self, lit: Any) -> str:
        at = self.bars.at(lit)
        assert at is not None
        found, unit = self.found, self.of.how.unit
        low, high = (number(float(each[at]), 3) for each in (found.low, found.high))
        between = "" if math.isnan(found.low[at]) else f", {low} to {high} 95 times of 100"
        many = f"{found.counts[at]:,} tokens read after {span_words(int(found.first[at]))}"
        return f"{many}\nmean {number(float(found.mean[at]), 3)} {unit}{between}\n{GO}"

    def inside(self, at: int) -> np.ndarray:
        ledger, first = self.of.ledger, int(self.found.first[at])
        read = ledger.context_of(np.arange(ledger.done))
        return (read >= first) & (read <= max(2 * first - 1, first)) & ~np.isnan(ledger.logprob[: ledger.done])

    def along(self, first: int, stop: int) -> Floats:
        read = self.of.ledger.context_of(np.arange(first, stop))
        at = np.searchsorted(self.found.first, read, "right") - 1
        inside = (at >= 0) & (read <= np.maximum(2 * self.found.first[at] - 1, self.found.first[at]))
        return np.where(inside, at + 0.5, np.nan)


class Calibration(Figure):
    def __init__(self, of: Counted) -> None:
        super().__init__(of)
        self.found = found = of.tally.calibration
        line = np.array([0.0, 1.0])
        self.plot = Plot(
            (
                Series("p is right", line, line, "muted", 1.0, dashed=True),
                Series("came", found.claimed, found.came, "accent", 1.5, mark="dot"),
            ),
            ("share that came",),
            ("p that the model gave", "p"),
            high=1.0,
            shapes=(Whiskers(found.claimed, found.low, found.high, "accent"),),
            least=0.05,
        )

    def at(self, drawing: Drawing, position: QPointF) -> Any:
        stops = self.found.claimed
        if not len(stops):
            return None
        near = float(stops[int(np.argmin(np.abs(stops - drawing.x_at(position.x()))))])
        return near if abs(drawing.place(near, 0.0).x() - position.x()) <= NEAR else None

    def beside(self, lit: Any, step: int) -> Any:
        stops = self.found.claimed
        at = (len(stops) - 1 if step < 0 else 0) if lit is None else int(np.searchsorted(stops, lit)) + step
        return float(stops[min(max(at, 0), len(stops) - 1)]) if len(stops) else None

    def spot(self, lit: Any) -> tuple[float, float | None]:
        return lit, float(self.found.came[int(np.searchsorted(self.found.claimed, lit))])

    def words(self, lit: Any) -> str:
        found, at = self.found, int(np.searchsorted(self.found.claimed, lit))
        claimed, came, low, high = (
            percent(float(each[at])) for each in (found.claimed, found.came, found.low, found.high)
        )
        return (
            f"given p = {claimed} on the average\n{came} of {found.counts[at]:,} came, {low} to {high} 95 times of 100"
        )


class Expected(Figure):
    """Few tokens are points, many are counted in cells. What is lit is the index of a token, or a cell (i, j)."""

    def __init__(self, of: Counted) -> None:
        super().__init__(of)
        found: profiles.Expected = of.tally
        across, up = (np.flatnonzero(found.cells.any(axis=1 - axis)) for axis in (0, 1))
        sides = zip((across, up), profiles.CELL, strict=True)
        end, high = (side * (int(each[-1]) + 1 if len(each) else 1) for each, side in sides)
        self.end, self.high = max(end, 1.0), max(high, 1.0)
        self.points = found.counted <= FEW
        both = min(self.end, self.high)
        line = np.array([0.0, both])
        series = [Series("as surprised as expected", line, line, "text", 1.0, dashed=True)]
        if self.points:
            rows, x, y = self._all()
            order = np.argsort(x, kind="stable")
            self.rows = rows[order]
            series.append(Series("tokens", x[order], y[order], "accent", 0.0, mark="dot"))
        unit = of.how.unit
        self.plot = Plot(
            tuple(series),
            (f"surprisal, {unit}", unit),
            (f"entropy, {unit}", unit),
            end=self.end,
            high=self.high,
            shapes=() if self.points else (Cells(profiles.CELL, found.cells),),
            least=0.1,
        )

    def _all(self, first: int = 0, stop: int | None = None) -> tuple[np.ndarray, Floats, Floats]:
        """Which tokens of [first, stop) have both, entropies and surprisals in the unit."""
        ledger, scale = self.of.ledger, 1 / LN2 if self.of.how.unit == "bits" else 1.0
        part = slice(first, ledger.done if stop is None else stop)
        y = -ledger.logprob[part] * scale
        x = ledger.entropy[part].astype(np.float64) * scale
        rows = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
        return first + rows, x[rows], y[rows]

    def at(self, drawing: Drawing, position: QPointF) -> Any:
        """The nearest token, or the cell."""
        if self.points:
            return self.nearest(drawing, position)
        frame = drawing.frame
        if not frame.contains(position):
            return None
        y = self.high * (frame.bottom() - position.y()) / frame.height()
        cell = int(drawing.x_at(position.x()) / profiles.CELL[0]), int(y / profiles.CELL[1])
        cells = self.of.tally.cells
        return cell if cell[0] < cells.shape[0] and cell[1] < cells.shape[1] and cells[cell] else None

    def nearest(self, drawing: Drawing, position: QPointF) -> int | None:
        """The token whose point it is, as far as one is near."""
        rows, x, y = self._all()
        if not len(rows):
            return None
        origin, one = drawing.place(0.0, 0.0), drawing.place(drawing.left, 0.0)
        wide = drawing.frame.width() / (drawing.right - drawing.left)
        tall = drawing.frame.height() / self.high
        across = one.x() + (x - drawing.left) * wide - position.x()
        gaps = np.square(across) + np.square(origin.y() - np.minimum(y, self.high) * tall - position.y())
        at = int(np.argmin(gaps))
        return int(rows[at]) if gaps[at] <= NEAR * NEAR else None

    def spot(self, lit: Any) -> tuple[float, float | None]:
        if isinstance(lit, tuple):
            return (lit[0] + 0.5) * profiles.CELL[0], (lit[1] + 0.5) * profiles.CELL[1]
        return in_unit(float(self.of.ledger.entropy[lit]), self.of.how.unit), self.of.surprisal(lit)

    def beside(self, lit: Any, step: int) -> Any:
        if not self.points or not len(self.rows):
            return None
        found = np.flatnonzero(self.rows == (-1 if lit is None else lit))
        at = int(found[0]) + step if len(found) else (len(self.rows) - 1 if step < 0 else 0)
        return int(self.rows[min(max(at, 0), len(self.rows) - 1)])

    def words(self, lit: Any) -> str:
        unit = self.of.how.unit
        if isinstance(lit, tuple):
            pairs = zip(lit, profiles.CELL, strict=True)
            (x, up), (y, high) = ((bin_of(at * side), bin_of((at + 1) * side)) for at, side in pairs)
            count = f"{self.of.tally.cells[lit]:,} tokens"
            return f"{count}\nentropy {x} to {up} {unit}\nsurprisal {y} to {high} {unit}"
        index = lit
        entropy = nats_or_bits(float(self.of.ledger.entropy[index]), unit, 4)
        return f"{self.of.token(index)}\nentropy {entropy}\nsurprisal {number(self.of.surprisal(index))} {unit}"

    def token(self, lit: Any, after: int | None) -> int | None:
        return None if isinstance(lit, tuple) else int(lit)

    def chosen(self, lit: tuple[int, int] | None) -> Plot:
        """Each has a diamond; of very many each cell that has some of them."""
        if (done := self.of.done(lit)) is None:
            return self.plot
        _, x, y = self._all(*done)
        if len(x) > FEW:
            cells = np.unique(np.floor(np.stack([x, y], axis=1) / profiles.CELL), axis=0)
            x, y = ((cells + 0.5) * profiles.CELL).T
        order = np.argsort(x, kind="stable")
        mark = Series("selected", x[order], y[order], "warning", 0.0, mark="diamond")
        return replace(self.plot, series=(*self.plot.series, mark))


FIGURES: dict[str, Callable[[Counted], Figure]] = {
    "along": Along,
    "histogram": Histogram,
    "ranks": Ranks,
    "entropy": Expected,
    "calibration": Calibration,
    "context": Contexts,
}
"""By the name of the plot; the lists of the extremes are tables."""
