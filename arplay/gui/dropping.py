"""What was dropped onto the window: a model, a text, or something that is told to be neither."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QUrl

from arplay.core.errors import Problem
from arplay.export.scorefile import is_scores
from arplay.export.sessionfile import is_session
from arplay.models import families, htmlfile

_PARTS = (".safetensors", ".bin", ".pt", ".pth")
_TEXTS = (".txt", ".md", ".jsonl", *htmlfile.ENDINGS)


def texts_of(urls: Sequence[QUrl]) -> list[Path]:
    """Those of a folder that was dropped, in the order of their names; none of a model's folder, nor of all else."""
    folder = Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
    if folder is None or not folder.is_dir() or (folder / "config.json").exists():
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in _TEXTS and path.is_file())
    except OSError:
        return []  # whoever opens it tells why


def dropped_texts(urls: Sequence[QUrl]) -> list[Path]:
    """Several texts that were dropped at once. Raises Problem where one of them is something else."""
    found = [dropped([url]) for url in urls]
    others = [path.name for kind, path in found if kind != "text" or is_session(path) or is_scores(path)]
    if others:
        raise Problem(
            f"{len(urls)} things were dropped at once, and {others[0]} is no text",
            "drop several texts, or one other thing at a time",
        )
    return [path for _, path in found]


def dropped(urls: Sequence[QUrl]) -> tuple[Literal["model", "text"], Path]:
    """The one file or folder that was dropped, and whether to load it or to read it. Raises Problem for all else."""
    if len(urls) != 1:
        raise Problem(f"{len(urls)} things were dropped at once", "drop one model or one text at a time")
    path = Path(urls[0].toLocalFile())
    if not urls[0].isLocalFile() or not path.exists():
        what = urls[0].toDisplayString()
        raise Problem(
            f"{what} is no file on this computer", f"drop a model folder, a {families.file_kinds()}, or a text"
        )
    if path.suffix in _PARTS:
        raise Problem(f"{path.name} is only a part of a model", "drop the folder that holds it")
    is_model = path.is_dir() or families.of_file(path, sure=True) is not None  # other JSON is a text like any other
    return ("model" if is_model else "text"), path
