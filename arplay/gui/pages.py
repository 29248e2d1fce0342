"""The pages of the help, in a window beside the playground."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAction, QHideEvent, QKeyEvent, QKeySequence, QShortcut, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QWidget,
)

from arplay import paths
from arplay.gui.store import Store
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.page import Page

PAGES = (
    "docs/numbers.md",
    "docs/models.md",
    "docs/training.md",
    "docs/command-line.md",
    "docs/python.md",
    "docs/session.md",
    "docs/scoring.md",
    "docs/orders.md",
    "docs/causality.md",
    "docs/speed.md",
    "docs/design.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)
"""All pages, in assets/, in the order of the list. A new one is a file and a line here."""

KEY = "pages_geometry"


def pages() -> tuple[tuple[str, Path], ...]:
    """Title and file of every page."""
    files = [paths.assets() / name for name in PAGES]
    return tuple((_title(file), file) for file in files)


def _title(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        return text.readline().removeprefix("# ").rstrip()


class Pages(QDialog):
    """A list of the pages, and the one that is read."""

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__(parent)
        self._store = store
        self.setWindowTitle("Help")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.page = Page(self)
        self.page.setAccessibleName("The page")
        self.list = QListWidget(self)
        self.list.setAccessibleName("Pages of the help")
        self.list.setProperty("role", "pages")
        self.list.setFixedWidth(236)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for title, file in pages():
            item = QListWidgetItem(title, self.list)
            item.setData(Qt.ItemDataRole.UserRole, QUrl.fromLocalFile(str(file)))
        self.back = self._button("Back (Alt+←)", self.page.backward)
        self.forward = self._button("Forward (Alt+→)", self.page.forward)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Find on this page")
        self.search.setAccessibleName("Find on this page")
        self.search.setClearButtonEnabled(True)
        self._glass = QAction(self.search)
        self.search.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.nothing = Label("not on this page", self, role="caption")
        self.nothing.hide()
        self._lay_out()
        self._connect()
        there = self.screen().availableSize()
        self.resize(min(1080, there.width() - 2 * SPACE[3]), min(740, there.height() - 4 * SPACE[3]))
        store.restore(KEY, self.restoreGeometry)

    def _button(self, name: str, does: Callable[[], object]) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("role", "quiet")
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setEnabled(False)
        button.clicked.connect(does)
        return button

    def _lay_out(self) -> None:
        bar = in_row(self.back, self.forward, (self.search, 1), self.nothing, spacing=SPACE[1])
        right = in_column(bar, (self.page, 1), spacing=SPACE[1])
        in_row(self.list, (right, 1), on=self, margins=SPACE[3], spacing=SPACE[2])

    def _connect(self) -> None:
        self.list.currentItemChanged.connect(self._on_chosen)
        self.page.sourceChanged.connect(self._on_source)
        self.page.backwardAvailable.connect(self.back.setEnabled)
        self.page.forwardAvailable.connect(self.forward.setEnabled)
        self.search.textChanged.connect(lambda: self._find(same=True))
        self.search.returnPressed.connect(self._find)
        keys = QKeySequence.StandardKey
        QShortcut(keys.Find, self, self.search.setFocus)
        QShortcut(keys.FindNext, self, self._find)
        QShortcut(keys.FindPrevious, self, lambda: self._find(backward=True))
        QShortcut(keys.Back, self, self.page.backward)
        QShortcut(keys.Forward, self, self.page.forward)

    def open_at(self, file: Path) -> None:
        """Come to the front with this page."""
        self.page.setSource(QUrl.fromLocalFile(str(file)))
        self.show()
        self.raise_()
        self.activateWindow()
        self.page.setFocus()

    def set_theme(self, theme: Theme) -> None:
        self.page.set_theme(theme)
        self.back.setIcon(icon("arrow-left", theme))
        self.forward.setIcon(icon("arrow-right", theme))
        self._glass.setIcon(icon("magnifying-glass", theme, "muted"))

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.page.setSource(item.data(Qt.ItemDataRole.UserRole))

    def _on_source(self, source: QUrl) -> None:
        """The list shows which page is read; none, where a link led to a page that it does not have."""
        self.list.blockSignals(True)
        self.list.setCurrentRow(-1)
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == source:
                self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self.nothing.hide()

    def _find(self, same: bool = False, backward: bool = False) -> None:
        """To the next place, from the end to the start again. ``same``: more was typed, so the place may still do."""
        words, cursor = self.search.text(), self.page.textCursor()
        if same:
            cursor.setPosition(cursor.selectionStart())
            self.page.setTextCursor(cursor)
        flag = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        found = not words or self.page.find(words, flag)
        if not found:
            edge = QTextCursor.MoveOperation.End if backward else QTextCursor.MoveOperation.Start
            self.page.moveCursor(edge)
            found = self.page.find(words, flag)
        if not found:
            self.page.setTextCursor(cursor)
        self.nothing.setVisible(not found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc gives up a search before it closes the window."""
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
            self.page.setFocus()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._store.keep(KEY, self.saveGeometry())
