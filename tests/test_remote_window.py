"""A model at a server in the whole window: step, pick, Play, what is not told, cancelling, and the list of models."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.picking import uniform
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import Change, Do, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.model_browser import ModelBrowser
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.panels.next_token import NextTokenPanel
from arplay.gui.widgets.history_rows import HistoryRows
from arplay.models.families.remote import http as remote_http
from tests.loopback_completions import LOGPROBS, Loopback, best, cut, serving
from tests.windows_open import PATIENCE, Open, notice, opened, settle

__all__ = ["opened"]

TEXT = b"The quick fox"


@pytest.fixture(params=["openai", "vllm"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv(remote_http.KEY, raising=False)
    with serving(request.param) as server:
        yield server


def chart(window: MainWindow) -> NextTokenPanel:
    panel = window.panels["next_token"]
    assert isinstance(panel, NextTokenPanel)
    return panel


def decode(window: MainWindow, pipeline: str, **others: Any) -> None:
    play = window.playground
    play.handle(Change(replace(play.view.settings, decoding=Pipeline(pipeline), **others)))


def test_the_chart_shows_what_is_told_and_the_rest_as_one(server: Loopback, opened: Open) -> None:
    window = opened(server.url(), text=TEXT)
    bars = chart(window).bars.bars
    row = cut(TEXT)[-1]
    assert [one.logprob for one in bars.rows[:3]] == pytest.approx([LOGPROBS[row, id] for id in best(row, 3)])
    assert [one.rank for one in bars.rows[:3]] == [1, 2, 3]
    assert bars.rest is not None and bars.rest.count is None
    assert bars.rest.prob == pytest.approx(1 - sum(one.prob or 0 for one in bars.all_rows))
    assert "tokens are told" in chart(window).facts.full
    assert chart(window).entropy.text() == "H = —"
    ledger = window.playground.view.ledger
    assert ledger is not None and ledger.logprob[1:] == pytest.approx(
        [LOGPROBS[before, id] for before, id in pairwise(cut(TEXT))]
    )


def test_step_pick_and_rewind(server: Loopback, opened: Open, qtbot: QtBot) -> None:
    window = opened(server.url(), text=TEXT)
    play = window.playground
    decode(window, "top-k:2")
    for _ in range(3):
        play.handle(Do("step"))
        settle(window, qtbot)
    assert play.view.loaded is not None and play.view.answer is not None
    picked = chart(window).bars.bars.rows[1]
    play.handle(Take(picked.id))
    settle(window, qtbot)
    node = play.tree.node
    assert node.kind == "picked" and node.step is not None and node.step.logprob == picked.logprob
    written = play.table.text.file
    assert written == TEXT + b"".join(
        play.view.loaded.vocabulary.written[n.step.id] for n in play.tree.path() if n.step is not None
    )
    for _ in range(4):
        play.undo_stack.undo()
    settle(window, qtbot)
    assert play.table.text.file == TEXT


def test_play_writes_what_the_command_samples(
    server: Loopback, opened: Open, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sample", "--model", server.url(), "--prompt", TEXT.decode(), "-n", "8", "--seed", "3", "--json"]
    assert main([*command, "--top-k", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    window = opened(server.url(), text=TEXT)
    decode(window, "top-k:2", seed=3, play_steps=8, play_per_second=100.0)
    window.playground.handle(Do("play"))
    qtbot.waitUntil(lambda: not window.playground.view.playing, timeout=PATIENCE)
    settle(window, qtbot)
    steps = [node.step for node in window.playground.tree.path() if node.step is not None]
    assert [step.logprob for step in steps] == pytest.approx([step["logprob"] for step in told["steps"]])
    assert window.playground.table.text.file.decode() == TEXT.decode() + told["text"]


@pytest.mark.parametrize("what", ["step", "play"])
def test_a_draw_among_what_is_not_told_is_told_and_writes_nothing(
    what: str, server: Loopback, opened: Open, qtbot: QtBot
) -> None:
    server.most = 1
    window = opened(server.url(), text=TEXT)
    known = float(np.exp(LOGPROBS[cut(TEXT)[-1]].max()))
    index = len(cut(TEXT))
    seed = next(seed for seed in range(1000) if uniform(seed, index) > known)
    decode(window, "", seed=seed)
    window.playground.handle(Do(what))
    qtbot.waitUntil(lambda: "does not tell" in notice(window), timeout=PATIENCE)
    assert window.playground.table.text.file == TEXT and not window.playground.view.playing
    decode(window, "top-k:1", seed=seed)
    window.playground.handle(Do("step"))
    qtbot.waitUntil(lambda: len(window.playground.table.text.file) > len(TEXT), timeout=PATIENCE)
    settle(window, qtbot)


def test_a_token_that_was_only_seen_may_be_picked(server: Loopback, opened: Open, qtbot: QtBot) -> None:
    server.most = 1
    window = opened(server.url(), text=TEXT)
    assert window.playground.view.loaded is not None
    seen = window.playground.view.loaded.vocabulary.find("The")[0]
    chart(window).search.setText("The")
    settle(window, qtbot)
    assert next(row for row in chart(window).bars.bars.rows if row.id == seen).logprob is None
    window.playground.handle(Take(seen))
    settle(window, qtbot)
    assert window.playground.table.text.file == TEXT + b"The"
    window.docks["history"].raise_()
    rows = window.panels["history"].findChild(HistoryRows)
    assert rows is not None
    qtbot.waitUntil(lambda: rows.rowCount() > 1, timeout=PATIENCE)
    told = str(rows.index(rows.rowCount() - 1, 0).data(Qt.ItemDataRole.ToolTipRole))
    assert "the server told no probability" in told and "nan" not in told


def test_what_is_not_scored_is_said_where_scores_would_be(opened: Open, qtbot: QtBot) -> None:
    with serving("bare") as server:
        window = opened(server.url(), text=TEXT)
        play = window.playground
        heat = window.panels["heatmap"]
        assert isinstance(heat, HeatmapPanel) and play.view.problem is None and not notice(window)
        play.handle(Typed(len(TEXT), len(TEXT), b" over", len(TEXT) + 5))
        qtbot.waitUntil(lambda: not play.view.stale, timeout=PATIENCE)
        settle(window, qtbot)
        assert not notice(window)
        assert "No score" in heat.text.empty_text


def test_typing_on_ends_a_question_that_is_not_answered(server: Loopback, opened: Open, qtbot: QtBot) -> None:
    window = opened(server.url(), text=TEXT)
    play = window.playground
    asked = threading.Event()

    def silent(handler: Any) -> None:
        asked.set()
        handler.connection.settimeout(60)
        assert handler.connection.recv(1) == b"", "whoever asked goes away"

    server.change = lambda path, answer: silent
    play.handle(Typed(len(TEXT), len(TEXT), b"A", len(TEXT) + 1))
    qtbot.waitUntil(asked.is_set, timeout=PATIENCE)
    server.change = lambda path, answer: answer
    play.handle(Typed(len(TEXT) + 1, len(TEXT) + 1, b"B", len(TEXT) + 2))
    settle(window, qtbot)
    row = cut(TEXT + b"AB")[-1]
    assert chart(window).bars.bars.rows[0].logprob == pytest.approx(LOGPROBS[row].max())


def test_a_server_that_goes_away_is_told_and_the_text_stays(server: Loopback, opened: Open, qtbot: QtBot) -> None:
    window = opened(server.url(), text=TEXT)
    play = window.playground

    def gone(handler: Any) -> None:
        handler.close_connection = True

    server.change = lambda path, answer: gone
    play.handle(Typed(len(TEXT), len(TEXT), b"A", len(TEXT) + 1))
    qtbot.waitUntil(lambda: "broke off" in notice(window), timeout=PATIENCE)
    assert play.table.text.file == TEXT + b"A"
    server.change = lambda path, answer: answer
    play.handle(Typed(len(TEXT) + 1, len(TEXT) + 1, b"B", len(TEXT) + 2))
    qtbot.waitUntil(lambda: play.view.problem is None and not play.view.stale, timeout=PATIENCE)
    settle(window, qtbot)


def test_an_address_typed_into_the_list_of_models_is_listed_loaded_and_forgotten(
    server: Loopback, opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(remote_http.KEY, "sk-secret")
    server.key = "sk-secret"
    window = opened("abc", text=b"BAC", store=tmp_path / "kept.ini")
    window.menus.models.all.trigger()
    browser = next(widget for widget in window.findChildren(ModelBrowser) if widget.isVisible())
    for key in ("http://me:sk-secret@127.0.0.1:9/v1", "http://127.0.0.1:9/v1?key=sk-secret"):
        browser.hub.name.setText(key)
        qtbot.keyClick(browser.hub.name, Qt.Key.Key_Return)
        assert "holds a name, a password or a question" in browser.hub.title.text()
        assert browser.hub.name.text() == key, "it is there to be changed"
    browser.hub.name.setText(server.url())
    qtbot.keyClick(browser.hub.name, Qt.Key.Key_Return)
    card = browser.card
    assert card is not None and (card.spec, card.title, card.origin) == (server.url(), "toy", "server")
    assert not browser.details.folder.isEnabled() and browser.details.away.text() == "Forget…"
    assert all(button.isEnabled() for button in (browser.details.main, browser.details.away))
    browser.details.main.click()
    play = window.playground
    qtbot.waitUntil(lambda: play.view.info is not None and play.view.info.name == "toy", timeout=PATIENCE)
    settle(window, qtbot)
    assert window.store.recent("recent_models")[0] == server.url()
    window.close()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"sk-secret" not in path.read_bytes()
