"""The one exception that users see: what happened and what to do about it."""

from __future__ import annotations

from arplay.core.signs import safe


class Problem(Exception):  # noqa: N818 - it is a message to a person, not a programming error
    """A failure a user can understand: a cause and a remedy, each one short clause.

    Everything that may go wrong with files, models and settings is raised as a Problem; the command
    line prints ``arplay: cause; remedy`` and the window shows both parts.

    >>> str(Problem("notes.txt is not UTF-8", "open it with --encoding latin-1"))
    'notes.txt is not UTF-8; open it with --encoding latin-1'

    Both may quote a file or a model: as one text, which Python itself shows in a terminal, they have nothing that
    steers it.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return safe(f"{self.cause}; {self.remedy}", keep="\n")


def in_one_line(error: BaseException) -> str:
    """An exception in one line: its type and the first line of what it says.

    >>> in_one_line(ValueError("no such file\\nat line 7"))
    'ValueError: no such file'
    """
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
