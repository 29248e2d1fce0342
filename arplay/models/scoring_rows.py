"""Scores of given pieces from rows of logits: log p, rank, entropy and the best five of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST
from arplay.core.errors import Problem

if TYPE_CHECKING:
    import torch


def score_rows(torch: Any, logits: torch.Tensor, ids: list[int]) -> tuple[NDArray[Any], ...]:
    """log p, rank (ties by id), entropy and the best five of each row; logits of shape (n, V)."""
    if not ids:
        return unscored(0)
    logits = logits.float()
    logprobs = torch.log_softmax(logits, dim=-1)
    chosen = torch.tensor(ids, device=logits.device)[:, None]
    mine = logprobs.gather(1, chosen)
    if bool(torch.isnan(mine).any()):
        raise Problem("the model's logits are not numbers (NaN)", "use float32, or another model")
    # ranks compare logits: subtracting the norm in 32 bits would make equals of neighbours
    its = logits.gather(1, chosen)
    lower = torch.arange(logits.shape[1], device=logits.device)[None] < chosen
    rank = 1 + ((logits > its) | ((logits == its) & lower)).sum(dim=1)
    entropy = 0.0 - torch.nan_to_num_(logprobs.exp().mul_(logprobs)).sum(dim=1)  # 0 log 0 = 0
    best_ids = best_ids_of(torch, logits)
    best = logprobs.gather(1, best_ids)
    missing = BEST - best.shape[1]
    return (
        mine[:, 0].double().cpu().numpy(),
        rank.cpu().numpy(),
        entropy.double().cpu().numpy(),
        np.pad(best_ids.cpu().numpy(), ((0, 0), (0, missing)), constant_values=-1),
        np.pad(best.double().cpu().numpy(), ((0, 0), (0, missing)), constant_values=-np.inf),
    )


def best_ids_of(torch: Any, logits: torch.Tensor) -> torch.Tensor:
    """Ids of the best five of each row, shape (n, 5 or V), ties by id (``topk`` breaks them as it likes)."""
    size = logits.shape[1]
    values, ids = logits.topk(min(BEST + 1, size), dim=1)
    ids = ids[:, :BEST]
    if size > BEST:
        tied = values[:, BEST - 1] == values[:, BEST]  # the last of the five has an equal outside
        for row in tied.nonzero().flatten().tolist():
            near = (logits[row] >= values[row, BEST]).nonzero().flatten()
            ids[row] = near[logits[row, near].sort(descending=True, stable=True).indices[:BEST]]
    ids = ids.sort(dim=1).values
    return ids.gather(1, logits.gather(1, ids).sort(dim=1, descending=True, stable=True).indices)


def unscored(n: int) -> tuple[NDArray[Any], ...]:
    return (
        np.full(n, np.nan),
        np.zeros(n, dtype=np.int64),
        np.full(n, np.nan),
        np.full((n, BEST), -1, dtype=np.int64),
        np.full((n, BEST), -np.inf),
    )
