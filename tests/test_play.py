"""Play writes what the command line samples, at any pace, and is undone token by token."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.decoding.pipeline import Pipeline
from arplay.gui.contract import Change, Do
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]


@pytest.mark.parametrize(("pace", "decoding"), [(200.0, ""), (60.0, "temperature:1.7,top-k:2")])
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
    assert play.table.text.data == prompt.encode()
