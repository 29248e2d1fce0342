"""The table of a shipped model's card: the bits that it needs for what is held out, beside other ways to write that.

A model needs -log2 p bits, and an arithmetic coder would write that many (Shannon 1948).
"""

from __future__ import annotations

import argparse
import lzma
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from arplay.core.errors import Problem

T = TypeVar("T")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def xz(data: bytes) -> float:
    """Bits of an .xz file at the most effort."""
    return 8.0 * len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))


def markdown(head: str, columns: Mapping[str, Callable[[T], float]], rows: Iterator[tuple[str, T, int]]) -> str:
    """The bits of each column per unit. ``head``: titles of what each row begins with; a row has its units behind it.

    >>> print(markdown("a | b", {"zero": lambda _: 0.0}, iter([("x | 1", "", 4)])), end="")
    | a | b | zero |
    | --- | ---: | ---: |
    | x | 1 | 0.000 |
    """
    lines = [f"| {head} | {' | '.join(columns)} |", f"| --- | ---: |{' ---: |' * len(columns)}"]
    for first, found, units in rows:
        bits = (f"{column(found) / units:.3f}" for column in columns.values())
        lines.append(f"| {first} | {' | '.join(bits)} |")
    return "\n".join(lines) + "\n"


def main(about: str, table: Callable[[Path, Path | None], str]) -> int:
    """Print the ``table`` of a recipe and of a model's folder, None: the shipped one."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--model", type=Path, help="its folder (default: the shipped one of the recipe's name)")
    args = parser.parse_args()
    try:
        print(table(args.recipe, args.model), end="")
    except Problem as problem:
        say(str(problem))
        return 1
    return 0
