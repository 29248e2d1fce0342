"""From an unpacked package to documents of plain English: one reader for each source.

A reader takes the package's folder and yields ``(name, text)`` in a fixed order. The text is what a person
would read: no markup, tags or tables, one blank line between paragraphs, straight quotation marks.
"""

from __future__ import annotations

import bz2
import contextlib
import html
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from arplay.training import sword

Reader = Callable[[Path], Iterator[tuple[str, str]]]


def brown(folder: Path) -> Iterator[tuple[str, str]]:
    """The 500 samples of the Brown corpus ("The/at jury/nn ..."), joined back into prose."""
    for path in sorted((folder / "package").glob("c[a-r][0-9][0-9]")):
        paragraphs = re.split(r"\n\s*\n", path.read_text(encoding="ascii"))
        text = "\n\n".join(filter(None, map(brown_paragraph, paragraphs)))
        yield path.name, text


def brown_paragraph(tagged: str) -> str:
    """One paragraph without its tags and with ordinary spacing.

    >>> brown_paragraph("``/`` No/rb ''/'' ,/, he/pps said/vbd ./.")
    '"No", he said.'
    """
    text = " ".join(word.rsplit("/", 1)[0] for word in tagged.split())
    text = re.sub(r"([;?!:]) \1", r"\1", text)  # the corpus writes these twice
    text = re.sub(r"`` ?", '"', text)
    text = re.sub(r" ?''", '"', text)
    text = re.sub(r" ([,.;:?!)\]}])", r"\1", text)
    return re.sub(r"([(\[{]) ", r"\1", text)


def austen(folder: Path) -> Iterator[tuple[str, str]]:
    """The chapters of six novels by Jane Austen, out of the R package's data file."""
    data = (folder / "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb").read_bytes()
    while data:
        unpacker = zlib.decompressobj()  # each variable: its length in four bytes, then a zlib stream
        lines = r_strings(unpacker.decompress(data[4:]))
        data = unpacker.unused_data
        title = lines[0].title()
        chapters = re.split(r"(?im)^chapter [ivxl\d]+\.?$", "\n".join(lines))[1:]
        for number, chapter in enumerate(chapters, start=1):
            chapter = re.sub(r"(?m)^(VOLUME [IVX]+|FINIS|Finis|THE END)$", "", chapter)
            paragraphs = (" ".join(p.replace("_", "").split()) for p in re.split(r"\n\s*\n", chapter))
            yield f"{title}, chapter {number}", "\n\n".join(filter(None, paragraphs))


def r_strings(serialised: bytes) -> list[str]:
    """The character vector in an R object saved in R's XDR format (each string: flags, length, bytes)."""
    strings = []
    at = serialised.index(b"\x00\x04\x00\x09")
    while at < len(serialised):
        length = int.from_bytes(serialised[at + 4 : at + 8], "big")
        strings.append(serialised[at + 8 : at + 8 + length].decode("utf-8"))
        at += 8 + length
    return strings


def speeches(folder: Path) -> Iterator[tuple[str, str]]:
    """State of the Union addresses from 1930 on."""
    for path in sorted((folder / "package/data").glob("*.txt")):
        if int(path.name[:4]) >= 1930:
            text = re.sub(r"\[[^\]]*\]", "", path.read_text(encoding="utf-8"))  # [p.2], [Laughter]
            yield path.stem, plain(text)


def bible(folder: Path) -> Iterator[tuple[str, str]]:
    """The chapters of the World English Bible.

    The Greek Esther and Daniel are left out: the package mixes the verses of the one, the other repeats Daniel.
    """
    for name, markup in sword.chapters(folder / "usr/share/sword/modules/texts/ztext/engWEB2015eb"):
        if not name.startswith(("EsthGr.", "DanGr.")):
            yield name, "\n\n".join(map(plain, sword.paragraphs(markup)))


def news(folder: Path) -> Iterator[tuple[str, str]]:
    """The Lee corpus: news articles of 2001 and 2002, one on a line; repeated ones only once."""
    seen: set[str] = set()
    for part in ("lee_background", "lee"):
        lines = (folder / f"gensim/test/test_data/{part}.cor").read_text(encoding="cp1252").splitlines()
        for number, line in enumerate(lines, start=1):
            text = plain(re.sub(r"</?\w+>", "", line))
            if text not in seen:
                seen.add(text)
                yield f"{part} {number}", text


def wordnet(folder: Path) -> Iterator[tuple[str, str]]:
    """WordNet's entries that have an example sentence, forty neighbouring ones to a document."""
    for part in ("noun", "verb", "adj", "adv"):
        lines = (folder / f"usr/share/wordnet/data.{part}").read_text(encoding="latin-1").splitlines()
        entries = (wordnet_entry(line) for line in lines if not line.startswith("  ") and '"' in line)
        whole = [entry for entry in entries if entry]
        for first in range(0, len(whole), 40):
            yield f"{part} {first}", "\n".join(whole[first : first + 40])


