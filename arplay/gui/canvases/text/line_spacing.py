"""A plain text layout with generous line height (Qt's own ignores the line height of block formats)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QTextBlock, QTextDocument, QTextLayout, QTextLine
from PySide6.QtWidgets import QPlainTextDocumentLayout

Looks = Callable[[QTextBlock], list[QTextLayout.FormatRange]]
LINE_HEIGHT = 1.5
"""In heights of the font."""
_LEFTWARDS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
"""Hebrew, Arabic and other scripts that are written from right to left; Qt is given nothing else that turns a text."""


class SpacedLayout(QPlainTextDocumentLayout):
    """Qt stacks the lines of a block closely; here they are moved apart whenever Qt asks how large the block is, and to
    the right where they are read from there.

    Only blocks that come into view are laid out, so the cost does not grow with the text.
    """

    def __init__(self, document: QTextDocument, looks: Looks) -> None:
        """``looks``: the parts of a block that do not look like the rest."""
        super().__init__(document)
        self._looks = looks
        self.lead = 0.0
        self.step = 1.0

    def set_font_height(self, height: float) -> None:
        self.step = float(round(height * LINE_HEIGHT))
        self.lead = float(round((self.step - height) / 2))

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        rect = super().blockBoundingRect(block)
        layout = block.layout() if block.isValid() and block.isVisible() else None
        if layout is None or not layout.lineCount():
            return rect
        if layout.lineAt(0).y() != self.lead:  # it was just laid out
            if (looks := self._looks(block)) != layout.formats():
                layout.setFormats(looks)
                layout.clearLayout()
                rect = super().blockBoundingRect(block)
            leftwards = block.textDirection() == Qt.LayoutDirection.RightToLeft
            for i in range(layout.lineCount()):
                line = layout.lineAt(i)
                free = max(0.0, line.width() - line.naturalTextWidth()) if leftwards else 0.0
                line.setPosition(QPointF(line.x() + free, self.lead + i * self.step))
        margin = 0.0 if block.next().isValid() else self.document().documentMargin()
        return QRectF(0, 0, rect.width(), layout.lineCount() * self.step + margin)

    def first_line(self, block: QTextBlock, unit: int, y: float) -> int:
        """The line (counted as Qt's scroll bar does) that must be at the top for the line of ``unit`` to be at y."""
        self.blockBoundingRect(block)  # lays it out: only then are its lines known
        line = block.layout().lineForTextPosition(unit - block.position()).lineNumber()
        above = y - line * self.step
        while above > 0 and block.previous().isValid():
            block, line = block.previous(), 0
            above -= self.blockBoundingRect(block).height()
        return block.firstLineNumber() + line + max(0, int(-above / self.step) if above < 0 else 0)


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """A line of the text on the screen: its UTF-16 units [start, end), and the top left of its block in the viewport.

    ``last``: the line ends its block, so the unit ``end`` is a newline (or the end of the text). Its ``layout`` may
    hold more than the text: what an input method is composing, ``composed`` units from place ``composing`` on.
    ``two_ways``: something in the block is written from right to left.
    """

    layout: QTextLayout
    line: QTextLine
    base: int
    start: int
    end: int
    origin: QPointF
    last: bool
    composing: int = 0
    composed: int = 0
    two_ways: bool = False

    def place(self, unit: int, begins: bool = True) -> int:
        """Where a unit of the text is in the layout; ``begins``: something begins there, so behind what is composed."""
        place = unit - self.base
        behind = place > self.composing or (begins and place == self.composing)
        return place + self.composed if behind else place

    def unit(self, place: int) -> int:
        """The inverse of :meth:`place`; all that is composed is at one place of the text."""
        return self.base + (place if place <= self.composing else max(self.composing, place - self.composed))

    def x(self, unit: int, begins: bool = True) -> float:
        """Where the caret stands before the text unit, in the viewport."""
        return self.origin.x() + float(self.line.cursorToX(self.place(unit, begins))[0])  # type: ignore[index]

    @property
    def top(self) -> float:
        return self.origin.y() + self.line.y()

    @property
    def height(self) -> float:
        return self.line.height()


def visible_lines(first: QTextBlock, offset: QPointF, layout: SpacedLayout, height: float) -> Iterator[VisibleLine]:
    """The lines from block ``first`` (at ``offset`` in the viewport) that can be seen in a viewport of ``height``."""
    block = first
    while block.isValid() and offset.y() < height:
        size = layout.blockBoundingRect(block).height()
        lines = block.layout()
        low = max(0, int(-offset.y() // layout.step))
        high = min(lines.lineCount(), int((height - offset.y()) // layout.step) + 1)
        composed = len(lines.preeditAreaText().encode("utf-16-le", "surrogatepass")) // 2
        composing = lines.preeditAreaPosition() if composed else 0
        two_ways = _LEFTWARDS.search(block.text()) is not None
        for i in range(low, high):
            line = lines.lineAt(i)
            last = i == lines.lineCount() - 1
            base, origin = block.position(), QPointF(offset)
            shown = VisibleLine(lines, line, base, 0, 0, origin, last, composing, composed, two_ways)
            start = shown.unit(line.textStart())
            end = block.position() + block.length() - 1 if last else shown.unit(line.textStart() + line.textLength())
            yield replace(shown, start=start, end=end)
        offset = QPointF(offset.x(), offset.y() + size)
        block = block.next()
