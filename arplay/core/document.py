"""The exact text and its ids: runs that were typed (tokenised as a whole) and runs whose ids are fixed.

The document owns every byte. Views show it and send edits; nothing is ever re-tokenised behind a user's back
except where the user typed. All positions here are bytes from the start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.pieces import Alphabet, Ids, Piece, Pieces


@dataclass(frozen=True, slots=True)
class Typed:
    """Text that a person wrote; it has ids only through an alphabet."""

    data: bytes

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Pieces that were picked or sampled: ids of the vocabulary named ``vocabulary`` and their bytes.

    An id that no token owns has no bytes; it stays behind the byte that it was put after.
    """

    vocabulary: str
    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]
    _bytes: int = field(default=-1, repr=False, compare=False)  # asked for often, and slow to sum for a long run

    def __post_init__(self) -> None:
        if self._bytes < 0:
            object.__setattr__(self, "_bytes", sum(map(len, self.pieces)))

    def __len__(self) -> int:
        return self._bytes

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


Run = Typed | Fixed
Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """``removed`` stood at byte ``at`` and ``inserted`` takes its place; both as runs, so undo is exact."""

    at: int
    removed: Runs
    inserted: Runs

    @property
    def inverse(self) -> Edit:
        return Edit(self.at, self.inserted, self.removed)


