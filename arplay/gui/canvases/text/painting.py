"""What the editor paints below and above its text: tokens and their colours, kept ids, what was found, the caret."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QTextLayout

from arplay.core.rising import place_in
from arplay.gui.canvases.text.cells import LineCells
from arplay.gui.canvases.text.field import TextField
from arplay.gui.canvases.text.hidden import paint_signs
from arplay.gui.theme import SPACE, TEXT, interface_font
from arplay.gui.widgets.heat.scale import PLAIN, UNSCORED

NEWLINE_WIDTH = 8.0
"""A newline has no width of its own; a token that holds one is drawn this much further."""
RISE = 3.0
"""How far the colour of a token reaches above and below its letters."""

Token = tuple[int, int, int]
"""The index of a token, and its bytes [low, high)."""


def paint_below(area: TextField, lines: list[LineCells]) -> None:
    """Under the text: every other token has a faint ground, or each one the colour of its score."""
    painter = QPainter(area.viewport())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    if area.marks.tokens == "borders":
        _paint_borders(painter, area, lines)
    elif area.marks.tokens == "colours":
        _paint_colourless(painter, area, lines)
    if area.marks.tokens != "colours" and area.marks.selected is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(area.theme.color("accent_soft"))
        for rect in _rects(lines, *area.marks.selected, RISE):
            painter.drawRoundedRect(rect.adjusted(0, 0, -0.5, 0), 3, 3)
    if area.marks.tokens != "off":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(area.theme.color("muted", 0.8))
        for byte in _bare(area, lines):
            _notch(painter, area, lines, byte, 2.0)
    painter.end()


def paint_above(area: TextField, lines: list[LineCells]) -> None:
    """Over the text: its ink on colours, lines under kept tokens, frames, bytes as figures, signs, and the caret."""
    marks, theme = area.marks, area.theme
    painter = QPainter(area.viewport())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if marks.tokens == "colours":
        _paint_ink(painter, area, lines)
    fixed = [(low, high) for index, low, high in visible_tokens(area, lines) if marks.fixed[index]]
    _underline(painter, lines, fixed, 2.5, QPen(theme.color("accent", 0.65), 1.5))
    _underline(painter, lines, marks.departures, 4.5, QPen(theme.color("muted"), 2, Qt.PenStyle.DotLine))
    _paint_found(painter, area, lines)
    _paint_selected(painter, area, lines)
    _paint_rewound(painter, area, lines)
    for cells in lines:
        paint_signs(painter, area, cells)
    if not area.shown.data and area.hint and lines and not area.composing():
        _paint_hint(painter, area, lines[0])
    if area.shows_ghost and lines:
        _paint_ghost(painter, area, lines[-1])
    if area.shows_caret:
        caret = QRectF(area.cursorRect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(QRectF(caret.left(), caret.top() - 2, 2, caret.height() + 4), theme.color("accent"))
    painter.end()


def visible_tokens(area: TextField, lines: list[LineCells]) -> list[Token]:
    """The tokens that the lines on the screen touch."""
    ends = area.marks.ends
    if not lines or not len(ends):
        return []
    first = place_in(ends, lines[0].start, "right")
    last = place_in(ends, lines[-1].end, "right") + 1
    places = ends[first:last]
    highs = places[places <= len(area.shown.data)].tolist()
    lows = [int(ends[first - 1]) if first else 0, *highs][: len(highs)]  # marks of a longer text may reach past its end
    return list(zip(range(first, first + len(highs)), lows, highs, strict=True))


def byte_under(lines: Iterable[LineCells], point: QPointF) -> int | None:
    """The byte whose letter, or part of a letter, is under ``point``; None beside the text."""
    for cells in lines:
        if cells.line.top <= point.y() < cells.line.top + cells.line.height:
            return cells.byte_at(point.x())
    return None


# ---- parts


def _paint_borders(painter: QPainter, area: TextField, lines: list[LineCells]) -> None:
    painter.setBrush(area.theme.color("text", 0.065))
    tokens = visible_tokens(area, lines)
    shaded = area.shaded(tokens[0][0], tokens[-1][0] + 1) if tokens else []
    for (_, low, high), every_other in zip(tokens, shaded, strict=True):
        if every_other:
            for rect in _rects(lines, low, high, 1.5):
                painter.drawRoundedRect(rect.adjusted(0.5, 0, -0.5, 0), 3, 3)


def _paint_colourless(painter: QPainter, area: TextField, lines: list[LineCells]) -> None:
    """A token that cannot be scored is hatched, one without a score of this moment has a line below it."""
    hatch = QBrush(area.theme.color("muted", 0.45), Qt.BrushStyle.BDiagPattern)
    for (_, low, high), shade in shades(area, lines):
        if shade >= 0:
            continue
        for rect in _rects(lines, low, high, RISE):
            if shade == UNSCORED:
                painter.fillRect(_cell(rect), hatch)
            else:
                painter.fillRect(QRectF(rect.x(), rect.bottom() - 1, rect.width() - 1, 1), area.theme.color("border"))


def shades(area: TextField, lines: list[LineCells]) -> Iterator[tuple[Token, int]]:
    """The visible tokens that own bytes, each with the number of its colour (PLAIN: no score of this moment)."""
    tokens, marks = visible_tokens(area, lines), area.marks
    if not tokens:
        return
    first, stop = tokens[0][0], min(tokens[-1][0] + 1, marks.known)
    known = area.scale.shade(marks.ledger, first, stop) if marks.ledger is not None and first < stop else []
    for token in tokens:
        if token[1] < token[2]:
            at = token[0] - first
            yield token, known[at] if at < len(known) else PLAIN


def _paint_ink(painter: QPainter, area: TextField, lines: list[LineCells]) -> None:
    """The heatmap's colours, and on each the text in the ink that can be read there; not where text is selected."""
    coloured = [(low, high, shade) for (_, low, high), shade in shades(area, lines) if shade >= 0]
    for low, high, shade in coloured:
        for start, end in _unselected(area, low, high):
            for rect in _rects(lines, start, end, RISE):
                painter.fillRect(_cell(rect), area.scale.fills[shade])
    paths: dict[bool, QPainterPath] = {False: QPainterPath(), True: QPainterPath()}
    for low, high, inside in _letters(lines, coloured):
        for start, end in _unselected(area, low, high):
            for rect in _rects(lines, start, end, RISE):
                paths[area.scale.dark_on(inside)].addRect(rect)
    for dark, path in paths.items():
        painter.save()
        painter.setClipPath(path)
        painter.setPen(QColor("#000000" if dark else "#ffffff"))
        for cells in lines:
            cells.line.line.draw(painter, cells.line.origin)
        painter.restore()


