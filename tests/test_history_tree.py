"""The history as a tree and as blocks: each click goes there, nothing is painted that is not in sight."""

from __future__ import annotations

import math
import random

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from arplay.core import laying
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Token
from arplay.core.outline import Outline
from arplay.core.tree import Node, Step, Tree
from arplay.gui.intents import Do, Goto, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.history import HistoryPanel
from arplay.gui.view import View
from arplay.gui.widgets.tree.board import Board
from tests.windows_open import Open, put_up, settle

TREE, BLOCKS = 1, 2


def write(tree: Tree, id: int, prob: float, u: float | None = 0.25) -> Node:
    assert isinstance(tree.document, Text)
    at, data = len(tree.document), b" " + bytes([97 + id % 26]) * (1 + id % 5)
    edit = tree.document.put(at, Token(id, data), "v")
    step = Step(id, at, math.log(prob), prob, prob, 2, u)
    return tree.record(edit, "picked" if u is None else "sampled", at + len(data), step)


def grown(count: int) -> Tree:
    chance, tree = random.Random(1), Tree(Text.of(b"once"))
    nodes = [tree.root]
    while tree.count < count:
        tree.goto(chance.choice(nodes[-200:]))
        count_here = chance.randint(2, 20)
        nodes += [write(tree, chance.randrange(200), chance.uniform(0.05, 0.95)) for _ in range(count_here)]
    return tree


def small() -> tuple[Tree, dict[str, Node]]:
    """a, then b or c; and a again beside it."""
    tree, nodes = Tree(Text.of(b"B")), {}
    nodes["a"] = write(tree, 0, 0.5)
    nodes["ab"] = write(tree, 1, 0.25)
    tree.goto(nodes["a"])
    nodes["ac"] = write(tree, 2, 0.5)
    tree.goto(tree.root)
    nodes["a again"] = write(tree, 0, 0.5)
    tree.goto(nodes["ac"])
    return tree, nodes


def view_of(tree: Tree) -> View:
    return View(document=tree.document, tree=tree, node=tree.node, caret=tree.node.caret)


@pytest.fixture
def panel(qtbot: QtBot) -> HistoryPanel:
    return put_up(qtbot, HistoryPanel(), 900, 500)


def board(panel: HistoryPanel, place: int) -> Board:
    panel.show_as(place)
    return panel.boards[place - 1]


def middle(board: Board, twig: int) -> QPoint:
    """Somewhere on a twig, as a user sees it."""
    for y in range(2, board.height() - 2, 2):
        for x in range(2, board.width() - 2, 4):
            if board.part_at(QPointF(x, y)) == twig:
                return QPoint(x, y)
    raise AssertionError(f"{twig} is not in sight")


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_a_click_goes_there(panel: HistoryPanel, qtbot: QtBot, place: int) -> None:
    tree, nodes = small()
    panel.show_view(view_of(tree))
    shown = board(panel, place)
    assert shown.shown is not None
    twig = shown.shown.outline.of[nodes["ab"].serial]
    with qtbot.waitSignal(panel.intent) as said:
        QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=middle(shown, twig))
    assert said.args == [Goto(nodes["ab"])]


def test_the_children_of_a_block_have_their_share_of_it(panel: HistoryPanel) -> None:
    tree, nodes = small()
    panel.show_view(view_of(tree))
    board(panel, BLOCKS)
    view = panel.blocks
    assert view.shown is not None
    high = {block.twig: block.area.height() for block in view.blocks(view.rect().toRectF())}
    of = view.shown.outline.of
    for name, share in {"a": 0.5, "ab": 0.125, "ac": 0.25}.items():
        assert high[of[nodes[name].serial]] == pytest.approx(share * view.height())
    view.zoom_to(of[nodes["ab"].serial])
    high = {block.twig: block.area.height() for block in view.blocks(view.rect().toRectF())}
    assert high[of[nodes["ab"].serial]] == pytest.approx(view.height())
    for _ in range(4):
        QTest.keyClick(view, Qt.Key.Key_Backspace)
    assert view.root == 0 and view.scale == 1


