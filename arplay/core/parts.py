"""The words, lines or sentences of a scored document as rows: what each costs, and what its tokens have to do with it.

A token belongs to the part in which it begins, so every token counts once and the sums are those of the whole. One that
goes on into the next part is counted as crossing: the two then share what it costs, which nobody can divide.
"""

from __future__ import annotations

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
class Parts:
    """m parts of one kind: each holds the tokens from ``first`` to the next one's, and begins at unit ``starts``."""

    ledger: Ledger
    kind: str
    starts: Ids
    first: Ids

    @classmethod
    def of(cls, ledger: Ledger, kind: str) -> Parts:
        """Those of a document, as far as it is scored. Raises Problem where it has no parts of that kind.

        >>> from arplay import load
        >>> parts = Parts.of(load("english").score("It was a dark night.").ledger, "word")
        >>> parts.starts.tolist(), round(float(parts.logprob.sum()), 3)
        ([0, 2, 6, 8, 13], -16.336)
        """
        known = ledger.encoded.divisions
        if kind not in known:
            there = f"use {', '.join(known)}" if known else "it has none of any kind"
            raise Problem(f"this document has no {kind}s", there)
        starts = ledger.encoded.parts(kind)
        owner = np.searchsorted(starts, ledger.starts, side="right") - 1
        return cls(ledger, kind, starts, np.searchsorted(owner, np.arange(len(starts))))

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def stop(self) -> Ids:
        """Where the tokens of each part end, (m,)."""
        return np.append(self.first[1:], len(self.ledger))

    @cached_property
    def ends(self) -> Ids:
        """The unit where each part ends, (m,)."""
        return np.append(self.starts[1:], self.ledger.encoded.units)

    def _sums(self, values: Floats) -> Floats:
        some = self.stop > self.first
        sums = np.zeros(len(self))
        if some.any():
            sums[some] = np.add.reduceat(values, self.first[some])
        return sums

    @cached_property
    def scored(self) -> Ids:
        """How many tokens of each have a score, (m,)."""
        return np.rint(self._sums(self.ledger.scored.astype(np.float64))).astype(np.int64)

    @cached_property
    def logprob(self) -> Floats:
        """log p of each in nats: the sum over its scored tokens, (m,); NaN where none is."""
        sums = self._sums(np.where(self.ledger.scored, self.ledger.logprob, 0.0))
        return np.where(self.scored > 0, sums, np.nan)

    @cached_property
    def entropy(self) -> Floats:
        """The entropies of its tokens added up in nats, (m,); NaN where one is not known."""
        known = np.where(self.ledger.scored, self.ledger.entropy.astype(np.float64), 0.0)
        return np.where(self.scored > 0, self._sums(known), np.nan)

    @cached_property
    def crossing(self) -> NDArray[np.bool_]:
        """Whether the last token of a part goes on into the next, (m,)."""
        last = np.maximum(self.stop - 1, 0)
        return (self.stop > self.first) & (self.ledger.ends[last] > self.ends)

    @cached_property
    def bits_per_unit(self) -> Floats:
        """Surprisal in bits over the units of a part, (m,); NaN where it has none."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.ends > self.starts, -self.logprob / LN2 / (self.ends - self.starts), np.nan)
