"""Where the kept ids are not those that the tokenizer would choose."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.modalities.departures import departures
from arplay.core.modalities.encoded_text import Encoded
from arplay.core.modalities.vocabulary import Tokens
from arplay.core.position import Position

Cut = list[tuple[int, int]]
"""A tokenisation: (id, bytes) of each token."""


def spans(mine: Cut, canonical: Cut) -> list[tuple[int, int]]:
    def ids(cut: Cut) -> np.ndarray:
        return np.array([id for id, _ in cut], np.int64)

    def ends(cut: Cut) -> np.ndarray:
        return np.cumsum([size for _, size in cut], dtype=np.int64)

    encoded = Encoded(b"", ids(mine), ends(mine), np.ones(len(mine), np.bool_))
    return departures(encoded, Tokens(ids(canonical), ends(canonical)))


@pytest.mark.parametrize(
    ("mine", "canonical", "expected"),
    [
        ([], [], []),
        ([(1, 2), (2, 1)], [(1, 2), (2, 1)], []),
        ([(1, 1), (2, 1), (9, 3)], [(7, 2), (9, 3)], [(0, 2)]),  # "th" kept as "t" "h"
        ([(9, 3), (1, 1), (2, 1)], [(9, 3), (7, 2)], [(3, 5)]),
        ([(1, 2), (2, 2)], [(3, 1), (4, 2), (5, 1)], [(0, 4)]),  # no boundary in common inside
        ([(1, 1), (2, 1)], [(3, 1), (4, 1)], [(0, 2)]),  # neighbours are one span
        ([(1, 1), (2, 1), (5, 1), (2, 1)], [(3, 1), (2, 1), (5, 1), (4, 1)], [(0, 1), (3, 4)]),
    ],
)
def test_departures_by_hand(mine: Cut, canonical: Cut, expected: list[tuple[int, int]]) -> None:
    assert spans(mine, canonical) == expected


def naive(mine: Cut, canonical: Cut) -> set[int]:
    """The bytes whose token (id, start, size) is not a token of the other tokenisation."""

    def tokens(cut: Cut) -> set[tuple[int, int, int]]:
        ends = np.cumsum([size for _, size in cut]).tolist()
        return {(id, end - size, size) for (id, size), end in zip(cut, ends, strict=True)}

    return {byte for _, start, size in tokens(mine) ^ tokens(canonical) for byte in range(start, start + size)}


def cuts(total: int) -> st.SearchStrategy[Cut]:
    """Tokenisations of ``total`` bytes into tokens of 1 to 3; an id has one size."""
    tokens = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), min_size=total, max_size=total)

    def trimmed(found: Cut) -> Cut:
        out: Cut = []
        left = total
        for id, size in found:
            if left:
                size = min(size, left)
                out.append((2 * size + id, size))
                left -= size
        return out

    return tokens.map(trimmed)


@given(st.integers(0, 12).flatmap(lambda total: st.tuples(cuts(total), cuts(total))))
def test_departures_are_the_bytes_whose_tokens_differ(pair: tuple[Cut, Cut]) -> None:
    found = spans(*pair)
    assert {byte for low, high in found for byte in range(low, high)} == naive(*pair)
    assert all(high < low for (_, high), (low, _) in pairwise(found))  # apart, and in order


def test_the_context_of_a_position() -> None:
    assert Position(3, 10).context == 7
