"""Two distributions over two vocabularies: the same tokens are those that write the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.distribution import Distribution
from arplay.core.matching import Match, matching, two
from arplay.core.modalities.vocabulary import Vocabulary

BYTES = st.lists(st.binary(min_size=0, max_size=2), min_size=1, max_size=9, unique=True)


def found(one: Vocabulary, other: Vocabulary) -> Match:
    steps = matching(one, other)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            match: Match = ended.value
            return match


@given(BYTES, BYTES, st.data())
def test_what_is_shared_is_what_writes_the_same(a: list[bytes], b: list[bytes], data: st.DataObject) -> None:
    one, other = Vocabulary("a", tuple(a)), Vocabulary("b", tuple(b))
    match = found(one, other)
    for id, its in enumerate(match.other.tolist()):
        assert (its >= 0) == (a[id] != b"" and a[id] in b) and (its < 0 or b[its] == a[id])
    p, q = (
        Distribution.from_logits(np.array(data.draw(st.lists(st.floats(-9, 9), min_size=len(s), max_size=len(s)))))
        for s in (a, b)
    )
    n = data.draw(st.integers(1, 12))
    both = two(p, q, match, n)
    assert both.shared is not None
    shared = {data for data in a if data in b and data}
    assert both.shared[0] == pytest.approx(sum(p.probs[a.index(each)] for each in shared))
    assert both.shared[1] == pytest.approx(sum(q.probs[b.index(each)] for each in shared))
    for side, (distribution, tokens) in enumerate(((p, a), (q, b))):
        listed = [row.ids[side] for row in both.rows if row.ids[side] is not None]
        assert len(set(listed)) == len(listed), "each token stands in one row"
        assert both.rest[side] == pytest.approx(1 - sum(distribution.probs[id] for id in listed), abs=1e-9)
        for row in both.rows:
            mine, its = row.ids[side], row.ids[1 - side]
            its_data = None if its is None else (b, a)[side][its]
            assert mine is not None or its_data not in tokens or its_data == b""
    highest = [max(value or 0 for value in row.p) for row in both.rows]
    assert highest == sorted(highest, reverse=True)


def test_the_same_tokens_have_a_divergence() -> None:
    """p = (1/2, 1/2) and q = (3/4, 1/4): KL = 1/2 ln 2/3 + 1/2 ln 2."""
    tokens = Vocabulary("a", (b"x", b"y"))
    same = found(tokens, Vocabulary("another name", (b"x", b"y")))
    assert same.same and not found(tokens, Vocabulary("b", (b"y", b"x"))).same
    both = two(Distribution(2, np.log([0.5, 0.5])), Distribution(2, np.log([0.75, 0.25])), same, 5)
    assert both.kl == pytest.approx(0.5 * np.log(2 / 3) + 0.5 * np.log(2)) and both.tv == pytest.approx(0.25)
    assert max(both.rest) == pytest.approx(0, abs=1e-12)


def test_a_server_that_tells_only_some() -> None:
    """What it does not tell is None, and nothing is said of what both share."""
    same = found(Vocabulary("a", (b"x", b"y", b"z")), Vocabulary("a", (b"x", b"y", b"z")))
    both = two(Distribution(3, np.log([0.5, 0.4]), np.array([0, 2])), Distribution(3, np.log([0.2, 0.7, 0.1])), same, 2)
    assert both.shared is None and both.kl is None
    assert [(row.ids, row.p[0]) for row in both.rows] == [((1, 1), None), ((0, 0), pytest.approx(0.5))]
