"""What the model gives to each of several continuations, by hand, by brute force and by scoring the whole."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import arplay
from arplay.cli import main
from arplay.core.candidates import margin, shares
from tests.tiny_models import CONTEXT, save


@pytest.fixture(scope="module")
def english() -> arplay.Model:
    return arplay.load("english")


def test_all_continuations_of_a_length_are_one_whole() -> None:
    every = ["".join(letters) for letters in product("ABC", repeat=3)]
    rated = arplay.load("abc").candidates("BA", every)
    assert sum(math.exp(each.logprob) for each in rated.candidates) == pytest.approx(1)
    assert shares([each.logprob for each in rated.candidates]) == pytest.approx(
        [math.exp(each.logprob) for each in rated.candidates]
    )


@pytest.mark.parametrize("prompt", ["Is it night?", "", "A\n"])
def test_each_is_what_scoring_the_whole_says(english: arplay.Model, prompt: str) -> None:
    texts = [" yes", " no, it is day", " yes", "", " Ärger 🙂"][: 3 if prompt else 5]
    texts = [text for text in texts if text]
    rated = english.candidates(prompt, texts)
    for text, found in zip(texts, rated.candidates, strict=True):
        whole, before = english.score(prompt + text), english.score(prompt) if prompt else None
        count = len(before) if before is not None else 0
        assert found.text == text and found.units == len(text.encode()) and not found.joins
        assert found.ids.tolist() == whole.ids[count:].tolist()
        assert np.allclose(found.logprobs, whole.logprob[count:], atol=1e-4)


def test_a_candidate_that_would_join_the_text_is_told(english: arplay.Model) -> None:
    (found,) = english.candidates("It was a dark nig", ["ht"]).candidates
    assert found.joins and len(english.score("It was a dark night")) < len(english.score("It was a dark nig")) + 1
    assert not english.candidates("It was a dark", [" night"]).candidates[0].joins, "negative control"


def test_pictures_and_sounds_have_candidates_too() -> None:
    model = arplay.load("xo")
    rated = model.candidates("#.# ??? ???", ["#.# .#. #.#", "#.# ... ..."])
    whole = [model.score(text).logprob[3:].sum() for text in ("#.# .#. #.#", "#.# ... ...")]
    assert [each.logprob for each in rated.candidates] == pytest.approx(whole)


def test_what_is_wrong_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = arplay.load("abc")
    for candidates, words in (([], "0 candidates"), ([""], "candidate 1 is empty"), (["A"] * 1001, "1,001 candidates")):
        with pytest.raises(arplay.Problem, match=words):
            model.candidates("B", candidates)
    tiny = arplay.load(save(tmp_path_factory.mktemp("tiny"), "llama"))
    with pytest.raises(arplay.Problem, match="candidate 2 does not fit"):
        tiny.candidates("The", [" cat", " cat" * CONTEXT])
    with pytest.raises(arplay.Problem, match="candidate 1 has no probability"):
        tiny.candidates("", ["The"])


def test_shares_and_margin() -> None:
    assert shares([]).tolist() == [] and np.isnan(shares([-math.inf])).all()
    assert shares([-math.inf, -800.0]).tolist() == [0, 1], "also where p underflows"
    assert margin([-1.0]) is None and margin([-1.0, -math.inf]) is None


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, spelled, table = tmp_path / "c.txt", tmp_path / "c.json", tmp_path / "c.csv"
    lines.write_text("AC\n\nB\n")
    spelled.write_text('["AC", "B"]')
    for path in (lines, spelled):
        call = ["score", "--model", "abc", "--prompt", "B", "--candidates", str(path), "--json", "--csv", str(table)]
        assert main(call) == 0
        said = json.loads(capsys.readouterr().out)
        assert [(row["text"], row["rank"], row["index"]) for row in said["candidates"]] == [("AC", 1, 0), ("B", 2, 1)]
        assert said["margin_nats"] == pytest.approx(math.log(0.3 / 0.2))
        assert said["candidates"][0]["share"] == pytest.approx(0.6) and len(said["candidates"][0]["each"]) == 2
    assert "AC" in table.read_text() and main(call[:-3]) == 0 and "nats ahead" in capsys.readouterr().out
    for damaged, words in (("[1]", "no list of texts"), ("[", "no JSON"), ("[]", "no candidate")):
        spelled.write_text(damaged)
        assert main(call) == 1 and words in capsys.readouterr().err
    assert main([*call, "--conventions"]) == 2
