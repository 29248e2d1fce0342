"""The exact text and its ids: runs that were typed (tokenised as a whole) and runs whose ids are fixed.

The document owns every byte. Views show it and send edits; nothing is ever re-tokenised behind a user's back
except where the user typed. All positions here are bytes from the start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, takewhile

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import frozen
from arplay.core.errors import Problem
from arplay.core.pieces import Alphabet, Ids, Piece, Pieces


@dataclass(frozen=True, slots=True)
class Typed:
    """Text that a person wrote; it has ids only through an alphabet."""

    data: bytes

    def __len__(self) -> int:
        return len(self.data)


MOST_FIXED = 256
"""Pieces of one fixed run: what is done at the end of a long text costs what it costs in a short one."""


@dataclass(frozen=True)
class Fixed:
    """Pieces that were picked or sampled: ids of the vocabulary named ``vocabulary`` and their bytes.

    An id that no token owns has no bytes; it stays behind the byte that it was put after.
    """

    vocabulary: str
    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.data)

    @cached_property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    @cached_property
    def encoded(self) -> Pieces:
        """Its ids and where each piece ends."""
        ends = np.cumsum([len(piece) for piece in self.pieces], dtype=np.int64)
        return Pieces(frozen(np.array(self.ids, np.int64)), frozen(ends))


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

    @property
    def is_nothing(self) -> bool:
        return self.removed == self.inserted

    @property
    def takes_away(self) -> bool:
        """Whether bytes gave way."""
        return size(self.removed) > 0

    def then(self, edit: Edit) -> Edit | None:
        """Both as one where they are one stretch of typing (a word with the space before it) or one of deleting."""
        if not edit.removed and not self.removed and edit.at == self.at + size(self.inserted):
            return self._longer(edit)
        if not edit.inserted and not self.inserted and self.at in (edit.at, edit.at + size(edit.removed)):
            first, last = (edit, self) if edit.at < self.at else (self, edit)
            return Edit(edit.at, _joined(first.removed, last.removed), ())
        return None

    def _longer(self, edit: Edit) -> Edit | None:
        if len(self.inserted) != 1 or len(edit.inserted) != 1:
            return None
        old, new = self.inserted[0], edit.inserted[0]
        if not isinstance(old, Typed) or not isinstance(new, Typed):
            return None
        if new.data[:1].isspace() and not old.data[-1:].isspace():
            return None
        return Edit(self.at, (), (Typed(old.data + new.data),))


@dataclass(frozen=True, eq=False)
class Document:
    """An immutable text in normal form: no empty run, and no two neighbours that could be one.

    Two are equal that have the same bytes and fixed pieces, wherever a long fixed run is cut into several.
    """

    runs: Runs = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return self.runs == other.runs or (self.data == other.data and _whole(self.runs) == _whole(other.runs))

    def __hash__(self) -> int:
        return hash(self.data)

    @classmethod
    def of(cls, data: bytes) -> Document:
        return cls(normal((Typed(data),)))

    @cached_property
    def data(self) -> bytes:
        return b"".join(run.data for run in self.runs)

    def __len__(self) -> int:
        return self._ends[-1] if self.runs else 0

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(accumulate(map(len, self.runs)))

    def apply(self, edit: Edit) -> Document:
        """The document after an edit that was made from this one."""
        end = edit.at + size(edit.removed)
        head = _without_last(self.between(-1, edit.at), _bare_first(edit.removed))
        return Document(_joined(_joined(head, edit.inserted), self.between(end, len(self))))

    def edit(self, at: int, removed: int, inserted: Runs, whole: bool = False) -> Edit:
        """The edit that was kept as the count of the bytes that gave way; ``whole``: all of the text did.

        Raises ValueError where it does not fit this text.
        """
        if not 0 <= at <= at + removed <= len(self):
            raise ValueError(f"bytes {at} to {at + removed} are not in a text of {len(self)} bytes")
        every = whole and removed == len(self)  # pieces without bytes before it, too
        return Edit(at, self.runs if every else self.between(at, at + removed), normal(inserted))

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
        before = self.data[left:at] if left < at else b""
        head = normal((Typed(before), Fixed(vocabulary, (piece.id,), (piece.data,))))
        return Edit(left, self.between(left, len(self)), head)

    def retokenise(self) -> Edit:
        """All ids forgotten: the whole text becomes one typed run."""
        return Edit(0, self.runs, normal((Typed(self.data),)))

    def between(self, start: int, end: int) -> Runs:
        """The runs of bytes [start, end). Raises ValueError where a bound would cut a fixed piece.

        A piece without bytes belongs to those before it: it is there where start < its place <= end.
        """
        ends = self._ends
        inner, last = bisect_right(ends, start) + 1, bisect_right(ends, end)
        found: Runs = ()
        for at in range(bisect_left(ends, start), min(inner, last + 1, len(ends))):
            found = _joined(found, self._cut(at, start, end))
        if inner <= last:
            found = _joined(found, self.runs[inner:last])  # each of these lies between the bounds
            if last < len(ends):
                found = _joined(found, self._cut(last, start, end))
        return found

    def _cut(self, at: int, start: int, end: int) -> Runs:
        base = self._ends[at] - len(self.runs[at])
        part = _cut(self.runs[at], start - base, end - base)
        return () if _is_empty(part) else (part,)

    def _widen(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) widened to whole fixed pieces where it touches the inside of one."""
        if not 0 <= start <= end <= len(self):
            raise ValueError(f"bytes {start} to {end} are not in a text of {len(self)} bytes")
        return self._edge(start)[0], self._edge(end)[1]

    def _edge(self, at: int) -> tuple[int, int]:
        """The bytes of the fixed piece that position ``at`` cuts; (at, at) where it cuts none."""
        place = bisect_right(self._ends, at)
        if place == len(self.runs):
            return at, at
        run, base = self.runs[place], self._ends[place] - len(self.runs[place])
        if not isinstance(run, Fixed) or at == base:
            return at, at
        low, high = _piece_at(run, at - base)
        return base + low, base + high


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


