"""Standard output and standard error while a command runs: people read both, and nothing raw reaches a terminal.

Much of what is said there comes from a model, a file or the network. Whoever says it (a command, argparse, a library
that warns, a traceback), escape sequences, controls and bidirectional overrides are written as signs. Exact text is
in ``--out`` and ``--json``, and in a pipe where :func:`speak` writes it. Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

from arplay.core.signs import JOINERS, safe

_KEPT = "\n\t" + JOINERS
_CLEAR = "\r\x1b[K"


class Shown:
    """A stream on which what cannot be seen is a sign; all but writing is done by the stream ``below``."""

    def __init__(self, below: TextIO) -> None:
        self.below = below

    def write(self, text: str) -> int:
        self.below.write(safe(text, keep=_KEPT))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Let both streams be :class:`Shown`, in UTF-8, for as long as a command runs."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(encoding="utf-8")
    out, err = cast("TextIO", Shown(sys.stdout)), cast("TextIO", Shown(sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield


def speak(text: str) -> None:
    """A model's own text on standard output: exact in a pipe or a file, with signs on a terminal."""
    stream = sys.stdout if sys.stdout.isatty() else _below(sys.stdout)
    stream.write(text)
    stream.flush()


def change_line(stream: TextIO, text: str) -> None:
    """Put ``text`` in place of the last line of a terminal: the one escape sequence that is ours."""
    below = _below(stream)
    below.write(_CLEAR + safe(text))
    below.flush()


def forget_stdout() -> None:
    """Nobody reads any more: what is still buffered must not raise again when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _below(stream: TextIO) -> TextIO:
    return stream.below if isinstance(stream, Shown) else stream
