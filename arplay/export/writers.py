"""Strict JSON, CSV with comment lines, and files that are replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.export.tables import Record, Rows, is_text

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def to_json(content: Any) -> str:
    """JSON that every parser reads: infinities are the strings "inf" and "-inf"; NaN raises ValueError.

    What cannot be seen is written as its escape, so that JSON is exact and may be shown on a terminal.

    >>> print(to_json({"logprob": -math.inf, "text": "é\\u202e"}), end="")
    {
      "logprob": "-inf",
      "text": "é\\u202e"
    }
    """
    return "".join(json_pieces(content))


def json_pieces(content: Any) -> Iterator[str]:
    """:func:`to_json` in pieces: of :class:`Rows` in it, which are written as a list, a block is there at a time."""
    held, mark = list[Rows](), secrets.token_hex(16)

    def hold(rows: Rows) -> str:
        held.append(rows)
        return mark

    before, *others = _indented(content, hold).split(f'"{mark}"')
    yield before
    for rows, after in zip(held, others, strict=True):
        line = before.rpartition("\n")[2]
        yield from _list(rows, line[: len(line) - len(line.lstrip(" "))])
        yield (before := after)
    yield "\n"


def _list(rows: Rows, indent: str) -> Iterator[str]:
    """Rows as a list, in a line that begins with ``indent``."""
    comma = "["
    for block in filter(None, rows.blocks()):
        yield comma + _indented(block)[1:-2].replace("\n", f"\n{indent}")
        comma = ","
    yield f"\n{indent}]" if comma == "," else "[]"


def _indented(content: Any, hold: Callable[[Rows], str] | None = None) -> str:
    text = json.dumps(_strict(content), allow_nan=False, ensure_ascii=False, indent=2, default=hold)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def to_json_line(record: Record) -> str:
    """One line of JSON lines.

    >>> print(to_json_line({"logprob": -math.inf, "text": "a"}), end="")
    {"logprob": "-inf", "text": "a"}
    """
    return json.dumps(_strict(record), allow_nan=False) + "\n"


def json_line(record: Record, key: str, blocks: Iterable[Sequence[Record]]) -> Iterator[str]:
    """:func:`to_json_line` in pieces, where the list ``key`` of the record is made a block at a time.

    >>> "".join(json_line({"text": "a", "tokens": [], "n": 3}, "tokens", [[{"id": 1}, {"id": 2}], [{"id": 0}]]))
    '{"text": "a", "tokens": [{"id": 1}, {"id": 2}, {"id": 0}], "n": 3}\\n'
    """
    before = "{"
    for name, value in record.items():
        if name == key:
            yield f"{before}{json.dumps(name)}: ["
            comma = ""
            for block in blocks:
                if block:
                    yield comma + json.dumps(_strict(block), allow_nan=False)[1:-1]
                    comma = ", "
            yield "]"
        else:
            yield f"{before}{json.dumps(name)}: {json.dumps(_strict(value), allow_nan=False)}"
        before = ", "
    yield "}\n"


def to_csv(records: Iterable[Record], columns: Sequence[str], comments: Sequence[str]) -> str:
    """``#`` comment lines, a header, a row a record; None is an empty cell, text cells are quoted and exact.

    A token may well be "=", "NA" or "1e5". Quoting does not keep a spreadsheet from reading such a cell as a formula,
    or pandas and R from reading it as a number or as nothing, and changing it would make the data wrong. So the cell
    stays exact, and comments say how each of them reads the file whole. ``records`` are gone through twice.
    """
    return "".join(csv_pieces(records, columns, comments))


def csv_pieces(records: Iterable[Record], columns: Sequence[str], comments: Sequence[str]) -> Iterator[str]:
    """The same a row at a time."""
    lines = list(comments)
    texts = (value for record in records for value in record.values() if isinstance(value, str))
    if any(text.startswith(_FORMULA_SIGNS) for text in texts):
        lines.append("some cells begin like a formula (= + - @): import the text columns as text")
    lines += _how_to_read(columns, len(lines) + 2)
    yield "".join(f"# {line}\n" for line in lines)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    for row in chain([columns], ([_cell(record[column]) for column in columns] for record in records)):
        writer.writerow(row)
        yield out.getvalue()
        out.seek(out.truncate(0))


def _how_to_read(columns: Sequence[str], before: int) -> list[str]:
    """The calls that read the file whole in pandas and in R, where ``before`` lines of comments stand above the names.

    An empty cell is missing among numbers, and an empty text among texts.
    """
    texts = [name for name in columns if is_text(name)]
    numbers = [name for name in columns if not is_text(name)]
    kinds, empty = dict.fromkeys(texts, "str"), dict.fromkeys(numbers, "")
    classes = ", ".join(f'{name}="character"' for name in texts)
    classes = f"c({classes})" if texts else "NA"  # R's own guess, which c() would take away
    return [
        f"pandas: pandas.read_csv(FILE, skiprows={before}, dtype={json.dumps(kinds)}, "
        f"keep_default_na=False, na_values={json.dumps(empty)})",
        f'R: read.csv(FILE, skip={before}, colClasses={classes}, na.strings="", fileEncoding="UTF-8")',
    ]


def write(path: Path, content: str | bytes) -> None:
    """Write ``content``, a text as UTF-8. Raises Problem and leaves an existing file as it was if that fails."""
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def writing(path: Path, pieces: Iterable[str]) -> Iterator[None]:
    """The same of pieces of a text, a step each; closed before its end, or where that fails, it leaves nothing."""
    size = 0
    with replacing(path) as temporary, temporary.open("wb") as file:
        for piece in pieces:
            size += file.write(piece.encode("utf-8"))
            yield
        file.flush()
        if temporary.is_file() and temporary.stat().st_size != size:
            raise Problem(f"{path.name} is not as long as it was written", "check the disk, then export it again")


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """:func:`write` of a text that is never there at once."""
    for _ in writing(path, pieces):
        pass


def check_place(path: Path) -> None:
    """Raises Problem where no file can be written, before much work is done for one."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        there, folder = path.exists(), Path(os.path.realpath(path)).parent
        if not there and not folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no such folder")
        if not os.access(path if there else folder, os.W_OK):
            raise PermissionError(errno.EACCES, "it is read-only")
    except OSError as error:
        raise _cannot(path, error) from error


def _cannot(path: Path, error: OSError) -> Problem:
    return Problem(f"{path} cannot be written ({error.strerror or error})", "choose another place")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place if the block ends well.

    Rights of an existing file are kept; a link is followed; a device or pipe is written to directly. Raises Problem
    for anything the system refuses.
    """
    check_place(path)
    try:
        if path.exists() and not path.is_file():  # by its own name: the pipe of /dev/stdout has no other
            yield path
            return
        target = Path(os.path.realpath(path))
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
        temporary.touch(0o666, exist_ok=False)
        try:
            if target.exists():
                shutil.copymode(target, temporary)
            yield temporary
            with temporary.open("r+b") as file:  # Windows syncs only what may be written
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot(path, error) from error


def _escaped(line: str) -> str:
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


def _sync_folder(folder: Path) -> None:
    """The new name survives a power cut too, where the system can promise that (Windows and some disks cannot)."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    return value
