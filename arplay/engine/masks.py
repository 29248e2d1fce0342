"""*Break the mask*: two small networks are trained by a child process that is only looked at here."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arplay.core.distribution import read_only
from arplay.core.masks import NAMES, Figures, Pair
from arplay.core.modalities.base import Document
from arplay.engine.causality import Changed
from arplay.engine.child import Child
from arplay.engine.children import watched, why_ended
from arplay.engine.free_running import Freed
from arplay.engine.job import Line, Pause, Steps, Stopped
from arplay.engine.messages import Progress, Request, WithTokens
from arplay.engine.state import State
from arplay.models.base import Info
from arplay.training.mask_data import KINDS, document_of, kind_of

__all__ = ["KINDS", "BreakMask", "Broke", "Measured", "break_mask", "broke"]

LOOK_SECONDS = 0.2
"""How often the child is looked at."""
SHOWN = 8
"""Of the chains that each network drew."""


@dataclass(frozen=True, slots=True)
class BreakMask(Request):
    """Train a small network of this kind (:data:`KINDS` by name), and beside it one that sees ahead. It asks no loaded
    model."""

    kind: str
    seed: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Broke(WithTokens):
    """What there is by now: its last one has figures. Of each network, the causal one first: what it drew, and its
    triangle, of the held-out document."""

    pair: Pair
    samples: tuple[tuple[Document, ...], ...] = ()
    triangles: tuple[Changed, ...] = ()

    @property
    def is_last(self) -> bool:
        return self.pair.figures is not None

    @property
    def title(self) -> str:
        return kind_of(self.pair.kind).title

    @property
    def info(self) -> Info:
        """Of both networks, as exports name them."""
        return info_of(self.pair, "and beside it one that sees ahead", self.pair.parameters[0])


Measured = Changed | Freed | Broke
"""What the causality lab finds."""


def break_mask(_: State, request: BreakMask, line: Line) -> Steps:
    """A point of both curves as soon as the child tells it. Raises Problem where the child does, or ends early."""
    command = [sys.executable, "-m", "arplay.training.masks", request.kind, str(request.seed)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    tokens = kind_of(request.kind).tokens
    yield Progress(request.number, "making the data", 0.0)
    child = Child(command, Path(__file__).resolve().parents[2], environment)
    for message in watched(child, line.cancelled, 0):
        if not message:
            yield Pause(LOOK_SECONDS)
            continue
        pair = Pair.of(message["pair"])
        if pair.figures is not None:
            return broke(request.number, pair)
        yield Broke(request.number, tokens, pair)
        yield Progress(request.number, "training both networks", message["done"])
    if line.cancelled():
        raise Stopped
    raise why_ended("training", request.kind, child.poll() or 0, child.output(), "try it again")


def broke(number: int, pair: Pair) -> Broke:
    """The end of one whose figures are there."""
    assert pair.figures is not None
    kind, samples, triangles = kind_of(pair.kind), [], []
    for name, parameters, figures in zip(NAMES, pair.parameters, pair.figures, strict=True):
        samples.append(tuple(document_of(kind.tokens, ids) for ids in figures.samples[:SHOWN]))
        info = info_of(pair, name, parameters)
        triangles.append(_triangle(number, pair, figures, info, document_of(kind.tokens, figures.chain)))
    return Broke(number, kind.tokens, pair, tuple(samples), tuple(triangles))


def info_of(pair: Pair, name: str, parameters: int) -> Info:
    """What one of the networks is."""
    kind, source = kind_of(pair.kind), f"trained here, {pair.steps:,} steps, and not kept"
    return Info(
        f"{kind.title}, {name}", kind.title, source, "none", "float32", "cpu", pair.values, None, parameters, "torch"
    )


def _triangle(number: int, pair: Pair, figures: Figures, info: Info, document: Document) -> Changed:
    every = read_only(np.arange(len(figures.others)))
    unknown = read_only(np.full(figures.variation.shape, np.nan))
    return Changed(
        number, kind_of(pair.kind).tokens, document, info, "model", pair.seed, figures.chain[: len(every)], every,
        every, figures.others, figures.variation, figures.divergence, figures.moved, unknown, None, "", True,
        len(figures.chain),
    )  # fmt: skip
