"""History as rows: every state is there once, a click goes to it, and new steps are added without starting over."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Token
from arplay.core.tree import Node, Step, Tree
from arplay.gui.intents import Goto
from arplay.gui.panels.history import HistoryPanel
from arplay.gui.theme import DARK
from arplay.gui.view import View
from arplay.gui.widgets.history_rows import HistoryRows, flatten, said
from arplay.gui.widgets.labels import label
from tests.windows_open import put_up


def step(tree: Tree, token: bytes, prob: float = 0.3, u: float | None = 0.25, at: int | None = None) -> Node:
    at = len(tree.document) if at is None else at
    edit = tree.document.put(at, Token(1, token), "v")
    kind = "picked" if u is None else "sampled"
    return tree.record(edit, kind, at + len(token), Step(1, 0, -1.2, prob, prob, 2, u))  # type: ignore[arg-type]


def view_of(tree: Tree) -> View:
    return View(document=tree.document, tree=tree, node=tree.node, caret=tree.node.caret)


@pytest.fixture
def panel(qtbot: QtBot) -> HistoryPanel:
    return put_up(qtbot, HistoryPanel(), 320, 300)


def texts(panel: HistoryPanel) -> list[tuple[int, str, str, str]]:
    model = panel.model
    return [
        (row.indent, *(str(model.index(i, column).data()) for column in range(3)))  # type: ignore[misc]
        for i, row in enumerate(model.rows)
    ]


def test_what_was_done_in_order_with_older_branches_indented(panel: HistoryPanel) -> None:
    tree = Tree(Text.of(b"once"))
    at = tree.record(tree.document.replace(4, 4, b" upon\r\n"), "typed", 11)
    step(tree, b" a", 0.5)
    step(tree, b" b", 0.00001)
    tree.goto(at)
    step(tree, b" c", 0.25, None)
    tree.record(tree.document.replace(0, 4, b""), "typed", 0)
    tree.record(tree.document.retokenise(), "retokenised", 0)
    panel.show_view(view_of(tree))
    assert texts(panel) == [
        (0, "Opened 4 bytes", "", ""),
        (0, label("␣upon⟨CR⟩↵"), "", ""),
        (1, "␣a", "50.00%", "0.250"),
        (1, "␣b", "<0.01%", "0.250"),
        (0, "␣c", "25.00%", ""),
        (0, "Deleted once", "", ""),
        (0, "Re-tokenised", "", ""),
    ]
    assert panel.model.path == {id(node) for node in tree.path()}
    assert "u = 0.25" in str(panel.model.index(2, 0).data(Qt.ItemDataRole.ToolTipRole))


def test_a_click_and_enter_go_to_a_state(panel: HistoryPanel, qtbot: QtBot) -> None:
    tree = Tree(Text())
    nodes = [step(tree, word) for word in (b"a", b"b", b"c")]
    panel.show_view(view_of(tree))
    told: list[object] = []
    panel.intent.connect(told.append)

    def click(row: int) -> None:
        spot = panel.rows.visualRect(panel.model.index(row, 0)).center()
        qtbot.mouseClick(panel.rows.viewport(), Qt.MouseButton.LeftButton, pos=spot)

    click(1)
    assert told == [Goto(nodes[0])]
    tree.goto(nodes[0])
    panel.show_view(view_of(tree))
    click(1)
    assert len(told) == 1, "one is there already"
    qtbot.keyClick(panel.rows, Qt.Key.Key_Down)
    qtbot.keyClick(panel.rows, Qt.Key.Key_Return)
    assert told[1:] == [Goto(nodes[1])]


def test_the_empty_panel_says_what_will_appear(panel: HistoryPanel) -> None:
    panel.show_view(View())
    assert panel.empty.isVisible()
    assert "write, pick or sample" in panel.empty.text() and "<" not in panel.empty.text()
    tree = Tree(Text.of(b"x"))
    panel.show_view(view_of(tree))
    assert panel.empty.isVisible()
    step(tree, b"a")
    panel.show_view(view_of(tree))
    assert panel.rows.isVisible()


def test_the_current_row_stays_in_sight_whatever_becomes_of_the_panel(panel: HistoryPanel) -> None:
    def in_sight() -> bool:
        return panel.rows.viewport().rect().contains(panel.rows.visualRect(panel.rows.currentIndex()).center())

    tree = Tree(Text.of(b"x"))
    for _ in range(40):
        step(tree, b"a")
    panel.show_view(view_of(tree))
    assert in_sight()
    for height in (900, 120, 300, 90):
        panel.resize(320, height)
        assert in_sight(), height
    panel.hide()
    for _ in range(20):
        step(tree, b"a")
    panel.show_view(view_of(tree))
    panel.show()
    assert in_sight()


def test_new_steps_are_appended_and_nothing_is_built_anew(qtbot: QtBot) -> None:
    tree, model = Tree(Text()), HistoryRows()
    tester = ModelTester(model)
    tester.check(model)
    model.follow(tree, tree.node)
    resets, inserted = [0], list[tuple[int, int]]()

    def on_reset() -> None:
        resets[0] += 1

    def on_insert(_parent: QModelIndex, first: int, last: int) -> None:
        inserted.append((first, last))

    model.modelReset.connect(on_reset)
    model.rowsInserted.connect(on_insert)
    for _ in range(3):
        step(tree, b"a")
        model.follow(tree, tree.node)
    step(tree, b"b")
    step(tree, b"c")
    model.follow(tree, tree.node)
    assert (resets, inserted) == ([0], [(1, 1), (2, 2), (3, 3), (4, 5)])
    tree.goto(tree.path()[2])
    model.follow(tree, tree.node)
    assert resets == [0]
    step(tree, b"x")
    model.follow(tree, tree.node)
    assert resets == [1], "a branch puts the older way aside"


def matches(model: HistoryRows, tree: Tree) -> bool:
    """Whether the rows are exactly those of a table made from nothing."""
    right = flatten(tree.root)
    path = {id(node) for node in tree.path()}
    places = {id(row.node): i for i, row in enumerate(right)}
    return (model.rows, model.path) == (right, path) and all(
        model.row_of(row.node) == places[id(row.node)] for row in right
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["step", "step", "goto", "type"]), st.integers(0, 99), st.booleans())))
def test_rows_that_grew_are_those_of_the_whole_tree(qtbot: QtBot, todo: list[tuple[str, int, bool]]) -> None:
    tree, model = Tree(Text.of(b"x")), HistoryRows()
    model.follow(tree, tree.node)
    known = [tree.node]
    for what, number, seen in todo:
        if what == "step":
            step(tree, b"a")
        elif what == "goto":
            tree.goto(known[number % len(known)])
        else:
            at = number % (len(tree.document) + 1)
            tree.record(tree.document.replace(at, at, b"t"), "typed", at + 1)
        if tree.node not in known:
            known.append(tree.node)
        if seen:
            model.follow(tree, tree.node)
            assert matches(model, tree)
    assert len(flatten(tree.root)) == tree.count == len(known)


def test_the_rule_catches_rows_that_were_not_kept_up(qtbot: QtBot) -> None:
    """Negative control."""
    tree, model = Tree(Text()), HistoryRows()
    model.follow(tree, tree.node)
    step(tree, b"a")
    assert not matches(model, tree)


def test_typing_shows_what_changed_within_a_kept_token() -> None:
    tree = Tree(Text())
    step(tree, b"hello")
    node = tree.record(tree.document.replace(2, 3, b"L"), "typed", 3)
    assert said(node) == ("L", True)
    long = tree.record(tree.document.replace(0, 0, b"x" * 5000), "typed", 0)
    assert len(said(long)[0]) == 161


def test_the_way_to_the_current_state_looks_different(panel: HistoryPanel) -> None:
    tree = Tree(Text())
    nodes = [step(tree, word) for word in (b"a", b"b", b"c")]
    panel.set_theme(DARK)
    pictures = []
    for node in (nodes[2], nodes[1], nodes[2]):
        tree.goto(node)
        panel.show_view(view_of(tree))
        pictures.append(panel.rows.viewport().grab().toImage())
    assert pictures[0] != pictures[1]
    assert pictures[0] == pictures[2]


def test_two_thousand_states_stay_quick_to_follow(panel: HistoryPanel) -> None:
    tree = Tree(Text())
    for _ in range(2000):
        step(tree, b"a")
    panel.show_view(view_of(tree))
    asked = 0
    original = panel.model.data

    def counted(index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        nonlocal asked
        asked += 1
        return original(index, role)

    panel.model.data = counted  # type: ignore[method-assign, assignment]
    step(tree, b"b")
    panel.show_view(view_of(tree))
    panel.grab()
    assert 0 < asked < 200, "only rows on the screen are asked for"


def test_narrow_panels_drop_columns_not_the_text(panel: HistoryPanel) -> None:
    tree = Tree(Text())
    step(tree, b"a")
    panel.show_view(view_of(tree))
    hidden = {}
    for width in (320, 220, 170):
        panel.resize(width, 120)
        hidden[width] = [panel.rows.isColumnHidden(column) for column in range(3)]
    assert hidden == {320: [False] * 3, 220: [False, False, True], 170: [False, True, True]}
