"""How an order is painted, on screen and on paper: its way through a picture, and a cell for each conditional."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from arplay.core.format import in_unit, number
from arplay.core.modalities.places import Place
from arplay.core.orders import Factor, Order, Product
from arplay.export.colours import shades
from arplay.gui.settings import Unit
from arplay.gui.theme import SMALL, Theme, number_font
from arplay.gui.widgets.heat.scale import HeatScale

_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def variable(index: int) -> str:
    """
    >>> variable(0), variable(11)
    ('x₁', 'x₁₂')
    """
    return f"x{index + 1}".translate(_LOW)


def written(order: Order) -> str:
    """The places of the tokens in the order in which they are told, from 1."""
    return " ".join(str(index + 1) for index in order)


def drawn(places: Sequence[Place]) -> bool:
    """Whether a way is a line through a picture; else it is a row of numbers."""
    return len({row for row, _ in places}) > 1


def cell(factor: Factor, unit: Unit) -> str:
    return "undefined" if math.isnan(factor.logprob) else number(in_unit(factor.logprob, unit), 2)


def paint_way(painter: QPainter, theme: Theme, area: QRectF, order: Order, places: Sequence[Place]) -> None:
    """Through the centres of the pixels, from the dot on; as high as ``area``."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    step = area.height() / (1 + max(row for row, _ in places))
    points = [QPointF(area.left() + (c + 0.5) * step, area.top() + (r + 0.5) * step) for r, c in places]
    painter.setPen(QPen(theme.color("accent"), 1.5))
    painter.drawPolyline([points[i] for i in order])
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("muted"))
    for point in points:
        painter.drawEllipse(point, 1.2, 1.2)
    painter.setBrush(theme.color("accent"))
    painter.drawEllipse(points[order[0]], 3.2, 3.2)


def paint_cells(painter: QPainter, theme: Theme, area: QRectF, product: Product, unit: Unit) -> None:
    """One beside the other, coloured by surprisal; with its variable and its log p where there is room."""
    scale, wide = HeatScale(theme, "surprisal"), area.width() / len(product.factors)
    painter.setFont(number_font(SMALL))
    for at, factor in enumerate(product.factors):
        box = QRectF(area.left() + at * wide, area.top(), wide - 2, area.height())
        defined = not math.isnan(factor.logprob)
        shade = int(shades(np.array([-factor.logprob if defined else 0.0]))[0])
        painter.fillRect(box, scale.fills[shade] if defined else theme.color("raised"))
        painter.setPen(scale.inks[shade] if defined else theme.color("muted"))
        text = cell(factor, unit) if defined else "—"
        named = f"{variable(factor.index)} {text}"
        shown = next((t for t in (named, text) if painter.fontMetrics().horizontalAdvance(t) <= wide - 6), "")
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)
