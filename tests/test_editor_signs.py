"""What cannot be seen has a sign in the editor, with room of its own, and turns no line; the document stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QTextLayout
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.spans import to_text
from arplay.core.modalities.text import text_of
from arplay.core.signs import FILLERS, sign
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.canvases.text.heat.signs import chip_columns
from arplay.gui.canvases.text.shown import signs
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import CaretMoved
from arplay.gui.theme import LIGHT, apply
from tests.windows_open import Open, settle, text_field

TURNING = [chr(code) for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
HIDDEN = [*TURNING, "\u200b", "\u2060", "\ufeff", "\u00ad", "\x00", "\x1b", "\r", "\x7f", "\x85", "\u2028", "\u2029"]
HIDDEN += [*sorted(FILLERS), "\U000e0041", "\ufdd0", "\ufffe", "\udce2", "\udcff"]
SHAPED = ["می\u200cشود", "نمی\u200cخواهم", "👩\u200d👩\u200d👧", "क्\u200dष", "র\u200d্য", "ന്\u200d", "🏳\ufe0f\u200d🌈"]
SHAPED += ["🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "٣\u06dd"]


@pytest.fixture(scope="module")
def area(qapp: QApplication) -> TextArea:
    apply(qapp, LIGHT)
    made = TextArea()
    made.resize(2000, 200)
    made.show()
    return made


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def widths(area: TextArea) -> list[float]:
    """Of every character of the first line, by the bytes that it fills on the screen."""
    byte, found = 0, []
    line = area.visible_lines()[0]
    for char in to_text(area.shown.data):
        spans = line.spans(byte, byte + len(encoded(char)))
        found.append(sum(right - left for left, right in spans))
        byte += len(encoded(char))
    return found


def check(area: TextArea, text: str) -> None:
    """Every sign of ``text`` has the room that it needs, and nothing that Qt was given is hidden or turns the line."""
    column, given = area.fontMetrics().horizontalAdvance("0"), area.toPlainText()
    named = dict(signs(text))
    for at, wide in enumerate(widths(area)):
        if at in named:
            assert wide > 0.88 * chip_columns(named[at]) * column, f"U+{ord(text[at]):04X}"
    assert not any(
        unicodedata.bidirectional(char) in ("LRO", "RLO", "LRE", "RLE", "LRI", "RLI", "PDF") for char in given
    )


@pytest.mark.parametrize("char", HIDDEN, ids=lambda char: f"U+{ord(char):04X}")
def test_each_has_its_sign_with_room_at_every_size_of_the_type(area: TextArea, char: str) -> None:
    text = f"ab{char}cd אב{char}ג"
    area.show_text(encoded(text), 0)
    assert list(signs(text)) == [(2, sign(char)), (8, sign(char))]
    for size in (15, 28, 15):
        area.set_text_size(size)
        QApplication.processEvents()
        check(area, text)
    area.show_text(encoded(text.replace(char, "")), 0)
    QApplication.processEvents()
    column = area.fontMetrics().horizontalAdvance("0")
    assert max(widths(area)) < 1.6 * column, "what is typed in its place is as wide as ever"


@pytest.mark.parametrize("char", TURNING, ids=lambda char: f"U+{ord(char):04X}")
def test_none_turns_the_line(area: TextArea, char: str) -> None:
    area.show_text(f"{char}abc 12".encode(), 0)
    QApplication.processEvents()
    size = len(char.encode())
    lefts = [area.visible_lines()[0].spans(at, at + 1)[0][0] for at in (0, size, size + 1, size + 2, size + 4)]
    assert lefts == sorted(lefts)


def test_qt_itself_would_turn_the_line_and_show_nothing(area: TextArea) -> None:
    """Negative control."""
    layout = QTextLayout("\u202eabc", area.font())
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    places = [float(line.cursorToX(at)[0]) for at in (1, 2, 3)]  # type: ignore[index]
    assert places != sorted(places)


@pytest.mark.parametrize("text", SHAPED)
def test_what_shapes_letters_and_pictures_stays(area: TextArea, text: str) -> None:
    area.show_text(text.encode(), 0)
    assert area.toPlainText() == text and not list(signs(text))
    if "\u200d" in text or "\u200c" in text:
        assert list(signs("a" + "".join(char for char in text if char in "\u200c\u200d"))), "control: alone it hides"


LETTERS = st.sampled_from([*HIDDEN, *SHAPED, "a", "é", "א", "م", "\u200d", "\u200c", "\n", "😀"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(LETTERS, max_size=6).map("".join), min_size=2, max_size=5))
def test_after_any_edits_it_shows_what_it_would_show_at_once(area: TextArea, texts: list[str]) -> None:
    for text in texts:
        area.show_text(encoded(text), 0)
        area.visible_lines()
    edited, whole = widths(area), area.toPlainText()
    area.show_text(b"", 0)
    area.show_text(encoded(texts[-1]), 0)
    assert area.toPlainText() == whole
    assert widths(area) == pytest.approx(edited, abs=0.5)


def test_in_the_window_the_bytes_stay_and_a_scrolled_text_too(opened: Open, qtbot: QtBot) -> None:
    data = b"one \x1b[31mline\r\n" * 40 + "\u202eright to left\u202c".encode()
    window = opened("english", data)
    play, field = window.playground, text_field(window)
    assert isinstance(field, TextArea) and text_of(play.document).data == data
    field.selectAll()
    field.copy()
    field.paste()
    settle(window, qtbot)
    assert text_of(play.document).data == data
    bar = field.verticalScrollBar()
    for value in (bar.maximum(), 0, bar.maximum() // 2):
        bar.setValue(value)
        field.grab()
    middle = data.index(b"\n", len(data) // 2) + 1
    play.handle(CaretMoved(middle))
    at = bar.value()
    play.handle(Typed(middle, middle, b"x", middle + 1))
    field.grab()
    assert bar.value() == at and text_of(play.document).data == data[:middle] + b"x" + data[middle:]
    settle(window, qtbot)
