"""Several continuations of one prefix, compared by what the model gives to each as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import LN2, log_softmax
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids

Floats = NDArray[np.float64]
By = Literal["sum", "token", "unit"]
"""What candidates are ranked by: log p as a whole, log p a token, or log p a byte (pixel, sample)."""

MOST = 1000
"""So many are compared at once."""

MOST_CHARACTERS = 100_000
"""So long is a list of them, all together, that is kept with the settings."""
Candidates = tuple[str, ...]
FIRST_CANDIDATES: Candidates = (" yes", " no")


def candidates_from_json(said: Any) -> Candidates:
    """A list that was kept. Raises Problem for what is none.

    >>> candidates_from_json([" yes", " no"])
    (' yes', ' no')
    """
    if not isinstance(said, list) or not all(isinstance(each, str) and each for each in said):
        raise Problem("these are no candidates", "give a list of texts")
    return checked(said)


def checked(texts: Iterable[str]) -> Candidates:
    """The same texts, each once. Raises Problem where they are too many, or no Unicode.

    >>> checked([" yes", " no", " yes"])
    (' yes', ' no')
    """
    found = tuple(dict.fromkeys(texts))
    if len(found) > MOST or sum(map(len, found)) > MOST_CHARACTERS:
        cause = f"{len(found):,} candidates of {sum(map(len, found)):,} characters are too many"
        raise Problem(cause, f"give at most {MOST:,} of {MOST_CHARACTERS:,} characters together")
    for text in found:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Problem("a candidate has half a character in it, which no text has", "write it anew") from error
    return found


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

    def by(self, what: By) -> float:
        """Its log p in nats as a whole, a token or a unit: the larger the better; -inf where that is not known."""
        known = {"sum": self.logprob, "token": self.per_token}.get(what)
        if what == "unit":
            known = self.logprob / self.units if self.units else None
        return -np.inf if known is None or np.isnan(known) else known


def ranks(values: Sequence[float]) -> tuple[int, ...]:
    """The place of each from the largest on, from 1; those alike share one.

    >>> ranks([-1.0, -4.0, -1.0, -2.5])
    (1, 4, 1, 3)
    """
    return tuple(1 + sum(other > value for other in values) for value in values)


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
