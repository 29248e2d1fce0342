"""Trees laid out: nothing overlaps, parents lie in the middle, blocks lie inside each other."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.tidy import ROW, Floats, shares, tidy


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    n = draw(st.integers(1, 40))
    parents = [-1] + [draw(st.integers(max(0, i - draw(st.integers(1, 12))), i - 1)) for i in range(1, n)]
    lengths = [float(draw(st.integers(1, 9))) for _ in range(n)]
    return parents, lengths


def overlaps(x: Floats, y: Floats, lengths: list[float]) -> list[tuple[int, int]]:
    return [
        (i, j)
        for i in range(len(x))
        for j in range(i)
        if min(x[i] + lengths[i], x[j] + lengths[j]) - max(x[i], x[j]) > 1e-9 and abs(y[i] - y[j]) < ROW - 1e-9
    ]


def off_centre(parents: list[int], y: Floats) -> list[int]:
    found = []
    for i in range(len(parents)):
        children = [k for k, parent in enumerate(parents) if parent == i]
        if children and abs(y[i] - (y[children[0]] + y[children[-1]]) / 2) > 1e-9:
            found.append(i)
        found += [b for a, b in pairwise(children) if y[b] < y[a] + ROW - 1e-9]
    return found


@settings(max_examples=150, deadline=None)
@given(trees())
def test_nothing_overlaps_and_parents_are_centred(tree: tuple[list[int], list[float]]) -> None:
    parents, lengths = tree
    x, y = tidy(parents, lengths)
    assert overlaps(x, y, lengths) == [] and off_centre(parents, y) == []
    assert y.min() == 0.0
    assert all(x[i] == x[p] + lengths[p] for i, p in enumerate(parents) if p >= 0)


@settings(max_examples=100, deadline=None)
@given(trees())
def test_no_tree_is_higher_than_a_row_a_leaf(tree: tuple[list[int], list[float]]) -> None:
    parents, lengths = tree
    leaves = len(set(range(len(parents))) - set(parents))
    assert tidy(parents, lengths)[1].max() <= (leaves - 1) * ROW + 1e-9


def test_a_short_branch_lets_another_lie_beside_it() -> None:
    _, y = tidy([-1, 0, 0, 2, 2, 2, 2], [1, 1, 3, 1, 1, 1, 1])
    assert y.max() == pytest.approx(3 * ROW)


def test_the_checks_see_what_is_wrong() -> None:
    """Negative control."""
    parents, lengths = [-1, 0, 0, 1, 1, 2, 2], [1.0] * 7
    x, y = tidy(parents, lengths)
    worse = y.copy()
    worse[4] += ROW
    assert overlaps(x, worse, lengths) and off_centre(parents, worse)


def test_ten_thousand_in_a_row_are_no_recursion() -> None:
    n = 10_001
    parents = [-1] + [(i - 1) // 2 * 2 if i % 2 else i - 2 for i in range(1, n)]  # a comb
    x, y = tidy(parents, [1.0] * n)
    assert len(x) == len(y) == n


def test_a_parent_that_comes_later_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot leave"):
        tidy([-1, 2, 0], [1.0, 1.0, 1.0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.floats(0.0, 1.0), st.just(math.nan)), max_size=9))
def test_blocks_fit_into_their_parent(probs: list[float]) -> None:
    found = shares(probs)
    assert len(found) == len(probs) and all(share >= 0 for share in found)
    assert sum(found) <= 1 + 1e-9
    if sum(probs) <= 1:  # NaN is not
        assert found == probs, "each is as high as it is probable"
