"""*Break the mask*: two networks of one kind, one of which sees what it is to predict, and what their figures are.

They have the same data, batches, seed and number of steps; a connection is all that they differ in. The loss of the one
that sees ahead is wonderful, and it is the probability of nothing: p(x_1..x_n) = prod p(x_i | x_<i) needs factors that
x_i and later tokens do not reach. A chain is drawn from its beginning, when nothing later is there yet; what a network
gives then, step by step, is a distribution over chains. Only where nothing comes from the future both are one number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import Floats
from arplay.core.format import number
from arplay.core.modalities.base import Ids

NAMES = ("causal", "sees ahead")


@dataclass(frozen=True, slots=True)
class Point:
    """Losses after ``step`` steps of training in bits a token: of the batches since the last one, and held-out."""

    step: int
    training: float
    held_out: float


@dataclass(frozen=True, eq=False, slots=True)
class Figures:
    """What a trained network is like. Bits a token, of n tokens a chain.

    ``in_place``: of held-out chains, all tokens in place as training has them, which is its held-out loss;
    ``step_by_step``: of the same chains, each token while nothing later is there, as sampling has it. ``endings``: the
    product of its last two factors, summed over all V^2 values of the last two tokens, mean of some chains; 1 for a
    probability. ``samples``: ids of chains that it drew, (k, n); ``apart``: the total variation of how often each token
    stands in them and in the held-out chains. ``chain``: a held-out chain (n,), whose first m tokens were
    changed one after the other, j to ``others[j]``: p(. | x_<i) then ``moved`` by a total variation of
    ``variation[i, j]``, and a KL divergence of ``divergence[i, j]`` nats.
    """

    in_place: float
    step_by_step: float
    endings: float
    apart: float
    samples: Ids
    chain: Ids
    others: Ids
    variation: Floats
    divergence: Floats
    moved: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Pair:
    """The ``causal`` network and the one that ``sees`` ahead. ``curves`` have a point each few steps; the figures are
    None until both are trained. ``kind``: the name of the architecture; ``broken``: what the one that sees has instead
    of a mask, and ``data`` what both learn from, in words. ``values``: V; ``parameters``: of each of them."""

    kind: str
    broken: str
    data: str
    seed: int
    steps: int
    values: int
    parameters: tuple[int, int]
    curves: tuple[tuple[Point, ...], tuple[Point, ...]] = ((), ())
    figures: tuple[Figures, Figures] | None = None

    @property
    def uniform(self) -> float:
        """Bits a token of a network that knows nothing."""
        return float(np.log2(self.values))

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        curves, figures = ([asdict(point) for point in curve] for curve in self.curves), self.figures
        nets = [
            {"name": name, "parameters": count, "curve": curve}
            | ({} if figures is None else {"figures": _listed(figures[at])})
            for at, (name, count, curve) in enumerate(zip(NAMES, self.parameters, curves, strict=True))
        ]
        return {name: getattr(self, name) for name in _HEAD} | {"networks": nets}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Pair:
        """The inverse of :meth:`record`."""
        nets = record["networks"]
        figures = tuple(_figures(net["figures"]) for net in nets if "figures" in net)
        curves = tuple(tuple(Point(**point) for point in net["curve"]) for net in nets)
        return cls(
            **{name: record[name] for name in _HEAD},
            parameters=(nets[0]["parameters"], nets[1]["parameters"]),
            curves=(curves[0], curves[1]),
            figures=(figures[0], figures[1]) if figures else None,
        )


_HEAD = ("kind", "broken", "data", "seed", "steps", "values")


def _listed(figures: Figures) -> dict[str, Any]:
    found = {name: getattr(figures, name) for name in Figures.__slots__}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


def _figures(record: Mapping[str, Any]) -> Figures:
    found: dict[str, Any] = {
        name: np.array(value) if isinstance(value, list) else value for name, value in record.items()
    }
    for value in found.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return Figures(**found)


def why(pair: Pair) -> str:
    """What the figures say, in words. Empty until they are there."""
    if pair.figures is None:
        return ""
    causal, sees = pair.figures
    seen, unseen = number(sees.in_place, 3), number(causal.in_place, 3)
    return (
        f"With the future in sight the held-out loss is {seen} bits a token, without it {unseen}. But that network "
        "copies what it is to predict. While nothing later is there, as in sampling, the same chains cost it "
        f"{number(sees.step_by_step, 3)} bits a token, and the causal one {number(causal.step_by_step, 3)}, as before; "
        f"one that knows nothing, {number(pair.uniform, 3)}. Nor is its loss a probability of anything: over all "
        f"endings of two tokens its factors add up to {number(sees.endings, 3)}, not to 1. Causality is in the "
        "connectivity, not in the loss."
    )
