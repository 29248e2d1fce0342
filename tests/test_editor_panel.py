"""The prompt editor as a user meets it, on a real tree: what it shows is always the image of the document."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QInputMethodEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.encoded_text import Encoded
from arplay.core.modalities.text import Prefix, Text
from arplay.core.modalities.vocabulary import Token
from arplay.core.position import Answer, Position
from arplay.core.tree import Step, Tree
from arplay.gui.canvases.text import area as text_area
from arplay.gui.canvases.text.shown import image
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import Analyse, CaretMoved, Do, Intent, OpenFiles, Report
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.settings import Settings
from arplay.gui.theme import DARK
from arplay.gui.view import View
from tests.windows_open import put_up

Key, Mod = Qt.Key, Qt.KeyboardModifier
STEP = Step(id=1, index=0, logprob=-1.0, prob=0.3, decoded_prob=0.3, rank=1, u=0.5)
AWKWARD = "a\x00b\r\n\u00a0\u2028שלום 😀 Z̸̢͝ e\u0301\t."


class Desk:
    """What the window does with an editor's intents, and nothing else."""

    def __init__(self, editor: EditorPanel, text: bytes = b"") -> None:
        self.editor, self.told = editor, list[Intent]()
        self.tree = Tree(Text.of(text))
        self.view = View(document=self.tree.document, tree=self.tree, node=self.tree.node)
        editor.intent.connect(self.hear)
        self.show(caret=0)

    def hear(self, intent: Intent) -> None:
        self.told.append(intent)
        if isinstance(intent, Typed):
            self.show(step=None)  # a window may show other news first, with the old text
            edit = self.tree.document.replace(intent.start, intent.end, intent.data)
            self.tree.record(edit, "typed", intent.caret)
            self.show(caret=intent.caret)
        elif isinstance(intent, CaretMoved):
            self.show(caret=intent.caret)

    def show(self, **changes: object) -> None:
        self.view = replace(self.view, document=self.tree.document, node=self.tree.node, **changes)  # type: ignore[arg-type]
        self.editor.show_view(self.view)

    def take(self, token: bytes, at: int | None = None) -> None:
        at = len(self.data) if at is None else at
        self.tree.record(self.tree.document.put(at, Token(1, token), "v"), "sampled", at + len(token), STEP)
        self.show(caret=at + len(token))

    def undo(self) -> None:
        if self.tree.node.parent is not None:
            self.tree.goto(self.tree.node.parent)
            self.show(caret=self.tree.node.caret)

    @property
    def data(self) -> bytes:
        return self.tree.document.data

    @property
    def edits(self) -> list[Typed]:
        return [one for one in self.told if isinstance(one, Typed)]

    def select(self, start: int, end: int) -> None:
        cursor = self.editor.canvas.area.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.editor.canvas.area.setTextCursor(cursor)

    def shows_the_document(self) -> bool:
        cursor = QTextCursor(self.editor.canvas.area.document())
        cursor.select(QTextCursor.SelectionType.Document)
        area = self.editor.canvas.area
        text = cursor.selectedText().replace("\u2029", "\n")
        return text == image(self.data) and area.shown.data == self.data


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    editor = put_up(qtbot, EditorPanel(), 620, 300)
    return Desk(editor)


def opened(desk: Desk, text: bytes, caret: int = 0) -> Desk:
    desk.tree = Tree(Text.of(text))
    desk.show(tree=desk.tree, caret=caret)
    desk.told.clear()
    return desk


def mime(text: str) -> QMimeData:
    result = QMimeData()
    result.setText(text)
    return result


def write(desk: Desk, text: str) -> None:
    """Keys with these characters (QTest's own knows ASCII only)."""
    for char in text:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(desk.editor.canvas.area, QKeyEvent(kind, 0, Mod.NoModifier, char))


def drop(desk: Desk, source: QMimeData, at: int = 0) -> None:
    place = QTextCursor(desk.editor.canvas.area.document())
    place.setPosition(at)
    point = QPointF(desk.editor.canvas.area.cursorRect(place).center())
    how = (Qt.DropAction.CopyAction, source, Qt.MouseButton.LeftButton, Mod.NoModifier)
    for event in (QDragEnterEvent(point.toPoint(), *how), QDropEvent(point, *how)):
        QApplication.sendEvent(desk.editor.canvas.area.viewport(), event)
        assert event.isAccepted()


