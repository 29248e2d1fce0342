"""Many rollouts side by side: one pass draws the next token of every prefix. For text in bulk; see engine/ for one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from arplay.models.batches import Chains
from arplay.models.hf.library import Forward

if TYPE_CHECKING:
    from torch import Tensor

ENOUGH = 0.9
"""The part of the rollouts whose end is waited for: the last few would take as long as all."""


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
