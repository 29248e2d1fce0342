"""Every kind of tokenizer: the library's own ids, and tokens that own every byte of the text exactly once."""

from __future__ import annotations

import copy
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from arplay.core.errors import Problem
from arplay.core.modalities.runs import Fixed, Typed, normal
from arplay.core.modalities.spans import char_spans
from arplay.core.modalities.text import Caret, Text
from arplay.core.modalities.vocabulary import Tokens
from arplay.models.alphabets import TextAlphabet, TokenizerAlphabet
from arplay.models.alphabets.slow import python_alphabet
from tests.tiny_tokenizers import FAST, Greedy, ctrl

SIZE = 600
SLOW = ("ctrl", "greedy")
KINDS = (*FAST, *SLOW)
EXACT = ("tokenizer", "byte_level_prefixed", "llama", "llama_first", "gemma", "greedy")
PREFIXING = ("byte_level_prefixed", "llama", "llama_first", "unigram", "t5", "greedy")
"""Kinds that put a space before a text."""
AWKWARD = [
    "",
    " ",
    " \n\t ",
    "  The cats  ",
    "\U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467 \u00e9",
    "\u65e5\u672c\u8a9e the \u65e5\u672ccat",
    "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c",
    "Z\u0351\u036b\u0343a\u0329\u034cl\u0353g\u0321o\u0322 e\u0301",
    "one\r\ntwo\rthree\n\u2028four\u2029",
    "a\u00a0b\u3000c  ",
    "\ufeff\ufffd \ufb01 \u2026 \ufdfa \u0130",
    "the <s>cat</s> [SEP]<unk> <0xE6> \u2581\u2581a ##s",
    "<|endoftext|> the",
]
TEXTS = (
    st.sampled_from(AWKWARD)
    | st.lists(st.sampled_from(["the", " cat", "s", " ", "</s>", "\u65e5", "\u00e9", "\U0001f600"])).map("".join)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=24)
)


@cache
def library(kind: str) -> Any:
    """What the alphabet is made from: the same tokenizer, untouched by arplay."""
    with TemporaryDirectory() as folder:
        return FAST[kind]() if kind in FAST else ctrl(Path(folder)) if kind == "ctrl" else Greedy()


@cache
def alphabet(kind: str) -> TextAlphabet:
    made = copy.deepcopy(library(kind))
    return TokenizerAlphabet(made, SIZE, None, None) if kind in FAST else python_alphabet(made, SIZE)


def own_ids(kind: str, text: str, special: bool) -> list[int]:
    """The ids that the library gives."""
    made = library(kind)
    if isinstance(made, Tokenizer):
        made.encode_special_tokens = not special
        return list(made.encode(text, add_special_tokens=False).ids)
    return list(made.encode(text, add_special_tokens=False, split_special_tokens=not special))


def slices(data: bytes, tokens: Tokens) -> list[bytes]:
    edges = [0, *tokens.ends.tolist()]
    return [data[a:b] for a, b in pairwise(edges)]


def is_whole(data: bytes, ends: Any) -> bool:
    """Whether tokens that end there own every byte once, in order."""
    edges = [0, *np.asarray(ends).tolist()]
    return edges == sorted(edges) and edges[-1] == (len(data) if len(edges) > 1 else 0)


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS, special=st.booleans())
def test_the_ids_are_the_librarys_own(kind: str, text: str, special: bool) -> None:
    ids = alphabet(kind).encode(text.encode(), special=special).ids.tolist()
    expected = own_ids(kind, text, special)
    if kind in ("unigram", "t5") and not special and "s>" in text:
        return  # a word of the model that is called </s>: see below
    assert ids == expected


@pytest.mark.parametrize("kind", KINDS)
@given(data=TEXTS.map(str.encode) | st.binary(max_size=12), start=st.booleans(), special=st.booleans())
def test_every_byte_belongs_to_one_token(kind: str, data: bytes, start: bool, special: bool) -> None:
    made = alphabet(kind)
    tokens = made.encode(data, start, special)
    assert tokens.ids.shape == tokens.ends.shape and tokens.ids.dtype == tokens.ends.dtype == np.int32
    assert is_whole(data, tokens.ends)
    starts = np.concatenate([[0], tokens.ends])[:-1]
    low, high = char_spans(data, starts, tokens.ends)
    chars = len(data.decode("utf-8", "surrogateescape"))
    assert np.all(low <= high) and np.all(np.diff(low) >= 0) and np.all(np.diff(high) >= 0)
    assert not len(low) or (low[0] == 0 and high[-1] == chars)
    if kind in EXACT and not (special or "\u2581".encode() in data or b"<" in data):
        written = [made.vocabulary.token(id).data for id in tokens.ids.tolist()]
        shown = slices(data, tokens)
        assert shown[1:] == written[1:]
        assert shown[:1] == written[:1] or (start and kind in PREFIXING and b" " + shown[0] == written[0])