def test_equal_ways_are_one(panel: HistoryPanel) -> None:
    tree, nodes = small()
    outline = Outline(tree)
    assert outline.of[nodes["a"].serial] == outline.of[nodes["a again"].serial]
    assert len(outline) == tree.count - 1
    assert "2 equal ways" in panel_told(panel, tree, nodes["a"])


def panel_told(panel: HistoryPanel, tree: Tree, node: Node) -> str:
    panel.show_view(view_of(tree))
    shown = board(panel, TREE).shown
    assert shown is not None
    return shown.told(shown.outline.of[node.serial])


def test_the_card_tells_p_rank_u_and_the_sum(panel: HistoryPanel) -> None:
    tree, nodes = small()
    told = panel_told(panel, tree, nodes["ac"])
    for part in ("25", "rank 2", "u = 0.250000", "1.386"):  # Σ log p = ln 0.25
        assert part in told, told


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_keys_wheel_and_drag_move_and_zoom(panel: HistoryPanel, place: int) -> None:
    panel.show_view(view_of(grown(300)))
    view = board(panel, place)
    seen = set()

    def looks() -> bool:
        image = view.grab().toImage()
        seen.add(bytes(image.constBits()))
        return True

    QTest.keyClicks(view, "0")
    looks()
    for step, text in enumerate(("+", "+", "-")):
        QTest.keyClicks(view, text)
        assert looks() and len(seen) >= step
    QTest.keyClick(view, Qt.Key.Key_Right)
    looks()
    start = QPoint(300, 200)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for by in (10, 30, 60):
        QTest.mouseMove(view, start - QPoint(by, by))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start - QPoint(60, 60))
    looks()
    assert len(seen) >= 4
    QTest.keyClicks(view, "0")
    view.zoom(1e9, QPointF(10, 10))
    view.move_by(1e6, -1e6)
    view.zoom(1e-12, QPointF(400, 100))
    view.move_by(-1e9, 1e9)
    view.grab()  # nothing overflows


def test_the_blocks_begin_where_one_is_with_what_follows(panel: HistoryPanel) -> None:
    panel.show_view(view_of(grown(300)))
    view = board(panel, BLOCKS)
    assert view.shown is not None
    for twig in (view.shown.here, view.shown.outline.parent[view.shown.here]):
        assert view.shown.outline.parent[twig] > 0, "negative control: it is deep in the tree"
    high = {block.twig: block.area.height() for block in panel.blocks.blocks(view.rect().toRectF())}
    assert high[view.shown.here] >= view.height() / 4
    panel.blocks.fit()
    assert view.shown.here not in {block.twig for block in panel.blocks.blocks(view.rect().toRectF())}


def test_only_what_is_in_sight_is_looked_at(panel: HistoryPanel) -> None:
    tree = grown(10_000)
    panel.show_view(view_of(tree))
    board(panel, BLOCKS)
    area = panel.blocks.rect().toRectF()
    assert len(list(panel.blocks.blocks(area))) < 2_000
    for block in panel.blocks.blocks(area):
        assert block.area.intersects(area)


def test_play_goes_on_in_the_picture(panel: HistoryPanel) -> None:
    tree = grown(100)
    panel.show_view(view_of(tree))
    view = board(panel, TREE)
    for id in range(4):
        write(tree, id, 0.5)
        panel.show_view(view_of(tree))
        assert view.shown is not None and view.shown.here == view.shown.outline.of[tree.node.serial]
        assert middle(view, view.shown.here)


def history(window: MainWindow, place: int) -> tuple[HistoryPanel, Board]:
    window.docks["history"].raise_()
    panel = window.panels["history"]
    assert isinstance(panel, HistoryPanel)
    return panel, board(panel, place)


def choose(panel: HistoryPanel, twig: int, words: str) -> None:
    menu = panel.menu_of(twig)
    next(action for action in menu.actions() if words in action.text().replace("&", "")).trigger()
    menu.deleteLater()


def settled(window: MainWindow, qtbot: QtBot) -> None:
    settle(window, qtbot)
    QTest.qWait(0)
    window.panels["history"].show_view(window.playground.view)


