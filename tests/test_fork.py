"""The table ``fork``: greedy and two beams miss its best chain, and the window says who, where and how many find it."""

from __future__ import annotations

import itertools
import math

import pytest
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.beam_tree import kept, tree_of
from tests.test_continuations_panel import click, done, panel_of
from tests.windows_open import Open, opened

__all__ = ["opened"]
WORKED = {"LLL": 0.55 * 0.5 * 0.45, "LRL": 0.55 * 0.4 * 0.6, "RLL": 0.4 * 0.5 * 0.6, "RRS": 0.4 * 0.45 * 0.9}


def test_its_figures_are_those_worked_by_hand() -> None:
    model = arplay.load("fork")
    every = {"".join(chain): model.score("".join(chain)) for chain in itertools.product("LRS", repeat=3)}
    probs = {text: math.exp(-score.nll_nats) for text, score in every.items()}
    assert {text: probs[text] for text in WORKED} == pytest.approx(WORKED)
    assert sum(probs.values()) == pytest.approx(1.0) and max(probs, key=probs.__getitem__) == "RRS"


@pytest.mark.parametrize(
    ("width", "text"), [(1, "LLL"), (2, "LRL"), (3, "LRL"), (4, "RRS"), (5, "RRS")]
)  # greedy, then what two, three, four and more beams end with
def test_only_four_beams_find_the_best(width: int, text: str) -> None:
    best = arplay.load("fork").beams("", width, 3)[0]
    assert best.text == text and math.exp(best.logprob) == pytest.approx(WORKED[text])
    assert arplay.load("fork").sample("", 3, pipeline="greedy").text == "LLL"


def test_one_click_shows_who_missed_it_and_where(opened: Open, qtbot: QtBot) -> None:
    window = opened("fork", b"")
    panel = panel_of(window)
    click(panel.modes["beams"])
    assert panel.fields.tokens.value() == 6, "as many as can be looked at whole"
    click(panel.run)
    done(window, qtbot)
    assert "RRSSSS" in panel.note.full and "4 beams found it, greedy missed it" in panel.note.full
    panel.fields.beams.setValue(2)
    click(panel.run)
    done(window, qtbot)
    assert "2 beams missed it, so did greedy; it was lost at its token 2; 4 beams find it" in panel.note.full
    tree = panel.tree
    begun = [at for at in range(len(tree.leaves)) if "the best chain of all begins so" in tree.told(at)]
    assert [(tree.leaves[at].ids, tree.leaves[at].fate) for at in begun] == [((1,), "goes on"), ((1, 1), "pruned")]
    assert "pruned: 2 better ones went on" in tree.told(begun[1])
    found = window.playground.view.searched
    assert found is not None and found.whole is not None and found.whole.enough == 4
    assert kept(tree_of(found.expansions), found.whole.best.ids) == 1
    panel.fields.tokens.setValue(7)
    window.playground.load_model("english")
    qtbot.waitUntil(lambda: panel.view.info is not None and panel.view.info.name == "english", timeout=60_000)
    assert panel.fields.tokens.value() == 7, "what the user chose stays"
