"""A text before and after an edit: what stands in both, by hand and for any edit."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core import edited as module
from arplay.core.edited import edited, matches
from arplay.core.errors import Problem
from tests.ledgers import random_ledger

WORDS = [b"a", b" the", b" cat", b" sat", "é".encode(), b".", b"\n"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=25)


@given(TEXTS, TEXTS, st.booleans())
def test_both_texts_are_there_whole(a: list[bytes], b: list[bytes], long: bool) -> None:
    """Every token stands in one span, those of a span that is the same are equal, and the sums are those of either."""
    if not a or not b:
        return
    both = random_ledger(a + b)[0]  # one vocabulary for both
    one, other = both.part(0, len(a)), both.part(len(a), len(a) + len(b))
    with pytest.MonkeyPatch.context() as patch:
        if long:
            patch.setattr(module, "EXACT", 3)
        found = edited(one, other)
    for side, (ledger, texts) in enumerate(((one, a), (other, b))):
        first = found.first[side]
        assert first[0] == 0 and first[-1] == len(texts) and (np.diff(first) >= 0).all()
        known = ledger.logprob[~np.isnan(ledger.logprob)]
        assert np.nansum(found.nats[side]) == pytest.approx(-math.fsum(known.tolist()))
    for span in np.flatnonzero(found.same).tolist():
        (i, j), (k, m) = (first[span : span + 2].tolist() for first in found.first)
        assert j == i + 1 and m == k + 1 and a[i] == b[k]
    data = b"".join(b)
    assert found.edges[0] == 0 and found.edges[-1] == len(data)
    for span in range(len(found)):
        k, m = found.first[1][span : span + 2].tolist()
        assert data[found.edges[span] : found.edges[span + 1]] == b"".join(b[k:m])
    (away, paid), (come, pays) = found.replaced
    assert away + found.tokens == len(a) and come + found.tokens == len(b) and paid >= 0 and pays >= 0


@given(TEXTS, TEXTS, st.integers(0, 25), st.integers(0, 25))
def test_the_beginning_and_the_end_of_an_edit_stay(a: list[bytes], put: list[bytes], at: int, cut: int) -> None:
    ids = np.array([WORDS.index(word) for word in a], np.int64)
    middle = np.array([WORDS.index(word) for word in put], np.int64)
    at, cut = min(at, len(ids)), min(cut, max(0, len(ids) - at))
    runs = matches(ids, np.concatenate([ids[:at], middle, ids[at + cut :]]))
    assert sum(count for _, _, count in runs) >= len(ids) - cut
    assert all(i + n <= j for (i, _, n), (j, _, _) in pairwise(runs)), "in order"


def test_by_hand() -> None:
    """abc: in BAC and BBC the last token stands behind another one."""
    score = arplay.load("abc").score
    found = edited(score("BAC").ledger, score("BBC").ledger)
    assert found.same.tolist() == [True, False, True] and found.tokens == 2
    before, after = (math.exp(-float(nats[2])) for nats in found.nats)
    assert (round(before, 4), round(after, 4)) == tuple(
        round(float(arplay.load("abc").next(text).distribution.probs[2]), 4) for text in ("BA", "BB")
    )
    assert found.difference[0] == 0 and np.isnan(found.difference[1])
    with pytest.raises(Problem, match="two kinds"):
        edited(score("BAC").ledger, arplay.load("xo").score("#.#\n.#.\n#.#").ledger)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (
        ("now", "It was a cold night, and the wind was loud."),
        ("base", "It was a dark night, and the wind was loud."),
    ):
        (tmp_path / name).write_text(text, "utf-8")
    asked = ["score", str(tmp_path / "now"), "--base", str(tmp_path / "base")]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["edit"]
    score = arplay.load("english").score
    expected = edited(score((tmp_path / "base").read_text()).ledger, score((tmp_path / "now").read_text()).ledger)
    assert told["tokens_in_both"] == expected.tokens and told["other_nll_nats"] == pytest.approx(expected.totals[1])
    assert told["replaced"]["tokens"] == expected.replaced[0][0] > 0
    assert main(asked) == 0
    assert "stand in both" in capsys.readouterr().out