Cut = Callable[[bytes, bool, bool], Pieces]
"""As :meth:`Alphabet.encode`."""


def encode(document: Document, alphabet: Alphabet, special: bool = False, cut: Cut | None = None) -> Encoded:
    """Ids of the whole text: typed runs canonically (neighbours as a whole), fixed runs of this vocabulary as kept.

    Runs fixed in another vocabulary count as typed. ``special``: whether typed names of special tokens are those
    tokens. ``cut``: the alphabet's own encode where that remembers. Raises Problem where the alphabet cannot write the
    text.
    """
    encoded = _encode_runs(_read_as(document, alphabet).runs, True, cut or alphabet.encode, special)
    if len(document) and not len(encoded):
        raise Problem("this model's tokenizer makes no piece of this text", "type a letter")
    encoded.ends[-1:] = len(document)  # spaces that the tokenizer drops belong to the piece before them
    return encoded


def _encode_runs(runs: Runs, start: bool, cut: Cut, special: bool) -> Encoded:
    """Runs in normal form, none of them of another vocabulary; ``start``: whether a text begins with them."""
    ids: list[Ids] = [np.zeros(0, np.int64)]
    ends: list[Ids] = [np.zeros(0, np.int64)]
    fixed: list[NDArray[np.bool_]] = [np.zeros(0, bool)]
    base = 0
    for run in runs:
        fresh = start and len(ids) == 1
        pieces = run.encoded if isinstance(run, Fixed) else cut(run.data, fresh, special)
        ids.append(pieces.ids)
        ends.append(base + pieces.ends)
        fixed.append(np.full(len(pieces), isinstance(run, Fixed)))
        base += len(run)
    return Encoded(np.concatenate(ids), np.concatenate(ends), np.concatenate(fixed))


def _read_as(document: Document, alphabet: Alphabet) -> Document:
    """The document with what was fixed in other vocabularies typed."""
    name = alphabet.vocabulary.name
    if all(isinstance(run, Typed) or run.vocabulary == name for run in document.runs):
        return document
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
        rest = _encode_runs(runs, start == 0, alphabet.encode, special).ids
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
    if low >= len(run) or high < 0:  # at the end of a run that grows, nothing of it is looked at
        return Fixed(run.vocabulary, (), ())
    ends = run.encoded.ends
    first = int(np.searchsorted(ends, low, side="right"))
    last = int(np.searchsorted(ends, high, side="right"))
    for bound, at in ((low, first), (high, last)):
        if 0 < bound < len(run) and ends[at] - len(run.pieces[at]) != bound:
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
        left = (Fixed(last.vocabulary, last.ids[:kept], last.pieces[:kept]),) if kept else ()
        runs = _joined(runs[:-1], left)
    return runs


def _is_empty(run: Run) -> bool:
    return not (run.ids if isinstance(run, Fixed) else run.data)


def _piece_at(run: Fixed, at: int) -> tuple[int, int]:
    """The bytes of the piece that byte position ``at`` (0 < at < length) cuts; (at, at) between two pieces."""
    ends = run.encoded.ends
    index = int(np.searchsorted(ends, at, side="left"))
    if int(ends[index]) == at:
        return at, at
    return int(ends[index]) - len(run.pieces[index]), int(ends[index])


def normal(runs: Iterable[Run]) -> Runs:
    """The same pieces with no empty run and no two neighbours that could be one."""
    result: Runs = ()
    for run in runs:
        if isinstance(run, Fixed) and len(run.ids) > MOST_FIXED:
            cuts = (slice(at, at + MOST_FIXED) for at in range(0, len(run.ids), MOST_FIXED))
            parts: Runs = tuple(Fixed(run.vocabulary, run.ids[cut], run.pieces[cut]) for cut in cuts)
            result = _joined(result, parts)
        elif not _is_empty(run):
            result = _joined(result, (run,))
    return result


def _joined(before: Runs, after: Runs) -> Runs:
    """Two lists of runs in normal form as one: only where they meet is there anything to do."""
    if not before or not after:
        return before or after
    last, first = before[-1], after[0]
    if isinstance(last, Typed) and isinstance(first, Typed):
        return (*before[:-1], Typed(last.data + first.data), *after[1:])
    if isinstance(last, Fixed) and isinstance(first, Fixed) and last.vocabulary == first.vocabulary:
        ids, pieces = last.ids + first.ids, last.pieces + first.pieces
        if len(ids) <= MOST_FIXED:
            return (*before[:-1], Fixed(last.vocabulary, ids, pieces), *after[1:])
    return before + after


def _whole(runs: Runs) -> list[tuple[str | None, tuple[int, ...], bytes]]:
    """Runs with neighbours of one vocabulary as one, to be compared."""
    found: list[tuple[str | None, tuple[int, ...], bytes]] = []
    for run in runs:
        what = (run.vocabulary, run.ids, run.data) if isinstance(run, Fixed) else (None, (), run.data)
        if found and what[0] is not None and found[-1][0] == what[0]:
            what = (what[0], found[-1][1] + what[1], found[-1][2] + what[2])
            found.pop()
        found.append(what)
    return found
