"""The texts to train on: files with their sizes, added by a dialog or by dropping them, each looked at before."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from arplay.core.format import size
from arplay.core.signs import safe
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.caption import plain

EMPTY = "Drop text files here, or add them above.\nA few hundred kilobytes will do; some megabytes make a better model."
ROW = 26
_LOOKED_AT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Text:
    """A file as it was when it was added; ``problem`` says why it cannot be trained on, in a few words."""

    path: Path
    bytes: int
    problem: str = ""


def look(path: Path) -> Text:
    """The size of a file, and whether its beginning is UTF-8 (the run itself reads and checks all of it)."""
    try:
        count = path.stat().st_size
        if path.is_dir():
            return Text(path, 0, "is a folder: add the text files in it")
        if not path.is_file():  # a pipe would be waited for
            return Text(path, 0, "is no file")
        with path.open("rb") as file:
            beginning = file.read(_LOOKED_AT)
    except OSError as error:
        return Text(path, 0, f"cannot be read ({error.strerror or error})")
    if not beginning:
        return Text(path, 0, "is empty")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=count <= _LOOKED_AT)
    except UnicodeDecodeError:
        return Text(path, count, "is not UTF-8 text")
    return Text(path, count, "is no text" if b"\0" in beginning else "")


class TextList(QTreeWidget):
    """Name and size of every file. ``changed`` after each change; Delete takes the chosen ones off the list."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.texts: list[Text] = []
        self._theme: Theme = LIGHT
        self.setAccessibleName("Texts to train on")
        self.setHeaderLabels(["Text", "Size"])
        self.headerItem().setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setTabKeyNavigation(False)

    def add(self, paths: Iterable[Path]) -> None:
        """Each file once; one that is there already is looked at again."""
        for path in paths:
            text = look(path)
            self.texts = [known for known in self.texts if known.path != path] + [text]
        self._fill()

    def remove_chosen(self) -> None:
        gone = {index.row() for index in self.selectedIndexes()}
        if gone:
            self.texts = [text for at, text in enumerate(self.texts) if at not in gone]
            self._fill()

    def look_again(self) -> None:
        """Files change and go while a window stands open."""
        self.texts = [look(text.path) for text in self.texts]
        self._fill()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._fill_colours()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.texts:
            painter = QPainter(self.viewport())
            painter.setPen(self._theme.color("muted"))
            room = QRectF(self.viewport().rect())
            painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), EMPTY)
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_chosen()
        else:
            super().keyPressEvent(event)

    def _fill(self) -> None:
        self.clear()
        for text in self.texts:
            item = QTreeWidgetItem([safe(text.path.name), text.problem or size(text.bytes)])
            tip = f"{text.path}\n{text.path.name} {text.problem}" if text.problem else str(text.path)
            for column in (0, 1):
                item.setToolTip(column, plain(tip))
            item.setSizeHint(0, QSize(0, ROW))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.addTopLevelItem(item)
        for at, text in reversed(list(enumerate(self.texts))):
            if text.problem and (bad := self.topLevelItem(at)) is not None:
                self.setCurrentItem(bad)  # so that Remove takes the first of them
        self.setHeaderHidden(not self.texts)
        self._fill_colours()
        self.changed.emit()

    def _fill_colours(self) -> None:
        for at, text in enumerate(self.texts):
            item = self.topLevelItem(at)
            if text.problem and item is not None:
                item.setForeground(1, self._theme.color("warning"))
