"""The text of the last session, with its ids, kept as safe JSON: closing the window never loses it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from arplay.core.document import Document, Fixed, Run, Typed
from arplay.core.errors import Problem
from arplay.export.writers import write
from arplay.models.folder import MAX_VOCABULARY

MAX_BYTES = 64 * 1024 * 1024


def save(path: Path, document: Document) -> None:
    """Write the document. Raises Problem where that fails; an existing file is then as it was."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"{path.parent} cannot be made ({error.strerror})", "check the rights of that folder") from error
    write(path, json.dumps({"runs": [_out(run) for run in document.runs]}))


def load(path: Path) -> Document | None:
    """The document kept at ``path``, or None where there is none that makes sense."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        runs = tuple(_in(run) for run in json.loads(path.read_text("utf-8"))["runs"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Document(runs)


def _out(run: Run) -> dict[str, Any]:
    if isinstance(run, Typed):
        return {"typed": _text(run.data)}
    return {"vocabulary": run.vocabulary, "ids": list(run.ids), "pieces": [_text(piece) for piece in run.pieces]}


def _in(run: dict[str, Any]) -> Run:
    if "typed" in run:
        return Typed(_data(run["typed"]))
    ids, pieces = tuple(run["ids"]), tuple(_data(piece) for piece in run["pieces"])
    if (
        len(ids) != len(pieces)
        or not all(type(id) is int and 0 <= id < MAX_VOCABULARY for id in ids)
        or not all(pieces)
    ):
        raise ValueError("ids and pieces do not match")
    return Fixed(str(run["vocabulary"]), ids, pieces)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _data(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
