"""The text field of the editor: shows an image of exact bytes and turns whatever the user does into intents.

Qt never changes the text by itself here. Input is caught, told as bytes, and comes back as a new text to show; what
reaches Qt by another way (assistive tools, a drag to another program) is read off afterwards and told the same way.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragLeaveEvent,
    QDropEvent,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextLayout,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QWidget

from arplay.core.modalities.text import Text
from arplay.gui.canvases.text import foreign, hidden, keys, painting, transfer
from arplay.gui.canvases.text.cells import LineCells
from arplay.gui.canvases.text.composing import Preview
from arplay.gui.canvases.text.line_spacing import SpacedLayout, visible_lines
from arplay.gui.canvases.text.marks import NO_MARKS, Marks
from arplay.gui.canvases.text.shown import ShownText, changed, image
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.contract import Analyse, CaretMoved, OpenFiles, Report, Settings
from arplay.gui.theme import LIGHT, TEXT, Theme, fixed_font
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.keys import writes
from arplay.gui.widgets.zoom import WheelZoom

EDITABLE = 1_000_000
"""Bytes of text that can be edited; a longer one is analysed read-only."""
LONGEST_LINE = 100_000
"""Bytes of one line (Qt lays out a whole line anew for every key: about 50 ms at this length)."""


def too_long(data: bytes) -> bool:
    """Whether a text, or a line of it, is too long to be edited smoothly."""
    return len(data) > EDITABLE or (len(data) > LONGEST_LINE and max(map(len, data.split(b"\n"))) > LONGEST_LINE)


class TextArea(QPlainTextEdit):
    """The field itself. ``intent`` carries intents of the contract, ``command`` the name of a key's command."""

    intent = Signal(object)
    command = Signal(str)
    zoomed = Signal(int)
    tip_wanted = Signal(int, QPoint)
    others_wanted = Signal(int)
    """At the byte that was clicked with Alt."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = ShownText(b"")
        self.marks = NO_MARKS
        self.theme: Theme = LIGHT
        self.scale = HeatScale(LIGHT, Settings().colour_by)
        self._preview = Preview()
        self.hint = self.ghost = ""
        self._caret = 0
        self._setting = False
        self._foreign = False
        self._adopting = False
        document = QTextDocument(self)
        self._spaced = SpacedLayout(document, self._looks)
        document.setDocumentLayout(self._spaced)
        document.setDocumentMargin(8)
        self.setDocument(document)
        self.setUndoRedoEnabled(False)
        self.setCursorWidth(0)  # the caret is painted here, with and without focus
        self._zoom = WheelZoom()
        self.text_size = 0
        self.set_text_size(TEXT)
        document.contentsChange.connect(self._adopt)
        self.cursorPositionChanged.connect(self._moved)

    # -- showing

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
                self._preview.take_away(self)
            changed = data is not self.shown.data or self._foreign
            if changed:
                self._splice(data)
            self._caret = caret
            cursor = self.textCursor()
            if cursor.position() != self.shown.unit(caret) or (changed and cursor.hasSelection()):
                cursor.setPosition(self.shown.unit(caret))
                self.setTextCursor(cursor)
            if composing:
                self._preview.put_back(self)
            if moved:
                self.ensureCursorVisible()
        finally:
            self._setting = False
        self.viewport().update()

    def set_marks(self, marks: Marks) -> None:
        self.marks = marks
        self.viewport().update()

    def set_ghost(self, ghost: str) -> None:
        if ghost != self.ghost:
            self.ghost = ghost
            self.viewport().update()

    @property
    def shows_ghost(self) -> bool:
        """Not while something is composed there."""
        return bool(self.ghost) and not self.composing()

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
        self.ensureCursorVisible()

    def set_style(self, theme: Theme, scale: HeatScale) -> None:
        self.theme, self.scale = theme, scale
        self.viewport().update()

    def _splice(self, data: bytes) -> None:
        old, self.shown = self.shown, ShownText(data)  # what is laid out meanwhile is the new text
        if self._foreign or not old.data:
            self.setPlainText(image(data))
            self.marks = self.marks.after(0, len(old.data), len(data))
        else:
            start, old_end, new_end = changed(old.data, data)
            cursor = QTextCursor(self.document())
            cursor.setPosition(old.unit(start))
            cursor.setPosition(old.unit(old_end), QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(self.shown.image(start, new_end))
            self.marks = self.marks.after(start, old_end, new_end)
        self._foreign = False

    def _looks(self, block: QTextBlock) -> list[QTextLayout.FormatRange]:
        return hidden.looks(block, self.shown)

    # -- telling

    def _moved(self) -> None:
        self.viewport().update()
        byte = self.shown.byte(self.textCursor().position())
        if not self._setting and byte != self._caret:
            self._caret = byte
            self.intent.emit(CaretMoved(byte))

    def _replace(self, start: int, end: int, data: bytes, caret: int | None = None) -> None:
        """Say that the units [start, end) are to give way to ``data``."""
        first, last = self.shown.byte(start), self.shown.byte(end)
        if first == last and not data:
            return
        self.intent.emit(Typed(first, last, data, first + len(data) if caret is None else caret))
        self.ensureCursorVisible()

    def replace_selection(self, data: bytes) -> None:
        cursor = self.textCursor()
        self._replace(cursor.selectionStart(), cursor.selectionEnd(), data)

    def replace(self, start: int, end: int, text: str, stays: bool = False) -> None:
        """The units [start, end) give way to ``text``, if that is whole text and not too much.

        The caret goes behind it; with ``stays`` it stays where it is in the text around.
        """
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError:
            self._refuse()
        else:
            caret = self._caret_beside(start, end, len(data)) if stays else None
            self._replace_bytes(start, end, data, caret)

    def _caret_beside(self, start: int, end: int, size: int) -> int:
        """The caret's byte once ``size`` bytes are in place of the units [start, end)."""
        first, last = self.shown.byte(start), self.shown.byte(end)
        caret = self._caret - (last - first) if self._caret >= last else min(self._caret, first)
        return caret + size if caret >= first else caret

    def insert(self, text: str) -> None:
        """Typed or pasted text, in place of the selection."""
        cursor = self.textCursor()
        self.replace(cursor.selectionStart(), cursor.selectionEnd(), text)

    def _refuse(self) -> None:
        cause = "Nothing was inserted: the text holds half a character (a lone surrogate or a broken byte)"
        self.intent.emit(Report(cause, "copy it again as whole text, or open it as a file"))

    def _replace_bytes(self, start: int, end: int, data: bytes, caret: int | None = None) -> None:
        """Unless that would make the text too long to edit."""
        removed = self.shown.byte(end) - self.shown.byte(start)
        if too_long(data):
            self.intent.emit(Analyse(Text.of(data), "pasted text"))
        elif len(self.shown.data) + len(data) - removed > EDITABLE:
            limit = f"the text would grow beyond {EDITABLE:,} bytes"
            self.intent.emit(Report(f"Nothing was inserted: {limit}", "open long texts as a file"))
        else:
            self._replace(start, end, data, caret)

    def _adopt(self, at: int, removed: int, added: int) -> None:
        """Qt changed the text by itself: find out what is different and tell it."""
        if self._setting:
            return
        length = self.document().characterCount() - 1
        old_end, new_end = min(at + removed, self.shown.length), min(at + added, length)
        if self.shown.length - old_end != length - new_end:
            at, old_end, new_end = 0, self.shown.length, length
        cursor = QTextCursor(self.document())
        cursor.setPosition(at)
        cursor.setPosition(new_end, QTextCursor.MoveMode.KeepAnchor)
        change = foreign.read_off(self.shown, at, old_end, cursor.selectedText().replace("\u2029", "\n"))
        if change is None:
            return
        self._foreign = not change.exact
        first, last, data = change.start, change.end, change.data
        self.shown = ShownText(self.shown.data[:first] + data + self.shown.data[last:])
        self.marks = self.marks.after(first, last, first + len(data))
        self._caret = first + len(data)
        self._adopting = True
        try:
            self.intent.emit(Typed(first, last, data, self._caret))
        finally:
            self._adopting = False

    # -- keys and input methods

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if keys.is_undo(event):
                event.ignore()
                return True
            if keys.command_of(event):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        command = keys.command_of(event)
        if self.shows_ghost and (answer := keys.to_ghost(event)):
            self.command.emit(answer)
        elif command:
            self.command.emit(command)
        elif keys.is_undo(event):
            event.ignore()
        elif event.matches(QKeySequence.StandardKey.Cut):
            self.cut()
        elif (doomed := keys.removed(event, self.textCursor(), self.shown)) is not None:
            self._replace(doomed.selectionStart(), doomed.selectionEnd(), b"")
        elif keys.is_newline(event):
            self.insert("\n")
        elif writes(event):
            self.insert(event.text())
        else:
            super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._preview.receive(self, event)

    def preview(self, event: QInputMethodEvent) -> None:
        """Have Qt draw what is composed."""
        super().inputMethodEvent(event)

    def composing(self) -> bool:
        """Whether an input method is at work where the caret is."""
        return bool(self.textCursor().block().layout().preeditAreaText())

    @property
    def shows_caret(self) -> bool:
        return not self._preview.hides_caret

    # -- clipboard, drag and drop

    def selected_bytes(self) -> tuple[int, int]:
        cursor = self.textCursor()
        return self.shown.byte(cursor.selectionStart()), self.shown.byte(cursor.selectionEnd())

    def cut(self) -> None:
        if self.textCursor().hasSelection():
            self.copy()
            self.replace_selection(b"")

    def createMimeDataFromSelection(self) -> QMimeData:
        return transfer.offer(self.shown.data[slice(*self.selected_bytes())])

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() or source.hasUrls() or source.hasFormat(transfer.EXACT)

    def insertFromMimeData(self, source: QMimeData) -> None:
        paths, cursor = transfer.local_files(source), self.textCursor()
        data = None if paths else transfer.content(source)
        if paths:
            self.intent.emit(OpenFiles(tuple(paths)))
        elif data is None:
            self._refuse()
        else:
            self._replace_bytes(cursor.selectionStart(), cursor.selectionEnd(), data)

    def dropEvent(self, event: QDropEvent) -> None:
        super().dragLeaveEvent(QDragLeaveEvent())  # ends Qt's own feedback; Qt must not move text by itself
        selection, place = self.textCursor(), self._cursor_at(event.position())
        low, high, at = selection.selectionStart(), selection.selectionEnd(), place.position()
        own = event.source() in (self, self.viewport()) and low < high
        if own and event.dropAction() == Qt.DropAction.MoveAction:
            self._move(low, high, at)
            event.setDropAction(Qt.DropAction.CopyAction)  # so that the source has nothing left to remove
            event.accept()
            return
        if not transfer.local_files(event.mimeData()):
            self.setTextCursor(place)
        self.insertFromMimeData(event.mimeData())
        event.acceptProposedAction()

    def _move(self, low: int, high: int, at: int) -> None:
        """The selected units [low, high) go to ``at``, as one edit."""
        a, b, to = (self.shown.byte(unit) for unit in (low, high, at))
        data = self.shown.data
        if at < low:
            self._replace(at, high, data[a:b] + data[to:a], to + b - a)
        elif at > high:
            self._replace(low, at, data[b:to] + data[a:b])

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.context_menu()
        menu.exec(event.globalPos())
        menu.deleteLater()

    def context_menu(self) -> QMenu:
        menu = QMenu(self)
        selected = self.textCursor().hasSelection()
        for label, key, slot, enabled in (
            ("Cu&t", QKeySequence.StandardKey.Cut, self.cut, selected),
            ("&Copy", QKeySequence.StandardKey.Copy, self.copy, selected),
            ("&Paste", QKeySequence.StandardKey.Paste, self.paste, self.canPaste()),
            ("Select &all", QKeySequence.StandardKey.SelectAll, self.selectAll, bool(self.shown.data)),
        ):
            action = menu.addAction(label, slot)
            action.setShortcut(QKeySequence(key))
            action.setEnabled(enabled)
        return menu

    # -- mouse: the room between two lines belongs to the line below and above, half each

    def mousePressEvent(self, event: QMouseEvent) -> None:
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier and event.button() == Qt.MouseButton.LeftButton
        byte = painting.byte_under(self.visible_lines(), self._snapped(event.position())) if alt else None
        if byte is not None:
            self.others_wanted.emit(byte)
            return
        super().mousePressEvent(self._on_line(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(self._on_line(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(self._on_line(event))

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = self._zoom.steps(event)
        if steps is None:
            super().wheelEvent(event)
        elif steps:
            self.zoomed.emit(steps)

    def _on_line(self, event: QMouseEvent) -> QMouseEvent:
        place = self._snapped(event.position())
        return QMouseEvent(
            event.type(), place, event.globalPosition(), event.button(), event.buttons(), event.modifiers()
        )

    def _snapped(self, point: QPointF) -> QPointF:
        for line in (cells.line for cells in self.visible_lines()):
            if line.top - self._spaced.lead <= point.y() < line.top - self._spaced.lead + self._spaced.step:
                return QPointF(point.x(), line.top + line.height / 2)
        return point

    def _cursor_at(self, point: QPointF) -> QTextCursor:
        return self.cursorForPosition(self._snapped(point).toPoint())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            point = self.viewport().mapFromGlobal(event.globalPos())  # type: ignore[attr-defined]
            byte = painting.byte_under(self.visible_lines(), QPointF(point))
            if byte is not None:
                self.tip_wanted.emit(byte, event.globalPos())  # type: ignore[attr-defined]
            return True
        return super().viewportEvent(event)

    # -- painting

    def visible_lines(self) -> list[LineCells]:
        block = self.firstVisibleBlock()
        offset = self.blockBoundingGeometry(block).translated(self.contentOffset()).topLeft()
        lines = visible_lines(block, offset, self._spaced, self.viewport().height())
        return [LineCells(line, self.shown) for line in lines]

    def unit_near(self, y: float) -> int | None:
        """The first byte of the line at y, or of the nearest one."""
        lines = self.visible_lines()
        return min(lines, key=lambda cells: abs(cells.line.top - y)).start if lines else None

    def scroll_to(self, byte: int, y: float) -> None:
        """Bring the line with this byte to y, as far as the text's ends allow."""
        unit = self.shown.unit(min(byte, len(self.shown.data)))
        block = self.document().findBlock(unit)
        self.verticalScrollBar().setValue(self._spaced.first_line(block, unit, y - self.contentOffset().y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A notice above takes room from the text: the caret stays in sight if it was."""
        seen = self.cursorRect().bottom() < event.oldSize().height()
        super().resizeEvent(event)
        if seen and event.oldSize().height() > event.size().height():
            self.ensureCursorVisible()

    def paintEvent(self, event: QPaintEvent) -> None:
        lines = self.visible_lines()
        painting.paint_below(self, lines)
        super().paintEvent(event)
        painting.paint_above(self, lines)
