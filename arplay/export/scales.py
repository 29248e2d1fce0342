"""From the figures of a measure to colours, and the marks of its legend: one fixed curve for each kind of figure.

The same colour means the same number in every text. What is calm is pale: a certain token, one as surprising as
expected, one with much context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.format import part_percent
from arplay.core.measures import BOUNDS, Measure, ScaleKind, bucket_counts, bucket_names
from arplay.export.colours import STEPS, Ramp, Rgb, colour

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNSCORED = -2
"""The colour of what has no figure: none."""
_SOFT, _SOFT_SIGNED, _HALF = 4.0, 2.0, 64.0
"""Nats after which a scale is 63 % along, and tokens of context at its middle."""
_SQUEEZED = 0.6
"""To this power goes the logarithm of a rank, for room where ranks are low; half a rank more, as 1 has a room too."""


@dataclass(frozen=True)
class _Curve:
    """``place``: of a figure among the colours, 0 to 1 or -1 to 1; ``figure`` and ``along``: what stands where in a
    legend, from 0 to 1, and back. ``ticks``: in nats, in bits, or of what is neither; the last one is open."""

    place: Callable[[Floats], Floats]
    figure: Callable[[Floats, float], Floats]
    along: Callable[[float, float], float]
    ticks: tuple[float, ...]
    ticks_in_bits: tuple[float, ...] = ()


def _signed_root(value: float) -> float:
    return float(np.sign(value) * np.sqrt(abs(value)))


_CURVES: dict[ScaleKind, _Curve] = {
    "nats": _Curve(
        lambda nats: 1.0 - np.exp(-np.maximum(nats, 0.0) / _SOFT),
        lambda x, top: top * x**2,  # room for small figures too
        lambda value, top: (value / top) ** 0.5,
        (0, 1, 2, 4, 12),
        (0, 2, 4, 8, 16),
    ),
    "signed": _Curve(
        lambda nats: np.sign(nats) * (1.0 - np.exp(-np.abs(nats) / _SOFT_SIGNED)),
        lambda x, top: np.sign(x - 0.5) * top * (2 * x - 1) ** 2,
        lambda value, top: 0.5 + 0.5 * _signed_root(value / top),
        (-6, -2, 0, 2, 6),
        (-8, -2, 0, 2, 8),
    ),
    "share": _Curve(
        lambda p: 1.0 - p,
        lambda x, top: 1.0 - x,
        lambda value, top: 1.0 - value,
        (1, 0.75, 0.5, 0.25, 0),
    ),
    "count": _Curve(
        lambda n: _HALF / (_HALF + n),
        lambda x, top: _HALF * (1.0 / np.maximum(x, 1e-9) - 1.0),
        lambda value, top: _HALF / (_HALF + value),
        (1000, 128, 32, 0),
    ),
    "ranks": _Curve(
        lambda rank: rank,  # buckets of them have colours
        lambda x, top: 10.0 ** (np.log10(top) * x ** (1 / _SQUEEZED)) - 0.5,
        lambda value, top: float(np.log10(value + 0.5) / np.log10(top)) ** _SQUEEZED,
        (1, 100_000),
    ),
}


@dataclass(frozen=True, slots=True)
class Tick:
    """``along``: where it stands in the legend, 0 to 1."""

    figure: float
    along: float
    words: str


@dataclass(frozen=True)
class Scale:
    """The scale of a measure; ``bounds``: the highest rank of every bucket but the last."""

    measure: Measure
    bounds: tuple[int, ...] = BOUNDS

    @property
    def signed(self) -> bool:
        """Whether its colours run both ways from zero: then there are 2 STEPS - 1 of them, else STEPS."""
        return self.measure.scale == "signed"

    @property
    def bucketed(self) -> bool:
        return self.measure.scale == "ranks"

    def of_bucket(self, bucket: int) -> int:
        return round((0.06, 0.36, 0.66, 1.0)[bucket] * (STEPS - 1))

    def shade(self, figures: Floats) -> Ints:
        """The number of the colour of each figure; UNSCORED where it is NaN.

        >>> from arplay.core import measures
        >>> Scale(measures.of("surprisal")).shade(np.array([0.0, 1.0, 4.0, np.inf, np.nan])).tolist()
        [0, 28, 80, 127, -2]
        >>> Scale(measures.of("surprisal-minus-entropy")).shade(np.array([-np.inf, -1.0, 0.0, 1.0, np.inf])).tolist()
        [0, 77, 127, 177, 254]
        >>> Scale(measures.of("rank"), (1, 10, 100)).shade(np.array([1.0, 2.0, 100.0, 101.0])).tolist()
        [8, 46, 84, 127]
        >>> Scale(measures.of("p")).shade(np.array([1.0, 0.5, 0.0])).tolist()
        [0, 64, 127]
        """
        known = ~np.isnan(figures)
        if self.bucketed:
            colours = np.array([self.of_bucket(i) for i in range(len(self.bounds) + 1)])
            return np.where(
                known, colours[np.searchsorted(np.array(self.bounds), np.where(known, figures, 1))], UNSCORED
            )
        place = _CURVES[self.measure.scale].place(np.where(known, figures, 0.0))
        shades = np.round(place * (STEPS - 1)).astype(np.int64) + (STEPS - 1 if self.signed else 0)
        return np.where(known, shades, UNSCORED)

    def ticks(self, unit: str) -> list[Tick]:
        """The marks of its legend, from left to right: where it has buckets, where each but the last ends."""
        if self.bucketed:
            return [Tick(bound, self.along(bound, unit), f"{bound:,}") for bound in self.bounds]
        curve, bits = _CURVES[self.measure.scale], unit == "bits" and self.measure.in_nats
        values = curve.ticks_in_bits if bits else curve.ticks
        nats = LN2 if bits else 1.0
        top = self._top(unit)
        open_ends = {max(values), min(values)} if self.signed else {max(values)} if values[0] != 1 else set()
        words = (f"{value:,g}".replace("-", "−") + "+" * (value in open_ends and value > 0) for value in values)
        return [
            Tick(value * nats, min(max(curve.along(value * nats, top), 0.0), 1.0), word)
            for value, word in zip(values, words, strict=True)
        ]

    @property
    def said(self) -> str:
        """The measure and the unit of its figures."""
        kind = {"nats": " in nats", "signed": " in nats", "count": " in tokens"}.get(self.measure.scale, "")
        return self.measure.said + kind

    def marks(self, ledger: Ledger) -> list[tuple[str, int]]:
        """Words and colours of a legend in nats: of buckets with the share of tokens that each has."""
        if self.bucketed:
            counts = bucket_counts(ledger, self.bounds)
            shares = [part_percent(count / max(1, sum(counts))) for count in counts]
            words = (f"{name}: {share}" for name, share in zip(bucket_names(self.bounds), shares, strict=True))
            return [(each, self.of_bucket(bucket)) for bucket, each in enumerate(words)]
        ticks = self.ticks("nats")
        shades = self.shade(np.array([tick.figure for tick in ticks], np.float64))
        return [(tick.words, shade) for tick, shade in zip(ticks, shades.tolist(), strict=True)]

    def _top(self, unit: str) -> float:
        """The figure at one end of its legend, where that is not 0."""
        curve, bits = _CURVES[self.measure.scale], unit == "bits" and self.measure.in_nats
        return max(curve.ticks_in_bits) * LN2 if bits else max(curve.ticks)

    def ramp(self, unit: str, count: int) -> Ints:
        """The colours of ``count`` places of its legend, from left to right."""
        return self.shade(_CURVES[self.measure.scale].figure(np.linspace(0.0, 1.0, count), self._top(unit)))

    def along(self, figure: float, unit: str) -> float:
        """Where a figure stands in the legend, 0 to 1.

        >>> from arplay.core import measures
        >>> ranks = Scale(measures.of("rank"))
        >>> round(ranks.along(10, "nats"), 3), round(ranks.figure(ranks.along(10, "nats"), "nats"))
        (0.386, 10)
        """
        return min(max(_CURVES[self.measure.scale].along(figure, self._top(unit)), 0.0), 1.0)

    def figure(self, along: float, unit: str) -> float:
        """What stands at a place of the legend; the way back of :meth:`along`."""
        return float(_CURVES[self.measure.scale].figure(np.array([along]), self._top(unit))[0])

    def colours(self, heat: Ramp, cool: Ramp) -> Sequence[Rgb]:
        """All its colours: ``heat`` from calm to hot; before it, where figures go below zero, ``cool`` to calm."""
        hot = [colour(heat, i / (STEPS - 1)) for i in range(STEPS)]
        return [*(colour(cool, i / (STEPS - 1)) for i in range(STEPS - 1, 0, -1)), *hot] if self.signed else hot
