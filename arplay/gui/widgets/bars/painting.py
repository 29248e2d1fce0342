"""How rows of the next-token chart are painted: the same code for the screen and for exported pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QStaticText, QTransform

from arplay.core.format import percent_cell, power_cell
from arplay.gui.theme import BODY, RADIUS, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.widgets.bars.bars import Axis, Bars, Rest, Row
from arplay.gui.widgets.swatch import paint_swatch

Lengths = Mapping[int, tuple[float, float]]
"""Shown share (0..1) of the outline and of the fill, by token; REST is the rest of the vocabulary."""

REST = -1
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTER = Qt.AlignmentFlag.AlignCenter
LEGEND_HEIGHT = 20.0
AXIS_HEIGHT = 18.0
NEXT_LABEL = "next in text"


def lengths_of(bars: Bars, axis: Axis) -> dict[int, tuple[float, float]]:
    result = {row.id: (axis.share(row.prob), axis.share(row.decoded)) for row in bars.all_rows}
    if bars.rest:
        result[REST] = (axis.share(bars.rest.prob), axis.share(bars.rest.decoded))
    return result


class Face:
    """A font with its measures. The same words come again with each paint, so they are laid out once."""

    def __init__(self, font: QFont) -> None:
        self.font, self.metrics = font, QFontMetricsF(font)

    def width(self, text: str) -> float:
        return self.metrics.horizontalAdvance(text)


@cache
def _faces() -> tuple[Face, Face, Face]:
    """Of names, figures and tokens."""
    return Face(interface_font(SMALL)), Face(number_font(SMALL)), Face(fixed_font(BODY))


@lru_cache(4096)
def _laid_out(text: str, face: Face) -> tuple[QStaticText, float, float]:
    """With its width and height."""
    laid = QStaticText(text)
    laid.setTextFormat(Qt.TextFormat.PlainText)
    laid.prepare(QTransform(), face.font)
    return laid, laid.size().width(), laid.size().height()


Cells = dict[tuple[Face, str], list[tuple[float, float, QStaticText]]]
"""What is to be written, by its font and the name of its colour: left, top and the words."""


@lru_cache(4096)
def _elided(text: str, face: Face, width: float) -> str:
    return face.metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)


@dataclass(frozen=True, slots=True)
class Columns:
    """Left edge and width of every column; a column of width 0 is not shown."""

    rank: tuple[float, float]
    text: tuple[float, float]
    bar: tuple[float, float]
    own: tuple[float, float]
    decoded: tuple[float, float]

    @classmethod
    def fit(cls, bars: Bars, width: float) -> Columns:
        """Columns for this width; a narrow chart gives up the ranks first, then the second figure."""
        figures = _faces()[1]
        gap, margin = SPACE[1], SPACE[2]
        ranks = max(len(f"{bars.last_rank:,}"), *(len(rank_text(row)) for row in bars.all_rows), 1)
        rank = figures.width("0" * max(2, ranks)) if width >= 300 else 0.0
        number = figures.width(">99.99%") + 2
        after = figures.width("removed") + 2 if bars.decoding and width >= 340 else 0.0
        text = min(max(0.26 * width, 56.0), 220.0)
        left = margin + rank + (gap if rank else 0)
        right = width - margin - number - (after + gap if after else 0)
        bar_left = left + text + gap
        return cls(
            (margin, rank),
            (left, text),
            (bar_left, max(8.0, right - gap - bar_left)),
            (right, number),
            (right + number + gap, after),
        )


def rank_text(row: Row) -> str:
    return "—" if row.rank is None else f"{row.rank:,}"


@dataclass(frozen=True, slots=True)
class Look:
    """How one row stands out."""

    chosen: bool = False
    hovered: bool = False
    focused: bool = False
    lit: bool = False


class BarPainter:
    """Paints parts of one chart at given rectangles, with the fonts and columns of one width."""

    def __init__(self, painter: QPainter, theme: Theme, bars: Bars, axis: Axis, lengths: Lengths, width: float) -> None:
        self.painter = painter
        self.theme = theme
        self.bars = bars
        self.axis = axis
        self.lengths = lengths
        self.columns = Columns.fit(bars, width)
        self.small, self.figures, self.tokens = _faces()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def chart(self, area: QRectF, row_height: float) -> None:
        """The whole of it from the top of ``area`` on: what the list shows, for a file. The grid goes to its bottom."""
        width, y = area.width(), area.top()
        self.legend(QRectF(0, y, width, LEGEND_HEIGHT))
        y += LEGEND_HEIGHT
        self.axis_labels(QRectF(0, y, width, AXIS_HEIGHT))
        y += AXIS_HEIGHT
        self.grid(y, area.bottom())
        rows = self.bars.all_rows
        self.rows([(QRectF(0, y + at * row_height, width, row_height), row, Look()) for at, row in enumerate(rows)])
        y += len(rows) * row_height
        if self.bars.rest:
            self.rest(QRectF(0, y + SPACE[0], width, row_height), self.bars.rest)

    def legend(self, area: QRectF) -> None:
        """Which is the outline, which the fill."""
        x = area.left() + SPACE[2]
        middle = area.center().y()
        self._pill(QRectF(x, middle - 5, 24, 10), None, self.theme.color("outline"))
        x += 24 + SPACE[1]
        names = self.bars.names
        x += self._write(QRectF(x, area.top(), area.right() - x, area.height()), names.outline) + SPACE[3]
        self._pill(QRectF(x, middle - 3, 24, 6), self.theme.color("fill"), None)
        x += 24 + SPACE[1]
        label = names.fill if self.bars.decoding else names.same
        self._write(QRectF(x, area.top(), area.right() - SPACE[2] - x, area.height()), label)

    def axis_labels(self, area: QRectF) -> None:
        left, width = self.columns.bar
        ticks = self.axis.ticks(int(width // (36 if self.axis.log else 44)) + 1)
        self._font(self.small, "muted")
        free = 0.0  # where the label before ends
        for share, label in ticks:
            x = left + share * width
            size = self.painter.fontMetrics().horizontalAdvance(label)
            start = x if share == 0 else x - size if share == 1 else x - size / 2
            last = self.painter.fontMetrics().horizontalAdvance(ticks[-1][1])
            if start < free or (share < 1 == ticks[-1][0] and start + size + SPACE[1] > left + width - last):
                continue  # it would run into its neighbours: the grid's line is enough
            free = start + size + SPACE[1]
            self.painter.drawText(QRectF(start, area.top(), size + 1, area.height()), CENTER, label)
        names = self.bars.names
        for (x, wide), label in ((self.columns.own, names.outline_figure), (self.columns.decoded, names.fill_figure)):
            if wide:
                self.painter.drawText(QRectF(x, area.top(), wide, area.height()), RIGHT, label)
        name_left, name_width = self.columns.text
        name = "log scale" if self.axis.log else "token"
        self.painter.drawText(QRectF(name_left, area.top(), name_width, area.height()), LEFT, name)

    def grid(self, top: float, bottom: float) -> None:
        left, width = self.columns.bar
        color = self.theme.color("border", 0.6)
        for share, _ in self.axis.ticks(32 if self.axis.log else int(width // 44) + 1):
            # a filled box is drawn ten times as fast as an antialiased line
            self.painter.fillRect(QRectF(round(left + share * width), top, 1, bottom - top), color)

    def rows(self, placed: Sequence[tuple[QRectF, Row, Look]]) -> None:
        """Each row in its area. What looks alike is painted together: a change of pen or font costs more than a word.

        No row reaches into another one's area.
        """
        for area, row, look in placed:
            self._ground(area, row, look)
        cells: Cells = {}
        for area, row, _ in placed:
            self._tell(cells, self.columns.rank, area, rank_text(row), "muted", self.figures, RIGHT)
            self._token(cells, area, row)
            self._figures(cells, area, row.prob, row.decoded, row.removed)
        self._write_all(cells)
        self._bars(placed)

    def _ground(self, area: QRectF, row: Row, look: Look) -> None:
        focused = look.chosen and look.focused
        if focused or look.hovered:
            inner = area.adjusted(SPACE[0], 1, -SPACE[0], -1)
            self.painter.setPen(QPen(self.theme.color("accent"), 1) if focused else Qt.PenStyle.NoPen)
            self.painter.setBrush(self.theme.color("accent_soft" if focused else "raised"))
            self.painter.drawRoundedRect(inner.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        if row.actual:
            self.painter.setPen(Qt.PenStyle.NoPen)
            self.painter.setBrush(self.theme.color("accent"))
            self.painter.drawRoundedRect(QRectF(area.left() + 1, area.top() + 2, 4, area.height() - 4), 2, 2)

    def rest(self, area: QRectF, rest: Rest) -> None:
        """All other tokens in one dashed bar; torn off where it is longer than the axis."""
        left, _ = self.columns.rank
        end = self.columns.text[0] + self.columns.text[1]
        words = others(rest)
        if self.small.width(words) > end - left:
            words = "others" if rest.count is None else f"+{rest.count:,}"
        cells: Cells = {}
        self._tell(cells, (left, end - left), area, words, "muted", self.small, LEFT)
        self._figures(cells, area, rest.prob, rest.decoded, False)
        self._write_all(cells)
        outline, fill = self.lengths.get(REST, (0.0, 0.0))
        x, width = self.columns.bar
        ink = self.theme.color("outline")
        dashed = QPen(ink, 1.2, Qt.PenStyle.DashLine)
        if fill > 0:
            self._pill(self._bar_area(area, x, width * fill, 6), self.theme.color("fill", 0.75), None)
        if outline > 0:
            self._pill(self._bar_area(area, x, width * outline, 12), None, dashed)
        for p, share in ((rest.prob, outline), (rest.decoded or 0.0, fill)):
            if share > 0 and self.axis.exceeds(p):
                self._tear(area, x + width * share)
                break

    def _tear(self, area: QRectF, x: float) -> None:
        middle = area.center().y()
        self.painter.setPen(QPen(self.theme.color("surface"), 4))
        self.painter.drawLine(QPointF(x - 12, middle + 8), QPointF(x - 7, middle - 8))
        self.painter.setPen(QPen(self.theme.color("outline"), 1.2))
        for shift in (-14, -10):
            self.painter.drawLine(QPointF(x + shift, middle + 8), QPointF(x + shift + 5, middle - 8))

    def _token(self, cells: Cells, area: QRectF, row: Row) -> None:
        left, width = self.columns.text
        text = _elided(row.text, self.tokens, width - (10 if row.special else 0))
        if row.special:
            size = self.tokens.width(text) + 10
            self.painter.setPen(QPen(self.theme.color("muted"), 1))
            self.painter.setBrush(self.theme.color("raised"))
            self.painter.drawRoundedRect(QRectF(left, area.center().y() - 9, size, 18), 4, 4)
            self._tell(cells, (left + 5, width), area, text, "muted", self.tokens, LEFT)
            return
        color = "muted" if row.removed else "text"
        if row.ink is not None and text:
            side = self.tokens.width(text[0])
            paint_swatch(self.painter, self.theme, left, area.center().y(), side, row.ink)
            left, width, text = left + side, width - side, text[1:]
        if text.startswith("␣") and len(text) > 1:  # the space is there, but the word is what one reads
            self._tell(cells, (left, width), area, "␣", "muted", self.tokens, LEFT)
            space = self.tokens.width("␣")
            left, width, text = left + space, width - space, text[1:]
        self._tell(cells, (left, width), area, text, color, self.tokens, LEFT)

    def _bars(self, placed: Sequence[tuple[QRectF, Row, Look]]) -> None:
        """The fills, then the outlines over them, then what is dotted."""
        x, width = self.columns.bar
        fills: dict[str, list[QRectF]] = {"fill": [], "accent": []}
        outlines: dict[bool, list[QRectF]] = {False: [], True: []}
        for area, row, look in placed:
            outline, fill = self.lengths.get(row.id, (0.0, 0.0))
            if fill > 0:
                bright = look.lit or (look.chosen and look.focused)
                fills["accent" if bright else "fill"].append(self._bar_area(area, x, width * fill, 8))
            if outline > 0:
                outlines[row.removed].append(self._bar_area(area, x, width * outline, 14))
        self.painter.setPen(Qt.PenStyle.NoPen)
        for name, areas in fills.items():
            self.painter.setBrush(self.theme.color(name))
            for area in areas:
                self._rounded(area)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        dotted = QPen(self.theme.color("muted", 0.55), 1.2, Qt.PenStyle.DotLine)
        for removed, areas in outlines.items():
            self.painter.setPen(dotted if removed else QPen(self.theme.color("outline"), 1.2))
            for area in areas:
                self._rounded(area)
        for area, row, _ in placed:
            if row.actual:
                self._next_label(area, x, width, max(self.lengths.get(row.id, (0.0, 0.0))))

    def _next_label(self, area: QRectF, x: float, width: float, share: float) -> None:
        size = self.small.width(NEXT_LABEL) + 12
        place = x + width * share + 6
        if place + size > x + width:
            place = x + width - size
        if size > width:
            return  # too narrow: the accent edge says it, and so does the hover card
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.theme.color("accent_soft"))
        tag = QRectF(place, area.center().y() - 8, size, 16)
        self.painter.drawRoundedRect(tag, 8, 8)
        self._font(self.small, "text")
        self.painter.drawText(tag, CENTER, NEXT_LABEL)

    def _figures(self, cells: Cells, area: QRectF, own: float | None, decoded: float | None, removed: bool) -> None:
        two, figure = self.columns.decoded[1] > 0, power_cell if self.axis.log else percent_cell
        ink = "muted" if two or removed else "text"
        self._tell(cells, self.columns.own, area, figure(own), ink, self.figures, RIGHT)
        if two:
            after = "removed" if removed else figure(decoded)
            ink = "muted" if removed else "text"
            self._tell(cells, self.columns.decoded, area, after, ink, self.figures, RIGHT)

    def _bar_area(self, area: QRectF, x: float, width: float, height: float) -> QRectF:
        return QRectF(x, area.center().y() - height / 2, max(2.0, width), height)

    def _pill(self, area: QRectF, fill: QColor | None, pen: QPen | QColor | None) -> None:
        self.painter.setPen(Qt.PenStyle.NoPen if pen is None else pen)
        self.painter.setBrush(Qt.BrushStyle.NoBrush if fill is None else fill)
        self._rounded(area)

    def _rounded(self, area: QRectF) -> None:
        radius = min(area.height(), area.width()) / 2
        self.painter.drawRoundedRect(area, radius, radius)

    @staticmethod
    def _tell(
        cells: Cells,
        column: tuple[float, float],
        area: QRectF,
        text: str,
        color: str,
        face: Face,
        align: Qt.AlignmentFlag,
    ) -> None:
        """Have ``cells`` hold what stands in a column."""
        left, width = column
        if width > 0:
            laid, wide, high = _laid_out(text, face)
            x = left if align is LEFT else left + width - wide
            cells.setdefault((face, color), []).append((x, area.center().y() - high / 2, laid))

    def _write_all(self, cells: Cells) -> None:
        for (face, color), found in cells.items():
            self._font(face, color)
            for x, y, laid in found:
                self.painter.drawStaticText(QPointF(x, y), laid)

    def _write(self, area: QRectF, text: str) -> float:
        """Caption text, shortened to ``area``; returns its width."""
        shown = _elided(text, self.small, area.width())
        self._font(self.small, "muted")
        self.painter.drawText(area, LEFT, shown)
        return self.small.width(shown)

    def _font(self, face: Face, color: str) -> None:
        self.painter.setFont(face.font)
        self.painter.setPen(self.theme.color(color))


def others(rest: Rest) -> str:
    if rest.count is None:
        return "all other tokens"
    return f"{rest.count:,} other token{'' if rest.count == 1 else 's'}"
