"""A tokenizer of a GGUF file that llama.cpp serves: for every rule of cutting text that is not restored here.

What each token writes, and the ids of a text, are llama.cpp's own; which bytes of the text a token owns is found by
comparing, and what a text loses is told of that text, as with any other tokenizer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arplay.models.alphabets.slow import SlowCutter
from arplay.models.alphabets.spelling import named
from arplay.models.alphabets.text import PROBE, TextAlphabet, lead_of
from arplay.models.gguf.parent import Process

_UNKNOWN, _CONTROL = 1 << 0, 1 << 3
"""Of llama.cpp's enum llama_token_attr."""


def served(process: Process, path: str, bos: int | None, eos: int | None) -> TextAlphabet:
    """The alphabet of the file ``path``, asked of ``process``, which it keeps alive. Problem where llama.cpp fails."""
    known, data = process.ask("vocabulary", path=path)
    count = int(known["tokens"])
    sizes, attributes = data[: 8 * count].view(np.int32).reshape(2, count)
    joined, ends = data[8 * count :].tobytes(), np.cumsum(sizes).tolist()
    written = [joined[start:end] or None for start, end in zip([0, *ends], ends, strict=False)]
    special = frozenset(np.flatnonzero(attributes & (_CONTROL | _UNKNOWN)).tolist())
    unknown = next(iter(np.flatnonzero(attributes & _UNKNOWN).tolist()), None)
    tokenizer = _Served(process)
    plain = tokenizer.encode(PROBE)
    spaced = bool(plain) and (written[plain[0]] or b"")[:1] == b" "
    vocabulary = named(written, special, spaced, unknown)
    cutter = SlowCutter(tokenizer, special) if spaced else _Cutter(tokenizer)
    lead = lead_of(tokenizer.encode(PROBE, add_special_tokens=True), plain)
    return TextAlphabet(vocabulary, cutter, lead, bos, eos)


class _Served:
    """llama.cpp's tokenizer behind the one call that a tokenizer of transformers has."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def encode(self, text: str, add_special_tokens: bool = False, split_special_tokens: bool = True) -> list[int]:
        given: dict[str, Any] = {"whole": add_special_tokens, "special": not split_special_tokens}
        ids: list[int] = self._process.ask("cut", text.encode(), **given)[1].view(np.int32).tolist()
        return ids


class _Cutter:
    """Cuts a text that goes on like one that begins: nothing is put before either."""

    def __init__(self, tokenizer: _Served) -> None:
        self._tokenizer = tokenizer

    def ids(self, text: str, start: bool, special: bool) -> list[int]:
        return self._tokenizer.encode(text, split_special_tokens=not special)

    def offsets(self, text: str, start: bool, special: bool) -> None:
        return None
