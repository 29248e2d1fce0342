"""Teacher forcing: minimise the mean next-piece NLL over packed documents.

Documents are encoded with their separator in front, shuffled, joined and cut into rows of context + 1
pieces; row r gives ``context`` predictions. Which rows make up step s depends on (seed, s) alone, so a run
that is stopped and resumed is the run that was never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from arplay.training.evaluate import nll

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Schedule:
    """How to train: ``tokens`` predictions in batches of ``batch`` rows of ``context`` pieces.

    The learning rates rise linearly over the first ``warmup`` part of the steps, stay, and fall linearly to 0 over the
    last ``cooldown`` part. ``compile`` has torch.compile fuse the small operations, which needs a C++ compiler.
    """

    tokens: int
    batch: int
    context: int
    muon_rate: float
    adamw_rate: float
    warmup: float
    cooldown: float
    weight_decay: float
    clip: float
    seed: int
    compile: bool = False

    @property
    def steps(self) -> int:
        """Optimiser steps in the whole run."""
        return self.tokens // (self.batch * self.context)

    def factor(self, step: int) -> float:
        """The part of the full learning rate that step ``step`` (from 0) uses."""
        rise = max(1, round(self.warmup * self.steps))
        fall = max(1, round(self.cooldown * self.steps))
        return min(1.0, (step + 1) / rise, (self.steps - step) / fall)


def rows(documents: Sequence[Ids], context: int, seed: int, epoch: int) -> Ids:
    """One epoch of training rows, (n, context + 1): documents and then rows in an order drawn from (seed, epoch).

    Neighbouring rows of the joined text share one piece, so that each piece is predicted once.
    """
    draw = np.random.default_rng([seed, epoch])
    joined = np.concatenate([documents[i] for i in draw.permutation(len(documents))])
    count = (len(joined) - 1) // context
    starts = draw.permutation(count) * context
    packed: Ids = joined[starts[:, None] + np.arange(context + 1)]
    return packed


class Run:
    """A network in training: its optimisers, how far it is, and where that is kept."""

    def __init__(self, network: nn.Module, documents: Sequence[Ids], schedule: Schedule) -> None:
        """``documents``: the ids of each training text, separator first."""
        self.network = network
        self._forward = torch.compile(network) if schedule.compile else network
        self.documents = documents
        self.schedule = schedule
        self.step = 0
        self.seconds = 0.0
        self._epoch = -1
        self._rows: Ids = np.empty((0, schedule.context + 1), dtype=np.int64)
        pieces = sum(map(len, documents))
        self._steps_per_epoch = (pieces - 1) // schedule.context // schedule.batch
        hidden = [p for name, p in network.named_parameters() if p.ndim == 2 and "embed" not in name]
        others = [p for name, p in network.named_parameters() if p.ndim != 2 or "embed" in name]
        self._optimisers = (
            torch.optim.Muon(hidden, lr=schedule.muon_rate, weight_decay=schedule.weight_decay),
            torch.optim.AdamW(others, lr=schedule.adamw_rate, betas=(0.9, 0.95), weight_decay=0.0),
        )

    def advance(self) -> float:
        """One step: forward, backward, update. The mean NLL of the batch before the update, in nats a piece."""
        began = time.monotonic()
        schedule = self.schedule
        batch = torch.from_numpy(self._batch())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self._forward(input_ids=batch[:, :-1], use_cache=False).logits
        loss = nll(logits, batch[:, 1:]).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip)
        full = (schedule.muon_rate, schedule.adamw_rate)
        for optimiser, rate in zip(self._optimisers, full, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * schedule.factor(self.step)
            optimiser.step()
            optimiser.zero_grad()
        self.step += 1
        self.seconds += time.monotonic() - began
        return loss.item()

    def _batch(self) -> Ids:
        epoch, place = divmod(self.step, self._steps_per_epoch)
        if epoch != self._epoch:
            self._rows = rows(self.documents, self.schedule.context, self.schedule.seed, epoch)
            self._epoch = epoch
        return self._rows[place * self.schedule.batch :][: self.schedule.batch]

    def save(self, path: Path) -> None:
        """Write a checkpoint; an older one is replaced only when the new one is whole."""
        state = {
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "step": self.step,
            "seconds": self.seconds,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint that ``save`` wrote."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step = state["step"]
        self.seconds = state["seconds"]


def train(run: Run, every_seconds: float, pause: Callable[[Run, float], None]) -> None:
    """Advance to the end; ``pause(run, mean loss since the last pause)`` every so often and when it is reached."""
    losses: list[float] = []
    last = time.monotonic()
    while run.step < run.schedule.steps:
        losses.append(run.advance())
        if time.monotonic() - last >= every_seconds or run.step == run.schedule.steps:
            pause(run, sum(losses) / len(losses))
            losses.clear()
            last = time.monotonic()
