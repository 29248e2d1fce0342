"""The field of the editor as it is shown: an image of exact bytes, the caret, and what input methods compose there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer
from PySide6.QtGui import QInputMethodEvent, QResizeEvent, QTextBlock, QTextCursor, QTextDocument, QTextLayout
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from arplay.core.modalities.base import Ids
from arplay.core.rising import place_in
from arplay.gui.canvases.text.cells import LineCells
from arplay.gui.canvases.text.line_spacing import SpacedLayout, visible_lines
from arplay.gui.canvases.text.looks import looks
from arplay.gui.canvases.text.marks import NO_MARKS, Marks
from arplay.gui.canvases.text.shown import ShownText, changed, image
from arplay.gui.settings import Settings
from arplay.gui.theme import LIGHT, TEXT, Theme, fixed_font
from arplay.gui.widgets.heat.scale import HeatScale

_CURSOR = QInputMethodEvent.AttributeType.Cursor
PIECE = 1 << 15
"""Bytes of a long text that Qt is given at a time: 2 ms for 800 lines, while 1 MB at once takes 60 to 90."""
LINES = 1000
"""Lines that it is given at a time at most."""

COUNTED = 4096
"""Tokens that are counted together."""


class TextField(QPlainTextEdit):
    """Shows what it is given; :class:`arplay.gui.canvases.text.area.TextArea` tells what the user does with it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = ShownText(b"")
        self.marks = NO_MARKS
        self.theme: Theme = LIGHT
        self.scale = HeatScale(LIGHT, Settings().colour_by)
        self._composed = ""
        self._attributes: list[QInputMethodEvent.Attribute] = []
        self.hint = self.ghost = ""
        self._ghost_wanted = self._ghost_away = False
        self._caret = 0
        self._setting = False
        self._foreign = False
        self._adopting = False
        self._counted = NO_MARKS.ends, [0]
        """Tokens by where they end, and how many before each block of them own bytes, as far as that was asked."""
        self._given = 0
        self._giving = QTimer(self, interval=0)
        self._giving.timeout.connect(self._give)
        document = QTextDocument(self)
        self._spaced = SpacedLayout(document, self._looks)
        document.setDocumentLayout(self._spaced)
        document.setDocumentMargin(8)
        self.setDocument(document)
        self.setUndoRedoEnabled(False)
        self.setCursorWidth(0)  # the caret is painted here, with and without focus
        self.text_size = 0
        self.set_text_size(TEXT)

    def show_text(self, data: bytes, caret: int) -> None:
        """Make the field show ``data`` by the smallest replacement, with the caret at byte ``caret``.

        While Qt is in the middle of a change of its own nothing is touched; the field has that change already.
        """
        if self._adopting:
            return
        moved = data is not self.shown.data or caret != self._caret
        composing = moved and self.composing()
        self._setting = True
        try:
            if composing:
                self._take_away()
            changed = data is not self.shown.data or self._foreign
            if changed:
                self._splice(data)
                self._ghost_away = False
            self._caret = caret
            self.give(caret)
            cursor = self.textCursor()
            if cursor.position() != self.shown.unit(caret) or (changed and cursor.hasSelection()):
                cursor.setPosition(self.shown.unit(caret))
                self.setTextCursor(cursor)
            if composing:
                self.preview(QInputMethodEvent(self._composed, self._attributes))
            if moved:
                self.caret_into_sight()
        finally:
            self._setting = False
        if moved or changed:
            self.viewport().update()

    def set_marks(self, marks: Marks) -> None:
        if not marks.looks_like(self.marks):
            self.viewport().update()
        self.marks = marks

    def set_ghost(self, ghost: str, wanted: bool) -> None:
        """``wanted``: there is one here, or it is on its way."""
        self._ghost_wanted = wanted
        if ghost != self.ghost:
            self.ghost = ghost
            self.viewport().update()

    def shaded(self, first: int, stop: int) -> list[bool]:
        """Of tokens [first, stop) whether each has the faint ground of every other one that owns bytes."""
        ends, counts = self._counted
        if ends is not self.marks.ends:
            ends, counts = self._counted = self.marks.ends, [0]
        while len(counts) * COUNTED <= first:
            low = (len(counts) - 1) * COUNTED
            counts.append(counts[-1] + int(np.count_nonzero(_own(ends, low, low + COUNTED))))
        block = first // COUNTED
        own = _own(ends, block * COUNTED, stop)
        shaded: list[bool] = ((counts[block] + np.cumsum(own)) % 2 == 0)[first - block * COUNTED :].tolist()
        return shaded

    @property
    def shows_ghost(self) -> bool:
        """Not while something is composed there."""
        return bool(self.ghost) and not self.composing()

    @property
    def awaits_ghost(self) -> bool:
        """It is not there yet, and nobody sent it away."""
        return self._ghost_wanted and not self.ghost and not self._ghost_away and not self.composing()

    @property
    def line_step(self) -> float:
        """Pixels from one line to the next."""
        return self._spaced.step

    def set_text_size(self, pixels: int) -> None:
        """The size of the type; the text at the top stays where it is."""
        if pixels == self.text_size and self.font().pixelSize() == pixels:  # a new style sheet takes the font away
            return
        self.text_size = pixels
        self.setFont(fixed_font(pixels))
        self._spaced.set_font_height(self.fontMetrics().height())
        self.document().setDefaultFont(self.font())
        self.caret_into_sight()

    def caret_into_sight(self) -> None:
        """All of its line: Qt itself counts no room between the lines."""
        self.ensureCursorVisible()
        bar = self.verticalScrollBar()
        while self.cursorRect().bottom() >= self.viewport().height() and bar.value() < bar.maximum():
            bar.setValue(bar.value() + 1)

    def set_style(self, theme: Theme, scale: HeatScale) -> None:
        if theme is not self.theme or not scale.is_like(self.scale):
            self.viewport().update()
        self.theme, self.scale = theme, scale

    def _splice(self, data: bytes) -> None:
        """The field's text is set before Qt's: what is laid out meanwhile is the new one."""
        size = len(self.shown.data)
        start, old_end, new_end = changed(self.shown.data, data)
        if self._foreign or not size or new_end - start > max(2 * PIECE, len(data) // 2):
            self.shown = ShownText(data)
            self._given = _piece(data, 0)
            self.setPlainText(image(data[: self._given]))
            self._giving.start()
            self.marks = self.marks.after(0, size, len(data))
        else:
            self.give()
            old, self.shown, self._given = self.shown, ShownText(data), len(data)
            cursor = QTextCursor(self.document())
            cursor.setPosition(old.unit(start))
            cursor.setPosition(old.unit(old_end), QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(self.shown.image(start, new_end))
            self.marks = self.marks.after(start, old_end, new_end)
        self._foreign = False

    def give(self, byte: int | None = None) -> None:
        """See to it that Qt's document has the text beyond ``byte``; all of it with None.

        A long text comes into it piece by piece, between events.
        """
        while self._given < len(self.shown.data) and (byte is None or self._given <= byte):
            self._give()

    def _give(self) -> None:
        """One more piece. It begins a line, so that nothing before it has a bearing on how it looks."""
        data, setting = self.shown.data, self._setting
        if self._given >= len(data):
            self._giving.stop()
            return
        start, self._given = self._given, _piece(data, self._given)
        self._setting = True
        try:
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(image(data[start : self._given]))
        finally:
            self._setting = setting

    @property
    def given(self) -> int:
        """UTF-16 units of the text that Qt's document has."""
        return self.shown.unit(self._given)

    def _looks(self, block: QTextBlock) -> list[QTextLayout.FormatRange]:
        return looks(block, self.shown)

    def preview(self, event: QInputMethodEvent) -> None:
        """Have Qt draw what is composed."""
        super().inputMethodEvent(event)

    def composing(self) -> bool:
        """Whether an input method is at work where the caret is."""
        return bool(self.textCursor().block().layout().preeditAreaText())

    def _take_away(self) -> None:
        """What is composed, for a while: it outlives whatever happens to the text around it."""
        if self.composing():
            self.preview(QInputMethodEvent())

    @property
    def shows_caret(self) -> bool:
        """Unless the input method shows one of its own inside of what is composed."""
        return not self._composed or all(one.type != _CURSOR or one.length for one in self._attributes)

    def selected_bytes(self) -> tuple[int, int]:
        cursor = self.textCursor()
        return self.shown.byte(cursor.selectionStart()), self.shown.byte(cursor.selectionEnd())

    def visible_lines(self) -> list[LineCells]:
        block = self.firstVisibleBlock()
        offset = self.blockBoundingGeometry(block).translated(self.contentOffset()).topLeft()
        lines = visible_lines(block, offset, self._spaced, self.viewport().height())
        return [LineCells(line, self.shown) for line in lines]

    def line_near(self, y: float) -> tuple[int, float] | None:
        """The token that the line at y, or the nearest one, begins with or in, and the top of this line."""
        lines = self.visible_lines()
        if not lines or not len(self.marks.ends):
            return None
        near = min(lines, key=lambda cells: abs(cells.line.top - y))
        return place_in(self.marks.ends, near.start, "right"), near.line.top

    def scroll_to(self, token: int, y: float) -> None:
        """Bring the line where this token begins to y, as far as the text's ends allow."""
        byte = int(self.marks.ends[:token][-1]) if token and len(self.marks.ends) else 0
        self.give(byte)
        unit = self.shown.unit(min(byte, len(self.shown.data)))
        block = self.document().findBlock(unit)
        self.verticalScrollBar().setValue(self._spaced.first_line(block, unit, y - self.contentOffset().y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A notice above takes room from the text, a scroll bar too: the caret stays in sight if it was."""
        seen = self.cursorRect().bottom() < event.oldSize().height()
        super().resizeEvent(event)
        if seen:
            self.caret_into_sight()


def _own(ends: Ids, first: int, stop: int) -> NDArray[np.bool_]:
    """Which of the tokens [first, stop) own bytes."""
    return np.diff(ends[first:stop], prepend=ends[first - 1 : first] if first else [0]) > 0


def _piece(data: bytes, start: int) -> int:
    """Where the piece ends that begins at ``start``: behind a newline, or with the text."""
    newlines = np.flatnonzero(np.frombuffer(data[start : start + PIECE], np.uint8) == ord("\n"))
    if len(newlines) > LINES:
        return start + int(newlines[LINES - 1]) + 1
    if len(data) - start <= PIECE:
        return len(data)
    return start + int(newlines[-1]) + 1 if len(newlines) else data.find(b"\n", start + PIECE) + 1 or len(data)
