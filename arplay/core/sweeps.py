"""Perplexity against stride and against context: at which of them a text is scored, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from arplay.core.conventions import Sum
from arplay.core.reading import Reading
from arplay.core.windows import windows_of

Axis = Literal["stride", "context"]
LEAST = 16
"""Tokens of the smallest context."""
BOUND = 1 << 17
"""Tokens that a curve may read, or four times the text where that is more; the points that cost more are left out."""


@dataclass(frozen=True, slots=True)
class Point:
    """A ``context`` and a ``stride``, how many tokens are ``read`` for them, and what they came to (None: not yet)."""

    context: int
    stride: int
    read: int
    found: Sum | None = None

    def reading(self, reading: Reading) -> Reading:
        """``reading`` with these."""
        return replace(reading, context=self.context, stride=self.stride)


def planned(context: int | None, length: int, lead: int, reading: Reading, axis: Axis) -> list[Point]:
    """The points of a curve for a chain of ``length`` tokens (``lead`` of them before the text), the cheapest first.

    ``context``: of the model (None: endless). ``stride``: W, W/2, W/4 … at the context that ``reading`` asks for;
    ``context``: 16, 32, … W, each with a stride of half of it, as arplay has it by itself.

    >>> [(p.stride, p.read) for p in planned(8, 29, 0, Reading(), "stride")]
    [(8, 29), (4, 48), (2, 88), (1, 168)]
    >>> [(p.context, p.stride) for p in planned(64, 100, 0, Reading(), "context")]
    [(16, 8), (32, 16), (64, 32)]
    """
    windows = windows_of(context, length, reading, lead)
    most, before = windows.window, windows.lead
    if axis == "stride":
        first = most - before
        settings = [(most, first >> halved) for halved in range(first.bit_length())]
    else:
        powers = [1 << power for power in range(LEAST.bit_length() - 1, 40) if 1 << power < min(most, length)]
        settings = [(each, max(1, (each - before) // 2)) for each in [*powers, most] if each > before]
    found = []
    for each, stride in settings:
        asked = windows_of(context, length, replace(reading, context=each, stride=stride), lead)
        found.append(Point(each, stride, asked.cost(length).read))
    return found


def affordable(points: Sequence[Point], length: int) -> list[Point]:
    """Those that are within :data:`BOUND` together, from the first on; two at least."""
    left, kept = max(BOUND, 4 * length), list[Point]()
    for point in points:
        left -= 0 if point.found is not None else point.read
        if left < 0 and len(kept) >= 2:
            break
        kept.append(point)
    return kept
