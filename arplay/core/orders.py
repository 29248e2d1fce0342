"""One joint distribution, factorised in every order: the products differ, their totals do not.

p(x_1..x_n) = prod_k p(x_o(k) | x_o(1)..x_o(k-1)) for every permutation o. Each conditional is taken from the joint by
summing over the tokens that are not known yet, then by normalising over the values of the one that comes next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.base import Encoded
from arplay.core.modalities.places import named_orders, places_of

Floats = NDArray[np.float64]
Joint = Callable[[int], Floats]
"""``joint(n)``: log p of every chain of n tokens in nats, shape (V,) * n."""
Order = tuple[int, ...]
"""Indices of the chain, in the order in which its tokens are told."""

LONGEST = 9
"""Tokens of a chain whose joint is listed."""
ALL = 5
"""Up to so many tokens every order is told: 5! = 120."""
MOST_CHAINS = 1 << 15
SHUFFLES = 3
"""Orders without a plan, where not all are told."""
NO_JOINT = (
    "has no joint distribution written by hand: it knows p(x_i | x_<i) in its own order only, and the conditionals of "
    "another order would be sums over all that may stand in between"
)


def listable(values: int, n: int) -> int:
    """How many of n tokens with so many values have a joint that can be listed.

    >>> listable(2, 9), listable(3, 12), listable(26, 9), listable(50_000, 9)
    (9, 9, 3, 0)
    """
    n = min(n, LONGEST)
    while n and values**n > MOST_CHAINS:
        n -= 1
    return n


def joint_of(logprobs: Callable[[Sequence[int]], Floats], values: int, n: int) -> Floats:
    """log p of every chain of n tokens by the chain rule: ``logprobs(ids)`` is log p(next | ids), shape (V,).

    >>> fair = joint_of(lambda ids: np.log([0.5, 0.5]), 2, 3)
    >>> fair.shape, float(np.exp(fair).sum().round(12))
    ((2, 2, 2), 1.0)
    """
    joint = np.zeros(1)
    for length in range(n):
        rows = np.array([logprobs(ids) for ids in product(range(values), repeat=length)])
        joint = (joint[:, None] + rows).ravel()
    return joint.reshape((values,) * n)


def conditional(joint: Floats, x: Sequence[int], known: Collection[int], index: int) -> Floats:
    """log p(x_index = v | x_known) in nats for every v, shape (V,); all NaN where what is known has probability 0.

    >>> joint = np.log([[0.1, 0.3], [0.4, 0.2]])
    >>> np.exp(conditional(joint, (0, 1), (1,), 0)).round(3).tolist()  # 0.3 and 0.2 of 0.5
    [0.6, 0.4]
    >>> np.exp(conditional(joint, (0, 1), (), 1)).round(3).tolist()
    [0.5, 0.5]
    """
    cut = joint[tuple(x[i] if i in known else slice(None) for i in range(joint.ndim))]
    left = [i for i in range(joint.ndim) if i not in known]
    others = tuple(axis for axis, i in enumerate(left) if i != index)
    row = np.logaddexp.reduce(cut, axis=others) if others else cut
    total = np.logaddexp.reduce(row)
    return row - total if total > -math.inf else np.full(len(row), math.nan)


@dataclass(frozen=True, eq=False, slots=True)
class Factor:
    """log p(x_index | x_known) in nats, and the distribution that it is from, shape (V,)."""

    index: int
    known: Order
    logprob: float
    row: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Product:
    """One order, its factors, and their sum: log p(x) in nats. ``name`` is empty for an order without one."""

    name: str
    order: Order
    factors: tuple[Factor, ...]

    @property
    def label(self) -> str:
        """Its name, or the places of its tokens, counted from 1."""
        return self.name or " ".join(str(index + 1) for index in self.order)

    @property
    def total(self) -> float:
        """Behind a factor of probability 0 nothing is defined, and the product is 0."""
        logprobs = [factor.logprob for factor in self.factors]
        return -math.inf if -math.inf in logprobs else math.fsum(logprobs)

    @property
    def largest(self) -> float:
        """The largest surprisal of a factor, in nats."""
        return max((-factor.logprob for factor in self.factors if not math.isnan(factor.logprob)), default=0.0)


@dataclass(frozen=True, eq=False)
class Orders:
    """The chain ``ids``, which are the first of ``of`` tokens, factorised in several orders of one joint.

    ``every``: these are all n! of them.
    """

    ids: tuple[int, ...]
    of: int
    products: tuple[Product, ...]

    @property
    def every(self) -> bool:
        return len(self.products) == math.factorial(len(self.ids))

    @cached_property
    def total(self) -> float:
        """log p(x) in nats, in the chain's own order."""
        return self.products[0].total

    @cached_property
    def largest_difference(self) -> float:
        """Between the totals of any two orders, in nats."""
        totals = [each.total for each in self.products]
        return 0.0 if max(totals) == min(totals) else max(totals) - min(totals)


def factorised(joint: Floats, ids: Sequence[int], named: Mapping[str, Order], of: int | None = None) -> Orders:
    """Every order for up to :data:`ALL` tokens, else those that have a name; named ones first.

    ``joint``: log p in nats, shape (V,) * n. ``of``: how many tokens the document has, of which ``ids`` are the first.

    >>> found = factorised(np.log([[0.1, 0.3], [0.4, 0.2]]), (0, 1), {"own order": (0, 1)})
    >>> [(each.order, [round(math.exp(f.logprob), 3) for f in each.factors]) for each in found.products]
    [((0, 1), [0.4, 0.75]), ((1, 0), [0.5, 0.6])]
    >>> round(math.exp(found.total), 3), found.largest_difference < 1e-15
    (0.3, True)
    """
    seen: dict[tuple[frozenset[int], int], Floats] = {}

    def factors(order: Order) -> Iterator[Factor]:
        for at, index in enumerate(order):
            key = frozenset(order[:at]), index
            if key not in seen:
                seen[key] = conditional(joint, ids, key[0], index)
            yield Factor(index, order[:at], float(seen[key][ids[index]]), seen[key])

    orders = {order: name for name, order in named.items()}
    if len(ids) <= ALL:
        orders |= {order: "" for order in permutations(range(len(ids))) if order not in orders}
    products = tuple(Product(name, order, tuple(factors(order))) for order, name in orders.items())
    return Orders(tuple(ids), len(ids) if of is None else of, products)


def orders_of(joint: Joint, values: int, encoded: Encoded) -> Orders | None:
    """A document, or as much of its beginning as can be listed; None where that is nothing. ``values``: V."""
    n = listable(values, len(encoded))
    if not n:
        return None
    part = encoded.part(0, n)
    named = named_orders(places_of(part), 0 if n <= ALL else SHUFFLES)
    return factorised(joint(n), part.ids.tolist(), named, len(encoded))


def listed(model: str, joint: Joint | None, values: int, encoded: Encoded) -> Orders:
    """The same of a model called ``model``. Raises Problem where it has no joint, and where nothing can be listed."""
    if joint is None:
        raise Problem(f"{model} {NO_JOINT}", "choose a table or a joint, such as abc or xo")
    found = orders_of(joint, values, encoded)
    if found is None:
        raise Problem("there is no token whose orders could be listed", "give a text of at least one, or a picture")
    return found