@dataclass(frozen=True)
class Document:
    """An immutable text in normal form: no empty run, and no two neighbours that could be one."""

    runs: Runs = ()

    @classmethod
    def of(cls, data: bytes) -> Document:
        return cls(normal((Typed(data),)))

    @cached_property
    def data(self) -> bytes:
        return b"".join(run.data for run in self.runs)

    def __len__(self) -> int:
        return size(self.runs)

    def apply(self, edit: Edit) -> Document:
        """The document after an edit that was made from this one."""
        end = edit.at + size(edit.removed)
        head = _without_last(self.between(-1, edit.at), _bare_first(edit.removed))
        return Document(normal(head + edit.inserted + self.between(end, len(self))))

    def replace(self, start: int, end: int, data: bytes) -> Edit:
        """Typing: bytes [start, end) give way to ``data``. Fixed pieces that are cut become typed."""
        left, right = self._widen(start, end)
        if start == end and not data:
            return Edit(left, (), ())
        text = self.data[left:start] + data + self.data[end:right]
        return Edit(left, self.between(left, right), normal((Typed(text),)))

    def take(self, at: int, piece: Piece, vocabulary: str) -> Edit:
        """A pick: ``piece`` follows byte ``at``; what stood behind it is removed (the tree keeps it)."""
        left, _ = self._widen(at, at)
        head = normal((Typed(self.data[left:at]), Fixed(vocabulary, (piece.id,), (piece.data,))))
        return Edit(left, self.between(left, len(self)), head)

    def retokenise(self) -> Edit:
        """All ids forgotten: the whole text becomes one typed run."""
        return Edit(0, self.runs, normal((Typed(self.data),)))

    def between(self, start: int, end: int) -> Runs:
        """The runs of bytes [start, end). Raises ValueError where a bound would cut a fixed piece.

        A piece without bytes belongs to those before it: it is there where start < its place <= end.
        """
        parts: list[Run] = []
        base = 0
        for run in self.runs:
            parts.append(_cut(run, start - base, end - base))
            base += len(run)
        return tuple(part for part in parts if not _is_empty(part))

    def _widen(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) widened to whole fixed pieces where it touches the inside of one."""
        if not 0 <= start <= end <= len(self):
            raise ValueError(f"bytes {start} to {end} are not in a text of {len(self)} bytes")
        left, right, base = start, end, 0
        for run in self.runs:
            length = len(run)
            if isinstance(run, Fixed):
                if base < start < base + length:
                    left = base + _piece_at(run, start - base)[0]
                if base < end < base + length:
                    right = base + _piece_at(run, end - base)[1]
            base += length
        return left, right


@dataclass(frozen=True, eq=False)
class Encoded:
    """A document in one alphabet: ids, the byte where each piece ends, and which ids were fixed; each (n,)."""

    ids: Ids
    ends: Ids
    fixed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def starts(self) -> Ids:
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1]]) if len(self.ends) else self.ends


@dataclass(frozen=True, eq=False)
class Prefix:
    """The chain up to a caret: its ids, and the piece of the text that follows, if a whole one does."""

    ids: Ids
    actual: int | None

    @property
    def index(self) -> int:
        """How many pieces of the text come before the next one."""
        return len(self.ids)


def encode(document: Document, alphabet: Alphabet, special: bool = False) -> Encoded:
    """Ids of the whole text: typed runs canonically (neighbours as a whole), fixed runs of this vocabulary as kept.

    Runs fixed in another vocabulary count as typed. ``special``: whether typed names of special tokens are those
    tokens. Raises Problem where the alphabet cannot write the text.
    """
    encoded = _encode_runs(_read_as(document, alphabet).runs, True, alphabet, special)
    if len(document) and not len(encoded):
        raise Problem("this model's tokenizer makes no piece of this text", "type a letter")
    encoded.ends[-1:] = len(document)  # spaces that the tokenizer drops belong to the piece before them
    return encoded


def _encode_runs(runs: Runs, start: bool, alphabet: Alphabet, special: bool) -> Encoded:
    """Runs in normal form, none of them of another vocabulary; ``start``: whether a text begins with them."""
    ids: list[Ids] = [np.zeros(0, np.int64)]
    ends: list[Ids] = [np.zeros(0, np.int64)]
    fixed: list[NDArray[np.bool_]] = [np.zeros(0, bool)]
    base = 0
    for run in runs:
        if isinstance(run, Fixed):
            pieces = Pieces(np.array(run.ids, np.int64), np.cumsum([len(piece) for piece in run.pieces]))
        else:
            pieces = alphabet.encode(run.data, start and len(ids) == 1, special)
        ids.append(pieces.ids)
        ends.append(base + pieces.ends)
        fixed.append(np.full(len(pieces), isinstance(run, Fixed)))
        base += len(run)
    return Encoded(np.concatenate(ids), np.concatenate(ends), np.concatenate(fixed))


def _read_as(document: Document, alphabet: Alphabet) -> Document:
    """The document with what was fixed in other vocabularies typed."""
    name = alphabet.vocabulary.name
    own = (run if isinstance(run, Typed) or run.vocabulary == name else Typed(run.data) for run in document.runs)
    return Document(normal(own))


def prefix_at(
    document: Document,
    encoded: Encoded,
    caret: int,
    alphabet: Alphabet,
    special: bool = False,
    index: int | None = None,
) -> Prefix:
    """The chain before byte ``caret``: whole pieces, plus the encoding of what is left of a piece it cuts.

    Pieces that own no bytes come behind a caret at their place, but fixed ones before it; where several pieces begin
    at the caret, ``index`` says which one is the next (another index than one of theirs says nothing). Where what is
    left is nothing to the tokenizer (spaces that it drops), the piece that the caret stands in is still the next one.
    """
    if index is not None and 0 <= index < len(encoded) and encoded.starts[index] == caret:
        return Prefix(encoded.ids[:index], int(encoded.ids[index]))
    whole = np.searchsorted(encoded.ends, caret, side="right")
    count = int(min(whole, np.searchsorted(encoded.starts, caret, side="left")))
    while count < len(encoded) and encoded.fixed[count] and encoded.ends[count] == caret:
        count += 1
    start = int(encoded.ends[count - 1]) if count else 0
    rest = encoded.ids[:0]
    if start < caret:
        read = _read_as(document, alphabet)
        left = max(start, read._widen(caret, caret)[0])
        runs = normal((*read.between(start, left), Typed(read.data[left:caret])))
        rest = _encode_runs(runs, start == 0, alphabet, special).ids
    if len(rest):
        return Prefix(np.concatenate([encoded.ids[:count], rest]), None)
    return Prefix(encoded.ids[:count], int(encoded.ids[count]) if count < len(encoded) else None)


def size(runs: Runs) -> int:
    return sum(len(run) for run in runs)


def _cut(run: Run, low: int, high: int) -> Run:
    """What of ``run`` lies in [low, high), counted from its own first byte."""
    if isinstance(run, Typed):
        return Typed(run.data[max(low, 0) : max(high, 0)])
    if high >= len(run) and (low < 0 or (low == 0 and run.pieces and run.pieces[0])):
        return run
    if low >= len(run) or high < 0:  # at the end of a long run that grows, nothing of it is looked at
        return Fixed(run.vocabulary, (), ())
    lengths = np.array([len(piece) for piece in run.pieces], np.int64)
    ends = np.cumsum(lengths)
    first = int(np.searchsorted(ends, low, side="right"))
    last = int(np.searchsorted(ends, high, side="right"))
    for bound, at in ((low, first), (high, last)):
        if 0 < bound < len(run) and ends[at] - lengths[at] != bound:
            raise ValueError(f"bytes {low} to {high} cut a fixed piece")
    return Fixed(run.vocabulary, run.ids[first:last], run.pieces[first:last])


def _bare_first(runs: Runs) -> int:
    """How many pieces without bytes ``runs`` begins with."""
    pieces = (piece for run in runs for piece in (run.pieces if isinstance(run, Fixed) else (run.data,)))
    return sum(1 for _ in takewhile(lambda piece: not piece, pieces))


def _without_last(runs: Runs, count: int) -> Runs:
    """``runs`` without the last ``count`` pieces, all of which are fixed."""
    while count and isinstance(last := runs[-1], Fixed):
        kept = max(0, len(last.ids) - count)
        count -= len(last.ids) - kept
        runs = (*runs[:-1], *([Fixed(last.vocabulary, last.ids[:kept], last.pieces[:kept])] if kept else []))
    return runs


def _is_empty(run: Run) -> bool:
    return not (run.ids if isinstance(run, Fixed) else run.data)


def _piece_at(run: Fixed, at: int) -> tuple[int, int]:
    """The bytes of the piece that byte position ``at`` (0 < at < length) cuts; (at, at) between two pieces."""
    ends = np.cumsum([len(piece) for piece in run.pieces])
    index = int(np.searchsorted(ends, at, side="left"))
    if int(ends[index]) == at:
        return at, at
    return int(ends[index]) - len(run.pieces[index]), int(ends[index])


def normal(runs: Iterable[Run]) -> Runs:
    """The same pieces with no empty run and no two neighbours that could be one."""
    result: list[Run] = []
    for run in runs:
        if _is_empty(run):
            continue
        last = result[-1] if result else None
        if isinstance(run, Typed) and isinstance(last, Typed):
            result[-1] = Typed(last.data + run.data)
        elif isinstance(run, Fixed) and isinstance(last, Fixed) and run.vocabulary == last.vocabulary:
            result[-1] = Fixed(run.vocabulary, last.ids + run.ids, last.pieces + run.pieces, len(last) + len(run))
        else:
            result.append(run)
    return tuple(result)
