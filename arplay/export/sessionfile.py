"""A session as a file of the user's: the facts of the journal (:mod:`arplay.core.kept`) as one JSON list.

``assets/docs/session.md`` tells what stands in it. A file is read whole or refused whole: nothing of a damaged one is
used, for the user still has what it was made from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from arplay.core.errors import Problem
from arplay.core.kept import VERSION, Session, Snapshot
from arplay.core.kept_reading import NewerError, Reader
from arplay.export.writers import replacing
from arplay.schema import Wrong, flag, many, one_of, table, text, whole

ENDING = ".session.json"
MOST_BYTES = 256 * 1024 * 1024
MOST_FACTS = 1_000_000
_NOT_USED = "nothing was changed; choose another file"
_HEAD = table(
    {"arplay": one_of("session"), "version": whole(1, 1 << 31), "closed": flag, "written": flag, "begins": text(60)}
)
_FACTS = many(lambda fact, place: fact, 2, MOST_FACTS)


def is_session(path: Path) -> bool:
    """By its name."""
    return path.name.lower().endswith(ENDING)


def write(path: Path, snapshot: Snapshot) -> None:
    """All or nothing: a file that was there stays until the new one is on the disk. Raises Problem."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.writelines(_parts(snapshot.lines(closed=True)))


def _parts(lines: Iterable[str]) -> Iterable[bytes]:
    before = "["
    for line in lines:
        yield f"{before}{line}".encode()
        before = ",\n"
    yield b"]\n"


def read(path: str | os.PathLike[str]) -> Session:
    """What is in the file. Raises Problem for one that cannot be read, is too large, damaged, or of a newer arplay."""
    name = Path(path).name
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error})", "check the path and its rights") from error
    if len(data) > MOST_BYTES:
        raise Problem(f"{name} has more than {MOST_BYTES >> 20} MB", _NOT_USED)
    try:
        facts = _FACTS(json.loads(data), "")
        head = facts[0]
        if isinstance(head, dict) and type(head.get("version")) is int and head["version"] > VERSION:
            raise NewerError(f"version {head['version']}")
        _HEAD(head, "the first fact")
        return _session(facts)
    except NewerError as error:
        raise Problem(f"a newer arplay wrote {name} ({error})", "update arplay; nothing was changed") from error
    except (ValueError, RecursionError, Wrong) as error:
        raise Problem(f"{name} is no session, or damaged: {str(error).split(chr(10))[0][:200]}", _NOT_USED) from error


def _session(facts: Iterable[object]) -> Session:
    reader = Reader()
    for number, fact in enumerate(facts, 1):
        try:
            reader.add(fact)
        except NewerError:
            raise
        except ValueError as error:
            raise ValueError(f"fact {number}: {error}") from error
    session = reader.session()
    if session is None or reader.unfit:
        raise ValueError(reader.unfit or "there is no document in it")
    return session
