"""What a changed token moves: "change x_j, look at p(. | x_<i)", measured beside what the architecture connects.

A model is causal where p(. | x_<i) does not depend on x_j for any j >= i, so that the product of these conditionals is
the probability of the whole chain. Rows are conditionals i, columns changed tokens j: only the triangle below the
diagonal (j < i) may move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import Floats, log_softmax
from arplay.core.modalities.base import Ids
from arplay.core.picking import uniform

Bools = NDArray[np.bool_]


def another(seed: int, index: int, id: int, size: int) -> int:
    """An id that is not ``id``: each of the other ``size`` - 1 with the same chance, drawn at u of (seed, index).

    Raises ValueError where there is no other.

    >>> another(0, 5, 1, 2), another(0, 5, 0, 2), another(3, 4, 7, 256) != 7
    (0, 1, True)
    """
    if size < 2:
        raise ValueError(f"{size} tokens: there is no other one")
    drawn = int(uniform(seed, index) * (size - 1))
    return drawn + (drawn >= id)


@dataclass(frozen=True, eq=False, slots=True)
class Moves:
    """How far one changed token moved each of r conditionals; all of shape (r,).

    ``variation``: total variation 1/2 sum |p - q|, from 0 to 1; ``divergence``: KL(p || q) in nats, p before the change
    and q after it; ``any``: whether a logit moved at all.
    """

    variation: Floats
    divergence: Floats
    any: Bools


def moves(before: NDArray[np.floating], after: NDArray[np.floating]) -> Moves:
    """Of logits (r, V) before a change and after it. Raises Problem for those that define no distribution.

    p = (1/2, 1/2) and q = (3/4, 1/4): the variation is 1/4, the divergence log 2 - (log 3) / 2 = 0.1438 nats.

    >>> found = moves(np.log([[0.5, 0.5], [0.2, 0.8]]), np.log([[0.75, 0.25], [0.2, 0.8]]))
    >>> found.variation.round(4).tolist(), found.divergence.round(4).tolist(), found.any.tolist()
    ([0.25, 0.0], [0.1438, 0.0], [True, False])
    """
    p, q = (np.atleast_2d(log_softmax(np.asarray(logits))) for logits in (before, after))
    with np.errstate(invalid="ignore"):
        gap = np.where(p == q, 0.0, p - q)  # of two infinities, too
        variation = 0.5 * np.abs(np.exp(p) - np.exp(q)).sum(axis=1)
        divergence = np.maximum(0.0, np.where(p == -np.inf, 0.0, np.exp(p) * gap).sum(axis=1))
    return Moves(variation, divergence, np.any(before != after, axis=-1).reshape(len(p)))


@dataclass(frozen=True, eq=False, slots=True)
class Agreement:
    """``beyond``: pairs (i, j) that moved though they are not connected, or j >= i; ``silent``: how many that are
    connected did not move; ``measured``: how many pairs there are."""

    beyond: tuple[tuple[int, int], ...]
    silent: int
    measured: int

    @property
    def holds(self) -> bool:
        """Whether nothing moved that may not."""
        return not self.beyond


def agreement(rows: Sequence[int], columns: Sequence[int], moved: Bools, declared: Bools | None) -> Agreement:
    """What was measured, (r, c), beside what is declared, of the same shape; None: only j < i is asked for.

    >>> agreement((0, 1), (0, 1), np.array([[False, False], [True, True]]), None).beyond
    ((1, 1),)
    """
    may = np.array(rows)[:, None] > np.array(columns)[None, :]
    if declared is not None:
        may = may & declared
    wrong = [(rows[r], columns[c]) for r, c in np.argwhere(moved & ~may).tolist()]
    return Agreement(tuple(wrong), int(np.count_nonzero(may & ~moved)) if declared is not None else 0, moved.size)


def by_distance(rows: Sequence[int], columns: Sequence[int], values: Floats) -> tuple[Ids, Floats, Floats, Floats]:
    """Distances i - j >= 1 that were measured, and mean, least and greatest value at each; shapes (d,).

    >>> distance, mean, low, high = by_distance((0, 1, 2), (0, 1), np.array([[0, 0], [0.5, 0], [0.2, 0.3]]))
    >>> distance.tolist(), mean.tolist(), high.tolist()
    ([1, 2], [0.4, 0.2], [0.5, 0.2])
    """
    distance = np.array(rows)[:, None] - np.array(columns)[None, :]
    known = (distance > 0) & ~np.isnan(values)
    found = np.unique(distance[known])
    each = [values[known & (distance == d)] for d in found.tolist()]
    return (
        found,
        np.array([float(np.mean(part)) for part in each]),
        np.array([float(np.min(part)) for part in each]),
        np.array([float(np.max(part)) for part in each]),
    )


LEAST_FELT = 0.01
"""Nats of KL divergence from which a wrong token is felt."""


def felt_until(divergence: Floats) -> int:
    """The last distance from 1 on at which a divergence, (d,) in nats, is felt; 0 where none is.

    >>> felt_until(np.array([1.0, 0.001, 0.2, 0.0])), felt_until(np.array([0.0]))
    (3, 0)
    """
    felt = np.flatnonzero(divergence >= LEAST_FELT)
    return int(felt[-1]) + 1 if len(felt) else 0


def repetition(ids: Sequence[int], n: int = 4) -> Floats:
    """After each token: the share of the ``n``-grams so far that were there before, shape (len(ids),); NaN before one.

    Of x y x y x y the 2-grams are xy, yx, xy, yx, xy: three of five are repeated.

    >>> repetition([0, 1, 0, 1, 0, 1], 2).round(2).tolist()
    [nan, 0.0, 0.0, 0.33, 0.5, 0.6]
    """
    seen: set[tuple[int, ...]] = set()
    repeated, found = 0, [math.nan] * len(ids)
    for end in range(n, len(ids) + 1):
        gram = tuple(ids[end - n : end])
        repeated += gram in seen
        seen.add(gram)
        found[end - 1] = repeated / (end - n + 1)
    return np.array(found, np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """Over several chains at each position, (n,): the median, and the quarters below and above it."""

    low: Floats
    middle: Floats
    high: Floats


def band(values: Floats) -> Band:
    """Of chains (k, n), NaN where one has ended; NaN where all have.

    >>> found = band(np.array([[1.0, 2.0], [3.0, math.nan], [5.0, 4.0]]))
    >>> found.low.tolist(), found.middle.tolist(), found.high.tolist()
    ([2.0, 2.5], [3.0, 3.0], [4.0, 3.5])
    """
    quarters = np.full((3, values.shape[1]), math.nan)
    known = ~np.isnan(values).all(axis=0)
    if known.any():
        quarters[:, known] = np.nanquantile(values[:, known], (0.25, 0.5, 0.75), axis=0)
    return Band(*quarters)
