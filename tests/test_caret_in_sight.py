"""The caret stays in sight of a low text field, also where a scroll bar that comes takes room from its lines."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.gui.canvases.text.area import TextArea
from arplay.gui.theme import LIGHT, apply
from tests.windows_open import put_up

TEXT = b"It was a dark and stormy night, and the old man had always dreamed of a boat. " * 5


def test_the_caret_is_in_sight_however_long_the_text_becomes_at_once(qapp: QApplication, qtbot: QtBot) -> None:
    apply(qapp, LIGHT)  # whatever was tested before
    area = put_up(qtbot, TextArea(), 560, 84)
    bar, more_lines = area.verticalScrollBar(), 0
    for size in range(200, 390):
        area.show_text(TEXT[:60], 60)
        QApplication.processEvents()
        area.show_text(TEXT[:size], size)
        lines = area.document().firstBlock().layout().lineCount()
        QApplication.processEvents()  # the bar comes
        more_lines += area.document().firstBlock().layout().lineCount() > lines
        assert area.cursorRect().bottom() <= area.viewport().height(), f"{size} bytes"
    assert more_lines, "negative control: the bar took so much room that a line more was needed"

    lines = b"He was not left to the king. " * 4 + b"\n\n"
    for text in (lines * 3 + TEXT[:180], lines * 3 + b"It was"):
        area.show_text(text[:60], 60)
        for size in range(len(text) - 40, len(text) + 1):
            area.show_text(text[:size], size)
            QApplication.processEvents()
            assert area.cursorRect().bottom() < area.viewport().height(), f"{size} bytes of several lines"
    qtbot.keyClick(area, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    for _ in range(12):
        qtbot.keyClick(area, Qt.Key.Key_Down)
        assert area.cursorRect().bottom() < area.viewport().height()

    bar.setValue(0)
    area.resize(570, 80)
    assert bar.value() == 0, "whoever scrolled away from it is left there"
