"""A plain text layout with generous line height (Qt's own ignores the line height of block formats)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTextBlock, QTextDocument, QTextLine
from PySide6.QtWidgets import QPlainTextDocumentLayout

LINE_HEIGHT = 1.5
"""In heights of the font."""


class AiryLayout(QPlainTextDocumentLayout):
    """Qt stacks the lines of a block closely; here they are moved apart whenever Qt asks how large the block is.

    Only blocks that come into view are laid out, so the cost does not grow with the text.
    """

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
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
        if layout.lineAt(0).y() != self.lead:
            for i in range(layout.lineCount()):
                line = layout.lineAt(i)
                line.setPosition(QPointF(line.x(), self.lead + i * self.step))
        margin = 0.0 if block.next().isValid() else self.document().documentMargin()
        return QRectF(0, 0, rect.width(), layout.lineCount() * self.step + margin)


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """A line of the text on the screen: its UTF-16 units [start, end), and its top left in the viewport.

    ``last``: the line ends its block, so the unit ``end`` is a newline (or the end of the text).
    """

    line: QTextLine
    base: int
    start: int
    end: int
    origin: QPointF
    last: bool

    def x(self, unit: int) -> float:
        """Where the text unit stands in the viewport."""
        return self.origin.x() + float(self.line.cursorToX(unit - self.base)[0])  # type: ignore[index]

    @property
    def top(self) -> float:
        return self.origin.y() + self.line.y()

    @property
    def height(self) -> float:
        return self.line.height()


def visible_lines(first: QTextBlock, offset: QPointF, layout: AiryLayout, height: float) -> Iterator[VisibleLine]:
    """The lines from block ``first`` (at ``offset`` in the viewport) that can be seen in a viewport of ``height``.

    A block in which an input method is composing is left out: its layout holds text that the document does not have.
    """
    block = first
    while block.isValid() and offset.y() < height:
        size = layout.blockBoundingRect(block).height()
        lines = block.layout()
        low = max(0, int(-offset.y() // layout.step))
        high = min(lines.lineCount(), int((height - offset.y()) // layout.step) + 1)
        if lines.preeditAreaText():
            high = low
        for i in range(low, high):
            line = lines.lineAt(i)
            start = block.position() + line.textStart()
            last = i == lines.lineCount() - 1
            end = block.position() + block.length() - 1 if last else start + line.textLength()
            yield VisibleLine(line, block.position(), start, end, QPointF(offset), last)
        offset = QPointF(offset.x(), offset.y() + size)
        block = block.next()
