"""``arplay score``: what the model expected of every token of a text."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from arplay.commands import candidates, given, options
from arplay.commands.console import ProgressLine, deliver, note
from arplay.core.format import nats_and_bits, number, percent_cell, power
from arplay.core.modalities.base import Document, Unit
from arplay.core.reading import FIRST_TOKEN
from arplay.core.signs import safe
from arplay.export import comparison, conventions, parts, tables
from arplay.export.provenance import Provenance
from arplay.export.writers import to_csv, to_json, write
from arplay.models.base import Report
from arplay.results import Score, model_record


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the text to score; - is standard input")
    text.add_argument("--prompt", metavar="S", help="the text to score")
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write a CSV table of the tokens as well")
    by = "what each word, line, sentence or paragraph costs as well; in --csv instead of the tokens"
    parser.add_argument("--by", metavar="PART", help=by)
    among = "what may follow the text, a line each, or a list in JSON: how probable each is, and which is the best"
    parser.add_argument("--candidates", type=Path, metavar="FILE", help=among)
    beside = "the same text by another model (also several): bits over the same bytes, and where they part most"
    parser.add_argument("--compare", nargs="+", metavar="M", help=beside)
    parser.add_argument("--conventions", action="store_true", help="perplexity by the usual conventions as well")
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    source = given.source(args, args.prompt, args.file, args.encoding)
    if args.candidates is not None:
        return candidates.run(args, source)
    with ProgressLine() as progress:
        model = given.model(args, progress)
        score = model.score(source.document)
        compared = model.conventions(source.document) if args.conventions else None
        del model  # no two are in memory at once
        others = _others(args, progress, source.document)
    found, ledger, vocabulary = score.as_dict(), score.ledger, score.loaded.vocabulary
    divided = score.by(args.by) if args.by else None
    if divided is not None:
        found["parts"] = parts.rows(divided)
    if compared is not None:
        found["conventions"] = conventions.record(compared)
    pairs = [(other, score.beside(other)) for other in others]
    if pairs:
        found["comparison"] = [comparison.record(pair, model_record(other.loaded)) for other, pair in pairs]
    if args.csv:
        origin = Provenance(score.loaded.info, ledger.first_token, source.name)
        comments = [*origin.lines(), *tables.comments(found["totals"])]
        if divided is None:
            table = found["tokens"], tables.token_columns(ledger, vocabulary)
        else:
            table = found["parts"], parts.columns(ledger)
        write(args.csv, to_csv(*table, comments))
        note(f"wrote {args.csv}")
    shown = _tokens(score, found["tokens"]) if divided is None else _parts(found["parts"], ledger.unit)
    if pairs:
        name = score.loaded.info.name
        shown = [line for other, pair in pairs for line in ("", *comparison.lines(pair, name, other.loaded.info.name))]
    told = to_json(found) if args.json else "\n".join([*_head(score, found["totals"]), *shown]) + "\n"
    deliver(told if args.json or compared is None else "\n".join([*conventions.lines(compared), "", told]), args.out)
    return 0


def _others(args: argparse.Namespace, progress: Report, document: Document) -> list[Score]:
    """The same document by the models of ``--compare``, one after the other."""
    if not args.compare:
        return []
    if args.csv or args.by:
        raise options.UsageError("--csv and --by are of one model; --compare has its table in --json")
    return [
        given.model(argparse.Namespace(**{**vars(args), "model": name}), progress).score(document)
        for name in args.compare
    ]


def _head(score: Score, sums: tables.Record) -> list[str]:
    ledger, totals = score.ledger, score.ledger.totals
    counts = (*totals.counts, (totals.unit.many, totals.units_total))
    counted = ", ".join(f"{count:,} {name}" for name, count in counts)
    lines = [
        *given.title(score.loaded),
        f"{sums['tokens']:,} tokens, {sums['scored']:,} scored; {counted}; "
        f"first token: {FIRST_TOKEN[sums['first_token']]}",
    ]
    if sums["scored"]:
        lines += [
            f"NLL {nats_and_bits(sums['nll_nats'])}; product {power(-sums['nll_nats'])}",
            f"perplexity {number(sums['perplexity'])}"
            + ("" if totals.bits_per_unit is None else f"; {number(totals.bits_per_unit)} {totals.unit.per}"),
        ]
    lines += sums["notes"]
    if len(ledger) and ledger.context[-1] < ledger.context[0] + len(ledger) - 1:
        lines.append(f"longer than the context: windows of {sums['window']:,} tokens, stride {sums['stride']:,}")
    return lines


def _tokens(score: Score, rows: list[tables.Record]) -> list[str]:
    ledger, vocabulary, unit = score.ledger, score.loaded.vocabulary, score.ledger.unit
    lines = ["", f"{'index':>7}  {'log p':>10}  {'p':>9}  {'rank':>7}  {'entropy':>8}  token"] if rows else []
    for row, bare in zip(rows, (ledger.starts == ledger.ends).tolist(), strict=True):
        text = vocabulary.label(row["id"]) + (f" (no {unit.many})" if bare else "")
        lines.append(f"{row['index']:>7}  {_figures(row)}  {text}")
    return lines


def _parts(rows: list[tables.Record], unit: Unit) -> list[str]:
    lines = ["", f"{'index':>7}  {'tokens':>6}  {'log p':>10}  {unit.per:>18}  {'entropy':>8}  part"]
    for row in rows:
        known = ("—" if row[name] is None else number(row[name]) for name in ("logprob", unit.key, "entropy"))
        logprob, bits, entropy = known
        text = safe(row["text"]) + (" (its last token goes on)" if row["crossing"] else "")
        lines.append(f"{row['index']:>7}  {row['tokens']:>6}  {logprob:>10}  {bits:>18}  {entropy:>8}  {text}")
    return lines


def _figures(row: tables.Record) -> str:
    if row["logprob"] is None:
        return f"{'not scored':>10}  {'':>9}  {'':>7}  {'':>8}"
    rank = "—" if row["rank"] is None else f"{row['rank']:,}"
    entropy = "—" if row["entropy"] is None else number(row["entropy"])
    return f"{number(row['logprob']):>10}  {percent_cell(math.exp(row['logprob'])):>9}  {rank:>7}  {entropy:>8}"
