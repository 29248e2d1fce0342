"""What the next-token chart shows, as plain frozen values: rows, the pinned row, the rest, and the axis.

Everything that is painted is read from here, and computed once for an answer, never while painting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from arplay.core.decoding.trace import Lost
from arplay.core.distribution import Distribution
from arplay.core.format import nats_and_bits, percent, tick_percent, tick_power
from arplay.core.modalities.base import TokenSet
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.swatch import ink_of


@dataclass(frozen=True, slots=True)
class Row:
    """One token. ``logprob`` is in nats; ``decoded`` is p after the decoding settings; None means not known."""

    id: int
    text: str
    special: bool
    rank: int | None
    logprob: float | None
    decoded: float | None
    removed: bool
    actual: bool
    ink: float | None = None
    """Of a token that is a grey on white paper: its text begins with a sign that stands for it."""

    @property
    def prob(self) -> float | None:
        return None if self.logprob is None else math.exp(self.logprob)


@dataclass(frozen=True, slots=True)
class Rest:
    """Every token without a row: how many (None: nobody knows), and their probability together (own, and decoded)."""

    count: int | None
    prob: float
    decoded: float | None


@dataclass(frozen=True, slots=True)
class Names:
    """What the outline and the fill of a bar are called in the legend, and above their figures."""

    outline: str = "model"
    fill: str = "after decoding"
    outline_figure: str = "model"
    fill_figure: str = "after"
    same: str = "after decoding (nothing is changed)"
    """What the fill is called where it cannot differ from the outline, and needs no figure of its own."""


@dataclass(frozen=True, slots=True)
class Bars:
    """All rows of a chart. ``pinned``: the token that follows in the text, where it is not among ``rows``.

    ``decoding`` names the stages between model and fill; "" where they change nothing. ``last_rank``: the column of
    ranks keeps room for it, so that charts which follow each other have their bars at the same place.
    """

    rows: tuple[Row, ...] = ()
    pinned: Row | None = None
    rest: Rest | None = None
    decoding: str = ""
    names: Names = Names()
    last_rank: int = 0

    @property
    def all_rows(self) -> tuple[Row, ...]:
        return (*self.rows, self.pinned) if self.pinned else self.rows

    @property
    def probs(self) -> list[float]:
        """Every probability above 0 that has a row, own and decoded: what the axis has to fit."""
        values = [p for row in self.all_rows for p in (row.prob, row.decoded)]
        return [p for p in values if p is not None and p > 0]


def bars_of(
    own: Distribution,
    drawn: Distribution | None,
    vocabulary: TokenSet,
    n: int,
    actual: int | None = None,
    found: Sequence[int] | None = None,
    decoding: str = "",
) -> Bars:
    """The ``n`` most probable tokens of ``own`` (or the tokens ``found``), what follows in the text, and the rest.

    ``drawn``: the same tokens after decoding, of the same shape, or None while unknown.
    """
    wanted = None if found is None else tuple(found[:n])
    model = _of_model(own, vocabulary, n, actual, wanted)  # type: ignore[arg-type] # it is told apart by which it is
    if drawn is None:
        return replace(model, decoding=decoding)
    rows = tuple(_after(row, drawn) for row in model.rows)
    pinned = None if model.pinned is None else _after(model.pinned, drawn)
    rest = model.rest
    if rest is not None:
        ids = np.array([row.id for row in model.all_rows], dtype=np.int64)
        rest = replace(rest, decoded=rest.prob if drawn is own else drawn.rest(ids)[1])
    return replace(model, rows=rows, pinned=pinned, rest=rest, decoding=decoding)


@lru_cache(2)
def _of_model(
    own: Distribution, vocabulary: TokenSet, n: int, actual: int | None, found: tuple[int, ...] | None
) -> Bars:
    """What stays the same as long as only the decoding changes."""
    ids = own.top(n) if found is None else np.array(found, dtype=np.int64)
    ranks: dict[int, int] = {}
    if not own.full:
        ranks = {int(id): rank for id in ids if (rank := own.rank(int(id))) is not None}
    elif found is None:
        ranks = {int(id): place for place, id in enumerate(ids, 1)}
    elif len(ids):
        places = np.empty(own.size, dtype=np.int64)
        places[own.order] = np.arange(1, own.size + 1)
        ranks = {int(id): int(places[id]) for id in ids}

    def row(id: int) -> Row:
        text, ink = label(vocabulary.label(id)), ink_of(vocabulary, id)
        special = vocabulary.is_special(id)
        return Row(id, text, special, ranks.get(id), own.logprob(id), None, False, id == actual, ink)

    rows = tuple(row(int(id)) for id in ids)
    pinned = None
    if found is None and actual is not None and actual not in ranks and all(r.id != actual for r in rows):
        if (rank := own.rank(actual)) is not None:
            ranks[actual] = rank
        pinned = row(actual)
        ids = np.append(ids, actual)
    count, mass = own.rest(ids)
    return Bars(rows, pinned, Rest(count, mass, None))


def _after(row: Row, drawn: Distribution) -> Row:
    """The row with what decoding made of it."""
    after = drawn.logprob(row.id)
    if after is None:
        return row
    removed = after == -math.inf and row.logprob is not None and row.logprob > -math.inf
    decoded = math.exp(after)
    return Row(row.id, row.text, row.special, row.rank, row.logprob, decoded, removed, row.actual, row.ink)


def cumulative_mass(own: Distribution, id: int) -> float | None:
    """Probability of ``id`` and of everything ranked before it; None where that is not known."""
    if not own.full:
        return None
    ids = np.arange(own.size)
    mine = own.logprobs[id]
    return float(np.sum(own.probs[(own.logprobs > mine) | ((own.logprobs == mine) & (ids <= id))]))


LEAST_SHARE = 0.25
"""Of an axis that is kept, the part that the next axis must have."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From probability to a share 0..1 of the bar column; ``low`` is 0 on a linear axis."""

    low: float
    high: float
    log: bool

    @classmethod
    def fit(cls, bars: Bars, log: bool) -> Axis:
        """An axis for the rows of one chart."""
        return cls.holding(bars.probs, log)

    @classmethod
    def holding(cls, probs: Sequence[float], log: bool) -> Axis:
        """The smallest round axis that holds every p > 0: 1, 2, 5, 10 ... percent, or whole decades up to 1."""
        if log:
            decades = min(max(2, math.ceil(-math.log10(min(probs, default=0.01)) - 1e-9)), 16)
            return cls(10.0**-decades, 1.0, True)
        most = max(probs, default=1.0)
        round_limits = (step * 10.0**power for power in range(-9, 0) for step in (1, 2, 5))
        return cls(0.0, next((limit for limit in round_limits if limit >= most * (1 - 1e-9)), 1.0), False)

    def kept(self, former: Axis) -> Axis:
        """``former`` where it holds what this one holds: figures that follow each other are read against one scale,
        as long as the longest bar has a fifth of it or so: among shorter ones nobody sees which is longer."""
        if self.log != former.log or self.high < former.high * LEAST_SHARE:
            return self
        return Axis(min(self.low, former.low), max(self.high, former.high), self.log)

    def share(self, p: float | None) -> float:
        """Length of a bar: 0 for unknown or nothing, at most 1."""
        if p is None or not p > 0:
            return 0.0
        if self.log:
            return min(max(0.0, 1 - math.log(p) / math.log(self.low)), 1.0)
        return min(p / self.high, 1.0)

    def exceeds(self, p: float) -> bool:
        return p > self.high * (1 + 1e-9)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most about ``most`` round places with their labels, as (share, text)."""
        if self.log:
            decades = round(-math.log10(self.low))
            step = max(1, math.ceil(decades / max(1, most - 1)))
            return [(self.share(10.0**-d), tick_power(-d)) for d in range(0, decades + 1, step)][::-1]
        parts = 5 if f"{self.high:g}".lstrip("0.")[0] == "5" else 4
        parts = parts if most > parts else 2 if most > 2 and parts == 4 else 1
        return [(i / parts, tick_percent(self.high * i / parts)) for i in range(parts + 1)]


def figures(row: Row, own: Distribution, vocabulary: TokenSet, lost: Lost | None = None) -> list[tuple[str, str]]:
    """Everything known about one row, as names and values for its hover card; ``lost``: what cut it."""
    lines = [("id", f"{row.id:,}"), *vocabulary.details(row.id)]
    lines.insert(0, ("rank", "—" if row.rank is None else f"{row.rank:,} of {own.size:,}"))
    if row.logprob is None:
        return [("p", "not told by the model"), *lines]
    after = "removed by decoding" if row.removed else percent(row.decoded)
    known = [("p", percent(row.prob)), ("p after decoding", after), ("log p", nats_and_bits(row.logprob))]
    if lost is not None:
        least = percent(lost.least) if lost.kept else "none"
        known[1:2] = [
            ("cut by", lost.label),
            ("p and rank there", f"{percent(lost.prob)}, {lost.rank:,}"),
            ("least p that stayed", least),
        ]
    return [*known, ("p of it and all above", percent(cumulative_mass(own, row.id))), *lines]
