"""How a tokenizer comes to its tokens: the merges of byte pair encoding one by one, and what the other kinds do."""

from __future__ import annotations

import json
from typing import Any

from arplay.core.merges import Made, Word, merged
from arplay.core.modalities.base import Coder
from arplay.core.modalities.vocabulary import visible
from arplay.models.alphabets.fast import TokenizerAlphabet
from arplay.models.alphabets.spelling import BYTE, byte_level_bytes

LONGEST = 2_000
"""Characters that are told: what is shown is a word, or a few."""
_UNIGRAM = "Of all ways to cut it, the one whose tokens have the largest sum of scores (the tokenizer's own log p)."
_WORDPIECE = "The longest token that it begins with, then the longest that the rest begins with, and so on."
_WHOLE = "The vocabulary has it whole: no merge is asked for."
_LONGEST_FIRST = "The longest token that fits is read first."
_LIBRARY = "The tokenizer's library does not tell how it comes to them."


def kind_of(coder: Coder) -> str:
    """What a tokenizer is called, in a few words."""
    if not isinstance(coder, TokenizerAlphabet):
        return "table" if type(coder).__name__ == "TableAlphabet" else "of its own library"
    model = type(coder.tokenizer.model).__name__
    return f"byte-level {model}" if coder.byte_level else model


def made(coder: Coder, text: str, start: bool) -> Made:
    """How ``coder`` cuts a short ``text``; ``start``: it stands at the beginning of one."""
    text, kind = text[:LONGEST], kind_of(coder)
    if not isinstance(coder, TokenizerAlphabet):
        encoded = coder.encode(text.encode(), start)  # type: ignore[attr-defined]
        ids = tuple(encoded.ids.tolist())
        tokens = tuple(coder.vocabulary.label(id) for id in ids)
        return Made(kind, (Word(text, (), (), ids, tokens, (), _LONGEST_FIRST if kind == "table" else _LIBRARY),))
    model = _described(coder)
    words = coder.words(text, start)
    return Made(kind, tuple(_word(coder, model, word) for word in words))


def _described(coder: TokenizerAlphabet) -> dict[str, Any]:
    """The tokenizer's model as its file has it, with ranks of merges by pair; read once."""
    if coder.described is None:
        model: dict[str, Any] = json.loads(coder.tokenizer.to_str())["model"]
        pairs = (pair.split(" ", 1) if isinstance(pair, str) else pair for pair in model.get("merges") or ())
        model["ranks"] = {(left, right): rank for rank, (left, right) in enumerate(pairs, start=1)}
        if isinstance(model.get("vocab"), list):  # Unigram: a score each
            model["scores"] = [score for _, score in model["vocab"]]
        coder.described = model
    return coder.described


def _word(coder: TokenizerAlphabet, model: dict[str, Any], word: str) -> Word:
    found = coder.tokenizer.model.tokenize(word)
    ids = tuple(token.id for token in found)
    tokens, shown = tuple(coder.vocabulary.label(id) for id in ids), _shown(coder, word)
    kind = type(coder.tokenizer.model).__name__
    if kind == "BPE":
        if model.get("ignore_merges") and len(ids) == 1 and found[0].value == word:
            return Word(shown, (), (), ids, tokens, (), _WHOLE)
        symbols = _symbols(model, word)
        prefix = model.get("continuing_subword_prefix") or ""
        steps = merged(symbols, _joining(model["ranks"], prefix))
        return Word(
            shown,
            tuple(_shown(coder, symbol) for symbol in symbols),
            tuple(
                type(step)(step.rank, step.at, tuple(_shown(coder, symbol) for symbol in step.symbols))
                for step in steps
            ),
            ids,
            tokens,
        )
    if kind == "Unigram":
        scores = tuple(float(model["scores"][id]) if id < len(model["scores"]) else 0.0 for id in ids)
        return Word(shown, (), (), ids, tokens, scores, _UNIGRAM)
    return Word(shown, (), (), ids, tokens, (), _WORDPIECE if kind == "WordPiece" else _LIBRARY)


def _joining(ranks: dict[tuple[str, str], int], prefix: str) -> dict[tuple[str, str], int]:
    """A token that goes on a word is written with ``prefix``, which is not written twice inside another one."""
    if not prefix:
        return ranks
    return {(left, right.removeprefix(prefix)): rank for (left, right), rank in ranks.items()}


def _symbols(model: dict[str, Any], word: str) -> list[str]:
    """What byte pair encoding begins with: characters, or bytes of one that it does not know."""
    vocabulary = model["vocab"]
    suffix = model.get("end_of_word_suffix") or ""
    symbols: list[str] = []
    for at, char in enumerate(word):
        symbol = char + (suffix if at == len(word) - 1 else "")
        if symbol not in vocabulary and model.get("byte_fallback"):
            pieces = [f"<0x{byte:02X}>" for byte in char.encode()]
            symbols += pieces if all(piece in vocabulary for piece in pieces) else [symbol]
        else:
            symbols.append(symbol)
    return symbols


def _shown(coder: TokenizerAlphabet, symbol: str) -> str:
    """A symbol of the tokenizer's own spelling, as the views have it."""
    if coder.byte_level:
        return visible(byte_level_bytes(symbol))
    found = BYTE.fullmatch(symbol)
    return visible(bytes([int(found[1], 16)]) if found else symbol.replace("▁", " ").encode("utf-8", "surrogatepass"))
