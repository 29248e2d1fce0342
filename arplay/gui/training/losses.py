"""The loss of a run as series to draw, in the unit that was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from arplay.core.distribution import LN2
from arplay.engine.trainer import Plan, Report

LossUnit = Literal["nats per token", "bits per token", "bits per byte"]
"""The last one is of whatever the family's bits are told per."""

Point = tuple[int, float]
"""Tokens read so far, and the loss there."""


@dataclass(frozen=True, slots=True)
class Losses:
    """``training``: the mean since the report before; ``held_out``: of text that is not trained on.

    ``uniform``: the loss of a model that knows nothing and gives each of V tokens the probability 1/V, which is
    log V nats per token. None where it is not known (yet).
    """

    unit: str = "nats per token"
    training: tuple[Point, ...] = ()
    held_out: tuple[Point, ...] = ()
    uniform: float | None = None

    @property
    def tokens(self) -> int:
        """How far the series reach."""
        return max((series[-1][0] for series in (self.training, self.held_out) if series), default=0)

    @property
    def empty(self) -> bool:
        return not self.training and not self.held_out


def unit_words(unit: LossUnit, plan: Plan | None) -> str:
    """The unit in the words of a run, such as "bits per dimension"."""
    return unit if plan is None else unit.replace("byte", plan.training.unit)


def losses(reports: Sequence[Report], vocabulary: int | None, unit: LossUnit) -> Losses:
    """The series of ``reports``; NaN and infinities are left out. ``vocabulary`` is V."""
    training, held_out = [], []
    for report in reports:
        value = training_loss(report, unit)
        if math.isfinite(value):
            training.append((report.tokens, value))
        held = held_out_loss(report, unit)
        if held is not None and math.isfinite(held):
            held_out.append((report.tokens, held))
    return Losses(unit, tuple(training), tuple(held_out), _uniform(reports, vocabulary, unit))


def training_loss(report: Report, unit: LossUnit) -> float:
    if unit == "bits per byte":
        return report.bits_per_byte
    return report.loss / LN2 if unit == "bits per token" else report.loss


def held_out_loss(report: Report, unit: LossUnit) -> float | None:
    if unit == "bits per byte" or report.held_out is None:
        return report.held_out_bits_per_byte
    return report.held_out / LN2 if unit == "bits per token" else report.held_out


def perplexity(nats: float) -> float:
    """exp of the mean NLL; infinity where that is beyond a 64-bit float."""
    return math.exp(nats) if nats < 700 else math.inf


def _uniform(reports: Sequence[Report], vocabulary: int | None, unit: LossUnit) -> float | None:
    if not vocabulary:
        return None
    nats = math.log(vocabulary)
    if unit == "nats per token":
        return nats
    if unit == "bits per token":
        return nats / LN2
    shares = [_tokens_per_byte(report) for report in reports]
    known = [share for share in shares if share is not None]
    return nats / LN2 * known[-1] if known else None


def _tokens_per_byte(report: Report) -> float | None:
    """Of the held-out text where that was measured, else of the training text: both figures tell it together."""
    if report.held_out and report.held_out_bits_per_byte:
        return report.held_out_bits_per_byte * LN2 / report.held_out
    return report.bits_per_byte * LN2 / report.loss if report.loss > 0 else None
