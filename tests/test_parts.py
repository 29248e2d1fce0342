"""Words, lines, sentences and paragraphs as rows: they are the whole text, and their sums are its sums."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core.modalities.parts import KINDS, starts
from arplay.core.parts import Parts
from arplay.core.reading import Reading

TEXT = st.text(st.sampled_from('aé好.!? \n\r\t\u2028"”。') | st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = [*KINDS]


def cut(text: str, kind: str) -> list[str]:
    data = text.encode("utf-8", "surrogateescape")
    places = [*starts(data, kind).tolist(), len(data)]
    return [data[a:b].decode("utf-8", "surrogateescape") for a, b in pairwise(places)]


@given(TEXT, st.sampled_from(NAMES))
@example("\n\n", "paragraph")
@example("   ", "word")
@example("a.b c.", "sentence")
def test_the_parts_are_the_whole_text(text: str, kind: str) -> None:
    parts = cut(text, kind)
    assert "".join(parts) == text and all(parts)
    if kind == "word":
        assert [part.strip() for part in parts if part.strip()] == text.split()
    if kind == "line" and not set(text) & set("\x1c\x1d\x1e"):  # which Python takes for line breaks, too
        assert parts == text.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("word", ["To", " be,", "\nor", "  not \n"]),
        ("line", ["To be,\n", "or  not \n"]),
        ("sentence", ["To be,\nor  not \n"]),
    ],
)
def test_by_hand(kind: str, expected: list[str]) -> None:
    assert cut("To be,\nor  not \n", kind) == expected


def test_sentences_by_hand() -> None:
    assert cut("He said “No.” So? 好。是！ 3.5 is it… Yes", "sentence") == [
        *("He said “No.”", " So?", " 好。", "是！", " 3.5 is it…", " Yes"),
    ]
    assert cut("A b.\n\n c d\ne\n \n\nf", "paragraph") == ["A b.\n\n ", "c d\ne\n \n\n", "f"]


@pytest.fixture(scope="module")
def english() -> arplay.Model:
    return arplay.load("english")


ODD = "It was  a dark night.\n\nSo? “Yes.” Ärger 好。是\r\nThe end, 🙂 "


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("first", ["auto", "unscored"])
def test_the_sums_are_those_of_the_text(english: arplay.Model, kind: str, first: str) -> None:
    english.reading = Reading(first_token=first)  # type: ignore[arg-type]
    score = english.score(ODD)
    parts = score.by(kind)
    assert math.fsum(parts.logprob[parts.scored > 0]) == pytest.approx(-score.nll_nats, abs=1e-9)
    assert parts.scored.sum() == score.ledger.totals.scored and (parts.stop - parts.first).sum() == len(score)
    owner = [np.flatnonzero((parts.starts <= at) & (at < parts.ends))[0] for at in score.ledger.starts]
    for index in range(len(parts)):
        mine = [at for at, part in enumerate(owner) if part == index]
        assert mine == [*range(parts.first[index], parts.stop[index])]
        crossing = bool(mine) and bool(score.ledger.ends[mine[-1]] > parts.ends[index])
        assert crossing == parts.crossing[index]


def test_what_cannot_be_is_infinite_and_no_neighbour_feels_it() -> None:
    ledger = arplay.load("abc").score("BAC").ledger
    logprob = np.array([-1.0, -np.inf, -2.0])
    from dataclasses import replace

    cut = Parts.at(replace(ledger, logprob=logprob), "word", np.arange(3), np.arange(1, 4))
    assert cut.logprob.tolist() == [-1.0, -np.inf, -2.0]


def test_rows_of_a_picture_and_what_has_no_parts(capsys: pytest.CaptureFixture[str]) -> None:
    score = arplay.load("xo").score("#.# .#. #.#")
    assert score.by("row").logprob.sum() == pytest.approx(-score.nll_nats)
    with pytest.raises(arplay.Problem, match="'word'; use row"):
        score.by("word")
    with pytest.raises(arplay.Problem, match="none of any kind"):
        arplay.load("xo-centre").score("#.# .#. #.#").by("row")


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, table = tmp_path / "t.txt", tmp_path / "t.csv"
    path.write_text("BA CAB\nA", newline="")
    assert main(["score", str(path), "--model", "abc", "--by", "line", "--json"]) == 1
    path.write_text("BACAB")
    capsys.readouterr()
    assert main(["score", str(path), "--model", "abc", "--by", "word", "--json", "--csv", str(table)]) == 0
    (row,) = json.loads(capsys.readouterr().out)["parts"]
    assert (row["text"], row["tokens"], row["byte_end"], row["crossing"]) == ("BACAB", 5, 5, False)
    assert "BACAB" in table.read_text() and main(["score", str(path), "--model", "abc", "--by", "word"]) == 0
    assert "bits per byte" in capsys.readouterr().out
