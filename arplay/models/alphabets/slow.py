"""Tokenizers that transformers writes in Python (CTRL, SentencePiece's own, ...), which tell no places."""

from __future__ import annotations

import threading
from typing import Any

from arplay.core.errors import Problem
from arplay.models.alphabets.spelling import vocabulary_of
from arplay.models.alphabets.text import PROBE, TextAlphabet, beyond, lead_of

_BEFORE = ("\n", ".", "a", "0", "。")
"""Texts that may stand before another one to make it go on; the first whose own ids stay as they are is used."""


def python_alphabet(tokenizer: Any, vocabulary_size: int) -> TextAlphabet:
    """The alphabet of a transformers ``PythonBackend`` tokenizer. Raises Problem as TokenizerAlphabet does."""
    added = {id: (token.content, token.special) for id, token in tokenizer.added_tokens_decoder.items()}
    vocabulary = vocabulary_of(
        tokens := tokenizer.get_vocab(),
        added,
        vocabulary_size,
        tokenizer.convert_tokens_to_string,
        byte_level=False,
        unknown=tokenizer.unk_token_id,
    )
    cutter = SlowCutter(tokenizer, vocabulary.special)
    lead = lead_of(tokenizer.encode(PROBE), tokenizer.encode(PROBE, add_special_tokens=False))
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    return TextAlphabet(vocabulary, cutter, lead, bos, eos, beyond(tokens, vocabulary_size))


class SlowCutter:
    """Cuts text with one Python tokenizer, one call at a time: some keep caches that are not for two threads."""

    def __init__(self, tokenizer: Any, special: frozenset[int]) -> None:
        self._tokenizer, self._lock = tokenizer, threading.Lock()
        before = {text: self._ids(text, False) for text in _BEFORE}
        self._before = {text: ids for text, ids in before.items() if special.isdisjoint(ids)}

    def ids(self, text: str, start: bool, special: bool) -> list[int]:
        whole = self._ids(text, special)
        if start or not text:
            return whole
        for before, ids in self._before.items():
            both = self._ids(before + text, special)
            if both[: len(ids)] == ids:
                return both[len(ids) :]
        raise Problem("this tokenizer cannot continue a text here", "re-tokenise the text")

    def offsets(self, text: str, start: bool, special: bool) -> None:
        return None

    def _ids(self, text: str, special: bool) -> list[int]:
        with self._lock:
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=not special)
            return ids
