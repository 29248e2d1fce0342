"""llama.cpp's own tokenizer of a GGUF file, in the process of models/gguf/child.py: what each token writes, and ids."""

from __future__ import annotations

import ctypes
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.models.gguf.llama import first_words, library

_LONGEST_PIECE = 256  # bytes; a longer one is asked for again


class Vocab:
    """The vocabulary of ``path`` without its weights. Raises Problem where llama.cpp knows no rule of that name."""

    def __init__(self, path: Path) -> None:
        self._library = lib = library()
        settings = lib.llama_model_default_params()
        settings.vocab_only = True
        model = lib.llama_model_load_from_file(str(path).encode(), settings)
        if not model:
            raise Problem(f"llama.cpp cannot cut text for {path.name} ({first_words()})", "")
        weakref.finalize(self, lib.llama_model_free, model)
        self._vocab = lib.llama_model_get_vocab(model)
        if lib.llama_vocab_type(self._vocab) == lib.LLAMA_VOCAB_TYPE_NONE:
            raise Problem(f"{path.name} has no vocabulary, so no text can be read or written", "take another file")

    def tokens(self) -> tuple[NDArray[np.int32], NDArray[np.int32], bytes]:
        """The bytes of every token: how many, shape (V,); its attributes (LLAMA_TOKEN_ATTR_…), (V,); all joined."""
        lib, room = self._library, ctypes.create_string_buffer(_LONGEST_PIECE)
        pieces, attributes = [], []
        for id in range(lib.llama_vocab_n_tokens(self._vocab)):
            count = lib.llama_token_to_piece(self._vocab, id, room, len(room), 0, True)
            if count < 0:
                room = ctypes.create_string_buffer(-count)
                count = lib.llama_token_to_piece(self._vocab, id, room, len(room), 0, True)
            pieces.append(room.raw[:count])
            attributes.append(lib.llama_vocab_get_attr(self._vocab, id))
        sizes = np.array([len(piece) for piece in pieces], np.int32)
        return sizes, np.array(attributes, np.int32), b"".join(pieces)

    def ids(self, text: bytes, whole: bool, special: bool) -> NDArray[np.int32]:
        """``whole``: with what the tokenizer puts around a text; ``special``: names of special tokens are these."""
        room = np.empty(len(text) + 8, np.int32)
        count = self._ids(text, room, whole, special)
        if count < 0:
            room = np.empty(-count, np.int32)
            count = self._ids(text, room, whole, special)
        return room[:count]

    def _ids(self, text: bytes, room: NDArray[np.int32], whole: bool, special: bool) -> int:
        pointer: Any = room.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        lib = self._library
        return int(lib.llama_tokenize(self._vocab, text, len(text), pointer, len(room), whole, special))
