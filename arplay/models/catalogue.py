"""What can be loaded, by name or path. Lists without importing torch; the loader of a family is imported at need."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.core.modalities.base import Coder
from arplay.models import families
from arplay.models.base import Model, Report
from arplay.models.family import resolve
from arplay.models.gguf import ways as gguf_ways
from arplay.models.store import hub, smollm2
from arplay.models.store.cards import Card, family_of, read_card

DEFAULT = "english"


_SHIPPED = (
    (
        "english",
        "English, small",
        "a small transformer trained by this project; reads like simple English",
        "english",
        "CC-BY-SA-3.0 (see its card)",
    ),
    ("abc", "ABC, the textbook example", "a table over {A, B, C}, small enough to check by hand", "abc.json", "MIT"),
    (
        "fork",
        "Fork, a garden path",
        "a table over {L, R, S} on which greedy and two beams miss the best continuation, and four find it",
        "fork.json",
        "MIT",
    ),
    (
        "xo",
        "XO, a picture of nine pixels",
        "noughts and crosses with a joint distribution written by hand",
        "xo.json",
        "MIT",
    ),
    (
        "xo-centre",
        "XO, the centre first",
        "the same joint in another order of the pixels: other steps, the same total",
        "xo-centre.json",
        "MIT",
    ),
    (
        "fashion",
        "Fashion, drawn pixel by pixel",
        "a PixelCNN of 28 × 28 pieces of clothing at 8 levels, trained by this project",
        "fashion",
        "MIT",
    ),
    (
        "digits",
        "Digits, drawn pixel by pixel",
        "a small PixelCNN of 8 × 8 digits at 17 levels, trained by this project in under a minute",
        "digits",
        "BSD-3-Clause (see its card)",
    ),
    (
        "speech",
        "Speech, written sample by sample",
        "a WaveNet of one voice at 8,000 samples a second, trained by this project",
        "speech",
        "CC-BY-SA-3.0 (see its card)",
    ),
)
"""Name, title, what it is, its file or folder, and licence."""


def entries() -> list[Card]:
    """The built-in models and those that ``models get`` can bring, by what is known of them without their files."""
    fetched = paths.models() / smollm2.NAME
    return [
        *(
            Card(name, title, about, "built-in", "ready", paths.assets() / "models" / file, licence=licence)
            for name, title, about, file, licence in _SHIPPED
        ),
        Card(
            smollm2.NAME,
            smollm2.TITLE,
            "a real model of 135 million parameters; fetched once",
            "downloaded",
            "ready" if smollm2.is_ready(fetched) else "fetch",
            fetched,
            licence=smollm2.LICENCE,
            disk_bytes=smollm2.FOLDER_BYTES,
            download_bytes=smollm2.DOWNLOAD_BYTES,
        ),
    ]


def entry(name: str) -> Card:
    """The entry called ``name``. Raises Problem with the names there are."""
    found = _entry(name)
    if found is None:
        names = ", ".join(known.spec for known in entries())
        raise Problem(f"there is no model called {name}", f"use one of {names}, or the path of a model folder")
    return found


def _entry(name: str) -> Card | None:
    return next((known for known in entries() if known.spec == name), None)


def cards(recent: Sequence[str] = ()) -> list[Card]:
    """All that can be shown of models: built-in, downloaded from the hub, and the ``recent`` paths; no network.

    What is damaged, half downloaded or gone is there too, as broken and with the reason.
    """
    known = [entry_card(entry) for entry in entries()]
    known += hub.downloaded()
    mine = {str(card.path) for card in known}
    served = [card for spec in recent if _is_address(spec) and (card := at_address(spec)) is not None]
    files = (spec for spec in recent if spec not in mine and _is_path(spec))
    return known + served + [read_card(Path(gguf_ways.split(spec)[0]).expanduser()) for spec in files]


def _is_address(spec: str) -> bool:
    try:
        return at_address(spec) is not None
    except Problem:
        return False


def at_address(spec: str) -> Card | None:
    """The card of a model at a server, which is not asked for it; None where ``spec`` is no address.

    Raises Problem for an address that names no server, or holds what must not be kept (a password, a key).
    """
    family = families.of_address(spec)
    if family is None:
        return None
    from arplay.models.families.remote import http

    address = http.parse(spec)
    where, name = address.base.partition("://")[2], address.model
    about = f"a model at {where}, which tells only the most probable tokens"
    return Card(spec, name or where, about, "server", "ready", Path(), kind=family.name, family=family.name)


def card(spec: str) -> Card:
    """The card of one model by name or path. Raises Problem where nothing of that name is here."""
    own = _entry(spec)
    found = at_address(spec) if own is None else entry_card(own)
    if found is None and (path := existing(spec)) is not None:
        found = read_card(
            path, Card(spec, path.resolve().stem if path.is_file() else path.resolve().name, "", "file", "ready", path)
        )
    if found is None and (name := hub.parse(spec)) is not None:
        found = hub.card(name)
        if found is None:
            raise Problem(f"{spec} is not on this computer", f"run: arplay models get {spec}")
    if found is None:
        raise _unknown(spec)
    return found


def entry_card(known: Card) -> Card:
    """The card of a model of the catalogue's own, with what its files say."""
    return known if known.state == "fetch" else replace(read_card(known.path, known), download_bytes=0)


