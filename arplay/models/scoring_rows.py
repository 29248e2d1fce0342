"""Scores of given tokens from rows of logits: log p, rank, entropy and the best five of each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST
from arplay.models.base import Columns, columns, unscored

if TYPE_CHECKING:
    import torch


BLOCK_BYTES = 1 << 21
"""Logits are gone through so many bytes at a time: what one pass leaves in the processor's cache the next one finds."""

PART_BYTES = 1 << 19
"""Those of which two more tensors are made, of the same size, so many at a time."""

SHORT = 1024
"""Rows of at most so many logits are scored in 64 bits from the beginning."""

LINES = 64
"""A long row is folded into so many: its best are looked for in the columns."""

ADDED = 16
"""So many numbers of a long row are added up in 32 bits: the fewer, the less a small one loses beside a large one."""


def score_rows(torch: Any, logits: torch.Tensor, ids: list[int], before: torch.Tensor | None = None) -> Columns:
    """log p, rank (ties by id), entropy and the best five of each row; logits of shape (n, V).

    ``before``, of shape (V,), is one row more, before the others. A row of logits that are not numbers gives no score.
    """
    if not ids:
        return unscored(0)
    if logits.device.type != "cpu":
        rows = logits if before is None else torch.cat([before[None], logits])
        return _score_block(torch, rows, ids)
    first = [] if before is None else [before[None]]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a block is too small to share: threads would wait for each other more than they work
    try:
        scored = [_score_block(torch, row, ids[:1]) for row in first]
        scored.append(_score_block(torch, logits[: len(ids) - len(first)], ids[len(first) :]))
    finally:
        torch.set_num_threads(threads)
    return columns(scored)


def score_given(torch: Any, logits: torch.Tensor, ids: list[int], before: torch.Tensor | None) -> Columns:
    """:func:`score_rows` of ids that were read in one forward, (n, V); the first by the logits ``before`` it.

    None: there are none, and it is not scored.
    """
    if before is not None:
        return score_rows(torch, logits[:-1], ids, before)
    return columns([unscored(1), score_rows(torch, logits[:-1], ids[1:])])


