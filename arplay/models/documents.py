"""What a user gives a model to read, from the command line or a file, as a document of the model's kind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from arplay.core.modalities.base import Document
from arplay.core.modalities.image import BLANK, Raster
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import exact_text
from arplay.models import catalogue, handwritten
from arplay.picturefile import read_picture
from arplay.textfile import check_prompt, read_text


@dataclass(frozen=True, slots=True)
class Source:
    """A document and where it is from, for provenance. ``remark``: what has to be known of how it was read."""

    name: str
    document: Document
    remark: str = ""


def read(spec: str, prompt: str | None, file: Path | None, encoding: str | None) -> Source:
    """The document that a command is given for the model ``spec``, which need not be loaded.

    Raises Problem as :func:`arplay.textfile.read_text`, :func:`arplay.textfile.check_prompt` and
    :func:`arplay.picturefile.read_picture` do.
    """
    name = "standard input" if str(file) == "-" else "prompt" if file is None else exact_text(os.fsencode(file))
    raster = raster_of(spec)
    if raster is not None:
        if file is None:
            rows = [row.ljust(raster.width, BLANK) for row in check_prompt(prompt or "").decode().split()]
            missing = [BLANK * raster.width] * (raster.height - len(rows))
            return Source(name, raster.picture(rows + missing))
        return Source(name, read_picture(file, raster))
    if file is None:
        return Source(name, Text.of(check_prompt(prompt or "")))
    text = Text.of(read_text(file, encoding))
    if encoding is None:
        return Source(name, text)
    how = f"read as {encoding}; byte positions are those of the text in UTF-8"
    return Source(f"{name}, {how}", text, f"read {name} as {encoding}; byte positions are those of the text in UTF-8")


def raster_of(spec: str) -> Raster | None:
    """How the model reads pictures; None where it reads text, or is not here (loading it tells why)."""
    path = next((known.path for known in catalogue.entries() if known.name == spec), None) or catalogue.existing(spec)
    if path is None or path.suffix != ".json":
        return None
    coder = handwritten.load(path).alphabet
    return coder if isinstance(coder, Raster) else None