def is_ready(spec: str) -> bool:
    """Whether ``spec`` names a model that is here: a path that exists, or one that is whole."""
    if (own := _entry(spec)) is not None:
        return own.state == "ready"
    if families.of_address(spec) is not None or existing(spec) is not None:
        return True
    name = hub.parse(gguf_ways.split(spec)[0])
    found = hub.card(name) if name is not None else None
    return found is not None and found.state == "ready"


def check_removable(spec: str) -> None:
    """Raise Problem for a model that is built in, the user's own file, or not on this computer."""
    if spec == smollm2.NAME:
        here = entry(spec).path.exists()
    elif _entry(spec) is not None:
        raise Problem(f"{spec} is part of arplay", "it can stay; it takes little room")
    elif (name := hub.parse(spec)) is not None:
        here = hub.card(name) is not None
    else:
        raise Problem(f"{spec} was not downloaded by its name", "remove a file of your own with your file manager")
    if not here:
        raise Problem(f"{spec} is not on this computer", "there is nothing to remove; see `arplay models` for what is")


def remove(spec: str) -> None:
    """Delete a downloaded model from this computer. Raises Problem as :func:`check_removable` does."""
    check_removable(spec)
    try:
        if spec == smollm2.NAME:
            shutil.rmtree(entry(spec).path)
        elif (name := hub.parse(spec)) is not None:
            hub.remove(name)
    except OSError as error:
        raise Problem(f"{spec} cannot be removed ({error.strerror or error})", "check the permissions") from error


def spec_of(source: str) -> str:
    """What :func:`load` takes for the model that was loaded from ``source``: a name, or the path itself."""
    own = next((known.spec for known in entries() if str(known.path) == source), None)
    path, way = gguf_ways.split(source)
    downloaded = hub.spec_of(path)
    return own or (downloaded and (f"{downloaded}#{way}" if way else downloaded)) or source


def load(spec: str, device: str, dtype: str, report: Report) -> Model:
    """Load a model by catalogue name, path (of a GGUF file as gguf_ways.py says) or hub name.

    Raises Problem, or whatever ``report`` raises to cancel.
    """
    if (at := families.of_address(spec)) is not None:
        served: Model = resolve(at.open)(spec, spec, device, dtype, report)
        return served
    path, name, revision = located(spec)
    family = family_of(path)
    way = (gguf_ways.split(spec)[1],) if family.ways else ()
    model = resolve(family.open)(path, name, device, dtype, report, *way)
    if revision:
        model.info = replace(model.info, revision=revision)
    loaded: Model = model
    return loaded


def located(spec: str) -> tuple[Path, str, str]:
    """Where the model is that ``spec`` names, what it is called, and its revision where a hub has one.

    Raises Problem where it is not on this computer.
    """
    if (found := _entry(spec)) is not None:
        if found.state == "fetch":
            raise Problem(
                f"{spec} is not on this computer yet", f"run: arplay models get {spec} ({size(found.download_bytes)})"
            )
        return found.path, found.title if found.origin == "downloaded" else found.spec, ""
    if (there := existing(spec)) is not None:
        return there, there.resolve().stem if there.is_file() else there.resolve().name, ""
    if hub.parse(gguf_ways.split(spec)[0]) is not None:
        listed = card(gguf_ways.split(spec)[0])
        if listed.state == "broken":
            cause, _, remedy = listed.problem.rpartition("; ")
            raise Problem(f"{spec} cannot be loaded: {cause}", remedy)
        return listed.path, listed.title, listed.revision
    raise _unknown(spec)


def coder(spec: str) -> tuple[str, Coder]:
    """What a model is called, and its tokenizer alone: no weights are read, but of a table that is looked up.

    Raises Problem where it is not here, its tokenizer cannot be opened, or it reads something else than text.
    """
    if families.of_address(spec) is not None:
        raise Problem("a server keeps its tokenizer to itself", "name a model that is on this computer")
    path, name, _ = located(spec)
    family = family_of(path)
    if family.tokens and (tokens := resolve(family.tokens)(path)) is not None:
        raise Problem(f"{name} reads {tokens.unit.many}, each of which is a token", "name a model of text")
    if family.coder:
        return name, resolve(family.coder)(path)
    model: Model = resolve(family.open)(path, name, "auto", "auto", lambda *_: None)
    return name, model.alphabet


def _unknown(spec: str) -> Problem:
    names = ", ".join(sorted(known.spec for known in entries()))
    return Problem(f"there is no model {spec}", f"use one of {names}, an existing path, or org/name of a hub")


def _is_path(spec: str) -> bool:
    """Whether a recent entry means a file or folder, perhaps one that is gone, and not a name."""
    return existing(spec) is not None or Path(spec).is_absolute()


def existing(spec: str) -> Path | None:
    """The file or folder that ``spec`` is the path of."""
    try:
        path = Path(gguf_ways.split(spec)[0]).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError):  # too long a name, a folder that may not be entered, an unknown ~user
        return None
