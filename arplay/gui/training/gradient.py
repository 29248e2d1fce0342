"""The gradient of the loss with respect to the logits, as values to draw: p minus one-hot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.gradient import logit_gradient
from arplay.core.modalities.base import Ids, TokenSet
from arplay.gui.widgets.labels import label

MEANING = "∂loss/∂logits = p − one-hot"


@dataclass(frozen=True, slots=True)
class Pull:
    """One logit: ``value`` of its gradient. A descent step goes against it: down where positive, up where negative."""

    id: int
    text: str
    special: bool
    value: float
    true: bool


@dataclass(frozen=True, slots=True)
class Gradient:
    """The true token's pull, those of ``rows``, and all others together; ``total`` sums the whole vocabulary."""

    true: Pull
    rows: tuple[Pull, ...]
    others: int
    others_value: float
    total: float

    @property
    def size(self) -> int:
        return 1 + len(self.rows) + self.others


def gradient_of(logits: NDArray[np.float32], target: int, ids: Ids, vocabulary: TokenSet) -> Gradient | None:
    """The gradient at one place, with rows for ``ids`` but the target; None for logits that are not numbers."""
    try:
        gradient = logit_gradient(logits, target)
    except Problem:
        return None  # the chart says so

    def pull(id: int) -> Pull:
        special = vocabulary.is_special(id)
        return Pull(id, label(vocabulary.label(id)), special, float(gradient[id]), id == target)

    rows = tuple(pull(int(id)) for id in ids if id != target)
    hidden = np.ones(len(gradient), dtype=bool)
    hidden[[target, *(row.id for row in rows)]] = False
    return Gradient(
        pull(target), rows, int(np.count_nonzero(hidden)), float(np.sum(gradient[hidden])), float(np.sum(gradient))
    )


def signed(value: float) -> str:
    """A gradient with its sign, in a column of them: four decimals; a small one is told as such, never as nothing.

    >>> signed(0.41273), signed(-0.9), signed(0.0000312), signed(-1e-9), signed(0.0)
    ('+0.4127', '−0.9000', '<0.0001', '>−0.0001', '0')
    """
    if value == 0:
        return "0"
    if abs(value) < 0.0001:
        return "<0.0001" if value > 0 else ">−0.0001"
    return f"{value:+.4f}".replace("-", "−")
