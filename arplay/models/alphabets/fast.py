"""Tokenizers of the ``tokenizers`` library, which tell where each token comes from."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arplay.models.alphabets.spelling import vocabulary_of
from arplay.models.alphabets.text import PROBE, TextAlphabet, beyond, lead_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_WORD_SPLITTERS = {"WhitespaceSplit", "Whitespace", "BertPreTokenizer"}


class TokenizerAlphabet(TextAlphabet):
    """An alphabet around a ``tokenizers.Tokenizer``, whose settings it takes over.

    Raises Problem where it does not belong to an output of ``vocabulary_size``, or gives no ids at all.
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary_size: int, bos: int | None, eos: int | None) -> None:
        decoder = tokenizer.decoder
        kinds = _kinds(_described(decoder if decoder is not None else tokenizer.pre_tokenizer))
        tokens = tokenizer.get_vocab(with_added_tokens=True)
        vocabulary = vocabulary_of(
            tokens,
            {id: (token.content, token.special) for id, token in tokenizer.get_added_tokens_decoder().items()},
            vocabulary_size,
            " ".join if decoder is None else decoder.decode,
            byte_level="ByteLevel" in kinds,
            unknown=_unknown(tokenizer),
        )
        cutter = FastCutter(tokenizer)
        lead = lead_of(cutter.whole(PROBE), cutter.ids(PROBE, True, False))
        super().__init__(vocabulary, cutter, lead, bos, eos, beyond(tokens, vocabulary_size))
        self.tokenizer, self.words, self.byte_level = tokenizer, cutter.words, "ByteLevel" in kinds
        self.described: dict[str, Any] | None = None
        """Its model as its file has it, once somebody asked (:mod:`arplay.models.alphabets.making`)."""


class FastCutter:
    """Cuts text with one tokenizer, set up for each call under a lock, since its settings are the object's."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()  # a tokenizer.json may ask for both; texts here are whole
        tokenizer.no_padding()
        model: Any = tokenizer.model
        if getattr(model, "dropout", None):
            model.dropout = None  # merges left out at random, for training
        self._tokenizer, self._lock = tokenizer, threading.Lock()
        first = _described(tokenizer.normalizer), _described(tokenizer.pre_tokenizer)
        later = _continuing(first[0]), _continuing(first[1])
        self._steps = None if first == later else (_of_json(*later), (tokenizer.normalizer, tokenizer.pre_tokenizer))
        # each word gets its own ▁ (older T5 and XLM-R): only the first one of a text that goes on is another's end
        kinds = _kinds(first[1])
        self._by_words = bool(_WORD_SPLITTERS & kinds) and "Metaspace" in kinds

    def ids(self, text: str, start: bool, special: bool) -> list[int]:
        found: list[int] = []
        for part, _, begins in self._parts(text, start):
            with self._lock:
                self._set(begins, special)
                # the fast form gives the same ids and keeps no offsets
                found += self._tokenizer.encode_batch_fast([part], add_special_tokens=False)[0].ids
        return found

    def offsets(self, text: str, start: bool, special: bool) -> NDArray[np.int64]:
        found = [np.zeros((0, 2), np.int64)]
        for part, at, begins in self._parts(text, start):
            with self._lock:
                self._set(begins, special)
                places = self._tokenizer.encode(part, add_special_tokens=False).offsets
            found.append(np.array(places, np.int64).reshape(-1, 2) + at)
        return np.concatenate(found)

    def whole(self, text: str) -> list[int]:
        """The ids of a text together with what the tokenizer puts around it."""
        with self._lock:
            self._set(True, False)
            ids: list[int] = self._tokenizer.encode(text).ids
            return ids

    def words(self, text: str, start: bool) -> list[str]:
        """The stretches of a text that are cut each on its own, in the tokenizer's spelling."""
        with self._lock:
            self._set(start, False)
            first, cut = self._tokenizer.normalizer, self._tokenizer.pre_tokenizer
            spelled = text if first is None else first.normalize_str(text)
            return [spelled] if cut is None else [word for word, _ in cut.pre_tokenize_str(spelled)]

    def _parts(self, text: str, start: bool) -> list[tuple[str, int, bool]]:
        """The parts to be cut one by one, where each begins, and whether it is cut like the beginning of a text."""
        if start or not self._by_words:
            return [(text, 0, start)]
        space = _SPACE.search(text)
        at = space.start() if space else len(text)
        return [part for part in ((text[:at], 0, False), (text[at:], at, True)) if part[0]]

    def _set(self, start: bool, special: bool) -> None:
        self._tokenizer.encode_special_tokens = not special
        if self._steps is not None:
            self._tokenizer.normalizer, self._tokenizer.pre_tokenizer = self._steps[start]


def _unknown(tokenizer: Tokenizer) -> int | None:
    """The id of the token for what has none."""
    model: Any = tokenizer.model
    name = getattr(model, "unk_token", None)
    if name is None and type(model).__name__ == "Unigram":
        found = json.loads(model.__getstate__()).get("unk_id")
        return found if isinstance(found, int) else None
    return tokenizer.token_to_id(name) if name is not None else None


def _described(step: Any) -> Any:
    """The JSON of a normaliser, pre-tokenizer or decoder; None for none."""
    return None if step is None else json.loads(step.__getstate__())


def _kinds(step: Any) -> set[str]:
    """The types of a step and of all steps in it."""
    if isinstance(step, dict):
        parts = [part for value in step.values() if isinstance(value, list) for part in value]
        return {str(step.get("type"))}.union(*map(_kinds, parts))
    return set()


def _continuing(step: Any) -> Any:
    """The same step for a text that goes on: nothing is put before it, nor stripped from its beginning."""
    if not isinstance(step, dict):
        return step
    kind = step.get("type")
    if kind == "Prepend":
        return None
    if kind == "Sequence":
        key = next(key for key, value in step.items() if isinstance(value, list))
        return {**step, key: [kept for part in step[key] if (kept := _continuing(part)) is not None]}
    changes: dict[str, dict[str, Any]] = {
        "Metaspace": {"prepend_scheme": "never"},
        "ByteLevel": {"add_prefix_space": False},
        "Strip": {"strip_left": False},
    }
    return {**step, **changes.get(str(kind), {})}


def _of_json(normalizer: Any, pre_tokenizer: Any) -> tuple[Any, Any]:
    from tokenizers import Tokenizer

    empty = {"type": "BPE", "vocab": {}, "merges": []}
    steps = {"normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "model": empty, "added_tokens": []}
    made = Tokenizer.from_str(json.dumps({"version": "1.0", **steps}))
    return made.normalizer, made.pre_tokenizer
