"""A decoding stage from outside the package (tests/examples/quadratic.py): one file and one line, found everywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QSlider
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core.decoding.stages import STAGES
from arplay.core.errors import Problem
from arplay.gui import help
from arplay.gui.intents import Change
from arplay.gui.panels.decoding import DecodingPanel
from arplay.gui.widgets.dial import Dial
from tests.examples.quadratic import QUADRATIC
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

Told = Callable[..., str]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, QUADRATIC.name, QUADRATIC)  # the one line


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def run(*arguments: str, status: int = 0) -> str:
        assert cli.main(arguments) == status
        out, error = capsys.readouterr()
        return error if status else out

    return run


def test_the_pipeline_knows_it_in_every_form(known: None) -> None:
    forms = (
        arplay.Pipeline("quadratic:0.5"),
        arplay.Pipeline(["quadratic:0.5"]),
        arplay.Pipeline([{"stage": "quadratic", "a": 0.5}]),
    )
    for pipeline in forms:
        assert pipeline.label == "quadratic 0.5"
        # the distances log 2 and log 4 become half of their squares: 0.240 and 0.961
        weights = [1, math.exp(-0.5 * math.log(2) ** 2), math.exp(-0.5 * math.log(4) ** 2)]
        assert np.exp(pipeline.apply(np.log([4 / 7, 2 / 7, 1 / 7]))) == pytest.approx(np.array(weights) / sum(weights))
    with pytest.raises(Problem, match=r"quadratic 12 is out of range; allowed: from 0 to 10"):
        arplay.Pipeline("quadratic:12")


def test_the_command_line_has_an_option_for_it_and_records_it(known: None, told: Told) -> None:
    assert "--quadratic A" in told("sample", "--help")
    said = json.loads(told("sample", "--model", "abc", "--prompt", "B", "-n", "3", "--quadratic", "1", "--json"))
    assert {"stage": "quadratic", "a": 1.0} in said["decoding"]
    assert "quadratic" in told("next", "--model", "abc", "--prompt", "BA", "--pipeline", "quadratic:1")
    assert "quadratic 17 is out of range" in told("sample", "--prompt", "B", "--quadratic", "17", status=2)


def add_menu(panel: DecodingPanel) -> list[QAction]:
    menu = panel.add.menu()
    assert menu is not None
    menu.aboutToShow.emit()
    return [action for group in menu.findChildren(QMenu) for action in group.actions()]


def test_the_window_has_a_dial_for_it_that_says_what_it_does(known: None, opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    panel = window.panels["decoding"]
    assert isinstance(panel, DecodingPanel)
    next(action for action in add_menu(panel) if action.text() == QUADRATIC.title).trigger()
    qtbot.waitUntil(lambda: panel.findChild(Dial, "quadratic") is not None)
    dial = panel.findChild(Dial, "quadratic")
    assert (
        dial is not None and dial.isVisible() and QUADRATIC.does in dial.toolTip() + dial.findChild(QSlider).toolTip()
    )
    play = window.playground
    play.handle(Change(replace(play.view.settings, decoding=arplay.Pipeline("quadratic:1"))))
    settle(window, qtbot)
    assert play.view.decoded is not None and play.view.decoded.traces[0].label == "quadratic 1"
    explained = help.what_is_this(panel, window)
    assert any(QUADRATIC.formula in label.text() for label in explained.findChildren(QLabel))
    explained.close()


def test_without_its_line_it_is_nowhere(opened: Open, told: Told) -> None:
    """Negative control."""
    with pytest.raises(Problem):
        arplay.Pipeline("quadratic:0.5")
    assert "quadratic" not in told("sample", "--help")
    panel = opened().panels["decoding"]
    assert isinstance(panel, DecodingPanel)
    assert (
        QUADRATIC.title not in [action.text() for action in add_menu(panel)]
        and QUADRATIC.formula not in panel.explanation
    )
