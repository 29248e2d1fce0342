"""The log-prob of a word whose tokens bring their space along: by hand, over all words, over a text, and why not."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.parts import Parts
from arplay.core.reading import Reading
from arplay.core.word_edges import corrected, log_mass, opening
from arplay.engine.alone import answered
from arplay.engine.scoring import Score, Scored
from arplay.engine.state import State
from arplay.engine.word_edges import Edged, Edges
from arplay.models.families.table.model import Table

TEXT = "It was a dark night. The rain fell  and nobody was there."
SPACE, B, C = 0, 1, 2
"""Ids of the tokens of :func:`table`."""


def table(rows: dict[str, Sequence[float]]) -> Table:
    """Over ␣a, b and c: words begin with ␣a."""
    names = (" a", "b", "c")
    return Table("words", names, {key: dict(zip(names, row, strict=True)) for key, row in rows.items()}, "a test")


def asked(model: Table, text: str, reading: Reading = Reading()) -> tuple[Parts, np.ndarray]:
    state = State(lambda *_: model)
    state.use(model)
    document = Text.of(text.encode())
    ledger = answered(Scored, state, Score(0, document, reading), lambda _: None).ledger
    edged = answered(Edged, state, Edges(0, document, reading), lambda _: None)
    return Parts.of(ledger, "word"), edged.edges


def test_the_worked_value_of_the_docstring() -> None:
    model = table({"": (1, 0, 0), " a": (0.5, 0.5, 0), "b": (0.8, 0.2, 0), "c": (1, 0, 0)})
    words, edges = asked(model, " a ab abb a")
    np.testing.assert_allclose(np.exp(edges[1:]), [0.5, 0.8, 0.8, 0.5])
    assert edges[0] == 0.0, "every text of this model begins with a space"
    plain, moved = np.exp(words.logprob), np.exp(corrected(words, edges))
    np.testing.assert_allclose(plain, [1, 0.5 * 0.5, 0.8 * 0.5 * 0.2, 0.8])
    np.testing.assert_allclose(moved, [0.5, 0.25 * 0.8 / 0.5, 0.5 * 0.2 * 0.8, 0.5])


shares = st.lists(st.floats(0.05, 1.0), min_size=3, max_size=3).map(lambda row: [part / sum(row) for part in row])


@settings(deadline=None)
@given(shares, shares, shares, st.sampled_from([" a", " ab", " acb"]))
def test_the_corrected_probabilities_of_all_words_sum_to_one(
    after_space: list[float], after_b: list[float], after_c: list[float], before: str
) -> None:
    """Of words up to a length; what is left is the probability that a word is longer."""
    rows = {"": [1.0, 0.0, 0.0], " a": after_space, "b": after_b, "c": after_c}
    rows = {key: [1 - sum(row[1:]), *row[1:]] for key, row in rows.items()}
    model = table(rows)
    words = [""]
    total = plain = longer = 0.0
    for length in range(6):
        for word in words:
            parts, edges = asked(model, f"{before} a{word}")
            total += math.exp(float(corrected(parts, edges)[-1]))
            plain += math.exp(float(parts.logprob[-1]))
            if length == 5:  # it goes on with b or c
                longer += math.exp(float(parts.logprob[-1] - edges[-2])) * (1 - math.exp(float(edges[-1])))
        words = [word + more for word in words for more in "bc"]
    assert total + longer == pytest.approx(1.0, abs=1e-9)
    uneven = len({round(row[0], 6) for row in (after_space, after_b, after_c)}) > 1
    assert not uneven or plain != pytest.approx(total, abs=1e-12), "the control: tokens alone sum to something else"


@pytest.mark.parametrize("name", ["english", "fork-free"])
def test_over_a_text_only_the_first_and_the_last_edge_remain(name: str) -> None:
    if name == "english":
        model = arplay.load(name)
        words, edges = model.score(TEXT).by("word"), model.word_edges(TEXT).edges
    else:
        words, edges = asked(table({"": (0.6, 0.3, 0.1), "b": (0.2, 0.5, 0.3)}), " ab ac a abc")
    assert math.fsum(corrected(words, edges)) == pytest.approx(math.fsum(words.logprob) + edges[-1] - edges[0])
    assert not np.allclose(corrected(words, edges), words.logprob)


def test_each_edge_is_that_of_the_distribution_there() -> None:
    """Window by window, in chunks, against the distribution after each prefix by itself."""
    model = arplay.load("english")
    text = TEXT * 3
    model.reading = Reading(context=24, stride=8)
    score, edged = model.score(text), model.word_edges(text)
    words, among = score.by("word"), opening(model.vocabulary)
    ledger, chain = score.ledger, np.concatenate([[model.backend.alphabet.lead[0]], score.ledger.ids])
    for at in range(1, len(words)):
        place = ledger.before + int(words.first[at])
        start = int(ledger.windows.start(place))
        known = log_mass(model.backend.uncached(chain[start:place].tolist()), among)
        assert edged.edges[at] == pytest.approx(known, abs=2e-5)
    assert edged.context == 24 and edged.stride == 8 and edged.is_of(ledger)


def test_a_first_word_without_a_space_and_a_text_that_ends_with_one() -> None:
    model = table({"": (0.6, 0.3, 0.1), " a": (0.25, 0.5, 0.25), "b": (0.2, 0.5, 0.3), "c": (1, 0, 0)})
    words, edges = asked(model, "b a")
    assert np.exp(edges).tolist() == pytest.approx([0.4, 0.2, 0.25])  # b or c first; a space behind b; and behind ␣a
    assert np.exp(corrected(words, edges)).tolist() == pytest.approx([0.3 / 0.4 * 0.2, 0.2 / 0.2 * 0.25])
    english = arplay.load("english")
    assert english.word_edges("It was \n").edges[-1] == 0.0
    assert math.isnan(english.word_edges("It").edges[0]) is False


def test_what_is_not_known_is_not_told() -> None:
    english = arplay.load("english")
    english.reading = Reading(first_token="unscored")
    words, edges = english.score("It was").by("word"), english.word_edges("It was").edges
    assert np.isnan(edges[0]) and np.isnan(corrected(words, edges)[0]) and not np.isnan(corrected(words, edges)[1])
    with pytest.raises(arplay.Problem, match="no token of this model begins with white space"):
        arplay.load("abc").word_edges("BAC")
    with pytest.raises(arplay.Problem, match="no token of this model"):
        arplay.load("xo").word_edges("#.# .#. #.#")
    across = Table("across", (" a", "b", "b a"), {"": {" a": 0.4, "b": 0.3, "b a": 0.3}}, "a test")
    words, edges = asked(across, " ab ab")  # ␣a, b␣a, b: the second word begins within a token
    assert words.crossing.tolist() == [True, False] and np.isnan(edges[1])
    assert np.isnan(corrected(words, edges)).all()


def test_what_begins_a_word() -> None:
    tokens = Vocabulary("six", (b" a", b"a", "\u00a0b".encode(), b"\xc2", b"<end>", b"\tc"), frozenset({4}))
    assert tokens.opening.tolist() == [0, 2, 5]
    assert opening(tokens).tolist() == [True, False, True, False, True, True]


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "w.csv"
    asked_for = ["score", "--prompt", TEXT, "--by", "word", "--correct-spaces"]
    assert main([*asked_for, "--json", "--csv", str(out)]) == 0
    rows = json.loads(capsys.readouterr().out)["parts"]
    model = arplay.load("english")
    known = corrected(model.score(TEXT).by("word"), model.word_edges(TEXT).edges)
    assert [row["corrected_logprob"] for row in rows] == pytest.approx(known.tolist(), abs=1e-6)
    table = list(csv.DictReader(line for line in out.read_text("utf-8").splitlines() if not line.startswith("#")))
    assert float(table[3]["boundary_logprob"]) == pytest.approx(rows[3]["boundary_logprob"])
    assert main(asked_for) == 0 and "corrected" in capsys.readouterr().out
    assert main(["score", "--prompt", TEXT, "--by", "line", "--correct-spaces"]) == 2
    assert main(["score", "--prompt", "BAC", "--model", "abc", "--by", "word", "--correct-spaces"]) == 1
    assert "begins with white space" in capsys.readouterr().err
