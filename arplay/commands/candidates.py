"""``arplay score --candidates``: what the model gives to each of several continuations of a text."""

from __future__ import annotations

import argparse

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, deliver, note
from arplay.export import candidates
from arplay.export.parquet import table_file
from arplay.export.provenance import Provenance, summary
from arplay.export.writers import to_json, write
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
    if args.table:
        origin = Provenance(rated.info, rated.first_token, source.name)
        rows, columns, about = candidates.rows(rated), candidates.columns(rated), {"provenance": origin.as_dict()}
        write(args.table, table_file(args.table.suffix, rows, columns, origin.lines(), about))
        note(f"wrote {args.table}")
    told = "\n".join([summary(rated.info), *candidates.lines(rated)]) + "\n"
    deliver(to_json(candidates.record(rated)) if args.json else told, args.out)
    return 0
