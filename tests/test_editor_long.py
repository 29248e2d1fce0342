"""A long text in the editor comes into Qt's document piece by piece, and nobody who uses it meets less than all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui.canvases.text import field
from arplay.gui.canvases.text.area import TextArea, too_long
from arplay.gui.canvases.text.field import PIECE
from arplay.gui.canvases.text.marks import NO_MARKS
from arplay.gui.canvases.text.shown import image
from arplay.gui.panels.editor import EditorPanel
from tests.test_editor_panel import AWKWARD, Desk
from tests.windows_open import put_up

LINES = "".join(f"{AWKWARD} {at} \u200d👩\u200d👧\n" for at in range(6000)).encode() + b"\xff\xf0\x9f"
LINES += b"x" * PIECE * 2
SHORT = 5 * PIECE


def opened(qtbot: QtBot, text: bytes = LINES) -> tuple[Desk, TextArea]:
    editor = put_up(qtbot, EditorPanel(), 500, 300)
    desk = Desk(editor, text)
    return desk, editor.canvas.area  # type: ignore[attr-defined]


def written(area: TextArea) -> str:
    cursor = QTextCursor(area.document())
    cursor.select(QTextCursor.SelectionType.Document)
    return cursor.selectedText().replace("\u2029", "\n")


def test_a_long_text_is_there_in_full_after_a_while(qtbot: QtBot) -> None:
    _, area = opened(qtbot)
    first = area.document().characterCount() - 1
    assert 0 < first < area.shown.length / 4
    assert image(LINES).startswith(written(area))
    qtbot.waitUntil(lambda: area.document().characterCount() > area.shown.length)
    assert written(area) == image(LINES)
    assert area.textCursor().position() == 0


@pytest.mark.parametrize("place", [0, SHORT, LINES.rfind(b"\n"), len(LINES)])
def test_the_caret_may_go_anywhere_at_once(qtbot: QtBot, place: int) -> None:
    desk, area = opened(qtbot)
    desk.show(caret=place)
    assert area.textCursor().position() == area.shown.unit(place)
    assert area.given > area.shown.unit(place) or place == len(LINES)
    qtbot.waitUntil(lambda: written(area) == image(LINES))
    assert area.textCursor().position() == area.shown.unit(place)


def test_a_key_meets_the_whole_text(qtbot: QtBot) -> None:
    desk, area = opened(qtbot)
    QTest.keyClick(area, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(area, "!")
    assert desk.data == LINES + b"!"
    assert written(area) == image(desk.data)
    QTest.keyClick(area, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert area.selected_bytes() == (0, len(desk.data))


def test_a_text_is_changed_before_all_of_it_came(qtbot: QtBot) -> None:
    desk, area = opened(qtbot)
    edit = desk.tree.document.replace(10, 20, b"other")
    desk.tree.record(edit, "typed", 15)
    desk.show(caret=15)
    assert written(area) == image(LINES[:10] + b"other" + LINES[20:])
    desk.undo()
    assert written(area) == image(LINES)


def test_another_long_text_takes_the_place_of_one_half_there(qtbot: QtBot) -> None:
    desk, area = opened(qtbot)
    other = b"".join(b"%d other\n" % at for at in range(20_000))
    edit = desk.tree.document.replace(0, len(LINES), other)
    desk.tree.record(edit, "opened", 0)
    desk.show(caret=0)
    qtbot.waitUntil(lambda: written(area) == other.decode())
    desk.undo()
    qtbot.waitUntil(lambda: written(area) == image(LINES))


def test_what_another_program_changes_meanwhile_is_told_exactly(qtbot: QtBot) -> None:
    """An assistive tool writes by Qt's own cursor, while the rest is on its way."""
    desk, area = opened(qtbot)
    before = area.given
    cursor = QTextCursor(area.document())
    cursor.setPosition(4)
    cursor.insertText("tool")
    assert desk.data == LINES[: area.shown.byte(4)] + b"tool" + LINES[area.shown.byte(4) :]
    assert area.given == before + 4
    qtbot.waitUntil(lambda: written(area) == image(desk.data))


def test_every_other_token_is_shaded_whichever_own_no_bytes(qtbot: QtBot) -> None:
    _, area = opened(qtbot, b"abcdef")
    ends = np.array([1, 1, 3, 3, 4, 6])
    area.marks = type(area.marks)(np.arange(6), ends, np.zeros(6, bool))
    assert area.shaded(0, 6) == [False, False, True, True, False, True]


def test_shading_is_counted_as_far_as_it_is_looked_at(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field, "COUNTED", 7)
    _, area = opened(qtbot, b"a" * 60)
    ends = np.sort(np.random.default_rng(3).integers(0, 61, 100))
    area.marks = type(area.marks)(np.arange(100), ends, np.zeros(100, bool))
    whole = (np.cumsum(np.diff(ends, prepend=0) > 0) % 2 == 0).tolist()
    for first, stop in ((0, 5), (3, 30), (90, 100), (14, 15), (50, 100)):
        assert area.shaded(first, stop) == whole[first:stop]


def test_many_short_lines_come_a_thousand_at_a_time(qtbot: QtBot) -> None:
    _, area = opened(qtbot, b"\n" * 3500 + b"end")
    counted = []
    while area.given < 3503:
        counted.append(area.given)
        area.give(area.given)
    assert counted == [1000, 2000, 3000] and written(area) == "\n" * 3500 + "end"


@pytest.mark.parametrize("line", [0, 1, 99_999, 100_000, 100_001])
@pytest.mark.parametrize("before", [b"", b"a\n", b"b " * 35_000 + b"\n"])
@pytest.mark.parametrize("after", [b"", b"\n", b"\n" + b"c " * 45_000 + b"\nd"])
def test_a_line_of_more_than_a_hundred_thousand_bytes_is_too_long(line: int, before: bytes, after: bytes) -> None:
    data = before + (b"x " * line)[:line] + after
    assert too_long(data) == (max(map(len, data.split(b"\n"))) > 100_000)


@pytest.mark.parametrize("word", [15_999, 16_000, 16_001, 50_000])
@pytest.mark.parametrize("around", [b"", b"a b\n", b"b\t" * 30_000, "日本語".encode() * 9_000])
def test_a_word_of_more_than_sixteen_thousand_bytes_is_too_long(word: int, around: bytes) -> None:
    """It took 0.7 s to lay out one of a hundred thousand; Chinese needs no spaces to be wrapped."""
    assert not too_long(around + b" ")
    assert too_long(around + b" " + b"x" * word + b"\n" + around) == (word > 16_000)


def test_the_beginning_of_a_long_text_has_no_long_word() -> None:
    assert len(Text.of(b"abc " * 50_000).beginning) == 20_000
    assert Text.of(b"abc " * 1000 + b"x" * 90_000).beginning.data == b"abc " * 1000 + b"x" * 5_000


def test_scores_are_seen_as_colours_only() -> None:
    scored = replace(NO_MARKS, tokens="borders", known=3)
    assert scored.looks_like(replace(scored, known=5))
    assert not scored.looks_like(replace(scored, tokens="colours"))
    coloured = replace(scored, tokens="colours")
    assert not coloured.looks_like(replace(coloured, known=5))
    assert coloured.looks_like(replace(coloured))
