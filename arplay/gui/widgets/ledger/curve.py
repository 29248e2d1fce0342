"""The surprisal of every token as faint steps, and its running mean: the NLL per token so far."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, Signal

from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.format import in_unit, number
from arplay.core.modalities.base import TokenSet
from arplay.core.profiles import PACK, pack, places
from arplay.gui.settings import Unit
from arplay.gui.widgets.labels import token_text
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Floats, Plot, Series

ENOUGH = 300_000
"""Tokens from which on the lowest and highest of each few are drawn: a pixel has many of those then."""


class Surprisals:
    """``each`` surprisal and the ``mean`` so far, the NLL per scored token, both of shape (n,); NaN: there is none.

    Of both ``packed`` has the lowest and the highest of each PACK tokens, (2, blocks, 2): enough for a view of a
    million. Of tokens that are not done nothing is told. A ledger that grows adds its new tokens to those before: a
    long text is not computed again with every batch.
    """

    def __init__(self, ledger: Ledger, unit: Unit) -> None:
        self.ledger, self.unit = ledger, unit
        n = len(ledger)
        self.places: Floats = np.empty(n)  # of a long text memory is taken as it is scored
        self.each, self.mean = np.empty((2, n))
        self.packed = np.empty((2, -(-n // PACK), 2))
        self.most = math.nan
        """The highest finite surprisal."""
        self._done = self._scored = 0
        self.add(ledger)

    def grows_to(self, ledger: Ledger, unit: Unit) -> bool:
        """Whether that is a later ledger of the same scoring."""
        same = unit == self.unit and ledger.encoded is self.ledger.encoded and ledger.done >= self._done
        return same and len(ledger) == len(self.each) and np.may_share_memory(ledger.logprob, self.ledger.logprob)

    def add(self, ledger: Ledger) -> None:
        """The tokens of ``ledger`` that are new."""
        first, done = self._done, ledger.done
        scale = -1.0 / LN2 if self.unit == "bits" else -1.0
        logprob, each, mean = ledger.logprob[first:done], self.each[first:done], self.mean[first:done]
        count = self._scored + np.cumsum(~np.isnan(logprob), dtype=np.int32)  # four times as fast as in float64
        with np.errstate(divide="ignore", invalid="ignore"):
            np.multiply(logprob, scale, out=each)
            np.divide(ledger.running_of(first, done), count, out=mean)
        mean *= scale
        each[np.isinf(each)] = mean[np.isinf(mean)] = np.nan
        self.places[first:done] = np.arange(first + 1.0, done + 1)
        if first < done:
            for values, packed in zip((self.each, self.mean), self.packed, strict=True):
                pack(values, packed, first, done)
        self.most = float(np.fmax.reduce(each, initial=self.most))
        self._done, self._scored = done, int(count[-1]) if len(count) else self._scored


class SurprisalCurve(LinePlot):
    """Tokens along x (1, 2, ... as the rows of the table), nats or bits along y. A click picks a token."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__("Curve of surprisal over the text")
        self.ledger: Ledger | None = None
        self.vocabulary: TokenSet | None = None
        self.unit: Unit = "nats"
        self._surprisals: Surprisals | None = None
        self.clicked.connect(self._pick)

    def set_unit(self, unit: Unit) -> None:
        if unit != self.unit:
            self.unit = unit
            self.show_ledger(self.ledger, self.vocabulary)

    def show_ledger(self, ledger: Ledger | None, vocabulary: TokenSet | None) -> None:
        """Draw the tokens that are done. A user's zoom stays while the same text grows."""
        if ledger is None or self.ledger is None or ledger.encoded is not self.ledger.encoded:
            self.show_all()
        self.ledger, self.vocabulary = ledger, vocabulary
        self.light(None)
        if ledger is None or not ledger.done:
            self._surprisals = None
            self.show_plot(Plot(), "")
            return
        known = self._surprisals
        if known is None or not known.grows_to(ledger, self.unit):
            known = self._surprisals = Surprisals(ledger, self.unit)
        else:
            known.add(ledger)
        done = ledger.done
        x, each, mean = known.places[:done], known.each[:done], known.mean[:done]
        along, blocks = places(done), -(-done // PACK)
        lines = (Series("", along, part[:blocks].ravel(), "") for part in known.packed)
        coarse = tuple(lines) if done >= ENOUGH else (None, None)
        series = (
            Series("each token", x, each, "fill", 1.0, 0.75, steps=True, coarse=coarse[0]),
            Series("mean so far", x, mean, "text", 2.0, coarse=coarse[1]),
        )
        high = 1.05 * (1.0 if math.isnan(known.most) else max(0.1, known.most))
        plot = Plot(series, (f"surprisal, {self.unit}", self.unit), start=0.5, end=len(ledger) + 0.5, high=high)
        self.show_plot(plot, f"mean so far {number(float(mean[-1]))} {self.unit}")

    def at(self, position: QPointF) -> float | None:
        if self.ledger is None:
            return None
        place = round(self.drawing().x_at(position.x()))
        return float(place) if 1 <= place <= self.ledger.done else None

    def beside(self, step: int) -> object:
        done = self.ledger.done if self.ledger is not None else 0
        at = int(self.lit) + step if isinstance(self.lit, float) else done if step < 0 else 1
        return float(min(max(at, 1), done)) if done else None

    def words(self, lit: object) -> str:
        """What hovering over a token says."""
        assert self.ledger is not None and isinstance(lit, float | int)
        index = int(lit) - 1
        text = token_text(self.ledger, index, self.vocabulary)
        surprisal = number(in_unit(-float(self.ledger.logprob[index]), self.unit))
        mean = number(float(self.plot.series[1].y[index]))
        return f"{index + 1:,}  {text[:60]}\nsurprisal {surprisal} {self.unit}\nmean so far {mean} {self.unit}"

    def _pick(self, x: float) -> None:
        if self.ledger is not None and 1 <= round(x) <= self.ledger.done:
            self.picked.emit(round(x) - 1)
