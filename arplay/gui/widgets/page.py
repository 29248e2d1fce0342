"""A page of Markdown from a file, set as the rest of the window is; its links lead to other pages."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QUrl
from PySide6.QtGui import (
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from arplay.gui.theme import BODY, LIGHT, SPACE, TEXT, TITLE, Theme, fixed_font, interface_font

LINE = 140
"""Percent of its type that a line of prose takes."""
HEADINGS = (TITLE + SPACE[0], TITLE, TEXT)


class Page(QTextBrowser):
    """Other addresses are opened by the system, once they are clicked; nothing is fetched by network."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = LIGHT
        self.setOpenExternalLinks(True)
        self.setFont(interface_font(TEXT))
        self.document().setDocumentMargin(SPACE[4])
        self.document().setIndentWidth(SPACE[4])

    def set_theme(self, theme: Theme) -> None:
        """The links' colour is of the page as it was read, so it is read again."""
        self.theme = theme
        if not self.source().isEmpty():
            place = self.verticalScrollBar().value()
            self.reload()
            self.verticalScrollBar().setValue(place)

    def doSetSource(
        self, name: QUrl | str, type: QTextDocument.ResourceType = QTextDocument.ResourceType.UnknownResource
    ) -> None:
        super().doSetSource(name, type)
        document = self.document()
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        block = document.begin()
        while block.isValid():
            self._dress(block)
            block = block.next()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                self._dress_table(frame)
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _dress(self, block: QTextBlock) -> None:
        """Markdown says what is a heading, code or a list; what each looks like is said here."""
        cursor = QTextCursor(block)
        shape = block.blockFormat()
        code, level = _is_code(block), shape.headingLevel()
        parts = list(_parts(block))  # a changed format makes other ones
        prose = not level and not any(form.isImageFormat() for _, _, form in parts)
        if code:
            shape.setBackground(self.theme.color("raised"))
            shape.setLeftMargin(SPACE[2])
            shape.setNonBreakableLines(False)
            shape.setTopMargin(0 if _is_code(block.previous()) else SPACE[0])
            shape.setBottomMargin(0 if _is_code(block.next()) else SPACE[2])
        elif cursor.currentTable() is None:
            shape.setLineHeight(LINE if prose else 100, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            shape.setTopMargin(SPACE[4] if level > 1 else 0)
            shape.setBottomMargin(SPACE[0] if block.textList() is not None else SPACE[1])
        cursor.setBlockFormat(shape)
        for start, end, form in parts:
            if form.isImageFormat():
                form = form.toImageFormat()
                form.setMaximumWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
            elif level:
                _resize(form, HEADINGS[min(level, len(HEADINGS)) - 1])
            elif code or form.fontFixedPitch():
                _resize(form, BODY)
                form.setFontFamilies(fixed_font().families())
            else:
                continue
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(form)

    def _dress_table(self, table: QTextTable) -> None:
        shape = table.format()
        shape.setBorder(1)
        shape.setBorderBrush(self.theme.color("border"))
        shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        shape.setBorderCollapse(True)
        shape.setCellPadding(SPACE[1] - 2)
        shape.setCellSpacing(0)
        shape.setTopMargin(SPACE[1])
        shape.setBottomMargin(SPACE[2])
        shape.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        table.setFormat(shape)
        names = (table.cellAt(0, column) for column in range(table.columns()))
        if all(name.firstPosition() == name.lastPosition() for name in names):  # Markdown has no table without them
            table.removeRows(0, 1)


def _resize(form: QTextCharFormat, pixels: int) -> None:
    form.clearProperty(QTextFormat.Property.FontSizeAdjustment)  # it would win over the size
    form.setProperty(QTextFormat.Property.FontPixelSize, pixels)


def _is_code(block: QTextBlock) -> bool:
    return block.isValid() and block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence)


def _parts(block: QTextBlock) -> Iterator[tuple[int, int, QTextCharFormat]]:
    """Start, end and format of what has one format."""
    parts = block.begin()
    while not parts.atEnd():
        part = parts.fragment()
        yield part.position(), part.position() + part.length(), part.charFormat()
        parts += 1
