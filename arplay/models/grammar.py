"""Which tokens may follow so that a text becomes what a pattern, a JSON schema or a list of choices allows.

llguidance does the matching, on the bytes of any vocabulary. It is imported when a constraint is used.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from arplay.core.decoding.grammar import read_choices
from arplay.core.decoding.stage import Kind
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.recent import Recent

_MASKS, _MATCHERS = 64, 8


def allowed(
    kind: Kind, text: str, tokens: TokenSet | None, ends: tuple[int, ...], written: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Which of V tokens may follow ``written``, shape (V,), read-only; one of ``ends`` where the text may be whole.

    A pure function; both threads may call it. Raises Problem for a constraint that cannot be read or costs too much,
    for ``written`` that breaks it, and for a model that writes no text.
    """
    if not isinstance(tokens, Vocabulary):
        raise Problem("this model writes no text that could be matched", "switch the constraint off")
    with _lock:
        return _reader(tokens, ends).allowed(kind, text, written)


def prepare(tokens: TokenSet, ends: tuple[int, ...]) -> None:
    """Read the vocabulary now, which takes up to two seconds for 256,000 tokens; :func:`allowed` does it else."""
    if isinstance(tokens, Vocabulary):
        with _lock:
            _reader(tokens, ends)


def is_prepared(tokens: TokenSet, ends: tuple[int, ...]) -> bool:
    """Whether :func:`allowed` answers at once."""
    return not isinstance(tokens, Vocabulary) or ends in _readers.get(tokens, ())


def _reader(tokens: Vocabulary, ends: tuple[int, ...]) -> _Reader:
    found = _readers.setdefault(tokens, {})
    if ends not in found:
        found[ends] = _Reader(tokens, ends)
    return found[ends]


class _Reader:
    """A vocabulary as the library has it, with what was matched last."""

    def __init__(self, tokens: Vocabulary, ends: tuple[int, ...]) -> None:
        import llguidance

        self._library, self._size = llguidance, len(tokens)
        # a model without an end has one more token here, so that the library can tell that the text may be whole
        data = list(tokens.written) if ends else [*tokens.written, b"end of text"]
        stops = list(ends) or [self._size]
        wrapper: Any = llguidance.TokenizerWrapper(_Words(data, stops, sorted({*tokens.special, *stops})))
        self._tokenizer = llguidance.LLTokenizer(wrapper, n_vocab=len(data), eos_token=stops, slices=[])
        self._limits = llguidance.LLParserLimits(
            initial_lexer_fuel=1_000_000, step_lexer_fuel=200_000, max_lexer_states=50_000
        )  # about 20 ms to read a constraint, 15 ms a token, 100 MB
        self._masks = Recent[tuple[Kind, str, tuple[int, ...]], NDArray[np.bool_]](_MASKS)
        self._matchers = Recent[tuple[Kind, str], Any](_MATCHERS)

    def allowed(self, kind: Kind, text: str, written: tuple[int, ...]) -> NDArray[np.bool_]:
        return self._masks.get((kind, text, written), lambda: self._matched(kind, text, written))

    def _matched(self, kind: Kind, text: str, written: tuple[int, ...]) -> NDArray[np.bool_]:
        matcher = self._matchers.get((kind, text), lambda: self._read(kind, text)).deep_copy()
        if matcher.try_consume_tokens(list(written)) < len(written):
            self._check(matcher)
            cause = "what decoding wrote so far breaks the constraint"
            raise Problem(cause, "go back to where it holds, type something where it is to begin, or switch it off")
        bits = np.frombuffer(matcher.compute_bitmask(), np.uint8)
        self._check(matcher)
        mask = np.unpackbits(bits, bitorder="little")[: self._size].astype(np.bool_)
        mask &= not matcher.is_error()  # no token of this model goes on
        mask.flags.writeable = False
        return mask

    def _read(self, kind: Kind, text: str) -> Any:
        library = self._library
        if kind == "regex":
            body = f"/{library.regex_to_lark(text, '')}/"
        elif kind == "choices":
            body = " | ".join(json.dumps(choice, ensure_ascii=False) for choice in read_choices(text))
        else:
            body = f"%json {text}"
        # else only the usual tokens of what must follow anyhow would be let through, not all that write it
        rules = f'%llguidance {{"no_forcing": true}}\nstart: TEXT\nTEXT: {body}'
        if kind == "json-schema":
            rules = f'%llguidance {{"no_forcing": true}}\nstart: {body}'
        matcher = library.LLMatcher(self._tokenizer, rules, log_level=0, limits=self._limits)
        self._check(matcher)
        return matcher

    def _check(self, matcher: Any) -> None:
        if matcher.is_error() and "NoExtension" not in matcher.get_error():
            why = _reason(matcher.get_error())
            raise Problem(f"the constraint cannot be used ({why})", "correct it, or make it simpler")


class _Words:
    """What the library asks of a tokenizer."""

    def __init__(self, data: Sequence[bytes], ends: Sequence[int], special: Sequence[int]) -> None:
        self.tokens, self.special_token_ids = data, special
        self.eos_token_id, self.bos_token_id = ends[0], None

    def __call__(self, text: bytes) -> list[int]:
        return []  # asked only where what must follow is forced


def _reason(error: str) -> str:
    """The line of a message that says what is wrong.

    >>> _reason("at 1(8): invalid regex: regex parse error:\\n  (a\\n  ^\\nerror: unclosed group\\n | start")
    'unclosed group'
    """
    lines = error.strip().splitlines() or [""]
    found = next((line[len("error: ") :] for line in lines if line.startswith("error: ")), lines[0])
    found = re.sub(r"^at \d+\(\d+\): (failed to compile JSON schema: )?", "", found)
    return "it is too large" if "limit" in found or "too many" in found else found[:160]


_lock = threading.Lock()
_readers: WeakKeyDictionary[Vocabulary, dict[tuple[int, ...], _Reader]] = WeakKeyDictionary()
