"""Several continuations of one prefix, compared by what the model gives to each as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import LN2, log_softmax
from arplay.core.modalities.base import Ids

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Candidate:
    """``text`` as it is shown; ``ids`` and ``logprobs`` (nats) of its n tokens behind the prefix, both (n,).

    ``units``: how many bytes (pixels, samples) it has. ``joins``: the tokenizer would cut the prefix and it otherwise
    if they were typed as one.
    """

    text: str
    ids: Ids
    logprobs: Floats
    units: int
    joins: bool = False

    @property
    def logprob(self) -> float:
        """log p(candidate | prefix) in nats, by the chain rule."""
        return float(np.sum(self.logprobs))

    @property
    def per_token(self) -> float | None:
        """The mean over its tokens, in nats."""
        return self.logprob / len(self.ids) if len(self.ids) else None

    @property
    def bits_per_unit(self) -> float | None:
        return -self.logprob / LN2 / self.units if self.units else None


def shares(logprobs: Sequence[float]) -> Floats:
    """What each would be if one of them had to come: p normalised over the set, (k,); NaN where none can.

    >>> shares(np.log([0.3, 0.1]).tolist()).round(2).tolist()
    [0.75, 0.25]
    """
    values = np.array(logprobs, np.float64)
    if not len(values) or not np.isfinite(values.max()):
        return np.full(len(values), np.nan)
    normalised: Floats = np.exp(log_softmax(values))
    return normalised


def margin(logprobs: Sequence[float]) -> float | None:
    """How far the best is before the second in nats; None where there are not two that can come.

    >>> round(margin([-1.0, -4.0, -2.5]), 3)
    1.5
    """
    best = sorted((value for value in logprobs if value > -np.inf), reverse=True)[:2]
    return best[0] - best[1] if len(best) == 2 else None
