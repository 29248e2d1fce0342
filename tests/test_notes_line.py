"""The line below the text: not there where there is nothing to say, and still once something was said."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui.canvases.text.canvas import ROOMY
from arplay.gui.intents import Do
from arplay.gui.panels.editor import EditorPanel
from tests.windows_open import Open, settle


def lines_in_sight(editor: EditorPanel) -> float:
    return (
        editor.canvas.area.viewport().visibleRegion().boundingRect().height()
        / editor.canvas.area.fontMetrics().lineSpacing()
    )


@pytest.mark.parametrize("text", [b"BACABCBACABC", b"BACABCBA" * 200])
def test_what_comes_later_leaves_three_lines_of_the_text_in_sight(opened: Open, qtbot: QtBot, text: bytes) -> None:
    """A note below it, what stands above it, and both: at once, not after the next change of the window's size."""
    window = opened(text=text)
    window.resize(1280, 800)
    editor = window.panels["editor"]
    assert isinstance(editor, EditorPanel)
    window.playground.caret.move(3)
    window.playground.handle(Do("step"))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: bool(editor.canvas.notes.notes))
    assert lines_in_sight(editor) >= 3
    window.report("Something is wrong with the file", "open another")
    qtbot.waitUntil(lambda: lines_in_sight(editor) >= 3 and window.notice.isVisible())
    window.notice.forget()
    window.arrangement.share()
    qtbot.waitUntil(lambda: lines_in_sight(editor) >= 3)
    window.resize(1280, 420)
    qtbot.waitUntil(lambda: lines_in_sight(editor) < 3)  # the measure can fail


def test_the_line_for_notes_comes_with_the_first_one_and_stays(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BACABBA")
    window.resize(1280, 800)
    editor = window.panels["editor"]
    window.arrangement.enlarge(editor)
    assert isinstance(editor, EditorPanel)
    qtbot.waitUntil(lambda: editor.height() >= ROOMY)
    QTest.keyClicks(editor.canvas.area, "AB")
    settle(window, qtbot)
    assert not editor.canvas.notes.isVisible()  # nothing to say about abc: no empty row
    window.playground.caret.move(3)
    window.playground.handle(Do("step"))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: bool(editor.canvas.notes.notes))
    assert editor.canvas.notes.isVisible()
    height = editor.canvas.area.height()
    window.playground.handle(Do("put_aside"))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: not editor.canvas.notes.notes)
    assert editor.canvas.notes.isVisible() and editor.canvas.area.height() == height
    window.playground.open_document(Text(), "another")
    settle(window, qtbot)
    assert not editor.canvas.notes.isVisible()
