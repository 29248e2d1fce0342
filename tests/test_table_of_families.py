"""A family from outside the package (tests/examples/markov.py) is one file and one line, and is found everywhere.

Its numbers are worked by hand: from sun 0.8 / 0.2 and rain 0.4 / 0.6 follows the balance 2/3 and 1/3.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from arplay import cli
from arplay.core.errors import Problem
from arplay.core.modalities.text import Text
from arplay.engine.trainer import Trainer
from arplay.gui.dropping import dropped
from arplay.gui.store import Store
from arplay.gui.training.facts import nothing_yet, summary
from arplay.gui.training.start_form import StartForm
from arplay.models import catalogue, families
from arplay.models.families.ngram import NGRAM
from arplay.models.family import Family, resolve
from arplay.training.run_folder import Plan
from arplay.training.sizes import Shape
from tests.examples.markov import MARKOV
from tests.windows_open import PATIENCE, Open, settle

WEATHER = "sun: sun 0.8, rain 0.2\nrain: sun 0.4, rain 0.6\n"
TEXT = "sun sun rain "
BITS = -math.log2(2 / 3 * 0.8 * 0.2)

Told = Callable[..., str]


@pytest.fixture
def weather(tmp_path: Path) -> Path:
    path = tmp_path / "weather.markov"
    path.write_text(WEATHER)
    return path


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "FAMILIES", (*families.FAMILIES, MARKOV))  # the one line


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def run(*arguments: str | Path, status: int = 0) -> str:
        assert cli.main([str(each) for each in arguments]) == status
        out, error = capsys.readouterr()
        return error if status else out

    return run


@pytest.mark.usefixtures("known")
def test_the_command_line_works_with_it(weather: Path, told: Told) -> None:
    text = weather.with_name("text.txt")
    text.write_text(TEXT)
    scored = json.loads(told("score", text, "--model", weather, "--json"))
    assert scored["totals"]["nll_bits"] == pytest.approx(BITS, abs=1e-12)
    after = json.loads(told("next", "--prompt", "sun sun ", "--model", weather, "--json"))
    assert [round(row["prob"], 12) for row in after["top"]] == [0.8, 0.2]
    drawn = told("sample", "--prompt", "rain ", "-n", "40", "--seed", "3", "--model", weather)
    assert set(drawn.split()) == {"sun", "rain"}
    assert drawn == told("sample", "--prompt", "rain ", "-n", "40", "--seed", "3", "--model", weather)


@pytest.mark.usefixtures("known")
def test_models_and_every_help_name_it(weather: Path, told: Told) -> None:
    info = json.loads(told("models", "info", weather, "--json"))
    assert (info["state"], info["kind"], info["vocabulary"], info["parameters"]) == ("ready", MARKOV.name, 2, 4)
    assert MARKOV.what in told("models", "--help")
    for command in ("next", "sample", "score", "bench"):
        assert ".markov" in told(command, "--help"), command


def test_where_it_is_not_registered_nothing_knows_it(weather: Path, told: Told) -> None:
    assert MARKOV.name not in told("models", "--help") and ".markov" not in told("next", "--help")
    assert "is not a model that arplay opens" in told("next", "--prompt", "", "--model", weather, status=1)
    assert catalogue.card(str(weather)).state == "broken"
    assert dropped([QUrl.fromLocalFile(str(weather))])[0] == "text"


@pytest.mark.usefixtures("known")
def test_the_window_offers_lists_and_runs_it(
    opened: Open, qtbot: QtBot, weather: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened("abc", b"")
    window.browse_models()
    browser = window.browser
    assert browser is not None
    asked: list[str] = []

    def choose(*_: object, filter: str) -> tuple[str, str]:
        asked.append(filter)
        return str(weather), filter

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    button = next(each for each in browser.findChildren(QPushButton) if each.text() == "Open Markov chain…")
    assert button.toolTip() == MARKOV.what
    button.click()
    assert asked == ["Markov chain (*.markov)"]
    assert browser.card is not None and browser.card.kind == MARKOV.name
    values = browser.details.values
    assert (values["Family"].text(), values["Context"].text()) == (MARKOV.name, "any")
    assert values["Family"].toolTip() == MARKOV.what
    browser.details.main.click()
    play = window.playground
    qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.name == "weather", timeout=PATIENCE)
    play.open_document(Text.of(TEXT.encode()), at_end=True)
    settle(window, qtbot)
    assert play.view.ledger is not None and play.view.ledger.totals.nll_bits == pytest.approx(BITS, abs=1e-12)
    assert dropped([QUrl.fromLocalFile(str(weather))]) == ("model", weather)


@pytest.mark.usefixtures("known")
@given(st.lists(st.integers(0, 1), max_size=12))
def test_its_chain_rule_holds(tmp_path_factory: pytest.TempPathFactory, ids: list[int]) -> None:
    path = tmp_path_factory.getbasetemp() / "weather.markov"
    path.write_text(WEATHER)
    model = catalogue.load(str(path), "auto", "auto", lambda *_: None)
    stepped = model.session().extend(ids)
    assert np.array_equal(stepped.logprob, model.teacher_forced(ids))
    assert np.exp(model.uncached(ids)).sum() == pytest.approx(1)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("text", ["", "sun", WEATHER * 2, WEATHER.replace("0.8", "0.9"), WEATHER.replace("0.8", "8")])
def test_a_damaged_file_is_a_card_that_says_so(weather: Path, text: str) -> None:
    weather.write_text(text)
    card = catalogue.card(str(weather))
    assert card.state == "broken" and weather.name in card.problem
    with pytest.raises(Problem):
        catalogue.load(str(weather), "auto", "auto", lambda *_: None)


def test_another_process_knows_it_by_the_same_line_and_lists_without_torch(weather: Path) -> None:
    program = (
        "import sys; from arplay import cli; from arplay.models import families\n"
        "from tests.examples.markov import MARKOV\n"
        "families.FAMILIES += (MARKOV,)\n"
        f"assert cli.main(['models', 'info', {str(weather)!r}]) == cli.main(['models']) == 0\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    root = Path(__file__).parents[1]
    ended = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert MARKOV.name in ended.stdout


def test_one_that_is_trained_is_in_the_form_the_command_and_the_runs(
    tmp_path: Path, qtbot: QtBot, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bigrams as a family of their own: a copy of the n-grams, with another key and another usual order."""
    plan = tmp_path / "out" / "training" / "plan.json"
    text = tmp_path / "text.txt"
    text.write_text("".join(f"It was day {day} and it rained.\n" for day in range(300)))
    words = ("train", text, "--out", tmp_path / "out", "--family", "bigram", "--vocab", "270")
    assert "invalid choice: 'bigram'" in told(*words, status=2)
    assert NGRAM.training is not None
    bigram = replace(NGRAM.training, key="bigram", label="Bigram", kind="a bigram model", order=2)
    with monkeypatch.context() as patch:
        patch.setattr(families, "FAMILIES", (*families.FAMILIES, replace(NGRAM, name="bigram", training=bigram)))
        assert "bigram: Bigram" in " ".join(told("train", "--help").split())
        told(*words)
        assert Plan.from_json(plan.read_text()).order == 2
        assert "a bigram model" in (tmp_path / "out" / "README.md").read_text()
        assert "a bigram model has no --params" in told(*words, "--params", "1M", status=2)
        form = StartForm(Store(tmp_path / "arplay.ini"), lambda: b"")
        qtbot.addWidget(form)
        form.inputs["family"].segments.buttons["bigram"].click()
        assert form.wanted().arguments[-4:] == ["--family", "bigram", "--seed", "1"]
        state = Trainer.open(tmp_path / "out").poll()
        assert summary(state).startswith("Done · Bigram · ")
        assert nothing_yet(state) == "A bigram model is counted in one go: there is no curve."
    with pytest.raises(ValueError, match="family"):
        Plan.from_json(plan.read_text())


