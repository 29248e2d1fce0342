"""The surprisal of a picture's pixels where they are, in the colours of the heatmap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Any

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from arplay.core.chain import Ledger
from arplay.core.format import in_unit, number, probability
from arplay.core.modalities.image import EncodedPicture
from arplay.gui.canvases.heat import WidgetHeat
from arplay.gui.linking import Across
from arplay.gui.settings import Unit
from arplay.gui.theme import Theme
from arplay.gui.view import View
from arplay.gui.widgets.heat.card import HeatCard
from arplay.gui.widgets.heat.card import content as card_of
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.heat.sheet import WIDTH, FiguresSheet, Scored
from arplay.gui.widgets.picture.grid import MOST_SIDE, PictureGrid, Square, paint_squares
from arplay.gui.widgets.sheet import MARGIN

MOST_WITH_WORDS = 256
"""Pixels of a picture whose squares may ever be large enough for words."""


class PictureHeat(WidgetHeat):
    """The grid of pixels."""

    beside = True
    least = 80

    def __init__(self, parent: QWidget | None = None) -> None:
        self.grid = PictureGrid()
        super().__init__(self.grid, "Scores of the pixels", parent)
        self._encoded: EncodedPicture | None = None
        self.grid.pressed.connect(self._press)
        self.grid.moved.connect(self._move)
        self.card = HeatCard(self.grid)
        self.grid.setMouseTracking(True)
        self.grid.hovered.connect(self._hover)

    @staticmethod
    def height_of(view: View, width: int) -> int:
        return 400

    @staticmethod
    def linked(heats: Sequence[Any], across: Across) -> None:
        return None

    def in_columns(self, many: int, width: int, height: int) -> bool:
        """Where the squares are larger."""
        return min(width / many, height) >= min(width, height / many)

    def show_view(self, view: View) -> None:
        self._view, ledger = view, view.ledger
        if ledger is None or not isinstance(ledger.encoded, EncodedPicture):
            return
        self._encoded = ledger.encoded
        marked = None if view.selected is None else self._cell(view.selected)
        squares = squares_of(ledger, ledger.encoded, self.grid.theme, self._scale, self._unit)
        self.grid.show_squares(ledger.encoded.raster.width, squares, marked, partial(_told, ledger, self._unit))
        self.show_pointed(None)

    def show_pointed(self, tokens: tuple[int, int] | None) -> None:
        """These have an edge, as those that are selected together have."""
        cells = map(self._cell, chain(*(range(*each) for each in (self._view.span, tokens) if each is not None)))
        self.grid.show_lit([cell for cell in cells if cell is not None])

    def in_sight(self) -> None:
        return None

    def _hover(self, cell: int | None) -> None:
        """The card of the pixel below the mouse, as of a token of a text."""
        ledger, encoded, loaded = self._view.ledger, self._encoded, self._view.loaded
        index = -1 if cell is None or encoded is None else encoded.raster.order.index(cell) - encoded.first
        if cell is None or ledger is None or not 0 <= index < len(ledger):
            self.card.hide()
            self.pointed.emit(None)
            return
        self.pointed.emit(index)
        self.card.theme = self.grid.theme
        place = self.grid.rect_of(cell).toAlignedRect()
        content = card_of(ledger, index, loaded.vocabulary if loaded else None, self._unit)
        self.card.show_at(content, QRect(self.grid.mapToGlobal(place.topLeft()), place.size()))

    def _cell(self, index: int) -> int | None:
        encoded = self._encoded
        known = encoded is not None and 0 <= index < len(encoded.raster.order)
        return encoded.raster.order[index] if encoded is not None and known else None

    def _press(self, cell: int, right: bool) -> None:
        if self._encoded is not None:
            index = self._encoded.raster.order.index(cell)
            if index < len(self._encoded):
                self.picked.emit(index)

    def _move(self, rows: int, columns: int) -> None:
        if self._encoded is None or not len(self._encoded):
            return
        raster = self._encoded.raster
        here = raster.order[0] if self.grid.marked is None else self.grid.marked
        row, column = divmod(here, raster.width)
        row, column = row + rows, column + columns
        if 0 <= row < raster.height and 0 <= column < raster.width:
            self._press(row * raster.width + column, False)


class PictureSheet(FiguresSheet):
    """The pixels on paper, a row of them a row."""

    def __init__(self, scored: Scored) -> None:
        encoded = scored.ledger.encoded
        assert isinstance(encoded, EncodedPicture), "a picture"
        raster = encoded.raster
        self.columns = raster.width
        self.side = min(MOST_SIDE, (WIDTH - 2 * MARGIN) / raster.width)
        self.squares = squares_of(scored.ledger, encoded, scored.theme, scored.scale, scored.unit)
        super().__init__(scored, self.side, raster.height)

    def paint_rows(self, painter: QPainter, first: int, stop: int, top: float) -> None:
        place = QRectF(MARGIN, top, self.columns * self.side, (stop - first) * self.side)
        shown = self.squares[first * self.columns : stop * self.columns]
        paint_squares(painter, shown, self.columns, place, self.theme)


def squares_of(ledger: Ledger, encoded: EncodedPicture, theme: Theme, scale: HeatScale, unit: Unit) -> list[Square]:
    """Every pixel of the picture, row by row, in the colour of its token."""
    raster = encoded.raster
    wordy = raster.pixels <= MOST_WITH_WORDS
    squares = [Square(None)] * raster.pixels
    figures = scale.measure.values(ledger, 0, len(ledger))
    for index, (shade, figure) in enumerate(zip(scale.shade(ledger, 0, len(ledger)), figures.tolist(), strict=True)):
        fill, ink = (scale.fills[shade], scale.inks[shade]) if shade >= 0 else (None, theme.color("muted"))
        words = scale.measure.short(figure, unit) if wordy and not math.isnan(figure) else ""
        squares[raster.order[encoded.first + index]] = Square(fill, ink, words)
    return squares


def _told(ledger: Ledger, unit: Unit, cell: int) -> str:
    encoded = ledger.encoded
    assert isinstance(encoded, EncodedPicture)
    index = encoded.raster.order.index(cell) - encoded.first
    if not 0 <= index < len(encoded):
        return "not painted, so it has no surprisal"
    name = encoded.said(index, None)
    if not _is_scored(ledger, index):
        return f"{name}: not scored"
    logprob, entropy = float(ledger.logprob[index]), float(ledger.entropy[index])
    return (
        f"{name}\np {probability(logprob)}, surprisal {number(in_unit(-logprob, unit))} {unit}, "
        f"rank {int(ledger.rank[index])}, entropy {number(in_unit(entropy, unit))} {unit}"
    )


def _is_scored(ledger: Ledger, index: int) -> bool:
    return index < ledger.done and not math.isnan(float(ledger.logprob[index]))
