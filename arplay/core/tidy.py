"""Where the branches of a tree lie: tidy, from left to right, or as blocks inside each other. Numbers only.

A tree is ``parents``: for each branch the number of the one that it leaves, -1 for the first; parents come before
their children, and children in the order in which they are to lie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROW = 1.0
"""How high every branch is."""


def starts(parents: Sequence[int], lengths: Sequence[float]) -> Floats:
    """Where each branch begins: where the one that it leaves ends.

    >>> starts([-1, 0, 0, 1], [2, 1, 5, 1]).tolist()
    [0.0, 2.0, 2.0, 3.0]
    """
    begin = [0.0] * len(parents)
    for i, parent in enumerate(parents):
        if parent >= 0:
            begin[i] = begin[parent] + lengths[parent]
    return np.array(begin)


def tidy(parents: Sequence[int], lengths: Sequence[float]) -> tuple[Floats, Floats]:
    """x where each branch begins, y of its middle, both of shape (n,); ``lengths`` along x, each ``ROW`` high.

    No two branches overlap, each lies in the middle of its first and its last child, and what fits beside something
    shorter lies there: Reingold and Tilford's trees, for branches of any length as in A. van der Ploeg, "Drawing
    non-layered tidy trees in linear time" (2014).

    >>> x, y = tidy([-1, 0, 0, 1, 1], [1, 1, 3, 1, 1])
    >>> x.tolist(), y.tolist()
    ([0.0, 1.0, 1.0, 2.0, 2.0], [1.25, 0.5, 2.0, 0.0, 1.0])

    Raises ValueError for a parent that does not come before its child.
    """
    n = len(parents)
    below: list[list[int]] = [[] for _ in range(n)]
    for i, parent in enumerate(parents):
        if not -1 <= parent < i or (parent < 0) != (i == 0):
            raise ValueError(f"branch {i} cannot leave branch {parent}")
        if parent >= 0:
            below[parent].append(i)
    x = starts(parents, lengths)
    ends = (x + np.asarray(lengths, np.float64)).tolist()
    walk = _Walk(below, ends)
    for i in range(n - 1, -1, -1):
        walk.lay(i)
    y, shift = [0.0] * n, [0.0] * n
    for i, parent in enumerate(parents):
        shift[i] = walk.moved[i] + (shift[parent] if parent >= 0 else 0.0)
        y[i] = walk.y[i] + shift[i]
    found = np.array(y)
    return x, found - found.min() if n else found


class _Walk:
    """From the leaves up: each subtree is moved below the one before it, along the edges that face each other.

    ``y`` of a branch is in its own subtree, which ``moved`` moves as a whole. A leaf at the end of an edge has a thread
    to the branch of its neighbour at which the edge goes on.
    """

    def __init__(self, below: list[list[int]], ends: list[float]) -> None:
        n = len(below)
        self.below, self.ends = below, ends
        self.y, self.moved = [0.0] * n, [0.0] * n
        self.upper, self.lower = [-1] * n, [-1] * n  # threads along the upper and the lower edge
        self.first, self.last = list(range(n)), list(range(n))  # where these edges end
        self.at_first, self.at_last = [0.0] * n, [0.0] * n  # how far those are moved, seen from the subtree

    def lay(self, i: int) -> None:
        """The children of ``i``, whose own subtrees are laid out, below each other; ``i`` in their middle."""
        children = self.below[i]
        if not children:
            return
        for k in range(1, len(children)):
            self._separate(children, k)
        head, tail = children[0], children[-1]
        self.y[i] = (self.y[head] + self.moved[head] + self.y[tail] + self.moved[tail]) / 2
        self.first[i], self.at_first[i] = self.first[head], self.at_first[head]
        self.last[i], self.at_last[i] = self.last[tail], self.at_last[tail]

    def _separate(self, children: list[int], k: int) -> None:
        y, moved, ends, below = self.y, self.moved, self.ends, self.below
        above, under = children[k - 1], children[k]
        a, u = moved[above], moved[under]
        child = under
        while above >= 0 and under >= 0:
            gap = (a + y[above] + ROW) - (u + y[under])
            if gap > 0:
                u += gap
                moved[child] += gap
                self.at_first[child] += gap
                self.at_last[child] += gap
            over, beneath = ends[above], ends[under]
            if over <= beneath:
                above = below[above][-1] if below[above] else self.lower[above]
                a += moved[above] if above >= 0 else 0.0
            if over >= beneath:
                under = below[under][0] if below[under] else self.upper[under]
                u += moved[under] if under >= 0 else 0.0
        head, before = children[0], children[k - 1]
        if above < 0 <= under:
            end = self.first[head]
            self.upper[end] = under
            change = (u - moved[under]) - self.at_first[head]
            moved[end] += change
            y[end] -= change
            self.first[head], self.at_first[head] = self.first[child], self.at_first[child]
        elif under < 0 <= above:
            end = self.last[child]
            self.lower[end] = above
            change = (a - moved[above]) - self.at_last[child]
            moved[end] += change
            y[end] -= change
            self.last[child], self.at_last[child] = self.last[before], self.at_last[before]


def shares(probs: Sequence[float]) -> list[float]:
    """How much of its parent each block takes: its probability there; what is left is what was not tried.

    Where nobody knows a probability (NaN), those share evenly what the others leave, at least half. Probabilities that
    are together more than 1 (of several places of a text) are scaled to 1.

    >>> shares([0.5, 0.25]), shares([0.5, math.nan, math.nan]), shares([0.9, 0.7, 0.4])
    ([0.5, 0.25], [0.5, 0.25, 0.25], [0.45, 0.35, 0.2])
    """
    known = sum(p for p in probs if not math.isnan(p))
    unknown = sum(map(math.isnan, probs))
    most = 0.5 if unknown else 1.0
    scale = most / known if known > most else 1.0
    each = (1.0 - known * scale) / unknown if unknown else 0.0
    return [each if math.isnan(p) else p * scale for p in probs]
