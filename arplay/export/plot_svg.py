"""The plots of a scored document as SVG, for a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from arplay.core import profiles
from arplay.core.chain import Ledger
from arplay.core.format import number, percent
from arplay.export.plots import BY_NAME, How, Kind, bin_of, span_words
from arplay.export.svg import QUIET, Plot

POINTS = 400
"""Of a curve along the text."""
HEADROOM = 1.12
"""Of the words above bars."""


def drawn(ledger: Ledger) -> list[Plot]:
    """Every plot in which there is something, in bits."""
    how = How("bits", max(1, len(ledger) // 50), 1.0)
    found = ((BY_NAME[name], draw) for name, draw in DRAWN.items())
    return [made for kind, draw in found if (made := _drawn(kind, draw, ledger, how)) is not None]


def _drawn(kind: Kind, draw: Callable[[str, Any], Plot], ledger: Ledger, how: How) -> Plot | None:
    tally = kind.of(ledger, how)
    if not kind.counted(tally):
        return None
    plot = draw(f"{kind.title}: {kind.told(tally, how)}", tally)
    plot.says = kind.says
    return plot


def _along(title: str, found: profiles.Along) -> Plot:
    n = len(found.smooth)
    smooth = found.smooth.copy()
    smooth[: min(found.width, n // 2)] = np.nan  # the mean of fewer
    top = 1.05 * float(np.fmax.reduce(smooth, initial=0.1))
    plot = Plot(title, (0, n), (0, top), "token", f"bits, mean of {found.width:,}")
    at = np.unique(np.linspace(0, n - 1, POINTS).astype(np.int64))
    plot.line(at.tolist(), smooth[at].tolist())
    plot.line([0, n], [found.mean, found.mean], QUIET, 1)
    plot.label(n, f"{n:,}")
    return plot


def _histogram(title: str, found: profiles.Surprisals) -> Plot:
    edges, counts = (each.tolist() for each in (found.histogram.edges, found.histogram.counts))
    plot = Plot(title, (0, edges[-1]), (0, HEADROOM * max(*counts, 1)), "bits", "tokens")
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        plot.bar(low, high, count, f"{bin_of(low)} to {bin_of(high)} bits: {count:,} tokens")
    for tick in range(0, int(edges[-1]) + 1, max(1, int(edges[-1]) // 8)):
        plot.label(tick, str(tick))
    return plot


def _ranks(title: str, found: profiles.Ranks) -> Plot:
    edges, counts = (each.astype(int).tolist() for each in (found.histogram.edges, found.histogram.counts))
    plot = Plot(title, (0, len(counts)), (0, HEADROOM * max(*counts, 1)), "rank of the token that came", "tokens")
    for at, count in enumerate(counts):
        low, high = edges[at], edges[at + 1] - 1
        words = f"{low:,}" if low >= high else f"{low:,} to {high:,}"
        plot.bar(at, at + 1, count, f"rank {words}: {count:,} tokens")
        if len(counts) < 10 or at % 2 == 0:
            plot.label(at + 0.5, f"{low:,}")
    return plot


def _expected(title: str, found: profiles.Expected) -> Plot:
    cells, (wide, tall) = found.cells, profiles.CELL
    end, high = ((int(np.flatnonzero(cells.any(axis=1 - at))[-1]) + 1) * profiles.CELL[at] for at in (0, 1))
    plot = Plot(title, (0, end), (0, high), "entropy, bits", "surprisal, bits")
    most = np.log1p(cells.max())
    for i, j in np.argwhere(cells).tolist():
        count, x, y = int(cells[i, j]), i * wide, j * tall
        plot.cell((x, x + wide), (y, y + tall), 0.1 + 0.9 * float(np.log1p(count) / most))
    both = min(end, high)
    plot.line([0, both], [0, both], QUIET, 1)
    _even(plot, end)
    return plot


def _even(plot: Plot, end: float) -> None:
    step = max(1, round(end / 6))
    for tick in range(0, int(end) + 1, step):
        plot.label(tick, str(tick))


def _calibration(title: str, claims: profiles.Claims) -> Plot:
    found = claims.calibration
    plot = Plot(title, (0, 1), (0, 1), "p that the model gave", "share that came")
    plot.line([0, 1], [0, 1], QUIET, 1)
    rows = (each.tolist() for each in (found.claimed, found.came, found.low, found.high, found.counts))
    for claimed, came, low, high, count in zip(*rows, strict=True):
        tip = f"given {percent(claimed)}, came {percent(came)} ({percent(low)} to {percent(high)}), {count:,} times"
        plot.dot(claimed, came, low, high, tip)
    for tick in (0, 0.5, 1):
        plot.label(tick, f"{tick:g}")
    return plot


def _contexts(title: str, depths: profiles.Depths) -> Plot:
    found = depths.contexts
    first, mean, counts = (each.tolist() for each in (found.first, found.mean, found.counts))
    most = float(np.fmax.reduce(np.append(found.mean, found.high), initial=0.1))
    plot = Plot(title, (0, len(first)), (0, HEADROOM * most), "tokens read before", "bits")
    for at, (low, value, count) in enumerate(zip(first, mean, counts, strict=True)):
        plot.bar(at, at + 1, value, f"after {span_words(low)} tokens: {number(value)} bits, {count:,} tokens")
        plot.label(at + 0.5, f"{low:,}")
    _whiskers(plot, found.low.tolist(), found.high.tolist())
    return plot


def _whiskers(plot: Plot, low: Sequence[float], high: Sequence[float]) -> None:
    for at, (one, other) in enumerate(zip(low, high, strict=True)):
        if one == one:
            plot.line([at + 0.5, at + 0.5], [max(one, 0.0), other], QUIET, 1)


DRAWN: dict[str, Callable[[str, Any], Plot]] = {
    "along": _along,
    "histogram": _histogram,
    "ranks": _ranks,
    "entropy": _expected,
    "calibration": _calibration,
    "context": _contexts,
}
