"""Play writes what the command line samples, at any pace, and is undone token by token."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.decoding.pipeline import Pipeline
from arplay.engine.explore import Explore
from arplay.engine.messages import Result
from arplay.engine.scoring import Score
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import CaretMoved, Change, Do
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]


@pytest.mark.parametrize(
    ("pace", "decoding"),
    [
        (200.0, ""),
        (60.0, "temperature:1.7,top-k:2"),
        (60.0, "repetition:1.5:0,dry:0.8,min-length:3,temperature:1.7,xtc:0.5:0.1,mirostat:1.5:0.4"),
    ],
)
@pytest.mark.parametrize(("model", "prompt"), [("abc", "B"), ("english", "Once upon a")])
def test_play_writes_what_the_command_samples(
    model: str, prompt: str, pace: float, decoding: str, opened: Open, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sample", "--model", model, "--prompt", prompt, "-n", "12", "--seed", "5", "--json"]
    assert main(command + (["--pipeline", decoding] if decoding else [])) == 0
    told = json.loads(capsys.readouterr().out)
    window = opened(model, text=prompt.encode())
    play = window.playground
    settings = replace(play.view.settings, seed=5, play_steps=12, play_per_second=pace)
    play.handle(Change(replace(settings, decoding=Pipeline(decoding) if decoding else Pipeline())))
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=PATIENCE)
    settle(window, qtbot)
    steps = [node.step for node in play.tree.path() if node.step is not None]
    assert [step.id for step in steps] == [step["id"] for step in told["steps"]]
    assert [step.u for step in steps] == [step["u"] for step in told["steps"]]
    assert [step.logprob for step in steps] == pytest.approx([step["logprob"] for step in told["steps"]], abs=1e-4)
    for _ in steps:
        play.undo_stack.undo()
    settle(window, qtbot)
    assert play.table.text.file == prompt.encode()


@pytest.mark.parametrize("end", ["pause", "rewind", "another model", "closing a batch"])
def test_play_that_ends_before_it_wrote_leaves_nothing_unanswered(end: str, opened: Open, qtbot: QtBot) -> None:
    """Typing asks what comes next after a pause; Play asks it at once, and may end before it is told."""
    window = opened("abc", text=b"BA")
    play = window.playground
    play.handle(Change(replace(play.view.settings, play_per_second=1.0)))
    play.handle(Typed(2, 2, b"C", 3))
    play.handle(Do("play"))
    assert play.view.stale and play.view.playing
    if end == "another model":
        play.load_model("english")
    elif end == "closing a batch":
        play.handle(CaretMoved(1))
    else:
        play.handle(Do("pause" if end == "pause" else "rewind"))
    assert not play.view.playing
    settle(window, qtbot)
    assert play.view.answer is not None and not play.view.stale


def test_a_play_that_fails_ends_and_says_why(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", text=b"BA")
    play = window.playground
    told = QSignalSpy(play.reported)
    play.handle(Change(replace(play.view.settings, decoding=Pipeline("top-k:2"))))
    play.handle(Typed(2, 2, b"x", 3))  # abc has no such letter
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=PATIENCE)
    settle(window, qtbot)
    assert told.count() and play.document.data == b"BAx"  # type: ignore[attr-defined]
    play.undo_stack.undo()
    settle(window, qtbot)
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: len(play.document) > 2, timeout=PATIENCE)


def test_nothing_is_heard_of_a_request_that_was_forgotten(opened: Open, qtbot: QtBot) -> None:
    """Not even what the worker had told before: the control hears it."""
    window = opened("abc", text=b"BA")
    play = window.playground
    for forgotten in (False, True):
        heard: list[Result] = []
        document = play.document
        number = play.bridge.ask(
            partial(Explore, document=document, place=document.at(1), reading=play.view.settings.reading), heard.append
        )
        if forgotten:
            play.bridge.forget(number)
            play.bridge.forget(number + 1_000)  # of one that there is not
        then: list[Result] = []
        play.bridge.ask(partial(Score, document=document, reading=play.view.settings.reading), then.append)
        qtbot.waitUntil(lambda then=then: bool(then) and then[-1].is_last, timeout=PATIENCE)
        assert bool(heard) is not forgotten
