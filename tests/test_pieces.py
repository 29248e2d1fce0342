"""Exact bytes behind ids, and their visible text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.modalities.vocabulary import Token, Vocabulary, visible

WORDS = Vocabulary("words", (b"<s>", b" the", b"the", b"The", b"\xe2\x82", None, b"lathe", b"", b"\n"), frozenset({0}))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b" a\t\r\n", "␣a⇥⟨CR⟩↵"),
        ("\u00a0".encode(), "⍽"),
        (b"\x00\x1b", "⟨NUL⟩⟨ESC⟩"),
        (b"\x7f", "⟨DEL⟩"),
        ("\u200f\u2028".encode(), "⟨U+200F⟩⟨U+2028⟩"),
        ("😀é".encode(), "😀é"),
        (b"\xf0\x9f\x98", "⟨F0⟩⟨9F⟩⟨98⟩"),
        (b"\xed\xa0\x80", "⟨ED⟩⟨A0⟩⟨80⟩"),  # a surrogate written as UTF-8 is no character
    ],
)
def test_nothing_is_hidden(data: bytes, text: str) -> None:
    assert visible(data) == text


@given(st.binary(max_size=12))
def test_visible_text_is_printable_and_empty_only_for_nothing(data: bytes) -> None:
    shown = visible(data)
    assert shown.isprintable() and bool(shown) == bool(data)


def test_an_id_without_a_token_writes_nothing_and_is_shown_as_unused() -> None:
    assert WORDS.token(5) == Token(5, b"", special=True)
    assert WORDS.token(5).text == "<unused 5>"
    assert WORDS.token(7).text == "<unused 7>"
    assert WORDS.token(0).special and WORDS.token(0).text == "<s>"
    assert not WORDS.token(1).special and WORDS.token(1).text == "␣the"
    assert WORDS.written == tuple(WORDS.token(i).data for i in range(len(WORDS)))
    assert WORDS.sizes.tolist() == [3, 4, 3, 3, 2, 0, 5, 0, 1]


def test_the_first_token_leaves_out_the_space_that_its_tokenizer_put_there() -> None:
    words = Vocabulary("words", (b" the", b" ", b"the", b" <s>"), frozenset({3}), drops_first_space=True)
    assert [words.token(id, first=True).data for id in range(4)] == [b"the", b" ", b"the", b" <s>"]
    assert [words.token(id).data for id in range(4)] == [b" the", b" ", b"the", b" <s>"]
    assert WORDS.token(1, first=True).data == b" the", "negative control: others keep it"


def test_ends_count_bytes() -> None:
    assert WORDS.ends([1, 4, 4, 8]).tolist() == [4, 6, 8, 9]
    assert WORDS.ends([]).tolist() == []
    assert WORDS.ends(np.array([4])).tolist() != [3]  # a broken character is 2 bytes, not one U+FFFD of 3


def test_find_puts_exact_matches_first_and_knows_the_visible_signs() -> None:
    assert WORDS.find("the") == [2, 3, 1, 6]
    assert WORDS.find("␣the") == [1]
    assert WORDS.find("↵") == [8]
    assert WORDS.find("unused 5") == [5]
    assert WORDS.find("the", limit=1) == [2]
    assert WORDS.find("") == [] and WORDS.find("zebra") == []
