"""Bytes, code points and UTF-16 units against slow, obvious implementations."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arplay.core.modalities import spans

AWKWARD = (
    "a", "é", "\u0301", "€", "שלום", "😀", "👩\u200d👩", "Z̸̢͝", "\r\n", "\u00a0", "\x00", "\u2028", "\ufdd0", "\uffff"
)  # fmt: skip
texts = st.lists(st.sampled_from(AWKWARD)).map("".join).map(str.encode)
broken = st.lists(st.one_of(st.binary(max_size=4), texts, st.just("😀".encode()[:3]))).map(b"".join)


def naive_units(data: bytes, position: int) -> int:
    """UTF-16 units up to and with the character that byte ``position`` is in or after."""
    at = units = 0
    for char in data.decode("utf-8", "surrogateescape"):
        if at >= position:
            break
        at += len(char.encode("utf-8", "surrogateescape"))
        units += 2 if ord(char) > 0xFFFF else 1
    return units


def naive_char_span(data: bytes, start: int, end: int) -> tuple[int, int]:
    touched, at = [], 0
    for number, char in enumerate(data.decode("utf-8", "surrogateescape")):
        size = len(char.encode("utf-8", "surrogateescape"))
        if at < end and at + size > start:
            touched.append(number)
        at += size
    return touched[0], touched[-1] + 1


@given(broken)
@example(b"\xf0\x9f\x98")
@example(b"\x80\xe2\x82\xac\xe2\x82")
def test_utf16_positions_are_those_of_counting_by_hand(data: bytes) -> None:
    expected = [naive_units(data, position) for position in range(len(data) + 1)]
    for step in (1, 3, 1024):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spans, "STEP", step)
            places = spans.Utf16(data)
            assert [places.of(byte) for byte in range(len(data) + 1)] == expected
            for unit in range(expected[-1] + 1):
                assert places.byte(unit) == max(byte for byte, at in enumerate(expected) if at <= unit)
            for byte in range(len(data) + 1):
                inside = byte < len(data) and expected[byte] == expected[byte + 1]
                assert places.floor(byte) == (
                    max(at for at in expected if at < expected[byte]) if inside else expected[byte]
                )


@given(broken, st.data())
def test_char_spans_are_the_characters_that_the_bytes_touch(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.sets(st.integers(1, max(len(data) - 1, 1)), max_size=8)) if len(data) > 1 else [])
    edges = [0, *cuts, len(data)] if data else []
    starts, ends = np.array(edges[:-1], np.int64), np.array(edges[1:], np.int64)
    low, high = spans.char_spans(data, starts, ends)
    expected = [naive_char_span(data, a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == expected


def test_a_span_of_no_bytes_has_a_place_and_touches_nothing() -> None:
    data = "a\u00e9".encode()
    starts = np.array([0, 1, 2, 3])
    low, high = spans.char_spans(data, starts, starts)
    assert low.tolist() == [0, 1, 1, 2]
    assert high.tolist() == [0, 1, 2, 2], "inside of a character it is that character"
    assert spans.char_spans(b"", starts[:1], starts[:1])[1].tolist() == [0]


@given(broken)
def test_char_starts_are_where_characters_begin(data: bytes) -> None:
    edges = spans.char_starts(data).tolist()
    parts = [data[a:b] for a, b in pairwise(edges)]
    assert [spans.to_text(part) for part in parts] == list(spans.to_text(data))


@given(
    st.lists(st.one_of(broken, st.sampled_from([b" ", b"\n", "\u2028".encode(), b"\x85"]))).map(b"".join),
    st.integers(1, 9),
)
def test_counting_in_blocks_is_counting_the_whole(data: bytes, block: int) -> None:
    text = spans.to_text(data)
    assert spans.counted(data, block) == spans.counted(data) == (len(text), len(text.split()))


@given(broken)
def test_text_and_bytes_are_inverse(data: bytes) -> None:
    assert spans.to_bytes(spans.to_text(data)) == data


def test_the_naive_count_catches_code_points_taken_for_units() -> None:
    """Negative control: Python's own length is not Qt's."""
    data = "a😀b".encode()
    assert len(spans.to_text(data)) == 3 != naive_units(data, len(data)) == 4


def test_a_true_lone_surrogate_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        spans.to_bytes("\ud800")