def wordnet_entry(line: str) -> str:
    """Word, definition and examples of one line of WordNet's data files; "" when its quotes do not pair up.

    >>> wordnet_entry('1 03 n 01 life 0 000 | living things collectively; "the oceans teem with life"  ')
    'Life: living things collectively. "The oceans teem with life."'
    """
    head, gloss = line.split(" | ", 1)
    word = re.sub(r"\(.*\)$", "", head.split()[4]).replace("_", " ")
    definition, *examples = gloss.strip().split('"')
    if len(examples) % 2 or not definition.strip(" ;"):
        return ""
    sentences = [re.sub(r"[;,.]$", "", example.strip()) for example in examples[::2]]
    quoted = " ".join(f'"{capital(s)}{"" if s[-1] in "?!" else "."}"' for s in sentences if s)
    return f"{capital(word)}: {definition.strip(' ;')}. {quoted}"


def cataclysm(folder: Path) -> Iterator[tuple[str, str]]:
    """Descriptions, notes and dialogue of a survival game: every string of its JSON that is a sentence."""
    seen: set[str] = set()
    root = folder / "usr/share/games/cataclysm-dda"
    paths = sorted([*root.glob("json/**/*.json"), *root.glob("mods/**/*.json")])
    for path in paths:
        if "TEST_DATA" in path.parts:
            continue
        found = []
        for text in strings(json.loads(path.read_text(encoding="utf-8"))):
            text = plain(re.sub(r"</?(color|good|bad|info|neutral|bold|reset)[^>]*>", "", text))
            prose = len(text) >= 40 and text[-1] in '.!?"' and not re.search(r"[<>{}|#_\\%]|  ", text)
            if prose and text.isascii() and text not in seen:
                seen.add(text)
                found.append(text)
        if found:
            yield path.relative_to(root).as_posix(), "\n\n".join(found)


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def encyclopaedia(folder: Path) -> Iterator[tuple[str, str]]:
    """The articles of a small excerpt of the English Wikipedia."""
    (path,) = (folder / "gensim/test/test_data").glob("enwiki-latest-pages-articles1*-shortened.bz2")
    pages = io.BytesIO(bz2.decompress(path.read_bytes()))
    with contextlib.suppress(ElementTree.ParseError):  # the excerpt ends in the middle of its XML
        for _, element in ElementTree.iterparse(pages):
            if element.tag.endswith("}page"):
                title = element.findtext("{*}title", "")
                markup = element.findtext("{*}revision/{*}text", "")
                if element.findtext("{*}ns") == "0" and not markup.startswith("#"):
                    yield title, wiki_text(markup)


def wiki_text(markup: str) -> str:
    """The running text of a page in wiki markup: no templates, tables, references, files, lists or headings.

    Lines shorter than 80 characters are captions and the like, and are left out.

    >>> wiki_text("'''Ice''' is [[water|frozen water]] at the [[pole]]s.{{cite}}<ref>x</ref> It is less dense than "
    ...           "water, and so it floats.")
    'Ice is frozen water at the poles. It is less dense than water, and so it floats.'
    """
    text = re.sub(r"(?s)<!--.*?-->|<ref[^>/]*/>|<(ref|math|gallery|timeline|code)\b.*?</\1>", "", markup)
    for innermost in (
        r"\{\{[^{}]*\}\}",
        r"(?s)\{\|.*?\|\}",
        r"\[\[(?:File|Image|Category):(?:[^\[\]]|\[\[[^\[\]]*\]\])*\]\]",
    ):
        count = 1
        while count:
            text, count = re.subn(innermost, "", text)
    text = re.sub(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]", r"\1", text)
    text = re.sub(r"\[\w+://\S+ ?([^\]]*)\]", r"\1", text)
    text = html.unescape(re.sub(r"<[^>]*>|'{2,}", "", text))
    paragraphs = [plain(line) for line in text.splitlines() if len(line) >= 80 and line[0] not in "*#:;|=!{}[<"]
    return "\n\n".join(re.sub(r" ?\(\W*\)", "", paragraph) for paragraph in paragraphs)


def stories(folder: Path) -> Iterator[tuple[str, str]]:
    """What a model wrote (training/written.py), each up to its last whole sentence; none that goes round in circles."""
    for path in sorted(folder.glob("*.json")):
        for number, written in enumerate(json.loads(path.read_text(encoding="utf-8")), start=1):
            paragraphs = [plain(line) for line in written.splitlines() if line.strip()]
            text = re.sub(r"""(?s)(.*[.!?]["']?).*""", r"\1", "\n\n".join(paragraphs))
            sentences = re.split(r"(?<=[.!?])\s+", text)
            if text.isascii() and len(text) >= 200 and len(set(sentences)) >= 0.9 * len(sentences):
                yield f"{path.stem} {number}", text


def plain(text: str) -> str:
    """Single spaces and straight quotation marks."""
    table = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u00a0": " "})
    return " ".join(text.translate(table).replace("\u2014", " -- ").split())


def capital(text: str) -> str:
    """The text with its first letter as a capital.

    >>> capital("the Nile")
    'The Nile'
    """
    return text[:1].upper() + text[1:]


READERS: dict[str, Reader] = {
    reader.__name__: reader
    for reader in (brown, austen, speeches, bible, wordnet, cataclysm, encyclopaedia, stories, news)
}
