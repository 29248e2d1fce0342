"""``arplay next``: p(next | prefix)."""

from __future__ import annotations

import argparse
from pathlib import Path

from arplay.commands import options
from arplay.commands.console import deliver
from arplay.commands.work import Work, read_source, title
from arplay.core.decoding.pipeline import Decoded, decode
from arplay.core.distribution import LN2, Distribution
from arplay.core.modalities.base import Document, TokenSet
from arplay.core.position import Answer
from arplay.engine.messages import Loaded
from arplay.export import tables
from arplay.export.writers import to_json

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
    options.add_decoding(parser)
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    decoding = options.decoding(args)
    document = read_source(args, args.prompt, args.file, args.encoding).document
    work = Work.load(args)
    answer, distribution = work.explore(document)
    decoded = decode(distribution, decoding)
    if args.json:
        record = tables.bars(
            answer, distribution, decoded, work.vocabulary, document.before(document.end), args.top, args.find
        )
        deliver(to_json({"model": work.model} | record), args.out)
    else:
        deliver(describe(work.loaded, document, answer, distribution, decoded, args.top, args.find), args.out)
    return 0


def describe(
    loaded: Loaded,
    document: Document,
    answer: Answer,
    distribution: Distribution,
    decoded: Decoded,
    top: int,
    find: str | None = None,
) -> str:
    """The distribution after ``document`` for a terminal: a row a token with a bar of its own probability."""
    vocabulary, best = loaded.vocabulary, float(distribution.probs.max())
    record = tables.bars(answer, distribution, decoded, vocabulary, document.before(document.end), top, find)
    shown = document.shown
    shown = shown if len(shown) <= _LONGEST_SHOWN else "…" + shown[-_LONGEST_SHOWN:]
    lines = [
        *title(loaded),
        f"after: {shown or '(nothing)'}",
        f"{answer.prefix.index:,} pieces before; first piece: {answer.first_piece}",
    ]
    if (nats := record["entropy"]["nats"]) is not None:
        lines.append(f"entropy {nats:.4f} nats = {nats / LN2:.4f} bits")
    if decoded.traces:
        lines.append("decoding: " + ", ".join(f"{t.label} (keeps {t.kept:,})" for t in decoded.traces))
    lines += ["", *_rows(record["top"], vocabulary, best, bool(decoded.traces))]
    count, prob = record["rest"]["count"], record["rest"]["prob"]
    if count:
        lines.append(f"{'rest':>7}  {prob:>8.3%}  {count:,} other tokens together")
    if record["found"]:
        lines += ["", "found:", *_rows(record["found"], vocabulary, best, bool(decoded.traces))]
    return "\n".join(lines) + "\n"


def _rows(items: list[tables.Record], vocabulary: TokenSet, best: float, decoded: bool) -> list[str]:
    rows = [f"{'rank':>7}  {'p':>8}" + (f"  {'decoded':>8}" if decoded else "") + f"  {'log p':>9}"] if items else []
    for item in items:
        bar = "█" * round(_BAR * item["prob"] / best)
        extra = f"  {item['decoded_prob']:>8.3%}" if decoded else ""
        text = vocabulary.label(item["id"])
        rows.append(f"{item['rank']:>7,}  {item['prob']:>8.3%}{extra}  {item['logprob']:>9.4f}  {bar:<{_BAR}}  {text}")
    return rows