def test_the_next_tokens_are_pale_branches_until_one_is_taken(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    play = window.playground
    play.handle(Do("step"))
    settled(window, qtbot)
    panel, view = history(window, TREE)
    settled(window, qtbot)
    shown = view.shown
    assert shown is not None
    choose(panel, shown.here, "Single tokens")
    shown = view.shown
    assert shown is not None
    pale = sorted(shown.outline.laid)
    assert [shown.text(twig)[0] for twig in pale] and len(pale) == 3
    probs = sum(math.exp(shown.outline.logprob[twig]) for twig in pale)
    assert probs == pytest.approx(1.0)
    count = play.tree.count
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle(view, pale[1]))
    settled(window, qtbot)
    assert play.tree.count == count + 1 and play.tree.node.step is not None
    assert play.tree.node.step.id == shown.outline.laid[pale[1]].id and view.shown is not None
    assert not view.shown.outline.laid


def test_a_gold_text_shares_the_tokens_that_were_written(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    play = window.playground
    for id in (2, 1):
        play.handle(Take(id))
        settled(window, qtbot)
    panel, view = history(window, TREE)
    play.handle(Goto(play.tree.root))
    play.handle(Take(2))
    play.handle(Take(0))
    settled(window, qtbot)
    qtbot.waitUntil(lambda: not play.view.scores_are_old and play.view.ledger is not None)
    panel.show_view(play.view)
    panel.show_gold()
    expected = float(play.view.ledger.logprob[2:].sum())  # type: ignore[union-attr]
    play.handle(Goto(play.tree.root.children[0]))
    settled(window, qtbot)
    shown = view.shown
    assert shown is not None
    assert [shown.text(twig)[0] for twig in shown.outline.gold] == ["C", "A"]
    assert shown.outline.gold[0] == shown.outline.of[play.tree.root.children[0].serial], "the same branch"
    assert shown.outline.total[shown.outline.gold[1]] == pytest.approx(expected)
    panel.show_gold()
    assert view.shown is not None and not view.shown.outline.gold


@pytest.mark.parametrize(("most", "said"), [(3, "the first 3 tokens of the gold text are laid, 2 are not"), (5, "")])
def test_what_of_a_long_gold_text_is_not_laid_is_told(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, most: int, said: str
) -> None:
    monkeypatch.setattr(laying, "MOST_GOLD", most)
    monkeypatch.setattr(laying, "FORGET", 2)
    window = opened(text=b"B")
    play = window.playground
    for id in (2, 1, 0, 0, 1):
        play.handle(Take(id))
        settled(window, qtbot)
    panel, view = history(window, TREE)
    qtbot.waitUntil(lambda: not play.view.scores_are_old and play.view.ledger is not None)
    panel.show_view(play.view)
    panel.show_gold()
    assert view.shown is not None
    gold = view.shown.outline.gold
    assert [view.shown.outline.nodes[twig] for twig in gold] == [[node] for node in play.tree.path()[1:]][:most]
    assert panel.told.full == said


def test_prune_rename_star_and_compare(opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = opened(text=b"B")
    play = window.playground
    for ids in ((0, 2), (2, 1)):
        play.handle(Goto(play.tree.root))
        for id in ids:
            play.handle(Take(id))
            settled(window, qtbot)
    panel, view = history(window, TREE)
    first = play.tree.root.children[0]
    assert view.shown is not None
    twig = view.shown.outline.of[first.children[0].serial]
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, middle(view, twig))
    assert "they part behind" in panel.told.full and "perplexity" in panel.told.full
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("  good & <b>", True))
    choose(panel, view.shown.outline.of[first.serial], "Rename")
    choose(panel, view.shown.outline.of[first.serial], "star")
    settled(window, qtbot)
    assert view.shown is not None and view.shown.name(view.shown.outline.of[first.serial]) == "★ good & <b>"
    choose(panel, view.shown.outline.of[first.serial], "Prune")
    settled(window, qtbot)
    assert view.shown is not None and first.serial not in view.shown.outline.of
    assert "2 pruned states" in panel.told.full and play.tree.count == 5, "nothing is lost"
    play.undo_stack.undo()
    settled(window, qtbot)
    assert view.shown is not None and first.serial in view.shown.outline.of
