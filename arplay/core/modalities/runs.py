"""Runs of a text: stretches that were typed, which have ids only through an alphabet, and those whose ids are fixed.

An edit takes runs away and puts others in their place. All positions here are bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, takewhile

import numpy as np

from arplay.core.distribution import frozen
from arplay.core.modalities.base import Document
from arplay.core.modalities.spans import change, to_bytes, to_text
from arplay.core.modalities.vocabulary import Tokens, Vocabulary, visible
from arplay.core.rising import place_in


@dataclass(frozen=True, slots=True)
class Typed:
    """Text that a person wrote; it has ids only through an alphabet."""

    data: bytes

    def __len__(self) -> int:
        return len(self.data)


SHOWN = 160
"""Characters of a long insertion that are told."""

MOST_FIXED = 256
"""Tokens of one fixed run: what is done at the end of a long text costs what it costs in a short one."""


@dataclass(frozen=True)
class Fixed:
    """Tokens that were picked or sampled: ids of the vocabulary named ``vocabulary`` and their bytes.

    An id that no token owns has no bytes; it stays behind the byte that it was put after.
    """

    vocabulary: str
    ids: tuple[int, ...]
    tokens: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.data)

    @cached_property
    def data(self) -> bytes:
        return b"".join(self.tokens)

    @cached_property
    def encoded(self) -> Tokens:
        """Its ids and where each token ends."""
        ends = np.cumsum([len(token) for token in self.tokens], dtype=np.int64)
        return Tokens(frozen(np.array(self.ids, np.int32)), frozen(ends.astype(np.int32)))


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
            return Edit(edit.at, joined(first.removed, last.removed), ())
        return None

    def before(self, kind: str, caret: int) -> int | None:
        """Behind what typing removed, or where the token was put."""
        if kind == "typed":
            return caret + size(self.removed) - size(self.inserted)
        return None if kind in ("opened", "retokenised") else caret - size(self.inserted[-1:])

    def said(self, kind: str) -> tuple[str, bool]:
        """The token that was put there, else the smallest stretch that differs."""
        if kind != "typed" and self.inserted:
            return visible(self.inserted[-1].data), True
        old = b"".join(run.data for run in self.removed)
        new = b"".join(run.data for run in self.inserted)
        start, old_end, new_end = change(old, new)
        if new_end > start:
            return _beginning(new[start:new_end]), True
        return f"Deleted {_beginning(old[start:old_end])}", False

    def untouched(self, spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return tuple(span for span in spans if span[1] <= self.at)

    def opened(self, document: Document | None) -> str:
        count = size(self.inserted) if document is None else len(document)
        return f"Opened {count:,} byte{'s' * (count != 1)}" if count else "Empty text"

    def _longer(self, edit: Edit) -> Edit | None:
        if len(self.inserted) != 1 or len(edit.inserted) != 1:
            return None
        old, new = self.inserted[0], edit.inserted[0]
        if not isinstance(old, Typed) or not isinstance(new, Typed):
            return None
        if new.data[:1].isspace() and not old.data[-1:].isspace():
            return None
        return Edit(self.at, (), (Typed(old.data + new.data),))


def _beginning(data: bytes) -> str:
    text = to_text(data[: 4 * SHOWN])
    return visible(to_bytes(text[:SHOWN])) + ("…" if len(text) > SHOWN else "")


def size(runs: Runs) -> int:
    return sum(len(run) for run in runs)


def cut_run(run: Run, low: int, high: int) -> Run:
    """What of ``run`` lies in [low, high), counted from its own first byte."""
    if isinstance(run, Typed):
        return Typed(run.data[max(low, 0) : max(high, 0)])
    if high >= len(run) and (low < 0 or (low == 0 and run.tokens and run.tokens[0])):
        return run
    if low >= len(run) or high < 0:  # at the end of a run that grows, nothing of it is looked at
        return Fixed(run.vocabulary, (), ())
    ends = run.encoded.ends
    first = place_in(ends, low, "right")
    last = place_in(ends, high, "right")
    for bound, at in ((low, first), (high, last)):
        if 0 < bound < len(run) and ends[at] - len(run.tokens[at]) != bound:
            raise ValueError(f"bytes {low} to {high} cut a fixed token")
    return Fixed(run.vocabulary, run.ids[first:last], run.tokens[first:last])


def bare_first(runs: Runs) -> int:
    """How many tokens without bytes ``runs`` begins with."""
    tokens = (token for run in runs for token in (run.tokens if isinstance(run, Fixed) else (run.data,)))
    return sum(1 for _ in takewhile(lambda token: not token, tokens))


def without_last(runs: Runs, count: int) -> Runs:
    """``runs`` without the last ``count`` tokens, all of which are fixed."""
    while count and isinstance(last := runs[-1], Fixed):
        kept = max(0, len(last.ids) - count)
        count -= len(last.ids) - kept
        left = (Fixed(last.vocabulary, last.ids[:kept], last.tokens[:kept]),) if kept else ()
        runs = joined(runs[:-1], left)
    return runs


def anew(runs: Runs, tokens: Vocabulary | None = None) -> Runs:
    """As if all had been typed, but for special ``tokens``: typed, their names would be letters.

    >>> from arplay.core.modalities.vocabulary import Vocabulary
    >>> tokens = Vocabulary("v", (b"a", b"<end>"), frozenset((1,)))
    >>> [run.data for run in anew((Typed(b"b"), Fixed("v", (0, 1), (b"a", b"<end>"))), tokens)]
    [b'ba', b'<end>']
    """
    found: list[Run] = []
    for run in runs:
        if isinstance(run, Typed) or tokens is None or run.vocabulary != tokens.name:
            found.append(Typed(run.data))
            continue
        for stays, some in groupby(zip(run.ids, run.tokens, strict=True), lambda one: one[0] in tokens.special):
            ids, data = zip(*some, strict=True)
            found.append(Fixed(run.vocabulary, ids, data) if stays else Typed(b"".join(data)))
    return normal((*_one_typed(found),))


def _one_typed(runs: list[Run]) -> Iterator[Run]:
    """Neighbours that were typed as one, however many there are."""
    for typed, some in groupby(runs, lambda run: isinstance(run, Typed)):
        if typed:
            yield Typed(b"".join(run.data for run in some))
        else:
            yield from some


def is_empty(run: Run) -> bool:
    return not (run.ids if isinstance(run, Fixed) else run.data)


def token_at(run: Fixed, at: int) -> tuple[int, int]:
    """The bytes of the token that byte position ``at`` (0 < at < length) cuts; (at, at) between two tokens."""
    ends = run.encoded.ends
    index = place_in(ends, at)
    if int(ends[index]) == at:
        return at, at
    return int(ends[index]) - len(run.tokens[index]), int(ends[index])


def normal(runs: Iterable[Run]) -> Runs:
    """The same tokens with no empty run and no two neighbours that could be one."""
    result: Runs = ()
    for run in runs:
        if isinstance(run, Fixed) and len(run.ids) > MOST_FIXED:
            cuts = (slice(at, at + MOST_FIXED) for at in range(0, len(run.ids), MOST_FIXED))
            parts: Runs = tuple(Fixed(run.vocabulary, run.ids[cut], run.tokens[cut]) for cut in cuts)
            result = joined(result, parts)
        elif not is_empty(run):
            result = joined(result, (run,))
    return result


def joined(before: Runs, after: Runs) -> Runs:
    """Two lists of runs in normal form as one: only where they meet is there anything to do."""
    if not before or not after:
        return before or after
    last, first = before[-1], after[0]
    if isinstance(last, Typed) and isinstance(first, Typed):
        return (*before[:-1], Typed(last.data + first.data), *after[1:])
    if isinstance(last, Fixed) and isinstance(first, Fixed) and last.vocabulary == first.vocabulary:
        ids, tokens = last.ids + first.ids, last.tokens + first.tokens
        if len(ids) <= MOST_FIXED:
            return (*before[:-1], Fixed(last.vocabulary, ids, tokens), *after[1:])
    return before + after


def whole(runs: Runs) -> list[tuple[str | None, tuple[int, ...], bytes]]:
    """Runs with neighbours of one vocabulary as one, to be compared."""
    found: list[tuple[str | None, tuple[int, ...], bytes]] = []
    for run in runs:
        what = (run.vocabulary, run.ids, run.data) if isinstance(run, Fixed) else (None, (), run.data)
        if found and what[0] is not None and found[-1][0] == what[0]:
            what = (what[0], found[-1][1] + what[1], found[-1][2] + what[2])
            found.pop()
        found.append(what)
    return found
