"""Tokenizers as alphabets: every byte comes back, and a tokenizer that changes text is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from arplay.core.errors import Problem
from arplay.core.pieces import Pieces
from arplay.models.alphabets import MAX_TOKENIZER_BYTES, TokenizerAlphabet, open_tokenizer
from arplay.models.base import lead
from tests.tiny_models import LINES, SEPARATOR, save_tokenizer, tokenizer

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


def joined(pieces: Pieces) -> bytes:
    return b"".join(ALPHABET.vocabulary.piece(int(id)).data for id in pieces.ids)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(AWKWARD))
def test_every_text_comes_back(text: str) -> None:
    assert joined(ALPHABET.encode(text.encode())) == text.encode()


@given(st.binary(max_size=40))
@example(BROKEN[0])
def test_every_byte_string_comes_back(data: bytes) -> None:
    assert joined(ALPHABET.encode(data)) == data


@pytest.mark.parametrize("data", [text.encode() for text in AWKWARD] + BROKEN, ids=repr)
def test_awkward_texts_come_back(data: bytes) -> None:
    pieces = ALPHABET.encode(data)
    ids = pieces.ids
    assert joined(pieces) == data
    assert pieces.ends.tolist()[-1:] == ([len(data)] if data else [])
    assert ids.dtype == np.int64


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
    piece = ALPHABET.vocabulary.piece(0)
    assert piece.special and piece.data == SEPARATOR.encode()


def test_ids_without_a_token_are_there_and_have_names() -> None:
    assert len(ALPHABET.vocabulary) == SIZE
    assert ALPHABET.vocabulary.piece(SIZE - 1).text == f"<unused {SIZE - 1}>"


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


def test_a_first_piece_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(Problem, match="no EOS piece"):
        lead(TokenizerAlphabet(tokenizer(), SIZE, 0, None), False, "eos")


def test_a_tokenizer_that_cuts_or_fills_texts_is_told_not_to() -> None:
    made = tokenizer()
    made.enable_truncation(4)
    made.enable_padding(length=8)
    assert len(made.encode(LINES[0]).ids) == 8
    alphabet = TokenizerAlphabet(made, SIZE, 0, 0)
    assert np.array_equal(alphabet.encode(LINES[0].encode()).ids, ALPHABET.encode(LINES[0].encode()).ids)


def test_the_name_is_the_same_in_every_process_and_only_for_the_same_pieces() -> None:
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


def lowercasing() -> Tokenizer:
    made = tokenizer()
    made.normalizer = normalizers.Lowercase()
    return made


def decomposing() -> Tokenizer:
    made = tokenizer()
    made.normalizer = normalizers.NFD()
    return made


def prefixing() -> Tokenizer:
    made = tokenizer()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return made


def wordpiece() -> Tokenizer:
    made = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "##b": 2}, unk_token="[UNK]"))
    made.decoder = decoders.WordPiece()
    return made


def sentencepiece() -> Tokenizer:
    made = Tokenizer(models.BPE({"▁": 0, "a": 1, "▁a": 2}, [("▁", "a")]))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return made


def without_decoder() -> Tokenizer:
    return Tokenizer(models.BPE({"a": 0}, []))


def encoding_nothing() -> Tokenizer:
    made = Tokenizer(models.BPE({"b": 0}, []))
    made.decoder = decoders.ByteLevel()
    return made


REFUSED = [
    (lowercasing, "changes the text"),
    (decomposing, "changes the text"),
    (prefixing, "changes the text"),
    (wordpiece, r"\(WordPiece\) is not supported yet"),
    (sentencepiece, r"\(Metaspace\) is not supported yet"),
    (without_decoder, r"\(no decoder\) is not supported yet"),
    (encoding_nothing, "encodes text to nothing"),
    (lambda: Tokenizer(models.BPE()), "has no tokenizer"),
]


@pytest.mark.parametrize(("make", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_tokenizer_that_would_lie_is_refused(make: Callable[[], Tokenizer], reason: str, tmp_path: Path) -> None:
    save_tokenizer(tmp_path, make())
    with pytest.raises(Problem, match=reason):
        open_tokenizer(tmp_path, SIZE)


def test_a_good_one_opens(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, tokenizer(adds_separator=True))
    alphabet = open_tokenizer(tmp_path, SIZE)
    assert (alphabet.lead, alphabet.bos, alphabet.eos) == ((0,), 0, 0)


def test_composing_is_noticed_where_it_happens() -> None:
    made = tokenizer()
    made.normalizer = normalizers.NFC()
    alphabet = TokenizerAlphabet(made, SIZE, 0, 0)
    assert joined(alphabet.encode("é".encode())) == "é".encode()
    with pytest.raises(Problem, match="changes the text"):
        alphabet.encode("e\u0301".encode())


def test_a_lone_byte_that_has_no_piece_is_a_problem() -> None:
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
    assert [alphabet.vocabulary.piece(int(id)).data for id in ids] == [b"a", b"<think>", b"b"]