def test_the_rule_about_bytes_catches_those_that_count_what_tokens_write() -> None:
    """Negative control: widths from the vocabulary, and U+FFFD taken for three bytes."""
    made, data = alphabet("wordpiece"), "\u00c9 THE cat ".encode()
    assert is_whole(data, made.encode(data).ends)
    assert not is_whole(data, made.vocabulary.ends(made.encode(data).ids))
    made, data = alphabet("llama"), "\u65e5e\u0301".encode()
    decoded = [made.vocabulary.token(id).data.decode("utf-8", "replace") for id in made.encode(data, False).ids]
    assert not is_whole(data, np.cumsum([len(text.encode()) for text in decoded]))


@pytest.mark.parametrize("kind", [kind for kind in FAST if kind != "byte_level_prefixed"])
@given(text=TEXTS)
def test_tokens_stand_where_the_library_says(kind: str, text: str) -> None:
    """A token's characters are inside of the library's offsets, dropped ones before it and its accents aside."""
    tokens = alphabet(kind).encode(text.encode(), special=True)
    made = library(kind)
    made.encode_special_tokens = False
    offsets = made.encode(text, add_special_tokens=False).offsets
    starts = np.concatenate([[0], tokens.ends])[:-1]
    low, high = char_spans(text.encode(), starts, tokens.ends)
    reached = 0
    for i, (a, b) in enumerate(offsets):
        reached = max(reached, b)
        if tokens.ends[i] > starts[i]:
            assert low[i] <= max(a, reached - 1)
            accents = len(re.match("[\u0300-\u036f]*", text[reached:]).group())  # type: ignore[union-attr]
            assert high[i] <= reached + accents or i == len(offsets) - 1


@pytest.mark.parametrize("kind", KINDS)
@given(words=st.lists(st.sampled_from(["the", "cat", "lower", "cats", "a"]), min_size=1), cut=st.integers(0, 20))
def test_a_text_that_goes_on_is_cut_as_in_the_whole_text(kind: str, words: list[str], cut: int) -> None:
    data = " ".join(words).encode()
    whole = alphabet(kind).encode(data)
    cut = min(cut, len(whole))
    at = int(whole.ends[cut - 1]) if cut else 0
    if cut and data[at : at + 1] == b" ":
        assert alphabet(kind).encode(data[at:], start=False).ids.tolist() == whole.ids[cut:].tolist()


@pytest.mark.parametrize("kind", PREFIXING)
def test_no_space_is_put_before_a_text_that_goes_on(kind: str) -> None:
    made = alphabet(kind)
    first, later = made.encode(b"cat the"), made.encode(b"cat the", start=False)
    assert made.vocabulary.written[int(first.ids[0])][:1] == b" ", "negative control: at the start there is one"
    assert made.vocabulary.written[int(later.ids[0])][:1] != b" "
    assert first.ends[-1] == later.ends[-1] == 7


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_special_tokens_are_letters_unless_asked(kind: str) -> None:
    made = alphabet(kind)
    name = made.vocabulary.token(2 if len(made.vocabulary.special) > 2 else 0)
    text = b"the " + name.data + b" cat"
    plain, asked = made.encode(text), made.encode(text, special=True)
    assert name.id in asked.ids and slices(text, asked)[asked.ids.tolist().index(name.id)].strip() == name.data
    assert name.id not in plain.ids or name.data == b"<unk>"
    assert is_whole(text, plain.ends) and is_whole(text, asked.ends)


def test_a_word_that_is_called_like_a_special_token() -> None:
    """SentencePiece's Unigram has its special tokens among its words, so the library takes letters for them."""
    assert own_ids("unigram", "a</s>", special=False)[-1] == 2
    made = alphabet("unigram")
    assert slices(b"a</s>", made.encode(b"a</s>"))[-4:] == [b"<", b"/", b"s", b">"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("byte_level_nfc", "accents"),
        ("unigram", "no token for some"),
        ("t5", "merges spaces"),
        ("wordpiece", "lower case.*accents.*spaces.*no token"),
        ("gpt1", "lower case"),
        ("word_level", "spaces"),
        ("ctrl", "spaces.*found by comparing"),
        *((kind, "^$") for kind in EXACT),
    ],
)
def test_an_alphabet_says_how_it_changes_text(kind: str, said: str) -> None:
    assert re.search(said, alphabet(kind).lossy)


@pytest.mark.parametrize(
    ("kind", "ids"), [("llama", (1,)), ("wordpiece", (1,)), ("t5", ()), ("greedy", (1,)), ("ctrl", ())]
)
def test_the_lead_of_every_kind(kind: str, ids: tuple[int, ...]) -> None:
    assert alphabet(kind).lead == ids


