"""Squarified treemaps: areas in proportion to weights, none of them long and thin where it can be helped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height


def squarified(weights: Sequence[float], inside: Box) -> list[Box]:
    """A box for each weight, in its order (Bruls, Huizing and van Wijk 2000); weights that fall are laid out best.

    A weight of 0 has an empty box. Raises ValueError for a negative one, or for one that is no number.

    >>> [tuple(map(float, box)) for box in squarified([2, 1, 1], Box(0, 0, 4, 2))]
    [(0.0, 0.0, 2.0, 2.0), (2.0, 0.0, 2.0, 1.0), (2.0, 1.0, 2.0, 1.0)]
    """
    if not all(0 <= weight < float("inf") for weight in weights):
        raise ValueError("a weight is a number from 0")
    whole, found, at = sum(weights), list[Box](), 0
    if not whole:
        return [Box(inside.x, inside.y, 0, 0) for _ in weights]
    free, left = inside, whole
    while at < len(weights):
        stop = at + 1
        while stop < len(weights) and _worst(weights[at : stop + 1], left, free) <= _worst(
            weights[at:stop], left, free
        ):
            stop += 1
        row, free = _row(weights[at:stop], left, free, stop == len(weights))
        found += row
        left = max(0.0, left - sum(weights[at:stop]))
        at = stop
    return found


def _worst(row: Sequence[float], left: float, free: Box) -> float:
    """The longest side by the shortest, of the boxes of a row along the shorter side of what is free."""
    total, side = sum(row), min(free.width, free.height)
    if not total or not side or not left:
        return 0.0
    deep = total / left * free.area / side
    lengths = [side * weight / total for weight in row if weight]
    return max(max(deep / length, length / deep) if length and deep else 0.0 for length in lengths)


def _row(row: Sequence[float], left: float, free: Box, last: bool) -> tuple[list[Box], Box]:
    """The boxes of one row, and what is free behind it."""
    total = sum(row)
    share = 1.0 if last else min(1.0, total / left) if left else 0.0
    across = free.width >= free.height  # the row stands at the left
    deep = share * (free.width if across else free.height)
    found, along = list[Box](), free.y if across else free.x
    end = along + (free.height if across else free.width)
    for at, weight in enumerate(row):
        length = (free.height if across else free.width) * weight / total if total else 0.0
        if at == len(row) - 1 and total and weight:
            length = end - along
        found.append(Box(free.x, along, deep, length) if across else Box(along, free.y, length, deep))
        along += length
    rest = (
        Box(free.x + deep, free.y, free.width - deep, free.height)
        if across
        else Box(free.x, free.y + deep, free.width, free.height - deep)
    )
    return found, rest
