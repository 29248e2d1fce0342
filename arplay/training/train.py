"""Teacher forcing: minimise the mean next-token NLL over packed documents.

Documents are encoded with their separator in front, shuffled, joined and cut into rows of context + 1
tokens; row r gives ``context`` predictions. Which rows make up step s depends on (seed, s) alone, so a run
that is stopped and resumed is the run that was never stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from arplay.core.errors import Problem
from arplay.models.store.safetensors_file import check_safetensors
from arplay.textfile import json_value
from arplay.training import limits
from arplay.training.evaluate import nll
from arplay.training.run_folder import Precision, write_whole
from arplay.training.shares import Shares

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Schedule:
    """How to train: ``tokens`` predictions in batches of ``batch`` rows of ``context`` tokens.

    The learning rates rise linearly over the first ``warmup`` part of the steps, stay, and fall linearly to 0 over the
    last ``cooldown`` part. ``muon_rate`` is that of the hidden matrices; where it is 0, AdamW trains them as well.
    ``compile`` has torch.compile fuse the small operations, which needs a C++ compiler. ``precision`` is that of the
    passes; the weights and all that is summed are float32. ``processes`` share the rows of a batch (a CPU's only).
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
    precision: Precision = "bfloat16"
    device: str = "cpu"
    processes: int = 1

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

    Neighbouring rows of the joined text share one token, so that each token is predicted once.
    """
    draw = np.random.default_rng([seed, epoch])
    joined = np.concatenate([documents[i] for i in draw.permutation(len(documents))])
    count = (len(joined) - 1) // context
    starts = draw.permutation(count) * context
    packed: Ids = joined[starts[:, None] + np.arange(context + 1)]
    return packed


def steps_per_epoch(tokens: int, context: int, batch: int) -> int:
    """Steps in which every token is predicted once; rows that fill no batch are left out."""
    return (tokens - 1) // context // batch


class Run:
    """A network in training: its optimisers, how far it is, and where that is kept."""

    def __init__(self, network: nn.Module, documents: Sequence[Ids], schedule: Schedule) -> None:
        """``documents``: the ids of each training text, separator first."""
        self.network = network.to(schedule.device)
        self._shares: Shares | None = None
        self._forward: Any = None
        self.documents = documents
        self.schedule = schedule
        self.step = 0
        self.seconds = 0.0
        self._epoch = -1
        self._rows: Ids = np.empty((0, schedule.context + 1), dtype=np.int64)
        self._steps_per_epoch = steps_per_epoch(sum(map(len, documents)), schedule.context, schedule.batch)
        if self._steps_per_epoch < 1:
            least = schedule.batch * schedule.context + 1
            raise Problem(f"the text has too few tokens for a batch of {least:,}", "give more text or less context")
        muon = [p for name, p in network.named_parameters() if schedule.muon_rate and is_hidden(name, p)]
        adamw = [p for name, p in network.named_parameters() if not (schedule.muon_rate and is_hidden(name, p))]
        self._optimisers: list[tuple[torch.optim.Optimizer, float]] = []
        if muon:
            decay = schedule.weight_decay
            self._optimisers.append((torch.optim.Muon(muon, lr=1.0, weight_decay=decay), schedule.muon_rate))
        self._optimisers.append(
            (torch.optim.AdamW(adamw, lr=1.0, betas=(0.9, 0.95), weight_decay=0.0), schedule.adamw_rate)
        )

    def advance(self) -> float:
        """One step: forward, backward, update. The mean NLL of the batch before the update, in nats a token."""
        self.start()
        began = time.monotonic()
        schedule = self.schedule
        loss = self._loss(self.batch())
        nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip)
        for optimiser, rate in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * schedule.factor(self.step)
            optimiser.step()
        self.step += 1
        self.seconds += time.monotonic() - began
        return loss

    def start(self) -> None:
        """Get ready for the first step: where processes share the batch, wait until they are there."""
        if self._forward is not None or self._shares is not None:
            return
        start, work = partial(compiled, self.schedule), partial(backward, self.schedule)
        if self.schedule.processes > 1:
            self._shares = Shares(self.network, start, work, self.schedule.processes)
        else:
            self._forward = start(self.network)

    def _loss(self, rows: Ids) -> float:
        """The mean NLL of a batch; its gradient is left in the parameters' ``grad``."""
        if self._shares is not None:
            return self._shares.loss(rows)
        self.network.zero_grad()
        return backward(self.schedule, self._forward, rows)

    def close(self) -> None:
        """Let the other processes of the run end."""
        if self._shares is not None:
            self._shares.close()

    def batch(self) -> Ids:
        """The rows that the next step reads, (batch, context + 1)."""
        epoch, step = divmod(self.step, self._steps_per_epoch)
        if epoch != self._epoch:
            self._rows = rows(self.documents, self.schedule.context, self.schedule.seed, epoch)
            self._epoch = epoch
        return self._rows[step * self.schedule.batch :][: self.schedule.batch]

    def save(self, path: Path) -> None:
        """Write a checkpoint; an older one is replaced only when the new one is whole. Raises OSError."""
        tensors = {f"weights.{name}": parameter.detach() for name, parameter in self.network.named_parameters()}
        for i, (optimiser, _) in enumerate(self._optimisers):
            for index, values in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{i}.{index}.{key}": value for key, value in values.items()}
        state = {"step": self.step, "seconds": self.seconds, "torch": torch.__version__}
        write_tensors(path, tensors, {"run": json.dumps(state)})

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint that ``save`` wrote. Raises Problem for one that is damaged or another run's."""
        shapes = {name: tensor.shape for name, tensor in check_safetensors(path).items()}
        mine = {f"weights.{name}": tuple(parameter.shape) for name, parameter in self.network.named_parameters()}
        others = Problem(f"{path.name} is the checkpoint of another run", "start a new run")
        if mine != {name: shape for name, shape in shapes.items() if name.startswith("weights.")}:
            raise others
        try:
            with safe_open(path, "pt") as file:  # on the CPU, where AdamW keeps its count of steps
                # copies: Windows replaces no file that is mapped, and the optimisers keep these tensors
                tensors = {name: file.get_tensor(name).clone() for name in shapes}
                said = json_value((file.metadata() or {})["run"])
            state = limits.STATE(said, "")
            for i, (optimiser, _) in enumerate(self._optimisers):
                optimiser.load_state_dict(_state_of(optimiser, f"optimiser.{i}.", tensors))
        except (KeyError, TypeError, ValueError, SafetensorError) as error:
            raise others from error
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(tensors[f"weights.{name}"])
        self.step, self.seconds = state["step"], state["seconds"]


def autocast(schedule: Schedule) -> torch.autocast:
    """The number type of the passes."""
    kind = torch.device(schedule.device).type
    return torch.autocast(kind, torch.bfloat16, enabled=schedule.precision == "bfloat16")


def compiled(schedule: Schedule, network: nn.Module) -> Any:
    """The forward pass."""
    return torch.compile(network) if schedule.compile else network


def backward(schedule: Schedule, forward: Any, rows: Ids) -> float:
    """Forward and backward over ``rows``, (n, context + 1): their mean NLL; its gradient is added to the weights'."""
    batch = torch.from_numpy(rows).to(schedule.device)
    with autocast(schedule):
        logits = forward(input_ids=batch[:, :-1], use_cache=False).logits
    loss = nll(logits, batch[:, 1:]).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item()  # waits for an accelerator, whose time it is


def is_hidden(name: str, parameter: Tensor) -> bool:
    """Whether a weight is a matrix between hidden layers, which is what Muon is for (Jordan et al. 2024)."""
    return parameter.ndim == 2 and "embed" not in name


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file; one that is there is replaced only by the whole of it. Raises OSError."""
    data = safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)


def _state_of(optimiser: torch.optim.Optimizer, prefix: str, tensors: dict[str, Tensor]) -> dict[str, object]:
    """What ``optimiser.load_state_dict`` takes, out of a checkpoint's tensors. Raises ValueError for another's."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            index, key = name.removeprefix(prefix).split(".", 1)
            state.setdefault(int(index), {})[key] = tensor
    groups = optimiser.state_dict()["param_groups"]
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    if not set(state) <= set(range(len(parameters))):
        raise ValueError(f"{prefix} has other weights")
    for i, values in state.items():
        for key, value in values.items():
            if key != "step" and value.shape != parameters[i].shape:
                raise ValueError(f"{prefix}{i}.{key} has another shape")
    return {"state": state, "param_groups": groups}
