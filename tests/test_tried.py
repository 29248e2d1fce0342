"""Rollouts and beams in the tree of everything tried: at once, told apart, gone to, pruned, kept and drawn again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import get_args

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay.core import kept, tried
from arplay.core.beams import Rules
from arplay.core.kept import Session, snapshot
from arplay.core.kept_reading import Reader
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.outline import Outline
from arplay.core.tree import Mark, Node, Step, Tree
from arplay.core.tried import End, Tried
from arplay.engine.rollouts import Stopped
from arplay.export import sessionfile
from arplay.gui.intents import Beams, CaretMoved, Continue, Goto, Rollouts, SetMark, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.widgets.history_rows import flatten
from arplay.gui.widgets.rollout_rows import ENDED
from tests.test_history_tree import BLOCKS, TREE, history, middle, settled
from tests.windows_open import PATIENCE, Open, opened, settle, text_field

__all__ = ["opened"]
ABC = Vocabulary("abc", (b"A", b"B", b"C"))


def step(id: int, prob: float = 0.5, u: float | None = None, seed: int | None = None) -> Step:
    return Step(id, 1, math.log(prob), prob, prob, 1, u, seed)


def tries(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.playground.view.trying, timeout=PATIENCE)


def ways(nodes: list[Node]) -> set[tuple[int, ...]]:
    """The ids behind each of the nodes' ends, from the first state that was only tried on."""
    found = set()
    for node in nodes:
        way = [one.step.id for one in node.ancestors() if one.kind == node.kind and one.step is not None]
        found.add(tuple(reversed(way)))
    return found


def of_kind(tree: Tree, kind: str) -> list[Node]:
    return [node for node in tree.nodes.values() if node.kind == kind]


