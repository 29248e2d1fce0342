"""``arplay causality``: which conditionals a changed token moves, beside what the architecture connects; and *Break the
mask*, two small networks of which one sees ahead."""

from __future__ import annotations

import argparse
from pathlib import Path

from arplay.commands import given, options, output
from arplay.commands.console import ProgressLine
from arplay.core.masks import Pair
from arplay.engine.masks import KINDS, broke
from arplay.export import causality, masks
from arplay.export.charts import Shown
from arplay.export.provenance import summary


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("--prompt", metavar="S", help="the text whose tokens are changed, the last 64 of them")
    text.add_argument("--file", type=Path, metavar="F", help="a file with that text (- is standard input)")
    text.add_argument(
        "--break-mask",
        choices=[kind.name for kind in KINDS],
        metavar="KIND",
        help="train a small network of this kind, and beside it one that sees ahead, on data of their own: "
        + ", ".join(kind.name for kind in KINDS),
    )
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument(
        "--seed",
        type=options.seed,
        default=0,
        metavar="N",
        help="what tokens are changed to; of the data, the networks and their samples (0)",
    )
    output.add(parser, "a pair of a conditional and a changed token")


def run(args: argparse.Namespace) -> int:
    if args.break_mask is not None:
        return _break_mask(args)
    source = given.source(args, args.prompt, args.file, args.encoding)
    document = source.document
    with ProgressLine() as progress:
        model = given.model(args, progress)
        found = model.change(document, seed=args.seed)
    lines = [
        summary(found.info),
        f"a line is p(x_i | before), a column a changed token x_j; the last {len(found.columns):,} tokens",
        f"architecture: {found.wiring or 'not told'}",
        causality.verdict(found),
        "",
        *causality.picture(found),
        "",
        "moved by (total variation): · less than 0.0001, ░ 0.001, ▒ 0.01, ▓ 0.1, █ more; ! may not move",
        "",
        *causality.decay(found),
    ]
    output.deliver(
        args,
        lambda: "\n".join(lines) + "\n",
        lambda: causality.record(found),
        lambda: causality.causality(Shown(model.loaded, document, len(document), source.name, found=found)),
    )
    return 0


def _break_mask(args: argparse.Namespace) -> int:
    unused = ("model", None), ("device", "auto"), ("dtype", "auto"), ("first_token", "auto"), ("encoding", None)
    for name, usual in unused:
        if getattr(args, name) != usual:
            raise options.UsageError(
                f"--break-mask makes its own networks and data: it takes no --{name.replace('_', '-')}"
            )
    import torch

    from arplay.training.masks import broken

    torch.set_num_threads(1)  # such small networks wait for each other's threads only
    with ProgressLine() as progress:

        def told(pair: Pair, done: float) -> None:
            losses = " and ".join(f"{curve[-1].held_out:.2f}" for curve in pair.curves)
            progress(done, f"training both networks, held-out loss {losses} bits a token,")

        progress(0.0, "making the data")
        found = broke(0, broken(next(kind for kind in KINDS if kind.name == args.break_mask), args.seed, told))
    table = masks.table(found)
    output.deliver(args, lambda: "\n".join(masks.lines(found)) + "\n", lambda: table.record, lambda: table)
    return 0
