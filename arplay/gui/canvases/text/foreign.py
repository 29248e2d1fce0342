"""What Qt changed in a text by itself (assistive tools, a drag to another program), read off its image of the text."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.gui.canvases.text.shown import ShownText, image


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes [start, end) gave way to ``data``. ``exact``: what Qt shows now is the image of that."""

    start: int
    end: int
    data: bytes
    exact: bool


def read_off(shown: ShownText, at: int, end: int, new: str) -> Change | None:
    """The smallest change that leads from the units [at, end) to ``new``; None where nothing is different."""
    old = shown.image(shown.byte(at), shown.byte(end))
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    start, stop = shown.byte(at + _width(old[:head])), shown.byte(end - _width(old[len(old) - tail :]))
    text = new[head : len(new) - tail]
    data = text.encode("utf-8", "replace")
    return None if start == stop and not data else Change(start, stop, data, image(data) == text)


def _alike(a: str, b: str) -> int:
    """How many characters both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _width(text: str) -> int:
    """In UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)
