"""The exact text and its ids, in typed runs (tokenised as a whole) and fixed ones.

The document owns every byte. Views show it and send edits; nothing is ever re-tokenised behind a user's back
except where the user typed. All positions here are bytes from the start.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np

from arplay.core.distribution import frozen
from arplay.core.errors import Problem
from arplay.core.modalities import base as modality
from arplay.core.modalities.base import Found, Note, Prefix, Remember, afresh
from arplay.core.modalities.departures import departures
from arplay.core.modalities.encoded_text import Encoded, encoded_runs, tail_of
from arplay.core.modalities.finding import Search, find
from arplay.core.modalities.lengthy import Begun
from arplay.core.modalities.loss import loss
from arplay.core.modalities.runs import (
    Edit,
    Fixed,
    Runs,
    Typed,
    anew,
    bare_first,
    cut_run,
    is_empty,
    joined,
    normal,
    size,
    token_at,
    whole,
    without_last,
)
from arplay.core.modalities.vocabulary import (
    Alphabet,
    Stepwise,
    Token,
    Tokens,
    Vocabulary,
    alphabet_of,
    exact_text,
    visible,
)
from arplay.core.modalities.writer import Writer
from arplay.core.recent import Recent
from arplay.core.rising import place_in

EXCERPT = 20_000
"""Bytes of the beginning of a long text."""
LONGEST_WORD = 5_000
"""Bytes without white space that the beginning has: what shows it takes long to find where lines end in more."""
_WORD = re.compile(rb"\S+")
TOLD = 1 << 17
"""Bytes of a long text that are cut into tokens before it is told again how many are."""


@dataclass(frozen=True, eq=False)
class Text:
    """An immutable text in normal form: no empty run, and no two neighbours that could be one.

    Two are equal that have the same bytes and fixed tokens, wherever a long fixed run is cut into several.
    """

    runs: Runs = ()

    nothing: ClassVar[Edit] = Edit(0, (), ())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        return self.runs == other.runs or (self.data == other.data and whole(self.runs) == whole(other.runs))

    def __hash__(self) -> int:
        return hash(self.data)

    @classmethod
    def of(cls, data: bytes) -> Text:
        return cls(normal((Typed(data),)))

    @cached_property
    def data(self) -> bytes:
        return b"".join(run.data for run in self.runs)

    def __len__(self) -> int:
        return self._ends[-1] if self.runs else 0

    @property
    def is_blank(self) -> bool:
        return not self.runs

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(accumulate(map(len, self.runs)))

    def encoded(self, coder: Alphabet, special: bool = False, remember: Remember = afresh) -> Encoded:
        """Typed runs canonically (neighbours as a whole, each cut once), fixed runs of this vocabulary as kept.

        Raises Problem where the alphabet cannot write the text.
        """
        coder = alphabet_of(coder)
        name = coder.vocabulary.name

        def cut(data: bytes, start: bool, special: bool) -> Tokens:
            tokens: Tokens = remember((data, start, name, special), lambda: coder.encode(data, start, special))
            return tokens

        encoded = encoded_runs(self._read_by(coder).runs, True, cut, special)
        if len(self) and not len(encoded):
            raise Problem("this model's tokenizer makes no token of this text", "type a letter")
        if not len(encoded) or int(encoded.ends[-1]) == len(self):
            return encoded
        ends = encoded.ends.copy()
        ends[-1] = len(self)  # spaces that the tokenizer drops belong to the token before them
        return replace(encoded, ends=ends)

    def _read_by(self, alphabet: Alphabet) -> Text:
        """The same with what was fixed in other vocabularies typed."""
        name = alphabet.vocabulary.name
        if all(isinstance(run, Typed) or run.vocabulary == name for run in self.runs):
            return self
        own = (run if isinstance(run, Typed) or run.vocabulary == name else Typed(run.data) for run in self.runs)
        return Text(normal(own))

    def cutting(self, coder: Alphabet, special: bool, parts: Recent[Hashable, Any]) -> Iterator[Begun]:
        coder = alphabet_of(coder)
        if not isinstance(coder, Stepwise):
            return
        for place, run in enumerate(self._read_by(coder).runs):
            key = (run.data, place == 0, coder.vocabulary.name, special)  # as encoded() has it
            if isinstance(run, Typed) and key not in parts:
                pieces: list[Tokens] = []
                first = partial(self._first, pieces) if place == 0 else None
                steps, told = coder.cutting(run.data, place == 0, special), 0
                while True:
                    try:
                        pieces.append(piece := next(steps))
                    except StopIteration as ended:
                        parts.put(key, ended.value)
                        break
                    if not len(piece) or piece.ends[-1] >= told + TOLD:
                        told = int(piece.ends[-1]) if len(piece) else told
                        yield Begun(told / len(run.data), first, goes_on=len(piece) > 0)

    def _first(self, pieces: list[Tokens]) -> Encoded:
        """The tokens of its beginning."""
        ids, ends = np.concatenate([each.ids for each in pieces]), np.concatenate([each.ends for each in pieces])
        return Encoded(self.data, frozen(ids), frozen(ends), frozen(np.zeros(len(ids), bool)))

    def reaches(self, encoded: Encoded, place: Caret) -> bool:
        return place.byte < encoded.end

    def prefix(self, encoded: Encoded, place: Caret, coder: Alphabet, special: bool = False) -> Prefix:
        """The chain before ``place``: whole tokens, plus the encoding of what is left of a token it cuts.

        Tokens that own no bytes come behind a caret at their place, but fixed ones before it; where several tokens
        begin at the caret, its index says which one is the next (another index than one of theirs says nothing). Where
        what is left is nothing to the tokenizer (spaces that it drops), the token that the caret stands in is still
        the next one.
        """
        caret, index = place.byte, place.index
        if index is not None and 0 <= index < len(encoded) and encoded.span(index)[0] == caret:
            return Prefix(encoded.ids[:index], int(encoded.ids[index]))
        whole = place_in(encoded.ends, caret, "right")
        count = min(whole, 1 + place_in(encoded.ends[:-1], caret)) if caret else 0
        while count < len(encoded) and encoded.fixed[count] and encoded.ends[count] == caret:
            count += 1
        start = int(encoded.ends[count - 1]) if count else 0
        rest = encoded.ids[:0]
        if start < caret:
            read = self._read_by(coder)
            left = max(start, read._widen(caret, caret)[0])
            runs = normal((*read.between(start, left), Typed(read.data[left:caret])))
            rest = encoded_runs(runs, start == 0, coder.encode, special).ids
        if len(rest):
            return Prefix(np.concatenate([encoded.ids[:count], rest]), None)
        return Prefix(encoded.ids[:count], int(encoded.ids[count]) if count < len(encoded) else None)

    def place(self, encoded: Encoded, index: int) -> Caret:
        """The caret before the token with this index (n: at the end)."""
        return Caret(encoded.span(index)[0] if index < len(encoded) else len(self), index)

    def notes(self, encoded: Encoded, tokens: Vocabulary) -> tuple[Note, ...]:
        lost, sentence = loss(self.data, encoded.ids, encoded.ends, tokens)
        return (Note(f"{lost:,}", "characters lost", sentence),) if lost else ()

    def tail(self, caret: int) -> str:
        return tail_of(self.data, caret)

    def before(self, place: Caret) -> Mapping[str, Any]:
        return {"text": exact_text(self.data[: place.byte])}

    @property
    def shown(self) -> str:
        return visible(self.data)

    @property
    def end(self) -> Caret:
        return Caret(len(self))

    @property
    def file(self) -> bytes:
        return self.data

    def ahead(self, tokens: Any) -> Mapping[int, int]:
        return {}

    def writer(self) -> Writer:
        return Writer(first=not self.data)

    def departures(self, encoded: Encoded, coder: Alphabet, special: bool) -> tuple[tuple[int, int], ...]:
        if not np.any(encoded.fixed):
            return ()
        return tuple(departures(encoded, encoded_runs(anew(self.runs, coder.vocabulary), True, coder.encode, special)))

    def apply(self, edit: Edit) -> Text:
        """The document after an edit that was made from this one."""
        end = edit.at + size(edit.removed)
        head = without_last(self.between(-1, edit.at), bare_first(edit.removed))
        return Text(joined(joined(head, edit.inserted), self.between(end, len(self))))

    def edit(self, at: int, removed: int, inserted: Runs, whole: bool = False) -> Edit:
        """The edit that was kept as the count of the bytes that gave way; ``whole``: all of the text did.

        Raises ValueError where it does not fit this text.
        """
        if not 0 <= at <= at + removed <= len(self):
            raise ValueError(f"bytes {at} to {at + removed} are not in a text of {len(self)} bytes")
        every = whole and removed == len(self)  # tokens without bytes before it, too
        return Edit(at, self.runs if every else self.between(at, at + removed), normal(inserted))

    def replace(self, start: int, end: int, data: bytes) -> Edit:
        """Typing: bytes [start, end) give way to ``data``. Fixed tokens that are cut become typed."""
        left, right = self._widen(start, end)
        if start == end and not data:
            return Edit(left, (), ())
        text = self.data[left:start] + data + self.data[end:right]
        return Edit(left, self.between(left, right), normal((Typed(text),)))

    def at(self, caret: int, index: int | None = None) -> Caret:
        return Caret(caret, index)

    def reached(self, caret: int, tokens: Vocabulary) -> int:
        return caret

    def find(self, text: str, case: bool) -> Found:
        return find(self.data, text, case)

    def search(self, text: str, case: bool) -> Search:
        return Search(self.data, text, case)

    @property
    def emptied(self) -> Text:
        return Text()

    def upto(self, caret: int) -> Text:
        return Text.of(self.data[:caret])

    @property
    def beginning(self) -> Text:
        data = self.data[:EXCERPT]
        longest = next((word for word in _WORD.finditer(data) if len(word[0]) > LONGEST_WORD), None)
        end = EXCERPT if longest is None else longest.start() + LONGEST_WORD
        return Text.of(data[:end].decode("utf-8", "ignore").encode())

    def continued(self, data: bytes) -> Text | None:
        return Text.of(data) if data.startswith(self.data) else None

    def become(self, document: Text) -> Edit:
        return Edit(0, self.runs, document.runs)

    def take(self, caret: int, id: int, tokens: Vocabulary) -> tuple[Edit, int]:
        """A pick follows byte ``caret``; what stood behind it is removed (the tree keeps it)."""
        token = tokens.token(id, first=caret == 0)
        return self.put(caret, token, tokens.name), caret + len(token.data)

    def put(self, at: int, token: Token, vocabulary: str) -> Edit:
        """``token`` of the vocabulary of that name in place of all that stood behind byte ``at``."""
        left, _ = self._widen(at, at)
        before = self.data[left:at] if left < at else b""
        head = normal((Typed(before), Fixed(vocabulary, (token.id,), (token.data,))))
        return Edit(left, self.between(left, len(self)), head)

    def first(self, encoded: Encoded, count: int, tokens: Vocabulary) -> Text:
        data = tuple(encoded.data[slice(*encoded.span(index))] for index in range(count))
        return Text(normal((Fixed(tokens.name, tuple(encoded.ids[:count].tolist()), data),)))

    def cuts(self, at: int, tokens: Vocabulary) -> list[tuple[int, int]]:
        ends = range(at + 1, min(at + tokens.longest, len(self)) + 1)
        return [(id, end) for end in ends for id in tokens.writing(self.data[at:end], at == 0)]

    def read_before(self, encoded: Encoded, place: Caret, prefix: Prefix, tokens: Vocabulary) -> Text:
        """What is left of a token that the place cuts is typed, as it is read."""
        count = min(prefix.index, place_in(encoded.ends, place.byte, "right"))
        start = encoded.span(count - 1)[1] if count else 0
        head = self.first(encoded, count, tokens).runs
        return Text(joined(head, normal((Typed(self.data[start : place.byte]),))))

    def followed(self, encoded: Encoded, tokens: Vocabulary, other: Text) -> Text:
        return Text(joined(self.first(encoded, len(encoded), tokens).runs, other.runs))

    def retokenise(self, tokens: Vocabulary | None = None) -> Edit:
        return Edit(0, self.runs, anew(self.runs, tokens))

    def between(self, start: int, end: int) -> Runs:
        """The runs of bytes [start, end). Raises ValueError where a bound would cut a fixed token.

        A token without bytes belongs to those before it: it is there where start < its place <= end.
        """
        ends = self._ends
        inner, last = bisect_right(ends, start) + 1, bisect_right(ends, end)
        found: Runs = ()
        for at in range(bisect_left(ends, start), min(inner, last + 1, len(ends))):
            found = joined(found, self._cut(at, start, end))
        if inner <= last:
            found = joined(found, self.runs[inner:last])  # each of these lies between the bounds
            if last < len(ends):
                found = joined(found, self._cut(last, start, end))
        return found

    def _cut(self, at: int, start: int, end: int) -> Runs:
        base = self._ends[at] - len(self.runs[at])
        part = cut_run(self.runs[at], start - base, end - base)
        return () if is_empty(part) else (part,)

    def _widen(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) widened to whole fixed tokens where it touches the inside of one."""
        if not 0 <= start <= end <= len(self):
            raise ValueError(f"bytes {start} to {end} are not in a text of {len(self)} bytes")
        return self._edge(start)[0], self._edge(end)[1]

    def _edge(self, at: int) -> tuple[int, int]:
        """The bytes of the fixed token that position ``at`` cuts; (at, at) where it cuts none."""
        place = bisect_right(self._ends, at)
        if place == len(self.runs):
            return at, at
        run, base = self.runs[place], self._ends[place] - len(self.runs[place])
        if not isinstance(run, Fixed) or at == base:
            return at, at
        low, high = token_at(run, at - base)
        return base + low, base + high


@dataclass(frozen=True, slots=True)
class Caret:
    """A place in a text: before byte ``byte``; ``index`` says before which token where several begin there."""

    byte: int
    index: int | None = None


def text_of(document: modality.Document) -> Text:
    """The same, for what shows texts only."""
    assert isinstance(document, Text), "a text"
    return document
