"""Where the bytes of a line stand on the screen, in every script: joined letters, right-to-left runs, clusters."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

from PySide6.QtGui import QTextLayout, QTextLine

from arplay.gui.canvases.text.line_spacing import VisibleLine
from arplay.gui.canvases.text.shown import ShownText

_POSITIONS = QTextLayout.GlyphRunRetrievalFlag.RetrieveGlyphPositions
_INDEXES = QTextLayout.GlyphRunRetrievalFlag.RetrieveGlyphIndexes
_LEADING, _TRAILING = QTextLine.Edge.Leading, QTextLine.Edge.Trailing
_TOUCH = 0.75
"""Parts that are no further from each other are one."""

Span = tuple[float, float]
Cell = tuple[int, int, float, float, bool]
"""The bytes [start, end) of what the eye cannot take apart, its left and right edge, whether it reads leftwards."""


class LineCells:
    """A line as Qt drew it. A token that is only a part of a letter has that part of the letter's width."""

    def __init__(self, line: VisibleLine, shown: ShownText) -> None:
        self.line, self._shown = line, shown
        self.start, self.end = shown.byte(line.start), shown.byte(line.end)
        self._plain = shown.data[self.start : self.end].isascii()
        self._known: dict[tuple[int, bool], float] = {}

    def spans(self, low: int, high: int) -> list[Span]:
        """The left and right edges of what bytes [low, high) fill on this line, from left to right."""
        low, high = max(low, self.start), min(high, self.end)
        if low >= high:
            return []
        if not self.line.two_ways:
            return _joined([(self._x(low, True), self._x(high, False))])
        parts = []
        for start, end, left, right, leftwards in self.cells:
            if start < high and low < end:
                a, b = max(low - start, 0) / (end - start), min(high - start, end - start) / (end - start)
                wide = right - left
                parts.append((right - wide * b, right - wide * a) if leftwards else (left + wide * a, left + wide * b))
        return _joined(sorted(parts))

    def byte_at(self, x: float) -> int | None:
        """The byte whose part of a letter is under ``x``; None beside the line."""
        for start, end, left, right, leftwards in self.cells:
            if left <= x < right:
                part = (right - x if leftwards else x - left) / (right - left)
                return min(start + int(part * (end - start)), end - 1)
        return None

    def _x(self, byte: int, begins: bool) -> float:
        """Where a byte of a line that reads rightwards begins, or the one before it ends; a token ends where another
        begins, and is painted in several ways, so Qt is asked once."""
        place = byte, begins and self.line.composed > 0
        x = self._known.get(place)
        if x is None:
            x = self._known[place] = self._asked_x(byte, begins)
        return x

    def _asked_x(self, byte: int, begins: bool) -> float:
        letter, shown, line = self.letter(byte), self._shown, self.line
        if letter is None:
            return line.x(shown.unit(byte), begins)
        low, high = letter
        left, right = line.x(shown.unit(low)), line.x(shown.unit(high), False)
        return left + (right - left) * (byte - low) / (high - low)

    def letter(self, byte: int) -> tuple[int, int] | None:
        """The bytes of the letter that ``byte`` is inside of; None where a letter begins or the line ends."""
        shown, line = self._shown, self.line
        if self._plain or not self.start < byte < self.end:
            return None
        unit = shown.floor(byte)
        place = line.place(unit)
        if shown.unit(byte) == unit and line.layout.isValidCursorPosition(place):
            return None
        low = shown.byte(line.unit(line.layout.previousCursorPosition(place + 1)))
        high = shown.byte(line.unit(line.layout.nextCursorPosition(place)))
        return (low, high) if low < byte < high else None

    @cached_property
    def cells(self) -> list[Cell]:
        """In the order of the text."""
        line, byte = self.line, self._shown.byte
        place, last = line.place(line.start), line.place(line.end, False)
        found: list[Cell] = []
        while place < last:
            after = min(max(line.layout.nextCursorPosition(place), place + 1), last)  # Qt stays where it knows no next
            low, high = byte(line.unit(place)), byte(line.unit(after))
            if low < high:
                left, right, leftwards = self._edges(place, after)
                found.append((low, high, line.origin.x() + left, line.origin.x() + right, leftwards))
            place = after
        return _filled(found) if line.two_ways else found

    def _edges(self, place: int, after: int) -> tuple[float, float, bool]:
        """Of the letter at a place of the layout, in the line."""
        line = self.line.line
        if not self.line.two_ways:
            left, right = (float(line.cursorToX(at)[0]) for at in (place, after))  # type: ignore[index]
            return left, right, False
        leading, trailing = (float(line.cursorToX(place, edge)[0]) for edge in (_LEADING, _TRAILING))  # type: ignore[index]
        if leading != trailing:
            return min(leading, trailing), max(leading, trailing), trailing < leading
        # where directions meet, Qt tells the end of the text before instead
        runs = line.glyphRuns(place, after - place, _POSITIONS | _INDEXES)
        lefts = [at.x() for run in runs for at in run.positions()]
        wides = [one.x() for run in runs for one in run.rawFont().advancesForGlyphIndexes(run.glyphIndexes())]
        if not lefts:
            return leading, leading, False
        return min(lefts), max(map(sum, zip(lefts, wides, strict=True))), runs[0].isRightToLeft()


def _filled(cells: list[Cell]) -> list[Cell]:
    """A tab where directions meet has no glyph and no width of its own: it takes the gap that it made."""
    edges = sorted((left, right) for _, _, left, right, _ in cells if right > left)
    gaps = [(a[1], b[0]) for a, b in pairwise(edges) if b[0] - a[1] > _TOUCH]
    if not gaps:
        return cells
    return [_in_gap(cell, gaps) if cell[2] == cell[3] else cell for cell in cells]


def _in_gap(cell: Cell, gaps: list[Span]) -> Cell:
    start, end, x, _, leftwards = cell
    left, right = next((gap for gap in gaps if gap[0] - _TOUCH <= x <= gap[1] + _TOUCH), (x, x))
    return start, end, left, right, leftwards


def _joined(parts: list[Span]) -> list[Span]:
    """Parts that touch made one, those without width left out."""
    found: list[Span] = []
    for left, right in parts:
        if found and left - found[-1][1] < _TOUCH:
            found[-1] = found[-1][0], max(found[-1][1], right)
        elif right > left:
            found.append((left, right))
    return found
