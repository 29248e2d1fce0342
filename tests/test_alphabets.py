"""Byte-level tokenizers as alphabets, and the files that tokenizers come in."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Tokens
from arplay.models.alphabets import MAX_TOKENIZER_BYTES, TokenizerAlphabet, open_tokenizer
from arplay.models.base import lead
from tests.tiny_models import LINES, SEPARATOR, save_tokenizer, tokenizer
from tests.tiny_tokenizers import ctrl

SIZE = 310  # a model's output may be longer than its tokenizer
ALPHABET = TokenizerAlphabet(tokenizer(), SIZE, 0, 0)

AWKWARD = [
    "",
    "😀👩‍👩‍👧 é",
    "שלום עולם \u202eabc\u202c",
    "Z\u0351\u036b\u0343a\u0329\u034cl\u0353\u0354g\u0321o\u0322",
    "a\x00b\x00",
    "one\r\ntwo\rthree\n\u2028four\u2029",
    "a\u00a0b\u3000c  ",
    f"{SEPARATOR} typed {SEPARATOR}",
    "\ufeff\ufffd",
    "e\u0301 ﬁ Å",
]
BROKEN = [b"\xff", b"caf\xc3", b"\xe2\x82 \xac", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"ok\xc0\x80ok"]


def joined(tokens: Tokens) -> bytes:
    return b"".join(ALPHABET.vocabulary.token(int(id)).data for id in tokens.ids)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(AWKWARD))
def test_every_text_comes_back(text: str) -> None:
    assert joined(ALPHABET.encode(text.encode())) == text.encode()


@given(st.binary(max_size=40))
@example(BROKEN[0])
def test_every_byte_string_comes_back(data: bytes) -> None:
    assert joined(ALPHABET.encode(data)) == data


@pytest.mark.parametrize("data", [text.encode() for text in AWKWARD] + BROKEN, ids=repr)
def test_awkward_texts_come_back(data: bytes) -> None:
    tokens = ALPHABET.encode(data)
    ids = tokens.ids
    assert joined(tokens) == data
    assert tokens.ends.tolist()[-1:] == ([len(data)] if data else [])
    assert ids.dtype == np.int32


def test_the_ids_are_those_of_the_tokenizer_itself() -> None:
    plain = tokenizer()
    for line in LINES:
        assert ALPHABET.encode(line.encode()).ids.tolist() == plain.encode(line).ids
    by_byte = [ALPHABET.encode(bytes([byte])).ids[0] for byte in LINES[0].encode()]
    assert ALPHABET.encode(LINES[0].encode()).ids.tolist() != by_byte


def test_typed_special_tokens_stay_text() -> None:
    typed = ALPHABET.encode(SEPARATOR.encode()).ids
    assert 0 not in typed.tolist() and len(typed) > 1
    assert tokenizer().encode(SEPARATOR).ids == [0]  # what would happen without care
    token = ALPHABET.vocabulary.token(0)
    assert token.special and token.data == SEPARATOR.encode()


def test_ids_without_a_token_are_there_and_have_names() -> None:
    assert len(ALPHABET.vocabulary) == SIZE
    assert ALPHABET.vocabulary.token(SIZE - 1).text == f"<unused {SIZE - 1}>"


@pytest.mark.parametrize(
    ("template", "ids", "name"),
    [(None, (), "unscored"), (f"{SEPARATOR} $A", (0,), "tokenizer"), (f"$A {SEPARATOR}", (), "unscored")],
)
def test_the_lead_is_what_the_tokenizer_itself_adds(template: str | None, ids: tuple[int, ...], name: str) -> None:
    made = tokenizer()
    if template:
        made.post_processor = processors.TemplateProcessing(single=template, special_tokens=[(SEPARATOR, 0)])
    alphabet = TokenizerAlphabet(made, SIZE, 0, 0)
    assert alphabet.lead == ids
    assert lead(alphabet, False, "auto") == (ids, name)
    assert lead(alphabet, False, "bos") == ((0,), "bos")
    assert lead(alphabet, False, "unscored") == ((), "unscored")
    assert 0 not in alphabet.encode(b"a text").ids.tolist()


def test_a_first_token_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(Problem, match="no EOS token"):
        lead(TokenizerAlphabet(tokenizer(), SIZE, 0, None), False, "eos")


def test_a_tokenizer_that_cuts_or_fills_texts_is_told_not_to() -> None:
    made = tokenizer()
    made.enable_truncation(4)
    made.enable_padding(length=8)
    assert len(made.encode(LINES[0]).ids) == 8
    alphabet = TokenizerAlphabet(made, SIZE, 0, 0)
    assert np.array_equal(alphabet.encode(LINES[0].encode()).ids, ALPHABET.encode(LINES[0].encode()).ids)


def test_the_name_is_the_same_in_every_process_and_only_for_the_same_tokens() -> None:
    again = TokenizerAlphabet(Tokenizer.from_str(tokenizer().to_str()), SIZE, None, None)
    assert again.vocabulary.name == ALPHABET.vocabulary.name
    described = json.loads(tokenizer().to_str())
    vocab = described["model"]["vocab"]
    vocab = described["model"]["vocab"] = dict(reversed(vocab.items()))
    turned = TokenizerAlphabet(Tokenizer.from_str(json.dumps(described)), SIZE, None, None)
    assert turned.vocabulary.name == ALPHABET.vocabulary.name
    vocab["qqqq"] = vocab["þ"]  # two tokens of one id, which the library lists in another order each time
    names = {
        TokenizerAlphabet(Tokenizer.from_str(json.dumps(described)), SIZE, 0, 0).vocabulary.name for _ in "12345678"
    }
    assert len(names) == 1
    more = tokenizer()
    more.add_tokens(["zebra"])
    assert TokenizerAlphabet(more, SIZE, 0, 0).vocabulary.name != ALPHABET.vocabulary.name
    assert TokenizerAlphabet(tokenizer(), SIZE + 1, 0, 0).vocabulary.name != ALPHABET.vocabulary.name
    more = tokenizer()
    more.add_special_tokens(["the"])  # the same bytes, now special
    special = TokenizerAlphabet(more, SIZE, 0, 0).vocabulary
    assert special.special != ALPHABET.vocabulary.special and special.name != ALPHABET.vocabulary.name


def encoding_nothing() -> Tokenizer:
    made = Tokenizer(models.BPE({"\u6f22": 0}, []))
    made.decoder = decoders.ByteLevel()
    return made


REFUSED = [(encoding_nothing, "encodes text to nothing"), (lambda: Tokenizer(models.BPE()), "has no tokenizer")]


@pytest.mark.parametrize(("make", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_tokenizer_without_tokens_is_refused(make: Callable[[], Tokenizer], reason: str, tmp_path: Path) -> None:
    save_tokenizer(tmp_path, make())
    with pytest.raises(Problem, match=reason):
        open_tokenizer(tmp_path, SIZE)


def test_merges_left_out_at_random_are_not() -> None:
    made = tokenizer()
    made.model.dropout = 0.9
    text = LINES[0] * 20
    assert made.encode(text).ids != made.encode(text).ids
    assert TokenizerAlphabet(made, SIZE, 0, 0).encode(text.encode()).ids.tolist() == tokenizer().encode(text).ids


def test_a_good_one_opens(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, tokenizer(adds_separator=True))
    alphabet = open_tokenizer(tmp_path, SIZE)
    assert (alphabet.lead, alphabet.bos, alphabet.eos) == ((0,), 0, 0)


def test_composed_characters_own_the_bytes_that_they_were_made_from() -> None:
    made = tokenizer()
    made.normalizer = normalizers.NFC()
    alphabet = TokenizerAlphabet(made, SIZE, 0, 0)
    tokens = alphabet.encode("e\u0301 a".encode())
    assert [alphabet.vocabulary.token(id).data for id in tokens.ids] == ["\u00e9".encode(), b" ", b"a"]
    assert tokens.ends.tolist() == [3, 4, 5]
    assert "accents" in alphabet.lossy and ALPHABET.lossy == ""


def test_a_lone_byte_that_has_no_token_is_a_problem() -> None:
    described = json.loads(tokenizer().to_str())
    described["model"]["vocab"].pop("ÿ")  # the byte 0xFF
    alphabet = TokenizerAlphabet(Tokenizer.from_str(json.dumps(described)), SIZE, 0, 0)
    with pytest.raises(Problem, match="lone byte FF"):
        alphabet.encode(b"a\xff")


def test_a_tokenizer_larger_than_the_model_is_a_problem(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, tokenizer())
    with pytest.raises(Problem, match=r"id \d+ but the model's output only 100"):
        open_tokenizer(tmp_path, 100)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: f.unlink(), "has no tokenizer|cannot be read"),
        (lambda f: f.write_text(f.read_text()[:2000]), "cannot be read"),
        (lambda f: f.write_text(""), "cannot be read"),
        (lambda f: f.write_bytes(b"\x80\x04\x95"), "cannot be read"),
        (lambda f: f.write_text("{" * 100_000), "cannot be read"),
        (lambda f: os.truncate(f, MAX_TOKENIZER_BYTES + 1), "larger than 64 MiB"),
        (lambda f: (f.parent / "tokenizer_config.json").write_text("[" * 100_000), "cannot be read"),
        (lambda f: (f.parent / "tokenizer_config.json").write_text("no JSON"), "cannot be read"),
    ],
    ids=["missing", "cut", "empty", "pickle", "nested", "huge", "nested config", "broken config"],
)
def test_a_damaged_tokenizer_is_a_problem(spoil: Callable[[Path], object], reason: str, tmp_path: Path) -> None:
    save_tokenizer(tmp_path, tokenizer())
    spoil(tmp_path / "tokenizer.json")
    with pytest.raises(Problem, match=reason):
        open_tokenizer(tmp_path, SIZE)


def test_a_folder_without_any_tokenizer_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="has no tokenizer"):
        open_tokenizer(tmp_path, SIZE)


def test_an_added_token_that_is_no_byte_text_stands_for_itself() -> None:
    made = tokenizer()
    made.add_tokens([AddedToken("<think>", special=False)])
    alphabet = TokenizerAlphabet(made, SIZE, 0, 0)
    ids = alphabet.encode(b"a<think>b").ids
    assert [alphabet.vocabulary.token(int(id)).data for id in ids] == [b"a", b"<think>", b"b"]


def test_a_folder_of_a_python_tokenizer_opens(tmp_path: Path) -> None:
    ctrl(tmp_path).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "ctrl"}))
    alphabet = open_tokenizer(tmp_path, SIZE)
    assert alphabet.bos == 1 and "comparing the letters" in alphabet.lossy
    assert alphabet.encode(b"the cat").ends.tolist() == [3, 7]


def test_a_tokenizer_that_needs_a_library_says_which(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer"}))
    (tmp_path / "tokenizer.model").write_bytes(b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00")
    with pytest.raises(Problem, match=r"pip install (sentencepiece|tiktoken)"):
        open_tokenizer(tmp_path, SIZE)


def test_code_that_comes_with_a_tokenizer_is_not_run(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, tokenizer())
    config = {"tokenizer_class": "Mine", "auto_map": {"AutoTokenizer": ["mine.Mine", None]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with contextlib.suppress(Problem):
        open_tokenizer(tmp_path, SIZE)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("adds", [True, False, None])
def test_the_lead_is_what_the_whole_library_adds(adds: bool | None, tmp_path: Path) -> None:
    """``add_bos_token`` is no part of tokenizer.json, so the library's own class is asked what to make of it."""
    from transformers import AutoTokenizer

    save_tokenizer(tmp_path, tokenizer(adds_separator=True))
    file = tmp_path / "tokenizer_config.json"
    described = json.loads(file.read_text())
    file.write_text(json.dumps(described if adds is None else {**described, "add_bos_token": adds}))
    own = AutoTokenizer.from_pretrained(str(tmp_path)).encode("the cat")
    alphabet = open_tokenizer(tmp_path, SIZE)
    assert [*alphabet.lead, *alphabet.encode(b"the cat").ids] == own
    assert alphabet.encode(b"the cat").ids.tolist() != own, "negative control"
