"""All the ways to cut one short text into tokens, and what the model gives to each: they add up to p of the text.

A model of tokens gives a probability to every chain of ids, and several chains write the same text. Its tokenizer
chooses one of them, the canonical one; the probability of the *text* is the sum over all (Cao and Rimell 2021).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from arplay.core.distribution import LN2


@dataclass(frozen=True, slots=True)
class Segmentation:
    """``ids`` that write the text, and log p of the chain in nats."""

    ids: tuple[int, ...]
    logprob: float


@dataclass(frozen=True, slots=True)
class Segmentations:
    """The most probable first. ``canonical``: what the tokenizer chooses; ``whole``: whether these are all there are.

    Where not, the marginal is a lower bound: every further way only adds to it.
    """

    ways: tuple[Segmentation, ...]
    canonical: Segmentation
    whole: bool

    @property
    def marginal(self) -> float:
        """log p of the text in nats: the sum over all ways.

        >>> ways = (Segmentation((5,), math.log(0.5)), Segmentation((1, 2), math.log(0.25)))
        >>> round(math.exp(Segmentations(ways, ways[0], True).marginal), 6)
        0.75
        """
        return sum_of(way.logprob for way in self.ways)

    @property
    def lost_bits(self) -> float | None:
        """How many bits the canonical way alone costs more than the text does; None where no way can come."""
        return None if self.marginal == -math.inf else (self.marginal - self.canonical.logprob) / LN2

    def share_of(self, way: Segmentation) -> float | None:
        """p of a way among all; None where none can come."""
        return None if self.marginal == -math.inf else math.exp(way.logprob - self.marginal)

    @property
    def share(self) -> float | None:
        """The same of the canonical way."""
        return self.share_of(self.canonical)


def sum_of(logprobs: Iterable[float]) -> float:
    """log sum exp, in nats; -inf for none.

    >>> round(sum_of([math.log(0.5), math.log(0.25)]), 6) == round(math.log(0.75), 6), sum_of([])
    (True, -inf)
    """
    values = np.array(list(logprobs), np.float64)
    best = float(values.max()) if len(values) else -math.inf
    return best if best == -math.inf else best + math.log(math.fsum(np.exp(values - best).tolist()))
