"""``arplay causality``: which conditionals a changed token moves, beside what the architecture connects."""

from __future__ import annotations

import argparse
from pathlib import Path

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, deliver
from arplay.export import causality
from arplay.export.provenance import summary
from arplay.export.writers import to_json


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("--prompt", metavar="S", help="the text whose tokens are changed, the last 64 of them")
    text.add_argument("--file", type=Path, metavar="F", help="a file with that text (- is standard input)")
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument("--seed", type=options.seed, default=0, metavar="N", help="what tokens are changed to (0)")
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    document = given.source(args, args.prompt, args.file, args.encoding).document
    with ProgressLine() as progress:
        found = given.model(args, progress).change(document, seed=args.seed)
    if args.json:
        deliver(to_json(causality.record(found)), args.out)
        return 0
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
    deliver("\n".join(lines) + "\n", args.out)
    return 0
