"""``arplay score --candidates``: what the model gives to each of several continuations of a text."""

from __future__ import annotations

import argparse

from arplay.commands import given, options, output
from arplay.commands.console import ProgressLine, note
from arplay.export import candidates
from arplay.export.charts import Table
from arplay.export.provenance import Provenance, summary
from arplay.models.documents import Source
from arplay.textfile import read_texts

OF_A_TEXT = (
    *("by", "correct_spaces", "conventions", "curve", "segmentations", "compare", "divergence", "base"),
    *("report", "jsonl", "save", "colour_by"),
)


def run(args: argparse.Namespace, source: Source) -> int:
    """Raises Problem."""
    if asked := options.said(args, *OF_A_TEXT):
        raise options.UsageError(f"{asked}: of a text, and --candidates compares what may follow it")
    texts = read_texts(args.candidates, args.encoding)
    with ProgressLine() as progress:
        rated = given.model(args, progress).candidates(source.document, texts)

    def table() -> Table:
        origin, record = Provenance(rated.info, rated.first_token, source.name), candidates.record(rated)
        return Table(
            {"provenance": origin.as_dict()} | record, candidates.rows(rated), candidates.columns(rated), origin.lines()
        )

    if args.table:
        output.write_table(args.table, table())
        note(f"wrote {args.table}")
    told = "\n".join([summary(rated.info), *candidates.lines(rated)]) + "\n"
    output.deliver(args, lambda: told, lambda: candidates.record(rated), table)
    return 0
