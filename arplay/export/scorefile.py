"""A scoring run as a file: an npz of plain arrays with ``run.json`` beside them, which opens again without the model.

``numpy.load(FILE)`` reads its arrays; ``assets/docs/command-line.md`` tells what they are. A file is read whole or
refused whole, and never as pickled objects.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.format import size as in_words
from arplay.core.reading import FIRST_TOKEN
from arplay.export.writers import replacing
from arplay.models import devices
from arplay.models.scored_run import COLUMNS, SavedRun, arrays, restored, special
from arplay.schema import Wrong, many, maybe, one_of, table, text, whole
from arplay.textfile import json_value
from arplay.version import __version__

ENDING = ".npz"
VERSION = 1
HEAD = "run.json"
MOST_BYTES, MOST_HEAD = 8 << 30, 1 << 24
PACKED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_NOT_USED = "nothing was changed; choose another file"
_BIG = 1 << 62
_SAYS = table(
    {
        "arplay": text(40),
        "scores": whole(1, 1 << 31),
        "name": text(),
        "model": table(
            {
                **dict.fromkeys(("name", "family", "source", "revision", "dtype", "device", "engine"), text()),
                **dict.fromkeys(("why", "placement"), text(1 << 16)),
                "vocabulary": maybe(whole(0, _BIG)),
                "context": maybe(whole(0, _BIG)),
                "parameters": maybe(whole(0, _BIG)),
                "not_used": many(text(1 << 16)),
            }
        ),
        "tokens": text(),
        "vocabulary": whole(1, 1 << 24),
        "special": many(whole(0, 1 << 24)),
        "first_token": one_of(*FIRST_TOKEN),
        "before": whole(0, 1 << 20),
        "windows": many(whole(0, _BIG), 3, 3),
        "notes": many(many(text(1 << 16), 3, 3)),
        "lossy": text(1 << 16),
        "lead": many(whole(0, 1 << 24), 0, 1 << 20),
        "when": text(40),
    },
    otherwise={"lead": (), "when": ""},
)


def is_scores(path: str | os.PathLike[str]) -> bool:
    """By its name."""
    return os.fspath(path).lower().endswith(ENDING)


def write(path: Path, run: SavedRun) -> None:
    """All or nothing. Raises Problem for what is no text, or not scored to its end."""
    for _ in writing(path, run):
        pass


def writing(path: Path, run: SavedRun) -> Iterator[float]:
    """The same in steps, each of which tells which part is written; closed before its end it leaves nothing."""
    ledger, tokens, windows = run.ledger, run.tokens, run.ledger.windows
    columns = arrays(ledger, tokens, run.lead)
    head = {
        "arplay": __version__,
        "scores": VERSION,
        "name": run.name,
        "model": asdict(run.info),
        "tokens": tokens.name,
        "vocabulary": len(tokens),
        "special": special(columns, tokens),
        "first_token": ledger.first_token,
        "before": ledger.before,
        "windows": [windows.window, windows.stride, windows.lead],
        "notes": [[note.figure, note.label, note.sentence] for note in ledger.added],
        "lossy": run.lossy,
        "lead": list(run.lead),
        "when": run.when or datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    whole_size, done = max(1, sum(values.nbytes for values in columns.values())), 0
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr(HEAD, json.dumps(head, allow_nan=False, indent=1))
        for column, values in columns.items():
            with file.open(f"{column}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)
            done += values.nbytes
            yield done / whole_size


def read(path: str | os.PathLike[str]) -> SavedRun:
    """A run that was saved. Raises Problem for a file that cannot be read, is damaged, or of a newer arplay."""
    name = Path(path).name
    try:
        with zipfile.ZipFile(path) as file:
            head = _head(file)
            found = {column: _array(file, column) for column in COLUMNS}
        return restored(found, head)
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error})", "check the path and its rights") from error
    except _NewerError as error:
        raise Problem(f"a newer arplay wrote {name} (version {error})", "update arplay; nothing was changed") from error
    except (ValueError, KeyError, RecursionError, MemoryError, EOFError, NotImplementedError, RuntimeError, Wrong,
            zipfile.BadZipFile, zlib.error, Problem) as error:  # fmt: skip
        cause = str(error).split("\n")[0][:200] or type(error).__name__
        raise Problem(f"{name} is no scoring run, or damaged: {cause}", _NOT_USED) from error


class _NewerError(Exception):
    pass


def _head(file: zipfile.ZipFile) -> dict[str, Any]:
    size, (free, _) = sum(member.file_size for member in file.infolist()), devices.memory()
    if size > MOST_BYTES or 2 * size > free:
        raise ValueError(f"it unpacks to {in_words(size)}, and {in_words(free)} of memory are free")
    if file.getinfo(HEAD).file_size > MOST_HEAD:
        raise ValueError(f"{HEAD} is too long")
    if any(member.compress_type not in PACKED for member in file.infolist()):
        raise ValueError("it is packed in a way that numpy does not pack")
    with file.open(HEAD) as member:
        said = json_value(member.read(MOST_HEAD).decode("utf-8"))
    if isinstance(said, dict) and type(said.get("scores")) is int and said["scores"] > VERSION:
        raise _NewerError(said["scores"])
    checked: dict[str, Any] = _SAYS(said, "")
    return checked


def _array(file: zipfile.ZipFile, column: str) -> NDArray[Any]:
    """Its head is looked at before anything of it is unpacked."""
    kind, dimensions = COLUMNS[column]
    with file.open(f"{column}.npy") as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError(f"{column} is in another format")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(member)
        if dtype != np.dtype(kind) or len(shape) != dimensions or {*map(type, shape)} != {int} or min(shape) < 0:
            raise ValueError(f"{column} is of another type")
        size = math.prod(shape) * dtype.itemsize
        if size > file.getinfo(member.name).file_size or len(data := member.read(size + 1)) != size:
            raise ValueError(f"{column} is not as long as it says")
    return np.ascontiguousarray(np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C"))
