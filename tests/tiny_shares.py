"""A network for the tests of shares, which its other processes import: they need torch and nothing else."""

from __future__ import annotations

import os
import sys
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

from arplay.training.train import Ids, Run, Schedule, backward

VOCABULARY, CONTEXT, ROWS = 11, 6, 4


class Pairs(nn.Module):
    """Predicts every token from the one before it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, 8)
        self.hidden = nn.Linear(8, 8)
        self.head = nn.Linear(8, VOCABULARY)

    def forward(self, input_ids: torch.Tensor, use_cache: bool) -> Any:
        return SimpleNamespace(logits=self.head(torch.tanh(self.hidden(self.embed(input_ids)))))


def network() -> Pairs:
    torch.manual_seed(2)
    return Pairs()


def schedule(processes: int, steps: int = 8) -> Schedule:
    return Schedule(
        tokens=steps * ROWS * CONTEXT, batch=ROWS, context=CONTEXT, muon_rate=0.02, adamw_rate=0.01, warmup=0.1,
        cooldown=0.5, weight_decay=0.1, clip=1.0, seed=1, precision="float32", processes=processes,
    )  # fmt: skip


def rows() -> Ids:
    return np.random.default_rng(0).integers(0, VOCABULARY, (ROWS, CONTEXT + 1))


def run(processes: int) -> Run:
    documents = [np.random.default_rng(1).integers(0, VOCABULARY, 200)]
    return Run(network(), documents, schedule(processes))


def fails(forward: Any, part: Ids) -> float:
    """In every process but the first."""
    if os.getppid() == int(os.environ.get("TINY_PARENT", "0")):
        raise RuntimeError("no memory is left for it")
    return backward(schedule(1), forward, part)


def ends(forward: Any, part: Ids) -> float:
    """As when the system ends a process."""
    if os.getppid() == int(os.environ.get("TINY_PARENT", "0")):
        os._exit(1)
    return backward(schedule(1), forward, part)


def plain(network: nn.Module) -> nn.Module:
    return network


whole = partial(backward, schedule(1))


if __name__ == "__main__":  # a run of three processes, which prints their numbers and waits to be killed
    import psutil

    started = run(2)
    started.advance()
    others = [child.pid for child in psutil.Process().children(recursive=True)]
    print(*others, flush=True)
    sys.stdin.read()
