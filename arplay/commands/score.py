"""``arplay score``: what the model expected of every token of a text."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, deliver, note
from arplay.core.chain import power_of_ten
from arplay.core.reading import FIRST_TOKEN
from arplay.export import tables
from arplay.export.provenance import Provenance
from arplay.export.writers import to_csv, to_json, write
from arplay.results import Score


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the text to score; - is standard input")
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write a CSV table of the tokens as well")
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    source = given.source(args, None, args.file, args.encoding)
    with ProgressLine() as progress:
        score = given.model(args, progress).score(source.document)
    found, ledger, vocabulary = score.as_dict(), score.ledger, score.loaded.vocabulary
    if args.csv:
        origin = Provenance(score.loaded.info, ledger.first_token, source.name)
        comments = [*origin.lines(), *tables.comments(found["totals"])]
        write(args.csv, to_csv(found["tokens"], tables.token_columns(ledger, vocabulary), comments))
        note(f"wrote {args.csv}")
    deliver(to_json(found) if args.json else _describe(score, found["tokens"], found["totals"]), args.out)
    return 0


def _describe(score: Score, rows: list[tables.Record], sums: tables.Record) -> str:
    ledger, vocabulary, totals = score.ledger, score.loaded.vocabulary, score.ledger.totals
    counts = (*totals.counts, (totals.unit.many, totals.units_total))
    counted = ", ".join(f"{count:,} {name}" for name, count in counts)
    lines = [
        *given.title(score.loaded),
        f"{sums['tokens']:,} tokens, {sums['scored']:,} scored; {counted}; "
        f"first token: {FIRST_TOKEN[sums['first_token']]}",
    ]
    if sums["scored"]:
        mantissa, exponent = power_of_ten(-sums["nll_nats"])
        lines += [
            f"NLL {sums['nll_nats']:.4f} nats = {sums['nll_bits']:.4f} bits; product {mantissa:.4f}e{exponent:+d}",
            f"perplexity {sums['perplexity']:.4f}"
            + ("" if totals.bits_per_unit is None else f"; {totals.bits_per_unit:.4f} {totals.unit.per}"),
        ]
    lines += sums["notes"]
    if len(ledger) and ledger.context[-1] < ledger.context[0] + len(ledger) - 1:
        lines.append(f"longer than the context: windows of {sums['window']:,} tokens, stride {sums['stride']:,}")
    if rows:
        lines += ["", f"{'index':>7}  {'log p':>10}  {'p':>9}  {'rank':>7}  {'entropy':>8}  token"]
    for row, bare in zip(rows, (ledger.starts == ledger.ends).tolist(), strict=True):
        text = vocabulary.label(row["id"]) + (f" (no {totals.unit.many})" if bare else "")
        lines.append(f"{row['index']:>7}  {_figures(row)}  {text}")
    return "\n".join(lines) + "\n"


def _figures(row: tables.Record) -> str:
    if row["logprob"] is None:
        return f"{'not scored':>10}  {'':>9}  {'':>7}  {'':>8}"
    rank = "—" if row["rank"] is None else f"{row['rank']:,}"
    entropy = "—" if row["entropy"] is None else f"{row['entropy']:.4f}"
    return f"{row['logprob']:>10.4f}  {math.exp(row['logprob']):>9.3%}  {rank:>7}  {entropy:>8}"
