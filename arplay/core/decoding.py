"""Decoding settings as pure stages: each takes log-probs, returns renormalised log-probs, and leaves a trace.

The order is the one of transformers' ``generate``: temperature, top-k, top-p, min-p. A stage never changes
its input. All log-probs are in nats, float64, shape (V,); a removed piece is minus infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import log_softmax
from arplay.core.errors import Problem

Floats = NDArray[np.float64]


class Stage(Protocol):
    @property
    def label(self) -> str: ...

    def __call__(self, logprobs: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Greedy:
    """All mass on the most probable piece (the lowest id among equals)."""

    @property
    def label(self) -> str:
        return "greedy"

    def __call__(self, logprobs: Floats) -> Floats:
        result = np.full_like(logprobs, -np.inf)
        result[int(np.argmax(logprobs))] = 0.0
        return result


@dataclass(frozen=True, slots=True)
class Temperature:
    """p_i proportional to p_i^(1/T). T = 0 is greedy by definition (the limit of T -> 0)."""

    value: float

    @property
    def label(self) -> str:
        return f"temperature {self.value:g}"

    def __call__(self, logprobs: Floats) -> Floats:
        if self.value == 0:
            return Greedy()(logprobs)
        # dividing the distance to the best piece (not the raw value) cannot overflow for tiny T
        with np.errstate(over="ignore"):
            return log_softmax((logprobs - np.max(logprobs)) / self.value)


@dataclass(frozen=True, slots=True)
class TopK:
    """Keep exactly min(k, V) pieces, ties by id (Fan et al. 2018)."""

    k: int

    @property
    def label(self) -> str:
        return f"top-k {self.k}"

    def __call__(self, logprobs: Floats) -> Floats:
        return _keep(logprobs, _descending(logprobs)[: self.k])


@dataclass(frozen=True, slots=True)
class TopP:
    """Nucleus: the smallest set of most probable pieces whose mass reaches p (Holtzman et al. 2020).

    The piece that crosses p is kept. With p(a, b, c) = 0.5, 0.3, 0.2 and top-p 0.6, a and b stay.
    """

    p: float

    @property
    def label(self) -> str:
        return f"top-p {self.p:g}"

    def __call__(self, logprobs: Floats) -> Floats:
        order = _descending(logprobs)
        reached = np.cumsum(np.exp(logprobs[order]))
        # tolerance: 0.5 + 0.1 must count as having reached 0.6
        crossing = int(np.searchsorted(reached, self.p - 1e-12))
        return _keep(logprobs, order[: crossing + 1])


@dataclass(frozen=True, slots=True)
class MinP:
    """Keep pieces with p_i >= m * max p (Nguyen et al. 2024)."""

    m: float

    @property
    def label(self) -> str:
        return f"min-p {self.m:g}"

    def __call__(self, logprobs: Floats) -> Floats:
        floor = np.max(logprobs) + np.log(self.m)
        return _keep(logprobs, np.flatnonzero(logprobs >= floor - 1e-12))


@dataclass(frozen=True, slots=True)
class Decoding:
    """What is done to the model's distribution before a piece is chosen.

    Neutral values switch a stage off: temperature 1, top_k 0, top_p 1, min_p 0. Raises Problem for values
    out of range.
    """

    mode: Literal["sample", "greedy"] = "sample"
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def __post_init__(self) -> None:
        _check(self.mode in ("sample", "greedy"), f"there is no decoding mode {self.mode!r}", "sample or greedy")
        _check(0 <= self.temperature <= 100, f"temperature {self.temperature} is out of range", "from 0 to 100")
        whole = isinstance(self.top_k, Integral) and self.top_k >= 0
        _check(whole, f"top-k {self.top_k} is not a count", "a whole number from 1, or 0 for off")
        _check(0 < self.top_p <= 1, f"top-p {self.top_p} is out of range", "above 0 and at most 1")
        _check(0 <= self.min_p <= 1, f"min-p {self.min_p} is out of range", "from 0 to 1")

    @property
    def stages(self) -> tuple[Stage, ...]:
        if self.mode == "greedy":
            return (Greedy(),)
        stages: list[Stage] = []
        if self.temperature != 1:
            stages.append(Temperature(self.temperature))
        if self.top_k:
            stages.append(TopK(self.top_k))
        if self.top_p < 1:
            stages.append(TopP(self.top_p))
        if self.min_p > 0:
            stages.append(MinP(self.min_p))
        return tuple(stages)

    @property
    def label(self) -> str:
        """The settings in words, as exports and the status line show them."""
        return " → ".join(stage.label for stage in self.stages) or "the model's own distribution"


@dataclass(frozen=True, eq=False, slots=True)
class Trace:
    """What one stage left: pieces kept, and the mass it removed (measured before it renormalised)."""

    label: str
    kept: int
    removed: float


@dataclass(frozen=True, eq=False, slots=True)
class Decoded:
    """The distribution that is sampled from, log-probs in nats of shape (V,), and how it came about."""

    logprobs: Floats
    traces: tuple[Trace, ...]

    @property
    def kept(self) -> int:
        return int(np.count_nonzero(self.logprobs > -np.inf))


def decode(logprobs: Floats, decoding: Decoding) -> Decoded:
    """Apply the stages of ``decoding`` in order to log-probs of shape (V,)."""
    traces = []
    for stage in decoding.stages:
        after = stage(logprobs)
        gone = (after == -np.inf) & (logprobs > -np.inf)
        kept = int(np.count_nonzero(after > -np.inf))
        traces.append(Trace(stage.label, kept, float(np.sum(np.exp(logprobs[gone])))))
        logprobs = after
    return Decoded(logprobs, tuple(traces))


def _descending(logprobs: Floats) -> NDArray[np.int64]:
    return np.argsort(-logprobs, kind="stable")


def _keep(logprobs: Floats, ids: NDArray[np.int64]) -> Floats:
    result = np.full_like(logprobs, -np.inf)
    result[ids] = logprobs[ids]
    return log_softmax(result)


def _check(holds: bool, cause: str, allowed: str) -> None:
    if not holds:
        raise Problem(cause, f"allowed: {allowed}")
