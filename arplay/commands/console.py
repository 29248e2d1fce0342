"""What the commands say: results on standard output or into a file, everything else on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from arplay.commands.streams import change_line
from arplay.core.format import part_percent, rough
from arplay.core.signs import safe
from arplay.export.writers import write_pieces

LONG_SECONDS = 2.0


def deliver(result: str | Iterable[str], out: Path | None) -> None:
    """Write a whole result, or its pieces, to ``out`` or to standard output."""
    pieces = [result] if isinstance(result, str) else result
    if out is None:
        sys.stdout.writelines(pieces)
    else:
        write_pieces(out, pieces)


def note(message: str) -> None:
    """Something that a user should know beside the result."""
    print("arplay:", safe(message), file=sys.stderr)


class ProgressLine:
    """One line on a terminal that says what is being done, removed at the end; nothing where no terminal is.

    What takes longer than ``LONG_SECONDS`` has the time that is left, as fast as it has been so far.
    """

    def __init__(self) -> None:
        self._last = 0.0
        self._on = sys.stderr.isatty()
        self._what, self._began, self._first = "", 0.0, 0.0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *unused: object) -> None:
        if self._on and self._last:
            change_line(sys.stderr, "")

    def __call__(self, fraction: float | None, what: str) -> None:
        """Show progress, ten times a second at most. ``fraction`` is 0..1 or None where nobody knows."""
        now = time.monotonic()
        if what != self._what or (fraction or 0.0) < self._first:
            self._what, self._began, self._first = what, now, fraction or 0.0
        if self._on and now - self._last >= 0.1:
            share = "" if fraction is None else f" {part_percent(fraction)}"
            done = (fraction or 0.0) - self._first
            left = (1.0 - (fraction or 0.0)) * (now - self._began) / done if done > 0 else 0.0
            share += f", {rough(left)} left" if now - self._began >= LONG_SECONDS and left >= 1 else ""
            change_line(sys.stderr, f"{what}{share}")
            self._last = now
