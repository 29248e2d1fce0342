"""What is known of a model without loading it: read from its configuration and the headers of its weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.models.context import context_of
from arplay.models.devices import BYTES
from arplay.models.folder import OWN, Folder, inspect

Origin = Literal["built-in", "downloaded", "file"]
State = Literal["ready", "fetch", "broken"]

LOOKED_UP = ("table", "joint", OWN["arplay-ngram"])
"""Families that are no networks: computed in float64 on the CPU, with any context, about 8 bytes an entry."""

_README_BYTES = 64 * 1024
_LICENCE = re.compile(r"^license:[ \t]*['\"]?([\w.+-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Card:
    """A model as the list of models shows it. What is not known is empty, 0 or None.

    ``spec``: what :func:`arplay.models.catalogue.load` takes. ``state``: loadable now, to be fetched first, or broken
    with the reason in ``problem`` (a model to fetch may have one too: why its owner's leave is needed).
    ``path``: where it is or will be. ``download_bytes``: what fetching would bring. ``stored_dtype``: number type of
    most of the weights. ``revision``: the exact commit of a model from a hub, version or digest of another.
    """

    spec: str
    title: str
    about: str
    origin: Origin
    state: State
    path: Path
    problem: str = ""
    licence: str = ""
    family: str = ""
    parameters: int | None = None
    disk_bytes: int = 0
    download_bytes: int = 0
    context: int | None = None
    stored_dtype: str = ""
    revision: str = ""

    def __post_init__(self) -> None:
        """What a file or a hub says of a model is shown in many places."""
        for name in ("title", "about", "problem", "licence", "family", "stored_dtype", "revision"):
            object.__setattr__(self, name, safe(getattr(self, name)))

    def memory_bytes(self, dtype: str) -> int | None:
        """What the weights take in ``dtype`` (it changes nothing for what is looked up); None where nobody knows."""
        size = 8 if self.family in LOOKED_UP else BYTES.get(dtype)
        return None if self.parameters is None or size is None else self.parameters * size

    def broken(self, problem: Problem) -> Card:
        """The same model, which cannot be loaded."""
        return replace(self, state="broken", problem=str(problem))


def read_card(path: Path, known: Card | None = None) -> Card:
    """The card of a model folder, table or GGUF file; ``known`` gives what its files do not say.

    Never raises for what is wrong with the files: the card is then broken, with the reason.
    """
    card = known or Card(str(path), path.stem if path.is_file() else path.name, "", "file", "ready", path)
    try:
        if path.is_dir():
            return _of_folder(card, inspect(path))
        if path.suffix == ".json":
            return _of_table(card)
        if path.suffix == ".gguf":
            from arplay.models import gguf_file

            return _of_gguf(card, gguf_file.card(path))
        if path.exists():
            raise Problem(f"{path.name} is not a model that arplay opens", "choose a folder, a .gguf or a table")
        raise Problem("its files are missing", "take it off the list, or put them back")
    except Problem as problem:
        return card.broken(problem)
    except OSError as error:
        return card.broken(Problem(f"it cannot be read ({error.strerror})", "check its permissions"))


def licence_of(readme: Path) -> str:
    """The licence that the front matter of a model's README.md names, "" if none."""
    try:
        with readme.open("rb") as file:
            text = file.read(_README_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""
    found = _LICENCE.search(text.split("\n---", 1)[0]) if text.startswith("---\n") else None
    return found[1] if found else ""


def _of_folder(card: Card, folder: Folder) -> Card:
    counts = [tensor.elements for name, tensor in folder.tensors.items() if name.startswith("counts.")]
    counted = folder.family == "arplay-ngram"
    return replace(
        card,
        licence=card.licence or licence_of(folder.path / "README.md"),
        family=OWN.get(folder.family, folder.family),
        parameters=sum(counts) if counted else folder.elements,
        disk_bytes=_size(list(folder.path.iterdir())),
        context=context_of(folder.config),
        stored_dtype="counts" if counted else folder.stored_dtype,
    )


def _of_table(card: Card) -> Card:
    from arplay.models import handwritten

    info = handwritten.load(card.path).info
    return replace(
        card,
        title=card.title if card.origin == "built-in" else info.name,
        family=info.family,
        parameters=info.parameters,
        disk_bytes=_size([card.path]),
        stored_dtype=info.dtype,
        revision=info.revision,
    )


def _of_gguf(card: Card, read: Card) -> Card:
    """What the file says, under the name and place that it is known by."""
    return replace(
        read,
        spec=card.spec,
        title=card.title if card.origin == "downloaded" else read.title or card.title,
        about=card.about or read.about,
        origin=card.origin,
        path=card.path,
        licence=card.licence or read.licence,
        revision=card.revision or read.revision,
    )


def _size(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())
