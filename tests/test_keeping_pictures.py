"""Pictures come back as texts do, through the real window: closed, beside a text, with another model, damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.image import Picture
from arplay.core.modalities.text import Text
from arplay.gui.canvases.picture.painted import Painted
from arplay.gui.intents import Do, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.playground import recovery
from tests.sessions import kept_in, of_window, told
from tests.windows_open import PATIENCE, Open, notice, opened, settle

__all__ = ["opened"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions"


def work(window: MainWindow, qtbot: QtBot) -> None:
    """Fixed pixels, samples, picks, undo, another branch, a picture that was opened."""
    play = window.playground
    for intent in (Painted((4, 8), 1), Do("step"), Take(1), Do("step"), Painted((8,), None), Do("rewind")):
        play.handle(intent)
        settle(window, qtbot)
    play.undo_stack.undo()
    play.undo_stack.undo()
    play.handle(Do("reroll"))
    settle(window, qtbot)
    play.handle(Do("step"))
    settle(window, qtbot)
    play.undo_stack.undo()
    settle(window, qtbot)


def rows(window: MainWindow) -> list[str]:
    document = window.playground.document
    assert isinstance(document, Picture)
    return document.rows


def laid(window: MainWindow, model: str, kind: type, qtbot: QtBot) -> None:
    window.playground.load_model(model)
    qtbot.waitUntil(lambda: isinstance(window.playground.document, kind), timeout=PATIENCE)
    settle(window, qtbot)


def everything(window: MainWindow) -> list[object]:
    return [told(of_window(window)), *map(told, window.playground.table.beside)]


def test_all_of_it_comes_back_after_closing_and_undo_goes_on(opened: Open, qtbot: QtBot, folder: Path) -> None:
    window = opened("xo", keep=folder)
    work(window, qtbot)
    window.playground.open_document(Picture(3, ".#", (1, None, 0) * 3), "stripes.png")
    settle(window, qtbot)
    before, stack = everything(window), window.playground.undo_stack
    said = [stack.text(i) for i in range(stack.count())]
    assert len(before) == 2, "the text waits"
    window.close()
    again = opened("xo", text=None, keep=folder)
    assert everything(again) == before and notice(again) == ""
    assert again.windowTitle().startswith("stripes.png") and rows(again) == ["#?."] * 3
    stack = again.playground.undo_stack
    assert [stack.text(i) for i in range(stack.count())] == said
    while stack.canUndo():
        stack.undo()
    settle(again, qtbot)
    assert rows(again) == ["???"] * 3
    laid(again, "abc", type(again.playground.table.text), qtbot)
    assert again.playground.table.text.file == b"BAC"


def test_what_is_on_the_disk_is_what_the_window_shows_at_every_moment(opened: Open, qtbot: QtBot, folder: Path) -> None:
    window = opened("xo", keep=folder)
    seen: list[bool] = []

    def compare() -> None:
        assert window.keeping.flush()
        (session,) = kept_in(folder)
        seen.append([told(session), *map(told, session.beside)] == everything(window))

    window.playground.changed.connect(lambda _: QTimer.singleShot(0, compare))
    work(window, qtbot)
    QApplication.processEvents()
    assert len(seen) > 10 and all(seen)


def test_a_window_that_keeps_no_pictures_is_seen(
    opened: Open, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    window = opened("xo", keep=folder)
    monkeypatch.setattr(window.keeping, "_append", lambda line: None)
    work(window, qtbot)
    assert told(kept_in(folder)[0]) != told(of_window(window))


@pytest.mark.parametrize("models", [("xo", "abc"), ("abc", "xo")])
def test_what_the_model_cannot_read_waits_and_is_kept(
    models: tuple[str, str], opened: Open, qtbot: QtBot, folder: Path
) -> None:
    window = opened("abc", keep=folder)
    text = window.playground.document
    laid(window, "xo", Picture, qtbot)
    work(window, qtbot)
    picture = window.playground.document
    if models[0] == "abc":
        laid(window, "abc", type(text), qtbot)
    window.close()
    for _ in range(2):
        again = opened(models[1], text=None, keep=folder)
        assert again.playground.document == (text if models[1] == "abc" else picture)
        again.close()
    last = opened(models[0], text=None, keep=folder)
    assert last.playground.document == (text if models[0] == "abc" else picture)
    assert last.playground.undo_stack.canUndo() == (models[0] == "xo")


def test_an_earlier_session_of_the_other_kind_waits_and_nothing_is_mixed(
    opened: Open, qtbot: QtBot, folder: Path
) -> None:
    first = opened("abc", text=b"first", keep=folder)
    first.close()
    window = opened("xo", text=b"second", keep=folder)
    work(window, qtbot)
    picture = window.playground.document
    told_: list[str] = []
    window.playground.refused.connect(told_.append)
    (left,) = window.keeping.left()
    window.keeping.open(left.path)
    settle(window, qtbot)
    assert rows(window) == ["???"] * 3 and window.playground.table.text.file == b"first"
    assert told_ == ["xo does not read this text: choose a model that does, it is there then"]
    (left,) = window.keeping.left()
    assert left.about.begins.startswith("Picture ") and left.about.written
    window.keeping.open(left.path)
    settle(window, qtbot)
    assert window.playground.document == picture and window.playground.table.text.file == b"second"


def test_pictures_of_another_size_wait_too(opened: Open, qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    pattern = {"p": 1, "slip": 0.25, "rows": ["#."]}
    (tmp_path / "two.json").write_text(json.dumps({"name": "two", "signs": ".#", "patterns": [pattern]}))
    window = opened("xo", keep=folder)
    work(window, qtbot)
    nine = rows(window)
    window.playground.load_model(str(tmp_path / "two.json"))
    qtbot.waitUntil(lambda: len(window.playground.document) == 2, timeout=PATIENCE)
    settle(window, qtbot)
    window.playground.handle(Do("step"))
    settle(window, qtbot)
    two = rows(window)
    window.close()
    again = opened(str(tmp_path / "two.json"), text=None, keep=folder)
    assert rows(again) == two
    again.playground.load_model("xo")
    qtbot.waitUntil(lambda: len(again.playground.document) == 9, timeout=PATIENCE)
    assert rows(again) == nine


@pytest.mark.parametrize("kind", ["text", "picture"])
def test_what_is_damaged_is_put_aside_and_the_other_document_comes_back(
    kind: str, opened: Open, qtbot: QtBot, folder: Path
) -> None:
    window = opened("xo", keep=folder)
    work(window, qtbot)
    picture = window.playground.document
    window.close()
    (file,) = folder.glob("*.jsonl")
    lines = file.read_bytes().split(b"\n")
    (_, begins) = (i for i, line in enumerate(lines) if line.startswith(b'{"root":'))
    lines[begins if kind == "picture" else 1] = b'{"root":{"rows":["x"]}}'
    file.write_bytes(b"\n".join(lines))
    again = opened("xo" if kind == "text" else "abc", text=None, keep=folder)
    assert "put aside" in notice(again) and list(folder.glob("*.damaged-1"))
    assert recovery.read(next(folder.glob("*.jsonl")))[1] == ""
    if kind == "text":
        assert again.playground.document == picture and again.playground.table.text.file == b""
    else:
        assert again.playground.table.text.file == b"BAC" and not again.playground.table.beside


def test_a_long_text_waits_with_its_end(opened: Open, qtbot: QtBot, folder: Path) -> None:
    window = opened("abc", keep=folder)
    long = b"ABCCBA" * 4_000
    window.playground.analyse(Text.of(long), "long.txt")
    laid(window, "xo", Picture, qtbot)
    work(window, qtbot)
    window.close()
    again = opened("xo", text=None, keep=folder)
    laid(again, "abc", type(again.playground.table.text), qtbot)
    assert again.playground.long is not None and again.playground.long.file == long


def test_new_clears_the_picture_and_undo_brings_it_back(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    work(window, qtbot)
    before = rows(window)
    window.menus._new()
    settle(window, qtbot)
    assert rows(window) == ["???"] * 3 and window.playground.table.text.file == b"BAC"
    window.playground.undo_stack.undo()
    settle(window, qtbot)
    assert rows(window) == before
