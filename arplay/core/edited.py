"""A text before and after an edit, scored by one model: what the edit did to the tokens that it left as they were."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from arplay.core.aligned import Aligned, Floats
from arplay.core.chain import Ledger, added_up
from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids

EXACT = 2_000
"""Changed parts of up to so many tokens are matched token by token; in longer ones frequent tokens alone match none."""
LONGEST = 100_000
"""Of a changed part that is longer on both sides only its ends are matched."""


@dataclass(frozen=True, eq=False)
class Edited(Aligned):
    """``ledgers``: of the base text, and of the text now. Each span is a token that stands in both, or what was put in
    place of something: ``same`` says which, (k,). ``edges`` are units of the text now; only what stands in both is
    compared."""

    same: NDArray[np.bool_]

    own: ClassVar[int] = 1

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which spans stand in both and are scored in both, (k,)."""
        return read_only(self.same & ~np.isnan(self.nats[0]) & ~np.isnan(self.nats[1]))

    @property
    def tokens(self) -> int:
        """How many tokens stand in both."""
        return int(self.same.sum())

    @property
    def replaced(self) -> tuple[tuple[int, float], tuple[int, float]]:
        """Tokens that were taken away with their −log p together, and those that came in their place."""
        found = []
        for first, nats in zip(self.first, self.nats, strict=True):
            found.append((int(np.diff(first)[~self.same].sum()), float(np.nansum(nats[~self.same]))))
        return found[0], found[1]


def edited(base: Ledger, now: Ledger) -> Edited:
    """Both cut where the edit began and ended (a longest common subsequence of tokens by difflib, after the common
    beginning and end). Raises Problem for documents of two kinds.

    >>> from arplay import load
    >>> score = load("abc").score
    >>> found = edited(score("BACB").ledger, score("BCCB").ledger)
    >>> found.same.tolist(), [each.tolist() for each in found.first]
    ([True, False, True, True], [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    >>> found.difference.round(2).tolist()  # C is 0.6 after BA and 0.3 after BC: ln 2
    [0.0, nan, 0.69, 0.56]
    """
    if base.unit != now.unit:
        raise Problem("these are scores of two kinds of documents", "choose a base of the same kind")
    firsts: tuple[list[int], list[int]] = ([0], [0])
    same: list[bool] = []

    def add(one: int, other: int, alike: bool) -> None:
        same.append(alike)
        firsts[0].append(one)
        firsts[1].append(other)

    for at, its, count in matches(base.ids, now.ids):
        if at > firsts[0][-1] or its > firsts[1][-1]:
            add(at, its, False)
        for step in range(1, count + 1):
            add(at + step, its + step, True)
    if firsts[0][-1] < len(base) or firsts[1][-1] < len(now):
        add(len(base), len(now), False)
    first = tuple(read_only(np.array(each, np.int64)) for each in firsts)
    nats = [_sums(ledger, each) for ledger, each in zip((base, now), first, strict=True)]
    edges = np.append(now.starts, now.encoded.units)[first[1]]
    return Edited(
        (base, now), read_only(edges), (first[0], first[1]), (nats[0], nats[1]), read_only(np.array(same, bool))
    )


def matches(a: Ids, b: Ids) -> list[tuple[int, int, int]]:
    """Runs that stand in both, in order: where in either, and how long.

    >>> matches(np.array([1, 2, 3, 4, 9]), np.array([1, 3, 4, 5, 9]))
    [(0, 0, 1), (2, 1, 2), (4, 4, 1)]
    """
    short = min(len(a), len(b))
    unlike = np.flatnonzero(a[:short] != b[:short])
    head = int(unlike[0]) if len(unlike) else short
    most = short - head
    unlike = np.flatnonzero(a[len(a) - most :][::-1] != b[len(b) - most :][::-1])
    tail = int(unlike[0]) if len(unlike) else most
    one, other = a[head : len(a) - tail], b[head : len(b) - tail]
    found = [(0, 0, head)]
    if len(one) and len(other) and min(len(one), len(other)) <= LONGEST:
        exact = max(len(one), len(other)) <= EXACT
        blocks = SequenceMatcher(None, one.tolist(), other.tolist(), autojunk=not exact).get_matching_blocks()
        found += [(head + block.a, head + block.b, block.size) for block in blocks]
    found.append((len(a) - tail, len(b) - tail, tail))
    return [run for run in found if run[2]]


def _sums(ledger: Ledger, first: Ids) -> Floats:
    """-log p of the scored tokens of each span, (k,); 0 of no tokens, NaN where none of them is scored."""
    unknown = np.isnan(ledger.logprob)
    nats = 0.0 - added_up(np.where(unknown, 0.0, ledger.logprob), first)
    none = (np.diff(first) > 0) & (added_up(unknown.astype(np.int64), first) == np.diff(first))
    return read_only(np.where(none, np.nan, nats))
