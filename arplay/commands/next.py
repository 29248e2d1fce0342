"""``arplay next``: p(next | prefix)."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from arplay.commands import given, options, output
from arplay.commands.console import ProgressLine, note
from arplay.core.format import nats_and_bits, number, percent_cell
from arplay.core.modalities.base import TokenSet
from arplay.core.reading import FIRST_TOKEN
from arplay.export import tables
from arplay.export.charts import Shown, Table, bars
from arplay.results import Next

_BAR = 24
_LONGEST_SHOWN = 60


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("--prompt", metavar="S", help="the text before the next token")
    text.add_argument("--file", type=Path, metavar="F", help="a file with that text (- is standard input)")
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument("--top", type=options.count, default=20, metavar="N", help="list the N most probable (20)")
    parser.add_argument(
        "--find", metavar="TEXT", help="list the tokens that contain TEXT as well, as written or as shown (␣, ↵, ⟨E2⟩)"
    )
    parser.add_argument("--trace", action="store_true", help="tell what each decoding stage did")
    options.add_decoding(parser)
    options.add_heal(parser)
    output.add(parser, "a token")


def run(args: argparse.Namespace) -> int:
    decoding = options.decoding(args)
    if args.trace and output.is_table(args):
        raise options.UsageError("--trace is told in text and in JSON")
    source = given.source(args, args.prompt, args.file, args.encoding)
    with ProgressLine() as progress:
        after = given.model(args, progress).next(source.document, decoding, heal=args.heal)
    options.tell_heal(args, after.pipeline)
    for sentence in after.notes:
        note(sentence)
    traces = {"trace": [each.as_dict() for each in after.decoded.traces]} if args.trace else {}
    output.deliver(
        args,
        lambda: describe(after, args.top, args.find) + (traced(after) if args.trace else ""),
        lambda: after.as_dict(args.top, args.find) | traces,
        lambda: table(after, source.name, args.top, args.find),
    )
    return 0


def table(after: Next, name: str, top: int, find: str | None = None) -> Table:
    """A row a token, as ``arplay export --chart bars`` has them, and behind them those that were found."""
    shown = Shown(
        after.loaded, after.document, len(after.document), name, after.answer, after.decoded,
        bars=top, decoding=after.pipeline,
    )  # fmt: skip
    listed = bars(shown)
    found = [row for row in after.as_dict(top, find)["found"] if row not in listed.rows]
    return replace(listed, rows=[*listed.rows, *found])


def describe(after: Next, top: int, find: str | None = None) -> str:
    """A distribution for a terminal: a row a token with a bar of its own probability."""
    vocabulary, best = after.loaded.vocabulary, float(after.distribution.probs.max())
    record, traces, shown = after.as_dict(top, find), after.decoded.traces, after.document.shown
    shown = shown if len(shown) <= _LONGEST_SHOWN else "…" + shown[-_LONGEST_SHOWN:]
    lines = [
        *given.title(after.loaded),
        f"after: {shown or '(nothing)'}",
        f"{after.answer.prefix.index:,} tokens before; first token: {FIRST_TOKEN[after.answer.first_token]}",
    ]
    if (nats := record["entropy"]["nats"]) is not None:
        lines.append(f"entropy {nats_and_bits(nats)}")
    if traces:
        lines.append("decoding: " + ", ".join(f"{t.label} (keeps {t.kept:,})" for t in traces))
    lines += ["", *_rows(record["top"], vocabulary, best, bool(traces))]
    count, prob = record["rest"]["count"], record["rest"]["prob"]
    if count != 0:
        others = "all others together" if count is None else f"{count:,} other tokens together"
        if not after.distribution.full:
            others += f" (only the {len(after.distribution.logprobs):,} best are told)"
        lines.append(f"{'rest':>7}  {percent_cell(prob):>8}  {others}")
    if record["found"]:
        lines += ["", "found:", *_rows(record["found"], vocabulary, best, bool(traces))]
    return "\n".join(lines) + "\n"


def traced(after: Next) -> str:
    """What each stage did, a row a stage; entropies and the divergence from the model's own p in nats."""
    if not after.decoded.traces:
        return "\nno decoding stage works\n"
    head = ("stage", "kept", "gone", "mass gone", "H before", "H after", "KL")
    table: list[tuple[str, ...]] = [head]
    for trace in after.decoded.traces:
        before, left = trace.entropies or (None, None)
        figures = (number(value) if value is not None else "not told" for value in (before, left, trace.divergence))
        table.append((trace.label, f"{trace.kept:,}", f"{trace.gone:,}", percent_cell(trace.removed), *figures))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        f"{row[0]:<{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in table
    )
    return "\n" + "\n".join(lines) + "\n"


def _rows(items: list[tables.Record], vocabulary: TokenSet, best: float, decoded: bool) -> list[str]:
    rows = [f"{'rank':>7}  {'p':>8}" + (f"  {'decoded':>8}" if decoded else "") + f"  {'log p':>9}"] if items else []
    for item in items:
        text = vocabulary.label(item["id"])
        if item["prob"] is None:
            rows.append(f"{'—':>7}  {'not told':>8}{'  ' + ' ' * 8 if decoded else ''}  {'':>9}  {'':<{_BAR}}  {text}")
            continue
        bar = "█" * round(_BAR * item["prob"] / best)
        extra = f"  {percent_cell(item['decoded_prob']):>8}" if decoded else ""
        rank = "—" if item["rank"] is None else f"{item['rank']:,}"
        rows.append(
            f"{rank:>7}  {percent_cell(item['prob']):>8}{extra}  {number(item['logprob']):>9}  {bar:<{_BAR}}  {text}"
        )
    return rows
