"""A receptive field over the distance: how much each token before the next one bears on it, near ones first."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from arplay.core.format import significant
from arplay.engine.field import Reached
from arplay.gui.theme import Theme
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Plot, Series

DECADES = 8.0
"""Powers of ten below the strongest gradient that are told apart here."""


class FieldView(Protocol):
    """A widget that shows a set of tokens before a place, and how much each matters there, in its document's shape.

    ``chosen``: a signal with the index of a token that the user goes to.
    """

    chosen: Any

    def set_theme(self, theme: Theme) -> None: ...

    def show_field(self, reached: Reached | None) -> None:
        """None: of no place."""
        ...

    def paint_chart(self, painter: QPainter, area: QRectF) -> None: ...


class DistanceField(LinePlot):
    """Both axes in powers of ten. Where nothing is connected the line on the ground ends, and so do the gradients."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Gradient over the distance of a token", parent)
        self._reached: Reached | None = None

    def show_field(self, reached: Reached | None) -> None:
        if reached is not self._reached:
            self._reached = reached
            self.light(None)
            self.show_plot(Plot() if reached is None else plot_of(reached), "")

    def words(self, lit: object) -> str:
        assert isinstance(lit, float)
        return "" if self._reached is None else said(self._reached, len(self._reached.field.declared) - int(lit))


def state_of(reached: Reached, index: int) -> str:
    """What is told of one of the n tokens before it.

    >>> from arplay.models.base import Field
    >>> field = Field(np.array([False, True]), np.array([0.0, 0.013]), np.array([True, False]))
    >>> [state_of(Reached(1, None, None, None, None, 2, field), i) for i in (0, 1)]
    ['in the blind spot: not read, though it comes before', 'read, gradient 0.013']
    """
    field, gradient = reached.field, float(reached.field.gradient[index])
    if field.declared[index]:
        return f"read, {reached.measure} {significant(gradient, 2)}"
    if gradient:
        return f"not connected, and yet a {reached.measure} of {significant(gradient, 2)}"
    return "in the blind spot: not read, though it comes before" if field.blind[index] else "not connected"


def said(reached: Reached, index: int) -> str:
    back = len(reached.field.declared) - index
    return f"{back:,} token{'s' * (back > 1)} back: {state_of(reached, index)}"


def plot_of(reached: Reached) -> Plot:
    field = reached.field
    n = len(field.declared)
    back = np.arange(1.0, n + 1)
    declared, gradient = field.declared[::-1], field.gradient[::-1]
    with np.errstate(divide="ignore"):
        height = np.where(gradient > 0, np.log10(gradient), np.nan)
    known = height[~np.isnan(height)]
    high = float(known.max()) if len(known) else 0.0
    low = max(float(known.min()) if len(known) else -1.0, high - DECADES)
    room = max(0.1, 0.08 * (high - low))
    ground = np.full(int(np.count_nonzero(declared)), low - room)
    series = (
        Series("connected", back[declared], ground, "muted", width=5.0),
        Series("gradient", back, height, "accent", mark="dot" if n <= 200 else ""),
    )
    names = ("tokens before it", "tokens")
    unit = ("log₁₀ of the gradient", "log₁₀ gradient")
    return Plot(series, unit, names, 0.0, 1.04 * max(n, 8), low - room, high + room, first=1.0)
