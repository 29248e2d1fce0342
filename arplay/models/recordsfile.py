"""Texts that stand in the records of a file: JSON lines, or one list in JSON. A field in another is called ``a.b``.

Of a list in a record, such as the messages of a chat, each field is one text: all of them, with an empty line between.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.textfile import json_value

ENDINGS = (".jsonl", ".ndjson", ".json")
MOST_BYTES = 50_000_000
MOST_RECORDS = 100_000
LOOKED_AT = 1000
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Field:
    """A field that holds texts. ``count``: of how many records, among those that were looked at; ``example``: one."""

    name: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Records:
    """``rows``: the records, each with what it is called (the number of its line, or of its place in the list)."""

    rows: tuple[tuple[int, dict[str, Any]], ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """Those that hold texts, in the order in which they come.

        >>> records(b'{"id": 1, "a": {"b": "x"}, "text": "y"}', "r.jsonl").fields
        (Field(name='a.b', count=1, example='x'), Field(name='text', count=1, example='y'))
        >>> chat = records(b'{"said": [{"by": "me", "text": "Hi"}, {"by": "you", "text": "Ho"}]}', "r.jsonl")
        >>> [field.name for field in chat.fields], chat.texts("said.text")
        (['said.by', 'said.text'], ((1, b'Hi\\n\\nHo'),))
        """
        found: dict[str, Field] = {}
        for _, row in self.rows[:LOOKED_AT]:
            for name, text in _texts(row).items():
                former = found.get(name)
                found[name] = Field(name, former.count + 1 if former else 1, former.example if former else text)
        return tuple(found.values())

    def texts(self, field: str) -> tuple[tuple[int, bytes], ...]:
        """The text of a field, of each record that has it, in UTF-8. Raises Problem where none has."""
        found = []
        for number, row in self.rows:
            text = _texts(row).get(field)
            if text is not None:
                found.append((number, text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()))
        if not found:
            known = ", ".join(each.name for each in self.fields[:12])
            raise Problem(f"no record has a text in {field!r}", f"its texts are in {known}" if known else "it has none")
        return tuple(found)


def is_records(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in ENDINGS


def holds_records(path: Path) -> bool:
    """By its name and its first line, so that other JSON is a text like any other: records are asked about."""
    if not is_records(path):
        return False
    try:
        with path.open("rb") as file:
            line = file.readline(1 << 16).strip()
    except OSError:
        return False
    if path.suffix.lower() == ".json":
        return line.startswith(b"[") and line[1:].lstrip()[:1] in (b"", b"{", b'"')  # of numbers it is no list of texts
    try:
        return isinstance(json_value(line.decode("utf-8-sig")), dict | str) or len(line) == 1 << 16
    except ValueError:
        return line.startswith(b"{") and len(line) == 1 << 16


def records(data: bytes, name: str) -> Records:
    """Of a file. Raises Problem for what is not JSON lines or a list of objects, and for more than is read."""
    if len(data) > MOST_BYTES:
        raise Problem(f"{name} has more than 50 MB", "cut it into parts")
    try:
        text = data.decode("utf-8-sig")
        rows = tuple(_list(text) if name.lower().endswith(".json") else _lines(text))
    except ValueError as error:
        cause = str(error).split("\n")[0][:200]
        if cause.startswith("line "):
            well = [_is_well(line) for line in text.split("\n") if line.strip()]
            cause += f"; {sum(well):,} of its {len(well):,} lines are records"
        raise Problem(f"{name} is no file of records: {cause}", "open it as plain text instead") from error
    if not rows:
        raise Problem(f"{name} has no records", "open it as plain text instead")
    return Records(rows)


def _list(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    value = json_value(text)
    if not isinstance(value, list):
        raise ValueError("it is not a list")
    yield from _objects(enumerate(value, 1), "record")


def _lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
    yield from _objects(((number, _value(number, line)) for number, line in lines), "line")


def _value(number: int, line: str) -> Any:
    try:
        return json_value(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number:,} is no JSON from its character {error.pos + 1:,} on") from error
    except ValueError as error:
        raise ValueError(f"line {number:,}: {error}") from error


def _is_well(line: str) -> bool:
    try:
        return isinstance(json_value(line), dict | str)
    except ValueError:
        return False


def _objects(values: Any, what: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for count, (number, value) in enumerate(values, 1):
        if count > MOST_RECORDS:
            raise ValueError(f"it has more than {MOST_RECORDS:,} records")
        if isinstance(value, str):
            value = {"text": value}  # a plain list of texts
        if not isinstance(value, dict):
            raise ValueError(f"{what} {number:,} is no object")
        yield number, value


def _texts(row: dict[str, Any]) -> dict[str, str]:
    """The texts of a record by their field."""
    found: dict[str, list[str]] = {}
    for key, value in row.items():
        for name, text in _within(value, key, _DEEPEST):
            found.setdefault(name, []).append(text)
    return {name: "\n\n".join(texts) for name, texts in found.items()}


def _within(value: Any, name: str, deep: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict) and deep:
        for key, inner in value.items():
            yield from _within(inner, f"{name}.{key}", deep - 1)
    elif isinstance(value, list) and deep:
        for inner in value:
            yield from _within(inner, name, deep - 1)
