"""What is learnt from folders: the files of some kinds in them, in the order of their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from arplay.core.errors import Problem
from arplay.models.family import Found, Material


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


def material(many: str, kinds: Sequence[str], read: Callable[[Path], object], about: str, least: int) -> Material:
    """Folders of files of some kinds, at least so many; ``read`` raises Problem for a file that is none of them."""

    def look(folder: Path) -> Found:
        """How many there are, and whether the first of them can be read (a run reads all of them)."""
        found, said = files_in(folder, kinds)
        try:
            read(found[0]) if found else None
        except Problem as problem:
            said = f"cannot be used: {problem.cause}"
        return Found(folder, len(found), said or ("" if found else f"holds no {many}"))

    return Material(
        noun="folder",
        add="Add a folder…",
        tip=f"A folder of {many}; you can also drop it here",
        empty=f"Drop a folder of {many} here, or add one above.\n{about}",
        look=look,
        words=lambda count: f"{count:,} {many[:-1] if count == 1 else many}",
        least=least,
        few=f"{{:,}} {many} are too few: add more, {least} at least.",
    )
