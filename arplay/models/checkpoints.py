"""Copies of what a model keeps that cannot be cut, taken on the way: dense where it was read last, thin far back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DENSE = 4
"""Checkpoints around a place that lies d tokens back are at most d / DENSE tokens apart."""

CHECKPOINT_BYTES = 256 * 1024 * 1024
"""What the checkpoints of one session may hold; where they hold more they lie further apart."""


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """The state after ``length`` tokens, and the logits there, shape (V,); ``bytes`` is both. Never changed."""

    length: int
    states: Any
    logits: Any
    bytes: int


def thin(kept: list[Checkpoint], length: int) -> None:
    """Drop those that are closer together than their distance from ``length`` asks for, or than memory allows.

    >>> kept = [Checkpoint(n, None, None, 1) for n in (50, 60, 70, 80, 90, 98, 99, 100)]
    >>> thin(kept, 100)
    >>> [each.length for each in kept]
    [50, 60, 70, 80, 90, 98, 99, 100]
    >>> thin(kept, 1000)
    >>> [each.length for each in kept]
    [50, 100]
    """
    held = sum(each.bytes for each in kept)
    while len(kept) > 2:
        triples = zip(kept, kept[2:], strict=False)
        gaps = [(late.length - early.length) / (length - late.length + 1) for early, late in triples]
        least = min(range(len(gaps)), key=gaps.__getitem__)
        if gaps[least] > 1 / DENSE and held <= CHECKPOINT_BYTES:
            return
        held -= kept.pop(least + 1).bytes


def latest(kept: list[Checkpoint], length: int) -> Checkpoint | None:
    """The last one of at most ``length`` tokens."""
    return next((each for each in reversed(kept) if each.length <= length), None)
