"""``arplay orders``: one joint distribution, factorised in every order."""

from __future__ import annotations

import argparse
from pathlib import Path

from arplay.commands import given, options, output
from arplay.commands.console import ProgressLine
from arplay.commands.options import UsageError
from arplay.core.format import nats_and_bits, number, power, power_cell
from arplay.core.modalities.base import Encoded, TokenSet
from arplay.core.orders import Orders
from arplay.export.charts import Shown
from arplay.export.orders import orders, record


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a short text or a small picture; - is standard input")
    options.add_model(parser)
    options.add_encoding(parser)
    parser.add_argument(
        "--train",
        action="store_true",
        help="train a small network in each of two orders, on the same chains, and tell how far apart they are",
    )
    which = "the two orders of --train, by a part of their names, such as columns boustrophedon (own order, columns)"
    parser.add_argument("--in", nargs=2, dest="names", metavar=("A", "B"), help=which)
    parser.add_argument("--seed", type=options.seed, default=0, metavar="N", help="of the chains and the networks (0)")
    output.add(parser, "a factor of an order")


def run(args: argparse.Namespace) -> int:
    if args.names and not args.train:
        raise UsageError("--in names the orders of --train")
    source = given.source(args, None, args.file, args.encoding)
    document = source.document
    with ProgressLine() as progress:
        model = given.model(args, progress)
        found, ledger = model.orders(document), model.score(document).ledger
        names = tuple(args.names) if args.names else None
        trained = model.train_orders(document, names, seed=args.seed) if args.train else None
    whole = record(found, ledger.encoded, model.vocabulary) | {"model": model.info.name}
    lines = [*given.title(model.loaded), *_lines(found, ledger.encoded, model.vocabulary)]
    shown = Shown(model.loaded, document, len(document), source.name, ledger=ledger, found=trained)
    output.deliver(
        args,
        lambda: "\n".join(lines + (["", *trained.lines()] if trained is not None else [])) + "\n",
        lambda: whole | ({"trained": trained.record()} if trained is not None else {}),
        lambda: orders(shown),
    )
    return 0


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
