"""A map of what may follow: chains as areas, each as large as its joint probability, and one area for all the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from arplay.core.treemap import Box, squarified

REST = -2
"""What stands for all that is no area of its own, among :func:`laid_out`."""
SMALLEST = 1.0
"""Square pixels below which nothing further is told apart."""


@dataclass(frozen=True, slots=True)
class Area:
    """One token behind the area ``parent`` (-1: the place itself). ``total``: log p of the chain, in nats.

    ``ended``: nothing comes behind it, or it is as long as was asked. ``opened``: what comes behind it was looked at;
    ``rest`` is then the probability, given the chain, of all that is no area of its own.
    """

    parent: int
    id: int
    total: float
    depth: int
    ended: bool
    opened: bool = False
    rest: float = 1.0


def chain_of(areas: Sequence[Area], at: int) -> tuple[int, ...]:
    """The ids from the place on to area ``at``; none for -1."""
    found = []
    while at >= 0:
        found.append(areas[at].id)
        at = areas[at].parent
    return tuple(reversed(found))


def laid_out(areas: Sequence[Area], rest: float, root: int, box: Box) -> list[tuple[int, Box]]:
    """The chains below ``root`` that nothing was looked at behind, and :data:`REST` where there is any, in ``box``.

    Their areas are to each other as their joint probabilities, and fill it. What would be smaller than a pixel is one
    area with its like, under the number of what they have in common.

    >>> areas = (Area(-1, 0, math.log(0.5), 1, True), Area(-1, 1, math.log(0.3), 1, True))
    >>> [(at, round(found.area, 6)) for at, found in laid_out(areas, 0.2, -1, Box(0, 0, 10, 1))]
    [(0, 5.0), (1, 3.0), (-2, 2.0)]
    """
    children: dict[int, list[int]] = {}
    weights, lost = [0.0] * len(areas), [0.0] * len(areas)
    for at in range(len(areas) - 1, -1, -1):  # children stand behind their parents
        own = areas[at]
        if own.opened:
            lost[at] += math.exp(own.total) * own.rest
        else:
            weights[at] = math.exp(own.total)
        if own.parent >= 0:
            weights[own.parent] += weights[at]
            lost[own.parent] += lost[at]
        children.setdefault(own.parent, []).insert(0, at)
    unseen = lost[root] if root >= 0 else rest + sum(lost[at] for at in children.get(-1, []))
    found: list[tuple[int, Box]] = []
    waiting = [(root, box, unseen)]
    while waiting:
        at, inside, more = waiting.pop()
        below = sorted(children.get(at, []), key=lambda child: -weights[child])
        if (not below and at != root) or (inside.area < SMALLEST and at != root):
            found.append((at, inside))
            continue
        if not below and not more:
            found.append((at, inside))
            continue
        parts = [(weight, child) for child in below if (weight := weights[child])] + ([(more, REST)] if more else [])
        parts.sort(key=lambda part: -part[0])
        for (_, child), part in zip(parts, squarified([weight for weight, _ in parts], inside), strict=True):
            if child == REST:
                found.append((REST, part))
            else:
                waiting.append((child, part, 0.0))
    return sorted(found, key=lambda part: -part[1].area)
