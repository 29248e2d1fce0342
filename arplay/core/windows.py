"""Which context a piece is scored with when a text is longer than the model's context.

Every piece is scored once. The first window starts at 0; each later one starts ``stride`` pieces on, and only the
pieces that no earlier window scored are scored in it, each with at least W - stride pieces before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from arplay.core.errors import Problem


@dataclass(frozen=True, slots=True)
class Windows:
    """``window``: pieces the model reads at most (W); ``stride``: how far each window moves on."""

    window: int
    stride: int

    def __post_init__(self) -> None:
        if self.window < 1 or not 1 <= self.stride <= self.window:
            raise Problem(f"window {self.window} with stride {self.stride} is impossible", "1 <= stride <= window")

    @classmethod
    def half(cls, context: int) -> Windows:
        """The default: half a window of overlap, so every scored piece has at least half a context."""
        return cls(context, max(1, context // 2))

    def start(self, end: int) -> int:
        """Where the context of the piece at index ``end`` starts; the model then reads chain[start:end].

        With W = 4, stride 2: pieces 0..4 from 0, pieces 5 and 6 from 2, pieces 7 and 8 from 4.
        """
        over = end - self.window
        return 0 if over <= 0 else -(-over // self.stride) * self.stride

    def spans(self, length: int) -> Iterator[tuple[int, int, int]]:
        """(start, first, stop) for each window: it reads from ``start`` and scores pieces first..stop-1."""
        first = 0
        while first < length:
            start = self.start(first)
            stop = min(length, start + self.window + 1)
            yield start, first, stop
            first = stop
