"""How what a user gives becomes a document of one kind: typed on the command line, in a file, or a value of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.models import htmlfile
from arplay.textfile import read_text


class Reader(Protocol):
    """For models whose token set is of type ``tokens``. ``encoded``: files are in an encoding that may be chosen.

    ``also``: what :meth:`given` takes, behind "give a str, bytes or a pathlib.Path". ``writes``: suffixes of the files
    that :meth:`write` writes; all others hold the text of the document.
    """

    tokens: type
    encoded: bool
    also: str
    writes: tuple[str, ...]

    def typed(self, data: bytes, tokens: Any) -> Document:
        """Of UTF-8 that was typed. Raises Problem."""
        ...

    def read(self, path: Path, encoding: str | None, tokens: Any) -> Document:
        """Of a file; ``-`` is standard input. Raises Problem."""
        ...

    def said(self, path: Path, tokens: Any) -> str:
        """What reading a file changes of it, besides its encoding, in words; "" where nothing. Raises Problem."""
        ...

    def write(self, path: Path, text: str, tokens: Any) -> None:
        """Write a document, as its text tells it, to a file of one of the suffixes. Raises Problem."""
        ...

    def usual(self, tokens: Any) -> int | None:
        """How many tokens are sampled where nobody says; None: as the command has it."""
        ...

    def given(self, value: Any, tokens: Any) -> Document | None:
        """Of a value that means more here than it does for all kinds; None where it does not. Raises Problem."""
        ...


class TextReader:
    tokens: type = Vocabulary
    encoded: bool = True
    also: str = ""
    writes: tuple[str, ...] = ()

    def typed(self, data: bytes, tokens: Any) -> Text:
        return Text.of(data)

    def read(self, path: Path, encoding: str | None, tokens: Any) -> Text:
        data = read_text(path, encoding or htmlfile.declared(path))
        page = htmlfile.is_page(path) and len(data) <= htmlfile.MOST_BYTES
        return Text.of(htmlfile.stripped(data, htmlfile.is_xml(path)).data if page else data)

    def said(self, path: Path, tokens: Any) -> str:
        if not htmlfile.is_page(path):
            return ""
        try:
            if path.stat().st_size > htmlfile.MOST_BYTES:
                return f"{path.name} is a page of more than 50 MB: its markup stays"
            return f"{path.name} is a page: {htmlfile.stripped(_in_utf8(path), htmlfile.is_xml(path)).said}"
        except OSError as error:
            raise Problem(f"{path} cannot be read ({error.strerror or error})", "check its rights") from error

    def write(self, path: Path, text: str, tokens: Any) -> None:
        raise ValueError(f"{path.suffix} is none of its files")

    def usual(self, tokens: Any) -> None:
        return None

    def given(self, value: Any, tokens: Any) -> None:
        return None


def _in_utf8(page: Path) -> bytes:
    """A page as it says that it is written; its own bytes where that is not so, or another encoding is given."""
    try:
        return read_text(page, htmlfile.declared(page))
    except Problem:
        return page.read_bytes()
