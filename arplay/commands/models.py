"""``arplay models``: what can be loaded, where it is, and getting what is not there yet."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import asdict
from pathlib import Path

from arplay.commands.console import ProgressLine, deliver, note
from arplay.commands.options import UsageError
from arplay.core.errors import Problem
from arplay.engine.fetch import RECIPES, fetch
from arplay.export.tables import Record
from arplay.export.writers import to_json
from arplay.models import catalogue
from arplay.models.catalogue import Entry

_MB = 1e6


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "get", "info"), default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="for get and info (info: a path will do as well)")
    parser.add_argument("--json", action="store_true", help="strict JSON instead of text")


def run(args: argparse.Namespace) -> int:
    if (args.name is None) != (args.action == "list"):
        raise UsageError("list takes no NAME" if args.action == "list" else f"{args.action} needs a NAME")
    if args.action == "list":
        records = [record(entry) for entry in catalogue.entries()]
        deliver(to_json(records) if args.json else "".join(map(_line, records)), None)
    elif args.action == "info":
        found = info(args.name)
        width = max(map(len, found))
        text = "".join(f"{key:<{width}}  {value}\n" for key, value in found.items())
        deliver(to_json(found) if args.json else text, None)
    else:
        entry = _get(args.name)
        deliver(to_json(record(entry)) if args.json else f"{entry.name} is ready in {entry.path}\n", None)
    return 0


def record(entry: Entry) -> Record:
    """An entry for JSON. A model that belongs here but whose files are not there is "missing"."""
    there = entry.state != "ready" or entry.path.exists()
    return asdict(entry) | {"path": str(entry.path), "state": entry.state if there else "missing"}


def info(name: str) -> Record:
    """What is known of a model without loading it: by name, or by the path of a folder or table."""
    names = [entry.name for entry in catalogue.entries()]
    path = Path(name).expanduser()
    known: Record = record(catalogue.entry(name)) if name in names or not path.exists() else {"path": str(path)}
    place = Path(known["path"])
    if place.is_file():
        from arplay.models.tabular import Table

        table = Table.load(place).info
        return known | {"family": table.family, "vocabulary": table.vocabulary, "parameters": table.parameters}
    if not place.is_dir():
        return known
    from arplay.models.folder import inspect

    folder = inspect(place)
    return known | {
        "family": folder.family,
        "vocabulary": folder.config.get("vocab_size"),
        "context": folder.config.get("max_position_embeddings"),
        "weights_bytes": sum(file.stat().st_size for file in folder.weights),
    }


def _line(entry: Record) -> str:
    size = f" ({entry['download_bytes'] / _MB:.0f} MB to download)" if entry["state"] == "fetch" else ""
    state = {"ready": "ready", "fetch": f"arplay models get {entry['name']}", "missing": "its files are missing"}
    return f"{entry['name']:<10}  {entry['title']}: {entry['about']}\n{'':<10}  {state[entry['state']]}{size}\n"


def _get(name: str) -> Entry:
    """Fetch a model; size first. Ctrl-C ends the children and leaves nothing behind."""
    entry = catalogue.entry(name)
    if entry.state == "ready":
        return entry
    if name not in RECIPES:
        raise Problem(f"{name} cannot be fetched", f"choose one of {', '.join(RECIPES)}")
    note(
        f"getting {name}: {entry.download_bytes / _MB:.0f} MB to download, "
        f"{entry.disk_bytes / _MB:.0f} MB on disk, in {entry.path}"
    )
    with ProgressLine() as progress, contextlib.closing(fetch(name, entry.path, lambda: False)) as steps:
        for told in steps:
            progress(told.fraction, told.what)
    return catalogue.entry(name)
