"""Reading a user's files: a text with every byte as it is, JSON and TOML as values; or a clear word on why not."""

from __future__ import annotations

import errno
import json
import reprlib
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem

MAX_BYTES = 256 * 1024 * 1024
MOST_TEXTS_BYTES = 1024 * 1024
MOST_DOTS = 500
_LOOKED_AT = 64 * 1024
NOT_UTF8 = "is not UTF-8"
"""Words in the cause of every Problem for which another encoding may help."""


def read_text(path: Path, encoding: str | None = None) -> bytes:
    """The UTF-8 bytes of a text file; ``-`` is standard input.

    UTF-8 is taken byte for byte (a byte order mark included). With ``encoding`` the file is decoded with that and
    given in UTF-8. Raises Problem for a file that cannot be read, is not UTF-8 (the likely encoding is named), is
    not in the encoding asked for, or is larger than 256 MiB.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if str(path) == "-" else _read(path)
    except OSError as error:
        raise Problem(f"{name} cannot be read ({error.strerror or error})", "check the path and its rights") from error
    if len(data) > MAX_BYTES:
        raise Problem(f"{name} is larger than {MAX_BYTES >> 20} MiB", "cut it into parts")
    return to_utf8(data, name, encoding)


def to_utf8(data: bytes, name: str, encoding: str | None = None) -> bytes:
    """``data`` checked as UTF-8, or re-encoded from ``encoding``. Raises Problem as :func:`read_text` does."""
    try:
        if encoding is None:
            data.decode("utf-8")
            return data
        return data.decode(encoding).encode("utf-8")
    except LookupError as error:
        raise Problem(f"there is no text encoding called {encoding!r}", "a name such as latin-1 or utf-16") from error
    except UnicodeError as error:
        if encoding is not None:
            raise Problem(f"{name} is not {encoding} text", "try another --encoding") from error
        likely = detect(data)
        if likely is None and b"\0" in data:
            raise Problem(
                f"{name} is no text: it has zero bytes, as pictures and programs have", "open a text"
            ) from error
        remedy = f"open it with --encoding {likely}" if likely else "name its encoding with --encoding NAME"
        seems = f", it looks like {likely}" if likely else ""
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        raise Problem(f"{name} {NOT_UTF8} (byte {at}){seems}", remedy) from error


def detect(data: bytes) -> str | None:
    """The likely encoding of bytes that are not UTF-8, or None. A guess: it is offered, never used unasked.

    Where several fit equally well, Western Europe's is the likeliest: "à la carte" and not "ŕ la carte".
    """
    from charset_normalizer import from_bytes

    matches = from_bytes(data[:_LOOKED_AT])
    best = matches.best()
    if best is None or best.encoding in ("utf_8", "ascii"):
        return None
    as_good = [match for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)]
    western = any("cp1252" in match.could_be_from_charset for match in as_good)
    return "cp1252" if western else str(best.encoding)


def check_prompt(prompt: str) -> bytes:
    """The UTF-8 bytes of a text from the command line. Raises Problem where the terminal sent other bytes."""
    try:
        return prompt.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Problem(
            f"the prompt is not UTF-8 (character {error.start + 1})",
            "type it in a UTF-8 terminal, or put it in a file and name its --encoding",
        ) from error


def read_json(path: Path, most_bytes: int) -> Any:
    """The value that a JSON file spells out. Raises OSError, and ValueError that says what is wrong with it."""
    return json_value(read_marked(path, most_bytes))


def json_file(path: Path, most_bytes: int, noun: str, remedy: str) -> Any:
    """The same of a file that has to be a ``noun``. Raises Problem, with ``remedy`` where it is none."""
    try:
        return read_json(path, most_bytes)
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror})", "check the path and its rights") from error
    except ValueError as error:
        raise Problem(f"{path} is no {noun} ({error})", remedy) from error


def read_texts(path: Path, encoding: str | None = None) -> list[str]:
    """Texts of a file: a line each, exactly, spaces included, but for a byte order mark; or a list of them in JSON.

    Raises Problem.
    """
    example = 'give a list of texts, such as [" yes", " no"]'
    if path.suffix.lower() == ".json":
        found: list[str] = json_file(path, MOST_TEXTS_BYTES, "JSON", example)
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise Problem(f"{path} is no list of texts", example)
    else:
        found = of_lines(read_text(path, encoding).decode().removeprefix("\ufeff"))
    if not found:
        raise Problem(f"{path} holds no candidate", "write one a line")
    return found


def of_lines(text: str) -> list[str]:
    """A text a line, exactly; what only some programs take for the end of a line is a part of it.

    >>> of_lines(" yes\\r\\n\\n no\\u2028never")
    [' yes', ' no\\u2028never']
    """
    return [line for each in text.split("\n") if (line := each.removesuffix("\r"))]


def json_value(text: str) -> Any:
    """Strict JSON: no NaN, no key twice. Raises ValueError, however the text is damaged."""
    return _parsed(lambda: json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates))


def read_toml(path: Path, most_bytes: int) -> dict[str, Any]:
    """The table that a TOML file spells out. Raises OSError, and ValueError that says what is wrong with it."""
    import tomllib  # of recipes and settings of training only

    text = read_marked(path, most_bytes)
    if any(line.count(".") > MOST_DOTS for line in text.split("\n")):  # the parser takes n² for a key of n dots
        raise ValueError(f"it has a line of more than {MOST_DOTS} dots")
    return dict(_parsed(lambda: tomllib.loads(text)))


def _parsed(parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        if "integer string conversion" in str(error):  # Python's own words are for its programmers
            raise ValueError("it has a number of too many digits") from error
        raise


def read_marked(path: Path, most_bytes: int) -> str:
    """A text in UTF-8, or in UTF-16 or UTF-32 (as some shells write what is sent into a file), marked so or not."""
    data = _read(path, most_bytes)
    if len(data) > most_bytes:
        most = f"{most_bytes >> 20} MiB" if most_bytes >> 20 else f"{most_bytes >> 10} KiB"
        raise ValueError(f"it is larger than {most}")
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text (byte {error.start} is not {encoding})") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"{reprlib.repr(key)} is given twice")
    return content


def _read(path: Path, most_bytes: int = MAX_BYTES) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, str(error)) from error
