"""The one text that arplay kept before it kept sessions: it becomes a session, once."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from arplay.core import kept
from arplay.core.modalities.base import Document
from arplay.core.modalities.forms import former
from arplay.core.tree import Tree
from arplay.export.writers import write

_MOST = 64 * 1024 * 1024


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


def _read(file: Path) -> Document:
    if file.stat().st_size > _MOST:
        raise ValueError("too large")
    return former(json.loads(file.read_text("utf-8")))
