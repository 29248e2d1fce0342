"""Continuations in the real window: many at once, searched step by step, looked at, written, never silently gone."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.beam_tree import tree_of
from arplay.core.beams import BeamSearch, Expansion, Rules
from arplay.gui.exports import of_panel
from arplay.gui.intents import CaretMoved
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.continuations import ContinuationsPanel
from tests.panel_checks import pixels
from tests.test_beams import table
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]


def panel_of(window: MainWindow) -> ContinuationsPanel:
    panel = window.panels["continuations"]
    assert isinstance(panel, ContinuationsPanel)
    dock = panel.parentWidget()
    while dock is not None and not hasattr(dock, "toggleViewAction"):
        dock = dock.parentWidget()
    assert dock is not None
    dock.show()
    dock.raise_()
    window.resize(1280, 1000)
    QTest.qWait(0)
    return panel


def click(button: Any) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def done(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.playground.view.trying, timeout=PATIENCE)


def test_rollouts_are_the_samples_of_their_seeds_and_are_written(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel, play = panel_of(window), window.playground
    panel.fields.count.setValue(3)
    panel.fields.tokens.setValue(6)
    click(panel.run)
    done(window, qtbot)
    wanted = arplay.load("abc").rollouts("B", 3, 6, seed=play.view.settings.seed)
    table = panel.rows.table
    shown = [table.index(row, 0).data() for row in range(table.rowCount())]
    assert shown == list(wanted.texts) and not panel.write.isEnabled()
    assert table.index(1, 4).data() == "length"
    panel.rows.selectRow(1)
    assert wanted[1].text in panel.looked.full
    click(panel.write)
    settle(window, qtbot)
    assert play.document.file == b"B" + wanted[1].text.encode()
    steps = [node.step for node in play.tree.node.ancestors() if node.step is not None]
    assert [step.u for step in reversed(steps)] == [step.u for step in wanted[1].steps]
    window.playground.undo_stack.undo()
    assert play.document.file == b"B" + wanted[1].text[:-1].encode(), "every token is a state"


def test_after_an_edit_they_are_of_before_and_stay_in_sight(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BA")
    panel, play = panel_of(window), window.playground
    click(panel.run)
    done(window, qtbot)
    panel.rows.selectRow(0)
    assert panel.write.isEnabled() and "of before" not in panel.note.full
    play.handle(CaretMoved(1))
    settle(window, qtbot)
    assert panel.rows.table.rowCount() and panel.rows.table.dim
    assert "of before: made behind" in panel.note.full and "BA" in panel.note.full and not panel.write.isEnabled()
    panel.rows.chosen.emit(panel.rows.currentIndex())
    assert play.document.file == b"BA", "what belongs elsewhere is not written"
    play.handle(CaretMoved(2))
    settle(window, qtbot)
    assert panel.write.isEnabled() and not panel.rows.table.dim
    play.load_model("xo")
    qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.name == "xo", timeout=PATIENCE)
    assert panel.rows.table.rowCount() and not panel.write.isEnabled(), "another model's tokens"


def test_a_search_is_stepped_with_the_keyboard_alone(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel, play = panel_of(window), window.playground
    click(panel.modes["beams"])
    panel.fields.tokens.setValue(4)
    panel.fields.beams.setValue(2)
    wanted = arplay.load("abc").beams("B", 2, 4)
    for upto in range(1, 5):
        QTest.keyClick(panel.step, Qt.Key.Key_Space)
        done(window, qtbot)
        found = play.view.searched
        assert found is not None and found.expansions == wanted.expansions[:upto]
    assert not panel.step.isEnabled() and "best of all 81 chains" in panel.note.full
    assert "2 beams found it, so did greedy" in panel.note.full
    tree = panel.tree
    tree.setFocus()
    QTest.keyClick(tree, Qt.Key.Key_Right)
    for _ in range(6):
        QTest.keyClick(tree, Qt.Key.Key_Right)
    assert tree.chain == wanted[0].ids and wanted[0].text in panel.looked.full
    assert "ended, and was kept" in tree.accessibleDescription()
    QTest.keyClick(tree, Qt.Key.Key_Down)
    assert tree.chain != wanted[0].ids
    QTest.keyClick(tree, Qt.Key.Key_Up)
    QTest.keyClick(tree, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(play.document) == 5, timeout=PATIENCE)
    assert play.document.file == b"B" + wanted[0].text.encode()
    assert [node.kind for node in play.tree.node.ancestors()][:4] == ["searched"] * 4


def test_pruned_ones_say_why(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel = panel_of(window)
    click(panel.modes["beams"])
    panel.fields.tokens.setValue(4)
    panel.fields.beams.setValue(2)
    click(panel.run)
    done(window, qtbot)
    fates = {leaf.fate for leaf in panel.tree.leaves}
    assert {"goes on", "pruned", "finished"} <= fates
    for at, leaf in enumerate(panel.tree.leaves):
        told = panel.tree.told(at)
        assert ("pruned: 2 better ones went on" in told) == (leaf.fate == "pruned")
        assert f"p = {round(100 * float(np.exp(leaf.logprob)))}" in told.replace(".00", "")


@pytest.mark.parametrize("kind", ["rollouts", "beams"])
def test_it_can_be_cancelled_and_what_came_stays(opened: Open, qtbot: QtBot, kind: str) -> None:
    window = opened("english", b"Once")
    panel, play = panel_of(window), window.playground
    click(panel.modes[kind])
    panel.fields.tokens.setValue(400)
    click(panel.run)

    def come() -> Any:
        return play.view.rolled if kind == "rollouts" else play.view.searched

    qtbot.waitUntil(lambda: come() is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: panel.run.text() == "Cancel", timeout=PATIENCE)
    click(panel.run)
    assert play.view.trying == "" and come() is not None
    qtbot.waitUntil(lambda: panel.run.text() == "Run", timeout=PATIENCE)
    kept = come()
    settle(window, qtbot)
    assert come() is kept


def test_groups_that_do_not_divide_the_beams_are_told(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel, told = panel_of(window), list[str]()
    window.playground.reported.connect(lambda cause, remedy: told.append(cause))
    click(panel.modes["beams"])
    panel.fields.groups.setValue(3)
    click(panel.run)
    assert told and "equal groups" in told[0] and window.playground.view.trying == ""


def test_a_double_click_on_the_tree_writes_the_chain(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel = panel_of(window)
    click(panel.modes["beams"])
    panel.fields.tokens.setValue(2)
    click(panel.run)
    done(window, qtbot)
    tree = panel.tree
    area = tree.on_screen(tree._area(tree.leaves[0]))
    assert tree.rect().contains(area.toRect())
    at = QPoint(round(area.center().x()), round(area.center().y()))
    QTest.mouseClick(tree, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseDClick(tree, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: len(window.playground.document) == 2, timeout=PATIENCE)


def test_the_best_beam_stays_in_sight_when_the_panel_becomes_lower(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel = panel_of(window)
    click(panel.modes["beams"])
    panel.fields.tokens.setValue(8)
    click(panel.run)
    done(window, qtbot)
    tree = panel.tree
    best = next(leaf for leaf in tree.leaves if tree._rank(leaf) == 1)
    for height in (300, 60, 200, 40):
        tree.resize(500, height)
        assert tree.rect().toRectF().contains(tree.on_screen(tree._area(best))), height
    tree.move_by(0, -5_000)
    tree.resize(500, 80)
    assert not tree.rect().toRectF().intersects(tree.on_screen(tree._area(best))), "whoever moved on is left there"


def test_the_whole_tree_is_copied_as_a_picture(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel = panel_of(window)
    assert panel.chart_size() is None, "nothing was tried yet"
    click(panel.modes["beams"])
    click(panel.run)
    done(window, qtbot)
    qtbot.waitUntil(lambda: bool(panel.tree.leaves), timeout=PATIENCE)
    of_panel(panel, window).copy_picture()
    image, size = QGuiApplication.clipboard().image(), panel.chart_size()
    assert size is not None and (image.width(), image.height()) == (2 * size[0], 2 * size[1])
    assert size[1] > panel.tree.height(), "more than is in sight"
    rows = pixels(image)
    assert all((rows[at : at + 80] != rows[0, 0]).any() for at in range(0, len(rows) - 80, 80))


def expansions(seed: int, rules: Rules) -> list[Expansion]:
    rows, search, found = table(seed), BeamSearch(rules), []
    while not search.done:
        found.append(search.expand(np.array([rows[beam.ids] for beam in search.beams])))
    return found


@given(st.integers(0, 5000), st.sampled_from([(1, 1), (3, 1), (4, 2), (6, 3)]), st.booleans())
def test_the_tree_has_every_candidate_and_nothing_lies_on_another(
    seed: int, shape: tuple[int, int], ends: bool
) -> None:
    rules = Rules(shape[0], 4, (0,) if ends else (), groups=shape[1], diversity=0.0)
    steps = expansions(seed, rules)
    leaves = tree_of(steps, rules.groups)
    assert len(leaves) == sum(len(step.candidates) for step in steps)
    rows = table(seed)
    for leaf in leaves:
        assert leaf.column == len(leaf.ids) - 1
        assert leaf.total == pytest.approx(sum(rows[leaf.ids[:at]][id] for at, id in enumerate(leaf.ids)))
        assert leaf.logprob == pytest.approx(rows[leaf.ids[:-1]][leaf.ids[-1]])
        if leaf.parent >= 0:
            assert leaves[leaf.parent].ids == leaf.ids[:-1] and leaves[leaf.parent].fate == "goes on"
    for column in range(4):
        places = sorted(leaf.row for leaf in leaves if leaf.column == column)
        assert all(after - before >= 0.999 for before, after in itertools.pairwise(places))


def test_the_tree_of_a_search_is_dragged_and_zoomed_like_the_history(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel = panel_of(window)
    click(panel.modes["beams"])
    click(panel.run)
    done(window, qtbot)
    tree = panel.tree
    chosen, middle = tree.chain, tree.rect().center()
    before = tree.origin.toTuple()
    QTest.mousePress(tree, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(tree, middle + QPoint(-15, -9))
    QTest.mouseRelease(tree, Qt.MouseButton.LeftButton, pos=middle + QPoint(-15, -9))
    assert tree.origin.toTuple() == (before[0] - 15, before[1] - 9) and tree.chain == chosen, "a drag chooses nothing"
    under = (middle.toPointF() - tree.origin) / tree.scale
    QTest.keyClick(tree, "+")
    assert tree.scale == pytest.approx(1.2)
    assert ((middle.toPointF() - tree.origin) / tree.scale).toTuple() == pytest.approx(under.toTuple())
    QTest.keyClick(tree, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(tree, "0")
    assert tree.rect().toRectF().adjusted(-1, -1, 1, 1).contains(tree.on_screen(tree.bounds)), "all of it"
