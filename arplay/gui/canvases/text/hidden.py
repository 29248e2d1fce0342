"""Signs of what plain text cannot show: broken bytes and controls, and spaces and newlines where asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QTextBlock, QTextCharFormat, QTextLayout

from arplay.core.modalities.spans import to_bytes, to_text
from arplay.gui.canvases.text.cells import LineCells
from arplay.gui.canvases.text.heat.signs import CHIP_SCALE, chip_columns
from arplay.gui.canvases.text.shown import BROKEN, FAR_HIDDEN, HIDDEN, ShownText
from arplay.gui.theme import fixed_font

if TYPE_CHECKING:
    from arplay.gui.canvases.text.area import TextArea

MANY = 2_000
"""Signs of one line that Qt lays out with room of their own; those of what is no text are squeezed into a letter's."""
_STAND_INS = HIDDEN, BROKEN, FAR_HIDDEN
_BLANKS = {" ": "·", "\t": "→", "\u00a0": "⍽"}


def looks(block: QTextBlock, shown: ShownText) -> list[QTextLayout.FormatRange]:
    """What makes the characters of a block that a sign is painted over as wide as that."""
    text, found = block.text(), list[QTextLayout.FormatRange]()
    if not 0 < sum(map(text.count, _STAND_INS)) <= MANY:
        return found
    base, units = block.position(), text.encode("utf-16-le", "surrogatepass")
    composing = block.layout().preeditAreaPosition()
    composed = len(block.layout().preeditAreaText().encode("utf-16-le", "surrogatepass")) // 2
    look, stop = None, -1
    for byte, end, name in shown.signs(shown.byte(base), shown.byte(base + block.length() - 1)):
        start, former, last = shown.unit(byte) - base, stop, look
        stop = shown.unit(end) - base
        stand_in = units[2 * start : 2 * stop].decode("utf-16-le", "replace")
        if stand_in not in _STAND_INS:  # Qt has just changed the text by itself, which is not told yet
            return []
        look = _look(stand_in, chip_columns(name))
        if start == former and look is last and start != composing:
            found[-1].length += stop - start
            continue
        made = QTextLayout.FormatRange()
        made.start = start + (composed if start >= composing >= 0 else 0)
        made.length, made.format = stop - start, look
        found.append(made)
    return found


@cache
def _look(text: str, columns: int) -> QTextCharFormat:
    """In shares of what ``text`` takes, so that it holds at every size of the type."""
    metrics, look = QFontMetricsF(fixed_font(100)), QTextCharFormat()
    look.setFontLetterSpacingType(QFont.SpacingType.PercentageSpacing)
    look.setFontLetterSpacing(100 * columns * metrics.horizontalAdvance("0") / metrics.horizontalAdvance(text))
    return look


def paint_signs(painter: QPainter, area: TextArea, cells: LineCells) -> None:
    for start, end, name in area.shown.signs(cells.start, cells.end):
        for cell in _cells(cells, start, end):
            _chip(painter, area, cell, name)
    if area.marks.hidden:
        painter.setFont(area.font())
        painter.setPen(area.theme.color("muted", 0.8))
        _paint_blanks(painter, area, cells)


def _paint_blanks(painter: QPainter, area: TextArea, cells: LineCells) -> None:
    byte, line = cells.start, cells.line
    for char in to_text(area.shown.data[cells.start : cells.end]):
        size = len(to_bytes(char))
        if char in _BLANKS:
            for cell in _cells(cells, byte, byte + size):
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, _BLANKS[char])
        byte += size
    if line.last and line.end < area.shown.length:
        end = line.x(line.end)
        painter.drawText(QRectF(end, line.top, 20, line.height), Qt.AlignmentFlag.AlignLeft, "↵")


def _cells(cells: LineCells, start: int, end: int) -> Iterator[QRectF]:
    for left, right in cells.spans(start, end):
        yield QRectF(left, cells.line.top, right - left, cells.line.height)


def _chip(painter: QPainter, area: TextArea, cell: QRectF, name: str) -> None:
    """As in the heatmap; its ground hides what Qt has drawn there."""
    theme = area.theme
    painter.save()
    painter.setPen(QPen(theme.color("border"), 1))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(cell.adjusted(0.5, -1, -0.5, 1), 3, 3)
    painter.setFont(fixed_font(max(1, int(area.text_size * CHIP_SCALE))))
    painter.setPen(theme.color("muted"))
    wide = QFontMetricsF(painter.font()).horizontalAdvance(name)
    painter.translate(cell.center())
    painter.scale(min(1.0, cell.width() / wide), 1.0)
    room = QRectF(-wide, -cell.height() / 2, 2 * wide, cell.height())
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, name)
    painter.restore()