def logprobs_of(torch: Any, logits: torch.Tensor, ids: Sequence[int]) -> NDArray[np.float64]:
    """log p (nats) of ids[i] by row i of ``logits``, by torch's cross_entropy in 64 bits; shapes (n, V) to (n,).

    What :func:`score_rows` finds is reconciled with it.

    >>> import torch
    >>> np.exp(logprobs_of(torch, torch.tensor([[0.0, 0.0, 0.0, 0.0]]), [2]))
    array([0.25])
    """
    chosen = torch.tensor(list(ids), device=logits.device)
    blocks = zip(*(part.split(max(1, BLOCK_BYTES // (4 * logits.shape[1]))) for part in (logits, chosen)), strict=True)
    cross_entropy = torch.nn.functional.cross_entropy
    losses = [cross_entropy(rows.double(), mine, reduction="none").cpu().numpy() for rows, mine in blocks]
    return 0.0 - np.concatenate([np.empty(0), *losses])


def masses(torch: Any, logits: torch.Tensor, among: torch.Tensor) -> NDArray[np.float64]:
    """log of the probability of the tokens ``among``, (V,), by each row of ``logits``, (n, V), in nats: (n,).

    >>> import torch
    >>> np.exp(masses(torch, torch.log(torch.tensor([[0.5, 0.2, 0.3]])), torch.tensor([True, False, True]))).round(6)
    array([0.8])
    """
    found, step = [np.empty(0)], max(1, BLOCK_BYTES // (4 * logits.shape[1]))
    for low in range(0, len(logits), step):
        block = logits[low : low + step]
        rows = block.double() if block.shape[1] <= SHORT else block.float()
        parts = (rows - rows.amax(dim=1, keepdim=True)).exp_()
        whole = parts.sum(dim=1, dtype=torch.float64)
        some = parts.mul_(among).sum(dim=1, dtype=torch.float64)
        found.append((some.log() - whole.log()).cpu().numpy())
    return np.concatenate(found)


def _score_block(torch: Any, logits: torch.Tensor, ids: list[int]) -> Columns:
    """As score_rows.

    With m the largest logit z of a row and Z = sum_j exp(z_j - m): log p_i = z_i - m - log Z, and the entropy is
    log Z - sum_j (z_j - m) exp(z_j - m) / Z.
    """
    if not ids:
        return unscored(0)
    logits = logits.double() if logits.shape[1] <= SHORT else logits.float()
    best_ids, whole, mean = _sums(torch, logits)
    best = logits.gather(1, best_ids).double()
    norm = best[:, :1] + whole.log()[:, None]
    chosen = torch.tensor(ids, device=logits.device)[:, None]
    mine = logits.gather(1, chosen).double() - norm
    failed = torch.isnan(mine[:, 0]).cpu().numpy()
    missing = BEST - best.shape[1]
    scored: Columns = (
        mine[:, 0].cpu().numpy(),
        _ranks(torch, logits, chosen, best_ids),
        (whole.log() - mean / whole).cpu().numpy(),
        np.pad(best_ids.cpu().numpy(), ((0, 0), (0, missing)), constant_values=-1),
        np.pad((best - norm).cpu().numpy(), ((0, 0), (0, missing)), constant_values=-np.inf),
    )
    if failed.any():
        for column, nothing in zip(scored, unscored(int(failed.sum())), strict=True):
            column[failed] = nothing
    return scored


def _sums(torch: Any, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids of the best five of each row, Z and sum_j (z_j - m) exp(z_j - m) in 64 bits, (n,).

    The exponentials of a long row are taken in 32 bits, where each is rounded up or down by chance; so are the sums of
    a few, but for the best five, beside which small ones would be lost; all after that is in 64 bits. A whole sum
    in 32 bits errs to one side in every row alike, by 8e-6 nats with SmolLM2, which a long text adds up; and to make
    64 bits of each number takes longer than all that is done with it.

    >>> import torch
    >>> [each.tolist() for each in _sums(torch, torch.full((1, 64 * 64 + 1), 0.5))]
    [[[0, 1, 2, 3, 4]], [4097.0], [0.0]]
    """
    rows, size = logits.shape
    lines, fits = ADDED if size > SHORT else 1, logits.device.type == "cpu"
    most, least = (max(1, each // logits[0].nbytes) if fits else rows for each in (BLOCK_BYTES, PART_BYTES))
    below = logits.new_empty(min(rows, least), size)
    folded = logits.new_zeros(len(below), lines, -(-size // lines))  # a last line that is not full ends in zeros
    parts = folded.view(len(below), -1)[:, :size]
    found, sums = [], logits.new_empty(2, rows, dtype=torch.float64)
    for block, *its in zip(*(each.split(most) for each in (logits, *sums)), strict=True):
        found.append(best_ids_of(torch, block))
        tops = block.gather(1, found[-1][:, :1])
        several = (each.split(least) for each in (block, tops, found[-1], *its))
        for z, top, best, whole, mean in zip(*several, strict=True):
            less, part, lined = (each[: len(z)] for each in (below, parts, folded))
            torch.exp(torch.sub(z, top, out=less), out=part).scatter_(1, best, 0.0)
            torch.sum(lined.sum(1), 1, dtype=torch.float64, out=whole)
            torch.mul(part, less, out=part)
            torch.sum(lined.sum(1), 1, dtype=torch.float64, out=mean)
    best_ids, (whole, mean) = torch.cat(found), sums
    best = logits.gather(1, best_ids).double()
    near = best - best[:, :1]
    for bad in torch.isnan(mean).nonzero()[:, 0].split(least):  # 0 log 0 = 0
        z = logits[bad].double() - best[bad, :1]
        mean[bad] = torch.nan_to_num_((z.exp() * z).scatter_(1, best_ids[bad], 0.0)).sum(dim=1)
    whole += near.exp().sum(dim=1)
    mean += torch.nan_to_num_(near.exp() * near).sum(dim=1)
    return best_ids, whole, mean


def _ranks(torch: Any, logits: torch.Tensor, chosen: torch.Tensor, best_ids: torch.Tensor) -> NDArray[np.int64]:
    """How many logits come before the chosen one, and one more.

    Ranks compare logits: subtracting the norm in 32 bits would make equals of neighbours.
    """
    if logits.device.type == "cpu":  # numpy counts ten times as fast
        rows, among = logits.numpy(), (best_ids == chosen).numpy()
        rank: NDArray[np.int64] = 1 + among.argmax(axis=1)
        for i in np.flatnonzero(~among.any(axis=1)).tolist():
            row, id = rows[i], int(chosen[i])
            rank[i] = 1 + np.count_nonzero(row > row[id]) + np.count_nonzero(row[:id] == row[id])
        return rank
    its = logits.gather(1, chosen)
    lower = torch.arange(logits.shape[1], device=logits.device)[None] < chosen
    rank = 1 + ((logits > its) | ((logits == its) & lower)).sum(dim=1).cpu().numpy()
    return rank


def best_ids_of(torch: Any, logits: torch.Tensor) -> torch.Tensor:
    """Ids of the best five of each row, shape (n, 5 or V), ties by id (``topk`` breaks them as it likes)."""
    size = logits.shape[1]
    values, ids = _top(torch, logits, min(BEST + 1, size))
    ids = ids[:, :BEST]
    if size > BEST:
        tied = values[:, BEST - 1] == values[:, BEST]  # the last of the five has an equal outside
        for row in tied.nonzero().flatten().tolist():
            near = (logits[row] >= values[row, BEST]).nonzero().flatten()
            ids[row] = near[logits[row, near].sort(descending=True, stable=True).indices[:BEST]]
    ids = ids.sort(dim=1).values
    return ids.gather(1, logits.gather(1, ids).sort(dim=1, descending=True, stable=True).indices)


def _top(torch: Any, logits: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest ``count`` of each row and their places, both (n, count).

    The largest of a long row are in the ``count`` columns with the largest maxima
    (were one elsewhere, each of these columns would hold a number as large), so only those are looked through.
    """
    rows, size = logits.shape
    width = size // LINES
    if width < LINES:
        found = logits.topk(count, dim=1)
        return found.values, found.indices
    folded = logits[:, : LINES * width].view(rows, LINES, width)
    columns = folded.amax(dim=1).topk(count, dim=1).indices
    lines = torch.arange(0, LINES * width, width, device=logits.device)
    places = (columns[:, None, :] + lines[None, :, None]).view(rows, -1)
    rest = torch.arange(LINES * width, size, device=logits.device).expand(rows, -1)
    places = torch.cat([places, rest], dim=1)
    values, among = logits.gather(1, places).topk(count, dim=1)
    return values, places.gather(1, among)
