"""Hand-written conditional tables: the smallest models that obey the chain rule, readable in a text editor.

The file is JSON::

    {"name": "abc", "alphabet": ["A", "B", "C"],
     "rows": {"": {"A": 0.3, "B": 0.4, "C": 0.3}, "B": {"A": 0.5, "B": 0.3, "C": 0.2}, "BA": {...}}}

A row is p(next | the last tokens written in its key). The longest key that the prefix ends with applies, so ``""``
is both p(x_1) and the row of last resort. Keys are texts of the alphabet; every row sums to 1.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Tokens, Vocabulary
from arplay.models.base import Report, reads_last
from arplay.models.families.looked_up import Written, info_of, read_written
from arplay.schema import short

MAX_BYTES = 4 * 1024 * 1024
MAX_TOKENS = 4096
MAX_ENTRIES = 1 << 22
"""Rows times tokens: a table is held in full, 8 bytes an entry."""


class Table(Written):
    """A model that is a table. Exact in float64; any prefix length."""

    def __init__(self, name: str, tokens: Sequence[str], rows: dict[str, dict[str, float]], source: str) -> None:
        digest = hashlib.sha256(json.dumps([tokens, rows], sort_keys=True).encode()).hexdigest()
        self.alphabet = TableAlphabet(Vocabulary(f"table:{digest[:16]}", tuple(p.encode() for p in tokens)))
        self.rows = {self._key(key): _row(key, row, tokens) for key, row in rows.items()}
        if () not in self.rows:
            raise Problem('the table has no row "" (the first token)', "add p(x_1) under the empty key")
        self.longest = max(map(len, self.rows))
        self.info = info_of(name, "table", source, digest, len(tokens), len(rows) * len(tokens))

    @classmethod
    def load(cls, path: Path) -> Table:
        """Read and check a table. Raises Problem that names the row and the figure that is wrong."""
        return read_written(path, MAX_BYTES, lambda content: cls(*_checked(content, path.stem), str(path)))

    def _key(self, key: str) -> tuple[int, ...]:
        try:
            return tuple(self.alphabet.encode(key.encode()).ids.tolist())
        except Problem as problem:
            raise Problem(f'row "{key[:60]}" is no text of the alphabet ({problem.cause})', problem.remedy) from problem

    @property
    def wiring(self) -> str:
        return f"the last {self.longest:,} tokens, as long as its longest row"

    def reads(self, index: int) -> NDArray[np.bool_]:
        return reads_last(index, self.longest)

    def logprobs(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """log p(next | ids) in nats, shape (V,)."""
        for length in range(min(self.longest, len(ids)), -1, -1):
            row = self.rows.get(tuple(ids[len(ids) - length :]))
            if row is not None:
                return row
        raise AssertionError("the empty row always applies")

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        return np.array([self.logprobs(ids[:i])[id] for i, id in enumerate(ids)], dtype=np.float64)


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> Table:
    """As every family loads; a table bears a name of its own, and is always float64 on the CPU."""
    return Table.load(path)


class TableAlphabet:
    """Tokens are written side by side; the longest one that fits is read first."""

    lead: tuple[int, ...] = ()
    bos: int | None = None
    eos: int | None = None
    lossy = ""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._ids = {data: id for id, data in enumerate(vocabulary.data) if data}
        self._lengths = sorted({len(data) for data in self._ids}, reverse=True)

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Tokens:
        ids: list[int] = []
        at = 0
        while at < len(data):
            for length in self._lengths:
                id = self._ids.get(data[at : at + length])
                if id is not None:
                    ids.append(id)
                    at += length
                    break
            else:
                raise self._unknown(data, at)
        return Tokens(np.array(ids, dtype=np.int64), self.vocabulary.ends(ids))

    def _unknown(self, data: bytes, at: int) -> Problem:
        char = data[at : at + 4].decode("utf-8", "replace")[:1]
        known = " ".join(data.decode("utf-8", "replace") for data in sorted(self._ids)[:12])
        return Problem(f"{char!r} at byte {at} is not in this model's alphabet", f"it can write only {known}")


def _row(key: str, row: dict[str, float], tokens: Sequence[str]) -> NDArray[np.float64]:
    probs = np.array([row.get(token, 0.0) for token in tokens], dtype=np.float64)
    total = math.fsum(probs)
    if abs(total - 1) > 1e-9:
        raise Problem(f'row "{key[:60]}" sums to {total:.6g}, not 1', "make its probabilities sum to 1")
    with np.errstate(divide="ignore"):
        result: NDArray[np.float64] = np.log(probs)
    return read_only(result)


def _checked(content: Any, stem: str) -> tuple[str, list[str], dict[str, dict[str, float]]]:
    def require(holds: bool, what: str) -> None:
        if not holds:
            raise Problem(what, "see the built-in abc.json for the form")

    require(isinstance(content, dict), "the top level is not an object")
    tokens, rows = content.get("alphabet"), content.get("rows")
    require(isinstance(tokens, list) and 1 <= len(tokens) <= MAX_TOKENS, f"alphabet must list 1 to {MAX_TOKENS} texts")
    require(all(isinstance(p, str) and p for p in tokens), "every token of the alphabet must be a text, not empty")
    for key in (*tokens, *(rows if isinstance(rows, dict) else ())):
        half = any("\ud800" <= char <= "\udfff" for char in key)
        require(not half, f"{short(key)} holds half a UTF-16 pair, which is no character")
    known = set(tokens)
    require(len(known) == len(tokens), "the alphabet lists a token twice")
    require(isinstance(rows, dict) and all(isinstance(row, dict) for row in rows.values()), "rows must be objects")
    require(len(rows) * len(tokens) <= MAX_ENTRIES, f"rows times tokens are more than {MAX_ENTRIES:,}")
    for key, row in rows.items():
        for token, p in row.items():
            if token not in known:
                require(False, f'row "{key[:60]}" gives a probability to {short(token)}, which is not in the alphabet')
            if type(p) not in (int, float) or not 0 <= p <= 1:
                require(False, f'row "{key[:60]}", token "{token[:60]}": {short(p)} is not a probability')
    name = content.get("name", stem)
    require(isinstance(name, str), "name must be a text")
    return name, tokens, rows
