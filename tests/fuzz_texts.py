"""Damaged and hostile text files: recipes, traces, tables, plans, sessions. A change is a function of its draw."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from tests.fuzz_values import JUNK, places
from tests.hostile import hostile

FORMATS = {
    "nothing": b"", "a long number": b'a = 1\n{"a": ' + b"9" * 5000, "a number alone": b"9" * 5000,
    "brackets": b"[" * 9000,
    "an open table": b'{"a":' * 9000, "inline tables": b"a = " + b"{b = " * 9000,
    "dots": b"a" + b".a" * 9000 + b" = 1",
    "no text": b"\xff\xfe\x00\xd8", "bytes": bytes(range(256)), "null": b"null", "a list": b"[1, 2]", "NaN": b"NaN",
    "half a pair": b'"\\ud800"', "zip": b"PK\x03\x04" + bytes(99), "a key twice": b'{"a": 1, "a": 2}\na = 1\na = 2',
    "too large": b" " * (65 << 20),
}  # fmt: skip
"""What is no JSON and no TOML that anything here reads."""


def spoilt(draw: random.Random, content: Any) -> Any:
    """One to three values of a parsed file become junk, go away, come twice or get another name."""
    for _ in range(draw.choice((1, 1, 2, 3))):
        found = places(content)
        if not found:
            break
        part, key = draw.choice(found)
        match draw.randrange(6):
            case 0 | 1 | 2:
                part[key] = copy.deepcopy(
                    draw.choice((*JUNK, hostile(draw.randrange(99)), 10**4000, 1e400, "9" * 5000))
                )  # else junk would grow
            case 3:
                del part[key]
            case 4 if isinstance(part, dict):
                part[draw.choice(("", "x", hostile(draw.randrange(99)), "a" * 5000))] = copy.deepcopy(part[key])
            case _:
                other, its = draw.choice(found)
                if its in other if isinstance(other, dict) else its < len(other):
                    part[key] = json.loads(json.dumps(other[its]))
    return content


def damaged(draw: random.Random, data: bytes) -> bytes:
    """Bytes lost, changed or put in, another encoding, or something else altogether."""
    at, made = draw.randrange(len(data) + 1), bytearray(data)
    match draw.randrange(8):
        case 0:
            del made[at:]
        case 1:
            del made[at : at + draw.choice((1, 8, 100))]
        case 2:
            made[at:at] = draw.randbytes(draw.choice((1, 8, 100)))
        case 3:
            for _ in range(draw.choice((1, 4, 16))):
                made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
        case 4:
            made[at:at] = draw.choice((b"[" * 9000, b'{"a":' * 3000, b"9" * 5000, b"\0", b"\n" * 99, b"'''", b'"'))
        case 5:
            return data.decode().encode(draw.choice(("utf-16", "utf-8-sig", "utf-32-be", "utf-16-be")))
        case 6:
            return draw.choice([FORMATS[name] for name in sorted(FORMATS) if name != "too large"])
        case 7:
            made[at:at] = hostile(draw.randrange(99)).encode()
    return bytes(made)


def to_toml(content: dict[str, Any]) -> str:
    """A table as TOML: values, then [tables], then [[arrays of tables]]; null is an empty text."""
    lines = [f"{_key(key)} = {_value(part)}" for key, part in content.items() if not _is_tables(part)]
    for key, part in content.items():
        if _is_tables(part):
            for each in part if isinstance(part, list) else [part]:
                lines.append(f"[[{_key(key)}]]" if isinstance(part, list) else f"[{_key(key)}]")
                lines += [f"{_key(name)} = {_value(value)}" for name, value in each.items()]
    return "\n".join(lines) + "\n"


def _is_tables(part: Any) -> bool:
    return isinstance(part, dict) or (
        isinstance(part, list) and bool(part) and all(isinstance(each, dict) for each in part)
    )


def _key(key: str) -> str:
    return json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str) or value is None:
        return json.dumps(value or "", ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value) if value > 0 else str(value)
    return {True: "true", False: "false"}.get(value, repr(value)) if isinstance(value, bool) else repr(value)
