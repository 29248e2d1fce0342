"""What the editor shows is an image of the bytes: same UTF-16 length, every position can be found back."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout
from pytestqt.qtbot import QtBot

from arplay.core.modalities.spans import change, to_text
from arplay.gui.canvases.text.shown import ShownText, changed, image

PARTS = [bytes([b]) for b in range(0x20)] + [
    char.encode() for char in "aé€😀\u0301ש\u00a0\u2028\u2029\ufdd0\ufdd1\ufffc\ufeff\uffff\x7f\x85\ufffd"
]
PARTS += [char.encode() for char in "\u200d\u200c👩\U000e0067می\u202e\u2066\u200b"]
texts = st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=3), st.just("😀".encode()[:2]))).map(b"".join)


def qt_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(texts)
def test_the_image_has_the_same_length_and_only_newlines_break_lines(data: bytes) -> None:
    shown = image(data)
    assert qt_length(shown) == qt_length(to_text(data)) == ShownText(data).length
    assert shown.count("\n") == data.count(b"\n")
    assert not any("\ud800" <= char <= "\udfff" for char in shown)


@pytest.mark.parametrize("token", PARTS)
def test_qt_keeps_every_character_of_an_image(qtbot: QtBot, token: bytes) -> None:
    document = QTextDocument()
    document.setDocumentLayout(QPlainTextDocumentLayout(document))
    QTextCursor(document).insertText(image(b"<" + token + b">"))
    assert document.characterCount() - 1 == ShownText(b"<" + token + b">").length
    assert document.blockCount() == 1 + token.count(b"\n")


def test_without_the_image_qt_would_break_the_line_at_a_carriage_return(qtbot: QtBot) -> None:
    """Negative control."""
    document = QTextDocument()
    QTextCursor(document).insertText("<\r>")
    assert document.blockCount() == 2


@given(texts)
def test_positions_go_there_and_back(data: bytes) -> None:
    shown, byte = ShownText(data), 0
    for char in to_text(data):
        size = len(char.encode("utf-8", "surrogateescape"))
        unit = shown.unit(byte)
        assert shown.byte(unit) == byte
        for inside in range(byte + 1, byte + size):
            assert (shown.floor(inside), shown.unit(inside)) == (unit, shown.unit(byte + size))
        byte += size
        assert shown.floor(byte) == shown.unit(byte)


@given(texts, texts, texts, texts)
@example("é".encode(), b"", b"", b"\xa9")
@example(b"\xf0\x9f", b"\x98", b"", b"\x80z")
@example(b"", b"", b"\xf0", b"\x9f\x98\x80\x80\x80")
def test_a_change_can_be_shown_by_itself(head: bytes, old: bytes, new: bytes, tail: bytes) -> None:
    a, b = head + old + tail, head + new + tail
    start, old_end, new_end = changed(a, b)
    assert a[:start] + b[start:new_end] + a[old_end:] == b
    assert image(a[:start]) + image(b[start:new_end], b[:start]) + image(a[old_end:]) == image(b)
    assert image(a[:start]) + image(a[start:old_end], a[:start]) + image(a[old_end:]) == image(a)


def test_a_change_that_splits_characters_would_be_shown_wrongly() -> None:
    """Negative control: the naive common prefix of é and è ends inside a character."""
    a, b = "é".encode(), "è".encode()
    assert image(a[:1]) + image(b[1:]) != image(b)
    assert change(a, b) == (0, 2, 2)


def test_without_the_joiners_around_it_a_change_would_be_shown_wrongly() -> None:
    """Negative control: what joins the letters before it hides no longer once these are gone."""
    a, b = "م\u200c".encode(), "a\u200c".encode()
    start, old_end, new_end = change(a, b)
    assert image(b[start:new_end]) + image(a[old_end:]) == image(b) != image(a[:start]) + image(b[start:])[:-1]
    assert changed(a, b) == (0, 5, 4)
