"""Hand-written tables: the textbook example and everything that can be wrong with a file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.models.base import lead
from arplay.models.families.table.model import MAX_BYTES, Table
from tests.ledgers import ABC

ROWS = {"": {"A": 0.5, "B": 0.5}}
HALVES = '{"A": 0.5, "B": 0.5}'


@pytest.fixture(scope="module")
def abc() -> Table:
    return Table.load(ABC)


def written(folder: Path, content: str | bytes | dict[str, object]) -> Path:
    file = folder / "mine.json"
    text = json.dumps(content) if isinstance(content, dict) else content
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_every_row_of_the_shipped_table_sums_to_one(abc: Table) -> None:
    assert len(abc.rows) == 10
    for row in abc.rows.values():
        assert math.fsum(np.exp(row)) == pytest.approx(1, abs=1e-12)


def test_bac(abc: Table) -> None:
    ids = abc.alphabet.encode(b"BAC").ids
    assert ids.tolist() == [1, 0, 2]
    scores = abc.session().extend(ids.tolist())
    assert np.exp(scores.logprob) == pytest.approx([0.4, 0.5, 0.6])
    assert scores.rank.tolist() == [1, 1, 1]
    assert scores.best_ids[0].tolist() == [1, 0, 2, -1, -1]  # A and C are equals: the lower id first
    assert scores.best_logprobs[0, 3] == -np.inf
    assert abc.teacher_forced(ids.tolist()) == pytest.approx(scores.logprob)
    assert abc.info.name == "abc" and abc.info.vocabulary == 3 and abc.info.context is None
    assert lead(abc.alphabet, abc.can.starts_empty, "auto") == ((), "model")


def test_the_longest_suffix_that_has_a_row_applies(abc: Table) -> None:
    def p(prefix: bytes, token: int) -> float:
        return float(np.exp(abc.logprobs(abc.alphabet.encode(prefix).ids.tolist()))[token])

    assert p(b"", 1) == 0.4
    assert p(b"B", 0) == 0.5
    assert p(b"CCBA", 2) == pytest.approx(0.6)  # the row BA, not A (0.3)
    assert p(b"AA", 1) == pytest.approx(0.5)  # no row AA: the row A


@given(st.lists(st.integers(0, 2), max_size=12), st.lists(st.integers(0, 13), max_size=6))
def test_a_session_after_any_rewind_is_a_fresh_one(ids: list[int], lengths: list[int]) -> None:
    abc = Table.load(ABC)
    session = abc.session()
    session.extend(ids)
    for length in lengths:
        if length <= len(session.ids):
            session.rewind(length)
        assert np.array_equal(session.logits(), abc.logprobs(session.ids))
        session.extend(ids[:2])
    assert math.fsum(abc.teacher_forced(session.ids)) == pytest.approx(
        math.fsum(abc.session().extend(session.ids).logprob)
    )


def test_a_session_refuses_what_is_not_there(abc: Table) -> None:
    session = abc.session()
    for id in (-1, 3):
        with pytest.raises(Problem, match="outside the vocabulary"):
            session.extend([0, id])
    assert session.ids == ()
    for length in (-1, 1):
        with pytest.raises(ValueError, match="cannot rewind"):
            session.rewind(length)
    with pytest.raises(Problem, match=r"'D' at byte 2 is not in this model's alphabet; it can write only A B C"):
        abc.alphabet.encode(b"ABD")


def test_a_token_may_be_longer_than_a_letter(tmp_path: Path) -> None:
    row = {"a": 0.25, "ab": 0.25, "é": 0.5, "b": 0}
    table = Table.load(written(tmp_path, {"alphabet": ["a", "ab", "é", "b"], "rows": {"": row, "ab": row}}))
    assert table.alphabet.encode("abaéb".encode()).ids.tolist() == [1, 0, 2, 3]
    assert table.info.name == "mine"
    assert table.logprobs([])[3] == -np.inf


LONE = '{"alphabet": ["A", "\\ud800"], "rows": {"": {"A": 1}}}'
BAD = {
    "row sum": ({"alphabet": ["A", "B"], "rows": ROWS | {"A": {"A": 0.5, "B": 0.4}}}, 'row "A" sums to 0.9, not 1'),
    "empty row": ({"alphabet": ["A", "B"], "rows": ROWS | {"B": {}}}, 'row "B" sums to 0, not 1'),
    "no first row": ({"alphabet": ["A", "B"], "rows": {"A": {"A": 1}}}, 'no row ""'),
    "NaN": ('{"alphabet": ["A"], "rows": {"": {"A": NaN}}}', "NaN is not JSON"),
    "Infinity": ('{"alphabet": ["A"], "rows": {"": {"A": Infinity}}}', "Infinity is not JSON"),
    "1e400": ('{"alphabet": ["A"], "rows": {"": {"A": 1e400}}}', "inf is not a probability"),
    "negative": ({"alphabet": ["A", "B"], "rows": {"": {"A": -0.5, "B": 1.5}}}, '"A": -0.5 is not a probability'),
    "true": ({"alphabet": ["A"], "rows": {"": {"A": True}}}, "True is not a probability"),
    "text": ({"alphabet": ["A"], "rows": {"": {"A": "1"}}}, "'1' is not a probability"),
    "unknown token": ({"alphabet": ["A"], "rows": {"": {"A": 0.5, "Z": 0.5}}}, "'Z'.*not in the alphabet"),
    "unknown key": ({"alphabet": ["A"], "rows": {"": {"A": 1}, "AZ": {"A": 1}}}, 'row "AZ" is no text of the alphabet'),
    "token twice": ({"alphabet": ["A", "B", "A"], "rows": ROWS}, "lists a token twice"),
    "row twice": (f'{{"alphabet": ["A", "B"], "rows": {{"": {HALVES}, "": {HALVES}}}}}', "'' is given twice"),
    "p twice": ('{"alphabet": ["A"], "rows": {"": {"A": 0, "A": 1}}}', "'A' is given twice"),
    "empty token": ({"alphabet": ["A", ""], "rows": ROWS}, "not empty"),
    "half a pair": (LONE, "half a UTF-16 pair"),
    "no alphabet": ({"rows": ROWS}, "alphabet must list"),
    "empty alphabet": ({"alphabet": [], "rows": ROWS}, "alphabet must list"),
    "rows a list": ({"alphabet": ["A"], "rows": []}, "rows must be objects"),
    "row a number": ({"alphabet": ["A"], "rows": {"": 1}}, "rows must be objects"),
    "name a number": ({"alphabet": ["A", "B"], "rows": ROWS, "name": 3}, "name must be a text"),
    "a list": ("[1, 2]", "top level is not an object"),
    "not JSON": ("alphabet: A", "cannot be read as JSON"),
    "empty file": ("", "cannot be read as JSON"),
    "binary": (b"\xff\xfe\x00\x01", "cannot be read as JSON"),
    "nested": ("[" * 100_000, "cannot be read as JSON"),
    "huge": (b" " * (MAX_BYTES + 1), "larger than 4 MiB"),
    "too many entries": (
        {"alphabet": [f"{i:04}" for i in range(4096)], "rows": {f"{i:04}": {f"{i:04}": 1} for i in range(1025)}},
        "rows times tokens",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_told_with_its_reason(kind: str, tmp_path: Path) -> None:
    content, reason = BAD[kind]
    with pytest.raises(Problem, match=reason) as caught:
        Table.load(written(tmp_path, content))  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300


def test_a_good_file_is_none_of_these(tmp_path: Path) -> None:
    assert Table.load(written(tmp_path, {"alphabet": ["A", "B"], "rows": ROWS})).longest == 0


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"gone.json cannot be read"):
        Table.load(tmp_path / "gone.json")