def _letters(lines: list[LineCells], coloured: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, list[int]]]:
    """Stretches of bytes that have one ink, with their colours: a letter that several tokens share is one."""
    shared: tuple[int, int] | None = None
    inside: list[int] = []
    for start, end, shade in coloured:
        if shared is not None and start < shared[1]:
            inside.append(shade)
            if end < shared[1]:
                continue
            start = shared[1]
        if shared is not None:
            yield *shared, inside
            shared = None
        letter = _letter(lines, end) if start < end else None
        stop = end if letter is None else max(start, letter[0])
        if start < stop:
            yield start, stop, [shade]
        if letter is not None:
            shared, inside = letter, [shade]
    if shared is not None:
        yield *shared, inside


def _letter(lines: list[LineCells], byte: int) -> tuple[int, int] | None:
    """The letter that ``byte`` is inside of."""
    return next((cells.letter(byte) for cells in lines if cells.start < byte < cells.end), None)


def _unselected(area: TextField, low: int, high: int) -> Iterator[tuple[int, int]]:
    """What the user's selection leaves of bytes [low, high)."""
    cursor = area.textCursor()
    start, end = area.shown.byte(cursor.selectionStart()), area.shown.byte(cursor.selectionEnd())
    if start >= end or high <= start or low >= end:
        yield low, high
        return
    if low < start:
        yield low, start
    if end < high:
        yield end, high


def _paint_found(painter: QPainter, area: TextField, lines: list[LineCells]) -> None:
    """A frame around everything that was found, a thick one around where the search stands."""
    found = area.marks.found
    if not lines or found is None:
        return
    spans = found.spans
    painter.setBrush(Qt.BrushStyle.NoBrush)
    first = int(np.searchsorted(spans[:, 1], lines[0].start, side="right"))
    last = int(np.searchsorted(spans[:, 0], lines[-1].end, side="left"))
    for index in range(first, last):
        here = index == found.at
        painter.setPen(QPen(area.theme.color("accent" if here else "outline"), 2 if here else 1))
        for rect in _rects(lines, int(spans[index, 0]), int(spans[index, 1]), RISE):
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)


def _paint_selected(painter: QPainter, area: TextField, lines: list[LineCells]) -> None:
    """The tokens that light up everywhere: a frame, so that their colours stay."""
    if area.marks.selected is None:
        return
    low, high = area.marks.selected
    if low == high:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(area.theme.color("accent"))
        _notch(painter, area, lines, low, 3.0)
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(area.theme.color("accent"), 1.5))
    for rect in _rects(lines, low, high, RISE):
        painter.drawRoundedRect(rect.adjusted(0, 0, -0.5, 0), 3, 3)


