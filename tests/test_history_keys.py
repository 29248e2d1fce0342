"""The tree and the blocks of the history by keys alone: every branch is reached, gone to, marked and pruned."""

from __future__ import annotations

from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.modalities.encoded_text import bytes_of
from arplay.gui.intents import Do, Goto, Take
from arplay.gui.panels.comparison import ComparisonPanel
from arplay.gui.panels.history import HistoryPanel
from arplay.gui.widgets.tree.board import Board
from arplay.gui.widgets.tree.shown import Shown
from tests.test_history_tree import BLOCKS, TREE, board, grown, history, panel, settled, small, view_of
from tests.windows_open import PATIENCE, Open, opened

__all__ = ["opened", "panel"]
KEY = Qt.Key


def press(board: Board, *keys: Qt.Key, with_: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    for key in keys:
        QTest.keyClick(board, key, with_)


def shown_of(board: Board) -> Shown:
    assert board.shown is not None
    return board.shown


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_arrows_go_to_parent_child_and_beside(panel: HistoryPanel, place: int) -> None:
    tree, nodes = small()
    panel.show_view(view_of(tree))
    view = board(panel, place)
    of = shown_of(view).outline.of
    a, ab, ac = (of[nodes[name].serial] for name in ("a", "ab", "ac"))
    assert view.current == ac, "at first where one stands"
    for key, wanted in (
        (KEY.Key_Up, ab), (KEY.Key_Up, ab), (KEY.Key_Down, ac), (KEY.Key_Down, ac), (KEY.Key_Left, a),
        (KEY.Key_Left, 0), (KEY.Key_Left, 0), (KEY.Key_End, ac), (KEY.Key_Home, 0), (KEY.Key_Right, a),
        (KEY.Key_Right, ac), (KEY.Key_Right, ac),
    ):  # fmt: skip
        press(view, key)
        assert view.current == wanted, key
        assert shown_of(view).text(wanted)[0] in view.accessibleDescription()
    assert "you are here" in view.accessibleDescription() and "2 of 2 here" in view.accessibleDescription()


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_every_branch_of_a_large_tree_can_be_reached_and_is_in_sight(panel: HistoryPanel, place: int) -> None:
    panel.show_view(view_of(grown(120)))
    view = board(panel, place)
    shown = shown_of(view)
    reached, waiting = {0}, [0]
    while waiting:
        start = waiting.pop()
        for key in (KEY.Key_Left, KEY.Key_Right, KEY.Key_Up, KEY.Key_Down):
            view.current = start
            press(view, key)
            if view.current not in reached:
                reached.add(view.current)
                waiting.append(view.current)
    assert reached == set(range(len(shown.outline)))
    for twig in range(0, len(shown.outline), 9):
        view.walk_to(twig)
        if place == TREE:
            area = panel.branches.place(twig)
            at = panel.branches.origin + area.center() * panel.branches.scale
            assert view.rect().contains(at.toPoint())
        else:
            assert twig in {block.twig for block in panel.blocks.blocks(view.rect().toRectF())}


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_what_keys_are_about_is_seen_where_the_keyboard_is(panel: HistoryPanel, qtbot: QtBot, place: int) -> None:
    tree, _ = small()
    panel.show_view(view_of(tree))
    view = board(panel, place)
    panel.activateWindow()
    qtbot.waitUntil(view.hasFocus)
    pictures = [view.grab().toImage()]
    for key in (KEY.Key_Left, KEY.Key_Left):
        press(view, key)
        pictures.append(view.grab().toImage())
    assert len({bytes(picture.constBits()) for picture in pictures}) == 3
    moved = [view.grab().toImage()]
    press(view, KEY.Key_Right, with_=Qt.KeyboardModifier.ShiftModifier)
    assert view.current == 0 and view.grab().toImage() != moved[0], "Shift and an arrow move the picture"


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_back_to_the_first_branch_with_the_keyboard_alone(opened: Open, qtbot: QtBot, place: int) -> None:
    window = opened(text=b"B")
    play = window.playground
    for id in (0, 2):
        play.handle(Take(id))
        settled(window, qtbot)
    first = play.tree.node
    play.handle(Do("branch"))
    settled(window, qtbot)
    assert play.tree.node is not first
    _, view = history(window, place)
    settled(window, qtbot)
    press(view, KEY.Key_Up)
    assert shown_of(view).outline.nodes[view.current] == [first]
    press(view, KEY.Key_Return)
    settled(window, qtbot)
    assert play.tree.node is first and play.document.file == b"BAC" and view.current == shown_of(view).here
    assert play.tree.count == 4


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_prune_star_rename_and_compare_by_keys(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    window = opened(text=b"B")
    play = window.playground
    for ids in ((0, 2), (2, 1), (0, 1)):  # A twice: equal ways
        play.handle(Goto(play.tree.root))
        for id in ids:
            play.handle(Take(id))
            settled(window, qtbot)
    panel, view = history(window, place)
    press(view, KEY.Key_Home, KEY.Key_Right)
    a = view.current
    assert len(shown_of(view).outline.nodes[a]) == 2
    press(view, KEY.Key_Asterisk)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("best", True))
    press(view, KEY.Key_F2)
    settled(window, qtbot)
    assert shown_of(view).name(view.current) == "★ best"
    press(view, KEY.Key_Down)
    c = shown_of(view).outline.nodes[view.current][0]
    press(view, KEY.Key_Return, with_=Qt.KeyboardModifier.ControlModifier)
    assert "they part behind" in panel.told.full
    press(view, KEY.Key_Up, KEY.Key_Delete)  # where one stands: it stays in sight
    settled(window, qtbot)
    assert shown_of(view).text(view.current)[0] == "A"
    play.undo_stack.undo()
    play.handle(Goto(c))
    settled(window, qtbot)
    press(view, KEY.Key_Up, KEY.Key_Delete)
    settled(window, qtbot)
    assert [shown_of(view).text(child)[0] for child in shown_of(view).outline.below[0]] == ["C"]
    assert view.current == 0, "what held it"
    play.undo_stack.undo()
    settled(window, qtbot)
    assert len(shown_of(view).outline.below[0]) == 2 and shown_of(view).outline.left_out == 0, "one undo for all"


@pytest.mark.parametrize("place", [0, TREE, BLOCKS])
@pytest.mark.parametrize("by_key", [True, False])
def test_a_state_becomes_the_base_of_the_comparison(opened: Open, qtbot: QtBot, place: int, by_key: bool) -> None:
    """From the list, the tree and the blocks, by its menu and by B; the comparison comes in sight, one stays there."""
    window = opened("abc", b"BA")
    play, history = window.playground, cast(HistoryPanel, window.panels["history"])
    comparison = cast(ComparisonPanel, window.panels["comparison"])
    window.handle(Take(2))
    settled(window, qtbot)
    window.handle(Take(1))
    settled(window, qtbot)
    window.docks["history"].raise_()
    history.show_as(place)
    here = play.view.node
    assert here is not None and here.parent is not None and comparison.visibleRegion().isEmpty()
    wanted = here.parent
    history.show_state(wanted)
    front = cast(QWidget, history.views.currentWidget())
    if by_key:
        QTest.keyClick(front, KEY.Key_B)
    else:
        menu = history.menu_of(front.current) if isinstance(front, Board) else history.menu_of_row()
        next(action for action in menu.actions() if "&base text" in action.text()).trigger()
    qtbot.waitUntil(lambda: not comparison.visibleRegion().isEmpty() and comparison.based, timeout=PATIENCE)
    qtbot.waitUntil(lambda: play.view.edited is not None, timeout=PATIENCE)
    assert play.view.base is not None and bytes_of(play.view.base.ledger.encoded) == b"BAC"
    assert play.view.node is here and history.isAncestorOf(cast(QWidget, QApplication.focusWidget()))
    qtbot.waitUntil(lambda: "3 tokens stand in both" in comparison.said.full, timeout=PATIENCE)
