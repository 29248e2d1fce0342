"""The surprisal of every token as faint steps, and its running mean: the NLL per token so far.

Imports pyqtgraph, so this module is imported when there is something to draw, not with the window.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QToolTip

from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.modalities.base import TokenSet
from arplay.gui.contract import Unit
from arplay.gui.theme import SMALL, Theme, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.words import in_unit, number, token_text

Floats = NDArray[np.float64]


def surprisals(ledger: Ledger, unit: Unit) -> tuple[Floats, Floats]:
    """(surprisal of each token, NLL per scored token so far), both of shape (done,), NaN where there is none."""
    scale = 1.0 / LN2 if unit == "bits" else 1.0
    done = ledger.done
    count = np.cumsum(ledger.scored[:done])
    mean = np.full(done, np.nan)
    np.divide(-ledger.running[:done], count, out=mean, where=count > 0)
    each = np.where(np.isfinite(ledger.logprob[:done]), -ledger.logprob[:done], np.nan)
    return each * scale, np.where(np.isfinite(mean), mean, np.nan) * scale


class SurprisalCurve(pg.PlotWidget):
    """Tokens along x (1, 2, ... as the rows of the table), nats or bits along y. Wheel zooms, drag pans."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__(background=None, axisItems={"bottom": _TokenAxis("bottom")})
        self.ledger: Ledger | None = None
        self.vocabulary: TokenSet | None = None
        self.unit: Unit = "nats"
        self.shown = 0
        self.pressed_at = QPointF()
        self.setAccessibleName("Curve of surprisal over the text")
        self.setMinimumSize(0, 0)
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.ctrlMenu.setParent(self, plot.ctrlMenu.windowFlags())  # pyqtgraph makes it without an owner
        plot.setMouseEnabled(x=True, y=False)
        plot.setClipToView(True)
        plot.getViewBox().setDefaultPadding(0.02)
        self.steps = pg.PlotDataItem(stepMode="right", connect="finite")
        self.mean = pg.PlotDataItem(connect="finite")
        self.here = pg.InfiniteLine(angle=90)
        self.here.setVisible(False)
        for item in (self.steps, self.mean, self.here):
            plot.addItem(item)
        self.steps.setDownsampling(auto=True, method="peak")  # a plot gives its own way to what is added to it
        self.mean.setDownsampling(auto=True, method="subsample")
        self.viewport().setMouseTracking(True)

    def set_style(self, theme: Theme, unit: Unit) -> None:
        plot = self.getPlotItem()
        self.setBackground(theme.color("background"))
        self.steps.setPen(pg.mkPen(theme.color("fill", 0.75), width=1))
        self.mean.setPen(pg.mkPen(theme.color("text"), width=2))
        self.here.setPen(pg.mkPen(theme.color("accent"), width=2))
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(pg.mkPen(theme.color("border")))
            axis.setTextPen(pg.mkPen(theme.color("muted")))
            axis.setStyle(tickFont=interface_font(SMALL), tickLength=-4)
        label = {"color": theme.muted, "font-size": f"{SMALL}px"}
        plot.getAxis("left").setLabel(unit, **label)  # the height is dear: below says of what
        plot.getAxis("left").enableAutoSIPrefix(False)
        plot.getAxis("bottom").setLabel("surprisal of each token (faint) and its mean so far (bold)", **label)
        plot.getAxis("bottom").enableAutoSIPrefix(False)
        if unit != self.unit:
            self.unit = unit
            self.show_ledger(self.ledger, self.vocabulary)

    def set_low(self, low: bool) -> None:
        """Without the name of the x axis, where height is dear."""
        self.getPlotItem().getAxis("bottom").showLabel(not low)

    def show_ledger(self, ledger: Ledger | None, vocabulary: TokenSet | None) -> None:
        """Draw the tokens that are done. A user's zoom stays while the same text grows."""
        new_text = ledger is None or self.ledger is None or ledger.encoded is not self.ledger.encoded
        self.ledger, self.vocabulary = ledger, vocabulary
        if ledger is None or not ledger.done:
            self.steps.setData([], [])
            self.mean.setData([], [])
            return
        each, mean = surprisals(ledger, self.unit)
        x = np.arange(1, ledger.done + 1, dtype=np.float64)
        self.steps.setData(np.append(x - 0.5, x[-1] + 0.5), np.append(each, each[-1]))
        self.mean.setData(x, mean)
        known = each[np.isfinite(each)]
        top = max(0.1, float(known.max()) if len(known) else 1.0) * 1.05
        plot = self.getPlotItem()
        plot.setLimits(xMin=0.0, xMax=len(ledger) + 1.0, yMin=0.0, yMax=top, minXRange=2.0)
        plot.setYRange(0.0, top, padding=0.0)
        if new_text or ledger.done != self.shown:
            plot.setXRange(0.5, len(ledger) + 0.5, padding=0.0)
        self.shown = ledger.done

    def show_selected(self, index: int | None) -> None:
        shown = index is not None and self.ledger is not None and index < len(self.ledger)
        self.here.setVisible(shown)
        if shown and index is not None:
            self.here.setPos(index + 1.0)

    def token_at(self, position: QPointF) -> int | None:
        if self.ledger is None:
            return None
        index = round(self.getPlotItem().getViewBox().mapSceneToView(position).x()) - 1
        return index if 0 <= index < self.ledger.done else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        index = self.token_at(event.position()) if event.buttons() == Qt.MouseButton.NoButton else None
        if index is None or self.ledger is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), plain(self.words(index)), self)

    def words(self, index: int) -> str:
        """What hovering over a token says."""
        assert self.ledger is not None
        text = token_text(self.ledger, index, self.vocabulary)
        surprisal = number(in_unit(-float(self.ledger.logprob[index]), self.unit))
        mean = number(float(surprisals(self.ledger, self.unit)[1][index]))
        return f"{index + 1:,}  {text[:60]}\nsurprisal {surprisal} {self.unit}\nmean so far {mean} {self.unit}"

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """The whole text again."""
        if self.ledger is not None:
            self.getPlotItem().setXRange(0.5, len(self.ledger) + 0.5, padding=0.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed_at = event.position()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click that was no drag goes to its token."""
        super().mouseReleaseEvent(event)
        moved = (event.position() - self.pressed_at).manhattanLength()
        index = self.token_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and moved < 4 and index is not None:
            self.picked.emit(index)


class _TokenAxis(pg.AxisItem):
    """Ticks at whole tokens only."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803
        return list(
            {max(1.0, step): (max(1.0, step), 0.0) for step, _ in super().tickSpacing(minVal, maxVal, size)}.values()
        )