def _paint_rewound(painter: QPainter, area: TextField, lines: list[LineCells]) -> None:
    """What Rewind would take away is struck out; what it would only go back over has a dotted frame."""
    if area.marks.rewound is None:
        return
    warning = area.theme.color("warning")
    painter.setPen(QPen(warning, 1.5, Qt.PenStyle.SolidLine if area.marks.taken else Qt.PenStyle.DotLine))
    painter.setBrush(area.theme.color("warning", 0.25) if area.marks.taken else Qt.BrushStyle.NoBrush)
    for rect in _rects(lines, *area.marks.rewound, RISE):
        painter.drawRoundedRect(rect.adjusted(0.5, 0, -0.5, 0), 3, 3)
        if area.marks.taken:
            painter.drawLine(QLineF(rect.left(), rect.center().y(), rect.right(), rect.center().y()))


def _paint_ghost(painter: QPainter, area: TextField, cells: LineCells) -> None:
    """Pale behind the caret, and on lines of its own where there is no room or the text runs to the left."""
    caret, margin = QRectF(area.cursorRect()), area.document().documentMargin()
    step, right = area.line_step, area.viewport().width() - margin
    left, top = (margin, caret.top() + step) if cells.line.two_ways else (caret.left(), caret.top())
    painter.setPen(area.theme.color("muted", 0.75))
    for paragraph in area.ghost.split("\n"):
        layout = QTextLayout(paragraph, area.font())
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1.0, right - left))
            if line.naturalTextWidth() > right - left > 0 and left > margin:  # not even a word fits
                left, top = margin, top + step
                line.setLineWidth(right - left)
            line.setPosition(QPointF(left, top))
            left, top = margin, top + step
        layout.endLayout()
        layout.draw(painter, QPointF(0, 0))


def _paint_hint(painter: QPainter, area: TextField, cells: LineCells) -> None:
    """What to do, where there is no text."""
    painter.setFont(interface_font(TEXT))
    painter.setPen(area.theme.color("muted"))
    left, top = cells.line.x(cells.line.start) + 8, cells.line.top
    place = QRectF(area.viewport().rect()).adjusted(left, top, -SPACE[1], -SPACE[1])
    painter.drawText(place, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, area.hint)


def _bare(area: TextField, lines: list[LineCells]) -> list[int]:
    """Where tokens on the screen stand that own no bytes of the text."""
    if not lines:
        return []
    ends = area.marks.ends
    first, stop = place_in(ends, lines[0].start), place_in(ends, lines[-1].end, "right")
    before = int(ends[first - 1]) if first else 0
    seen: list[int] = np.unique(ends[first:stop][np.diff(ends[first:stop], prepend=before) == 0]).tolist()
    return seen


def _notch(painter: QPainter, area: TextField, lines: list[LineCells], byte: int, half: float) -> None:
    """A small triangle on top of the line, pointing at the place between two characters."""
    for cells in lines:
        if cells.start <= byte < cells.end or (byte == cells.end and cells.line.last):
            x, top = cells.line.x(area.shown.unit(byte)), cells.line.top - 3.0
            painter.drawPolygon([QPointF(x - 2 * half, top), QPointF(x + 2 * half, top), QPointF(x, top + 2 * half)])


def _rects(lines: list[LineCells], low: int, high: int, rise: float) -> Iterator[QRectF]:
    """What bytes [low, high) fill on the screen; a newline at their end fills a little."""
    for at in range(bisect_left(lines, low, key=_end), len(lines)):
        cells = lines[at]
        line = cells.line
        if cells.start >= high:
            return
        spans = cells.spans(low, high)
        if line.last and low <= cells.end < high:
            end = line.x(line.end)
            spans = [*spans[:-1], (spans[-1][0], end + NEWLINE_WIDTH)] if spans and spans[-1][1] >= end - 1 else spans
            spans = spans or [(end, end + NEWLINE_WIDTH)]
        for left, right in spans:
            yield QRectF(left, line.top - rise, right - left, line.height + 2 * rise)


def _end(cells: LineCells) -> int:
    return cells.end


def _cell(rect: QRectF) -> QRectF:
    """A narrow gap tells a token from its neighbour of the same colour; a part of a letter has no room for it."""
    return rect.adjusted(0, 0, -1, 0) if rect.width() > 6 else rect


def _underline(
    painter: QPainter, lines: list[LineCells], stretches: Iterable[tuple[int, int]], drop: float, pen: QPen
) -> None:
    strokes = [
        QLineF(rect.left() + 1, rect.bottom() + drop - 1, rect.right() - 1, rect.bottom() + drop - 1)
        for low, high in stretches
        for rect in _rects(lines, low, high, 0)
    ]
    painter.setPen(pen)
    painter.drawLines(strokes)