# ---- the table itself


@pytest.mark.parametrize("family", (*families.FAMILIES, MARKOV), ids=lambda family: family.name)
def test_every_name_in_the_table_is_a_function_that_is_there(family: Family) -> None:
    assert all(callable(resolve(name)) for name in (family.open, family.card, family.build, family.baseline) if name)
    if training := family.training:
        assert callable(resolve(training.by))
        assert training.order if training.counted else isinstance(resolve(training.shape), Shape)
        assert training.context or training.counted or training.unit == "dimension"  # a picture is its own context


def test_no_two_families_are_taken_for_each_other() -> None:
    marks = [(one.model_type, one.suffix, one.marks, one.schemes) for one in families.FAMILIES]
    assert len(set(marks)) == len({one.name for one in families.FAMILIES}) == len(marks)
    assert list(families.trainings()) == ["transformer", "rnn", "ngram", "pixelcnn", "wavenet"]
    assert families.trained(None).key == "transformer"


@given(st.sets(st.sampled_from(["alphabet", "rows", "patterns", "signs", "name", "order"])), st.booleans())
def test_a_json_file_is_what_its_keys_say(
    tmp_path_factory: pytest.TempPathFactory, keys: set[str], damaged: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "keys.json"
    path.write_text(json.dumps(dict.fromkeys(keys)) + ("}" if damaged else ""))
    picture = {"patterns", "signs"} <= keys
    expected = "joint" if picture else "table" if "alphabet" in keys else None
    found = families.of_file(path, sure=True)
    assert (found.name if found else None) == expected
    assert families.of_file(path) is not None  # whose loader then tells what is wrong
