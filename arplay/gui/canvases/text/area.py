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
    QTextCursor,
)
from PySide6.QtWidgets import QMenu, QWidget

from arplay.core.modalities.text import Text
from arplay.gui.canvases.text import foreign, keys, painting, transfer
from arplay.gui.canvases.text.field import TextField
from arplay.gui.canvases.text.shown import ShownText
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import Analyse, CaretMoved, OpenFiles, Report
from arplay.gui.widgets.keys import writes
from arplay.gui.widgets.zoom import WheelZoom

EDITABLE = 1_000_000
"""Bytes of text that can be edited; a longer one is analysed read-only."""
LONGEST_LINE = 100_000
"""Bytes of one line (Qt lays out a whole line anew for every key: about 50 ms at this length)."""
LONGEST_WORD = 16_000
"""Bytes without a place to wrap a line: for each row Qt looks at all that are left (20 ms; 0.7 s for 100,000)."""
_WRAPS = bytes.maketrans(wraps := b" \t\r\f\v-" + bytes(range(0xE3, 0xEE)), b"\n" * len(wraps))
"""Where a line may be wrapped, as newlines: also at the first byte of a character of Chinese, Japanese or Korean."""

_TOUCHES = {
    QEvent.Type.KeyPress,
    QEvent.Type.ShortcutOverride,
    QEvent.Type.InputMethod,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonDblClick,
    QEvent.Type.ContextMenu,
    QEvent.Type.Drop,
}
"""From here on the user may do anything with the text, so that Qt must have all of it."""


def too_long(data: bytes) -> bool:
    """Whether a text, or a line or a word of it, is too long to be edited smoothly."""
    long = len(data) > EDITABLE or _has_line(data, LONGEST_LINE)
    return long or _has_line(data.translate(_WRAPS), LONGEST_WORD)


def _has_line(data: bytes, longest: int) -> bool:
    """Whether it has a longer line."""
    at = 0
    while len(data) - at > longest:  # the last newline that a line of this length has room for
        at = data.rfind(b"\n", at, at + longest + 1) + 1
        if not at:
            return True
    return False


class TextArea(WheelZoom, TextField):
    """The field that is written in. ``intent`` carries intents, ``command`` the name of a key's command."""

    intent = Signal(object)
    command = Signal(str)
    zoomed = Signal(int)
    tip_wanted = Signal(int, QPoint)
    others_wanted = Signal(int)
    """At the byte that was clicked with Alt."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document().contentsChange.connect(self._adopt)
        self.cursorPositionChanged.connect(self._moved)

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
        self.caret_into_sight()

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
        old_end, new_end = min(at + removed, self.given), min(at + added, length)
        if self.given - old_end != length - new_end:
            at, old_end, new_end = 0, self.given, length
        cursor = QTextCursor(self.document())
        cursor.setPosition(at)
        cursor.setPosition(new_end, QTextCursor.MoveMode.KeepAnchor)
        change = foreign.read_off(self.shown, at, old_end, cursor.selectedText().replace("\u2029", "\n"))
        if change is None:
            return
        self._foreign = not change.exact
        first, last, data = change.start, change.end, change.data
        self.shown = ShownText(self.shown.data[:first] + data + self.shown.data[last:])
        self._given += len(data) - (last - first)
        self.marks = self.marks.after(first, last, first + len(data))
        self._caret = first + len(data)
        self._adopting = True
        try:
            self.intent.emit(Typed(first, last, data, self._caret))
        finally:
            self._adopting = False

    # -- keys and input methods

    def event(self, event: QEvent) -> bool:
        if event.type() in _TOUCHES:
            self.give()
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
        answer = keys.to_ghost(event)
        if answer and (self.shows_ghost or (answer == "accept_ghost" and self.awaits_ghost)):
            self._ghost_away = answer == "hide_ghost"
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
            before = self.textCursor().position()
            super().keyPressEvent(event)
            if self.textCursor().position() != before:
                self.caret_into_sight()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """What is composed is Qt's to preview, what is committed is text like any other.

        One event may commit a syllable and begin the next: first the text, then what is composed behind it.
        """
        committed, start, length = event.commitString(), event.replacementStart(), event.replacementLength()
        self._take_away()
        elsewhere = bool(length or (committed and start))
        if self.textCursor().hasSelection() and (elsewhere or event.preeditString()):
            self.replace_selection(b"")
        if elsewhere:
            self._replace_beside(committed, start, length)
        elif committed:
            self.insert(committed)
        self._composed, self._attributes = event.preeditString(), event.attributes()
        self.preview(QInputMethodEvent(self._composed, self._attributes))
        event.accept()

    def _replace_beside(self, text: str, start: int, length: int) -> None:
        """``text`` in place of ``length`` UTF-16 units from ``start`` units beside the caret, which stays there."""
        low = min(max(self.textCursor().position() + start, 0), self.shown.length)
        self.replace(low, min(low + length, self.shown.length), text, stays=True)

    # -- clipboard, drag and drop

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
        transfer.take(event)

    def _move(self, low: int, high: int, at: int) -> None:
        """The selected units [low, high) go to ``at``, as one edit."""
        a, b, to = (self.shown.byte(unit) for unit in (low, high, at))
        data = self.shown.data
        if at < low:
            self._replace(at, high, data[a:b] + data[to:a], to + b - a)
        elif at > high:
            self._replace(low, at, data[b:to] + data[a:b])

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        menu = self.context_menu(self._byte_at(QPointF(event.pos())) if by_mouse else None)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def context_menu(self, byte: int | None = None) -> QMenu:
        """``byte``: of the text under the mouse; None for the caret's place."""
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
        menu.addSeparator()
        others = menu.addAction("Other &tokens here")
        others.setShortcut(QKeySequence("Ctrl+."))
        others.triggered.connect(lambda: self._want_others(byte))
        return menu

    def _want_others(self, byte: int | None) -> None:
        if byte is None:
            self.command.emit("alternatives")
        else:
            self.others_wanted.emit(byte)

    def _byte_at(self, point: QPointF) -> int | None:
        return painting.byte_under(self.visible_lines(), self._snapped(point))

    # -- mouse: the room between two lines belongs to the line below and above, half each

    def mousePressEvent(self, event: QMouseEvent) -> None:
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier and event.button() == Qt.MouseButton.LeftButton
        byte = self._byte_at(event.position()) if alt else None
        if byte is not None:
            self.others_wanted.emit(byte)
            return
        super().mousePressEvent(self._on_line(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(self._on_line(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(self._on_line(event))

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
        if event.type() in _TOUCHES:
            self.give()
        if event.type() == QEvent.Type.ToolTip:
            point = self.viewport().mapFromGlobal(event.globalPos())  # type: ignore[attr-defined]
            byte = painting.byte_under(self.visible_lines(), QPointF(point))
            if byte is not None:
                self.tip_wanted.emit(byte, event.globalPos())  # type: ignore[attr-defined]
            return True
        return super().viewportEvent(event)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        lines = self.visible_lines()
        painting.paint_below(self, lines)
        super().paintEvent(event)
        painting.paint_above(self, lines)
