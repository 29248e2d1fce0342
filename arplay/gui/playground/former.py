"""The one text that arplay kept before it kept sessions: it becomes a session, once."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from arplay.core import kept
from arplay.core.modalities.runs import Fixed, Run, Typed, normal
from arplay.core.modalities.text import Text
from arplay.core.tree import Tree
from arplay.export.writers import write

_MOST = 64 * 1024 * 1024
_MAX_ID = 2**31


def bring_in(file: Path, folder: Path) -> bool:
    """Make ``file`` a session in ``folder``. False: it makes no sense. Raises OSError and Problem."""
    if not file.exists():
        return True
    try:
        document = _read(file)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    session = kept.Session(Tree(document), caret=len(document))
    place = folder / f"former-{secrets.token_hex(3)}.jsonl"
    write(place, "".join(f"{line}\n" for line in kept.snapshot(session).lines(closed=True)))
    os.utime(place, (file.stat().st_atime, file.stat().st_mtime))
    file.unlink()
    return True


def _read(file: Path) -> Text:
    if file.stat().st_size > _MOST:
        raise ValueError("too large")
    content = json.loads(file.read_text("utf-8"))
    if set(content) != {"runs"}:
        raise ValueError("a newer version wrote it")
    return Text(normal(_run(run) for run in content["runs"]))


def _run(run: dict[str, Any]) -> Run:
    if "typed" in run:
        return Typed(base64.b64decode(run["typed"], validate=True))
    ids, tokens = tuple(run["ids"]), tuple(base64.b64decode(token, validate=True) for token in run["pieces"])
    if len(ids) != len(tokens) or not all(type(id) is int and 0 <= id < _MAX_ID for id in ids):
        raise ValueError("ids and tokens do not match")
    return Fixed(str(run["vocabulary"]), ids, tokens)
