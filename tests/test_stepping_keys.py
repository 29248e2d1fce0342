"""Stepping with the keyboard, in the chart and in Decoding, through the real window; none of it while one writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import text_of
from arplay.core.stepping import goes_on
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.intents import Do
from arplay.gui.main_window import MainWindow
from tests.windows_open import Open, opened, settle, text_field

__all__ = ["opened"]

Key = Qt.Key
DIGITS = [Key(Key.Key_0 + n) for n in range(1, 10)]


def data(window: MainWindow) -> bytes:
    return text_of(window.playground.document).data


def focused(window: MainWindow, name: str) -> QWidget:
    """What in this panel has the focus, so that keys go there."""
    panel = window.panels[name]
    widget = panel if name == "decoding" else panel.focusProxy()
    assert widget is not None
    widget.setFocus()
    return widget


def press(window: MainWindow, qtbot: QtBot, widget: QWidget, key: Key, shift: bool = False) -> None:
    mods = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    qtbot.keyClick(widget, key, mods)
    play = window.playground
    qtbot.waitUntil(lambda: not play.writing.waiting and not play.view.stale)
    settle(window, qtbot)


@pytest.mark.parametrize("name", ["next_token", "decoding"])
def test_each_key_writes_and_undo_takes_it_back(opened: Open, qtbot: QtBot, name: str) -> None:
    window = opened(text=b"Once upon", model="english")
    play = window.playground
    keys = focused(window, name)
    before = data(window)
    assert play.view.answer is not None and play.view.answer.distribution is not None
    best = play.view.answer.distribution.top(9).tolist()
    for key, id in [(Key.Key_Right, best[0]), *zip(DIGITS, best, strict=True)]:
        press(window, qtbot, keys, key)
        step = play.tree.node.step
        assert step is not None and step.id == id and play.tree.node.kind == "picked"
        if key != Key.Key_Right:
            assert step.rank == int(key) - int(Key.Key_0)
        play.undo_stack.undo()
        settle(window, qtbot)
        assert data(window) == before
    press(window, qtbot, keys, Key.Key_Space)
    assert play.tree.node.kind == "sampled"
    press(window, qtbot, keys, Key.Key_Left)
    assert data(window) == before
    qtbot.keyClick(keys, Key.Key_P)
    assert play.view.playing
    qtbot.waitUntil(lambda: any(each.text() == "Pause" for each in window.panels["decoding"].findChildren(QPushButton)))
    qtbot.keyClick(keys, Key.Key_P)
    assert not play.view.playing


def test_shift_right_writes_whole_words_and_the_seed_gives_the_same_tokens(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"Once upon a", model="english")
    play = window.playground
    chart = focused(window, "next_token")
    former = data(window)
    for _ in range(4):
        press(window, qtbot, chart, Key.Key_Right, shift=True)
        word = data(window)[len(former) :].decode()
        assert word and word.strip() == word.lstrip() and " " not in word.strip()
        former = data(window)
    tokens = sum(node.step is not None for node in play.tree.path())
    while data(window) != b"Once upon a":
        play.undo_stack.undo()
    settle(window, qtbot)
    for _ in range(tokens):
        press(window, qtbot, chart, Key.Key_Space)
    assert data(window) == former


@pytest.mark.parametrize("parts", [[" the", "re", " is"], [" ", "a", "b", "."], ["don", "'t", "\n"], ["«", "mot", "»"]])
def test_words_end_where_letters_do(parts: list[str]) -> None:
    word = ""
    for part in parts[:-1] if parts[0] != "«" else parts[:1]:
        assert goes_on(word, part)
        word += part
    assert not goes_on(word, parts[-1] if parts[0] != "«" else parts[1])


def test_branch_tries_one_token_after_the_other_at_the_last_pick(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BAC", model="abc")
    play = window.playground
    chart = focused(window, "next_token")
    place = play.tree.node
    press(window, qtbot, chart, Key.Key_1)
    for _ in range(3):
        press(window, qtbot, chart, Key.Key_Space)
    first = play.tree.node
    press(window, qtbot, chart, Key.Key_B)
    assert play.tree.node.parent is place and play.tree.node.step is not None and play.tree.node.step.rank == 2
    press(window, qtbot, chart, Key.Key_B)
    assert play.tree.node.parent is place and play.tree.node.step.rank == 3
    for _ in range(20):  # until every token was tried
        press(window, qtbot, chart, Key.Key_B)
    assert play.view.loaded is not None
    ranks = [child.step.rank for child in place.children if child.step is not None]
    assert ranks == list(range(1, len(play.view.loaded.vocabulary) + 1))
    while play.undo_stack.canUndo() and play.tree.node is not first:
        play.undo_stack.undo()
    assert play.tree.node is first  # what was there is not lost


@pytest.mark.parametrize("what", ["branch", "reroll"])
def test_another_token_in_place_of_one_is_one_undo(opened: Open, qtbot: QtBot, tmp_path: Path, what: str) -> None:
    window = opened(text=b"BA", model="abc", keep=tmp_path)
    play = window.playground
    for _ in range(2):
        play.handle(Do("step"))
        settle(window, qtbot)
    first, count = play.tree.node, play.undo_stack.count()
    play.handle(Do(what))  # type: ignore[arg-type]
    settle(window, qtbot)
    other = play.tree.node
    assert other.parent is first.parent and other is not first and play.undo_stack.count() == count + 1
    for _ in range(2):
        play.undo_stack.undo()
        assert play.tree.node is first and play.view.node is first
        play.undo_stack.redo()
        assert play.tree.node is other and play.document.file == play.view.document.file
    window.close()
    again = opened(text=None, model="abc", keep=tmp_path).playground
    assert again.tree.node.serial == other.serial and again.undo_stack.count() == count + 1
    again.undo_stack.undo()
    assert again.tree.node.serial == first.serial
    again.undo_stack.undo()
    assert first.parent is not None and again.tree.node.serial == first.parent.serial


def test_no_key_steps_while_a_field_has_the_focus(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BAC", model="abc")
    seen: list[object] = []
    for name in ("next_token", "decoding"):
        panel = window.panels[name]
        panel.intent.connect(seen.append)
        fields = [*panel.findChildren(QLineEdit), *panel.findChildren(QAbstractSpinBox)]
        assert fields
        for field in filter(QWidget.isVisible, fields):
            field.setFocus()
            for key in (Key.Key_Right, Key.Key_Left, Key.Key_Space, Key.Key_P, Key.Key_B, *DIGITS):
                qtbot.keyClick(field, key)
            qtbot.keyClick(field, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        assert not [intent for intent in seen if type(intent).__name__ in ("Do", "Take", "TakeRank")]
    area = text_field(window)
    area.setFocus()
    qtbot.keyClicks(area, "1b")
    assert data(window) == b"BAC1b"
    qtbot.keyClick(focused(window, "next_token"), Key.Key_B)  # negative control
    assert seen[-1] == Do("branch")


def test_pointing_at_rewind_shows_what_it_takes_away(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BAC", model="abc")
    play, area = window.playground, text_field(window)
    assert isinstance(area, TextArea)
    buttons = window.panels["decoding"].findChildren(QPushButton)
    rewind = next(button for button in buttons if button.text() == "Rewind")
    press(window, qtbot, focused(window, "next_token"), Key.Key_1)
    assert area.marks.rewound is None  # negative control: nothing points at it
    plain = area.grab().toImage()
    QApplication.sendEvent(rewind, QEnterEvent(QPointF(1, 1), QPointF(1, 1), QPointF(1, 1)))
    assert area.marks.rewound == (3, 4) and area.marks.taken
    assert area.grab().toImage() != plain
    QApplication.sendEvent(rewind, QEvent(QEvent.Type.Leave))
    assert area.marks.rewound is None and area.grab().toImage() == plain
    rewind.setFocus()
    assert area.marks.rewound == (3, 4)
    for start in (2, 1, 0):  # typed text stays: Rewind only goes back over it
        qtbot.keyClick(rewind, Key.Key_Space)
        settle(window, qtbot)
        assert area.marks.rewound == (start, start + 1) and not area.marks.taken
    area.setFocus()
    assert area.marks.rewound is None and data(window) == b"BAC"
    menu = next(action.menu() for action in window.menuBar().actions() if action.text() == "&Step")
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == "Re&wind").hover()
    assert play.view.peeking
    menu.aboutToHide.emit()
    assert not play.view.peeking
