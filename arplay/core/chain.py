"""The chain-rule ledger: log p(x_1..x_n) = sum of log p(x_i | x_<i), piece by piece, and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import LN2, frozen
from arplay.core.modalities.base import Encoded, Ids, Note, Unit
from arplay.core.windows import Windows

Floats = NDArray[np.float64]

BEST = 5
"""How many alternatives are kept for every piece."""


@dataclass(frozen=True, eq=False)
class Totals:
    """Figures of a scored document. Sums run over scored tokens only; ``units`` are the units of those tokens.

    ``counts``: what else of the document is counted, by name (characters of a text).
    """

    pieces: int
    scored: int
    unit: Unit
    units: int
    units_total: int
    counts: tuple[tuple[str, int], ...]
    nll_nats: float
    first_piece: str
    window: int
    stride: int

    @property
    def nll_bits(self) -> float:
        return self.nll_nats / LN2

    @property
    def perplexity(self) -> float | None:
        """exp(mean NLL in nats) over the scored pieces; None if none was scored; inf on overflow."""
        if not self.scored:
            return None
        try:
            return math.exp(self.nll_nats / self.scored)
        except OverflowError:
            return math.inf

    @property
    def bits_per_unit(self) -> float | None:
        return self.nll_bits / self.units if self.units else None


@dataclass(frozen=True, eq=False)
class Ledger:
    """Every token of a document with what the model said about it; all arrays of length n, read-only.

    ``logprob`` in nats (NaN: not scored), ``rank`` from 1 (0: not scored), ``entropy`` in nats of the distribution
    the token was drawn from (NaN: not scored), ``context``: tokens the model had read, ``best_ids`` and
    ``best_logprobs`` of shape (n, 5) (id -1 where there is none). ``unit``: what its totals are divided by.
    A growing ledger holds the first tokens of a longer document; ``done`` says how many. ``told``: what was known of
    the document before it was scored and belongs to its totals.
    """

    encoded: Encoded
    unit: Unit
    logprob: Floats
    rank: NDArray[np.int64]
    entropy: Floats
    context: NDArray[np.int64]
    best_ids: NDArray[np.int64]
    best_logprobs: Floats
    done: int
    first_piece: str
    windows: Windows
    told: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def complete(self) -> bool:
        return self.done == len(self.ids)

    def add_up(self) -> None:
        """Compute every sum now, in the thread that has the time, and not when somebody asks for it."""
        _ = self.scored, self.notes, self.running, self.totals

    @property
    def ids(self) -> Ids:
        return self.encoded.ids

    @property
    def starts(self) -> Ids:
        return self.encoded.starts

    @property
    def ends(self) -> Ids:
        return self.encoded.ends

    def part(self, first: int, stop: int) -> Ledger:
        """Pieces [first, stop) with the figures that they have in the whole text; totals are then of them alone."""
        cut = slice(first, stop)
        return replace(
            self,
            encoded=self.encoded.part(first, stop),
            logprob=self.logprob[cut],
            rank=self.rank[cut],
            entropy=self.entropy[cut],
            context=self.context[cut],
            best_ids=self.best_ids[cut],
            best_logprobs=self.best_logprobs[cut],
            done=min(max(self.done - first, 0), stop - first),
        )

    @cached_property
    def scored(self) -> NDArray[np.bool_]:
        return frozen(~np.isnan(self.logprob))

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What has to be known with the totals: how the text was read, and what has no score though it should."""
        first = 1 if self.first_piece == "unscored" else 0
        failed = int(np.count_nonzero(~self.scored[first : self.done]))
        if not failed:
            return self.told
        sentence = f"The model gave no number (NaN) for {failed:,} tokens: every total leaves them out."
        return (*self.told, Note(f"{failed:,}", "not scored (NaN)", sentence))

    @cached_property
    def running(self) -> Floats:
        """The running log-prob in nats, shape (n,); an unscored piece adds nothing."""
        return frozen(np.cumsum(np.where(self.scored, self.logprob, 0.0)))

    @cached_property
    def totals(self) -> Totals:
        sizes = self.ends - self.starts
        return Totals(
            pieces=self.done,
            scored=int(np.count_nonzero(self.scored)),
            unit=self.unit,
            units=int(np.sum(sizes[self.scored])),
            units_total=self.encoded.units,
            counts=self.encoded.counts,
            nll_nats=0.0 - math.fsum(self.logprob[self.scored]),
            first_piece=self.first_piece,
            window=self.windows.window,
            stride=self.windows.stride,
        )


def power_of_ten(logprob: float) -> tuple[float, int]:
    """exp(logprob) as (mantissa in [1, 10), exponent), for products that no float can hold.

    >>> power_of_ten(math.log(0.12))[1]
    -1
    """
    if logprob == -math.inf:
        return 0.0, 0
    tens = logprob / math.log(10.0)
    exponent = math.floor(tens)
    mantissa = 10.0 ** (tens - exponent)
    return (1.0, exponent + 1) if round(mantissa, 9) >= 10.0 else (mantissa, exponent)


def underflows(logprob: float) -> bool:
    """Whether exp(logprob) is zero as a 64-bit float though the probability is not."""
    return logprob > -math.inf and math.exp(logprob) == 0.0
