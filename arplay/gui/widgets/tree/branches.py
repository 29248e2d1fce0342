"""The tidy tree: text on the branches, as wide as a token is probable, coloured by its surprisal."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QResizeEvent

from arplay.core.tidy import tidy
from arplay.export.colours import STEPS
from arplay.gui.theme import Theme, fixed_font, interface_font
from arplay.gui.widgets.movable import LEAST
from arplay.gui.widgets.tree.board import Board
from arplay.gui.widgets.tree.shown import Shown

SIZE = 13
"""Pixels of the text at its own size."""
ROW = 30.0
LINK = 26.0
"""Pixels from the end of a branch to the beginning of the next one's text."""
GAP = 4.0
"""Between two tokens on a branch."""
UNDER = 9.0
"""From the middle of a row to its line."""
TALL = 8.5
"""From the middle of a row up to the top of its text; what it is called stands above that."""
READABLE = 0.5
"""The scale from which text is drawn."""
BROAD = 6.0
"""How wide the line of a certain token is; 1 more than of an impossible one."""
MARGIN = 16.0
INKS = ("accent", "text", "muted")
Lines = dict[tuple[int, int], list[QLineF]]
_FAINT = 0.2
"""Where the colours begin: an expected token has a line that can be seen."""


def colour_of(theme: Theme, shade: int) -> QColor:
    """Of a line on the ground; grey where there is no surprisal."""
    return theme.color("muted", 0.5) if shade < 0 else theme.heat_color(_FAINT + (1 - _FAINT) * shade / (STEPS - 1))


def breadth(p: float) -> float:
    return 1.5 if math.isnan(p) else 1.0 + BROAD * p


