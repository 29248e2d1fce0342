"""Small networks that learn one joint distribution from the same chains, each in an order of its own.

``python -m`` trains two of them in a process of its own, for arplay/engine/two_orders.py.

Every one of them is a joint distribution itself, by the chain rule in its order; but what it has learned of the same
chains differs, so the probabilities that they give to one chain are not equal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from arplay.core.orders import Floats, Order

CHAINS, STEPS, WIDTH, RATE = 1000, 300, 24, 0.02
BLOCK = 2048
"""Chains that are looked at together."""


@dataclass(frozen=True, eq=False, slots=True)
class Learned:
    """log p of every chain in nats by a network, shape (V,) * n, in the chain's own axes."""

    logprob: Floats
    parameters: int


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


def learned(joint: Floats, order: Order, seed: int, told: Callable[[float], None], chains: int = CHAINS) -> Learned:
    """A network trained on ``chains`` chains drawn from ``joint``, log p in nats of shape (V,) * n.

    The chains and the first weights depend on ``seed`` alone, and so are the same for every order. ``told``: the part
    that is done.
    """
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
    return Learned(torch.cat(parts).numpy().reshape(joint.shape), count)


def main(folder: Path, seed: int, orders: tuple[Order, Order]) -> None:
    """Learn the joint in ``folder``, tell a JSON object a line, and leave what came of it there."""
    torch.set_num_threads(1)  # such small networks wait for each other's threads only
    joint = np.load(folder / "joint.npy", allow_pickle=False)

    def tell(network: int, part: float) -> None:
        if round(part * STEPS) % 10 == 0:
            print(json.dumps({"network": network, "fraction": (network + part) / 2}), flush=True)

    first, second = (learned(joint, order, seed, partial(tell, at)) for at, order in enumerate(orders))
    made = folder / "made.npz"
    np.savez(made, first=first.logprob, second=second.logprob, parameters=first.parameters, chains=CHAINS)
    made.rename(folder / "learned.npz")


if __name__ == "__main__":
    one, other = json.loads(sys.argv[3])
    main(Path(sys.argv[1]), int(sys.argv[2]), (tuple(one), tuple(other)))
