"""Healing: the exact marginal over the tokens that begin with what the last one wrote, by hand and by brute force."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core import kept
from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.decoding.stage import Context
from arplay.core.distribution import Distribution
from arplay.core.healing import LIKELY, healing, share_of_longer
from arplay.core.modalities.text import text_of
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.export import sessionfile
from arplay.gui.intents import Change, Do
from arplay.gui.main_window import MainWindow
from arplay.models.base import next_of
from tests.sessions import only
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

Rows = dict[str, dict[str, float]]
FIVE = Vocabulary("five", (b" ", b" a", b" ab", b"a", b"<end>"), frozenset({4}))
BY_HAND = Distribution(5, np.log([0.1, 0.2, 0.1, 0.5, 0.1]))
pieces = st.lists(st.one_of(st.none(), st.text("a é", min_size=1, max_size=3)), min_size=2, max_size=9)


def test_by_hand() -> None:
    assert share_of_longer(BY_HAND, FIVE, " ") == pytest.approx(0.3 / 0.4)
    assert share_of_longer(BY_HAND, FIVE, " a") == pytest.approx(0.1 / 0.3)
    assert share_of_longer(BY_HAND, FIVE, "b") == 0
    healed = decode(BY_HAND, healing(" ", Pipeline()), Context(tokens=FIVE)).distribution
    assert healed.probs == pytest.approx([0.25, 0.5, 0.25, 0, 0])
    later = Context(np.array([1]), tokens=FIVE, drawn=(-1.0,))
    assert decode(BY_HAND, healing(" ", Pipeline()), later).distribution.probs == pytest.approx(BY_HAND.probs)


@given(pieces, st.text("a é", min_size=1, max_size=2), st.data())
def test_the_marginal_is_that_of_brute_force(texts: list[str | None], text: str, data: st.DataObject) -> None:
    tokens = Vocabulary("any", tuple(None if each is None else each.encode() for each in texts), frozenset({0}))
    z = data.draw(arrays(np.float64, len(texts), elements=st.floats(-5, 5)))
    before = Distribution.from_logits(z)
    ids = [id for id, each in enumerate(texts) if id and each is not None and each.startswith(text)]
    assert tokens.beginning(text).tolist() == ids
    if not ids:
        return
    healed = decode(before, healing(text, Pipeline()), Context(tokens=tokens)).distribution
    total = sum(before.probs[id] for id in ids)
    assert healed.probs[ids] == pytest.approx(before.probs[ids] / total)
    assert healed.probs.sum() == pytest.approx(1)
    longer = sum(before.probs[id] for id in ids if texts[id] != text)
    assert share_of_longer(before, tokens, text) == pytest.approx(longer / total)


@pytest.fixture(scope="module")
def english() -> arplay.Model:
    return arplay.load("english")


def test_a_text_with_a_space_at_its_end_is_healed(english: arplay.Model) -> None:
    after = english.next("Once upon a ", heal=True)
    assert text_of(after.document).data == b"Once upon a"
    before, tokens = english.next("Once upon a"), english.vocabulary
    ids = tokens.beginning(" ")
    assert after.distribution.probs == pytest.approx(before.distribution.probs)
    found = after.decoded.distribution.probs
    assert found[ids] == pytest.approx(before.distribution.probs[ids] / before.distribution.probs[ids].sum())
    assert english.sample("Once upon a ", 1, pipeline="greedy", heal=True).text == " time"
    assert english.sample("Once upon a ", 1, pipeline="greedy").text != " time"  # negative control


def test_asking_costs_no_token_more() -> None:
    english = arplay.load("english")
    answer = english.next("It was a dark night. ").answer
    assert answer.heal is not None and answer.evaluated == answer.position.context and answer.reused == 0
    again = english.next("It was a dark night. ").answer
    assert again.heal is not None and again.evaluated == 2  # that place, and the last token
    assert english.next("It was a dark night").answer.heal is None


def test_what_ends_with_a_whole_token_stays(english: arplay.Model) -> None:
    assert english.next("", heal=True).pipeline.stages == ()
    assert arplay.load("abc").next("BA", heal=True).pipeline.stages == ()


def test_the_command_line_heals_and_tells_where_there_is_nothing_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sample", "--prompt", "Once upon a ", "-n", "1", "--greedy", "--heal"]) == 0
    told = capsys.readouterr()
    assert told.out == " time\n" and "“␣” was taken back" in told.err
    assert cli.main(["next", "--model", "abc", "--prompt", "BA", "--heal"]) == 0
    assert "nothing to heal" in capsys.readouterr().err


TOKENS = (" ", "a", " a", "b", " ab")


@pytest.fixture(scope="module", params=range(3))
def spaced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[arplay.Model, Rows]:
    """A table of tokens that begin with one another, at chance, and its rows."""
    chance = np.random.default_rng(request.param)
    rows = {key: dict(zip(TOKENS, chance.dirichlet(np.ones(5)).tolist(), strict=True)) for key in ("", "a", "b", "b ")}
    path = tmp_path_factory.mktemp("table") / "spaced.json"
    path.write_text(json.dumps({"name": "spaced", "alphabet": TOKENS, "rows": rows}))
    return arplay.load(path), rows


def chains(model: arplay.Model, length: int) -> dict[tuple[int, ...], float]:
    """p of all chains behind "b" whose first token begins with a space, by the model's own distributions."""
    first = {id: model.next("b").distribution.probs[id] for id in (0, 2, 4)}
    total, session = sum(first.values()), model.backend.session()
    found = {(id,): p / total for id, p in first.items()}
    for _ in range(length - 1):
        longer = {}
        for ids, p in found.items():
            session.rewind(0)
            session.read([TOKENS.index("b"), *ids])
            longer |= {(*ids, id): p * each for id, each in enumerate(next_of(session).probs.tolist())}
        found = longer
    return found


