"""Which samples of a sound are in sight, and how wheel and keys change that."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 16
"""Samples that are in sight at least, where there are as many."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples [first, stop) of a sound.

    >>> Stretch(0, 1000).zoomed(0.5, 500, 1000)
    Stretch(first=250, stop=750)
    >>> Stretch(250, 750).moved(9000, 1000), Stretch(250, 750).zoomed(4, 0, 1000)
    (Stretch(first=500, stop=1000), Stretch(first=0, stop=1000))
    >>> Stretch(0, 100).holding(500, 1000)
    Stretch(first=475, stop=575)
    """

    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    def zoomed(self, factor: float, at: int, n: int) -> Stretch:
        """``factor`` times as many of the n samples; ``at`` stays where it is on the screen."""
        count = min(max(round(len(self) * factor), LEAST), n)
        share = (at - self.first) / max(1, len(self))
        return Stretch(round(at - share * count), 0)._of(count, n)

    def moved(self, by: int, n: int) -> Stretch:
        return Stretch(self.first + by, 0)._of(len(self), n)

    def holding(self, at: int, n: int) -> Stretch:
        """Itself, or as many samples with ``at`` among them, what comes next nearer than what was."""
        if self.first <= at <= self.stop:
            return self._of(len(self), n)
        return Stretch(at - len(self) // 4, 0)._of(len(self), n)

    def _of(self, count: int, n: int) -> Stretch:
        count = min(count, n)
        first = min(max(self.first, 0), n - count)
        return Stretch(first, first + count)
