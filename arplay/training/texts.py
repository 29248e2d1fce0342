"""A user's own text files, cut into documents that are read from their beginning; some are held out.

A document ends at a paragraph once it has 8 kB, and at every separator that the file itself writes. The documents of
a file, joined, are the text of the file.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.models.family import Found, Material
from arplay.textfile import MAX_BYTES, read_text
from arplay.training.corpus import Document

DOCUMENT = 8000
"""Characters after which a document ends with its paragraph."""
HOLD_EVERY = 20
LEAST = 1000
"""Bytes of text below which nothing can be learnt."""


_LOOKED_AT = 64 * 1024


def look(path: Path) -> Found:
    """The size of a file, and whether its beginning is UTF-8 (the run itself reads and checks all of it)."""
    try:
        count = path.stat().st_size
        if path.is_dir():
            return Found(path, 0, "is a folder: add the text files in it")
        if not path.is_file():  # a pipe would be waited for
            return Found(path, 0, "is no file")
        with path.open("rb") as file:
            beginning = file.read(_LOOKED_AT)
    except OSError as error:
        return Found(path, 0, f"cannot be read ({error.strerror or error})")
    if not beginning:
        return Found(path, 0, "is empty")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=count <= _LOOKED_AT)
    except UnicodeDecodeError:
        return Found(path, count, "is not UTF-8 text")
    return Found(path, count, "is no text" if b"\0" in beginning else "")


TEXTS = Material(
    noun="text",
    add="Add files…",
    tip="Texts in UTF-8; you can also drop them here",
    empty="Drop text files here, or add them above.\n"
    "A few hundred kilobytes will do; some megabytes make a better model.",
    look=look,
    words=size,
    least=LEAST,
    few="{:,} bytes are too little text: add more.",
    files="Texts (*.txt *.md);;All files (*)",
    small="So little text is soon learnt by heart: held-out loss will rise again.",
    typed=True,
)


@dataclass(frozen=True)
class Texts:
    """What is trained on and what is only scored; ``repeat``: how often training reads a source (1 where not said).

    ``sha256``: of each file, or of the recipe.
    """

    training: tuple[Document, ...]
    held_out: tuple[Document, ...]
    repeat: dict[str, int]
    sha256: tuple[str, ...]

    @property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(document.source for document in (*self.training, *self.held_out)))


def read_files(paths: Sequence[Path], separator: str) -> Texts:
    """Read UTF-8 files and hold out every 20th document, at least one; of a single document its last tenth.

    Raises Problem for a file that cannot be read or is not UTF-8, for less than 1,000 bytes and more than 256 MiB.
    """
    documents: dict[str, Document] = {}
    digests = []
    size = 0
    for path in paths:
        data = _read(path)
        digests.append(hashlib.sha256(data).hexdigest())
        size += len(data)
        if size > MAX_BYTES:
            raise Problem(f"the texts are larger than {MAX_BYTES >> 20} MiB", "take fewer, or a part of them")
        text = data.decode("utf-8").removeprefix("\ufeff")
        for part in filter(str.strip, text.split(separator)):
            for cut in cut_documents(part):
                documents.setdefault(cut, Document(path.name, f"{len(documents) + 1}", cut))  # repeated: only once
    if size < LEAST or not documents:
        what = "is no text" if not documents else f"are only {size:,} bytes"
        raise Problem(f"there {what} to train on", f"give at least {LEAST:,} bytes, better a million")
    training, held_out = hold_out(list(documents.values()))
    return Texts(tuple(training), tuple(held_out), {}, tuple(digests))


def cut_documents(text: str) -> Iterator[str]:
    """Cut at paragraphs (else lines, else words) into parts of about 8,000 characters; joined they are the text."""
    start = 0
    while len(text) - start > DOCUMENT * 5 // 4:
        low, high = start + DOCUMENT * 3 // 4, start + DOCUMENT * 5 // 4
        ends = (text.rfind(mark, low, high) + len(mark) for mark in ("\n\n", "\r\n\r\n", "\n", " "))
        end = next((end for end in ends if end > low), high)
        yield text[start:end]
        start = end
    yield text[start:]


def hold_out(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """(training, held-out) of documents that are all different."""
    if len(documents) == 1:
        (only,) = documents
        most = len(only.text) * 9 // 10
        at = only.text.rfind(" ", most * 3 // 4, most) + 1 or most
        return [Document(only.source, "1", only.text[:at])], [Document(only.source, "2", only.text[at:])]
    every = min(HOLD_EVERY, len(documents))
    held = set(range(every - 1, len(documents), every))
    return (
        [document for i, document in enumerate(documents) if i not in held],
        [document for i, document in enumerate(documents) if i in held],
    )


def _read(path: Path) -> bytes:
    try:
        return read_text(path)
    except Problem as problem:
        if "UTF-8" in problem.cause:
            raise Problem(problem.cause, "save it as UTF-8 first") from problem
        raise
