"""Small networks that learn one joint distribution from the same chains, each in an order of its own.

Every one of them is a joint distribution itself, by the chain rule in its order; but what it has learned of the same
chains differs, so the probabilities that they give to one chain are not equal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from arplay.core.orders import Floats, Order

CHAINS, STEPS, WIDTH, RATE = 1000, 300, 24, 0.02
BLOCK = 2048
"""Chains that are looked at together."""


@dataclass(frozen=True, eq=False, slots=True)
class Learned:
    """log p of every chain in nats by a network that reads it in ``order``, shape (V,) * n, in the chain's own axes."""

    name: str
    order: Order
    logprob: Floats
    parameters: int
    seconds: float


class Reader(nn.Module):
    """One hidden layer that is shown, for each token, those before it and how many they are; all others are 0."""

    def __init__(self, values: int, n: int) -> None:
        super().__init__()
        self.values, self.n = values, n
        self.layers = nn.Sequential(nn.Linear(n * values + n, WIDTH), nn.Tanh(), nn.Linear(WIDTH, values))

    def shown(self, chains: Tensor) -> Tensor:
        """What it may see at each token of B chains in the order they are read: (B, n) to (B, n, n * V + n)."""
        tokens = nn.functional.one_hot(chains, self.values).float()
        before = torch.ones(self.n, self.n).tril(-1)
        seen = (before[None, :, :, None] * tokens[:, None]).flatten(2)
        return torch.cat([seen, torch.eye(self.n).expand(len(chains), -1, -1)], dim=2)

    def forward(self, shown: Tensor, chains: Tensor) -> Tensor:
        """log p of each chain in nats, shape (B,)."""
        rows = self.layers(shown).log_softmax(-1)
        total: Tensor = rows.gather(-1, chains[..., None]).sum(dim=(1, 2))
        return total


def learned(
    joint: Floats, name: str, order: Order, seed: int, told: Callable[[float], None], chains: int = CHAINS
) -> Learned:
    """A network trained on ``chains`` chains drawn from ``joint``, log p in nats of shape (V,) * n.

    The chains and the first weights depend on ``seed`` alone, and so are the same for every order. ``told``: the part
    that is done; it may raise to cancel.
    """
    began = time.perf_counter()
    every = np.stack(np.unravel_index(np.arange(joint.size), joint.shape), axis=1)[:, list(order)]
    p = np.exp(joint.ravel())
    drawn = np.random.default_rng(seed).choice(joint.size, size=chains, p=p / p.sum())
    seen, counts = np.unique(drawn, return_counts=True)
    batch, weights = torch.from_numpy(every[seen]), torch.from_numpy(counts / chains).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Reader(joint.shape[0], joint.ndim)
    shown = network.shown(batch)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    for step in range(STEPS):
        told(step / STEPS)
        loss = -(network(shown, batch) * weights).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        network.double()
        blocks = (torch.from_numpy(every[at : at + BLOCK]) for at in range(0, len(every), BLOCK))
        parts = [network(network.shown(block).double(), block) for block in blocks]
    count = sum(weight.numel() for weight in network.parameters())
    return Learned(name, order, torch.cat(parts).numpy().reshape(joint.shape), count, time.perf_counter() - began)
