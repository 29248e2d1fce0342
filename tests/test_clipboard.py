"""Texts that come by the clipboard, or are dropped by other programs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from pytestqt.qtbot import QtBot

from arplay.gui.main_window import MainWindow
from tests.windows_open import PATIENCE, Open, notice, opened, settle

__all__ = ["opened"]


def paste(window: MainWindow, mime: QMimeData) -> None:
    QGuiApplication.clipboard().setMimeData(mime)
    file = window.menuBar().actions()[0].menu()
    next(action for action in file.actions() if "cli&pboard" in action.text()).trigger()  # type: ignore[attr-defined]


def mime_of(text: str = "", page: str = "", path: Path | None = None) -> QMimeData:
    mime = QMimeData()
    if text:
        mime.setText(text)
    if page:
        mime.setHtml(page)
    if path is not None:
        mime.setUrls([QUrl.fromLocalFile(str(path))])
    return mime


def test_the_text_of_the_clipboard_is_opened(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", b"BAC")
    play = window.playground
    paste(window, mime_of("It was é dark", "<b>another</b>"))
    assert play.document.file == "It was é dark".encode() and window.windowTitle().startswith("clipboard")  # type: ignore[attr-defined]
    paste(window, mime_of(page="<p>It was <b>night</b></p>"))
    assert play.document.file == b"It was night\n"  # type: ignore[attr-defined]
    (tmp_path / "a.txt").write_text("a file")
    paste(window, mime_of(path=tmp_path / "a.txt"))
    assert play.document.file == b"a file"  # type: ignore[attr-defined]
    mime = QMimeData()
    mime.setData("application/octet-stream", b"x")
    paste(window, mime)
    assert "no text in the clipboard" in notice(window).lower() and play.document.file == b"a file"  # type: ignore[attr-defined]
    play.undo_stack.undo()
    assert play.document.file == b"It was night\n"  # type: ignore[attr-defined]


def test_a_huge_one_is_scored_read_only(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    paste(window, mime_of("BACAB" * 60_000))
    settle(window, qtbot)
    view = window.playground.view
    assert view.excerpt_of == "clipboard" and view.ledger is not None and len(view.ledger) == 300_000


def test_a_text_of_another_program_is_dropped(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    mime = mime_of("CAB")
    window.dropEvent(
        QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
    )
    qtbot.waitUntil(lambda: window.playground.document.file == b"CAB", timeout=PATIENCE)  # type: ignore[attr-defined]
