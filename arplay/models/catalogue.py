"""What can be loaded, by name or path. Lists without importing torch; the loader of a family is imported at need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from arplay import paths
from arplay.core.errors import Problem
from arplay.models import smollm2
from arplay.models.base import Model, Report

DEFAULT = "english"


@dataclass(frozen=True, slots=True)
class Entry:
    """A model by name. ``state``: there now, or to be fetched; ``download_bytes`` says how much that is.

    ``full_name`` is how results, exports and the window call it where the name alone would say too little.
    """

    name: str
    title: str
    about: str
    path: Path
    state: Literal["ready", "fetch"]
    licence: str
    download_bytes: int = 0
    disk_bytes: int = 0
    full_name: str = ""


def entries() -> list[Entry]:
    """The built-in models and those that ``models get`` can bring."""
    shipped = paths.assets() / "models"
    fetched = paths.models() / smollm2.NAME
    return [
        Entry(
            "english",
            "English, small",
            "a small transformer trained by this project; reads like simple English",
            shipped / "english",
            "ready",
            "CC-BY-SA-3.0 (see its card)",
        ),
        Entry(
            "abc",
            "ABC, the textbook example",
            "a table over {A, B, C}, small enough to check by hand",
            shipped / "abc.json",
            "ready",
            "MIT",
        ),
        Entry(
            smollm2.NAME,
            smollm2.TITLE,
            "a real model of 135 million parameters; fetched once",
            fetched,
            "ready" if smollm2.is_ready(fetched) else "fetch",
            smollm2.LICENCE,
            smollm2.DOWNLOAD_BYTES,
            smollm2.FOLDER_BYTES,
            smollm2.TITLE,
        ),
    ]


def entry(name: str) -> Entry:
    """The entry called ``name``. Raises Problem with the names there are."""
    for known in entries():
        if known.name == name:
            return known
    names = ", ".join(known.name for known in entries())
    raise Problem(f"there is no model called {name}", f"use one of {names}, or the path of a model folder")


def spec_of(source: str) -> str:
    """What :func:`load` takes for the model that was loaded from ``source``: a name, or the path itself."""
    return next((known.name for known in entries() if str(known.path) == source), source)


def load(spec: str, device: str, dtype: str, report: Report) -> Model:
    """Load a model by catalogue name or path: a table (.json) or a transformers folder.

    Raises Problem, or whatever ``report`` raises to cancel.
    """
    names = {known.name for known in entries()}
    if spec in names:
        found = entry(spec)
        if found.state == "fetch":
            size = found.download_bytes / 1e6
            raise Problem(f"{spec} is not on this computer yet", f"run: arplay models get {spec} ({size:.0f} MB)")
        path, name = found.path, found.full_name or found.name
    else:
        existing = _existing(spec)
        if existing is None:
            raise Problem(f"there is no model {spec}", f"use one of {', '.join(sorted(names))}, or an existing path")
        path = existing
        name = path.resolve().stem if path.is_file() else path.resolve().name
    if path.is_dir():
        from arplay.models import loading

        return loading.load(path, name, device, dtype, report)
    if path.suffix == ".json":
        from arplay.models.tabular import Table

        return Table.load(path)
    raise Problem(f"{path.name} is not a model that arplay opens", "give a model folder or a table (.json)")


def _existing(spec: str) -> Path | None:
    try:
        path = Path(spec).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError):  # too long a name, a folder that may not be entered, an unknown ~user
        return None
