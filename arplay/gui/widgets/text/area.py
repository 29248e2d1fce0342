"""The text field of the editor: shows an image of exact bytes and turns whatever the user does into intents.

Qt never changes the text by itself here. Input is caught, told as bytes, and comes back as a new text to show; what
reaches Qt by another way (assistive tools, a drag to another program) is read off afterwards and told the same way.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

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
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QWidget

from arplay.gui.contract import AnalyseText, CaretMoved, OpenFile, Tell, Typed
from arplay.gui.theme import LIGHT, TEXT, Theme, fixed_font
from arplay.gui.widgets.text import marks as text_marks
from arplay.gui.widgets.text.airy import AiryLayout, VisibleLine, visible_lines
from arplay.gui.widgets.text.shown import ShownText, change, image
from arplay.gui.widgets.zoom import WheelZoom

EDITABLE = 1_000_000
"""Bytes of text that can be edited; a longer one is analysed read-only."""
LONGEST_LINE = 100_000
"""Bytes of one line (Qt lays out a whole line anew for every key: about 50 ms at this length)."""
EXACT = "application/x-arplay-bytes"

_Keys = QKeySequence.StandardKey
_Mods = Qt.KeyboardModifier
_COMMANDS = {
    (Qt.Key.Key_Return, _Mods.ControlModifier): "take",
    (Qt.Key.Key_Enter, _Mods.ControlModifier): "take",
    (Qt.Key.Key_Right, _Mods.AltModifier): "take",
    (Qt.Key.Key_Left, _Mods.AltModifier): "rewind",
    (Qt.Key.Key_Space, _Mods.ControlModifier): "step",
    (Qt.Key.Key_Escape, _Mods.NoModifier): "leave",
}
_REMOVALS = {
    _Keys.DeleteStartOfWord: QTextCursor.MoveOperation.PreviousWord,
    _Keys.DeleteEndOfWord: QTextCursor.MoveOperation.NextWord,
    _Keys.DeleteEndOfLine: QTextCursor.MoveOperation.EndOfBlock,
    _Keys.Delete: QTextCursor.MoveOperation.NextCharacter,
}


def too_long(data: bytes) -> str | None:
    """Why a text cannot be edited, in words, or None."""
    if len(data) > EDITABLE:
        return f"The text has {len(data):,} bytes; up to {EDITABLE:,} can be edited"
    if len(data) > LONGEST_LINE and max(map(len, data.split(b"\n"))) > LONGEST_LINE:
        return f"A line of the text has more than {LONGEST_LINE:,} bytes, too many to edit smoothly"
    return None


class TextArea(QPlainTextEdit):
    """The field itself. ``intent`` carries intents of the contract, ``command`` the name of a key's command."""

    intent = Signal(object)
    command = Signal(str)
    zoomed = Signal(int)
    tip_wanted = Signal(int, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = ShownText(b"")
        self.marks = text_marks.NO_MARKS
        self.theme: Theme = LIGHT
        self.hint = ""
        self._caret = 0
        self._setting = False
        self._foreign = False
        self._adopting = False
        document = QTextDocument(self)
        self._airy = AiryLayout(document)
        document.setDocumentLayout(self._airy)
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
        self._setting = True
        try:
            if data is not self.shown.data or self._foreign:
                self._splice(data)
            self._caret = caret
            cursor = self.textCursor()
            if cursor.position() != self.shown.unit(caret):
                cursor.setPosition(self.shown.unit(caret))
                self.setTextCursor(cursor)
            if moved:
                self.ensureCursorVisible()
        finally:
            self._setting = False
        self.viewport().update()

    def set_marks(self, marks: text_marks.Marks) -> None:
        self.marks = marks
        self.viewport().update()

    def set_text_size(self, pixels: int) -> None:
        """The size of the type; the text at the top stays where it is."""
        if pixels == self.text_size:
            return
        self.text_size = pixels
        self.setFont(fixed_font(pixels))
        self._airy.set_font_height(self.fontMetrics().height())
        self.document().setDefaultFont(self.font())
        self.ensureCursorVisible()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.viewport().update()

    def _splice(self, data: bytes) -> None:
        new = ShownText(data)
        if self._foreign or not self.shown.data:
            self.setPlainText(image(data))
            self.marks = self.marks.after(0, len(self.shown.data), len(data))
        else:
            start, old_end, new_end = change(self.shown.data, data)
            cursor = QTextCursor(self.document())
            cursor.setPosition(self.shown.unit(start))
            cursor.setPosition(self.shown.unit(old_end), QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(image(data[start:new_end]))
            self.marks = self.marks.after(start, old_end, new_end)
        self._foreign = False
        self.shown = new

    # -- telling

    def _moved(self) -> None:
        self.viewport().update()
        byte = self.shown.byte(self.textCursor().position())
        if not self._setting and byte != self._caret:
            self._caret = byte
            self.intent.emit(CaretMoved(byte))

    def _replace(self, start: int, end: int, data: bytes, caret: int | None = None) -> None:
        """Tell that the units [start, end) are to give way to ``data``."""
        first, last = self.shown.byte(start), self.shown.byte(end)
        if first == last and not data:
            return
        self.intent.emit(Typed(first, last, data, first + len(data) if caret is None else caret))
        self.ensureCursorVisible()

    def _replace_selection(self, data: bytes) -> None:
        cursor = self.textCursor()
        self._replace(cursor.selectionStart(), cursor.selectionEnd(), data)

    def _insert(self, text: str) -> None:
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError:
            self._refuse()
        else:
            self._insert_bytes(data)

    def _refuse(self) -> None:
        cause = "Nothing was inserted: the text holds half a character (a lone surrogate or a broken byte)"
        self.intent.emit(Tell(cause, "copy it again as whole text, or open it as a file"))

    def _insert_bytes(self, data: bytes) -> None:
        """Typed or pasted text, unless that would make the text too long to edit."""
        cursor = self.textCursor()
        first, last = self.shown.byte(cursor.selectionStart()), self.shown.byte(cursor.selectionEnd())
        if len(data) > LONGEST_LINE and too_long(data):
            self.intent.emit(AnalyseText(data, "pasted text"))
        elif len(self.shown.data) + len(data) - (last - first) > EDITABLE:
            limit = f"the text would grow beyond {EDITABLE:,} bytes"
            self.intent.emit(Tell(f"Nothing was inserted: {limit}", "open long texts as a file"))
        else:
            self._replace(cursor.selectionStart(), cursor.selectionEnd(), data)

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
        new = cursor.selectedText().replace("\u2029", "\n")
        first, last = self.shown.byte(at), self.shown.byte(old_end)
        old = image(self.shown.data[first:last])
        head = _alike(old, new)
        tail = _alike(old[head:][::-1], new[head:][::-1])
        start, end = at + _width(old[:head]), old_end - _width(old[len(old) - tail :])
        first, last = self.shown.byte(start), self.shown.byte(end)
        data = new[head : len(new) - tail].encode("utf-8", "replace")
        if first == last and not data:
            return
        self._foreign = image(data) != new[head : len(new) - tail]
        self.shown = ShownText(self.shown.data[:first] + data + self.shown.data[last:])
        self.marks = self.marks.after(first, last, first + len(data))
        self._caret = first + len(data)
        self._adopting = True
        try:
            self.intent.emit(Typed(first, last, data, self._caret))
        finally:
            self._adopting = False

    # -- keys

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.matches(_Keys.Undo) or event.matches(_Keys.Redo):
                event.ignore()  # the window's own undo, not Qt's
                return True
            if (event.key(), event.modifiers()) in _COMMANDS:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        command = _COMMANDS.get((Qt.Key(event.key()), event.modifiers() & ~_Mods.KeypadModifier))
        if command:
            self.command.emit(command)
        elif event.matches(_Keys.Undo) or event.matches(_Keys.Redo):
            event.ignore()
        elif event.matches(_Keys.Cut):
            self.cut()
        elif self._removes(event):
            pass
        elif event.matches(_Keys.InsertParagraphSeparator) or event.matches(_Keys.InsertLineSeparator):
            self._insert("\n")
        elif _writes(event):
            self._insert(event.text())
        else:
            super().keyPressEvent(event)

    def _removes(self, event: QKeyEvent) -> bool:
        """Whether the key deletes something; then it has."""
        cursor = self.textCursor()
        backspace = event.key() == Qt.Key.Key_Backspace and not event.modifiers() & ~_Mods.ShiftModifier
        move = next((move for keys, move in _REMOVALS.items() if event.matches(keys)), None)
        if not backspace and move is None:
            return False
        if not cursor.hasSelection():
            if move is not None:
                cursor.movePosition(move, QTextCursor.MoveMode.KeepAnchor)
            elif cursor.position():  # one code point, so that an accent can be taken off its letter
                before = self.shown.byte(cursor.position() - 1)
                cursor.setPosition(self.shown.unit(before), QTextCursor.MoveMode.KeepAnchor)
        self._replace(cursor.selectionStart(), cursor.selectionEnd(), b"")
        return True

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """The composed text is Qt's to draw; what is committed is text like any other."""
        commit, start, length = event.commitString(), event.replacementStart(), event.replacementLength()
        super().inputMethodEvent(QInputMethodEvent(event.preeditString(), event.attributes()))
        if commit or length:
            cursor = self.textCursor()
            if length:
                low = max(cursor.position() + start, 0)
                cursor.setPosition(low)
                cursor.setPosition(min(low + length, self.shown.length), QTextCursor.MoveMode.KeepAnchor)
            self._replace(cursor.selectionStart(), cursor.selectionEnd(), commit.encode("utf-8", "replace"))
        event.accept()

    # -- clipboard, drag and drop

    def cut(self) -> None:
        if self.textCursor().hasSelection():
            self.copy()
            self._replace_selection(b"")

    def createMimeDataFromSelection(self) -> QMimeData:
        """The exact text; bytes that are no text travel beside it, for pasting them here again."""
        cursor = self.textCursor()
        data = self.shown.data[self.shown.byte(cursor.selectionStart()) : self.shown.byte(cursor.selectionEnd())]
        mime = QMimeData()
        mime.setText(data.decode("utf-8", "replace"))
        mime.setData(EXACT, data)
        return mime

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() or source.hasUrls() or source.hasFormat(EXACT)

    def insertFromMimeData(self, source: QMimeData) -> None:
        path = _local_file(source)
        if path is not None:
            self.intent.emit(OpenFile(path))
        elif source.hasFormat(EXACT):
            self._insert_bytes(bytes(source.data(EXACT).data()))
        elif _is_whole(source):
            self._insert(source.text())
        else:
            self._refuse()

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
        if _local_file(event.mimeData()) is None:
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
        for label, keys, slot, enabled in (
            ("Cu&t", _Keys.Cut, self.cut, selected),
            ("&Copy", _Keys.Copy, self.copy, selected),
            ("&Paste", _Keys.Paste, self.paste, self.canPaste()),
            ("Select &all", _Keys.SelectAll, self.selectAll, bool(self.shown.data)),
        ):
            action = menu.addAction(label, slot)
            action.setShortcut(QKeySequence(keys))
            action.setEnabled(enabled)
        return menu

    # -- mouse: the room between two lines belongs to the line below and above, half each

    def mousePressEvent(self, event: QMouseEvent) -> None:
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
        for line in self.visible_lines():
            if line.top - self._airy.lead <= point.y() < line.top - self._airy.lead + self._airy.step:
                return QPointF(point.x(), line.top + line.height / 2)
        return point

    def _cursor_at(self, point: QPointF) -> QTextCursor:
        return self.cursorForPosition(self._snapped(point).toPoint())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            point = self.viewport().mapFromGlobal(event.globalPos())  # type: ignore[attr-defined]
            unit = text_marks.unit_under(self.visible_lines(), QPointF(point))
            if unit is not None:
                self.tip_wanted.emit(self.shown.byte(unit), event.globalPos())  # type: ignore[attr-defined]
            return True
        return super().viewportEvent(event)

    # -- painting

    def composing(self) -> bool:
        """Whether an input method is at work where the caret is."""
        return bool(self.textCursor().block().layout().preeditAreaText())

    def visible_lines(self) -> list[VisibleLine]:
        block = self.firstVisibleBlock()
        offset = self.blockBoundingGeometry(block).translated(self.contentOffset()).topLeft()
        return list(visible_lines(block, offset, self._airy, self.viewport().height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A notice above takes room from the text: the caret stays in sight if it was."""
        seen = self.cursorRect().bottom() < event.oldSize().height()
        super().resizeEvent(event)
        if seen and event.oldSize().height() > event.size().height():
            self.ensureCursorVisible()

    def paintEvent(self, event: QPaintEvent) -> None:
        text_marks.paint_below(self)
        super().paintEvent(event)
        text_marks.paint_above(self)


def _writes(event: QKeyEvent) -> bool:
    """Whether the key stands for text (as Qt's own editors decide it)."""
    text, mods = event.text(), event.modifiers()
    if not text or mods in (_Mods.ControlModifier, _Mods.ControlModifier | _Mods.ShiftModifier):
        return False
    return text[0] == "\t" or unicodedata.category(text[0]) != "Cc"


def _local_file(source: QMimeData) -> Path | None:
    return next((Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()), None)


def _is_whole(source: QMimeData) -> bool:
    """Whether the text that another program offers is Unicode text; Qt would mend it without a word."""
    try:
        bytes(source.data("text/plain").data()).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _alike(a: str, b: str) -> int:
    """How many characters both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _width(text: str) -> int:
    """In UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)
