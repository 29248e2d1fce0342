"""What every id of a tokenizer writes: its bytes, found by undoing the tokenizer's own way of writing tokens.

Byte-level BPE (GPT-2 and most models since) writes each byte as one character of a fixed 256-character alphabet
(Radford et al. 2019, ``bytes_to_unicode``). SentencePiece (Kudo and Richardson 2018) writes a space as ``▁`` and, with
byte fallback, a byte as ``<0xE6>``. Everything else (``##`` of WordPiece, ``</w>``, ``@@``) is read off the library's
own decoder: a token writes what it adds between two others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from arplay.core.modalities.vocabulary import Vocabulary

Join = Callable[[list[str]], str]
"""Tokens -> text, as the tokenizer's library decodes them."""

BYTE = re.compile("<0x([0-9A-F]{2})>")
_MARK = "a"


def vocabulary_of(
    tokens: Mapping[str, int],
    added: Mapping[int, tuple[str, bool]],
    size: int,
    join: Join,
    byte_level: bool,
    unknown: int | None = None,
) -> Vocabulary:
    """The tokens of a tokenizer with ``tokens``, for a model with ``size`` logits; an id beyond these has none.

    ``added``: id -> (text, special) of the tokens that are looked for in the text before anything else.
    """
    spell = byte_level_bytes if byte_level else _speller(tokens, join)
    data: list[bytes | None] = [None] * size
    for token, id in sorted(tokens.items()):  # in an order that is the same in every process
        if id >= size:
            continue
        text, special = added.get(id, (token, False))
        # an added token stands for its own text; but ▁ is a space wherever the decoder says so (Gemma's "▁▁")
        data[id] = text.encode() if special or (id in added and (byte_level or "▁" not in text)) else spell(token)
    special_ids = frozenset(id for id, (_, special) in added.items() if special and id < size)
    return named(data, special_ids, not byte_level and _drops_first_space(tokens, data, join), unknown)


def named(
    data: Sequence[bytes | None], special: frozenset[int], drops_first_space: bool, unknown: int | None
) -> Vocabulary:
    """The vocabulary of these tokens, with a name made of what they write."""
    digest = hashlib.sha256(repr(sorted(special)).encode() + (b"drops" if drops_first_space else b""))
    for entry in data:
        digest.update(len(entry or b"").to_bytes(4, "little") + (entry or b""))
    return Vocabulary(digest.hexdigest()[:16], tuple(data), special, drops_first_space, unknown)


def byte_level_bytes(token: str) -> bytes:
    """The bytes of a byte-level token; one with characters outside of the byte alphabet stands for its own text.

    >>> byte_level_bytes("ĠParis"), byte_level_bytes("ðŁĺ")
    (b' Paris', b'\\xf0\\x9f\\x98')
    """
    try:
        return bytes(_CHAR_TO_BYTE[char] for char in token)
    except KeyError:
        return token.encode("utf-8", "surrogatepass")


def _speller(tokens: Iterable[str], join: Join) -> Callable[[str], bytes]:
    all_bytes = set(tokens) >= {f"<0x{byte:02X}>" for byte in range(256)}
    byte_fallback = all_bytes or join([_MARK, "<0x41>", _MARK]) == join([_MARK, "A", _MARK])
    tails = [tail for tail in (join([_MARK, _MARK])[len(_MARK) :], _MARK) if tail]

    def spell(token: str) -> bytes:
        if byte_fallback and (found := BYTE.fullmatch(token)):
            return bytes([int(found[1], 16)])
        text = join([_MARK, token, _MARK]).removeprefix(_MARK)
        tail = next((tail for tail in tails if text.endswith(tail)), "")
        return (text[: len(text) - len(tail)] or token).encode("utf-8", "surrogatepass")

    return spell


def _drops_first_space(tokens: Mapping[str, int], data: list[bytes | None], join: Join) -> bool:
    """Whether the library decodes a text's first token without the space that the token writes elsewhere."""
    known = ((token, data[id]) for token, id in tokens.items() if id < len(data))
    spaced = islice((token for token, text in known if (text or b"")[:1] == b" " != text), 8)
    return any(not join([token, _MARK]).startswith(" ") for token in spaced)


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's characters for the 256 bytes: printable Latin-1 stands for itself, the others follow from U+0100."""
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in itself]
    return {chr(byte): byte for byte in itself} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


_CHAR_TO_BYTE = _byte_alphabet()
