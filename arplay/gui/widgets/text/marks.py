"""What the editor paints below and above its text: pieces, the one in question, kept ids, hidden signs, the caret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from arplay.core.pieces import Ids
from arplay.core.spans import to_text
from arplay.gui.theme import SPACE, TEXT, interface_font
from arplay.gui.widgets.text.airy import VisibleLine
from arplay.gui.widgets.text.shown import label, needs_label

if TYPE_CHECKING:
    from arplay.gui.widgets.text.area import TextArea

NEWLINE_WIDTH = 8.0
"""A newline has no width of its own; a token that holds one is drawn this much further."""
_HIDDEN_SIGNS = {" ": "·", "\t": "→", "\u00a0": "⍽"}


@dataclass(frozen=True, eq=False, slots=True)
class Marks:
    """Pieces of the text by the byte where each ends, which of them have kept ids, and what is to be shown of them.

    ``selected``: bytes of the piece that lights up everywhere. ``departures``: bytes whose ids are not canonical.
    """

    ends: Ids
    fixed: NDArray[np.bool_]
    selected: tuple[int, int] | None = None
    departures: tuple[tuple[int, int], ...] = ()
    boundaries: bool = True
    hidden: bool = False

    def after(self, start: int, old_end: int, new_end: int) -> Marks:
        """The marks to show until the new pieces are known: those outside of the bytes that were replaced."""
        moved = new_end - old_end
        before, behind = self.ends <= start, self.ends >= old_end
        behind &= ~before
        ends = np.concatenate([self.ends[before], self.ends[behind] + moved])
        fixed = np.concatenate([self.fixed[before], self.fixed[behind]])
        departures = tuple(
            (low + moved, high + moved) if low >= old_end else (low, high)
            for low, high in self.departures
            if high <= start or low >= old_end
        )
        return replace(self, ends=ends, fixed=fixed, departures=departures, selected=None)


NO_MARKS = Marks(np.zeros(0, np.int64), np.zeros(0, bool))


def unit_under(lines: Iterable[VisibleLine], point: QPointF) -> int | None:
    """The UTF-16 unit whose character is under ``point``, or None beside the text."""
    for line in lines:
        if line.top <= point.y() < line.top + line.height:
            for unit in range(line.start, line.end):
                low, high = sorted((line.x(unit), line.x(unit + 1)))
                if low <= point.x() < high:
                    return unit
    return None


def paint_below(area: TextArea) -> None:
    """Under the text: every other piece has a faint ground, the selected one a clear one."""
    marks, theme, shown = area.marks, area.theme, area.shown
    lines = area.visible_lines()
    painter = QPainter(area.viewport())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    if marks.boundaries and lines:
        painter.setBrush(theme.color("text", 0.065))
        shaded = np.cumsum(np.diff(marks.ends, prepend=0) > 0) % 2 == 0
        for index, low, high in _visible_pieces(area, lines):
            if shaded[index]:
                _ground(painter, lines, low, high)
        painter.setBrush(theme.color("muted", 0.8))
        for unit in _bare(area, lines):
            _notch(painter, lines, unit, 2.0)
    if marks.selected is not None:
        painter.setBrush(theme.color("accent_soft"))
        painter.setPen(QPen(theme.color("accent", 0.55), 1))
        low, high = marks.selected
        if low < high:
            _ground(painter, lines, shown.floor(low), shown.unit(high))
        else:
            painter.setBrush(theme.color("accent"))
            _notch(painter, lines, shown.unit(low), 3.0)
    painter.end()


def paint_above(area: TextArea) -> None:
    """Over the text: lines under kept and departing pieces, bytes as figures, hidden signs, and the caret."""
    marks, theme, shown = area.marks, area.theme, area.shown
    lines = area.visible_lines()
    painter = QPainter(area.viewport())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for index, low, high in _visible_pieces(area, lines):
        if marks.fixed[index]:
            _underline(painter, lines, low, high, 2.5, QPen(theme.color("accent", 0.65), 1.5))
    for first, last in marks.departures:
        pen = QPen(theme.color("warning"), 2, Qt.PenStyle.DotLine)
        _underline(painter, lines, shown.floor(first), shown.unit(last), 4.5, pen)
    for line in lines:
        _signs(painter, area, line)
    if not shown.data and area.hint and lines and not area.composing():
        _hint(painter, area, lines[0])
    caret = QRectF(area.cursorRect())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(QRectF(caret.left(), caret.top() - 2, 2, caret.height() + 4), theme.color("accent"))
    painter.end()


def _hint(painter: QPainter, area: TextArea, line: VisibleLine) -> None:
    """What to do, where there is no text."""
    painter.setFont(interface_font(TEXT))
    painter.setPen(area.theme.color("muted"))
    place = QRectF(area.viewport().rect()).adjusted(line.x(line.start) + 8, line.top, -SPACE[1], -SPACE[1])
    painter.drawText(place, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, area.hint)


def _visible_pieces(area: TextArea, lines: list[VisibleLine]) -> Iterator[tuple[int, int, int]]:
    """(index, first unit, end unit) of every piece that the lines on the screen touch."""
    ends, shown = area.marks.ends, area.shown
    if not lines or not len(ends):
        return
    first = int(np.searchsorted(ends, shown.byte(lines[0].start), side="right"))
    last = int(np.searchsorted(ends, shown.byte(lines[-1].end), side="right")) + 1
    places = ends[max(first - 1, 0) : last]
    units = shown.units(places[places <= len(shown.data)]).tolist()
    if first == 0:
        units.insert(0, 0)
    for offset, (low, high) in enumerate(pairwise(units)):
        yield first + offset, low, high


def _bare(area: TextArea, lines: list[VisibleLine]) -> list[int]:
    """The units at which pieces on the screen stand that own no bytes of the text."""
    places, shown = area.marks.ends[np.diff(area.marks.ends, prepend=0) == 0], area.shown
    low, high = shown.byte(lines[0].start), shown.byte(lines[-1].end)
    return list(shown.units(np.unique(places[(places >= low) & (places <= high)])).tolist())


def _notch(painter: QPainter, lines: list[VisibleLine], unit: int, half: float) -> None:
    """A small triangle on top of the line, pointing at the place between two characters."""
    for line in lines:
        if line.start <= unit < line.end or (unit == line.end and line.last):
            x, top = line.x(unit), line.top - 3.0
            painter.drawPolygon([QPointF(x - 2 * half, top), QPointF(x + 2 * half, top), QPointF(x, top + 2 * half)])


def _spans(lines: list[VisibleLine], low: int, high: int) -> Iterator[tuple[VisibleLine, float, float]]:
    """The parts of units [low, high) on each visible line, as left and right edges."""
    for line in lines:
        if line.end < low or line.start >= high:
            continue
        start, end = max(low, line.start), min(high, line.end)
        left, right = sorted((line.x(start), line.x(end)))
        if line.last and start <= line.end < high:
            right += NEWLINE_WIDTH
        if right > left:
            yield line, left, right


def _ground(painter: QPainter, lines: list[VisibleLine], low: int, high: int) -> None:
    for line, left, right in _spans(lines, low, high):
        painter.drawRoundedRect(QRectF(left + 0.5, line.top - 1.5, right - left - 1, line.height + 3), 3, 3)


def _underline(painter: QPainter, lines: list[VisibleLine], low: int, high: int, drop: float, pen: QPen) -> None:
    painter.setPen(pen)
    for line, left, right in _spans(lines, low, high):
        y = line.top + line.height + drop - 1
        painter.drawLine(QPointF(left + 1, y), QPointF(right - 1, y))


def _signs(painter: QPainter, area: TextArea, line: VisibleLine) -> None:
    """Signs that the plain text cannot show: values of broken bytes, and spaces and newlines where asked for."""
    data = area.shown.data[area.shown.byte(line.start) : area.shown.byte(line.end)]
    if not area.marks.hidden and not needs_label(data):
        return
    painter.setFont(area.font())
    unit = line.start
    for char in to_text(data):
        width = 2 if char > "\uffff" else 1
        figures = label(char)
        if figures:
            _box(painter, area, _cell(line, unit, width), figures)
        elif area.marks.hidden and char in _HIDDEN_SIGNS:
            painter.setPen(_faint(area))
            painter.drawText(_cell(line, unit, width), Qt.AlignmentFlag.AlignCenter, _HIDDEN_SIGNS[char])
        unit += width
    if area.marks.hidden and line.last and line.end < area.shown.length:
        painter.setPen(_faint(area))
        end = line.x(line.end)
        painter.drawText(QRectF(end, line.top, 20, line.height), Qt.AlignmentFlag.AlignLeft, "↵")


def _box(painter: QPainter, area: TextArea, cell: QRectF, figures: str) -> None:
    """Two figures, one above the other, in a box as wide as a letter."""
    theme, half = area.theme, cell.height() / 2
    painter.save()
    painter.setPen(QPen(theme.color("border"), 1))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(cell.adjusted(0.5, -1, -0.5, 1), 2, 2)
    painter.setFont(interface_font(round(cell.height() * 0.5)))
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(cell.x(), cell.y(), cell.width(), half), Qt.AlignmentFlag.AlignCenter, figures[0])
    painter.drawText(QRectF(cell.x(), cell.y() + half, cell.width(), half), Qt.AlignmentFlag.AlignCenter, figures[1])
    painter.restore()


def _cell(line: VisibleLine, unit: int, width: int) -> QRectF:
    left, right = sorted((line.x(unit), line.x(unit + width)))
    return QRectF(left, line.top, right - left, line.height)


def _faint(area: TextArea) -> QColor:
    return area.theme.color("muted", 0.8)
