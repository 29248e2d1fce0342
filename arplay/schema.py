"""What a JSON or TOML file must say, as data: a check for every key, and one sentence where it says something else.

A check takes a value and the name of its place, and gives the value as it is to be used. It raises :class:`Wrong`,
whose text names the place, what stands there and what belongs there. Files come from anywhere: nothing here prints,
computes with or copies a value before it is known to be small.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from arplay.core.signs import safe

Check = Callable[[Any, str], Any]
_MISSING = object()


class Wrong(ValueError):  # noqa: N818 - it is a message to a person
    """A value that does not belong there; ``remedy`` says what does."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause, self.remedy = cause, remedy


def whole(least: int, most: int) -> Check:
    """A whole number from ``least`` to ``most``."""

    def check(value: Any, place: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise _wrong(value, place, f"a whole number from {least:,} to {most:,}")
        return int(value)

    return check


def real(least: float, most: float) -> Check:
    """A number from ``least`` to ``most``.

    >>> real(0, 1)(1, "warmup")
    1.0
    """

    def check(value: Any, place: str) -> float:
        if type(value) in (int, float) and least <= value <= most:  # NaN is in no range
            with suppress(OverflowError):  # a whole number beyond all of these
                return float(value)
        raise _wrong(value, place, f"a number from {least:g} to {most:g}")

    return check


def flag(value: Any, place: str) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise _wrong(value, place, "true or false")
    return value


def text(most: int = 4096) -> Check:
    """A text of at most ``most`` characters."""

    def check(value: Any, place: str) -> str:
        if type(value) is not str or len(value) > most:
            raise _wrong(value, place, f"a text of at most {most:,} characters")
        if "\0" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
            raise _wrong(value, place, "a text without NUL and without half a UTF-16 pair")
        return value

    return check


def matching(pattern: str, wanted: str) -> Check:
    """A text that a pattern matches as a whole; ``wanted`` describes it."""

    def check(value: Any, place: str) -> str:
        if type(value) is not str or len(value) > 200 or not re.fullmatch(pattern, value, re.ASCII):
            raise _wrong(value, place, wanted)
        return value

    return check


def one_of(*known: str) -> Check:
    """One of a few words."""

    def check(value: Any, place: str) -> str:
        if type(value) is not str or value not in known:
            raise _wrong(value, place, f"one of {', '.join(known)}")
        return value

    return check


def maybe(check: Check) -> Check:
    """What ``check`` takes, or null."""
    return lambda value, place: None if value is None else check(value, place)


def many(check: Check, least: int = 0, most: int = 1 << 20) -> Check:
    """A list of ``least`` to ``most`` things that ``check`` takes; a tuple of them."""

    def check_all(value: Any, place: str) -> tuple[Any, ...]:
        if type(value) is not list or not least <= len(value) <= most:
            raise _wrong(value, place, f"a list of {least:,} to {most:,}")
        return tuple(check(part, f"{place}[{i}]") for i, part in enumerate(value))

    return check_all


def named(check: Check, most: int = 1 << 12) -> Check:
    """A table of any names whose values ``check`` takes."""

    def check_all(value: Any, place: str) -> dict[str, Any]:
        if type(value) is not dict or len(value) > most:
            raise _wrong(value, place, f"a table of at most {most:,} names")
        return {name: check(part, _inside(place, name)) for name, part in value.items()}

    return check_all


def table(checks: Mapping[str, Check], otherwise: Mapping[str, Any] | None = None, more: bool = False) -> Check:
    """A table of exactly these keys; those of ``otherwise`` may be left out and are then what it says.

    ``more``: there may be other keys, which are left out of what is given.

    >>> table({"seed": whole(0, 9)})({"seed": 12}, "schedule")
    Traceback (most recent call last):
    arplay.schema.Wrong: schedule.seed is 12; give a whole number from 0 to 9
    """
    defaults = otherwise or {}

    def check(value: Any, place: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong(value, place, "a table (an object)")
        if not more and (unknown := [key for key in value if key not in checks]):
            raise Wrong(f"{_inside(place, unknown[0])} is unknown", f"known are {', '.join(checks)}")
        if missing := [key for key in checks if key not in value and key not in defaults]:
            raise Wrong(f"{_inside(place, missing[0])} is missing", "add it")
        return {
            key: defaults[key] if (part := value.get(key, _MISSING)) is _MISSING else check(part, _inside(place, key))
            for key, check in checks.items()
        }

    return check


def _inside(place: str, name: str) -> str:
    return f"{place}.{safe(name[:60])}" if place else safe(name[:60])


def _wrong(value: Any, place: str, wanted: str) -> Wrong:
    return Wrong(f"{place or 'the whole'} is {short(value)}", f"give {wanted}")


def short(value: Any) -> str:
    """What stands there, in a few characters; long numbers and deep nesting are not spelt out."""
    if type(value) is int and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    if isinstance(value, list | dict):
        return f"a {'list' if isinstance(value, list) else 'table'} of {len(value):,}"
    return reprlib.repr(value)