def test_typing_is_told_in_bytes_and_comes_back(desk: Desk, qtbot: QtBot) -> None:
    write(desk, "héy")
    qtbot.keyClick(desk.editor.canvas.area, Key.Key_Return)
    write(desk, "x")
    assert desk.data == "héy\nx".encode()
    assert desk.edits[2] == Typed(3, 3, b"y", 4)
    assert not any(isinstance(one, CaretMoved) for one in desk.told), "an edit tells its caret itself"
    assert desk.shows_the_document()


def test_deleting_by_character_word_line_and_selection(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, "one two 😀e\u0301".encode(), caret=len("one two 😀e\u0301".encode()))
    area = desk.editor.canvas.area
    qtbot.keyClick(area, Key.Key_Backspace)
    assert desk.data == "one two 😀e".encode(), "an accent is taken off its letter"
    qtbot.keyClick(area, Key.Key_Backspace)
    qtbot.keyClick(area, Key.Key_Backspace)
    assert desk.data == b"one two "
    qtbot.keyClick(area, Key.Key_Backspace, Mod.ControlModifier)
    assert desk.data == b"one "
    desk.select(0, 0)
    qtbot.keyClick(area, Key.Key_Delete)
    assert desk.data == b"ne "
    qtbot.keyClick(area, Key.Key_A, Mod.ControlModifier)
    qtbot.keyClick(area, Key.Key_Delete)
    assert desk.data == b""
    qtbot.keyClick(area, Key.Key_Backspace)
    qtbot.keyClick(area, Key.Key_Delete)
    assert desk.data == b""
    assert desk.shows_the_document()


def test_the_caret_is_told_in_bytes_and_only_when_the_user_moves_it(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, "é😀x".encode())
    for _ in range(3):
        qtbot.keyClick(desk.editor.canvas.area, Key.Key_Right)
    assert [one.caret for one in desk.told if isinstance(one, CaretMoved)] == [2, 6, 7]
    desk.told.clear()
    desk.show(caret=2)
    assert desk.editor.canvas.area.textCursor().position() == 1
    desk.take(b" more")
    desk.undo()
    assert desk.told == []
    desk.select(0, 3)
    assert desk.told == [CaretMoved(6)], "with a selection its moving end counts"
    assert desk.editor.canvas.area.textCursor().selectedText() == "é😀"


def test_a_click_between_two_lines_goes_to_the_nearer_one(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, b"first line\nsecond line")
    area = desk.editor.canvas.area
    place = QTextCursor(area.document())
    place.setPosition(14)
    spot = area.cursorRect(place).center()
    for dy in (0, -10, 10):
        desk.show(caret=0)
        point = spot.__class__(spot.x() + 1, spot.y() + dy)
        qtbot.mouseClick(area.viewport(), Qt.MouseButton.LeftButton, pos=point)
        assert desk.view.caret == 14, dy


def test_paste_and_copy_are_exact(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, b"<>", caret=1)
    area = desk.editor.canvas.area
    QGuiApplication.clipboard().setText(AWKWARD)
    qtbot.keyClick(area, Key.Key_V, Mod.ControlModifier)
    assert desk.data == b"<" + AWKWARD.encode() + b">"
    assert desk.view.caret == len(desk.data) - 1
    assert desk.shows_the_document()
    qtbot.keyClick(area, Key.Key_A, Mod.ControlModifier)
    qtbot.keyClick(area, Key.Key_C, Mod.ControlModifier)
    assert QGuiApplication.clipboard().text() == f"<{AWKWARD}>"
    qtbot.keyClick(area, Key.Key_X, Mod.ControlModifier)
    assert desk.data == b""
    assert QGuiApplication.clipboard().text() == f"<{AWKWARD}>"


def test_qt_itself_would_not_copy_exactly(desk: Desk) -> None:
    """Negative control: what the widget holds is not the text."""
    opened(desk, AWKWARD.encode())
    assert desk.editor.canvas.area.toPlainText() != AWKWARD


