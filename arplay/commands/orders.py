"""``arplay orders``: one joint distribution, factorised in every order."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, deliver
from arplay.core.errors import Problem
from arplay.core.format import nats_and_bits, number, power, power_cell
from arplay.core.modalities.base import Encoded, TokenSet
from arplay.core.orders import Orders, orders_of
from arplay.export.writers import to_json

NO_JOINT = (
    "has no joint distribution written by hand: it knows p(x_i | x_<i) in its own order only, and the conditionals of "
    "another order would be sums over all that may stand in between"
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a short text or a small picture; - is standard input")
    options.add_model(parser)
    options.add_encoding(parser)
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
    if args.json:
        deliver(to_json(_record(found, encoded, loaded.vocabulary) | {"model": loaded.info.name}), args.out)
    else:
        deliver("\n".join([*given.title(loaded), *_lines(found, encoded, loaded.vocabulary)]) + "\n", args.out)
    return 0


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
