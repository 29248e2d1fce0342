"""Standard output and standard error while a command runs: people read both, and nothing raw reaches a terminal.

Much of what is said there comes from a model, a file or the network. Whoever says it (a command, argparse, a library
that warns, a traceback), escape sequences, controls and bidirectional overrides are written as signs. Exact text is
in ``--out`` and ``--json``, and in a pipe where :func:`speak` writes it. Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

from arplay.core.signs import JOINERS, safe

_KEPT = "\n\t" + JOINERS


class Shown:
    """A stream on which what cannot be seen is a sign; all but writing is done by the stream ``below``.

    BrokenPipeError means on every system that nobody reads any more.
    """

    def __init__(self, below: TextIO) -> None:
        self.below = below

    def write(self, text: str) -> int:
        self.exactly(safe(text, keep=_KEPT))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def exactly(self, text: str) -> None:
        """The text as it is."""
        with _broken():
            self.below.write(text)

    def flush(self) -> None:
        with _broken():
            self.below.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Let both streams be :class:`Shown`, in UTF-8 and with plain line ends, for as long as a command runs.

    Windows has other ones by default, and none at all for a program that was started without a console.
    """
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - it is no path
        out, err = (cast("TextIO", Shown(_plain(stream or nowhere))) for stream in (sys.stdout, sys.stderr))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield


def _plain(stream: TextIO) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors=stream.errors, newline="\n")
    return stream


@contextlib.contextmanager
def _broken() -> Iterator[None]:
    """Windows calls the end of a pipe's reader an invalid argument."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error


def speak(text: str) -> None:
    """A model's own text on standard output: exact in a pipe or a file, with signs on a terminal."""
    stream = sys.stdout
    if isinstance(stream, Shown) and not stream.isatty():
        stream.exactly(text)
    else:
        stream.write(text)
    stream.flush()


def change_line(stream: TextIO, text: str) -> None:
    """Put ``text`` in place of the last line of a terminal: blanks erase it, since not all know escape sequences."""
    below = stream.below if isinstance(stream, Shown) else stream
    below.write(f"\r{' ' * (shutil.get_terminal_size().columns - 1)}\r{safe(text)}")
    below.flush()


def forget_stdout() -> None:
    """Nobody reads any more: what is still buffered must not raise again when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
