"""The tree of a beam search: every candidate that was looked at, from left to right, with nothing above another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from arplay.core.beams import Expansion, Fate


@dataclass(frozen=True, slots=True)
class Leaf:
    """One candidate. ``parent``: its number among all, -1 behind the place itself; ``ids``: the chain with it.

    ``logprob``: of this token, ``total``: of the chain, in nats, and what the chain ``paid`` to diversity. ``column``
    is the step, from 0, and ``row`` where it stands: that of its only child, or in the middle of its children.
    """

    parent: int
    ids: tuple[int, ...]
    logprob: float
    total: float
    rank: int
    fate: Fate
    column: int
    row: float
    paid: float


def tree_of(expansions: Sequence[Expansion], groups: int = 1) -> list[Leaf]:
    """Of all expansions so far, those of a step after those of the step before.

    >>> from arplay.core.beams import Candidate, Beam
    >>> step = Expansion(1, (Candidate(0, 5, -0.5, 1, "goes on"), Candidate(0, 3, -1.0, 2, "pruned")), (), (0,), (5,))
    >>> next_step = Expansion(2, (Candidate(0, 7, -0.7, 1, "finished"),), (), (), ())
    >>> [(leaf.ids, leaf.parent, leaf.column, leaf.row) for leaf in tree_of([step, next_step])]
    [((5,), -1, 0, 0.0), ((3,), -1, 0, 1.0), ((5, 7), 0, 1, 0.0)]
    """
    found: list[Leaf] = []
    children: dict[int, list[int]] = {}
    beams = [-1] * groups  # the numbers of those that were expanded
    for column, expansion in enumerate(expansions):
        going: dict[tuple[int, int], int] = {}
        for each in expansion.candidates:
            parent = beams[each.parent]
            ids, total = (found[parent].ids, found[parent].total) if parent >= 0 else ((), 0.0)
            number, chain = len(found), each.total + each.paid
            found.append(
                Leaf(parent, (*ids, each.id), chain - total, chain, each.rank, each.fate, column, 0.0, each.paid)
            )
            children.setdefault(parent, []).append(number)
            if each.fate == "goes on":
                going[each.parent, each.id] = number
        beams = [going[pair] for pair in zip(expansion.parents, expansion.ids, strict=True)]
    rows = _rows(children, len(found))
    return [replace(one, row=row) for one, row in zip(found, rows, strict=True)]


def kept(leaves: Sequence[Leaf], ids: tuple[int, ...]) -> int:
    """How many tokens of a chain were kept, from its first one on; the next one was pruned, or not even looked at.

    >>> from arplay.core.beams import Candidate
    >>> step = Expansion(1, (Candidate(0, 5, -0.5, 1, "goes on"), Candidate(0, 3, -1.0, 2, "pruned")), (), (0,), (5,))
    >>> kept(tree_of([step]), (5, 7)), kept(tree_of([step]), (3, 7))
    (1, 0)
    """
    stays = {leaf.ids for leaf in leaves if leaf.fate in ("goes on", "finished")}
    return next((count for count in range(len(ids)) if ids[: count + 1] not in stays), len(ids))


def _rows(children: dict[int, list[int]], count: int) -> list[float]:
    """Depth first: a leaf takes the next row, its parent stands in the middle of its own."""
    order, waiting = list[int](), [-1]
    while waiting:
        number = waiting.pop()
        order.append(number)
        waiting += reversed(children.get(number, []))
    rows, free = [0.0] * count, 0
    for number in order:
        if number >= 0 and number not in children:
            rows[number], free = float(free), free + 1
    for number in reversed(order):
        if number >= 0 and number in children:
            rows[number] = (rows[children[number][0]] + rows[children[number][-1]]) / 2
    return rows
