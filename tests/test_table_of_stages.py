"""A decoding stage from outside the package (tests/examples/top_a.py) is one file and one line, found everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QSlider
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core.decoding.stages import STAGES
from arplay.core.errors import Problem
from arplay.gui import help
from arplay.gui.contract import Change
from arplay.gui.widgets.dial import Dial
from tests.examples.top_a import TOP_A
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

Told = Callable[..., str]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, TOP_A.name, TOP_A)  # the one line


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def run(*arguments: str, status: int = 0) -> str:
        assert cli.main(arguments) == status
        out, error = capsys.readouterr()
        return error if status else out

    return run


def test_the_pipeline_knows_it_in_every_form(known: None) -> None:
    forms = (
        arplay.Pipeline("top-a:0.5"),
        arplay.Pipeline(["top-a:0.5"]),
        arplay.Pipeline([{"stage": "top-a", "a": 0.5}]),
    )
    for pipeline in forms:
        assert pipeline.label == "top-a 0.5"
        # the limit is 0.5 times 0.8 squared, 0.32
        assert np.exp(pipeline.apply(np.log([0.8, 0.15, 0.05]))) == pytest.approx([1, 0, 0])
    with pytest.raises(Problem, match=r"top-a 2 is out of range; allowed: from 0 to 1"):
        arplay.Pipeline("top-a:2")


def test_the_command_line_has_an_option_for_it_and_records_it(known: None, told: Told) -> None:
    assert "--top-a A" in told("sample", "--help")
    said = json.loads(told("sample", "--model", "abc", "--prompt", "B", "-n", "3", "--top-a", "1", "--json"))
    assert {"stage": "top-a", "a": 1.0} in said["decoding"]
    assert "top-a" in told("next", "--model", "abc", "--prompt", "BA", "--pipeline", "top-a:1")
    assert "top-a 7 is out of range" in told("sample", "--prompt", "B", "--top-a", "7", status=2)


def test_the_window_has_a_dial_for_it_that_says_what_it_does(known: None, opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    panel = window.panels["decoding"]
    dial = panel.findChild(Dial, "top-a")
    assert dial is not None and dial.isVisible() and TOP_A.does in dial.toolTip() + dial.findChild(QSlider).toolTip()
    play = window.playground
    play.handle(Change(replace(play.view.settings, decoding=arplay.Pipeline("top-a:1"))))
    settle(window, qtbot)
    assert play.view.decoded is not None and play.view.decoded.kept == 1  # 0.6 of 0.6, 0.3, 0.1: the limit is 0.36
    explained = help.what_is_this(panel, window)
    assert any(TOP_A.formula in label.text() for label in explained.findChildren(QLabel))
    explained.close()


def test_without_its_line_it_is_nowhere(opened: Open, told: Told) -> None:
    """Negative control."""
    with pytest.raises(Problem):
        arplay.Pipeline("top-a:0.5")
    assert "top-a" not in told("sample", "--help")
    panel = opened().panels["decoding"]
    assert panel.findChild(Dial, "top-a") is None and TOP_A.formula not in panel.explanation
