"""Be the model: bets are a distribution, the figures are exact, and the text comes back as it was, whatever is done."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay import cli
from arplay.core.betting import MOST, Bets, Game, Move, unigram_bits
from arplay.core.distribution import LN2
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.gui.exports import of_panel
from arplay.gui.intents import CaretMoved, Change, Do, Rollouts, Select, Take, Wager
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.betting import BettingPanel
from arplay.gui.widgets.betting.guess import Guess
from arplay.models.families.remote.tokens import Seen
from tests.windows_open import PATIENCE, Open, opened, settle, text_field

__all__ = ["opened"]

puts = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 120)), max_size=12)


def total(bets: Bets, prob: Any = Bets.prob) -> float:
    return math.fsum(prob(bets, id) for id in range(bets.size))


@given(st.integers(7, 9), puts)
def test_bets_are_a_distribution_without_a_zero(size: int, made: list[tuple[int, int]]) -> None:
    bets = Bets(size)
    for id, chips in made:
        before, bets = bets, bets.put(id, chips)
        assert bets.chips(id) == min(chips, before.left + before.chips(id) - 1) <= MOST
        assert all(bets.chips(other) == before.chips(other) for other in range(size) if other != id)
    assert total(bets) == pytest.approx(1.0, abs=1e-12)
    assert all(0 < bets.prob(id) < 1 and math.isfinite(bets.bits(id)) for id in range(size))
    assert bets.left >= 1 and len(dict(bets.placed)) == len(bets.placed)


@pytest.mark.parametrize("server", [False, True])
def test_the_others_of_a_server_are_those_named_so_far(qtbot: QtBot, server: bool) -> None:
    guess, tokens = Guess(), (Seen if server else Vocabulary)("five", (b"A", b"B", b"C", b"D", b"E"))
    qtbot.addWidget(guess)
    guess.show_bets(Bets(5, ((3, 80),)), tokens)
    assert ("4 tokens named so far: 5" in guess.rest.full) == server and "the other 4 tokens" in guess.rest.full


def test_every_token_guessed_leaves_no_others() -> None:
    bets = Bets(2).put(0, 30).put(1, 60)
    assert (bets.others, bets.floor, total(bets)) == (0, 0.0, 1.0)
    unshared = total(bets, lambda bets, id: bets.chips(id) / 100)
    assert unshared == pytest.approx(0.9), "negative control: chips alone are no distribution here"
    with pytest.raises(IndexError):
        bets.put(2, 1)


@given(st.lists(st.integers(0, 4), max_size=30))
def test_the_unigram_is_a_distribution(before: list[int]) -> None:
    ids = np.array(before, np.int64)
    assert math.fsum(2.0 ** -unigram_bits(ids, id, 5) for id in range(5)) == pytest.approx(1.0)


def test_a_skip_counts_for_nobody_and_what_is_not_told_is_said() -> None:
    moves = (
        Move(0, 1, (), 2.0, 1.0, 3.0, 1),
        Move(1, 1, (), None, 5.0, 7.0, 2),
        Move(2, 0, (), 1.0, None, 4.0, None),
    )
    game = Game(4, 0, 9, Bets(4), moves)
    assert (game.sum("you").bits, game.sum("unigram").bits, game.sum("you").mean) == (3.0, 7.0, 1.5)
    assert (game.sum("model").bits, game.sum("model").count) == (1.0, 1)
    assert game.running("you").tolist() == [2.0, 3.0] and np.isnan(game.running("model")[1])
    assert math.isnan(Game(4, 0, 9, Bets(4)).sum("you").mean) and not game.done


# in the real window


def panel_of(window: MainWindow) -> BettingPanel:
    panel = window.panels["betting"]
    assert isinstance(panel, BettingPanel)
    window.docks["betting"].show()
    window.docks["betting"].raise_()
    QTest.qWait(0)
    return panel


def game_of(window: MainWindow) -> Game:
    game = window.playground.view.game
    assert game is not None
    return game


def begin(window: MainWindow, qtbot: QtBot, what: str = "bet_all") -> None:
    window.playground.handle(Do(what))  # type: ignore[arg-type]
    assert not game_of(window).over
    qtbot.waitUntil(lambda: not window.playground.view.stale, timeout=PATIENCE)


def revealed(window: MainWindow, qtbot: QtBot) -> Move:
    qtbot.waitUntil(lambda: game_of(window).revealed, timeout=PATIENCE)
    return game_of(window).moves[-1]


def key(panel: BettingPanel, *keys: Qt.Key) -> None:
    for each in keys:
        QTest.keyClick(panel.guess.field, each)


def test_a_game_is_played_with_the_keyboard_alone(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"BACAB")
    panel, play = panel_of(window), window.playground
    wanted, whole, undoable = play.view.ledger, play.document, play.undo_stack.count()
    assert wanted is not None
    panel.all.setFocus()
    QTest.keyClick(panel.all, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: play.view.covered and not play.view.stale, timeout=PATIENCE)
    assert play.document.file == b"" and play.view.answer is None and play.view.decoded is None
    assert not window.panels["next_token"].bars.bars.all_rows  # type: ignore[attr-defined]
    assert "You are the model" in window.panels["next_token"].bars.message  # type: ignore[attr-defined]
    assert panel.guess.model.rowCount() == 3, "so few tokens are all listed"
    QTest.keyClicks(panel.guess.field, "b")
    key(panel, Qt.Key.Key_PageUp, Qt.Key.Key_Return)
    assert game_of(window).bets.placed == ((1, 60),) and panel.guess.field.text() == ""
    assert "40 chips on the other 2 tokens: 20.00% each" in panel.guess.rest.full
    QTest.keyClicks(panel.guess.field, "c")
    key(panel, Qt.Key.Key_Return, Qt.Key.Key_Delete)
    assert game_of(window).bets.placed == ((1, 60),), "taken back"
    key(panel, Qt.Key.Key_Return)
    move = revealed(window, qtbot)
    assert (move.id, move.you) == (1, -math.log2(0.6)) and play.document.file == b"B"
    answer = play.view.answer
    assert answer is not None and answer.prefix.actual == 1 and play.view.selected == 0, "the chart is there, of it"
    key(panel, Qt.Key.Key_Return)
    assert play.view.covered and not game_of(window).bets.placed
    QTest.mouseClick(panel.skip, Qt.MouseButton.LeftButton)
    assert revealed(window, qtbot).you is None
    while not game_of(window).over:
        key(panel, Qt.Key.Key_Return)
        if not game_of(window).over and not game_of(window).revealed:
            key(panel, Qt.Key.Key_Return)
            assert revealed(window, qtbot).you == pytest.approx(math.log2(3))
    game = game_of(window)
    assert play.document == whole and play.undo_stack.count() == undoable and game.done
    assert [move.id for move in game.moves] == wanted.ids.tolist()
    assert [move.model for move in game.moves] == pytest.approx((-wanted.logprob / LN2).tolist(), abs=1e-6)
    assert [move.rank for move in game.moves] == wanted.rank.tolist()
    assert game.sum("you").count == 4 and "than the model, 4 tokens" in panel.verdict.full
    assert panel.moves.table.index(1, 2).data() == "skipped"
    assert panel.moves.table.index(0, 1).data() == "B"
    export = of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"bets.{kind}")
    record = json.loads((tmp_path / "bets.json").read_text("utf-8"))
    assert record["provenance"]["model"]["name"] == "abc" and record["tokens"][0]["placed"][0]["chips"] == 60
    assert record["totals"]["you"]["bits"] == pytest.approx(game.sum("you").bits) and record["hidden"] == 0
    lines = [line for line in (tmp_path / "bets.csv").read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [row["you_bits"] == "" for row in rows] == [False, True, False, False, False]
    assert rows[0]["placed"] == "1:60"


def test_nothing_else_is_written_meanwhile_and_leaving_brings_all_back(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BACAB")
    panel, play = panel_of(window), window.playground
    play.handle(CaretMoved(2))
    play.handle(Take(1))
    settle(window, qtbot)
    play.undo_stack.undo()
    settle(window, qtbot)
    tree, node, serials = play.tree, play.tree.node, list(play.tree.nodes)
    play.handle(CaretMoved(2))
    settle(window, qtbot)
    begin(window, qtbot, "bet")
    assert play.document.file == b"BA" and play.tree is not tree
    for intent in (Do("step"), Take(0), Do("rewind"), Rollouts(2, 2), Do("play"), Do("put_aside")):
        play.handle(intent)
        assert play.document.file == b"BA" and not play.view.playing and not play.view.trying
    QTest.keyClicks(text_field(window), "CC")
    assert play.document.file == b"BA" == text_field(window).toPlainText().encode()
    assert window.statusBar().currentMessage().startswith("You are the model")
    play.handle(Wager(2, 40))
    play.handle(Do("reveal"))
    assert revealed(window, qtbot).id == 2 and play.document.file == b"BAC"
    assert not play.undo_stack.canUndo()
    settle(window, qtbot)
    play.handle(Select(0))
    settle(window, qtbot)
    assert play.view.answer is not None and play.view.answer.prefix.index == 0, "what is known may be looked at"
    play.handle(Do("next_bet"))
    qtbot.waitUntil(lambda: not play.view.stale, timeout=PATIENCE)
    assert play.view.covered and play.view.caret == 3
    QTest.mouseClick(panel.leave, Qt.MouseButton.LeftButton)
    assert game_of(window).over and play.tree is tree and play.tree.node is node and list(tree.nodes) == serials
    assert play.document.file == b"BACAB" and play.view.caret == 2 and play.undo_stack.canRedo()
    settle(window, qtbot)
    play.handle(Do("bet"))
    play.handle(Change(play.view.settings))
    play.handle(Do("leave_bets"))
    settle(window, qtbot)
    play.undo_stack.redo()
    assert play.document.file == b"BAB", "the pick that was undone before the game"


@pytest.mark.parametrize("model", ["abc", "xo"])
def test_what_takes_the_text_away_ends_the_game_first(opened: Open, qtbot: QtBot, model: str) -> None:
    window = opened("abc", b"BACAB")
    play = window.playground
    begin(window, qtbot)
    if model == "abc":
        play.clear()
        assert game_of(window).over and play.document.file == b""
        play.undo_stack.undo()
    else:
        play.load_model("xo")
        qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.name == "xo", timeout=PATIENCE)
        assert game_of(window).over and play.table.text.file == b"BACAB"
        play.load_model("abc")
        qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.name == "abc", timeout=PATIENCE)
    assert play.document.file == b"BACAB"
    settle(window, qtbot)


def test_a_window_closed_in_a_game_keeps_the_whole_text(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    window = opened("abc", b"BACAB", keep=keep)
    begin(window, qtbot)
    window.playground.handle(Do("reveal"))
    revealed(window, qtbot)
    assert window.keeping.snapshot().document.file == b"BACAB", "so does a session that is saved"
    assert window.playground.table.document.file == b"BACAB", "and the text"
    window.keeping.end()
    again = opened("abc", None, keep=keep)
    assert again.playground.document.file == b"BACAB" and again.playground.view.game is None


def test_a_picture_is_bet_on_pixel_by_pixel(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo", None)
    panel, play = panel_of(window), window.playground
    for level in (1, 0, 1, 0):
        play.handle(Take(level))
        settle(window, qtbot)
    painted = play.document
    play.handle(Do("bet"))
    assert play.view.game is None, "nothing stands behind the caret"
    begin(window, qtbot)
    assert play.document.is_blank
    QTest.mouseClick(panel.guess.rows.viewport(), Qt.MouseButton.LeftButton, pos=panel.guess.rows.visualRect(
        panel.guess.model.index(1, 0)).center())  # fmt: skip
    assert game_of(window).bets.placed == ((1, 50),)
    QTest.mouseClick(panel.main, Qt.MouseButton.LeftButton)
    assert revealed(window, qtbot).you == 1.0
    assert play.document.cells.count(None) == 8  # type: ignore[attr-defined]
    QTest.mouseClick(panel.leave, Qt.MouseButton.LeftButton)
    assert play.document == painted
    settle(window, qtbot)


def test_the_command_line_has_no_game(capsys: pytest.CaptureFixture[str], qapp: QApplication) -> None:
    assert cli.main(["export", "--help"]) == 0
    assert "bets" not in capsys.readouterr().out.split("--chart")[1].split("}")[0]
