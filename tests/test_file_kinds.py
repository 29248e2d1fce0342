"""Pages lose their markup and records give their texts, whatever stands in them; what was dropped is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QDir
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

import arplay
from arplay.cli import main
from arplay.gui import files
from arplay.models import documents
from arplay.models.htmlfile import is_xml, stripped
from arplay.models.recordsfile import records
from tests.windows_open import PATIENCE, Open, notice, opened, settle

__all__ = ["opened"]

PAGE = """<!doctype html><html><head><title>No</title><meta charset=utf-8><style>p { x: "<p>" }</style></head>
<body class="a>b"><!-- <p>no</p> --><h1>A dark&nbsp;night</h1><p>It <b>was</b>
  a&#233; &lt;b&gt; 1 < 2<br>line<script>if (a < b) "</p>"</script></p><ul><li>one<li>two</ul>
<pre>  kept
 as is</pre></body></html>"""


def text_of(page: str) -> str:
    return stripped(page.encode()).data.decode()


def test_a_page_by_hand() -> None:
    assert text_of(PAGE) == "A dark\u00a0night\n\nIt was aé <b> 1 < 2\nline\n\none\ntwo\n\n  kept\n as is\n"
    assert text_of("") == "" and text_of("no markup") == "no markup\n"
    assert text_of("a <!-- b") == "a\n" and text_of("<script>x") == "" and text_of("a<b") == "a<b\n"
    assert text_of("<SCRIPT>x</scripty></SCRIPT >y") == "y\n" and text_of("x<td>y</td><td>z") == "x y z\n"
    assert stripped("<p>é</p>".encode("latin-1")).data == b"\xe9\n", "other encodings keep their bytes"


@given(st.text("<>/!-&\"' \nabp;#x", max_size=80))
def test_any_page_is_read(page: str) -> None:
    found = stripped(page.encode())
    assert found.of == len(page.encode()) and (not found.data or found.data.endswith(b"\n"))


@given(st.text(st.characters(exclude_characters="<&\r", exclude_categories=["C", "Z"]), min_size=1))
def test_text_without_markup_stays(text: str) -> None:
    assert text_of(f"<p>{text}</p>") == f"{text}\n"


@pytest.mark.parametrize(
    "part",
    [
        "<a",
        "<!--",
        "<script>",
        "<a b='",
        "<",
        "</script ",
        "&amp",
        "<p>",
        "<svg",
        "<?",
        "<p hidden>",
        "<b style='display:",
    ],
)
def test_no_page_takes_long(part: str) -> None:
    stripped(part.encode() * 50_000)  # the suite's own guard ends what takes n²


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a</ b>c</>d", "acd"),
        ('<img alt=5" src=x>seen <b title="a > b">too</b>', "seen too"),
        ('<p title="it\'s">one<p>two', "one\n\ntwo"),
        ("<div><p>one <span>two<script>never", "one two"),
        ("half <a href=x", "half <a href=x"),
        ("<p>a</p><p hidden>b<b>c</b></p><p>d", "a\n\nd"),
        ("<p>a<p hidden>b<p>c", "a\n\nc"),
        ("<div hidden=until-found>x<div>y</div>z</div>w", "w"),
        ("<ul><li>a<li hidden>b<ul><li>q</ul>r<li>c</ul>d", "a\nc\n\nd"),
        ("<table><tr><td>1<td hidden>2<td>3<tr hidden><td>4<tr><td>5</table>z", "1 3\n5\n\nz"),
        ("a<span style='color:red; display : none'>b</span><i style=color:red>c", "ac"),
        ("a<input type=hidden hidden>b<img alt='x hidden'><a rel=hidden data-hidden title=' hidden '>c", "abc"),
        ("<dialog>no</dialog>yes<dialog open>o</dialog>", "yes\no"),
        ("<span hidden>x<script>'</span>'</script>y</span>z", "z"),
        ("a<template><p>b</template><noscript>c</noscript>d", "ad"),
        ("a <![CDATA[ b > c ]]>", "a c ]]>"),
        ("<p>a<ul><li>b<ul><li>c</ul><li>d</ul></ul>e<ol><li>f</ol>", "a\n\nb\nc\nd\n\ne\n\nf"),
    ],
)
def test_a_page_that_is_written_badly(page: str, text: str) -> None:
    """As browsers read it, but that what never ends stays in sight."""
    assert stripped(page.encode()).data.decode() == text + "\n"


def test_cdata_are_text_in_xml_only() -> None:
    page = b"<p>a <![CDATA[<b> &amp; c > d]]> e</p>"
    assert stripped(page, is_xml=True).data == b"a <b> &amp; c > d e\n"
    assert is_xml(Path("a.XHTML")) and not is_xml(Path("a.html"))


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1251", "shift_jis", "utf-16", "utf-8", "klingon"])
def test_a_page_is_read_as_it_says(encoding: str, tmp_path: Path) -> None:
    word = {"windows-1251": "Привет", "shift_jis": "夜は暗い"}.get(encoding, "café")
    page, written = tmp_path / "page.html", "utf-8" if encoding == "klingon" else encoding
    page.write_text(f'<meta content="x" charset="{encoding}"><p>{word}', encoding=written)
    reader = documents.reader_of(None)
    assert reader.read(page, None, None).file.decode() == f"{word}\n"  # type: ignore[attr-defined]
    assert word in documents.as_it_is(page, None, None).file.decode()  # type: ignore[attr-defined]
    assert f": {len(word.encode()) + 1} of " in reader.said(page, None), "bytes of the text in UTF-8"


def test_records_by_hand() -> None:
    lines = b'\xef\xbb\xbf{"id": 1, "a": {"b": "x"}}\n\n{"text": "y", "a": {"b": "z"}}\n{"n": []}\n'
    found = records(lines, "r.jsonl")
    assert [(field.name, field.count, field.example) for field in found.fields] == [("a.b", 2, "x"), ("text", 1, "y")]
    assert found.texts("a.b") == ((1, b"x"), (3, b"z")) and found.texts("text") == ((3, b"y"),)
    assert records(b'["x", {"text": "y"}]', "r.json").texts("text") == ((1, b"x"), (2, b"y"))
    with pytest.raises(arplay.Problem, match="no record has a text in 'no'"):
        found.texts("no")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b'{"a": 1}\n{"a"', "r.jsonl", "line 2 .*; 1 of its 2 lines are records"),
        (b'"a"\n[1]\n\n{"a": 1}\n{"a": 1\n{}', "r.jsonl", "line 2 is no object; 3 of its 5 lines are records"),
        (b"[1]", "r.json", "record 1 is no object"),
        (b'{"a": 1}', "r.json", "not a list"),
        (b"\n\n", "r.jsonl", "no records"),
        (b"\xff", "r.jsonl", "no file of records"),
        (b'{"a": NaN}', "r.jsonl", "line 1"),
        (b"[" * 100_000, "r.jsonl", "nested too deeply"),
    ],
)
def test_what_is_no_records(data: bytes, name: str, words: str) -> None:
    with pytest.raises(arplay.Problem, match=words):
        records(data, name)


@given(st.binary(max_size=40), st.sampled_from(["r.json", "r.jsonl"]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    try:
        found = records(data, name)
    except arplay.Problem as problem:
        assert problem.remedy
    else:
        assert found.rows


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>BA<b>C</b></p>")
    assert main(["score", str(page), "--model", "english", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "page.html is a page: its markup is taken off: 4 of 17 bytes are text" in err and "--raw keeps it" in err
    assert "".join(token["text"] for token in json.loads(out)["tokens"]) == "BAC\n"
    assert main(["score", str(page), "--model", "english", "--raw", "--json"]) == 0
    out, err = capsys.readouterr()
    assert not err and "".join(token["text"] for token in json.loads(out)["tokens"]) == "<p>BA<b>C</b></p>"

    lines = tmp_path / "r.jsonl"
    lines.write_text('{"q": {"text": "BAC"}}\n{"q": 1}\n{"q": {"text": "AB"}}\n')
    assert main(["score", str(lines), "--field", "q.text", "--model", "abc", "--json"]) == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert [len(text["tokens"]) for text in said["texts"]] == [3, 2] and said["totals"]["scored"] == 5
    assert [text["text"].rsplit("/")[-1] for text in said["texts"]] == [f"r.jsonl:{n}, field q.text" for n in (1, 3)]
    assert "1 of 3 records of" in err and "r.jsonl have no text in q.text" in err
    assert main(["score", str(lines), "--field", "no", "--model", "abc"]) == 1
    assert "its texts are in q.text" in capsys.readouterr().err
    assert main(["score", "--prompt", "x", "--field", "q"]) == 2


def test_in_the_window(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", b"BAC")
    page = tmp_path / "page.html"
    page.write_text("<p>It was <b>dark</b>")
    window.open_file(page)
    assert window.playground.document.file == b"It was dark\n"  # type: ignore[attr-defined]
    assert "markup is taken off: 12 of 21 bytes are text" in notice(window)
    window.notice._offer.click()
    settle(window, qtbot)
    assert window.playground.document.file == b"<p>It was <b>dark</b>"  # type: ignore[attr-defined]


def test_a_large_one_is_read_by_the_worker(opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(files, "LARGE", 10)
    monkeypatch.setattr(files, "LARGE_PAGE", 10)
    window = opened("english", b"BAC")
    play = window.playground
    for name, text, told in (("a.txt", "It was a dark night", ""), ("b.html", "<p>It was <b>dark</b>", "markup")):
        (tmp_path / name).write_text(text)
        window.open_file(tmp_path / name)
        assert play.view.name != name, "it is on its way"
        qtbot.waitUntil(lambda name=name: play.view.name == name, timeout=PATIENCE)
        assert told in notice(window) and str(tmp_path / name) in window.store.recent("recent_files")
    assert play.document.file == b"It was dark\n"  # type: ignore[attr-defined]
    (tmp_path / "c.txt").write_bytes(b"\xff\x00\xfe\x01 no text, and no encoding")
    window.open_file(tmp_path / "c.txt", "utf-8")
    qtbot.waitUntil(lambda: "c.txt" in notice(window), timeout=PATIENCE)
    assert play.document.file == b"It was dark\n"  # type: ignore[attr-defined]


def test_what_is_no_text_at_all_is_told_so(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", b"BAC")
    program = tmp_path / "program.txt"
    program.write_bytes(b"\x7fELF\x02\x01\x00\x00" + bytes(range(256)) * 20)
    window.open_file(program)
    assert "is no text: it has zero bytes" in notice(window) and "UTF-8" not in notice(window)
    window.sets.add([program])
    rows = window.playground.text_set
    qtbot.waitUntil(lambda: [row.problem is not None for row in rows.rows] == [True], timeout=PATIENCE)
    assert not rows.rows[0].in_other_encoding


def test_dialogs_begin_in_the_folder_of_the_last_file(opened: Open, tmp_path: Path) -> None:
    gone, folder = tmp_path / "gone", tmp_path / "texts"
    folder.mkdir()
    window = opened()
    for path in (folder / "a.txt", gone / "b.txt"):
        window.store.add_recent("recent_files", str(path))
    files.begin_where_left(window)
    assert QFileDialog().directory() == QDir(str(folder))


def test_an_empty_file_is_opened_and_told(opened: Open, tmp_path: Path) -> None:
    window = opened()
    (tmp_path / "nothing.txt").touch()
    window.open_file(tmp_path / "nothing.txt")
    assert window.playground.document.is_blank and window.statusBar().currentMessage() == "nothing.txt is empty"
