"""Two models with different tokens on one text: sums by span are the totals of either, on any text."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core.aligned import Aligned, aligned
from arplay.core.chain import Ledger
from tests.ledgers import random_ledger

ODD = ["a", " the", "é", "好", "👩‍👩‍👧", "שלום", "مرحبا", "\n", "🇳🇴", "x́", " 12", "."]
TEXT = st.lists(st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).map("".join)


def cut(text: str, lengths: list[int], costs: list[float]) -> Ledger:
    """A ledger of the bytes of ``text`` in tokens of these lengths, over and over (0: a token without bytes)."""
    data, tokens, at, turn = text.encode(), [], 0, 0
    while at < len(data):
        size = lengths[turn % len(lengths)] if turn % len(lengths) or any(lengths) else 1
        tokens.append(data[at : at + size])
        at, turn = at + len(tokens[-1]), turn + 1
    made, _ = random_ledger(tokens)
    return replace(made, logprob=np.array([-costs[i % len(costs)] for i in range(len(tokens))]), done=len(tokens))


sizes = st.lists(st.integers(0, 4), min_size=1, max_size=5).filter(any)
nats = st.lists(st.floats(0, 30), min_size=1, max_size=7)


@example(" the", [0, 2], [1], [0.0], [0.0])
@given(TEXT, sizes, sizes, nats, nats)
def test_sums_by_span_are_the_totals(text: str, a: list[int], b: list[int], x: list[float], y: list[float]) -> None:
    one, other = cut(text, a, x), cut(text, b, y)
    found = aligned(one, other)
    for index, ledger in enumerate((one, other)):
        assert found.totals[index] == pytest.approx(-math.fsum(ledger.logprob.tolist()))
        bits = found.bits_per_unit[index]
        assert bits is not None and bits == pytest.approx(ledger.totals.bits_per_unit or 0)
        edges = {0, *ledger.ends.tolist()}
        assert set(found.edges.tolist()) <= edges, "a span is whole tokens of either"
    common = {0, *one.ends.tolist()} & {0, *other.ends.tolist()}
    assert set(found.edges.tolist()) == common and found.units == len(text.encode())
    assert found.running[-1] == pytest.approx(found.totals[1] - found.totals[0], abs=1e-9)
    far = np.abs(found.difference)[found.most(3)]
    assert far.tolist() == sorted(np.abs(found.difference), reverse=True)[:3]


def test_by_hand() -> None:
    one, other = cut("abcd", [2, 1], [1.0, 2.0]), cut("abcd", [1, 3], [5.0, 7.0])
    found: Aligned = aligned(one, other)  # ab|c|d and a|bcd
    assert found.edges.tolist() == [0, 4] and [each.tolist() for each in found.first] == [[0, 3], [0, 2]]
    assert found.difference.tolist() == [12.0 - (1.0 + 2.0 + 1.0)]


def test_what_one_has_not_scored_is_not_compared() -> None:
    one, other = cut("abcd", [1], [1.0]), cut("abcd", [2], [3.0])
    one.logprob.flags.writeable = True
    one.logprob[0] = np.nan
    found = aligned(one, other)
    assert found.known.tolist() == [False, True] and found.totals == (2.0, 3.0) and found.units == 2
    assert found.running.tolist() == [0.0, 1.0] and found.most(5).tolist() == [1]


def test_what_cannot_be_is_infinite_in_its_span_alone() -> None:
    one, other = cut("abcd", [1], [1.0]), cut("abcd", [1], [1.0])
    other.logprob.flags.writeable = True
    other.logprob[1] = -np.inf
    found = aligned(one, other)
    assert found.difference.tolist() == [0.0, np.inf, 0.0, 0.0] and found.most(1).tolist() == [1]


def test_two_documents_are_refused() -> None:
    score = arplay.load("abc").score
    with pytest.raises(arplay.Problem, match="two different documents"):
        score("BAC").beside(score("CAB"))  # as long, and another one
    with pytest.raises(arplay.Problem, match="two different documents"):
        aligned(cut("abc", [1], [1.0]), cut("abcd", [1], [1.0]))
    with pytest.raises(arplay.Problem, match="two different documents"):
        aligned(cut("abcdefghi", [1], [1.0]), arplay.load("xo").score("#.# .#. #.#").ledger)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.txt"
    path.write_text("BACAB")
    assert main(["score", str(path), "--model", "english", "--compare", "abc", "english", "--json"]) == 0
    table, same = json.loads(capsys.readouterr().out)["comparison"]
    assert table["model"]["name"] == "abc" and table["bytes_compared"] == 5
    assert table["other_nll_nats"] == pytest.approx(arplay.load("abc").score("BACAB").nll_nats)
    assert table["bits_per_byte"] > table["other_bits_per_byte"] and same["most"][0]["difference_nats"] == 0
    assert sum(row["nll_nats"] for row in table["most"]) == pytest.approx(table["nll_nats"]), "all spans are listed"
    assert main(["score", str(path), "--model", "abc", "--compare", "abc"]) == 0
    assert "5 bytes that both score" in capsys.readouterr().out
    assert main(["score", str(path), "--model", "abc", "--compare", "abc", "--by", "word"]) == 0
    both = capsys.readouterr().out
    assert "5 bytes that both score" in both and "part\n" in both


def test_pictures_that_are_read_in_two_orders_compare_as_a_whole() -> None:
    """Token by token they are other pixels; the totals of the same joint distribution are the same."""
    xo, centre = (arplay.load(name).score("#.#\n.#.\n#.#").ledger for name in ("xo", "xo-centre"))
    assert not np.allclose(xo.logprob, centre.logprob)
    found = aligned(xo, centre)
    assert len(found) == 1 and found.difference[0] == pytest.approx(0, abs=1e-9) and found.units == 9
    assert len(aligned(xo, xo)) == 9
