"""The files of some kinds in folders, in the order of their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from arplay.core.errors import Problem


def files_in(folder: Path, kinds: Sequence[str]) -> tuple[list[Path], str]:
    """Those of these suffixes, and in a few words why it could not be looked into, "" where it could."""
    if not folder.is_dir():
        return [], "is no folder: add the one that holds it" if folder.exists() else "is not there"
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in kinds and path.is_file()), ""
    except OSError as error:
        return [], f"cannot be read ({error.strerror or error})"


def files_of(folders: Sequence[Path], kinds: Sequence[str], what: str) -> list[Path]:
    """Those of all folders. Raises Problem for one that is none or cannot be read; ``what`` it should hold."""
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise Problem(f"{folder} is no folder", f"give the folder that holds {what}")
        here, said = files_in(folder, kinds)
        if said:
            raise Problem(f"{folder} {said}", "check its rights")
        found += here
    return found
