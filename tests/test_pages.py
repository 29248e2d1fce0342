"""The help's pages: every one is in the menu and opens, links lead from one to another, and words are found."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from arplay import paths
from arplay.gui.main_window import MainWindow
from arplay.gui.pages import PAGES, Pages, pages
from arplay.gui.theme import DARK, LIGHT, contrast
from arplay.gui.widgets.page import Page
from tests.windows_open import Open, opened

__all__ = ["opened"]

WIDTH, HEIGHT = 1080, 740
"""The window's first size on a screen of 1280 x 800."""


def in_help(window: MainWindow) -> dict[str, QAction]:
    """The entries of the menu Help, by their words."""
    (menu,) = [action.menu() for action in window.menuBar().actions() if action.text() == "&Help"]
    assert isinstance(menu, QMenu)
    return {action.text(): action for action in menu.actions()}


def read(window: MainWindow, title: str) -> Pages:
    in_help(window)[title].trigger()
    assert window.menus.pages is not None
    return window.menus.pages


def test_every_page_is_in_the_menu_and_opens(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    there = {f"docs/{file.name}" for file in (paths.assets() / "docs").iterdir()}
    assert there <= set(PAGES)
    for title, file in pages():
        shown = read(window, title)
        assert shown.isVisible()
        assert shown.page.source() == QUrl.fromLocalFile(str(file))
        assert shown.page.toPlainText().startswith(title)
        assert shown.list.currentItem().text() == title
        qtbot.waitUntil(shown.page.hasFocus)


def faint(page: Page) -> list[str]:
    """Tokens of text that are hard to tell from their ground."""
    bad = []
    block = page.document().begin()
    while block.isValid():
        tokens, paper = block.begin(), block.blockFormat().background()
        ground = page.palette().base().color() if paper.style() == Qt.BrushStyle.NoBrush else paper.color()
        while not tokens.atEnd():
            ink = tokens.fragment().charFormat().foreground()
            color = page.palette().text().color() if ink.style() == Qt.BrushStyle.NoBrush else ink.color()
            if contrast(color, ground) < 4.5:
                bad.append(tokens.fragment().text())
            tokens += 1
        block = block.next()
    return bad


def test_pages_need_no_scrolling_sideways_and_can_be_read_in_both_themes(opened: Open) -> None:
    window = opened()
    for theme in ("dark", "light"):
        window.set_theme(theme)
        for title, _ in pages():
            shown = read(window, title)
            shown.resize(WIDTH, HEIGHT)
            assert shown.page.horizontalScrollBar().maximum() == 0, title
            assert faint(shown.page) == []
    shown.page.setMarkdown("```\n" + "wide " * 60 + "\n```\n")
    assert shown.page.horizontalScrollBar().maximum() > 0
    shown.page.setTextColor(LIGHT.color("surface"))
    shown.page.append("white on white")
    assert faint(shown.page) == ["white on white"]


def test_the_page_stays_where_it_was_read_when_the_theme_changes(opened: Open) -> None:
    window = opened()
    shown = read(window, "Design")
    shown.page.verticalScrollBar().setValue(200)
    window.set_theme("dark")
    assert shown.page.verticalScrollBar().value() == 200
    assert shown.page.theme is DARK


def test_links_lead_to_other_pages_and_back(opened: Open) -> None:
    shown = read(opened(), "Training")
    assert not shown.back.isEnabled()
    shown.resize(WIDTH, HEIGHT)
    follow(shown.page, "card")
    assert shown.page.horizontalScrollBar().maximum() == 0, "its picture is as wide as the page"
    assert shown.page.source() == QUrl.fromLocalFile(str(paths.assets() / "models" / "english" / "README.md"))
    assert shown.list.currentItem() is None, "it is not in the list"
    QTest.mouseClick(shown.back, Qt.MouseButton.LeftButton)
    assert shown.list.currentItem().text() == "Training"
    QTest.keyClick(shown.page, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert shown.list.currentItem() is None


def follow(page: Page, words: str) -> None:
    """By keyboard: Tab to the link with these words, and Enter."""
    page.setFocus()
    for _ in range(50):
        QTest.keyClick(page, Qt.Key.Key_Tab)
        if page.textCursor().selectedText() == words:
            QTest.keyClick(page, Qt.Key.Key_Return)
            return
    raise AssertionError(f"no link {words}")


def test_the_list_is_gone_through_by_keyboard(opened: Open) -> None:
    shown = read(opened(), pages()[0][0])
    shown.list.setFocus()
    for title, _ in pages()[1:]:
        QTest.keyClick(shown.list, Qt.Key.Key_Down)
        assert shown.page.toPlainText().startswith(title)
    QTest.keyClick(shown.list, Qt.Key.Key_Escape)
    assert not shown.isVisible()


def test_words_are_found_from_the_end_to_the_start_again(opened: Open, qtbot: QtBot) -> None:
    shown = read(opened(), "How the numbers are defined")
    qtbot.waitUntil(shown.isActiveWindow)
    QTest.keyClick(shown, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(shown.search.hasFocus)
    QTest.keyClicks(shown.search, "perplexit")
    text = shown.page.toPlainText()
    every = [at for at in range(len(text)) if text[at:].lower().startswith("perplexit")]
    assert len(every) > 1
    seen = []
    for _ in range(len(every) + 1):
        seen.append(shown.page.textCursor().selectionStart())
        QTest.keyClick(shown.search, Qt.Key.Key_Return)
    assert seen == [*every, every[0]]
    QTest.keyClick(shown, Qt.Key.Key_F3, Qt.KeyboardModifier.ShiftModifier)
    assert shown.page.textCursor().selectionStart() == every[0]
    assert not shown.nothing.isVisible()
    QTest.keyClicks(shown.search, "zzz")
    assert shown.nothing.isVisible()
    QTest.keyClick(shown.search, Qt.Key.Key_Escape)
    assert shown.isVisible() and not shown.nothing.isVisible() and shown.page.hasFocus()


def test_the_size_is_remembered(opened: Open, tmp_path: Path) -> None:
    window = opened()
    read(window, "Speed").resize(533, 421)
    window.close()
    again = opened()
    assert again is not window
    assert read(again, "Speed").size().toTuple() == (533, 421)


class Browser(QObject):
    """What the system was asked to open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


def test_nothing_comes_by_network_and_other_addresses_open_only_after_a_click(qtbot: QtBot, tmp_path: Path) -> None:
    browser = Browser()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        (tmp_path / "page.md").write_text(
            f"# A page\n\n![one]({address}one.png) [two]({address}two)\n\n![own](own.png)\n"
        )
        Page.grab(page := Page()).save(str(tmp_path / "own.png"))
        qtbot.addWidget(page)
        QDesktopServices.setUrlHandler("http", browser, "open")  # type: ignore[arg-type]
        try:
            page.setSource(QUrl.fromLocalFile(str(tmp_path / "page.md")))
            page.show()
            qtbot.waitExposed(page)
            page.grab()
            assert browser.opened == []
            follow(page, "two")
        finally:
            QDesktopServices.unsetUrlHandler("http")
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert browser.opened == [f"{address}two"]
    image = QTextDocument.ResourceType.ImageResource
    assert page.document().resource(image, QUrl("own.png")) is not None
