"""One batch as rows: each position's input, its target (the input of the next position), and its loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arplay.core.distribution import LN2
from arplay.core.modalities.base import TokenSet
from arplay.engine.one_batch import BatchLosses

COLUMNS = ("position", "input_id", "input", "target_id", "target", "one_pass_nats", "stepped_nats")
ROUNDING = 1e-3
"""Nats: beyond this the two ways differ by more than 32-bit numbers do."""


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    label: str
    exact: str


@dataclass(frozen=True, slots=True)
class Position:
    """``index`` from 1; losses −log p(target | all inputs up to this one) in nats."""

    index: int
    input: Token
    target: Token
    one_pass: float
    stepped: float


def positions(batch_losses: BatchLosses, vocabulary: TokenSet) -> tuple[Position, ...]:
    """A row for each position of the batch."""

    def token(id: int) -> Token:
        return Token(id, vocabulary.label(id), next(iter(vocabulary.record(id).values())))

    rows = zip(batch_losses.inputs, batch_losses.targets, batch_losses.one_pass, batch_losses.stepped, strict=True)
    return tuple(
        Position(i, token(int(x)), token(int(y)), float(one), float(step))
        for i, (x, y, one, step) in enumerate(rows, 1)
    )


def records(rows: Sequence[Position]) -> list[dict[str, Any]]:
    """For a table: ids, exact text, and both losses in nats."""
    return [
        dict(
            zip(
                COLUMNS,
                (r.index, r.input.id, r.input.exact, r.target.id, r.target.exact, r.one_pass, r.stepped),
                strict=True,
            )
        )
        for r in rows
    ]


def longest(rows: Sequence[Position], unit: str) -> float:
    """A round end for the axis of losses, in ``unit``."""
    known = [row.one_pass for row in rows if math.isfinite(row.one_pass)]
    most = max(known, default=1.0) / (LN2 if unit == "bits" else 1.0)
    limits = (step * 10.0**power for power in range(-2, 6) for step in (1, 2, 5))
    return next(limit for limit in limits if limit >= most)