def test_broken_bytes_survive_cut_and_paste(desk: Desk, qtbot: QtBot) -> None:
    data = b"a\xe2\x82b"
    opened(desk, data)
    qtbot.keyClick(desk.editor.canvas.area, Key.Key_A, Mod.ControlModifier)
    qtbot.keyClick(desk.editor.canvas.area, Key.Key_X, Mod.ControlModifier)
    qtbot.keyClick(desk.editor.canvas.area, Key.Key_V, Mod.ControlModifier)
    qtbot.keyClick(desk.editor.canvas.area, Key.Key_V, Mod.ControlModifier)
    assert desk.data == data + data
    assert desk.shows_the_document()


def test_half_characters_are_refused_with_a_message(desk: Desk) -> None:
    class Half(QMimeData):
        def text(self) -> str:
            return "a\ud800"

    broken = QMimeData()
    broken.setData("text/plain", b"a\xed\xa0\x80")
    opened(desk, b"kept")
    desk.editor.canvas.area.insert("a\ud800")
    desk.editor.canvas.area.insertFromMimeData(broken)
    assert [type(one) for one in desk.told] == [Report, Report]
    assert "half a character" in desk.told[0].cause  # type: ignore[union-attr]
    assert desk.data == b"kept"


def test_a_huge_paste_is_analysed_instead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(desk, b"kept")
    lines = "one line of text\n" * 70_000
    desk.editor.canvas.area.insertFromMimeData(mime(lines))
    assert desk.told == [Analyse(Text.of(lines.encode()), "pasted text")]
    drop(desk, mime("x" * (text_area.LONGEST_LINE + 1)))
    assert isinstance(desk.told[-1], Analyse)
    assert desk.data == b"kept"
    monkeypatch.setattr(text_area, "EDITABLE", 10)
    desk.editor.canvas.area.insertFromMimeData(mime("sixsix!"))
    assert isinstance(desk.told[-1], Report)
    assert desk.data == b"kept"
    desk.editor.canvas.area.insertFromMimeData(mime("sixsix"))
    assert desk.data == b"sixsixkept"


