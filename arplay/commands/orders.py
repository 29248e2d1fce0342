"""``arplay orders``: one joint distribution, factorised in every order."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, deliver
from arplay.core.distribution import LN2
from arplay.core.errors import Problem
from arplay.core.format import nats_and_bits, number, percent_cell, power, power_cell
from arplay.core.modalities.base import Encoded, TokenSet
from arplay.core.orders import Apart, Floats, Orders, apart, orders_of
from arplay.export.writers import to_json

if TYPE_CHECKING:
    from arplay.training.two_orders import Learned

_BAR = 24
NO_JOINT = (
    "has no joint distribution written by hand: it knows p(x_i | x_<i) in its own order only, and the conditionals of "
    "another order would be sums over all that may stand in between"
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a short text or a small picture; - is standard input")
    options.add_model(parser)
    options.add_encoding(parser)
    parser.add_argument(
        "--train",
        action="store_true",
        help="train a small network in each of two orders, on the same chains, and tell how far apart they are",
    )
    parser.add_argument("--seed", type=options.seed, default=0, metavar="N", help="of the chains and the networks (0)")
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    document = given.source(args, None, args.file, args.encoding).document
    with ProgressLine() as progress:
        score = given.model(args, progress).score(document)
    loaded, encoded = score.loaded, score.ledger.encoded
    if loaded.can.joint is None:
        raise Problem(f"{loaded.info.name} {NO_JOINT}", "choose a table or a joint, such as abc or xo")
    found = orders_of(loaded.can.joint, len(loaded.vocabulary), encoded)
    if found is None:
        raise Problem("there is no token whose orders could be listed", "give a text of at least one, or a picture")
    trained = _trained(loaded.can.joint(len(found.ids)), found, args.seed) if args.train else None
    if args.json:
        record = _record(found, encoded, loaded.vocabulary) | {"model": loaded.info.name}
        deliver(to_json(record | ({"trained": trained.record()} if trained is not None else {})), args.out)
    else:
        lines = [*given.title(loaded), *_lines(found, encoded, loaded.vocabulary)]
        deliver("\n".join(lines + (trained.lines() if trained is not None else [])) + "\n", args.out)
    return 0


@dataclass(frozen=True, slots=True)
class _Trained:
    """Two networks, and what is the probability of the chain by each, in bits; ``exact``: by the joint itself."""

    networks: tuple[Learned, Learned]
    apart: Apart
    here: tuple[float, float]
    exact: float
    seed: int

    def record(self) -> dict[str, Any]:
        orders = [
            {"name": each.name, "order": list(each.order), "parameters": each.parameters, "bits": cost, "here": here}
            for each, cost, here in zip(self.networks, self.apart.costs, self.here, strict=True)
        ]
        return {"seed": self.seed, "networks": orders, "here": self.exact} | asdict(self.apart)

    def lines(self) -> list[str]:
        found = self.apart
        lines = [
            "",
            f"Two networks of {self.networks[0].parameters:,} parameters, trained on the same chains "
            f"(seed {self.seed}), in bits:",
            f"{'mean of all chains':>22}  {'beyond':>8}  {'this chain':>10}  read in this order",
            f"{number(found.entropy):>22}  {number(0.0):>8}  {number(self.exact):>10}  (the joint, in any order)",
        ]
        for each, cost, here in zip(self.networks, found.costs, self.here, strict=True):
            lines.append(f"{number(cost):>22}  {number(cost - found.entropy):>8}  {number(here):>10}  {each.name}")
        lines += [
            "",
            f"They differ by {number(found.mean)} bits a chain in the mean. Chains by how much the first gives more:",
        ]
        names = [f"below {found.edges[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(found.edges))]
        for name, share in zip([*names, f"{found.edges[-1]:g} or more"], found.shares, strict=True):
            shown = name.replace("-", "\N{MINUS SIGN}")
            lines.append(f"{shown:>22}  {percent_cell(share):>8}  {'█' * round(_BAR * share)}".rstrip())
        return [*lines, "", "The identity is exact, the models are not."]


def _trained(joint: Floats, found: Orders, seed: int) -> _Trained:
    """In the chain's own order, and by columns where there are any, else backwards."""
    import torch

    from arplay.training.two_orders import learned

    torch.set_num_threads(1)  # such small networks wait for each other's threads only
    if len(found.products) == 1:
        raise Problem("one token has one order only", "give a longer text, or a picture")
    other = next((each for each in found.products if "by columns" in each.name), found.products[1])
    networks = []
    with ProgressLine() as progress:
        for each in (found.products[0], other):
            told = partial(progress, what=f"training {each.name}")
            networks.append(learned(joint, each.name, each.order, seed, told))
    first, second = networks
    here = [0.0 - float(each[found.ids]) / LN2 for each in (joint, first.logprob, second.logprob)]
    return _Trained((first, second), apart(joint, first.logprob, second.logprob), (here[1], here[2]), here[0], seed)


def _record(found: Orders, encoded: Encoded, tokens: TokenSet) -> dict[str, Any]:
    return {
        "tokens": [encoded.said(i, tokens) for i in range(len(found.ids))],
        "ids": list(found.ids),
        "tokens_of_document": found.of,
        "every_order": found.every,
        "total": found.total,
        "largest_difference": found.largest_difference,
        "orders": [
            {
                "name": each.name,
                "order": list(each.order),
                "logprobs": [None if math.isnan(factor.logprob) else factor.logprob for factor in each.factors],
                "total": each.total,
            }
            for each in found.products
        ],
    }


def _lines(found: Orders, encoded: Encoded, tokens: TokenSet) -> list[str]:
    said = ", ".join(f"x{i + 1} = {encoded.said(i, tokens)}" for i in range(len(found.ids)))
    lines = [said] + ([f"the first {len(found.ids)} of {found.of:,} tokens"] if len(found.ids) < found.of else [])
    lines.append(f"{'every order' if found.every else 'some orders'} of {len(found.ids)} tokens, log p in nats:")
    lines += ["", f"{'total':>22}  {'order':<{2 * len(found.ids)}}  log p of each token, given those before it"]
    for each in found.products:
        cells = " ".join(f"{number(factor.logprob, 3):>7}" for factor in each.factors)
        order = " ".join(str(i + 1) for i in each.order)
        lines.append(f"{number(each.total, 15):>22}  {order:<{2 * len(found.ids)}}  {cells}  {each.name}".rstrip())
    total = f"log p = {nats_and_bits(found.total)}, p = {power(found.total)}"
    apart = power_cell(found.largest_difference) if found.largest_difference else "0"
    return [*lines, "", f"{len(found.products)} orders, one total: {total}; largest difference {apart} nats"]
