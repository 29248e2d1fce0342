"""``arplay models``: what can be loaded, where it is; getting, looking up and removing one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from arplay import api
from arplay.commands.console import ProgressLine, deliver, note
from arplay.commands.options import UsageError
from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.core.signs import safe
from arplay.export.tables import Record
from arplay.export.writers import to_json
from arplay.models import catalogue, families
from arplay.models.store import hub
from arplay.models.store.cards import Card

ACTIONS = ("list", "get", "info", "remove")

MOST_LOADED = 1_000_000_000
"""Parameters of a model that ``info`` loads to see what is used when it runs."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "families:\n" + "".join(f"  {one.name:<12}  {one.what}\n" for one in families.FAMILIES)
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list")
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="a name of the list, or org/name[@revision] or org/name/file.gguf of a hub; info takes a path as well",
    )
    parser.add_argument("--json", action="store_true", help="strict JSON instead of text")
    parser.add_argument("--yes", action="store_true", help="remove without asking")


def run(args: argparse.Namespace) -> int:
    if (args.name is None) != (args.action == "list"):
        raise UsageError("list takes no NAME" if args.action == "list" else f"{args.action} needs a NAME")
    if args.action == "list":
        cards = catalogue.cards()
        deliver(to_json([record(card) for card in cards]) if args.json else "".join(map(_lines, cards)), None)
    elif args.action == "info":
        found = _info(args.name)
        width = max(map(len, found))
        lines = (
            (key, each) for key, value in found.items() for each in (value if isinstance(value, list) else [value])
        )
        text = "".join(f"{key:<{width}}  {safe(str(value))}\n" for key, value in lines if value not in (None, ""))
        deliver(to_json(found) if args.json else text, None)
    elif args.action == "get":
        card = _get(args.name)
        deliver(to_json(record(card)) if args.json else safe(f"{card.spec} is ready in {card.path}") + "\n", None)
    else:
        _remove(args.name, args.yes)
        deliver(to_json({"removed": args.name}) if args.json else safe(f"{args.name} is removed") + "\n", None)
    return 0


def record(card: Card) -> Record:
    """A card for JSON."""
    return {"name": card.spec} | asdict(card) | {"path": None if card.origin == "server" else str(card.path)}


def used(spec: str) -> Record:
    """What is used when a model runs here, and what is not; it is loaded for that."""
    with ProgressLine() as progress:
        try:
            loaded = api.load(spec, progress=progress).loaded
        except Problem as problem:
            return {"not_used": [f"the model: {problem}"]}
    info = loaded.info
    return {
        "engine": info.engine,
        "cache": loaded.can.rewinds,
        "batch": "in one forward" if loaded.can.batch else "none" if loaded.can.partial else "one by one",
        "why": info.why,
        "not_used": list(info.not_used),
    }


def _info(name: str) -> Record:
    """What is known of a model, and how it runs if it is here; a hub is asked about one that is not."""
    card = _described(name)
    told = record(card)
    if card.state == "ready":
        small = card.parameters is None or card.parameters <= MOST_LOADED
        told |= used(name) if small else {"how": "not examined, for its size: arplay bench loads it and tells"}
    return told


def _described(name: str) -> Card:
    here = hub.parse(name) is None or catalogue.is_ready(name)
    return catalogue.card(name) if here else _asked(name)


def _asked(name: str) -> Card:
    """What the hub says of a model."""
    with ProgressLine() as progress:
        return api.described(name, lambda told: progress(told.fraction, told.what))


def _get(name: str) -> Card:
    """Fetch a model; size and licence first. Ctrl-C ends the children."""
    card = _asked(name) if hub.parse(name) else catalogue.entry_card(catalogue.entry(name))
    if card.state == "fetch":
        note(f"getting {name}: {', '.join(_facts(card))}")
        with ProgressLine() as progress:
            api.fetched(name, lambda told: progress(told.fraction, " ".join([told.what, *told.transfer])))
    return catalogue.card(name)


def _remove(name: str, yes: bool) -> None:
    """Delete a downloaded model, after asking on a terminal: only where there is something that can be removed."""
    catalogue.check_removable(name)
    if not yes and sys.stdin.isatty():
        card = catalogue.card(name)
        question = f"remove {card.spec} ({size(card.disk_bytes)}) from {card.path}? [y/N] "
        print(safe(question), end="", file=sys.stderr)
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Problem(f"{name} was not removed", "answer y, or give --yes")
    elif not yes:
        raise UsageError("remove asks on a terminal; without one give --yes")
    catalogue.remove(name)


def _lines(card: Card) -> str:
    state = {"ready": "ready", "fetch": f"arplay models get {card.spec}", "broken": card.problem}[card.state]
    title = "" if card.title == card.spec else f"{card.title}: "
    lines = f"{card.spec:<10}  {title}{card.about}", f"{'':<10}  {', '.join([state, *_facts(card)])}"
    return "".join(f"{safe(line)}\n" for line in lines)


def _facts(card: Card) -> list[str]:
    """Sizes, licence and kind in words, as far as they are known."""
    told = [f"{size(card.download_bytes)} to download"] if card.state == "fetch" else []
    told += [f"{size(card.disk_bytes)} on disk"] if card.disk_bytes else []
    told += [f"licence {card.licence}" if card.licence else "no licence is named"] if card.state != "broken" else []
    told += [card.family] if card.family else []
    told += [f"{card.parameters:,} parameters"] if card.parameters is not None else []
    return told + ([f"commit {card.revision[:12]}"] if card.origin == "downloaded" and card.revision else [])
