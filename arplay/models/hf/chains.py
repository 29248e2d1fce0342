"""Chains side by side in a network: one forward reads a token of each, for little more than it takes to read one.

On a CPU a step waits for the weights to come from memory; in a batch they come once for all chains.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arplay.models.base import Info, no_first
from arplay.models.batches import SideBySide
from arplay.models.hf.caches import chosen
from arplay.models.hf.library import Forward

if TYPE_CHECKING:
    from torch import Tensor

ENOUGH = 0.9
"""The part of the rollouts whose end is waited for: the last few would take as long as all."""


class Chains:
    """What a network keeps of B chains. Use it within ``torch.inference_mode`` only."""

    def __init__(self, forward: Forward) -> None:
        self._forward, self._kept = forward, None

    def read(self, ids: Tensor) -> Tensor:
        """Read ``ids``, (B, n), behind the chains; the logits after each chain, (B, V)."""
        from arplay.models.hf.fast_cache import give_room

        logits, self._kept = self._forward(ids, self._kept, keep=True, rows=1)
        give_room(self._kept)
        return logits[:, -1]

    def reorder(self, parents: Tensor) -> None:
        """Chain i becomes a copy of what was chain ``parents[i]``."""
        self._kept = chosen(self._kept, parents)


class NetworkBatch(SideBySide):
    """By one forward a step, of a network whose cache can be taken apart."""

    def __init__(self, forward: Forward, info: Info, prefixes: Sequence[Sequence[int]]) -> None:
        if prefixes and not len(prefixes[0]):
            raise no_first()
        self._chains, self._device = Chains(forward), forward.network.device
        super().__init__(info, prefixes)

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        import torch

        with torch.inference_mode():
            logits = self._chains.read(torch.tensor(ids, device=self._device)).float().cpu()
        return np.asarray(logits)

    def _follow(self, parents: list[int]) -> None:
        import torch

        with torch.inference_mode():
            self._chains.reorder(torch.tensor(parents, device=self._device))


def rollouts(
    network: Any, prefixes: Tensor, tokens: int, temperature: float, ends: Collection[int], seed: int
) -> list[list[int]]:
    """What follows each of ``prefixes``, ids of shape (B, n): up to ``tokens`` ids, an end of the text not among them.

    ``network`` is a transformers causal model with plain KV caches. One uniform number a rollout and step chooses from
    softmax(logits / temperature) by its cumulative sum; the numbers come from ``seed``, so that the same processor and
    versions draw the same. A rollout that ends early is drawn on and cut; one that never ends has ``tokens`` ids.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    stops = torch.tensor(sorted(ends))
    chains = Chains(Forward(network))
    drawn: list[Tensor] = []
    new = prefixes
    ended = torch.zeros(len(prefixes), dtype=torch.bool)
    with torch.inference_mode():
        while len(drawn) < tokens and ended.sum() < ENOUGH * len(prefixes):
            mass = torch.softmax(chains.read(new).float() / temperature, -1).cumsum(-1)
            new = torch.searchsorted(mass, torch.rand(len(prefixes), 1, generator=draw) * mass[:, -1:])
            new = new.clamp_(max=mass.shape[1] - 1)
            drawn.append(new[:, 0])
            ended |= torch.isin(new[:, 0], stops)
    return [_up_to(row, ends) for row in torch.stack(drawn, 1).tolist()]


def _up_to(row: list[int], ends: Collection[int]) -> list[int]:
    return row[: next((i for i, id in enumerate(row) if id in ends), len(row))]