def test_the_limits_for_one_line_and_for_all() -> None:
    assert not text_area.too_long(b"a " * (text_area.LONGEST_LINE // 2))
    assert text_area.too_long(b"a\n" + b"a " * (text_area.LONGEST_LINE // 2 + 1))
    assert not text_area.too_long(b"abcdefg\n" * 125_000)
    assert text_area.too_long(b"abcdefg\n" * 125_001)


def test_a_dropped_file_is_opened_and_dropped_text_inserted(desk: Desk, tmp_path: Path) -> None:
    opened(desk, b"one two")
    source = QMimeData()
    source.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.txt"))])
    drop(desk, source)
    assert desk.told == [OpenFiles((tmp_path / "a.txt",))]
    drop(desk, mime("\r\n"), at=3)
    assert desk.data == b"one\r\n two"
    assert desk.shows_the_document()


def test_moving_a_selection_is_one_edit(desk: Desk) -> None:
    opened(desk, "ab😀cd".encode())
    desk.editor.canvas.area._move(2, 4, 0)
    assert (desk.data, desk.view.caret) == ("😀abcd".encode(), 4)
    desk.editor.canvas.area._move(0, 2, 4)
    assert (desk.data, desk.view.caret) == ("ab😀cd".encode(), 6)
    desk.editor.canvas.area._move(0, 2, 1)
    assert len(desk.edits) == 2, "dropped onto itself"


def test_an_input_method_composes_and_commits(desk: Desk) -> None:
    opened(desk, b"ab", caret=1)
    area = desk.editor.canvas.area
    QApplication.sendEvent(area, QInputMethodEvent("ni", []))
    area.grab()
    assert desk.data == b"ab", "composing is no text yet"
    commit = QInputMethodEvent("", [])
    commit.setCommitString("你")
    QApplication.sendEvent(area, commit)
    assert desk.data == "a你b".encode()
    again = QInputMethodEvent("", [])
    again.setCommitString("好", -1, 1)
    QApplication.sendEvent(area, again)
    assert desk.data == "a好b".encode()
    assert desk.shows_the_document()


def test_composing_over_a_selection_replaces_it(desk: Desk) -> None:
    opened(desk, b"abcd")
    desk.select(1, 3)
    QApplication.sendEvent(desk.editor.canvas.area, QInputMethodEvent("n", []))
    commit = QInputMethodEvent("", [])
    commit.setCommitString("é")
    QApplication.sendEvent(desk.editor.canvas.area, commit)
    assert desk.data == "aéd".encode()
    assert desk.shows_the_document()


def test_a_change_that_qt_makes_by_itself_is_told_too(desk: Desk) -> None:
    opened(desk, "aé\r\nz".encode())
    cursor = desk.editor.canvas.area.textCursor()
    cursor.setPosition(2)
    cursor.insertText("x\u00a0y")
    assert desk.data == "aéx\u00a0y\r\nz".encode()
    cursor.setPosition(0)
    cursor.setPosition(1, QTextCursor.MoveMode.KeepAnchor)
    cursor.removeSelectedText()
    assert desk.data == "éx\u00a0y\r\nz".encode()
    cursor.insertText("\x01")
    assert desk.data.startswith(b"\x01")
    desk.show()
    assert desk.shows_the_document()


def test_keys_of_the_chain(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, b"text", caret=2)
    area = desk.editor.canvas.area
    for key, mod in (
        (Key.Key_Return, Mod.ControlModifier),
        (Key.Key_Right, Mod.AltModifier),
        (Key.Key_Left, Mod.AltModifier),
        (Key.Key_Space, Mod.ControlModifier),
    ):
        qtbot.keyClick(area, key, mod)
    assert desk.told == [Do("take"), Do("take"), Do("rewind"), Do("step")]
    with qtbot.waitSignal(desk.editor.leave, timeout=1000):
        qtbot.keyClick(area, Key.Key_Escape)
    desk.told.clear()
    qtbot.keyClick(area, Key.Key_Z, Mod.ControlModifier)
    assert desk.told == []
    assert desk.data == b"text"


def answer(ends: list[int]) -> Answer:
    made = np.array(ends, np.int64)
    encoded = Encoded(b"", np.arange(len(ends)), made, np.zeros(len(ends), bool))
    return Answer((), "model", Prefix(encoded.ids, None), encoded, Position(0, 1), None, 1, 0.1, 0)


def test_badge_and_bar_offer_what_can_be_done(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, b"abcd")
    editor = desk.editor
    assert editor.canvas.notes.notes == ()
    desk.take(b"x", at=2)
    desk.show(answer=answer([2, 3]), departures=((2, 3),))
    assert "text that followed is kept" in editor.canvas.notes.label.full
    assert "1 place cut into other tokens" in editor.canvas.notes.label.full
    height = editor.canvas.area.height()
    for action in ("Read anew", "Bring it back"):
        button = editor.canvas.notes.button(action)
        assert button is not None
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.told == [Do("retokenise"), Do("put_aside")]
    desk.undo()
    desk.show(answer=answer([4]), caret=0, departures=())
    assert editor.canvas.notes.notes == () and editor.canvas.notes.button("Read anew") is None
    assert editor.canvas.area.height() == height, "the text does not jump"
    desk.show(answer=answer([4]), caret=3)
    assert "inside the token “abcd”" in editor.canvas.notes.label.full
    button = editor.canvas.notes.button("Go to its start")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.view.caret == 0 and editor.canvas.notes.notes == ()


def test_tokens_move_with_the_text_until_new_ones_are_known(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, b"one two six", caret=3)
    desk.show(answer=answer([3, 7, 11]), selected=1)
    assert desk.editor.canvas.area.marks.selected == (3, 7)
    desk.view = replace(desk.view, answer=None, selected=None)
    write(desk, "!")
    assert desk.editor.canvas.area.marks.ends.tolist() == [3, 8, 12]
    stale = answer([3, 7, 11])
    desk.show(answer=stale, stale=True)
    assert desk.editor.canvas.area.marks.ends.tolist() == [3, 8, 12]
    desk.show(answer=stale, stale=False)
    assert desk.editor.canvas.area.marks.ends.tolist() == [3, 8, 12], "tokens of another text are never drawn"


def test_marks_are_painted_where_the_tokens_are(desk: Desk) -> None:
    opened(desk, b"mmm mmm\nmmm", caret=11)
    area = desk.editor.canvas.area
    desk.editor.set_theme(DARK)
    pictures = []
    for changes in (
        {"settings": Settings(tokens="off")},
        {"settings": Settings(), "answer": answer([3, 7, 8, 11])},
        {"selected": 1},
        {"settings": Settings(show_hidden=True)},
        {"departures": ((3, 7),)},
    ):
        desk.show(**changes)
        pictures.append(area.grab().toImage())
    for before, after in pairwise(pictures):
        assert before != after
    desk.show()
    assert area.grab().toImage() == pictures[-1]


KEYS = st.one_of(
    st.sampled_from(
        ["a", " ", "é", "\n", "backspace", "delete", "left", "right", "word", "undo", "take", "cut", "all"]
    ),
    st.sampled_from([AWKWARD, "\r\n", "😀", "\u00a0", "\x00", "e\u0301", "שלום", "\ufdd0\u2029"]).map(
        lambda t: f"+{t}"
    ),
    st.integers(0, 40).map(lambda n: f"@{n}"),
)
PRESSES = {
    "backspace": (Key.Key_Backspace, Mod.NoModifier),
    "delete": (Key.Key_Delete, Mod.NoModifier),
    "left": (Key.Key_Left, Mod.ShiftModifier),
    "right": (Key.Key_Right, Mod.NoModifier),
    "word": (Key.Key_Backspace, Mod.ControlModifier),
    "cut": (Key.Key_X, Mod.ControlModifier),
    "all": (Key.Key_A, Mod.ControlModifier),
    "\n": (Key.Key_Return, Mod.NoModifier),
}


def act(desk: Desk, qtbot: QtBot, what: str) -> None:
    area = desk.editor.canvas.area
    if what in PRESSES:
        qtbot.keyClick(area, *PRESSES[what])
    elif what == "undo":
        desk.undo()
    elif what == "take":
        desk.take(b"\xf0\x9f", at=desk.view.caret)
    elif what.startswith("+"):
        area.insertFromMimeData(mime(what[1:]))
    elif what.startswith("@"):
        desk.show(caret=min(int(what[1:]), len(desk.data)))
    else:
        write(desk, what)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([b"", AWKWARD.encode(), b"\xff\xe2\x82 \x80 text"]), st.lists(KEYS, max_size=25))
def test_whatever_is_done_the_widget_shows_the_document(desk: Desk, qtbot: QtBot, text: bytes, todo: list[str]) -> None:
    opened(desk, text)
    expected = text
    for what in todo:
        desk.told.clear()
        act(desk, qtbot, what)
        for edit in desk.edits:
            expected = expected[: edit.start] + edit.data + expected[edit.end :]
        if what not in ("undo", "take"):
            assert desk.data == expected
        expected = desk.data
        assert desk.shows_the_document()
        caret = desk.editor.canvas.area.shown.byte(desk.editor.canvas.area.textCursor().position())
        assert desk.editor.canvas.area.shown.unit(desk.view.caret) == desk.editor.canvas.area.shown.unit(caret)


def test_the_property_catches_an_editor_that_shows_something_else(desk: Desk) -> None:
    """Negative control: a view that was not handed on."""
    opened(desk, b"abc")
    desk.tree.record(desk.tree.document.replace(0, 1, b""), "typed", 0)
    assert not desk.shows_the_document()


def test_it_fits_a_small_place_and_says_what_to_do_when_empty(desk: Desk, qtbot: QtBot) -> None:
    opened(desk, b"abcd")
    desk.take(b"x", at=2)
    desk.show(answer=answer([2, 3]), departures=((2, 3),))
    empty = EditorPanel()
    empty.show_view(View())
    assert "Write something" in empty.canvas.area.hint
    assert not empty.grab().isNull()
    desk.editor.resize(200, 120)
    qtbot.waitUntil(lambda: desk.editor.canvas.area.height() >= 40)
