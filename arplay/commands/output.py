"""The form of a result: text on the terminal; in a file what its ending says, or that it cannot be had so."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.commands.options import UsageError

if TYPE_CHECKING:
    from arplay.export.charts import Table

JSON = ".json"
READS = ("file", "files", "base", "candidates", "replay")
WRITES = ("out", "table", "jsonl", "save", "report")
"""Options with names of files."""
PICTURES = (".png", ".svg", ".pdf")
TABLES = (".csv", ".jsonl", ".parquet")
MEDIA = ("audio", "image", "video")
OTHERS = (".htm", ".html", ".npz", ".npy", ".pdf", ".xlsx", ".ods", ".zip", ".gz", ".feather", ".arrow")
"""Endings of files that are no text."""


def add(parser: argparse.ArgumentParser, row: str = "", checks: bool = True, more: tuple[str, ...] = ()) -> None:
    """``row``: what a row of its table is, "" where there is none. ``checks``: whether endings of files that are no
    text are refused here, but for ``more``, which the command itself writes."""
    parser.add_argument("--json", action="store_true", help="strict JSON instead of text")
    tables = f" ({', '.join(TABLES[:-1])} or {TABLES[-1]} for a table, a row {row})" if row else ""
    what = f"write the result to FILE: JSON where it ends with {JSON}{tables}, else text"
    parser.add_argument("--out", type=Path, metavar="FILE", help=what)
    parser.set_defaults(out_tables=bool(row), out_checks=checks, out_more=more)


def check(args: argparse.Namespace) -> None:
    """Before any work. Raises UsageError for a file whose ending says something else than what would be in it, and as
    :func:`check_places` does."""
    if not hasattr(args, "out_more"):
        return
    check_places(args)
    out: Path | None = args.out
    if out is None:
        return
    kind = out.suffix.lower()
    if args.json and kind in (*TABLES, *args.out_more):
        raise UsageError(f"--json does not go into {out.name}: give a file that ends with {JSON}")
    if is_table(args) and not args.out_tables:
        raise UsageError(f"there is no table for {out.name}: text or {JSON} can be written")
    if args.out_checks and is_no_text(out) and kind not in args.out_more:
        also = [JSON, *(TABLES if args.out_tables else ()), *args.out_more]
        drawn = "; arplay export draws charts" if kind in PICTURES else ""
        raise UsageError(f"{out.name} would hold no {kind[1:]}: text (.txt), {', '.join(also)} can be written{drawn}")


def check_places(args: argparse.Namespace) -> None:
    """Raises UsageError where two results go into one file, one into what is read, or into what is no name; Problem
    where none can go."""
    from arplay.export.writers import check_place

    taken = {_place(path): "is read" for name in READS for path in _paths(args, name) if str(path) != "-"}
    for name in WRITES:
        for path in _paths(args, name):
            if str(path) == "-":
                raise UsageError(f"--{name} - would make a file named “-”: give a name, or /dev/stdout")
            check_place(path)
            its = f"is written by --{name}"
            if (not path.exists() or path.is_file()) and (why := taken.setdefault(_place(path), its)) != its:
                raise UsageError(f"--{name} would write over {path.name}, which {why}: give another name")


def _place(path: Path) -> str:
    return os.path.realpath(path) if path.exists() else os.path.abspath(path)  # noqa: PTH100 - it asks no disk


def _paths(args: argparse.Namespace, name: str) -> list[Path]:
    value = getattr(args, name, None)
    return [path for path in (value if isinstance(value, list) else [value]) if isinstance(path, Path)]


def is_no_text(path: Path) -> bool:
    """By its name."""
    return (guess_type(path.name)[0] or "").partition("/")[0] in MEDIA or path.suffix.lower() in OTHERS


def is_json(args: argparse.Namespace) -> bool:
    return bool(args.json) or (args.out is not None and args.out.suffix.lower() == JSON)


def is_table(args: argparse.Namespace) -> bool:
    return args.out is not None and args.out.suffix.lower() in TABLES


def deliver(
    args: argparse.Namespace,
    text: Callable[[], str],
    record: Callable[[], Any],
    table: Callable[[], Table] | None = None,
) -> None:
    """A whole result in the form that is asked for. Raises UsageError where this one has no table."""
    from arplay.commands.console import deliver
    from arplay.export.writers import json_pieces

    if not is_table(args):
        deliver(json_pieces(record()) if is_json(args) else text(), args.out)
    elif table is None:
        raise UsageError(f"there is no table of this for {args.out.name}: text or {JSON} can be written")
    else:
        write_table(args.out, table())


def write_table(path: Path, table: Table) -> None:
    """As its ending says: one of :data:`TABLES` or JSON, and CSV where it says nothing. Raises Problem."""
    from arplay.export.writers import write, write_pieces

    kind = path.suffix.lower()
    if kind == ".parquet":
        write(path, table.content("parquet"))
    else:
        write_pieces(path, table.pieces(kind[1:] if kind in (JSON, *TABLES) else "csv"))
