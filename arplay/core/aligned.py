"""Two scorings of one document side by side, whatever tokens each cut it into: by the units where both have an edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger, added_up, perplexity
from arplay.core.distribution import LN2, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids

Floats = NDArray[np.float64]

LISTED = 1000
"""So many spans are listed where two part most."""


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

    own: ClassVar[int] = 0
    """Which of the two is of the text in sight, by whose tokens places are named."""

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
            return read_only(np.where(self.known, self.nats[1] - self.nats[0], np.nan))

    @cached_property
    def running(self) -> Floats:
        """The sum of differences behind each span, in nats, (k,); one that is not known adds nothing."""
        return read_only(np.cumsum(np.nan_to_num(self.difference, nan=0.0, posinf=np.inf, neginf=-np.inf)))

    @cached_property
    def totals(self) -> tuple[float, float]:
        """NLL of either in nats over the spans that both know."""
        one, other = (math.fsum(nats[self.known].tolist()) for nats in self.nats)
        return one, other

    def add_up(self) -> None:
        """Compute all that is computed once, in the thread that has the time."""
        _ = self.extent, self.totals, self.farthest, self.units

    @cached_property
    def extent(self) -> tuple[float, float]:
        """The lowest and the highest that :attr:`running` comes to, and 0, as far as it is finite."""
        finite = self.running[np.isfinite(self.running)]
        return float(finite.min(initial=0.0)), float(finite.max(initial=0.0))

    @cached_property
    def farthest(self) -> Ids:
        """The spans where both part most, as far as a table lists them: see :meth:`most`."""
        return read_only(self.most(LISTED))

    @cached_property
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
        return farthest(apart, min(n, int(self.known.sum())))


def farthest(values: Floats, n: int) -> Ids:
    """The places of the n largest, ties by place, without sorting all of them.

    >>> farthest(np.array([2.0, 5.0, 5.0, 1.0, 5.0]), 2)
    array([1, 2])
    """
    if n <= 0:
        return np.zeros(0, np.int64)
    if n < len(values):
        least = np.partition(values, len(values) - n)[len(values) - n]
        above, ties = np.flatnonzero(values > least), np.flatnonzero(values == least)
        places = np.concatenate([above, ties[: n - len(above)]])
    else:
        places = np.arange(len(values))
    return places[np.lexsort((places, -values[places]))]


def aligned(one: Ledger, other: Ledger) -> Aligned:
    """Both cut at the units where a token of each ends. Raises Problem for two documents that are not the same.

    With AB|C and A|BC only the end is an edge of both; so it is where both read pixels in another order:

    >>> from arplay import load
    >>> score = load("abc").score
    >>> alike = aligned(score("BAC").ledger, score("BAC").ledger)
    >>> alike.edges.tolist(), alike.difference.tolist(), alike.most(1).tolist()
    ([0, 1, 2, 3], [0.0, 0.0, 0.0], [0])
    >>> cross = [load(name).score("#.#/.#./#.#".replace("/", chr(10))).ledger for name in ("xo", "xo-centre")]
    >>> aligned(*cross).edges.tolist()
    [0, 9]
    """
    edges = _edges((one, other))
    (first, nats), (other_first, other_nats) = (_cut(ledger, edges) for ledger in (one, other))
    return Aligned((one, other), edges, (first, other_first), (nats, other_nats))


@dataclass(frozen=True, slots=True)
class Share:
    """What one ledger says of the units that all of several score: ``nats``, -log p added up, over ``tokens``."""

    nats: float
    tokens: int
    units: int

    @property
    def bits_per_unit(self) -> float | None:
        """Comparable whatever the tokens are; None of no units."""
        return self.nats / LN2 / self.units if self.units else None

    @property
    def perplexity(self) -> float | None:
        """exp(nats / tokens), which is to be compared between the same tokens only; None of no tokens, inf beyond a
        float."""
        return perplexity(self.nats / self.tokens if self.tokens else None)


def shares(ledgers: Sequence[Ledger]) -> tuple[Share, ...]:
    """What each says of the spans between common edges that all of them score whole. Raises Problem as :func:`aligned`.

    Two letters are two tokens of the one and one token of the other, which pays the same for both:

    >>> from arplay import load
    >>> each = shares([load(name).score("BAC").ledger for name in ("abc", "abc")])
    >>> [(round(share.nats, 4), share.tokens, share.units) for share in each]
    [(2.1203, 3, 3), (2.1203, 3, 3)]
    """
    edges = _edges(ledgers)
    cut = [_cut(ledger, edges) for ledger in ledgers]
    known = ~np.logical_or.reduce([np.isnan(nats) for _, nats in cut])
    units = int(np.diff(edges)[known].sum())
    return tuple(Share(math.fsum(nats[known].tolist()), int(np.diff(first)[known].sum()), units) for first, nats in cut)


def _edges(ledgers: Sequence[Ledger]) -> Ids:
    """The units at which a token of each ends, the first one 0."""
    one = ledgers[0]
    if any(other.unit != one.unit or not other.encoded.same_as(one.encoded) for other in ledgers[1:]):
        raise Problem("these are scores of two different documents", "score the same one by both models")
    edges = one.ends[np.diff(one.ends, append=-1) != 0]  # they rise, so nothing has to be sorted
    for other in ledgers[1:]:
        if not len(other):
            edges = edges[:0]
        elif in_other_order(one, other):  # only the whole is the same units
            edges = edges[edges == one.encoded.units]
        elif other.ends is not one.ends:
            near = np.minimum(np.searchsorted(other.ends, edges), len(other) - 1)
            edges = edges[other.ends[near] == edges]
    return read_only(np.concatenate([[0], edges[edges > 0]]).astype(np.int64))


def in_other_order(one: Ledger, other: Ledger) -> bool:
    """Whether the units of a document with places of their own are read in another order, as pixels may be."""
    if not (len(one) == len(other) == one.encoded.units and np.array_equal(one.ends, other.ends)):
        return False
    first, second = (ledger.encoded.part(0, min(len(ledger), LISTED)).record() for ledger in (one, other))
    return any(not np.array_equal(first[name], second[name]) for name in first)


def _cut(ledger: Ledger, edges: Ids) -> tuple[Ids, Floats]:
    """The first token of each span and their number at the end, (k + 1,); -log p of each span, (k,)."""
    first = np.append(0, np.searchsorted(ledger.ends, edges[1:], side="right")).astype(np.int64)
    return read_only(first), read_only(0.0 - added_up(ledger.logprob, first))
