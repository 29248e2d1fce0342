"""SentencePiece vocabularies of GGUF files with few or wrongly typed byte tokens: the ids are those of llama.cpp."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from arplay.core.modalities.loss import loss
from arplay.models.alphabets import TextAlphabet
from arplay.models.gguf import file as gguf_file
from arplay.models.gguf import tokenizer as gguf_tokenizer
from tests import tiny_ggufs
from tests.served_ggufs import Llama

NAMES = {f"<0x{byte:02X}>": byte for byte in range(256)}
TEXTS = ["ü ß ä 🦙", "the cat at é", "日本\n", "a\x1b[1m\r\n", "  \t ", "x", ""]
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def write(path: Path, kind_of: Callable[[int], int], lacking: frozenset[int] = frozenset()) -> Path:
    """A file whose byte tokens have these types, and words in place of those ``lacking``."""
    file = gguf_file.read(tiny_ggufs.write_sentencepiece(path))
    tokens = file.strings("tokenizer.ggml.tokens")
    kinds = file.values["tokenizer.ggml.token_type"].tolist()
    kinds = [kind_of(NAMES[token]) if token in NAMES else kind for token, kind in zip(tokens, kinds, strict=True)]
    tokens = [f"word{NAMES[token]}" if NAMES.get(token, -1) in lacking else token for token in tokens]
    kinds = [NORMAL if token.startswith("word") else kind for token, kind in zip(tokens, kinds, strict=True)]

    changes = {"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": kinds}

    def changed(
        path: Path, architecture: str, kind: gguf.GGMLQuantizationType, made: Any, values: dict[str, Any]
    ) -> Path:
        return save(path, architecture, kind, made, values | changes)

    save, tiny_ggufs.save = tiny_ggufs.save, changed
    try:
        return tiny_ggufs.write_sentencepiece(path)
    finally:
        tiny_ggufs.save = save


TYPES: dict[str, Callable[[int], int]] = {
    "right": lambda _: BYTE,
    "normal": lambda _: NORMAL,
    "user defined": lambda _: USER,
    "control": lambda _: CONTROL,
    "unused": lambda _: UNUSED,
    "every other": lambda byte: BYTE if byte % 2 else NORMAL,
}


def alphabet_of(path: Path) -> TextAlphabet:
    return gguf_tokenizer.open_tokenizer(gguf_file.read(path))


@pytest.mark.parametrize("kinds", TYPES)
def test_a_bytes_name_makes_a_byte_whatever_its_type(kinds: str, tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    path = write(tmp_path / "m.gguf", TYPES[kinds])
    alphabet, llama = alphabet_of(path), Llama(path)

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(TEXTS) | st.text(max_size=12).filter(lambda text: "<" not in text and "▁" not in text))
    @example("ü")
    def same(text: str) -> None:
        ids = alphabet.encode(text.encode()).ids
        assert ids.tolist() == llama.ids(text)
        assert (
            b"".join(alphabet.vocabulary.written[id] for id in ids.tolist()) == (b" " if text else b"") + text.encode()
        )

    with llama:
        same()
    assert alphabet.lossy == ""


LACKING = [frozenset({0x0A}), frozenset({0xC3, 0x9F}), frozenset(range(0xF0, 0x100)), frozenset(range(0x80, 0xC0))]


@pytest.mark.parametrize("lacking", LACKING, ids=lambda lacking: f"{len(lacking)} from {min(lacking):02X}")
@pytest.mark.parametrize("text", TEXTS)
def test_fewer_bytes_serve_as_far_as_they_go(lacking: frozenset[int], text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m.gguf", TYPES["right"], lacking)
    alphabet, data = alphabet_of(path), text.encode()
    tokens = alphabet.encode(data)
    unknown = [char for char in text if char != "é" and set(char.encode()) & lacking]  # é is a word of its own
    assert (alphabet.vocabulary.unknown in tokens.ids) == bool(unknown)
    count, sentence = loss(data, tokens.ids, tokens.ends, alphabet.vocabulary)
    assert count == len(unknown) and ("does not know" in sentence) == bool(unknown)
    assert (alphabet.lossy != "" and not len(data) == len(tokens.ends) == 0) or text == ""


def test_llama_gives_the_same_ids_where_the_bytes_are_there(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    path = write(tmp_path / "m.gguf", TYPES["right"], frozenset({0x0A, 0xF5, 0xFF}))
    alphabet = alphabet_of(path)
    with Llama(path) as llama:
        for text in ("ü ß ä 🦙", "the cat at é 日"):
            assert alphabet.encode(text.encode()).ids.tolist() == llama.ids(text)
        assert alphabet.encode("ü".encode()).ids.tolist() != llama.ids("ß"), "negative control"
