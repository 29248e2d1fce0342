"""A kind of document from outside (tests/examples/tosses.py) is a line in each of three tables, found everywhere."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core import kept
from arplay.core.modalities import forms
from arplay.core.tree import Tree
from arplay.gui import kinds
from arplay.gui.intents import Do
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.models import documents, families
from tests.examples.tosses import COIN, TOSSES, Tosses, TossesCanvas, TossesForm, TossesHeat, TossesReader, sides
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]


@pytest.fixture
def coin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Its model; the kind stands before pictures, which it is made of."""
    monkeypatch.setattr(families, "FAMILIES", (*families.FAMILIES, COIN))
    for module, table, row in (
        (forms, "FORMS", TossesForm()),
        (documents, "READERS", TossesReader()),
        (kinds, "KINDS", TOSSES),
    ):
        first, *rest = getattr(module, table)
        monkeypatch.setattr(module, table, (first, row, *rest))
    path = tmp_path / "fair.coin"
    path.write_text("0.25")
    return str(path)


def test_the_command_line_and_python_score_it(coin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "row.txt"
    file.write_text("HTTH\n")
    assert cli.main(["score", str(file), "--model", coin, "--json"]) == 0
    bits = json.loads(capsys.readouterr().out)["totals"]["bits_per_dimension"]
    assert bits == pytest.approx(-math.log2(0.25 * 0.75) / 2)
    assert arplay.load(coin).score("HTTH").nll_nats == pytest.approx(4 * bits * math.log(2))


def test_the_window_shows_it_on_its_own_canvas_and_heat(coin: str, opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    window.playground.load_model(coin)
    qtbot.waitUntil(lambda: isinstance(window.playground.document, Tosses))
    for _ in range(3):
        settle(window, qtbot)
        window.playground.handle(Do("step"))
    settle(window, qtbot)
    editor, heat = window.panels["editor"], window.panels["heatmap"]
    assert isinstance(editor, EditorPanel) and isinstance(heat, HeatmapPanel)
    assert isinstance(editor.canvas, TossesCanvas) and editor.canvas.isVisible()
    assert isinstance(heat.heat, TossesHeat) and heat.heat.isVisible()
    ledger = window.playground.view.ledger
    assert ledger is not None and len(ledger) == 3
    window.playground.load_model("abc")  # and back: the text has waited
    qtbot.waitUntil(lambda: not isinstance(window.playground.document, Tosses))
    assert not isinstance(editor.canvas, TossesCanvas)


def test_its_sessions_come_back(coin: str) -> None:
    row = sides(Path(coin)).row("HT")
    lines = kept.snapshot(kept.Session(Tree(row))).lines(closed=True)
    assert any("tosses" in line for line in lines)
    start = TossesForm().start_out(row)
    assert forms.of_start(start).start_in(start) == row
    with pytest.raises(ValueError, match="kind"):
        forms.of_start({"sides": "HT"})
