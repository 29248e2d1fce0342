"""What a user gives a model to read, from Python, the command line or a file, as a document of the model's kind."""

from __future__ import annotations

import os
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.base import Coder, Document
from arplay.core.modalities.image import BLANK, Picture, Raster
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import exact_text
from arplay.models import catalogue, families
from arplay.models.family import resolve
from arplay.models.picturefile import read_picture
from arplay.textfile import check_prompt, read_text, to_utf8

Given: TypeAlias = "str | bytes | os.PathLike[str] | NDArray[np.integer[Any]] | Document"
"""What Python code gives a model to read; see :func:`document`."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document and where it is from, for provenance. ``remark``: what has to be known of how it was read."""

    name: str
    document: Document
    remark: str = ""


def read(spec: str, prompt: str | None, file: Path | None, encoding: str | None) -> Source:
    """The document that a command is given for the model ``spec``, which need not be loaded.

    Raises Problem as :func:`arplay.textfile.read_text`, :func:`arplay.textfile.check_prompt` and
    :func:`arplay.models.picturefile.read_picture` do.
    """
    name = "standard input" if str(file) == "-" else "prompt" if file is None else exact_text(os.fsencode(file))
    raster = raster_of(spec)
    if file is None:
        return Source(name, typed(check_prompt(prompt or ""), raster))
    if raster is not None:
        return Source(name, read_picture(file, raster))
    text = Text.of(read_text(file, encoding))
    if encoding is None:
        return Source(name, text)
    how = f"read as {encoding}; byte positions are those of the text in UTF-8"
    return Source(f"{name}, {how}", text, f"read {name} as {encoding}; byte positions are those of the text in UTF-8")


def document(given: Given, coder: Coder | None) -> Document:
    """What ``given`` is to a model with this coder (None: one of text).

    A text in a ``str`` or in UTF-8 ``bytes``; for a model of pictures, see :func:`typed`, or an array of levels, shape
    (H, W) (:meth:`Raster.levels`). A ``pathlib.Path`` is of a text file, PNG or text of rows; so is, for a model of
    pictures, a ``str`` of other signs than its own. Raises Problem for what is none of these.
    """
    raster = coder if isinstance(coder, Raster) else None
    if isinstance(given, Text | Picture):
        return given
    if raster is not None and isinstance(given, str) and not {*given} <= {*raster.signs, BLANK, *" \r\n\t"}:
        if not _is_file(given):
            cause = f"{reprlib.repr(given)} is neither a file nor rows of the signs {' '.join(raster.signs)}"
            raise Problem(cause, f"check the path, or give {raster.height} rows of {raster.width}")
        given = Path(given)
    if isinstance(given, os.PathLike):
        return Text.of(read_text(Path(given))) if raster is None else read_picture(Path(given), raster)
    if isinstance(given, np.ndarray) and raster is not None:
        return raster.levels(given)
    if not isinstance(given, str | bytes):
        kinds = "a str, bytes or a pathlib.Path" + ("" if raster is None else ", or an array of levels")
        raise Problem(f"a {type(given).__name__} is nothing that this model reads", f"give {kinds}")
    return typed(check_prompt(given) if isinstance(given, str) else to_utf8(given, "what is given"), raster)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # too long a name, a folder that may not be entered
        return False


def typed(data: bytes, raster: Raster | None) -> Document:
    """A text itself; of a picture a line or word a row, ``?`` for a pixel not painted, as in missing rows."""
    if raster is None:
        return Text.of(data)
    rows = [row.ljust(raster.width, BLANK) for row in data.decode().split()]
    return raster.picture(rows + [BLANK * raster.width] * (raster.height - len(rows)))


def raster_of(spec: str) -> Raster | None:
    """How the model reads pictures; None where it reads text, or is not here (loading it tells why)."""
    path = next((known.path for known in catalogue.entries() if known.spec == spec), None) or catalogue.existing(spec)
    family = None if path is None or path.is_dir() else families.of_file(path)
    if family is None or not family.pictures:
        return None
    coder = resolve(family.open)(path, "", "cpu", "auto", lambda *_: None).alphabet
    return coder if isinstance(coder, Raster) else None
