"""The readers of packages, on tiny packages made here."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from arplay.training import readers, sword

GENESIS = (
    '<title level="1" type="main">Genesis</title><div sID="g1" type="x-p"/><chapter n="1" osisID="Gen.1" sID="Gen.1"/>'
    '<w lemma="strong:H7225">In</w> the beginning,<note placement="foot"><reference>1:1 </reference>Or, first</note>'
    'God made <q who="Jesus">the earth.</q><q who="Jesus">\u201cIt\u2019s dark.\u201d</q><div eID="g1" type="x-p"/> '
    '<lg sID="g2"/> <l level="1" sID="g3"/>Let it<l eID="g3" level="1"/> <l level="2" sID="g4"/>shine '
    '<note>Or, glow</note>. <l eID="g4" level="2"/><l sID="g5" type="selah"/>Selah.<l eID="g5" type="selah"/>'
    '<lg eID="g2"/><chapter eID="Gen.1"/><chapter n="2" osisID="Gen.2" sID="Gen.2"/><div sID="g6" type="x-p"/>The end.'
    '<chapter eID="Gen.2"/><div eID="g6" type="x-p"/>'
)
MIXED = '<chapter n="4" osisID="EsthGr.4" sID="EsthGr.4"/>Mixed verses.<chapter eID="EsthGr.4"/>'
JOHN = '<chapter n="1" osisID="John.1" sID="John.1"/>The Word.<chapter eID="John.1"/>'


def write_testament(module: Path, name: str, books: list[str]) -> None:
    """A module's files with one compressed block for each book."""
    index, data = b"", b""
    for book in books:
        block = zlib.compress(book.encode())
        index += struct.pack("<III", len(data), len(block), len(book.encode()))
        data += block
    (module / f"{name}.bzs").write_bytes(index)
    (module / f"{name}.bzz").write_bytes(data)


def test_the_bible_is_chapters_of_clean_paragraphs(tmp_path: Path) -> None:
    module = tmp_path / "usr/share/sword/modules/texts/ztext/engWEB2015eb"
    module.mkdir(parents=True)
    write_testament(module, "ot", [GENESIS, MIXED])
    write_testament(module, "nt", [JOHN])
    assert [name for name, _ in sword.chapters(module)] == ["Gen.1", "Gen.2", "EsthGr.4", "John.1"]
    assert list(readers.bible(tmp_path)) == [
        ("Gen.1", 'In the beginning, God made the earth. "It\'s dark."\n\nLet it shine.'),
        ("Gen.2", "The end."),
        ("John.1", "The Word."),
    ]


@pytest.mark.parametrize(("repeated", "names"), [(True, ["lee_background 1"]), (False, ["lee_background 1", "lee 1"])])
def test_news_is_one_article_a_line_and_each_once(tmp_path: Path, repeated: bool, names: list[str]) -> None:
    folder = tmp_path / "gensim/test/test_data"
    folder.mkdir(parents=True)
    (folder / "lee_background.cor").write_bytes(b"It cost \xa35, <i>The Age</i>  says.\n")
    (folder / "lee.cor").write_bytes(b"It cost \xa35, The Age says." if repeated else b"It rains.")
    found = list(readers.news(tmp_path))
    assert [name for name, _ in found] == names
    assert found[0][1] == "It cost \u00a35, The Age says."
