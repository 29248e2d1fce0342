"""Two models that learned one joint distribution, each in an order of its own: what each costs, and how they differ.

In its own order each of them is a joint distribution, exactly. But they are two: what one gives to a chain is not what
the other gives to it, where the joint itself has one probability in every order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from arplay.core.distribution import LN2
from arplay.core.errors import Problem
from arplay.core.format import number, percent_cell
from arplay.core.orders import Floats, Order, Orders, Product

EDGES = (-2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0)
_BAR = 24


@dataclass(frozen=True, slots=True)
class Apart:
    """How far two models q, r of the chains of one joint p are from it and from each other, over every chain, in bits.

    ``entropy`` is that of p; ``costs`` are the cross entropies of q and r, which are larger by KL(p, q) and KL(p, r).
    ``mean``: the mean of |log q - log r| under p. ``shares``: of p, where log2 q - log2 r lies below each of ``edges``
    and not below the one before it, and, last, where it lies below none.
    """

    entropy: float
    costs: tuple[float, float]
    mean: float
    edges: tuple[float, ...]
    shares: tuple[float, ...]


def apart(joint: Floats, q: Floats, r: Floats) -> Apart:
    """``joint``, ``q`` and ``r``: log p of every chain in nats, of one shape.

    >>> fair, bent = np.log([0.5, 0.5]), np.log([0.2, 0.8])
    >>> found = apart(fair, fair, bent)
    >>> found.entropy, [round(cost, 4) for cost in found.costs], round(found.mean, 4)
    (1.0, [1.0, 1.3219], 1.0)
    >>> found.shares
    (0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0)
    """
    p = np.exp(joint)
    seen = p > 0
    p, own, first, second = p[seen], joint[seen] / LN2, q[seen] / LN2, r[seen] / LN2
    entropy, *costs = (0.0 - float(p @ bits) for bits in (own, first, second))
    between = first - second
    boxes = np.bincount(np.searchsorted(EDGES, between, side="right"), p, len(EDGES) + 1)
    return Apart(entropy, (costs[0], costs[1]), float(p @ abs(between)), EDGES, tuple(boxes.tolist()))


@dataclass(frozen=True, slots=True)
class TwoOrders:
    """Two networks of ``parameters`` weights that learned the same ``chains`` chains in ``orders``, called ``names``.

    ``here``: the bits of the chain in question by each, ``exact`` by the joint. ``seed``: of the chains and of the
    first weights.
    """

    names: tuple[str, str]
    orders: tuple[Order, Order]
    parameters: int
    chains: int
    seed: int
    apart: Apart
    here: tuple[float, float]
    exact: float

    @property
    def rows(self) -> tuple[tuple[str, float, float, float], ...]:
        """The joint and both networks: name, mean bits of all chains, how many beyond the joint's, and bits here."""
        entropy = self.apart.entropy
        learned = zip(self.names, self.apart.costs, self.here, strict=True)
        each = ((name, cost, cost - entropy, here) for name, cost, here in learned)
        return (("the joint, in any order", entropy, 0.0, self.exact), *each)

    @property
    def boxes(self) -> tuple[str, ...]:
        """What each of ``apart.shares`` is of: by how many bits the first network gives more."""
        edges = self.apart.edges
        names = (f"below {edges[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(edges)), f"{edges[-1]:g} or more")
        return tuple(name.replace("-", "\N{MINUS SIGN}") for name in names)

    @property
    def differ(self) -> str:
        """How far apart the two are, in a sentence."""
        return (
            f"Apart by {number(self.apart.mean)} bits a chain in the mean, "
            f"by {number(abs(self.here[0] - self.here[1]))} here"
        )

    def record(self) -> dict[str, Any]:
        """As JSON has it, in bits."""
        networks = [
            {"name": name, "order": list(order), "parameters": self.parameters, "bits": cost, "here": here}
            for name, order, cost, here in zip(self.names, self.orders, self.apart.costs, self.here, strict=True)
        ]
        return {"seed": self.seed, "chains": self.chains, "networks": networks, "here": self.exact} | asdict(self.apart)

    def lines(self) -> list[str]:
        """For a terminal."""
        lines = [
            f"Two networks of {self.parameters:,} parameters, trained on the same {self.chains:,} chains "
            f"(seed {self.seed}), in bits:",
            f"{'mean of all chains':>22}  {'beyond':>8}  {'this chain':>10}  read in this order",
        ]
        for name, mean, beyond, here in self.rows:
            lines.append(f"{number(mean):>22}  {number(beyond):>8}  {number(here):>10}  {name}")
        lines += ["", f"{self.differ}. Chains by how many bits the first gives more:"]
        for name, share in zip(self.boxes, self.apart.shares, strict=True):
            lines.append(f"{name:>22}  {percent_cell(share):>8}  {'█' * round(_BAR * share)}".rstrip())
        return [*lines, "", "The identity is exact, the models are not."]


def pair(found: Orders, said: tuple[str, str] | None) -> tuple[Product, Product]:
    """The two orders that are called so, each by a part of its name, or by its places ("2 1 3").

    None: the chain's own, and by columns, or where there are none the second of those listed. Raises Problem where a
    name is of none of them or of several, and where both are one.
    """
    if len(found.products) == 1:
        raise Problem("one token has one order only", "give a longer text, or a picture")
    if said is None:
        return found.products[0], next((p for p in found.products if "columns" in p.name), found.products[1])
    first, second = (_called(found, each) for each in said)
    if first is second:
        raise Problem(f"both are the order “{first.label}”", "name two that differ")
    return first, second


def _called(found: Orders, said: str) -> Product:
    fits = [p for p in found.products if p.label == said] or [p for p in found.products if said and said in p.name]
    if len(fits) == 1:
        return fits[0]
    names = ", ".join(p.name for p in fits or found.products if p.name)
    raise Problem(f"{'several orders are' if fits else 'no order is'} called “{said}”", f"choose one of: {names}")
