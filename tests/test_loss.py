"""What of this very text its tokens do not write, over the whole range of bytes, told with every total."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from arplay.cli import main
from arplay.core.modalities.loss import loss
from arplay.models.alphabets import TokenizerAlphabet
from arplay.models.alphabets.spelling import _CHAR_TO_BYTE as BYTE_OF
from tests.tiny_models import network, tokenizer
from tests.tiny_tokenizers import FAST, wordpiece

CHAR_OF = {byte: char for char, byte in BYTE_OF.items()}
SIZE = 600


def lacking(missing: set[int]) -> Tokenizer:
    """A byte-level tokenizer whose vocabulary has none of the bytes ``missing``."""
    described = json.loads(tokenizer().to_str())
    model, gone = described["model"], {CHAR_OF[byte] for byte in missing}
    model["merges"] = [pair for pair in model["merges"] if not gone.intersection("".join(pair))]
    model["vocab"] = {token: id for token, id in model["vocab"].items() if not gone.intersection(token)}
    return Tokenizer.from_str(json.dumps(described))


def owned(alphabet: Any, data: bytes) -> list[tuple[bytes, bytes]]:
    """What every token writes, and the bytes that it owns."""
    tokens = alphabet.encode(data)
    edges = [0, *tokens.ends.tolist()]
    written = [alphabet.vocabulary.written[id] for id in tokens.ids.tolist()]
    return list(zip(written, (data[a:b] for a, b in pairwise(edges)), strict=True))


def told(alphabet: Any, data: bytes) -> tuple[int, str]:
    tokens = alphabet.encode(data)
    return loss(data, tokens.ids, tokens.ends, alphabet.vocabulary)


FULL = TokenizerAlphabet(tokenizer(), SIZE, None, None)
BYTES = [byte for byte in range(0xF5) if byte not in (0xC0, 0xC1)]


def with_byte(byte: int) -> str:
    """A character that has ``byte`` in UTF-8."""
    if byte < 0x80:
        return chr(byte)
    code = byte if byte < 0xC0 else (byte & 0x1F) << 6 if byte < 0xE0 else ((byte & 0xF) << 12) + 0x800
    if byte == 0xED:
        return "\ud7ff"  # what follows are surrogates
    return chr(code if byte < 0xF0 else ((byte & 7) << 18) + (0x10000 if byte == 0xF0 else 0))


@pytest.mark.parametrize("byte", BYTES)
def test_a_byte_that_the_vocabulary_lacks_is_told_and_owned_by_the_token_behind_it(byte: int) -> None:
    alphabet = TokenizerAlphabet(lacking({byte}), SIZE, None, None)
    data = f"<{with_byte(byte)}>{with_byte(byte)}!".encode()
    doubled = data.count(byte)
    for written, own in owned(alphabet, data):
        assert written == own.translate(None, bytes([byte]))
    count, sentence = told(alphabet, data)
    assert count == doubled >= 2 and f"drops {doubled} characters" in sentence
    assert f"drops 1 of the {len(BYTES)} bytes" in alphabet.lossy
    assert told(FULL, data) == (0, "") and FULL.lossy == "", "negative control"


@settings(max_examples=60, deadline=None)
@given(missing=st.sets(st.integers(0, 255), min_size=1, max_size=40), text=st.text(max_size=20))
def test_tokens_own_their_own_bytes_whatever_is_missing(missing: set[int], text: str) -> None:
    needed = set(b"The quick fox") | {0xC3}
    alphabet = TokenizerAlphabet(lacking(missing - needed), SIZE, None, None)
    data = b"x" + text.encode("utf-8", "ignore") + b"x"
    dropped = bytes(missing - needed)
    assert all(written == own.translate(None, dropped) for written, own in owned(alphabet, data))
    gone = [char for char in data.decode() if set(char.encode()) & (missing - needed)]
    count, _ = told(alphabet, data)
    assert bool(count) == bool(gone) and count <= 4 * len(gone)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("wordpiece", "The cat ж", "does not know 1 character (ж).*reads as others 1 character (T)"),
        ("wordpiece", "the   cat", "drops 2 characters (␣ ×2)"),
        ("unigram", "the жж cat", "does not know 2 characters (ж ×2)"),
        ("t5", "the \n cat", "drops .* (.*↵"),
        ("byte_level_nfc", "e\u0301 the", "reads as others 2 characters"),
        ("llama", "the 日 cat", ""),
        ("tokenizer", "\x1b[1m 日", ""),
    ],
)
def test_what_happened_to_this_text_is_said(kind: str, text: str, said: str) -> None:
    alphabet = TokenizerAlphabet(FAST[kind](), SIZE, None, None)
    _, sentence = told(alphabet, text.encode())
    pattern = re.escape(said).replace(r"\.\*", ".*")
    assert re.search(pattern, sentence) if said else sentence == ""
    assert told(alphabet, b"the cat") == (0, ""), "negative control: nothing of this text is lost"


def test_every_total_says_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)
    made = wordpiece()
    network("llama", vocab_size=made.get_vocab_size()).save_pretrained(tmp_path)
    made.save(str(tmp_path / "tokenizer.json"))
    capsys.readouterr()
    text, table = tmp_path / "text.txt", tmp_path / "out.csv"
    text.write_text("the cat ж the cat")
    command = ["score", str(text), "--model", str(tmp_path)]
    assert main([*command, "--csv", str(table)]) == 0
    said = "Of this text the tokenizer does not know 1 character (ж)."
    assert said in capsys.readouterr().out and f"# note: {said}" in table.read_text()
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["notes"] == [said]
    text.write_text("the cat")
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["notes"] == [], "negative control"
