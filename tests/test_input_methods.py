"""Input methods through the real window: whatever they send, the text has what was committed and the preview stays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QColor, QInputMethodEvent, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.canvases.text.shown import HIDDEN, image
from arplay.gui.intents import CaretMoved, Do
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.editor import EditorPanel
from tests.windows_open import PATIENCE, Open, notice, settle, text_field

Key, Mod = Qt.Key, Qt.KeyboardModifier
STARTS = {
    "empty": "",
    "ascii": "It was a dark night",
    "emoji": "a😀👨‍👩‍👧b",
    "hebrew": "היה לילה 45 abc",
    "arabic": "پەنجەرە",
    "hindi": "क्षत्रिय",
    "lines": "one\r\ntwo\tthree\n",
    "controls": "a\x00\u2028b",
}
SYLLABLES = ("", "한", "ㅎ", "你", "にほん", "é", "😀", "ש", "ێ", "क्ष", "ab")


@dataclass(frozen=True)
class Composed:
    """One event: what it commits, in place of what, and what it begins."""

    commit: str
    preedit: str
    start: int = 0
    length: int = 0
    cursor: int | None = None
    hidden: bool = False


EVENTS = st.builds(
    Composed,
    commit=st.sampled_from(SYLLABLES),
    preedit=st.sampled_from(SYLLABLES),
    start=st.sampled_from([0, 0, 0, -1, -2, -9, 1]),
    length=st.sampled_from([0, 0, 0, 1, 2, 30]),
    cursor=st.sampled_from([None, 0, 1]),
    hidden=st.booleans(),
)


def send(area: QPlainTextEdit, event: Composed) -> None:
    attributes = []
    if event.preedit:
        look = QTextCharFormat()
        look.setFontUnderline(True)
        look.setForeground(QColor("red"))
        kinds = QInputMethodEvent.AttributeType
        attributes.append(QInputMethodEvent.Attribute(kinds.TextFormat, 0, _units(event.preedit), look))
        if event.cursor is not None:
            shown = 0 if event.hidden else 1
            attributes.append(QInputMethodEvent.Attribute(kinds.Cursor, min(event.cursor, 1), shown, None))
    made = QInputMethodEvent(event.preedit, attributes)
    if event.commit or event.length:
        made.setCommitString(event.commit, event.start, event.length)
    QApplication.sendEvent(area, made)


def seen(area: QPlainTextEdit) -> tuple[str, str, int, int, int]:
    """The text, what is composed and where, the caret and the other end of the selection."""
    cursor = area.textCursor()
    layout = cursor.block().layout()
    composed = layout.preeditAreaText()
    return (
        area.toPlainText().replace("\u200d", HIDDEN),  # a joiner with nothing left to join has a sign
        composed,
        layout.preeditAreaPosition() if composed else 0,
        cursor.position(),
        cursor.anchor(),
    )


def preview(area: QPlainTextEdit) -> str:
    return area.textCursor().block().layout().preeditAreaText()


def field(window: MainWindow) -> TextArea:
    area = text_field(window)
    assert isinstance(area, TextArea)
    return area


def within(event: Composed, area: QPlainTextEdit) -> Composed:
    """The event with a replacement that lies inside of the text, between whole characters (see the tests of others)."""
    text, cursor = area.toPlainText(), area.textCursor()
    gone = cursor.selectionEnd() - cursor.selectionStart()
    units = text.encode("utf-16-le")
    units = units[: 2 * cursor.selectionStart()] + units[2 * cursor.selectionEnd() :]

    def whole(at: int) -> int:
        at = min(max(at, 0), len(units) // 2)
        return at - 1 if 0xDC <= units[2 * at + 1 : 2 * at + 2].ljust(1, b"\0")[0] <= 0xDF else at

    here = cursor.position() if not gone else cursor.selectionStart()
    first = whole(here + event.start)
    return replace(event, start=first - here, length=whole(first + event.length) - first)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.fixture
def qt(qtbot: QtBot) -> QPlainTextEdit:
    """What ours is compared with."""
    area = QPlainTextEdit()
    qtbot.addWidget(area)
    return area


@pytest.fixture
def window(opened: Open) -> MainWindow:
    return opened("abc", b"")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(st.sampled_from(sorted(STARTS)), st.floats(0, 1), st.floats(0, 1), st.lists(EVENTS, min_size=1, max_size=6))
@example(start="controls", caret=1.0, anchor=0.0, events=[Composed("ab", "", 0, 0, None, False)])
def test_what_is_composed_and_committed_does_as_in_a_field_of_qt(
    window: MainWindow, qt: QPlainTextEdit, start: str, caret: float, anchor: float, events: list[Composed]
) -> None:
    area, play = field(window), window.playground
    QApplication.sendEvent(area, QInputMethodEvent())
    QApplication.sendEvent(qt, QInputMethodEvent())
    play.open_document(Text.of(STARTS[start].encode()))
    qt.setPlainText(image(STARTS[start].encode()))
    for share, mode in ((anchor, QTextCursor.MoveMode.MoveAnchor), (caret, QTextCursor.MoveMode.KeepAnchor)):
        place = area.shown.unit(area.shown.byte(round(share * area.shown.length)))
        for each in (area, qt):
            cursor = each.textCursor()
            cursor.setPosition(place, mode)
            each.setTextCursor(cursor)
    for event in events:
        event = within(event, qt)
        send(area, event)
        send(qt, event)
        assert seen(area) == seen(qt)
        assert image(play.document.data).replace("\u200d", HIDDEN) == seen(qt)[0]
        assert area.shown.data == play.document.data
        area.grab()  # every state can be drawn


def test_a_field_that_minds_no_replacement_differs_from_qts(
    window: MainWindow, qt: QPlainTextEdit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    area = field(window)
    window.playground.open_document(Text.of(b"ab"), at_end=True)
    qt.setPlainText("ab")
    qt.moveCursor(QTextCursor.MoveOperation.End)
    monkeypatch.setattr(TextArea, "_replace_beside", lambda area, text, start, length: area.insert(text))
    for each in (area, qt):
        send(each, Composed("x", "", start=-2, length=1))
    assert (seen(area)[0], seen(qt)[0]) == ("abx", "xb")


@pytest.mark.parametrize("event", [Composed("x", "", -50, 3), Composed("x", "", 50, 3), Composed("", "ab", -1, 99)])
@pytest.mark.parametrize("start", STARTS)
def test_a_replacement_that_reaches_out_of_the_text_or_into_a_letter_keeps_letters_whole(
    window: MainWindow, start: str, event: Composed
) -> None:
    """Qt only warns of the one, and cuts a surrogate pair in the other."""
    area, play = field(window), window.playground
    play.open_document(Text.of(STARTS[start].encode()), at_end=True)
    send(area, event)
    text = play.document.data.decode()
    assert text.replace("x", "", 1) in STARTS[start] and preview(area) == event.preedit
    assert area.shown.data == play.document.data


def test_a_commit_and_the_next_preview_in_one_event_are_both_there(window: MainWindow, qtbot: QtBot) -> None:
    area, play = field(window), window.playground
    for event, text in (
        (Composed("", "ㅎ"), ""),
        (Composed("", "하"), ""),
        (Composed("하", "ㄴ"), "하"),
        (Composed("나", "다"), "하나"),
        (Composed("다", ""), "하나다"),
    ):
        send(area, event)
        assert (play.document.data.decode(), preview(area)) == (text, event.preedit)
    window.menus.undo.trigger()
    assert play.document.data.decode() != "하나다"


def test_qt_alone_would_lose_it(window: MainWindow) -> None:
    """Negative control: a field that is shown the text again after the event has no preview any more."""
    area = QPlainTextEdit()
    area.setPlainText("")
    send(area, Composed("하", "ㄴ"))
    assert preview(area) == "ㄴ"
    area.setPlainText("하")
    assert preview(area) == ""


def test_the_preview_outlives_answers_scores_and_steps(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark")
    area, play = field(window), window.playground
    send(area, Composed("", "ni"))
    play.handle(Do("step"))  # it was asked for with the mouse
    qtbot.waitUntil(lambda: len(play.document) > 13, timeout=PATIENCE)
    settle(window, qtbot)
    assert preview(area) == "ni"
    text = play.document.data
    send(area, Composed("你", "h"))
    settle(window, qtbot)
    assert play.document.data == text + "你".encode() and preview(area) == "h"
    assert area.marks.known > 0, "the scored part keeps its colours while something is composed"


@pytest.mark.parametrize("start", STARTS)
def test_the_window_answers_where_the_caret_is_and_what_stands_around_it(window: MainWindow, start: str) -> None:
    area, play = field(window), window.playground
    play.open_document(Text.of(STARTS[start].encode()))
    query = Qt.InputMethodQuery
    for unit in range(0, area.shown.length + 1):
        if area.shown.unit(area.shown.byte(unit)) != unit:
            continue
        play.handle(CaretMoved(area.shown.byte(unit)))
        around = area.inputMethodQuery(query.ImSurroundingText)
        at = area.inputMethodQuery(query.ImCursorPosition)
        block = area.textCursor().block()
        assert around == block.text() and block.position() + at == unit
        place = area.inputMethodQuery(query.ImCursorRectangle)
        rect = place.toRect() if hasattr(place, "toRect") else place
        assert isinstance(rect, QRect) and area.rect().adjusted(-2, -2, 2, 2).contains(rect.center())
        assert area.inputMethodQuery(query.ImEnabled)


def test_a_caret_that_the_input_method_hides_is_not_painted(window: MainWindow) -> None:
    area = field(window)
    send(area, Composed("", "にほん", cursor=1))
    assert area.shows_caret
    send(area, Composed("", "にほん", cursor=1, hidden=True))
    assert not area.shows_caret
    send(area, Composed("日本", ""))
    assert area.shows_caret


@pytest.mark.parametrize("dead", [Key.Key_Dead_Acute, Key.Key_Dead_Diaeresis, Key.Key_Dead_Circumflex])
def test_a_dead_key_writes_nothing_until_its_letter_comes(window: MainWindow, dead: Qt.Key) -> None:
    area, play = field(window), window.playground
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(area, QKeyEvent(kind, dead, Mod.NoModifier, ""))
    assert play.document.data == b""
    QApplication.sendEvent(area, QKeyEvent(QEvent.Type.KeyPress, Key.Key_E, Mod.NoModifier, "é"))
    send(area, Composed("ë", ""))
    assert play.document.data.decode() == "éë"


def test_half_a_character_is_refused_in_words(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    area = field(window)
    area.insert("a\ud800")
    assert window.playground.document.data == b"" and "half a character" in notice(window)


def test_a_text_that_is_full_takes_no_more(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from arplay.gui.canvases.text import area as text_area

    window = opened("abc", b"BAC")
    monkeypatch.setattr(text_area, "EDITABLE", 4)
    send(field(window), Composed("한", ""))
    assert window.playground.document.data == b"BAC" and "would grow" in notice(window)


def test_colours_stay_around_what_is_composed(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark night")
    panel = window.panels["editor"]
    assert isinstance(panel, EditorPanel)
    area = panel.canvas.area
    window.playground.handle(CaretMoved(9))
    settle(window, qtbot)
    before = area.visible_lines()[0]
    left, right = before.spans(0, 9), before.spans(9, 14)
    send(area, Composed("", "にほん"))
    after = area.visible_lines()[0]
    assert after.spans(0, 9) == left
    assert after.spans(9, 14)[0][0] > right[0][0] + 20, "what follows is pushed on by what is composed"
    assert after.end == before.end