def test_what_taking_a_token_writes() -> None:
    made = alphabet("llama")
    cat = int(made.encode(b"cat").ids[0])
    assert made.vocabulary.token(cat).data == b" cat" and made.vocabulary.token(cat, first=True).data == b"cat"
    kept = Text(()).put(0, made.vocabulary.token(cat, first=True), made.vocabulary.name).inserted
    assert Text(kept).encoded(made).ids.tolist() == made.encode(b"cat").ids.tolist() == [cat]
    gemma = alphabet("gemma")  # puts no space there, so leaves none out
    cat = int(gemma.encode(b" cat").ids[0])
    assert gemma.vocabulary.token(cat, first=True).data == b" cat"
    space = int(made.encode(b"  ").ids[0])
    assert made.vocabulary.token(space, first=True).data.strip(b" ") == b"" != made.vocabulary.token(space, True).data


@pytest.mark.parametrize("kind", KINDS)
@given(
    runs=st.lists(st.tuples(st.booleans(), st.sampled_from(["the cat", " ", "lower", " a", "\u00c9\u65e5", "s  "]))),
    special=st.booleans(),
)
def test_documents_of_typed_and_kept_tokens(kind: str, runs: list[tuple[bool, str]], special: bool) -> None:
    """Kept ids stay as they are, and the chain at a caret between two tokens is the tokens before it."""
    made = alphabet(kind)
    name = made.vocabulary.name
    parts: list[Typed | Fixed] = []
    for kept, text in runs:
        ids = made.encode(text.encode(), False).ids.tolist() if kept else []
        data = tuple(made.vocabulary.token(id).data for id in ids)
        parts.append(Fixed(name, tuple(ids), data) if ids else Typed(text.encode()))
    document = Text(normal(parts))
    try:
        encoded = document.encoded(made, special)
    except Problem as problem:
        assert "no token of this text" in str(problem) and not document.data.strip()
        return
    assert is_whole(document.data, encoded.ends)
    assert encoded.ids[encoded.fixed].tolist() == [
        id for run in document.runs if isinstance(run, Fixed) for id in run.ids
    ]
    for index, end in enumerate(encoded.ends.tolist()[:-1]):
        prefix = document.prefix(encoded, Caret(end), made, special)
        behind = encoded.ids[prefix.index :].tolist()
        assert prefix.ids.tolist() == encoded.ids[: prefix.index].tolist()
        assert prefix.index <= index + 1 and prefix.actual == (behind or [None])[0]
    for caret in range(len(document) + 1):
        prefix = document.prefix(encoded, Caret(caret), made, special)
        assert prefix.actual is None or prefix.actual == int(encoded.ids[prefix.index])


def test_a_caret_among_spaces_that_are_dropped() -> None:
    made = alphabet("wordpiece")
    the, cat = (int(made.encode(word).ids[0]) for word in (b"the", b"cat"))
    name = made.vocabulary.name
    document = Text((Fixed(name, (the,), (b"the",)), Typed(b"  cat  ")))
    encoded = document.encoded(made)
    assert (encoded.ids.tolist(), encoded.ends.tolist()) == ([the, cat], [3, 10])
    assert [document.prefix(encoded, Caret(caret), made).actual for caret in (0, 3, 4, 5, 8)] == [
        the,
        cat,
        cat,
        cat,
        None,
    ]
    assert document.prefix(encoded, Caret(8), made).ids.tolist() == [the, cat]
    behind = Text((Fixed(name, (cat,), (b"CAT",)), Typed(b"  ")))
    encoded = behind.encoded(made)
    assert encoded.ends.tolist() == [5]
    assert behind.prefix(encoded, Caret(3), made).ids.tolist() == [cat], "a kept token is never read again"
    with pytest.raises(Problem, match="makes no token of this text"):
        Text.of(b"  ").encoded(made)


def test_a_byte_of_no_character() -> None:
    made = alphabet("llama")
    tokens = made.encode(b"a\xff\xe6b")
    assert [made.vocabulary.token(id).data for id in tokens.ids] == [b" a", b"\xff", b"\xe6", b"b"]
    made = alphabet("wordpiece")  # has no bytes: U+FFFD, which it drops
    assert slices(b"a \xff cat", made.encode(b"a \xff cat")) == [b"a", b" \xff cat"]


def test_two_threads_may_encode_at_once() -> None:
    made = alphabet("llama")
    cases = [(b"cat </s> the", start, special) for start in (True, False) for special in (True, False)]
    expected = [made.encode(*case).ids.tolist() for case in cases]
    assert len({tuple(ids) for ids in expected}) == 4
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda case: made.encode(*case).ids.tolist(), cases * 50))
    assert found == expected * 50
