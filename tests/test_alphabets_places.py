"""Where tokens stand in a text that they do not spell, by offsets and by matching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.models.alphabets import places


@pytest.mark.parametrize(
    ("data", "written", "offsets", "ends"),
    [
        ("A  b ", [b"a", b"b"], [(0, 1), (3, 4)], [1, 5]),  # dropped spaces: the token behind, at the end the last one
        ("e\u0301e", [b"e", b"e"], [(0, 1), (2, 3)], [3, 4]),  # an accent: the letter before
        ("\ufb01", [b"f", b"i"], [(0, 1), (1, 1)], [1, 3]),  # a ligature is shared
        ("\ufb01", [b" ", b"f", b"i"], [(0, 1), (0, 1), (0, 1)], [0, 1, 3]),  # a space that was put there owns nothing
        ("a\U0001f600", [b"a", b"\xf0\x9f", b"\x98\x80"], [(0, 1), (1, 2), (1, 2)], [1, 3, 5]),
        ("\u2026\u2026", [b"."] * 6, [(0, 1)] * 3 + [(1, 2)] * 3, [1, 2, 3, 4, 5, 6]),
        ("a\U0001f600", [b"a", b"<unk>"], [(0, 1), (1, 2)], [1, 5]),
    ],
)
def test_ends_by_offsets(data: str, written: list[bytes], offsets: list[tuple[int, int]], ends: list[int]) -> None:
    assert places.ends_by_offsets(data.encode(), written, np.array(offsets)).tolist() == ends


@pytest.mark.parametrize(
    ("data", "written", "ends"),
    [
        ("The CAT", [b" the", b" cat"], [3, 7]),
        ("the \u65e5\u672c cat", [b" the", b"<unk>", b" cat"], [3, 10, 14]),
        ("the \u65e5 \u672c", [b" the", b"<unk>", b"<unk>"], [3, 7, 11]),
        ("\u65e5", [b"<unk>"], [3]),
        ("caf\u00e9s", [b" cafe", b"s"], [5, 6]),
    ],
)
def test_ends_by_matching(data: str, written: list[bytes], ends: list[int]) -> None:
    assert places.ends_by_matching(data.encode(), written).tolist() == ends


@given(st.binary(min_size=1, max_size=20), st.lists(st.binary(max_size=4), min_size=1, max_size=8))
def test_whatever_the_tokens_are_every_byte_is_owned(data: bytes, written: list[bytes]) -> None:
    ends = places.ends_by_matching(data, written)
    assert np.all(np.diff(ends) >= 0) and ends[0] >= 0 and ends[-1] == len(data)


def test_a_token_far_away_is_not_the_one() -> None:
    """Negative control: the reach is what keeps an unknown word from swallowing the text."""
    data = ("x" * (places.REACH + 8) + " cat").encode()
    assert places.ends_by_matching(data, [b" cat", b"dog"]).tolist()[0] < len(data) - 4
    assert places.ends_by_matching(data[10:], [b" cat", b"dog"]).tolist()[0] == len(data) - 10
