"""Two scorings of one document side by side, whatever tokens each cut it into: by the units where both have an edge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Aligned:
    """k spans of a document, each whole tokens of both ledgers: span i is units [edges[i], edges[i + 1]).

    ``first``: the index of the first token of each span in either ledger, and their numbers of tokens at the end; both
    (k + 1,). ``nats``: -log p of each span by either, the sum over its tokens, both (k,); NaN where one of its tokens
    is not scored, as a first one without p(x_1).
    """

    ledgers: tuple[Ledger, Ledger]
    edges: Ids
    first: tuple[Ids, Ids]
    nats: tuple[Floats, Floats]

    def __len__(self) -> int:
        return len(self.edges) - 1

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which spans both have scored whole, (k,): only these are compared."""
        return ~np.isnan(self.nats[0]) & ~np.isnan(self.nats[1])

    @cached_property
    def difference(self) -> Floats:
        """What the second costs more than the first, in nats, (k,); NaN where a span is not known or both are infinite.

        Below 0 the second model knew better.
        """
        with np.errstate(invalid="ignore"):
            return np.where(self.known, self.nats[1] - self.nats[0], np.nan)

    @cached_property
    def running(self) -> Floats:
        """The sum of differences behind each span, in nats, (k,); one that is not known adds nothing."""
        return np.cumsum(np.nan_to_num(self.difference, nan=0.0, posinf=np.inf, neginf=-np.inf))

    @property
    def totals(self) -> tuple[float, float]:
        """NLL of either in nats over the spans that both know."""
        one, other = (math.fsum(nats[self.known].tolist()) for nats in self.nats)
        return one, other

    @property
    def units(self) -> int:
        """How many units are compared."""
        return int(np.diff(self.edges)[self.known].sum())

    @property
    def bits_per_unit(self) -> tuple[float | None, float | None]:
        """Of either over the same units, so that they may be compared whatever the tokenizers are."""
        one, other = (total / LN2 / self.units if self.units else None for total in self.totals)
        return one, other

    def most(self, n: int) -> Ids:
        """The n spans where both part most, the farthest first, ties by place."""
        apart = np.where(self.known, np.abs(np.nan_to_num(self.difference, nan=0.0)), -1.0)
        order = np.argsort(-apart, kind="stable")
        return order[: min(n, int(self.known.sum()))]


def aligned(one: Ledger, other: Ledger) -> Aligned:
    """Both cut at the units where a token of each ends. Raises Problem for two documents that are not the same.

    With AB|C and A|BC only the end is an edge of both:

    >>> from arplay import load
    >>> score = load("abc").score
    >>> alike = aligned(score("BAC").ledger, score("BAC").ledger)
    >>> alike.edges.tolist(), alike.difference.tolist(), alike.most(1).tolist()
    ([0, 1, 2, 3], [0.0, 0.0, 0.0], [0])
    """
    if one.unit != other.unit or one.encoded.units != other.encoded.units:
        raise Problem("these are scores of two different documents", "score the same one by both models")
    edges = np.intersect1d(one.ends, other.ends)
    edges = np.concatenate([[0], edges[edges > 0]])
    firsts, nats = [], []
    for ledger in (one, other):
        first = np.append(0, np.searchsorted(ledger.ends, edges[1:], side="right"))
        sums = np.zeros(len(edges) - 1)
        some = np.diff(first) > 0
        if some.any():
            sums[some] = np.add.reduceat(-ledger.logprob[: first[-1]], first[:-1][some])
        firsts.append(first)
        nats.append(0.0 + sums)
    return Aligned((one, other), edges, (firsts[0], firsts[1]), (nats[0], nats[1]))
