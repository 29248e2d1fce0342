"""The gradient of the loss with respect to the logits, as values to draw: p minus one-hot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.gradient import logit_gradient
from arplay.core.pieces import Ids, Vocabulary
from arplay.gui.widgets.bars.bars import SUPERSCRIPT
from arplay.gui.widgets.words import label

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


def gradient_of(logits: NDArray[np.float32], target: int, ids: Ids, vocabulary: Vocabulary) -> Gradient | None:
    """The gradient at one place, with rows for ``ids`` but the target; None for logits that are not numbers."""
    try:
        gradient = logit_gradient(logits, target)
    except Problem:
        return None

    def pull(id: int) -> Pull:
        piece = vocabulary.piece(id)
        return Pull(id, label(piece.text), piece.special, float(gradient[id]), id == target)

    rows = tuple(pull(int(id)) for id in ids if id != target)
    hidden = np.ones(len(gradient), dtype=bool)
    hidden[[target, *(row.id for row in rows)]] = False
    return Gradient(
        pull(target), rows, int(np.count_nonzero(hidden)), float(np.sum(gradient[hidden])), float(np.sum(gradient))
    )


def signed(value: float) -> str:
    """A gradient with its sign; a small one as a power of ten, never rounded to nothing.

    >>> signed(0.41273), signed(-0.9), signed(0.0000312), signed(0.0)
    ('+0.4127', '−0.9000', '+3.1·10⁻⁵', '0')
    """
    if value == 0:
        return "0"
    sign = "+" if value > 0 else "−"
    if abs(value) >= 0.0005:
        return f"{sign}{abs(value):.4f}"
    mantissa, _, exponent = f"{abs(value):.1e}".partition("e")
    return f"{sign}{mantissa}·10{str(int(exponent)).translate(SUPERSCRIPT)}"
