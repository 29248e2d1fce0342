"""Marks over a heatmap: where the caret is, and what a search found."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPen

from arplay.core.modalities.base import Found
from arplay.gui.canvases.text.heat.rows import PAD, HeatRows
from arplay.gui.theme import RADIUS, Theme

CARET = 2.0
"""Pixels that the caret is wide."""
JOINS = 2.0
"""Pixels between two tokens that stand side by side, at most."""


def caret_at(view: HeatRows, byte: int) -> QRectF | None:
    """The caret before ``byte``, in the viewport: in a token that holds several, that part of its width along."""
    token, flow = view.token_of(byte), view.flow
    if token is None or flow is None or view.ledger is None:
        return None
    start, end = view.ledger.encoded.span(token)
    rows = range(flow.first_row(token), flow.last_row(token) + 1)
    leftwards = flow.leftwards(token)
    rects = [rect for row in rows for rect in sorted(view.rects_of(token, row), key=QRectF.left, reverse=leftwards)]
    along = sum(rect.width() for rect in rects) * (byte - start) / max(end - start, 1)
    for rect in rects:
        if along <= rect.width() or rect is rects[-1]:
            x = rect.right() - along if leftwards else rect.left() + along
            return QRectF(x - CARET / 2, rect.top() - 1, CARET, rect.height() + 2)
        along -= rect.width()
    return None


def paint_beginnings(painter: QPainter, view: HeatRows, theme: Theme, first: int, stop: int) -> None:
    """A bar before each of the rows [first, stop) that begins a sentence and does not only go on with one."""
    flow, grid = view.flow, view.grid
    top = PAD - view.verticalScrollBar().value()
    for row in range(first, stop):
        if flow is not None and not flow.goes_on(row):
            place = QRectF(RADIUS + 1, top + row * grid.row + grid.cell_top + 2, 3, grid.cell - 4)
            painter.fillRect(place, theme.color("fill"))


def paint_framed(painter: QPainter, view: HeatRows, tokens: tuple[int, int], first: int, stop: int) -> None:
    """One frame around tokens [low, high), in each of the rows [first, stop) that has some of them."""
    flow = view.flow
    if flow is None or first >= stop:
        return
    low, high = flow.tokens(first, stop)
    rows: dict[int, list[QRectF]] = {}
    for token in range(max(tokens[0], low), min(tokens[1], high)):
        for row in range(max(first, flow.first_row(token)), min(stop - 1, flow.last_row(token)) + 1):
            rows.setdefault(row, []).extend(view.rects_of(token, row))
    for rects in rows.values():
        rects.sort(key=QRectF.left)
        joined = rects[:1]
        for rect in rects[1:]:
            if rect.left() <= joined[-1].right() + JOINS:
                joined[-1] = joined[-1].united(rect)
            else:
                joined.append(rect)
        for rect in joined:
            painter.drawRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), 3, 3)


def paint_found(painter: QPainter, view: HeatRows, theme: Theme, found: Found, first: int, stop: int) -> None:
    """A frame around every token in rows [first, stop) that has a part of what was found."""
    painter.setPen(QPen(theme.color("outline"), 1))
    for token, row in _found_in(view, found, first, stop):
        for rect in view.rects_of(token, row):
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)


def _found_in(view: HeatRows, found: Found, first: int, stop: int) -> Iterator[tuple[int, int]]:
    """The tokens, each with every row of these that it is in."""
    blocks, flow = view.blocks, view.flow
    if blocks is None or flow is None or first >= stop or not len(found.spans):
        return
    low, high = flow.byte_of(first), flow.byte_of(stop)
    spans = found.spans[np.searchsorted(found.spans[:, 1], low, "right") : np.searchsorted(found.spans[:, 0], high)]
    ends = [(blocks.token_at(low), blocks.token_at(high - 1)) for low, high in spans.tolist()]
    tokens = {token for a, b in ends for token in range(a, b + 1) if view.is_between(token, first, stop)}
    for token in sorted(tokens):
        for row in range(max(first, flow.first_row(token)), min(stop - 1, flow.last_row(token)) + 1):
            yield token, row
