"""How tokens are made: merges end in the tokenizer's own tokens, for every kind of tokenizer that models come with."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.merges import merged
from arplay.core.modalities.base import Coder
from arplay.models import catalogue
from arplay.models.alphabets.making import kind_of, made
from tests.test_alphabets_kinds import AWKWARD, KINDS, alphabet

WORDS = st.text(alphabet="thecatslowr é日🙂.,-1", min_size=1, max_size=30) | st.sampled_from([a for a in AWKWARD if a])


@cache
def english() -> Coder:
    return catalogue.coder("english")[1]


def test_the_lowest_rank_comes_first_and_then_the_first_in_the_word() -> None:
    ranks = {("a", "b"): 1, ("b", "a"): 0, ("ab", "ab"): 2}
    assert [step.symbols for step in merged("abab", ranks)] == [("a", "ba", "b")], "(b, a) has rank 0"
    del ranks["b", "a"]
    steps = merged("abab", ranks)
    assert [(step.rank, step.at, step.symbols) for step in steps] == [
        (1, 0, ("ab", "a", "b")),
        (1, 1, ("ab", "ab")),
        (2, 0, ("abab",)),
    ]


@settings(deadline=None)
@given(WORDS, st.booleans())
def test_the_merges_of_english_end_in_its_own_tokens(text: str, start: bool) -> None:
    coder = english()
    found = made(coder, text, start)
    ids = [id for word in found.words for id in word.ids]
    assert ids == coder.encode(text.encode(), start).ids.tolist()  # type: ignore[attr-defined]
    for word in found.words:
        assert (word.merges[-1].symbols if word.merges else word.symbols) == word.tokens
        for before, step in zip((word.symbols, *(each.symbols for each in word.merges)), word.merges, strict=False):
            assert len(step.symbols) == len(before) - 1 and "".join(step.symbols) == "".join(before)
            assert step.symbols[step.at] == before[step.at] + before[step.at + 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["the", " the cats", "lower café", "日本 the 🙂", "widest."])
def test_every_kind_tells_how(kind: str, text: str) -> None:
    coder = alphabet(kind)
    found = made(coder, text, True)
    ids = [id for word in found.words for id in word.ids]
    assert ids == coder.encode(text.encode()).ids.tolist()
    for word in found.words:
        if word.symbols and kind not in ("gpt1", "ctrl"):  # which write ends of words into their symbols
            end = word.merges[-1].symbols if word.merges else word.symbols
            assert len(end) == len(word.tokens)
        assert word.symbols or word.note or not word.ids
    assert len(found.kind) > 2 and found.kind == kind_of(coder)
    if kind in ("unigram", "t5"):
        assert all(len(word.scores) == len(word.ids) for word in found.words)
