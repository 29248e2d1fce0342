"""Which context a token is scored with when a text is longer than the model's context.

Every token is scored once. The first window starts at 0; each later one starts ``stride`` tokens on, and only the
tokens that no earlier window scored are scored in it, each with at least W - stride tokens before it.

A later window begins in the middle of the text. The tokens that stand before the text may be put before it too: it then
reads so many tokens fewer of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids
from arplay.core.reading import Reading

T = TypeVar("T", int, Ids)
"""One place, or many."""


class Cost(NamedTuple):
    """What scoring costs: so many windows, each a forward, in which so many tokens are ``read`` together."""

    windows: int
    read: int


@dataclass(frozen=True, slots=True)
class Windows:
    """``window``: tokens the model reads at most (W); ``stride``: how far each window moves on.

    ``lead``: how many tokens the chain begins with that every later window begins with as well.
    """

    window: int
    stride: int
    lead: int = 0

    def __post_init__(self) -> None:
        if self.window < 1 or self.lead < 0 or not 1 <= self.stride <= self.window - self.lead:
            raise Problem(f"window {self.window} with stride {self.stride} is impossible", "1 <= stride <= window")

    @classmethod
    def half(cls, context: int, lead: int = 0) -> Windows:
        """The default: half a window of overlap, so every scored token has at least half a context."""
        return cls(context, max(1, (context - lead) // 2), lead)

    def start(self, end: T) -> T:
        """Where the context of the token at index ``end`` starts; the model then reads chain[start:end].

        With W = 4, stride 2: tokens 0..4 from 0, tokens 5 and 6 from 2, tokens 7 and 8 from 4.
        """
        over = end - self.window
        return (over > 0) * -(-(over + self.lead) // self.stride) * self.stride

    def before(self, start: T) -> T:
        """How many tokens are put before a window that starts at ``start``."""
        return self.lead * (start > 0)

    def read(self, chain: Ids, start: int, end: int) -> Ids:
        """The tokens that the model reads: chain[start:end], after the chain's first ones where they are put there.

        >>> Windows(4, 2, lead=1).read(np.arange(9), 4, 7)
        array([0, 4, 5, 6])
        """
        return np.concatenate([chain[: self.before(start)], chain[start:end]])

    def spans(self, length: int, known: int = 0) -> Iterator[tuple[int, int, int]]:
        """(start, first, stop) for each window: it reads from ``start`` and scores tokens first..stop-1.

        Without those that score only the first ``known`` tokens of the chain.
        """
        start = self.start(known)
        first = max(self.window + 1, self._stop(start - self.stride)) if start else 0
        while first < length > known:
            start = self.start(first)
            stop = min(length, self._stop(start))
            yield start, first, stop
            first = stop

    def _stop(self, start: int) -> int:
        """Behind the last token that a window from ``start`` can score: it scores one that it does not read."""
        return start + self.window - self.before(start) + 1

    def cost(self, length: int, known: int = 0) -> Cost:
        """What it takes to score a chain of so many tokens, told without going through the windows.

        The first window reads W tokens at most and scores W + 1; of the later ones all but the last read W. Those that
        score only the first ``known`` tokens are left out.

        With W = 4 and stride 2 ten tokens are read in windows from 0, 2, 4 and 6, of 4 tokens each:

        >>> Windows(4, 2).cost(10), Windows(4, 2).cost(10, known=7), Windows(512, 1).cost(1_000_000)
        (Cost(windows=4, read=16), Cost(windows=2, read=8), Cost(windows=999488, read=511737856))
        """
        if known >= length:
            return Cost(0, 0)
        if length <= self.window + 1:
            return Cost(1, min(length, self.window))
        second = int(self.start(self.window + 1))
        more = -(-max(0, length - self._stop(second)) // self.stride)  # windows behind the second
        last = min(self.window, self.lead + length - second - more * self.stride)  # what the last one reads
        start = int(self.start(known))
        done = 1 + (start - second) // self.stride if start else 0
        return Cost(2 + more - done, (1 + more - done) * self.window + last)


def windows_of(context: int | None, length: int, reading: Reading, lead: int = 0) -> Windows:
    """How a chain of ``length`` tokens, ``lead`` of them before the document, is read by a model with ``context``.

    As a whole where the context is endless, else in windows, each half a window behind the one before, unless
    ``reading`` says otherwise. Raises Problem for a context or a stride that the model cannot have.

    >>> windows_of(8, 20, Reading()), windows_of(8, 20, Reading(context=6, stride=1))
    (Windows(window=8, stride=4, lead=0), Windows(window=6, stride=1, lead=0))
    >>> windows_of(None, 20, Reading())
    Windows(window=20, stride=20, lead=0)
    """
    if reading.context and context and reading.context > context:
        asked = f"a context of {reading.context:,} tokens is more than this model has"
        raise Problem(asked, f"choose at most {context:,}")
    context = reading.context or context
    if not context:
        return Windows(max(1, length), max(1, length))
    lead = lead if reading.window_lead and length > context else 0
    if reading.stride is None:
        return Windows.half(context, lead)
    if reading.stride > context - lead:
        asked = f"windows of {context:,} tokens that move on by {reading.stride:,} leave tokens out"
        raise Problem(asked, f"choose a stride of at most {context - lead:,}")
    return Windows(context, reading.stride, lead)
