"""Where tokens stand beside each other, and the orders in which one would go through them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from arplay.core.modalities.base import Encoded

Place = tuple[int, int]
"""Row and column, from 0."""


def places_of(encoded: Encoded) -> tuple[Place, ...]:
    """One a token: as its document tells rows and columns, else all of them side by side."""
    told = encoded.record()
    if "row" in told and "column" in told:
        return tuple(zip(map(int, told["row"]), map(int, told["column"]), strict=True))
    return tuple((0, column) for column in range(len(encoded)))


def named_orders(places: Sequence[Place], shuffles: int = 0) -> dict[str, tuple[int, ...]]:
    """Orders of n tokens by name, as indices of the chain; the first is the chain's own, and none is there twice.

    ``shuffles``: so many are without a plan (but always the same).

    >>> square = ((0, 0), (0, 1), (1, 0), (1, 1))
    >>> list(named_orders(square).items())[:3]
    [('own order, by rows', (0, 1, 2, 3)), ('by columns', (0, 2, 1, 3)), ('boustrophedon', (0, 1, 3, 2))]
    >>> list(named_orders(((0, 0), (0, 1), (0, 2))))[:2]
    ['own order', 'backwards']
    """
    n = len(places)
    own = list(range(n))
    once = {tuple(own): "own order"}
    if len({row for row, _ in places}) > 1:
        walks: dict[str, Callable[[int], tuple[int, ...]]] = {
            "by rows": lambda i: places[i],
            "by columns": lambda i: places[i][::-1],
            "boustrophedon": lambda i: (places[i][0], places[i][1] * (-1) ** places[i][0]),
        }
        for name, key in walks.items():
            order = tuple(sorted(own, key=key))
            once[order] = f"{once[order]}, {name}" if order in once else name
    once.setdefault(tuple(reversed(own)), "backwards")
    if n > 3:
        once.setdefault(tuple(own[::2] + own[1::2]), "every second first")
        once.setdefault(tuple(sorted(own, key=lambda i: abs(2 * i - n + 1))), "from the middle")
    for seed in range(shuffles):
        once.setdefault(tuple(random.Random(seed).sample(own, n)), f"shuffled {seed + 1}")
    return {name: order for order, name in once.items()}
