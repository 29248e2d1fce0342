"""Chapters out of a SWORD zText module with OSIS markup, the format of Debian's ``sword-text-*`` packages.

A testament is two files: ``.bzz`` holds zlib streams, ``.bzs`` says where each lies (three little-endian
32-bit numbers: offset, compressed length, length). The third file, ``.bzv``, places single verses; it is not
read, since the markup itself names the chapters.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

CHAPTER = re.compile(r'(?s)<chapter n="[^"]*" osisID="([^"]*)"[^>]*/>(.*?)<chapter eID="\1"/>')
NOT_TEXT = re.compile(r"(?s)<(note|title|speaker)\b.*?</\1>|<l [^>]*sID=[^>]*selah[^>]*/>.*?<l eID[^>]*/>")
PARAGRAPH = re.compile(r'<(div|lb) [^>]*"x-p"[^>]*/>|<lg [^>]*/>|</?list>')
LINE = re.compile(r"<l [^>]*/>|</?item\b[^>]*>|</q>")  # spoken verses follow each other without a space
TAG = re.compile(r"<[^>]*>")


def chapters(module: Path) -> Iterator[tuple[str, str]]:
    """(name, OSIS markup) of every chapter of both testaments, in the module's order; names like "Gen.1"."""
    for testament in ("ot", "nt"):
        index, data = (module / f"{testament}.bzs").read_bytes(), (module / f"{testament}.bzz").read_bytes()
        for offset, compressed, _ in struct.iter_unpack("<III", index):
            book = zlib.decompress(data[offset : offset + compressed]).decode("utf-8")
            for chapter in CHAPTER.finditer(book):
                yield chapter[1], chapter[2]


def paragraphs(markup: str) -> list[str]:
    """The paragraphs of a chapter: no notes, headings or verse numbers; the lines of a stanza are joined.

    >>> paragraphs('<w>Light</w>,<note>Or, day</note>and <l level="1"/>dark.<div eID="1" type="x-p"/> <w>Good</w>.')
    ['Light, and dark.', 'Good.']
    """
    text = PARAGRAPH.sub("\n\n", LINE.sub(" ", NOT_TEXT.sub(" ", markup)))
    parts = (" ".join(part.split()) for part in TAG.sub("", text).split("\n\n"))
    text = re.sub(r" ([,.;:?!”’)])", r"\1", "\n\n".join(filter(None, parts)))
    return re.sub(r"([,;])\n\n(?=[a-z])", r"\1 ", text).split("\n\n")  # a list that the markup took apart
