"""A text in the tokens of one alphabet: which bytes each has, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import frozen
from arplay.core.modalities import base as modality
from arplay.core.modalities import parts
from arplay.core.modalities.base import Ids
from arplay.core.modalities.runs import Fixed, Runs, Typed
from arplay.core.modalities.spans import char_spans, counted, to_text
from arplay.core.modalities.vocabulary import Tokens, Vocabulary, exact_text, visible


@dataclass(frozen=True, eq=False)
class Encoded:
    """A text in one alphabet: its bytes, ids, the byte where each token ends, and which ids were fixed; each (n,).

    While a long one is being cut into tokens there are the first ones only: the last of them ends before the text does.
    """

    data: bytes
    ids: Ids
    ends: Ids
    fixed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def starts(self) -> Ids:
        return np.concatenate([np.zeros(1, self.ends.dtype), self.ends[:-1]]) if len(self.ends) else self.ends

    def span(self, index: int) -> tuple[int, int]:
        return int(self.ends[index - 1]) if index else 0, int(self.ends[index])

    @property
    def units(self) -> int:
        return len(self.data)

    @property
    def end(self) -> int:
        """The byte where the last token ends."""
        return int(self.ends[-1]) if len(self.ends) else 0

    @property
    def whole(self) -> bool:
        return self.end == len(self.data)

    @property
    def expected(self) -> int:
        """
        >>> Encoded(b"a b a b", np.arange(2), np.array([1, 2]), np.zeros(2, bool)).expected  # two are 2 of 7 bytes
        7
        """
        return len(self) if self.whole else round(len(self) * len(self.data) / max(1, self.end))

    @cached_property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Once, however often a ledger of it grows."""
        if not self.whole:
            return ()
        characters, words = counted(self.data)
        return (("characters", characters), ("words", words))

    @property
    def split_words(self) -> int:
        """
        >>> Encoded(b" a b", np.arange(1), np.array([4]), np.zeros(1, bool)).split_words  # nothing, a, b
        3
        """
        text = to_text(self.data)
        return len(text.split()) + text[:1].isspace() + text[-1:].isspace()

    @property
    def divisions(self) -> tuple[str, ...]:
        return parts.KINDS

    def parts(self, kind: str) -> Iterator[Ids]:
        return parts.blocks(self.data, kind)

    def extract(self, start: int, end: int) -> str:
        return exact_text(self.data[start:end])

    def is_of(self, document: Any) -> bool:
        return bool(self.data == document.data)

    def same_as(self, other: Any) -> bool:
        return isinstance(other, Encoded) and self.data == other.data

    def begins(self, document: Any) -> bool:
        return bool(document.data.startswith(self.data))

    def said(self, index: int, tokens: Vocabulary | None, stop: int | None = None) -> str:
        data = self.data[self.span(index)[0] : self.span(index if stop is None else stop - 1)[1]]
        if data:
            return visible(data)
        id = int(self.ids[index])
        return f"{tokens.label(id) if tokens is not None else f'#{id}'} (no bytes)"

    def remark(self, index: int) -> str:
        """What a token has of letters that it shares with its neighbours; empty where it has whole ones only."""
        start, end = self.span(index)
        found = []
        for low, high in dict.fromkeys((_letter(self.data, start), _letter(self.data, end))):
            mine = self.data[max(low, start) : min(high, end)]
            if low < high and mine:
                letter = visible(self.data[low:high])
                found.append(f"byte{'s' * (len(mine) > 1)} {mine.hex(' ').upper()} of {letter}")
        return ", ".join(found)

    def tail(self, index: int, width: int = 40) -> str:
        return tail_of(self.data, int(self.ends[index - 1]) if index > 0 else 0, width)

    def part(self, first: int, stop: int) -> Encoded:
        low = int(self.ends[first - 1]) if first else 0
        high = int(self.ends[stop - 1]) if stop > first else low
        cut = slice(first, stop)
        ids, ends, fixed = self.ids[cut], self.ends[cut] - low, self.fixed[cut]
        return Encoded(self.data[low:high], frozen(ids), frozen(ends), frozen(fixed))

    def record(self) -> Mapping[str, NDArray[Any]]:
        """``start`` and ``end`` are the smallest run of code points that a token's bytes touch."""
        starts, ends = char_spans(self.data, self.starts, self.ends)
        return {"start": starts, "end": ends, "byte_start": self.starts, "byte_end": self.ends}


Cut = Callable[[bytes, bool, bool], Tokens]
"""As :meth:`Alphabet.encode`."""


def encoded_runs(runs: Runs, start: bool, cut: Cut, special: bool) -> Encoded:
    """Runs in normal form, none of them of another vocabulary; ``start``: whether a text begins with them."""
    if len(runs) == 1 and isinstance(run := runs[0], Typed):  # the usual case of a long text, which is not copied
        tokens = cut(run.data, start, special)
        return Encoded(run.data, tokens.ids, tokens.ends, np.zeros(len(tokens), bool))
    ids: list[Ids] = [np.zeros(0, np.int32)]
    ends: list[Ids] = [np.zeros(0, np.int32)]
    fixed: list[NDArray[np.bool_]] = [np.zeros(0, bool)]
    base = 0
    for run in runs:
        fresh = start and len(ids) == 1
        tokens = run.encoded if isinstance(run, Fixed) else cut(run.data, fresh, special)
        ids.append(tokens.ids)
        ends.append(base + tokens.ends)
        fixed.append(np.full(len(tokens), isinstance(run, Fixed)))
        base += len(run)
    data = b"".join(run.data for run in runs)
    return Encoded(data, np.concatenate(ids), np.concatenate(ends), np.concatenate(fixed))


def tail_of(data: bytes, end: int, width: int = 40) -> str:
    """The end of what stands before byte ``end``, quoted, of at most about ``width`` characters.

    It looks at no more than it shows: a text may have 50 MB, and be asked at many places.
    """
    near = max(0, end - 4 * width - 16)  # a letter has four bytes at most, and one may be cut here
    text = data[near:end].decode("utf-8", "surrogateescape").replace("\n", "↵")
    shown = text if len(text) <= width else "…" + text[-width:]
    return f"“{exact_text(shown.encode('utf-8', 'surrogateescape'))}”"


def _letter(data: bytes, place: int) -> tuple[int, int]:
    """The bytes [start, end) of the whole character that ``place`` is inside of; (place, place) where it is in none."""
    for start in range(max(0, place - 3), place):
        for width in (2, 3, 4):
            if start < place < start + width <= len(data):
                try:
                    if len(data[start : start + width].decode()) == 1:
                        return start, start + width
                except UnicodeDecodeError:
                    pass  # these bytes are no letter; others may be
    return place, place


def encoded_of(encoded: modality.Encoded) -> Encoded:
    """The same, for what shows texts only."""
    assert isinstance(encoded, Encoded), "a text"
    return encoded


def bytes_of(encoded: modality.Encoded) -> bytes:
    """The bytes of a scored text, for what shows texts only."""
    return encoded_of(encoded).data
