"""What the user writes comes back, through the real window: closed, beside other windows, with a disk that fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from arplay.core import kept
from arplay.core.errors import Problem
from arplay.core.kept import Session
from arplay.core.modalities.text import Text
from arplay.engine import journal
from arplay.gui.intents import Do, Goto, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.playground import keeping, recovery
from arplay.gui.playground.recovery import Left, Sessions
from tests.sessions import kept_in, of_window, told
from tests.test_kept import chain
from tests.windows_open import Open, answer_box, notice, settle, text_field


def work(window: MainWindow, qtbot: QtBot) -> None:
    """Typing, picks, samples, undo, another branch, another text."""
    play, field = window.playground, text_field(window)
    QTest.keyClicks(field, "ACB")
    settle(window, qtbot)
    QTest.keyClick(field, Qt.Key.Key_End)
    QTest.keyClicks(field, "A")
    settle(window, qtbot)
    for intent in (Do("step"), Take(1), Do("step"), Do("step")):
        play.handle(intent)
        settle(window, qtbot)
    play.undo_stack.undo()
    play.undo_stack.undo()
    play.handle(Goto(play.tree.root.children[0]))
    play.handle(Do("reroll"))
    play.undo_stack.undo()
    play.open_document(Text.of(b"ABCAB"), "other.txt")
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    settle(window, qtbot)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions"


def test_all_of_it_comes_back_after_closing_and_undo_goes_on(opened: Open, qtbot: QtBot, folder: Path) -> None:
    window = opened(keep=folder)
    work(window, qtbot)
    before, stack = told(of_window(window)), window.playground.undo_stack
    words = [stack.text(i) for i in range(stack.count())]
    window.close()
    again = opened(text=None, keep=folder)
    assert told(of_window(again)) == before
    stack = again.playground.undo_stack
    assert [stack.text(i) for i in range(stack.count())] == words
    assert again.windowTitle().startswith("other.txt")
    while stack.canUndo():
        stack.undo()
    assert again.playground.document.data == b"BAC"
    assert notice(again) == "", "nothing is told of what is as it was"


def test_what_is_on_the_disk_is_what_the_window_shows_at_every_moment(opened: Open, qtbot: QtBot, folder: Path) -> None:
    window = opened(keep=folder)
    seen: list[bool] = []

    def compare() -> None:
        assert window.keeping.flush()
        seen.append(told(kept_in(folder)[0]) == told(of_window(window)))

    window.playground.changed.connect(lambda _: QTimer.singleShot(0, compare))
    work(window, qtbot)
    QApplication.processEvents()
    assert len(seen) > 15 and all(seen)


def test_a_window_that_keeps_nothing_is_seen(opened: Open, qtbot: QtBot, folder: Path, monkeypatch: Any) -> None:
    """Negative control."""
    window = opened(keep=folder)
    monkeypatch.setattr(window.keeping, "_append", lambda line: None)
    work(window, qtbot)
    assert told(kept_in(folder)[0]) != told(of_window(window))


def test_each_window_has_its_own_and_a_new_one_gets_the_newest_that_is_free(
    opened: Open, qtbot: QtBot, folder: Path
) -> None:
    first, second = opened(text=b"first", keep=folder), opened(text=b"second", keep=folder)
    for window, key in ((first, "1"), (second, "2"), (first, "1")):
        QTest.keyClicks(text_field(window), key)
    first.close()
    third = opened(text=None, keep=folder)
    assert third.playground.document.data == b"first11"
    fourth = opened(text=None, keep=folder)
    assert fourth.playground.document.data == b""  # nothing is free
    second.close()
    fourth.close()  # it has no text, so nothing of it stays
    (left,) = third.keeping.left()
    third.keeping.open(left.path)
    assert third.playground.document.data == b"second2"
    assert [left.about.begins for left in third.keeping.left()] == ["first11"]


def test_the_menu_has_the_texts_of_windows_that_are_gone(opened: Open, qtbot: QtBot, folder: Path) -> None:
    for text in (b"one & <b>", b"two\x1b[31m"):
        window = opened(text=text, keep=folder)
        QTest.keyClicks(text_field(window), "A")
        window.close()
    window = opened(text=b"three", keep=folder)
    menu = window.menus.earlier

    def entries() -> list[QAction]:
        menu.aboutToShow.emit()
        return [action for action in menu.actions() if action.isVisible()]

    assert [action.text().split(" (")[0] for action in entries()] == ["two⟨ESC⟩[31mA", "one && <b>A"]
    entries()[1].trigger()
    assert window.playground.document.data == b"one & <b>A"
    assert [action.text().split(" (")[0] for action in entries()] == ["three", "two⟨ESC⟩[31mA"]


def test_the_menu_tells_of_texts_that_cannot_be_read_and_of_a_folder_that_cannot(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened(text=b"one", keep=folder)
    menu = window.menus.earlier

    def entries() -> list[QAction]:
        menu.aboutToShow.emit()
        return [action for action in menu.actions() if action.isVisible()]

    assert [action.text() for action in entries()] == ["There is no other text"]
    (folder / "old.jsonl").write_bytes(b"no session\n")
    (damaged,) = entries()
    assert damaged.text().startswith("A text that cannot be read (")
    damaged.trigger()
    assert "put aside" in notice(window) and window.playground.document.data == b"one"
    assert [action.text() for action in entries()] == ["There is no other text"]

    def held() -> list[Left]:
        raise Problem("the folder is held by another arplay", "try again when it has started")

    monkeypatch.setattr(window.keeping, "left", held)
    (told,) = entries()
    assert told.text().startswith("The folder is held by another arplay") and not told.isEnabled()


CHILD = """
import os, sys
from pathlib import Path
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from arplay.gui import app
from arplay.gui.bridge import Bridge
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
app.application()
window = MainWindow(Store(Path(sys.argv[1]) / "arplay.ini"), Bridge())
window.keeping.begin(Path(sys.argv[1]) / "sessions", fresh=False)
window.store.add_recent("recent_files", sys.argv[2])
print(window.playground.document.data.decode(), flush=True)
for line in sys.stdin:
    QTest.keyClicks(window.panels["editor"].findChild(QPlainTextEdit), line.strip())
    QApplication.processEvents()
    print("typed", window.keeping.flush(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_two_processes_crash_and_both_texts_are_there(opened: Open, tmp_path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("AA", "BB")
    ]
    for child in children:  # both are there before one of them crashes
        assert child.stdout is not None and child.stdout.readline() == "\n"
    for child in children:
        assert child.stdin is not None and child.stdout is not None
        with child, child.stdin, child.stdout:
            child.stdin.write(f"{child.args[-1]}\n")  # type: ignore[index]
            child.stdin.flush()
            assert child.stdout.readline() == "typed True\n"
            if child is children[0]:
                assert opened(text=None, keep=tmp_path / "sessions").playground.document.data == b""
            child.kill()
    window = opened(text=None, keep=tmp_path / "sessions")
    assert window.playground.document.data == b"BB"
    assert "ended without being closed" in notice(window) and "Earlier texts" in notice(window)
    (left,) = window.keeping.left()
    assert left.about.closed is False
    window.keeping.open(left.path)
    assert window.playground.document.data == b"AA"
    assert set(window.store.recent("recent_files")) == {"AA", "BB"}


# ---- a disk that fails


class Disk:
    """The lowest level: what a write and a sync do, of the journal's file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: OSError | None = None
        self.room: int | None = None
        disk = self

        class File(journal.FileIO):
            def write(self, data: Any) -> int:
                if disk.error is not None:
                    raise disk.error
                if disk.room is not None:
                    if not disk.room:
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    data = bytes(data)[: disk.room]
                    disk.room -= len(data)
                return super().write(data)

        def whole(path: Path, parts: Any) -> None:
            if disk.error is not None:
                raise disk.error
            if disk.room is not None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written(path, parts)

        written = journal._write
        monkeypatch.setattr(journal, "FileIO", File)
        monkeypatch.setattr(journal, "_write", whole)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(keeping, "LOOK_MS", 20)
    return Disk(monkeypatch)


def told_of_risk(window: MainWindow, qtbot: QtBot) -> str:
    qtbot.waitUntil(lambda: window.keeping.risk is not None)
    return notice(window)


def test_a_full_disk_is_told_and_what_was_written_meanwhile_is_kept_once_there_is_room(
    opened: Open, qtbot: QtBot, folder: Path, disk: Disk
) -> None:
    window = opened(keep=folder)
    QTest.keyClicks(text_field(window), "A")
    assert window.keeping.flush()
    disk.room = 10  # the next line is torn
    QTest.keyClicks(text_field(window), "BCABACBC")
    said = told_of_risk(window, qtbot)
    assert "No space left on device" in said and "save the text" in said.lower()
    assert window.notice._offer.defaultAction() is window.menus.save and window.notice._offer.isVisible()
    (torn,) = kept_in(folder)
    assert torn.tree.document.data == b"BACA"
    disk.room = None
    qtbot.waitUntil(lambda: window.keeping.risk is None)
    assert notice(window) == ""
    assert told(kept_in(folder)[0]) == told(of_window(window))


@pytest.mark.parametrize("answer", ["Close anyway", "Cancel", "Save as"])
def test_closing_asks_where_the_text_would_be_lost(
    opened: Open, qtbot: QtBot, folder: Path, disk: Disk, tmp_path: Path, monkeypatch: Any, answer: str
) -> None:
    window = opened(keep=folder)
    QTest.keyClicks(text_field(window), "A")
    disk.error = OSError(errno.EIO, "Input/output error")
    QTest.keyClicks(text_field(window), "B")
    told_of_risk(window, qtbot)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "saved.txt"), ""))
    asked: list[str] = []

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox) and window.isVisible()
        asked.append(box.text())
        answer_box(answer)

    QTimer.singleShot(0, press)
    window.close()
    assert "lost" in asked[0] and "Input/output error" in asked[0]
    assert window.isVisible() == (answer == "Cancel")
    assert (tmp_path / "saved.txt").exists() == (answer == "Save as")
    if answer == "Save as":
        assert (tmp_path / "saved.txt").read_bytes() == b"BACAB"
    assert not window.lost


def test_closing_does_not_ask_where_nothing_is_lost(opened: Open, qtbot: QtBot, folder: Path, disk: Disk) -> None:
    """Negative control: only opened, or saved by the user."""
    window = opened(keep=folder)
    disk.error = OSError(errno.EIO, "Input/output error")
    window.playground.open_document(Text.of(b"of a file"), "name.txt")
    told_of_risk(window, qtbot)
    window.close()
    assert not window.isVisible()


def test_with_nobody_to_ask_the_exit_status_tells_of_it(
    opened: Open, qtbot: QtBot, folder: Path, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    window = opened(keep=folder)
    disk.error = OSError(errno.EROFS, "Read-only file system")
    QTest.keyClicks(text_field(window), "A")
    told_of_risk(window, qtbot)
    window.end()
    assert window.lost and not window.isVisible()
    assert "Read-only file system" in capsys.readouterr().err


def test_a_disk_that_does_not_answer_stalls_nothing_and_is_told(
    opened: Open, qtbot: QtBot, folder: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(keeping, "LOOK_MS", 20)
    monkeypatch.setattr(keeping, "SLOW", 0.2)
    window = opened(keep=folder)
    assert window.keeping.flush()
    import threading

    answer = threading.Event()
    monkeypatch.setattr(journal.Journal, "_append", lambda *_: answer.wait(30) and None)
    QTest.keyClicks(text_field(window), "A")
    assert "does not answer" in told_of_risk(window, qtbot)
    QTest.keyClicks(text_field(window), "B")
    assert window.playground.document.data == b"BACAB"
    answer.set()
    qtbot.waitUntil(lambda: window.keeping.risk is None)


def test_a_folder_that_cannot_be_made_is_told_and_tried_again(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(keeping, "LOOK_MS", 20)
    (tmp_path / "state").write_text("a file is in the way")
    window = opened(keep=tmp_path / "state" / "sessions")
    assert ("not kept" in notice(window) and "File exists" in notice(window)) or "Not a directory" in notice(window)
    QTest.keyClicks(text_field(window), "A")
    QTimer.singleShot(0, lambda: answer_box("Cancel"))
    window.close()
    assert window.isVisible()
    (tmp_path / "state").unlink()
    qtbot.waitUntil(lambda: window.keeping.risk is None)
    assert told(kept_in(tmp_path / "state" / "sessions")[0]) == told(of_window(window))


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE")
def test_a_real_limit_of_the_system_is_met_as_well(tmp_path: Path) -> None:
    """The whole program with files of at most 30 kB, closed by a signal: exit status 1, and it says why."""
    script = """
import resource, sys, os, signal
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from arplay.gui import app
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.options import WindowOptions
app.application()
def act():
    window = next(w for w in QApplication.topLevelWidgets() if hasattr(w, "keeping"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
    window.playground.handle(Typed(0, 0, b"A" * 50_000, 0))
    window.keeping.flush(20)
    os.kill(os.getpid(), signal.SIGTERM)
QTimer.singleShot(300, act)
sys.exit(app.run(WindowOptions(model="abc", prompt="BAC")))
"""
    places = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "STATE", "CACHE", "DATA")}
    said = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | places, capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 1, said.stderr
    assert "File too large" in said.stderr and "not kept" in said.stderr


# ---- damage


def session_file(opened: Open, qtbot: QtBot, folder: Path) -> Path:
    window = opened(keep=folder)
    work(window, qtbot)
    window.close()
    (file,) = folder.glob("*.jsonl")
    return file


def test_damage_is_told_put_aside_and_what_stood_before_it_is_there(opened: Open, qtbot: QtBot, folder: Path) -> None:
    file = session_file(opened, qtbot, folder)
    lines = file.read_bytes().splitlines(keepends=True)
    damaged = b"".join([*lines[:4], b'{"node": "x"}\n', *lines[4:]])
    file.write_bytes(damaged)
    window = opened(text=None, keep=folder)
    assert "line 5" in notice(window) and "session.damaged-1" in notice(window)
    assert window.playground.tree.count > 1
    assert (folder / "session.damaged-1").read_bytes() == damaged


@pytest.mark.parametrize("content", [b"\0\0\n", b"{}\n", b'{"arplay":"session","version":99}\n'])
def test_what_cannot_be_read_at_all_is_put_aside(opened: Open, folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(content)
    window = opened(text=None, keep=folder)
    assert "put aside" in notice(window) and ("newer" in notice(window)) == (b"99" in content)
    assert (folder / "session.damaged-1").read_bytes() == content
    assert window.playground.document.data == b""


def test_only_so_many_are_put_aside(folder: Path) -> None:
    folder.mkdir(parents=True)
    for i in range(recovery.MOST_DAMAGED + 3):
        (folder / "a").write_text(str(i))
        os.utime(folder / "a", (i, i))
        recovery.set_aside(folder / "a", "session")
    assert sorted(p.read_text() for p in folder.iterdir()) == ["3", "4", "5", "6", "7"]


def test_the_text_of_an_arplay_before_sessions_comes_back_and_a_damaged_one_is_put_aside(
    opened: Open, folder: Path
) -> None:
    folder.parent.mkdir()
    file = folder.with_name("last-text.json")
    file.write_text('{"runs": [{"typed": "QUI="}, {"vocabulary": "v", "ids": [1], "pieces": ["Qw=="]}]}')
    window = opened(text=None, keep=folder)
    assert window.playground.document.data == b"ABC" and len(window.playground.document.runs) == 2
    assert not file.exists()
    window.close()
    for content in ('{"runs": 7}', "{", '{"runs": [], "version": 2}'):
        file.write_text(content)
        window = opened(text=None, keep=folder)
        assert window.playground.document.data == b"ABC" and "last-text.json.damaged-" in notice(window)
        assert not file.exists()
        window.close()


def test_too_many_texts_lose_the_oldest_with_a_word(opened: Open, folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(recovery, "MOST_SESSIONS", 2)
    for number in range(4):
        window = opened(text=b"CAB", keep=folder)
        QTest.keyClicks(text_field(window), "ABC"[number % 3] * number)
        removed = notice(window)
        window.close()
    assert "“CAB”" in removed
    assert sorted(s.tree.document.data for s in kept_in(folder)) == [b"CABAAA", b"CABB", b"CABCC"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1))
def test_a_file_cut_at_any_byte_is_a_session_of_before(tmp_path: Path, where: float) -> None:
    folder = tmp_path / f"{where}"
    claim = Sessions(folder).new()
    lines = "".join(f"{line}\n" for line in kept.snapshot(Session(chain(30, 5))).lines()).encode()
    claim.path.write_bytes(lines[: int(where * len(lines))])
    claim.release()
    again = Sessions(folder).newest()
    assert again.said == []
    again.release()


def test_a_long_text_is_written_once_and_comes_back(opened: Open, qtbot: QtBot, folder: Path, monkeypatch: Any) -> None:
    long = b"ABC " * 300_000
    stored: list[int] = []
    store = journal.Journal.store
    monkeypatch.setattr(
        journal.Journal, "store", lambda self, path, data: (stored.append(len(data)), store(self, path, data))[1]
    )
    window = opened(keep=folder)
    window.playground.analyse(Text.of(long), "long.txt")
    QTest.keyClick(text_field(window), Qt.Key.Key_Right)
    assert window.keeping.flush(30) and stored == [len(long)]
    window.close()
    again = opened(text=None, keep=folder)
    assert again.playground.view.excerpt_of == "long.txt" and again.playground.scored_document.data == long
    QTest.keyClicks(text_field(again), "x")
    assert again.keeping.flush(30) and not list(folder.glob("*.long"))
