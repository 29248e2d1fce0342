"""Tokenizers as alphabets: exact bytes for every id, and text that comes back byte for byte.

Byte-level BPE (GPT-2 and most models since) writes each byte as one character of a fixed 256-character alphabet
(Radford et al. 2019, ``bytes_to_unicode``); the bytes of a token are found by undoing that. Tokenizers that change
text (lower-case it, normalise it, add a space) are refused, because their numbers would belong to another text.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arplay.core.errors import Problem
from arplay.core.pieces import Pieces, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TOKENIZER_BYTES = 64 * 1024 * 1024
_PROBE = "The quick fox: 1,234 naïve cafés\n\t«日本» 😀  'tis\u00a0so"
_LONE_BYTE = re.compile("([\udc80-\udcff])")
_PLAIN_CLASSES = ("PreTrainedTokenizerFast", "TokenizersBackend")


class TokenizerAlphabet:
    """An alphabet around a ``tokenizers.Tokenizer``. Special tokens in typed text are text, not ids."""

    lossy = ""

    def __init__(self, tokenizer: Tokenizer, vocabulary_size: int, bos: int | None, eos: int | None) -> None:
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()  # a tokenizer.json may ask for both; texts here are whole
        tokenizer.no_padding()
        self.vocabulary = _vocabulary(tokenizer, vocabulary_size)
        self.bos, self.eos = bos, eos
        self._byte_ids = {data[0]: id for id, data in enumerate(self.vocabulary.data) if data and len(data) == 1}
        self.lead: tuple[int, ...] = self._lead()
        self._probe()

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Pieces:
        ids: list[int] = []
        # bytes that are part of no character cannot pass through the tokenizer's text: each is its own piece
        for text in _LONE_BYTE.split(data.decode("utf-8", "surrogateescape")):
            if _LONE_BYTE.match(text):
                ids.append(self._byte_id(ord(text) - 0xDC00))
            else:
                ids += self._encode_text(text)
        if b"".join(map(self.vocabulary.written.__getitem__, ids)) != data:
            raise Problem("this tokenizer changes the text, so its pieces are not the text's own", "use another model")
        return Pieces(np.array(ids, dtype=np.int64), self.vocabulary.ends(ids))

    def _encode_text(self, text: str) -> list[int]:
        if not text:
            return []
        # the fast form gives the same ids and keeps no offsets
        ids: list[int] = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)[0].ids
        return ids

    def _byte_id(self, byte: int) -> int:
        id = self._byte_ids.get(byte)
        if id is None:
            raise Problem(f"this tokenizer has no piece for the lone byte {byte:02X}", "remove the broken character")
        return id

    def _lead(self) -> tuple[int, ...]:
        """Ids that the tokenizer itself puts before "a"."""
        with_special = self._tokenizer.encode("a").ids
        plain = self._encode_text("a")
        if not plain:
            raise Problem("the tokenizer encodes text to nothing", "the folder's tokenizer files are incomplete")
        for count in range(len(with_special) - len(plain) + 1):
            if with_special[count : count + len(plain)] == plain:
                return tuple(with_special[:count])
        return ()

    def _probe(self) -> None:
        """Refuse, at load time, a tokenizer that does not give a text back."""
        for word in _PROBE.split(" "):
            self.encode(f"{word} {word}".encode())


def open_tokenizer(folder: Path, vocabulary_size: int) -> TokenizerAlphabet:
    """The tokenizer of a transformers folder. Raises Problem where it is missing, broken or changes text."""
    from tokenizers import Tokenizer

    config = _read_config(folder / "tokenizer_config.json")
    file = folder / "tokenizer.json"
    try:
        if file.is_file() and config.get("tokenizer_class") in _PLAIN_CLASSES:
            # the generic class is only a shell around this file; reading it directly saves seconds of imports
            _bounded(file)
            tokenizer = Tokenizer.from_file(str(file))
            bos, eos = (_named_id(tokenizer, config.get(key)) for key in ("bos_token", "eos_token"))
        else:
            tokenizer, bos, eos = _through_transformers(folder)
        if tokenizer.get_vocab_size() == 0:
            raise Problem(f"{folder.name} has no tokenizer", "add its tokenizer.json to the folder")
        return TokenizerAlphabet(tokenizer, vocabulary_size, bos, eos)
    except Problem:
        raise
    except Exception as error:  # the Rust library raises bare Exception for a broken file
        raise Problem(f"the tokenizer in {folder.name} cannot be read ({error})", "fetch the model again") from error


def _through_transformers(folder: Path) -> tuple[Tokenizer, int | None, int | None]:
    from transformers import AutoTokenizer

    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "tokenizer_config.json")
    files = [folder / name for name in names if (folder / name).is_file()]
    if not files:
        raise Problem(f"{folder.name} has no tokenizer", "add its tokenizer.json to the folder")
    for file in files:
        _bounded(file)
    loaded = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        raise Problem(f"the tokenizer of {folder.name} has no fast form", "save it with a tokenizer.json")
    return backend, loaded.bos_token_id, loaded.eos_token_id


def _vocabulary(tokenizer: Tokenizer, size: int) -> Vocabulary:
    tokens: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    added = tokenizer.get_added_tokens_decoder()
    if tokens and (highest := max(tokens.values())) >= size:
        raise Problem(
            f"the tokenizer has id {highest} but the model's output only {size}", "tokenizer and weights do not match"
        )
    to_bytes = _bytes_of_token(tokenizer)
    data: list[bytes | None] = [None] * size
    for token, id in sorted(tokens.items()):  # in an order that is the same in every process
        data[id] = token.encode() if id in added else to_bytes(token)
    special = frozenset(id for id, token in added.items() if token.special)
    digest = hashlib.sha256(repr(sorted(special)).encode())
    for entry in data:
        digest.update(len(entry or b"").to_bytes(4, "little") + (entry or b""))
    return Vocabulary(digest.hexdigest()[:16], tuple(data), special)


def _bytes_of_token(tokenizer: Tokenizer) -> Any:
    decoder = tokenizer.decoder
    described = json.loads(decoder.__getstate__()) if decoder is not None else {}
    kinds = {described.get("type")} | {part.get("type") for part in described.get("decoders", ())}
    if "ByteLevel" not in kinds:
        kind = described.get("type") or "no decoder"
        raise Problem(
            f"this kind of tokenizer ({kind}) is not supported yet", "use a model with a byte-level BPE tokenizer"
        )
    return _byte_level


def _byte_level(token: str) -> bytes:
    try:
        return bytes(_CHAR_TO_BYTE[char] for char in token)
    except KeyError:  # a token with characters outside the byte alphabet stands for its own text
        return token.encode("utf-8", "surrogatepass")


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's characters for the 256 bytes: printable Latin-1 stands for itself, the others follow from U+0100."""
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in itself]
    return {chr(byte): byte for byte in itself} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


_CHAR_TO_BYTE = _byte_alphabet()


def _named_id(tokenizer: Tokenizer, token: Any) -> int | None:
    if isinstance(token, dict):
        token = token.get("content")
    return tokenizer.token_to_id(token) if isinstance(token, str) else None


def _read_config(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    _bounded(file)
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Problem(f"{file.name} cannot be read ({error})", "fetch the model again") from error
    return content if isinstance(content, dict) else {}


def _bounded(file: Path) -> None:
    if file.stat().st_size > MAX_TOKENIZER_BYTES:
        raise Problem(f"{file.name} is larger than 64 MiB", "this is no tokenizer that arplay opens")
