"""Ghost text: the greedy continuation behind the text, through the real window; never a part of the document."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.modalities.text import text_of
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.intents import CaretMoved
from arplay.gui.main_window import MainWindow
from arplay.gui.playground.ghost import ELSEWHERE, NOTHING, ON_SERVER, PAUSE_MS
from tests.loopback_completions import serving
from tests.windows_open import Open, opened, settle, text_field

__all__ = ["opened"]

Key = Qt.Key
START = b"Once upon a"


def ghostly(opened: Open, qtbot: QtBot) -> tuple[MainWindow, TextArea, str]:
    """A window with a whole ghost, and what greedy decoding writes there."""
    window = opened(text=START, model="english")
    area = text_field(window)
    assert isinstance(area, TextArea)
    qtbot.wait(400)
    assert area.ghost == ""  # it is off at first, for it costs steps
    window.change(ghost=True)
    expected = arplay.load("english").sample(START.decode(), 12, pipeline="greedy").text
    qtbot.waitUntil(lambda: area.ghost == expected)
    return window, area, expected


def data(window: MainWindow) -> bytes:
    return text_of(window.playground.document).data


def test_tab_takes_it_word_by_word_and_undo_gives_it_back(opened: Open, qtbot: QtBot) -> None:
    window, area, expected = ghostly(opened, qtbot)
    play = window.playground
    assert data(window) == START and play.tree.count == 1
    taken = ""
    while area.ghost:
        before = area.ghost
        qtbot.keyClick(area, Key.Key_Tab)
        word = data(window)[len(START) + len(taken) :].decode()
        assert word and word.strip().count(" ") == 0 and before == word + area.ghost
        taken += word
        if taken == expected:
            break
    assert taken == expected
    steps = [node.step for node in play.tree.path() if node.step is not None]
    assert len(steps) == 12 and all(step.by == "greedy" and step.decoded_prob == 1 for step in steps)
    settle(window, qtbot)
    for _ in steps:
        play.undo_stack.undo()
    assert data(window) == START


def test_tab_before_it_is_there_waits_for_it(opened: Open, qtbot: QtBot) -> None:
    window, area, _ = ghostly(opened, qtbot)
    qtbot.keyClick(area, Key.Key_X)
    assert area.ghost == ""
    qtbot.keyClick(area, Key.Key_Tab)
    assert data(window) == START + b"x", "no tab is written"
    qtbot.waitUntil(lambda: data(window) != START + b"x")
    settle(window, qtbot)
    whole = arplay.load("english").sample((START + b"x").decode(), 12, pipeline="greedy").text
    word = data(window)[len(START) + 1 :].decode()
    assert word and whole.startswith(word) and word.strip().count(" ") == 0 and "\t" not in word
    qtbot.waitUntil(lambda: area.ghost != "")
    assert whole.startswith(word + area.ghost)


def test_where_nothing_follows_tab_says_so(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    told = list[str]()
    window.playground.refused.connect(told.append)
    window.playground.ghost._hidden = True
    window.playground.ghost.accept()
    assert told == [NOTHING]


def test_typing_cancels_it_and_escape_hides_it(opened: Open, qtbot: QtBot) -> None:
    window, area, expected = ghostly(opened, qtbot)
    shown = area.grab().toImage()
    qtbot.keyClick(area, Key.Key_Escape)
    assert area.ghost == "" and area.grab().toImage() != shown
    qtbot.wait(400)
    assert area.ghost == ""
    qtbot.keyClick(area, Key.Key_Tab)  # there is none: Tab is a tab again
    assert data(window) == START + b"\t"
    qtbot.keyClick(area, Key.Key_Backspace)
    qtbot.waitUntil(lambda: area.ghost == expected)
    qtbot.keyClick(area, Key.Key_Z)
    assert area.ghost == ""
    qtbot.waitUntil(lambda: area.ghost != "")
    qtbot.keyClick(area, Key.Key_Left)
    assert area.ghost == ""  # only behind the end
    settle(window, qtbot)
    assert data(window) == START + b"z" and window.playground.document.file == START + b"z"


def test_what_is_typed_as_the_ghost_says_keeps_the_rest(opened: Open, qtbot: QtBot) -> None:
    window, area, expected = ghostly(opened, qtbot)
    qtbot.keyClick(area, Key.Key_Return, Qt.KeyboardModifier.ControlModifier)  # the most probable token
    assert area.ghost and expected.endswith(area.ghost) and area.ghost != expected
    settle(window, qtbot)


def test_where_there_is_none_it_is_said(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=START)
    play, told = window.playground, list[str]()
    play.refused.connect(told.append)
    window.change(ghost=True)
    assert told == []
    window.change(ghost=False)
    play.handle(CaretMoved(2))
    settle(window, qtbot)
    window.change(ghost=True)
    assert told == [ELSEWHERE]
    play.handle(CaretMoved(len(START)))
    play.handle(CaretMoved(1))
    settle(window, qtbot)
    assert told == [ELSEWHERE], "it is known by now"


def test_a_server_is_not_asked_for_it(opened: Open, qtbot: QtBot) -> None:
    with serving("vllm") as server:
        window = opened(server.url(), text=START)
        told, asked = list[str](), len(server.asked)
        window.playground.refused.connect(told.append)
        window.change(ghost=True)
        qtbot.wait(2 * PAUSE_MS)
        assert told == [ON_SERVER] and len(server.asked) == asked
