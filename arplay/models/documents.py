"""What a user gives a model to read, from Python, the command line or a file, as a document of the model's kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities import forms
from arplay.core.modalities.base import Coder, Document, TokenSet
from arplay.core.modalities.runs import Fixed, normal
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary, alphabet_of, exact_text
from arplay.models import catalogue, htmlfile
from arplay.models.family import resolve
from arplay.models.picturefile import PictureReader
from arplay.models.reader import Reader, TextReader
from arplay.models.recordsfile import records
from arplay.models.store.cards import family_of
from arplay.models.wavefile import SoundReader
from arplay.textfile import check_prompt, read_text, to_utf8

Given: TypeAlias = "str | bytes | os.PathLike[str] | NDArray[np.integer[Any] | np.floating[Any]] | Document"
"""What Python code gives a model to read; see :func:`document`."""


READERS: tuple[Reader, ...] = (
    TextReader(),
    PictureReader(),
    SoundReader(),
)
"""How what is given becomes a document, one a kind."""


def reader_of(tokens: TokenSet | None) -> Reader:
    """The one for models with these tokens; that of texts where there is no model."""
    return READERS[0] if tokens is None else next(one for one in READERS if isinstance(tokens, one.tokens))


_SIGNS = {b"\x89PNG": "picture", b"\xff\xd8\xff": "picture", b"GIF8": "picture", b"RIFF": "sound"}


def is_no_text(path: Path) -> Problem | None:
    """What to tell of a picture or a sound that a model of texts was given, by how the file begins."""
    try:
        with path.open("rb") as file:
            begins = file.read(4)
    except OSError:
        return None
    kind = next((kind for sign, kind in _SIGNS.items() if begins.startswith(sign)), None)
    return (
        Problem(f"{path.name} is a {kind}, and this model reads text", f"choose a model of {kind}s") if kind else None
    )


@dataclass(frozen=True, slots=True)
class Source:
    """A document and where it is from, for provenance. ``remark``: what has to be known of how it was read."""

    name: str
    document: Document
    remark: str = ""


def read(spec: str, prompt: str | None, file: Path | None, encoding: str | None, raw: bool = False) -> Source:
    """The document that a command is given for the model ``spec``, which need not be loaded. Raises Problem.

    ``raw``: a text as it is in the file, with its markup.
    """
    name = "prompt" if file is None else called(file)
    tokens = tokens_of(spec)
    reader = reader_of(tokens)
    if file is None:
        return Source(name, reader.typed(check_prompt(prompt or ""), tokens))
    raw = raw and reader.encoded
    document = as_it_is(file, encoding, tokens) if raw else reader.read(file, encoding, tokens)
    said = "" if raw or str(file) == "-" else reader.said(file, tokens)
    if encoding is None or not reader.encoded:
        return Source(f"{name}, its markup taken off" if said and reader.encoded else name, document, said)
    how = f"read as {encoding}; byte positions are those of the text in UTF-8"
    told = f"read {name} as {encoding}; byte positions are those of the text in UTF-8"
    return Source(f"{name}, {how}", document, "; ".join(part for part in (told, said) if part))


def called(file: Path) -> str:
    """The name of a file in what is told of it; ``-`` is standard input."""
    return "standard input" if str(file) == "-" else exact_text(os.fsencode(file))


def as_it_is(file: Path, encoding: str | None, tokens: TokenSet | None) -> Document:
    """The bytes of a text file and nothing else, in UTF-8 where a page names another encoding. Raises Problem."""
    return reader_of(tokens).typed(read_text(file, encoding or htmlfile.declared(file)), tokens)


def of_records(spec: str, file: Path, field: str, encoding: str | None) -> list[Source]:
    """The text in ``field`` of each record of a file, as a document of its own. Raises Problem."""
    tokens = tokens_of(spec)
    reader = reader_of(tokens)
    if not reader.encoded:
        raise Problem("records of texts are for models that read text", "choose another model, or leave out --field")
    name = called(file)
    found = records(read_text(file, encoding), name)
    texts = found.texts(field)
    without = len(found.rows) - len(texts)
    said = f"{without:,} of {len(found.rows):,} records of {name} have no text in {field}" if without else ""
    return [
        Source(f"{name}:{number}, field {field}", reader.typed(data, tokens), "" if at else said)
        for at, (number, data) in enumerate(texts)
    ]


def document(given: Given, coder: Coder | None) -> Document:
    """What ``given`` is to a model with this coder (None: one of text).

    A ``str`` or UTF-8 ``bytes`` as on the command line, a ``pathlib.Path`` of a file, and what else readers of its kind
    take: for a model of pictures, an array of levels, shape (H, W) (:meth:`Raster.levels`), and a ``str`` that names a
    file. Raises Problem for what is none of these.
    """
    if any(isinstance(given, form.document) for form in forms.FORMS):
        return given  # type: ignore[return-value]
    tokens = None if coder is None else coder.vocabulary
    reader = reader_of(tokens)
    special = reader.given(given, tokens)
    if special is not None:
        return special
    if isinstance(given, os.PathLike):
        return reader.read(Path(given), None, tokens)
    if not isinstance(given, str | bytes):
        cause = f"a {type(given).__name__} is nothing that this model reads"
        raise Problem(cause, f"give a str, bytes or a pathlib.Path{reader.also}")
    return reader.typed(check_prompt(given) if isinstance(given, str) else to_utf8(given, "what is given"), tokens)


def reads_text(coder: Coder) -> bool:
    """Whether a model with these tokens reads text."""
    return isinstance(coder.vocabulary, Vocabulary)


def text_of_ids(ids: Sequence[int], coder: Coder, first: bool = True) -> Document:
    """The text that these ids write, each of which is kept as it is; ``first``: whether a text begins with them."""
    vocabulary = alphabet_of(coder).vocabulary
    data = tuple(vocabulary.token(id, first and at == 0).data for at, id in enumerate(ids))
    return Text(normal((Fixed(vocabulary.name, tuple(ids), data),)))


def is_text(document: Document) -> bool:
    return isinstance(document, Text)


def passage(document: Document, place: int, most: int) -> tuple[Document, int]:
    """A text of at most ``most`` bytes around byte ``place``, and where it begins; all of one that is no longer.

    It begins and ends with whole characters.
    """
    if len(document) <= most:
        return document, 0
    data = document.file
    start = max(0, min(place - most // 2, len(data) - most))
    stop = start + most
    while start and data[start] & 0xC0 == 0x80:
        start -= 1
    while stop < len(data) and data[stop] & 0xC0 == 0x80:
        stop -= 1
    return Text.of(data[start:stop]), start


def tokens_of(spec: str) -> TokenSet | None:
    """The tokens of a model that may read something else than text; None where it does not, or is not here.

    Loading it tells why.
    """
    path = next((known.path for known in catalogue.entries() if known.spec == spec), None) or catalogue.existing(spec)
    try:
        family = None if path is None else family_of(path)
    except (Problem, OSError):
        return None
    tokens: TokenSet | None = resolve(family.tokens)(path) if family is not None and family.tokens else None
    return tokens