def test_rollouts_are_in_the_tree_as_they_come_and_one_stands_where_one_stood(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    play, counts = window.playground, []
    window.playground.changed.connect(lambda view: counts.append((view.states, view.node)))
    play.handle(Rollouts(5, 6))
    tries(window, qtbot)
    wanted = arplay.load("abc").rollouts("B", 5, 6, seed=play.view.settings.seed)
    assert len({count for count, _ in counts}) > 3, "not only at the end"
    assert all(node is play.tree.root for _, node in counts) and play.document.file == b"B"
    ends = [node for node in of_kind(play.tree, "rolled") if not node.children]
    assert ways(ends) == {each.ids for each in wanted} and play.tree.count == 1 + 5 * 6
    assert {node.step.seed for node in ends if node.step} == {each.seed for each in wanted}
    assert not play.undo_stack.count(), "nothing was done to the text"
    play.handle(Rollouts(5, 6))
    tries(window, qtbot)
    assert play.tree.count == 1 + 5 * 6, "the same again is the same"


def test_beams_that_went_on_and_ended_are_in_the_tree_with_the_models_own_figures(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    play = window.playground
    for upto in (1, 2, None):
        play.handle(Beams(Rules(2, 4), upto))
        tries(window, qtbot)
    found = play.view.searched
    assert found is not None and len(found.expansions) == 4
    wanted = {beam.ids for each in found.expansions for beam in each.beams} | {each.ids for each in found.finished}
    assert ways(of_kind(play.tree, "searched")) == wanted and len(of_kind(play.tree, "searched")) == len(wanted)
    model = arplay.load("abc")
    for node in of_kind(play.tree, "searched"):
        play.tree.goto(node.parent or node)
        answer = model.next(play.tree.document)
        assert node.step is not None
        assert node.step.logprob == pytest.approx(answer.logprobs[node.step.id])
        assert node.step.rank == 1 + sum(answer.logprobs > answer.logprobs[node.step.id])


@pytest.mark.parametrize("place", [TREE, BLOCKS])
def test_both_are_seen_told_apart_gone_to_and_pruned(opened: Open, qtbot: QtBot, place: int) -> None:
    window = opened("abc", b"B")
    play = window.playground
    play.handle(Take(1))
    settled(window, qtbot)
    play.handle(Goto(play.tree.root))
    settled(window, qtbot)
    panel, board = history(window, place)
    play.handle(Rollouts(2, 3))
    tries(window, qtbot)
    play.handle(Beams(Rules(2, 2)))
    tries(window, qtbot)
    settled(window, qtbot)
    assert board.shown is not None
    outline = board.shown.outline
    said = {board.shown.tried(twig) for twig in range(len(outline))}
    assert {"", "rollout", "beam"} <= said
    own = outline.of[play.tree.root.children[0].serial]
    assert board.shown.tried(own) == "", "a token that was picked is no try, whatever else took it"
    beam = next(node for node in of_kind(play.tree, "searched") if not node.children and "beam" in told(board, node))
    twig = outline.of[beam.serial]
    QTest.mouseClick(board, Qt.MouseButton.LeftButton, pos=middle(board, twig))
    settled(window, qtbot)
    assert play.tree.node is beam and play.view.node is beam
    play.undo_stack.undo()
    settled(window, qtbot)
    assert play.tree.node is play.tree.root
    play.handle(SetMark((beam,), Mark(pruned=True)))
    settled(window, qtbot)
    assert board.shown is not None and beam.serial not in board.shown.outline.of
    play.undo_stack.undo()
    settled(window, qtbot)
    assert board.shown is not None and beam.serial in board.shown.outline.of
    assert panel.told.full == ""


def told(board: object, node: Node) -> str:
    shown = board.shown  # type: ignore[attr-defined]
    return str(shown.told(shown.outline.of[node.serial]))


def test_what_is_written_of_them_is_their_own_states_and_a_step_of_undo_each(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    play = window.playground
    play.handle(Rollouts(2, 3))
    tries(window, qtbot)
    assert play.view.rolled is not None
    rollout, count = play.view.rolled.rollouts[1], play.tree.count
    play.handle(Continue(rollout.ids, rollout.steps))
    settle(window, qtbot)
    assert play.tree.count == count and play.document.file == b"B" + rollout.text.encode()
    assert play.tree.node.step == rollout.steps[-1]
    play.undo_stack.undo()
    assert play.document.file == b"B" + rollout.text[:-1].encode()
    play.handle(Take(0))
    settle(window, qtbot)
    assert play.tree.count == count + 1, "going on from the middle of one"


def test_typing_while_they_come_leaves_the_state_that_they_are_behind(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"")
    play = window.playground
    QTest.keyClicks(text_field(window), "AB")
    settle(window, qtbot)
    behind = play.tree.node
    play.handle(Rollouts(3, 5))
    QTest.keyClicks(text_field(window), "C")
    tries(window, qtbot)
    settle(window, qtbot)
    assert play.document.file == b"ABC" and play.tree.node is not behind and play.tree.node.parent is behind
    assert len(of_kind(play.tree, "rolled")) == 15
    for node in of_kind(play.tree, "rolled"):
        play.tree.goto(node)
        assert play.tree.document.file.startswith(b"AB") and play.tree.document.file[2:3] in b"ABC"


def test_in_the_middle_of_a_text_they_leave_from_there(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BACAB")
    play = window.playground
    play.handle(CaretMoved(2))
    settle(window, qtbot)
    play.handle(Rollouts(2, 2))
    tries(window, qtbot)
    for node in of_kind(play.tree, "rolled"):
        play.tree.goto(node)
        assert play.tree.document.file.startswith(b"BA") and len(play.tree.document) in (3, 4)


def test_pictures_have_them_too(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo", None)
    play = window.playground
    play.handle(Rollouts(3, 4))
    tries(window, qtbot)
    assert len(of_kind(play.tree, "rolled")) == 12 and play.view.states == 13


def test_they_are_kept_at_once_and_come_back_and_draw_again(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"B", keep=tmp_path)
    play = window.playground
    play.handle(Rollouts(3, 4))
    tries(window, qtbot)
    play.handle(Beams(Rules(2, 3)))
    tries(window, qtbot)
    assert window.keeping.flush()
    wanted = {node.serial: (node.kind, node.edit, node.step) for node in play.tree.nodes.values()}
    (journal,) = tmp_path.glob("*.jsonl")
    reader = Reader()
    for line in journal.read_bytes().splitlines():
        reader.feed(line)
    session = reader.session()
    assert session is not None and session.tree.node.serial == play.tree.root.serial and session.caret == 1
    assert {node.serial: (node.kind, node.edit, node.step) for node in session.tree.nodes.values()} == wanted
    file = tmp_path / "a.session.json"
    sessionfile.write(file, window.keeping.snapshot())
    replay = arplay.load("abc").replay(file)
    assert replay.same and replay.drawn == len(of_kind(play.tree, "rolled"))


def test_a_history_that_is_full_says_so(opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried, "MOST_STATES", 6)
    window = opened("abc", b"B")
    play = window.playground
    play.handle(Rollouts(2, 4))
    tries(window, qtbot)
    assert play.tree.count == 6 and play.view.left_out == 8 - 5
    panel = window.panels["continuations"]
    panel.show_view(play.view)
    assert "3 tokens of these are here alone" in panel.note.full  # type: ignore[attr-defined]
    assert play.view.rolled is not None
    rollout = play.view.rolled.rollouts[1]
    play.handle(Continue(rollout.ids, rollout.steps))
    assert play.document.file == b"B" + rollout.text.encode(), "what is written has room"


def test_equal_ways_share_and_different_draws_stay() -> None:
    tree = Tree(Text.of(b"B"))
    tries = Tried(tree, 1, ABC)

    def way(*steps: Step) -> list[Node]:
        end: End | None = tries.start
        found = []
        for one in steps:
            end = tries.goes_on(end, one, "rolled")
            assert end is not None
            found.append(end.node)
        return found

    first = way(step(0, u=0.1, seed=1), step(1, u=0.2, seed=1))
    assert way(step(0, u=0.1, seed=1), step(2, u=0.9, seed=1))[0] is first[0]
    other = way(step(0, u=0.3, seed=2))
    assert other[0] is not first[0] and tree.node is tree.root
    outline = Outline(tree)
    assert outline.of[other[0].serial] == outline.of[first[0].serial], "one twig"
    assert [len(nodes) for nodes in outline.nodes] == [1, 2, 1, 1]


def test_in_the_list_a_way_that_was_only_tried_is_a_row() -> None:
    tree = Tree(Text.of(b"B"))
    tries = Tried(tree, 1, ABC)
    end: End | None = tries.start
    for letter in (0, 1, 2):
        end = tries.goes_on(end, step(letter, u=0.1, seed=1), "rolled")
    tree.record(Text.of(b"B").replace(1, 1, b"!"), "typed", 2)
    rows = flatten(tree.root)
    assert [(row.said[0], row.indent, row.prob) for row in rows[1:]] == [("ABC", 1, 0.125), ("!", 0, None)]
    middle = tree.root.children[0].children[0]
    path = {id(node) for node in middle.ancestors()}
    rows = flatten(tree.root, path)
    assert [(row.said[0], row.indent) for row in rows] == [
        ("Opened 1 byte", 0), ("A", 1), ("B", 1), ("C", 2), ("!", 0),
    ]  # fmt: skip
    assert {node for row in rows for node in (row.several or (row.node,))} == set(tree.nodes.values())


def test_what_the_user_did_has_room_in_a_session_before_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(Text.of(b"B"))
    for letter in (b"x", b"y"):
        tree.goto(tree.root)
        tree.record(Text.of(b"B").replace(1, 1, letter), "typed", 2)
    own = tree.root.children[0]
    tries = Tried(tree, 1, ABC)
    tries.goes_on(tries.start, step(0), "searched")
    monkeypatch.setattr(kept, "MOST_NODES", 3)
    assert own.serial in {plan.serial for plan in snapshot(Session(tree)).plans}


def test_every_end_of_a_rollout_has_its_words() -> None:
    assert set(ENDED) == set(get_args(Stopped))
