"""What was dropped onto the window: a model, a text, or something that is told to be neither."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QUrl

from arplay.core.errors import Problem

_LOOKED_AT = 64 * 1024
_PARTS = (".safetensors", ".bin", ".pt", ".pth")


def dropped(urls: Sequence[QUrl]) -> tuple[Literal["model", "text"], Path]:
    """The one file or folder that was dropped, and whether to load it or to read it. Raises Problem for all else."""
    if len(urls) != 1:
        raise Problem(f"{len(urls)} things were dropped at once", "drop one model or one text at a time")
    path = Path(urls[0].toLocalFile())
    if not urls[0].isLocalFile() or not path.exists():
        what = urls[0].toDisplayString()
        raise Problem(f"{what} is no file on this computer", "drop a model folder, a .gguf, a table (.json) or a text")
    if path.suffix in _PARTS:
        raise Problem(f"{path.name} is only a part of a model", "drop the folder that holds it")
    return ("model" if path.is_dir() or path.suffix == ".gguf" or _is_table(path) else "text"), path


def _is_table(path: Path) -> bool:
    """Whether a JSON file is a model written by hand, a table or a joint: another one is a text like any other."""
    if path.suffix != ".json":
        return False
    try:
        with path.open("rb") as file:
            beginning = file.read(_LOOKED_AT)
    except OSError:
        return False  # opening it as a text tells what is wrong
    return b'"alphabet"' in beginning or (b'"patterns"' in beginning and b'"signs"' in beginning)