class Branches(Board):
    """``begins``, ``middles`` and ``length`` of the runs are in pixels at scale 1; ``at``: where their twigs begin."""

    def __init__(self) -> None:
        super().__init__("Tree of everything tried")
        self.origin = QPointF(MARGIN, MARGIN)
        self._metrics = QFontMetricsF(fixed_font(SIZE))
        self._advances: dict[str, float] = {}
        self._pens: dict[tuple[int, float, bool], QPen] = {}
        """By shade, width, and whether it is dashed: of a theme there are a few thousand."""
        self._lines: tuple[Shown, Lines, list[QLineF]] | None = None
        self.at: list[list[float]] = []
        self.begins: NDArray[np.float64] = np.zeros(0)
        self.middles = self.length = self.begins

    def set_theme(self, theme: Theme) -> None:
        self._pens.clear()
        super().set_theme(theme)

    # ---- layout

    def lay(self, former: Shown | None) -> None:
        assert self.shown is not None
        if former is not None and former.outline is self.shown.outline:
            return
        outline, text, known = self.shown.outline, self.shown.text, self._advances
        self.at, lengths = [], []
        for run in outline.runs:
            places = [LINK if run[0] else 0.0]
            for twig in run:
                said = text(twig)[0]
                if (wide := known.get(said)) is None:
                    wide = known[said] = self._metrics.horizontalAdvance(said)
                places.append(places[-1] + wide + GAP)
            self.at.append(places)
            lengths.append(places[-1])
        x, y = tidy(outline.run_parent, lengths)
        self.begins, self.middles, self.length = x, y * ROW, np.array(lengths)

    def place(self, twig: int) -> QRectF:
        """Of a twig with its text, at scale 1."""
        assert self.shown is not None
        run = self.shown.outline.run_of[twig]
        k = self.shown.outline.runs[run].index(twig)
        left, right = self.at[run][k], self.at[run][k + 1]
        return QRectF(self.begins[run] + left, self.middles[run] - ROW / 2, right - left, ROW)

    @property
    def bounds(self) -> QRectF:
        """All of it at scale 1."""
        if not len(self.begins):
            return QRectF()
        return QRectF(0, -ROW / 2, float((self.begins + self.length).max()), float(self.middles.max()) + ROW)

    # ---- in sight

    def fit(self) -> None:
        bounds, room = self.bounds, self.rect()
        if bounds.isEmpty() or room.width() <= 2 * MARGIN or room.height() <= 2 * MARGIN:
            return
        wanted = min((room.width() - 2 * MARGIN) / bounds.width(), (room.height() - 2 * MARGIN) / bounds.height())
        self.scale = min(max(wanted, LEAST), 1.0)
        spare = room.height() - 2 * MARGIN - bounds.height() * self.scale
        self.origin = QPointF(MARGIN, MARGIN + max(0.0, spare / 2) - bounds.top() * self.scale)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_twig(self.current)

    def begin(self) -> None:
        """All of it, or as much as can be read."""
        self.fit()
        if self.scale < 0.8:
            self.scale = 1.0

    def show_twig(self, twig: int) -> None:
        if self.shown is None or not len(self.begins):
            return
        self.bring_in(self.place(twig), MARGIN)
        room = QRectF(self.rect())
        bounds = self.bounds
        if (high := bounds.height() * self.scale) < room.height():  # all of it is in the middle
            self.origin.setY(room.center().y() - high / 2 - bounds.top() * self.scale)

    def part_at(self, at: QPointF) -> int | None:
        if self.shown is None:
            return None
        x, y = ((at - self.origin) / self.scale).toTuple()
        near = max(ROW / 2, 5 / self.scale)
        on = (self.begins <= x) & (x <= self.begins + self.length) & (np.abs(self.middles - y) <= near)
        hits = np.flatnonzero(on)
        if not len(hits):
            return None
        run = int(hits[np.argmin(np.abs(self.middles[hits] - y))])
        twigs = self.shown.outline.runs[run]
        k = bisect_right(self.at[run], x - self.begins[run]) - 1
        return twigs[min(max(k, 0), len(twigs) - 1)]

    # ---- painting

    def draw(self, painter: QPainter, area: QRectF) -> None:
        painter.save()
        painter.translate(self.origin)
        painter.scale(self.scale, self.scale)
        sight = QRectF((area.topLeft() - self.origin) / self.scale, area.size() / self.scale)
        self.paint_part(painter, sight, self.scale)
        painter.restore()

    def paint_part(self, painter: QPainter, sight: QRectF, scale: float) -> None:
        """What of the tree lies in ``sight``, at scale 1."""
        shown = self.shown
        if shown is None or not len(self.begins):
            return
        if scale < READABLE:
            self._overview(painter, scale)
            return
        parents = np.array(shown.outline.run_parent)
        above = np.where(parents >= 0, self.middles[parents], self.middles)
        top, bottom = np.minimum(above, self.middles) - ROW, np.maximum(above, self.middles) + ROW
        seen = (self.begins <= sight.right()) & (self.begins + self.length >= sight.left())
        seen &= (top <= sight.bottom()) & (bottom >= sight.top())
        runs = np.flatnonzero(seen).tolist()
        self._readable(painter, runs, sight)

    def paint_focus(self, painter: QPainter) -> None:
        area = self.on_screen(self.place(self.current))
        above = (ROW / 2 - TALL - 1) * self.scale
        painter.drawRoundedRect(area.adjusted(-3, above, -1, 0), 4, 4)

    def _overview(self, painter: QPainter, scale: float) -> None:
        """Lines only, those of one colour and width at once."""
        shown = self.shown
        assert shown is not None
        if self._lines is None or self._lines[0] is not shown:
            self._lines = shown, *self._gathered(shown)
        _, lines, ways = self._lines
        for (shade, wide), group in lines.items():
            painter.setPen(QPen(colour_of(self.theme, shade), max(wide, 1.0 / scale)))
            painter.drawLines(group)
        painter.setPen(QPen(self.theme.color("accent"), max(2.0, 1.6 / scale)))
        painter.drawLines(ways)
        here = self.place(shown.here)
        painter.setBrush(self.theme.color("accent"))
        painter.drawEllipse(QPointF(here.right(), here.center().y() + UNDER), 4 / scale, 4 / scale)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _gathered(self, shown: Shown) -> tuple[Lines, list[QLineF]]:
        """The lines of all runs by colour and width, and those of the way to where one stands."""
        lines: Lines = {}
        ways: list[QLineF] = []
        for run in range(len(shown.outline.runs)):
            twigs = shown.outline.runs[run]
            x, y = float(self.begins[run]), float(self.middles[run]) + UNDER
            parent = shown.outline.run_parent[run]
            start = x + self.at[run][0]
            end = x + float(self.length[run])
            known = [shown.shade[twig] for twig in twigs if shown.shade[twig] >= 0]
            shade = sum(known) // len(known) // 8 * 8 if known else -1
            probs = [shown.probs[twig] for twig in twigs if shown.shade[twig] >= 0]
            wide = round(breadth(sum(probs) / len(probs))) if probs else 1
            into = lines.setdefault((shade, wide), [])
            into.append(QLineF(start, y, end, y))
            if parent >= 0:
                into.append(QLineF(x, float(self.middles[parent]) + UNDER, start, y))
            if twigs[0] in shown.on_way:
                last = max(k for k, twig in enumerate(twigs) if twig in shown.on_way)
                ways.append(QLineF(start, y, x + self.at[run][last + 1], y))
                if parent >= 0:
                    ways.append(QLineF(x, float(self.middles[parent]) + UNDER, start, y))
        return lines, ways

    def _readable(self, painter: QPainter, runs: list[int], sight: QRectF) -> None:
        shown, theme = self.shown, self.theme
        assert shown is not None
        text, words, small = fixed_font(SIZE), interface_font(SIZE), interface_font(SIZE - 3)
        inks = {(ink, pale): theme.color(ink, 0.6 if pale else 1.0) for ink in INKS for pale in (False, True)}
        for run in runs:
            twigs, places = shown.outline.runs[run], self.at[run]
            x, y = float(self.begins[run]), float(self.middles[run])
            parent = shown.outline.run_parent[run]
            if parent >= 0:
                self._link(painter, x, float(self.middles[parent]) + UNDER, x + places[0], y + UNDER, twigs[0])
            first = max(0, bisect_right(places, sight.left() - x) - 1)
            stop = min(len(twigs), bisect_left(places, sight.right() - x) + 1)
            for k in range(first, stop):
                twig, left, right = twigs[k], x + places[k], x + places[k + 1] - GAP
                on_way, laid = twig in shown.on_way, not shown.outline.nodes[twig]
                if twig == shown.here or twig in shown.lit:
                    painter.fillRect(
                        QRectF(left - 2, y - TALL, right - left + 4, TALL + UNDER), theme.color("accent_soft")
                    )
                self._pen(painter, twig, laid)
                painter.drawLine(QLineF(left, y + UNDER, right + GAP, y + UNDER))
                if twig in shown.gold:
                    painter.setPen(QPen(QColor(theme.warning), 1.5, Qt.PenStyle.DotLine))
                    painter.drawLine(QLineF(left, y + UNDER + 4.5, right + GAP, y + UNDER + 4.5))
                said, is_text = shown.text(twig)
                painter.setFont(text if is_text else words)
                ink = "accent" if twig == shown.here else "text" if on_way else "muted"
                painter.setPen(inks[ink, laid and twig not in shown.gold])
                painter.drawText(QPointF(left, y + 3), said)
                if twig in shown.compared:
                    painter.setPen(QPen(theme.color("accent"), 1.5))
                    painter.drawRoundedRect(QRectF(left - 2, y - TALL, right - left + 4, TALL + UNDER + 1), 3, 3)
                name = shown.name(twig)
                if said := name or (shown.tries(twig) if k == 0 else ""):
                    painter.setFont(small)
                    painter.setPen(theme.color("accent" if name else "muted"))
                    painter.drawText(QPointF(left, y - ROW / 2 + 4), said)

    def _pen(self, painter: QPainter, twig: int, laid: bool) -> None:
        shown = self.shown
        assert shown is not None
        wide = round(breadth(shown.probs[twig]), 1)
        key = shown.shade[twig], wide, laid
        if (pen := self._pens.get(key)) is None:
            pen = self._pens[key] = QPen(colour_of(self.theme, shown.shade[twig]), wide)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            if laid:
                pen.setDashPattern([4.0 / wide, 3.0 / wide])
        painter.setPen(pen)

    def _link(self, painter: QPainter, x0: float, y0: float, x1: float, y1: float, twig: int) -> None:
        assert self.shown is not None
        path = QPainterPath(QPointF(x0, y0))
        middle = (x0 + x1) / 2
        path.cubicTo(QPointF(middle, y0), QPointF(middle, y1), QPointF(x1, y1))
        self._pen(painter, twig, not self.shown.outline.nodes[twig])
        painter.drawPath(path)