def test_rollouts_and_beams_begin_with_the_marginal_of_brute_force(spaced: tuple[arplay.Model, Rows]) -> None:
    model, rows = spaced
    every = chains(model, 2)
    assert sum(every.values()) == pytest.approx(1)
    beams = model.beams("b ", 75, 2, length_penalty=0, heal=True)
    assert {each.ids: each.logprob for each in beams} == pytest.approx({ids: np.log(p) for ids, p in every.items()})
    assert beams.best is not None and beams.best.ids == beams[0].ids == max(every, key=lambda ids: every[ids])
    narrow = model.beams("b ", 3, 2, length_penalty=0, heal=True)[0]
    assert narrow.logprob == pytest.approx(np.log(every[narrow.ids])) and narrow.text[0] == " "

    found = model.rollouts("b ", 40, 2, heal=True)
    for each in found:
        alone = model.sample("b ", 2, seed=each.seed, heal=True)
        assert each.ids == tuple(alone.ids.tolist()) and each.text == alone.text and each.text[0] == " "
        assert np.prod([step.decoded_prob for step in each.steps]) == pytest.approx(every[each.ids])
    assert {each.ids[0] for each in found} >= {max((0, 2, 4), key=lambda id: rows["b"][TOKENS[id]])}
    # negative control: without it they go on behind the space
    assert any(each.ids[0] in (1, 3) for each in model.rollouts("b ", 40, 2))
    assert {each.ids[0] for each in model.beams("b ", 75, 2)} == set(range(5))


@pytest.mark.parametrize("options", [("--rollouts", "2"), ("--beams", "2")])
def test_the_command_line_heals_several(capsys: pytest.CaptureFixture[str], options: tuple[str, str]) -> None:
    assert cli.main(["sample", "--prompt", "Once upon a ", "-n", "1", "--greedy", "--heal", "--json", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {each["text"] for each in told.get("rollouts") or told["hypotheses"][:1]} == {" time"}
    assert told["decoding"][0] == {"stage": "begins", "text": " "}
    assert cli.main(["sample", "--model", "abc", "--prompt", "BA", "-n", "1", "--heal", *options]) == 0
    assert "nothing to heal" in capsys.readouterr().err


def told(window: MainWindow) -> list[str]:
    return [label.text() for label in window.findChildren(QLabel)]


def test_the_window_tells_and_heals_and_undo_brings_it_back(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"Once upon a ", model="english")
    play = window.playground
    settle(window, qtbot)
    play.handle(Change(replace(play.view.settings, decoding=Pipeline("greedy"))))
    qtbot.waitUntil(lambda: play.view.answer is not None and play.view.answer.heal is not None)
    assert play.view.answer is not None and play.view.answer.heal is not None
    assert play.view.answer.heal.share >= LIKELY
    assert any("ends inside a likely token" in text for text in told(window))
    play.handle(Do("heal"))
    settle(window, qtbot)
    assert text_of(play.document).data == b"Once upon a time"
    step = play.tree.node.step
    assert step is not None and step.by.startswith("begins:")
    assert play.view.answer is not None and play.view.answer.heal is None
    saved = tmp_path / "a.session.json"
    sessionfile.write(saved, kept.snapshot(only(play.tree)))
    assert (found := arplay.load("english").replay(saved)).same and found.drawn == 1
    play.handle(Do("heal"))
    settle(window, qtbot)
    assert text_of(play.document).data == b"Once upon a time"
    play.undo_stack.undo()
    settle(window, qtbot)
    assert text_of(play.document).data == b"Once upon a "
