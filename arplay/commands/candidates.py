"""``arplay score --candidates``: what the model gives to each of several continuations of a text."""

from __future__ import annotations

import argparse
from pathlib import Path

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, deliver, note
from arplay.core.errors import Problem
from arplay.export import candidates
from arplay.export.provenance import Provenance, summary
from arplay.export.writers import to_csv, to_json, write
from arplay.models.documents import Source
from arplay.textfile import read_json, read_text

MOST_BYTES = 1024 * 1024


def run(args: argparse.Namespace, source: Source) -> int:
    """Raises Problem."""
    if args.by or args.conventions:
        raise options.UsageError("--by and --conventions are of a text, --candidates compares what may follow it")
    texts = _read(args.candidates, args.encoding)
    with ProgressLine() as progress:
        rated = given.model(args, progress).candidates(source.document, texts)
    if args.csv:
        origin = Provenance(rated.info, rated.first_token, source.name)
        write(args.csv, to_csv(candidates.rows(rated), candidates.columns(rated), origin.lines()))
        note(f"wrote {args.csv}")
    told = "\n".join([summary(rated.info), *candidates.lines(rated)]) + "\n"
    deliver(to_json(candidates.record(rated)) if args.json else told, args.out)
    return 0


def _read(path: Path, encoding: str | None) -> list[str]:
    """A line a candidate, exactly, spaces included; or a list of texts in JSON."""
    if path.suffix == ".json":
        try:
            found = read_json(path, MOST_BYTES)
        except OSError as error:
            raise Problem(f"{path} cannot be read ({error.strerror})", "check the path and its rights") from error
        except ValueError as error:
            raise Problem(f"{path} is no JSON ({error})", 'give a list of texts, such as [" yes", " no"]') from error
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise Problem(f"{path} is no list of texts", 'give one such as [" yes", " no"]')
    else:
        found = [line for line in read_text(path, encoding).decode().splitlines() if line]
    if not found:
        raise Problem(f"{path} holds no candidate", "write one a line")
    return found
