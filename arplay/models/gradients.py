"""How much the next token's logits move with each token that was read: by gradient, so measured and not declared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arplay.core.distribution import read_only

DIRECTIONS = 8
"""Passes back at most, whatever V is."""


def directions(values: int) -> Tensor:
    """Rows w, (k, V), with E sum_k (w_k . x)^2 = |x|^2: the unit vectors where they are few, else signs drawn once.

    Hutchinson (1990). With V of at most 8 it is no estimate.

    >>> directions(2).tolist(), directions(300).square().sum().round().item()
    ([[1.0, 0.0], [0.0, 1.0]], 300.0)
    """
    if values <= DIRECTIONS:
        return torch.eye(values)
    drawn = np.random.default_rng(0).integers(0, 2, (DIRECTIONS, values))
    return torch.from_numpy((2.0 * drawn - 1) / DIRECTIONS**0.5)


def magnitudes(logits: Tensor, inputs: Tensor) -> NDArray[np.float64]:
    """sqrt(sum_v |d logit_v / d inputs_j|^2) of each of n inputs, (n, width), by autograd; (n,), read-only.

    ``logits``: (V,), computed of ``inputs``. Of logits 2 x_1 - x_2 and 0 of two inputs of one number:

    >>> x = torch.ones(2, 1, requires_grad=True)
    >>> magnitudes(torch.stack([2 * x[0, 0] - x[1, 0], 0 * x[1, 0]]), x).tolist()
    [2.0, 1.0]
    """
    squares = torch.zeros(len(inputs), dtype=torch.float64)
    for way in directions(len(logits)).to(logits):
        (found,) = torch.autograd.grad(logits, inputs, way, retain_graph=True)
        squares += found.double().square().sum(-1).cpu()
    result: NDArray[np.float64] = squares.sqrt().numpy()
    return read_only(result)


def through(embedding: nn.Module, run: Callable[[], Tensor]) -> NDArray[np.float64]:
    """:func:`magnitudes` of the rows that ``run``, which gives logits (V,), looks up in ``embedding`` for one chain."""
    looked_up: list[Tensor] = []

    def keep(module: nn.Module, given: object, rows: Tensor) -> Tensor:
        looked_up.append(rows.detach()[0].requires_grad_())
        return looked_up[-1][None]

    handle = embedding.register_forward_hook(keep)
    try:
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):  # it goes back in training mode only
            logits = run()
            return magnitudes(logits, looked_up[-1])
    finally:
        handle.remove()
