"""Vocabularies of every kind that llama.cpp has, in files of no use but to cut text; and the names that it knows."""

from __future__ import annotations

import ctypes
import re
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from arplay.models.gguf import tokenizer as gguf_tokenizer
from arplay.models.gguf.llama import library
from tests.tiny_ggufs import byte_level_values, put

NORMAL, UNKNOWN, CONTROL, UNUSED, BYTE = 1, 2, 3, 5, 6
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WORDS = ["▁", *"thecasnomr.", "é", "th", "he", "▁the", "▁t", "▁a", "at", "▁c", "▁cat", "▁on", "▁▁"]


def write(path: Path, values: dict[str, Any]) -> Path:
    """A file with these values and one small tensor, so that it is a GGUF file that arplay reads."""
    writer = gguf.GGUFWriter(path, "llama")
    for name, value in values.items():
        put(writer, name, value)
    writer.add_tensor("token_embd.weight", np.zeros((1, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def byte_level(rule: str) -> dict[str, Any]:
    return byte_level_values() | {"tokenizer.ggml.pre": rule}


def _tokens(model: str, tokens: list[str], kinds: list[int], **others: Any) -> dict[str, Any]:
    scores = [len(token) - 30.0 - id / 1000 for id, token in enumerate(tokens)]
    values = {"model": model, "tokens": tokens, "token_type": kinds, "scores": np.array(scores, np.float32)}
    return {f"tokenizer.ggml.{key}": value for key, value in (values | others).items()}


def sentencepiece() -> dict[str, Any]:
    tokens = ["<unk>", "<s>", "</s>", *BYTES, *WORDS]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[NORMAL] * len(WORDS)]
    return _tokens("llama", tokens, kinds, bos_token_id=1, eos_token_id=2, unknown_token_id=0)


def unigram() -> dict[str, Any]:
    """As T5 has it: no bytes, so that what no word has is unknown; spaces at the ends go, several become one."""
    tokens = ["<pad>", "</s>", "<unk>", *WORDS]
    kinds = [CONTROL, CONTROL, UNKNOWN, *[NORMAL] * len(WORDS)]
    whole = {"add_space_prefix": True, "remove_extra_whitespaces": True}
    return _tokens("t5", tokens, kinds, eos_token_id=1, unknown_token_id=2, padding_token_id=0, **whole)


def wordpiece() -> dict[str, Any]:
    """As BERT has it: letters in lower case, without accents and spaces."""
    words = [*WORDS, *(f"▁{letter}" for letter in "thecasnomr."), "e"]
    words = list(dict.fromkeys(words))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]
    kinds = [CONTROL, UNKNOWN, CONTROL, CONTROL, *[NORMAL] * len(words)]
    special = {"bos_token_id": 2, "eos_token_id": 3, "unknown_token_id": 1, "seperator_token_id": 3}
    return _tokens("bert", tokens, kinds, padding_token_id=0, **special)


def rwkv() -> dict[str, Any]:
    """The longest word that fits is taken; bytes are written as in Python's source."""
    plain = [word.replace("▁", " ") for word in WORDS if word.isascii() or "▁" in word]
    escaped = [f"\\x{byte:02x}" for byte in range(256)]
    tokens = ["<s>", *escaped, *dict.fromkeys(word for word in plain if len(word) > 1)]
    return _tokens("rwkv", tokens, [CONTROL, *[NORMAL] * (len(tokens) - 1)], eos_token_id=0)


def plamo() -> dict[str, Any]:
    plain = [word.replace("▁", " ") for word in WORDS]
    tokens = ["<|plamo:unk|>", "<|plamo:bos|>", "<|plamo:eos|>", *BYTES, *dict.fromkeys(plain)]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[NORMAL] * (len(tokens) - 259)]
    return _tokens("plamo2", tokens, kinds, bos_token_id=1, eos_token_id=2, unknown_token_id=0)


KINDS = {"llama": sentencepiece, "t5": unigram, "bert": wordpiece, "rwkv": rwkv, "plamo2": plamo}
WHOLE = ("llama", "rwkv", "plamo2")
"""Those that have all bytes: every text comes back."""


class Llama:
    """llama.cpp's tokenizer of a file in this process, without anything of arplay's."""

    def __init__(self, path: Path) -> None:
        self._lib = lib = library()
        chosen = lib.llama_model_default_params()
        chosen.vocab_only = True
        self._model = lib.llama_model_load_from_file(str(path).encode(), chosen)
        self._vocab = lib.llama_model_get_vocab(self._model)

    def ids(self, text: str) -> list[int]:
        data, found = text.encode(), (ctypes.c_int32 * 4096)()
        count = self._lib.llama_tokenize(self._vocab, data, len(data), found, 4096, False, False)
        return list(found[:count])

    def __enter__(self) -> Llama:
        return self

    def __exit__(self, *_: object) -> None:
        self._lib.llama_model_free(self._model)


@cache
def rules(place: Path) -> tuple[str, ...]:
    """The names of rules that the installed llama.cpp takes: of all that look like one in its file, and of ours."""
    lib = library()
    file = next((Path(lib.__file__).parent / "lib").glob("*llama.[sd][oly]*"))
    found = {name.decode() for name in re.findall(rb"[a-z0-9][a-z0-9._-]{1,30}(?=\0)", file.read_bytes())}
    settings = lib.llama_model_default_params()
    settings.vocab_only = True
    raw = write(place / "rules.gguf", byte_level("#" * 40)).read_bytes()
    known = []
    for name in sorted(found | gguf_tokenizer._RULES.keys()):
        size = len(name).to_bytes(8, "little")
        named = raw.replace((40).to_bytes(8, "little") + b"#" * 40, size + name.encode()) + bytes(64)  # and its padding
        (place / "rule.gguf").write_bytes(named)
        if model := lib.llama_model_load_from_file(str(place / "rule.gguf").encode(), settings):
            known.append(name)
            lib.llama_model_free(model)
    return tuple(known)
