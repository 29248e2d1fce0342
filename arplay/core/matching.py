"""Two distributions over two token sets at one place: the same tokens are those that write the same."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from arplay.core.distribution import Distribution, read_only
from arplay.core.modalities.base import Ids, TokenSet

ROUNDING = 1e-12
"""Less than this is left over by rounding."""
BLOCK = 4096
"""So many tokens are looked at between two yields."""


@dataclass(frozen=True, eq=False, slots=True)
class Match:
    """``other``: for each id of the first set that of the same token in the second, -1 where there is none; (V,).

    ``names``: of the two sets. ``same``: every id is the same token in both.
    """

    names: tuple[str, str]
    other: Ids
    same: bool


def matching(one: TokenSet, other: TokenSet) -> Generator[None, None, Match]:
    """Tokens that stand for units of a document are the same where they write the same, those that stand for
    themselves where their names are. Yields between blocks, since a vocabulary may have 256 thousand."""
    names = one.name, other.name
    if one.name == other.name and len(one) == len(other):
        return Match(names, read_only(np.arange(len(one))), True)
    ids: dict[tuple[object, ...], int] = {}
    for id in range(len(other)):
        if id % BLOCK == 0:
            yield None
        if not other.is_unused(id):
            ids.setdefault(_key(other, id), id)
    found = np.full(len(one), -1, np.int64)
    for id in range(len(one)):
        if id % BLOCK == 0:
            yield None
        if not one.is_unused(id):
            found[id] = ids.get(_key(one, id), -1)
    alike = len(one) == len(other) and bool((found == np.arange(len(one))).all())
    return Match(names, read_only(found), alike)


def _key(tokens: TokenSet, id: int) -> tuple[object, ...]:
    return tokens.is_special(id), *tokens.record(id).values()


@dataclass(frozen=True, slots=True)
class Both:
    """A token by its ids in either set (None: it has none) and p of it by either; None where that is not told."""

    ids: tuple[int | None, int | None]
    p: tuple[float | None, float | None]


@dataclass(frozen=True, eq=False, slots=True)
class TwoAtOnce:
    """Two distributions: the most probable tokens of either as ``rows``, and what all others have together, ``rest``.

    ``full``: whether each tells the whole distribution; what it does not tell may be there all the same.
    ``shared``: the probability that each gives to tokens that the other one has too; None where only some are told.
    ``kl`` is KL(first || second) in nats and ``tv`` the total variation, between the same tokens only.
    """

    rows: tuple[Both, ...]
    rest: tuple[float, float]
    full: tuple[bool, bool]
    shared: tuple[float, float] | None
    kl: float | None
    tv: float | None


def two(p: Distribution, q: Distribution, match: Match, n: int) -> TwoAtOnce:
    """The n tokens that either finds most probable.

    >>> ln = np.log
    >>> match = Match(("a", "b"), np.array([1, -1]), False)  # the first one's 0 is the second one's 1
    >>> found = two(Distribution(2, ln([0.75, 0.25])), Distribution(2, ln([0.5, 0.5])), match, 3)
    >>> [row.ids for row in found.rows], found.shared
    ([(0, 1), (None, 0), (1, None)], (0.75, 0.5))
    """
    back = np.full(max(q.size, int(match.other.max(initial=-1)) + 1), -1)
    there = np.flatnonzero(match.other >= 0)
    back[match.other[there[::-1]]] = there[::-1]  # the first of several that write the same
    pairs: dict[tuple[int | None, int | None], None] = {}
    for id in p.top(n).tolist():
        its = int(match.other[id]) if id < len(match.other) else -1
        pairs[id, its if its >= 0 else None] = None
    for id in q.top(n).tolist():
        its = int(back[id]) if id < len(back) else -1
        pairs[its if its >= 0 else None, id] = None
    rows = [Both(ids, (_of(p, ids[0]), _of(q, ids[1]))) for ids in pairs]
    rows.sort(key=lambda row: -max(row.p[0] or 0.0, row.p[1] or 0.0))
    rows = rows[:n]
    rest = [1.0 - math.fsum(row.p[side] or 0.0 for row in rows) for side in (0, 1)]
    rest = [part if part > ROUNDING else 0.0 for part in rest]
    shared, kl, tv = None, None, None
    if p.full and q.full:
        mine, theirs = there[there < p.size], np.unique(match.other[there])
        shared = float(p.probs[mine].sum()), float(q.probs[theirs[theirs < q.size]].sum())
        if match.same and p.size == q.size:
            alive = p.support
            kl = max(0.0, float(np.sum(p.probs[alive] * (p.logprobs[alive] - q.logprobs[alive]))))
            tv = 0.5 * float(np.abs(p.probs - q.probs).sum())
    return TwoAtOnce(tuple(rows), (rest[0], rest[1]), (p.full, q.full), shared, kl, tv)


def _of(distribution: Distribution, id: int | None) -> float | None:
    """None for what is not told; 0 for a token that is not there."""
    if id is None:
        return None
    told = distribution.logprob(id)
    return None if told is None else math.exp(told)
