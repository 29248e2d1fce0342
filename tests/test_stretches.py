"""A long text is cut in stretches, and its tokens are those of the whole; between two it can be ended."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay import load
from arplay.core import waits
from arplay.core.modalities.text import Text
from arplay.engine.state import State
from arplay.models.alphabets import TextAlphabet, TokenizerAlphabet, stretches
from arplay.models.alphabets import text as alphabet_text
from tests import tiny_tokenizers

_PARTS = (" the", "night", " was", "\n\n", "   ", "don't", " 1234", " é", "日本", "🙂", ".", "\r\n", "\t", "x" * 30)
WORDS = st.sampled_from([*_PARTS, "<|endoftext|>"])
TEXTS = st.lists(WORDS, min_size=5, max_size=60).map("".join)
KINDS = ("byte_level_prefixed", "llama", "gemma", "unigram", "t5", "wordpiece")


@pytest.fixture(scope="module")
def english() -> TextAlphabet:
    alphabet = load("english")._state.current().alphabet
    assert isinstance(alphabet, TextAlphabet)
    return alphabet


def same(alphabet: TextAlphabet, text: str, special: bool = False) -> int:
    """How many stretches the text has that is cut into the same tokens."""
    whole, count = alphabet.encode(text.encode(), True, special), 0

    def short(part: str, ids: stretches.Cut) -> list[str]:
        nonlocal count
        found = list(stretches.stretches(part, ids, stretch=40, around=40))
        count += len(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alphabet_text, "stretches", short)
        cut = alphabet.encode(text.encode(), True, special)
    assert np.array_equal(cut.ids, whole.ids) and np.array_equal(cut.ends, whole.ends)
    return count


@given(TEXTS, st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_tokens_are_those_of_the_whole(english: TextAlphabet, text: str, special: bool) -> None:
    same(english, text, special)


def test_it_is_really_cut(english: TextAlphabet) -> None:
    assert same(english, "It was a dark and stormy night, and the old man said nothing. " * 20) > 10


@pytest.mark.parametrize("name", KINDS)
def test_with_every_kind_of_tokenizer(name: str) -> None:
    tokenizer = getattr(tiny_tokenizers, name)()
    alphabet = TokenizerAlphabet(tokenizer, tokenizer.get_vocab_size(with_added_tokens=True), None, None)
    same(alphabet, "the cat sat on the mat and the dog ran " * 20)


def test_where_no_place_is_sure_the_rest_stays_whole() -> None:
    counted: list[str] = []

    def ids(text: str) -> list[int]:
        counted.append(text)
        return [len(text)]  # each text is one token: nothing can be cut

    assert list(stretches.stretches("a b " * 100, ids, stretch=40)) == ["a b " * 100] and counted
    assert list(stretches.stretches("short", ids)) == ["short"]


def test_a_long_text_is_cut_step_by_step_and_told(english: TextAlphabet) -> None:
    """The job of scoring says how far it is, and what else is asked comes in between; the tokens are the same."""
    document = Text.of(b"It was a dark night. " * 40_000)
    state = State(load=lambda *_: None)  # type: ignore[arg-type, return-value]
    told, steps = [], state.encoding(document, english, False)
    while True:
        try:
            told.append(next(steps))
        except StopIteration as ended:
            encoded = ended.value
            break
    assert len(told) == 2 and 0.2 < told[0] < 0.5 < told[1] < 0.8
    whole = english.encode(document.data)
    assert np.array_equal(encoded.ids, whole.ids) and np.array_equal(encoded.ends, whole.ends)
    assert state.encode(document, english, False) is encoded
    assert list(state.encoding(document, english, False)) == [], "what is known is not cut again"
    more = document.apply(document.take(len(document), 7, english.vocabulary)[0])
    assert list(state.encoding(more, english, False)) == [], "nor is a part of it that is"
    assert state.encode(more, english, False).ids.tolist() == [*whole.ids.tolist(), 7]


def test_it_is_ended_between_two_stretches(english: TextAlphabet) -> None:
    waits.interrupt(threading.get_ident(), False)
    try:
        with pytest.raises(waits.Interrupted, match="cutting the text"):
            english.encode(b"It was a dark night. " * 40_000)
    finally:
        waits.go_on()
    assert len(english.encode(b"It was a dark night. " * 40_000)) == 240_001
