"""Keys in the moment in which a text opens go into the text that is there then; none is lost, nothing is raised."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui.main_window import MainWindow
from tests.windows_open import Open, settle, text_field

OLD, NEW = b"ABC" * 40, b"CAB"
Key = Callable[[QPlainTextEdit], object]


def paste(field: QPlainTextEdit) -> None:
    mime = QMimeData()
    mime.setText("BB")
    field.insertFromMimeData(mime)


def commit(field: QPlainTextEdit) -> None:
    event = QInputMethodEvent()
    event.setCommitString("B")
    QApplication.sendEvent(field, event)


def compose(field: QPlainTextEdit) -> None:
    QApplication.sendEvent(field, QInputMethodEvent("b", []))
    commit(field)


KEYS: dict[str, tuple[Key, bytes]] = {
    "typing": (lambda field: QTest.keyClicks(field, "B"), b"BCAB"),
    "delete": (lambda field: QTest.keyClick(field, Qt.Key.Key_Delete), b"AB"),
    "backspace": (lambda field: QTest.keyClick(field, Qt.Key.Key_Backspace), b"CAB"),
    "select all and type": (lambda field: (field.selectAll(), QTest.keyClicks(field, "B")), b"B"),
    "paste": (paste, b"BBCAB"),
    "input method": (commit, b"BCAB"),
    "composing": (compose, b"BCAB"),
    "end and type": (lambda field: (QTest.keyClick(field, Qt.Key.Key_End), QTest.keyClicks(field, "B")), b"CABB"),
    "undo": (lambda field: QTest.keySequence(field.window(), QKeySequence("Ctrl+Z")), OLD),
}


def at_once(window: MainWindow, press: Callable[[], object]) -> None:
    press()


def in_the_next_turn(window: MainWindow, press: Callable[[], object]) -> None:
    QTimer.singleShot(0, press)
    QApplication.processEvents()


def while_a_model_loads(window: MainWindow, press: Callable[[], object]) -> None:
    window.playground.load_model("abc")
    press()


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("moment", [at_once, in_the_next_turn, while_a_model_loads])
def test_a_key_goes_into_the_text_that_was_opened(
    opened: Open, qtbot: QtBot, moment: Callable[[MainWindow, Callable[[], object]], None], key: str
) -> None:
    window = opened(text=OLD)
    field, (press, expected) = text_field(window), KEYS[key]
    QTest.keyClick(field, Qt.Key.Key_End)  # where no byte of the new text is
    window.playground.open_document(Text.of(NEW))
    moment(window, lambda: press(field))
    QApplication.processEvents()
    assert window.playground.document.data == expected
    settle(window, qtbot)
    assert field.toPlainText() == expected.decode()


def test_an_editor_that_shows_the_former_text_is_seen(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: what the window did before it showed every text at once."""
    window = opened(text=OLD)
    field = text_field(window)
    monkeypatch.setattr(window.panels["editor"], "show_view", lambda view: None)
    QTest.keyClick(field, Qt.Key.Key_End)
    window.playground.open_document(Text.of(NEW))
    with qtbot.captureExceptions() as raised:
        QTest.keyClicks(field, "B")
    assert raised and raised[0][0] is ValueError
    assert window.playground.document.data == NEW
