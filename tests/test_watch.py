"""Rules of Play: each is met at the first token that passes it, does what it says, is told, kept, and met again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from arplay import load
from arplay.core import kept, watch
from arplay.core.errors import Problem
from arplay.core.modalities.text import text_of
from arplay.core.watch import Drawn, Rule, first_met
from arplay.export import sessionfile
from arplay.gui.intents import Change, Do
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
from arplay.gui.widgets.decoding.rules import RuleRow
from tests.sessions import only
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

rules = st.one_of(
    st.builds(Rule, st.just("p"), st.floats(0, 1), then=st.sampled_from(("stop", "pause", "branch"))),
    st.builds(Rule, st.sampled_from(("rank", "entropy")), st.floats(0, 100)),
    st.builds(Rule, st.just("text"), text=st.text(min_size=1, max_size=20)),
)
drawn = st.builds(
    Drawn, st.floats(0, 1), st.one_of(st.none(), st.integers(1, 99)), st.one_of(st.none(), st.floats(0, 9))
)


@given(st.lists(rules, max_size=5), drawn, st.text(max_size=30))
def test_the_first_rule_that_holds_is_met(all_of_them: list[Rule], token: Drawn, written: str) -> None:
    def holds(rule: Rule) -> bool:
        if rule.what == "text":
            return rule.text in written
        value = getattr(token, rule.what)
        return value is not None and (value < rule.at if rule.what == "p" else value > rule.at)

    met = first_met(tuple(all_of_them), token, written)
    expected = next((rule for rule in all_of_them if holds(rule)), None)
    assert (met.rule if met else None) == expected
    assert watch.from_json(watch.as_json(tuple(all_of_them))) == tuple(all_of_them)


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": "p", "at": 2}, {"what": "p", "at": float("nan")}, {"what": "text"}, {"what": "x"}, {"then": "stop"},
        {"what": "rank", "at": "5"}, {"what": "rank", "then": "fly"}, {"what": "text", "text": "a" * 201}, 5, "p",
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused(wrong: object) -> None:
    with pytest.raises(Problem):
        watch.from_json([wrong])
    with pytest.raises(Problem):
        watch.from_json([{"what": "rank", "at": 1}] * 17)


def played(window: MainWindow, qtbot: QtBot, *of: Rule, steps: int = 40) -> str:
    """What Play wrote behind B until it ended."""
    play = window.playground
    said: list[str] = []
    play.refused.connect(said.append)
    settings = replace(play.view.settings, watch=tuple(of), play_steps=steps, play_per_second=200.0, seed=3)
    play.handle(Change(settings))
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=30_000)
    settle(window, qtbot)
    window.setProperty("said", said[-1] if said else "")
    return text_of(play.document).data.decode()


def test_play_stops_at_the_token_that_a_sample_says(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"B")
    steps = load("abc").sample("B", 40, seed=3).steps
    at = next(at for at, step in enumerate(steps) if step.prob < 0.15)
    text = played(window, qtbot, Rule("p", 0.15))
    assert len(text) == at + 2
    assert window.property("said").startswith("Play stopped: p = ")
    step = window.playground.tree.node.step
    assert step is not None and step.met and step.u == steps[at].u
    path = tmp_path / "a.session.json"
    sessionfile.write(path, kept.snapshot(only(window.playground.tree)))
    assert load("abc").replay(path).same
    assert [node.step.met for node in sessionfile.read(path).tree.nodes.values() if node.step][-1] == step.met


def test_a_text_is_found_across_batches_and_play_pauses_and_goes_on(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    whole = load("abc").sample("B", 40, seed=3).text
    text = played(window, qtbot, Rule("text", text="CBA", then="pause"))
    assert text == "B" + whole[: whole.index("CBA") + 3]
    play = window.playground
    play.handle(Change(replace(play.view.settings, watch=())))
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=30_000)
    settle(window, qtbot)
    assert text_of(play.document).data.decode() == "B" + whole  # the forty tokens that were asked for


def test_branch_goes_back_before_the_token_that_stays(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    stopped = played(window, qtbot, Rule("rank", 1, then="stop"))
    other = opened(text=b"B")
    text = played(other, qtbot, Rule("rank", 1, then="branch"))
    assert text == stopped[:-1]
    assert [child.step.met for child in other.playground.tree.node.children if child.step] != [""]


def test_without_a_rule_play_writes_all(opened: Open, qtbot: QtBot) -> None:
    """Negative control."""
    assert len(played(opened(text=b"B"), qtbot)) == 41


def test_the_row_makes_a_rule_that_is_kept(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"B", store=tmp_path / "rules.ini")
    row = window.findChild(RuleRow)
    assert isinstance(row, RuleRow) and not row.at.isVisible()

    def choose(box: QComboBox, data: str) -> None:
        box.setCurrentIndex(box.findData(data))
        box.activated.emit(box.currentIndex())

    choose(row.what, "rank")
    qtbot.waitUntil(row.at.isVisible)
    row.at.setText("7")
    row.at.editingFinished.emit()
    qtbot.waitUntil(lambda: window.playground.view.settings.watch == (Rule("rank", 7.0),))
    settle(window, qtbot)
    choose(row.then, "branch")
    expected = (Rule("rank", 7.0, then="branch"),)
    assert window.playground.view.settings.watch == expected
    qtbot.waitUntil(lambda: "before" in row.then.toolTip())
    row.at.setText("seven")
    row.at.editingFinished.emit()
    assert row.at.text() == "7" and window.playground.view.settings.watch == expected
    store = Store(tmp_path / "kept.ini")
    store.settings()
    store.save_settings(window.playground.view.settings)
    assert Store(tmp_path / "kept.ini").settings().watch == expected
    choose(row.what, None)  # type: ignore[arg-type]
    assert window.playground.view.settings.watch == ()
