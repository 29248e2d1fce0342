"""Which context a token is scored with when a text is longer than the model's context.

Every token is scored once. The first window starts at 0; each later one starts ``stride`` tokens on, and only the
tokens that no earlier window scored are scored in it, each with at least W - stride tokens before it.

A later window begins in the middle of the text. The tokens that stand before the text may be put before it too: it then
reads so many tokens fewer of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids
from arplay.core.reading import Reading

T = TypeVar("T", int, Ids)
"""One place, or many."""


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

    def work(self, length: int) -> tuple[int, int]:
        """How many windows a chain of ``length`` tokens takes, and how many of its tokens they read together.

        >>> Windows(4, 2).work(9), [stop - 1 - start for start, _, stop in Windows(4, 2).spans(9)]
        ((3, 12), [4, 4, 4])
        """
        if length <= self.window + 1:
            return min(length, 1), max(0, length - 1)
        second, last = self.start(self.window + 1), self.start(length - 1)
        between = (last - second) // self.stride
        return between + 2, self.window + between * (self.window - self.lead) + length - 1 - last

    def spans(self, length: int) -> Iterator[tuple[int, int, int]]:
        """(start, first, stop) for each window: it reads from ``start`` and scores tokens first..stop-1."""
        first = 0
        while first < length:
            start = self.start(first)
            stop = min(length, start + self.window - self.before(start) + 1)
            yield start, first, stop
            first = stop


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
