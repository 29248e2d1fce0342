"""What is known of a model without loading it: read from its configuration and the headers of its weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.models import families
from arplay.models.devices import BYTES
from arplay.models.family import Family, resolve
from arplay.models.store.context import context_of
from arplay.models.store.folder import configuration, inspect

Origin = Literal["built-in", "downloaded", "file", "server"]
State = Literal["ready", "fetch", "broken"]

_README_BYTES = 64 * 1024
_LICENCE = re.compile(r"^license:[ \t]*['\"]?([\w.+-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Card:
    """A model as the list of models shows it. What is not known is empty, 0 or None.

    ``spec``: what :func:`arplay.models.catalogue.load` takes. ``state``: loadable now, to be fetched first, or broken
    with the reason in ``problem`` (a model to fetch may have one too: why its owner's leave is needed).
    ``path``: where it is or will be. ``download_bytes``: what fetching would bring. ``stored_dtype``: number type of
    most of the weights. ``kind``: the name of its :class:`Family`, where ``family`` may be an architecture.
    ``revision``: the exact commit of a model from a hub, version or digest of another.
    """

    spec: str
    title: str
    about: str
    origin: Origin
    state: State
    path: Path
    problem: str = ""
    licence: str = ""
    kind: str = ""
    family: str = ""
    parameters: int | None = None
    disk_bytes: int = 0
    download_bytes: int = 0
    context: int | None = None
    vocabulary: int | None = None
    stored_dtype: str = ""
    revision: str = ""

    def __post_init__(self) -> None:
        """What a file or a hub says of a model is shown in many places."""
        for name in ("title", "about", "problem", "licence", "family", "stored_dtype", "revision"):
            object.__setattr__(self, name, safe(getattr(self, name)))

    @property
    def of(self) -> Family:
        """What there is to know of its family."""
        return families.named(self.kind)

    def memory_bytes(self, dtype: str) -> int | None:
        """What the weights take in ``dtype`` (it changes nothing for what is looked up); None where nobody knows."""
        size = 8 if self.of.looked_up else BYTES.get(dtype)
        return None if self.parameters is None or size is None else self.parameters * size

    def broken(self, problem: Problem) -> Card:
        """The same model, which cannot be loaded."""
        return replace(self, state="broken", problem=str(problem))


def read_card(path: Path, known: Card | None = None) -> Card:
    """The card of a model folder or file; ``known`` gives what its files do not say.

    Never raises for what is wrong with the files: the card is then broken, with the reason.
    """
    card = known or Card(str(path), path.stem if path.is_file() else path.name, "", "file", "ready", path)
    try:
        if not path.exists():
            raise Problem("its files are missing", "take it off the list, or put them back")
        family = family_of(path)
        read: Card = resolve(family.card)(replace(card, kind=family.name))
        return read
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


def family_of(path: Path) -> Family:
    """The family that opens a folder or file. Raises Problem for what none opens."""
    if path.is_dir():
        return families.of_type(configuration(path, causal=False)["model_type"])
    found = families.of_file(path)
    if found is None:
        remedy = f"give a model folder, a {families.file_kinds()}"
        raise Problem(f"{path.name} is not a model that arplay opens", remedy)
    return found


def of_folder(card: Card) -> Card:
    """As config.json and the headers of the weights tell; so do the others below. Raise Problem, OSError."""
    folder = inspect(card.path, causal=not card.of.model_type)
    size = folder.config.get("vocab_size")
    return replace(
        card,
        licence=card.licence or licence_of(folder.path / "README.md"),
        family=card.of.name if card.of.model_type else folder.family,
        parameters=folder.elements,
        disk_bytes=_size(list(folder.path.iterdir())),
        context=context_of(folder.config),
        vocabulary=size if type(size) is int else None,
        stored_dtype=folder.stored_dtype,
    )


def of_pictures(card: Card) -> Card:
    return replace(of_folder(card), vocabulary=len(resolve(card.of.tokens)(card.path)))


def of_counts(card: Card) -> Card:
    counts = [
        tensor.elements
        for name, tensor in inspect(card.path, causal=False).tensors.items()
        if name.startswith("counts.")
    ]
    return replace(of_folder(card), parameters=sum(counts), stored_dtype="counts")


def of_opened(card: Card) -> Card:
    """Of what is small enough to be opened for it."""
    info = resolve(card.of.open)(card.path, card.title, "cpu", "auto", lambda *_: None).info
    return replace(
        card,
        title=card.title if card.origin == "built-in" else info.name,
        family=info.family,
        parameters=info.parameters,
        vocabulary=info.vocabulary,
        disk_bytes=_size([card.path]),
        stored_dtype=info.dtype,
        revision=info.revision,
    )


def of_gguf(card: Card) -> Card:
    from arplay.models.gguf import families as gguf_families
    from arplay.models.gguf import file as gguf_file
    from arplay.models.gguf import ways as gguf_ways

    file = gguf_file.read(card.path)
    if not gguf_ways.is_native_there():
        gguf_families.fit(file)
    stem = card.path.stem
    return replace(
        card,
        title=card.title if card.origin == "downloaded" else file.text("general.name", stem)[:200] or stem,
        about=card.about or f"GGUF, {file.quantisation}",
        licence=card.licence or file.text("general.license", "")[:100],
        family=file.architecture,
        parameters=file.parameters,
        disk_bytes=_size([card.path]),
        context=file.whole(f"{file.architecture}.context_length", 0, 1 << 31, 0) or None,
        stored_dtype=file.quantisation,
    )


def _size(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())
