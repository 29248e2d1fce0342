"""Documents of several kinds in one window: what waits for its model, and the keys of a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy, QTest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.image import Picture
from arplay.gui.playground import table
from arplay.models.picturefile import write_picture
from tests.test_picture_window import canvas, rows
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]

CROSS = "#.#\n.#.\n#.#\n"


def test_a_text_that_is_opened_while_its_model_loads_opens_with_it(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("xo")
    file = tmp_path / "mine.txt"
    file.write_text("ABCAB")
    window.choose_model("abc")
    window.open_file(file)
    qtbot.waitUntil(lambda: window.playground.document.file == b"ABCAB", timeout=PATIENCE)
    settle(window, qtbot)
    assert window.notice.said is None and window.playground.view.name == "mine.txt"
    window.choose_model("xo")
    qtbot.waitUntil(lambda: isinstance(window.playground.document, Picture), timeout=PATIENCE)
    settle(window, qtbot)
    window.open_file(file)  # the negative control: no model is on its way that reads it
    assert window.notice.said is not None and isinstance(window.playground.document, Picture)


def test_a_picture_that_is_opened_before_any_model_waits_for_it(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "cross.png"
    write_picture(file, Picture(3, ".#", (1, 0, 1, 0, 1, 0, 1, 0, 1)))
    window = opened("xo", None, file=file)
    qtbot.waitUntil(lambda: rows(window) == CROSS.split(), timeout=PATIENCE)
    assert window.notice.said is None
    window.choose_model("abc")
    qtbot.waitUntil(lambda: not isinstance(window.playground.document, Picture), timeout=PATIENCE)
    settle(window, qtbot)
    window.open_file(file)  # the negative control: no model is on its way that reads it
    assert window.notice.said is not None and "this model reads text" in window.notice.said[0]


def test_a_text_that_no_model_came_for_is_told(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("xo")
    file = tmp_path / "mine.txt"
    file.write_text("ABCAB")
    window.choose_model(str(tmp_path / "nothing"))
    window.open_file(file)
    qtbot.waitUntil(lambda: window.notice.said is not None and "picture" in window.notice.said[0], timeout=PATIENCE)


def test_training_does_not_take_the_text_that_waits(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc")
    form = window.training.open().form
    form.files.use_editor.click()
    assert len(form.files.found) == 1, "the negative control"
    window.choose_model("xo")
    qtbot.waitUntil(lambda: isinstance(window.playground.document, Picture), timeout=PATIENCE)
    with qtbot.waitSignal(form.reported) as told:
        form.files.use_editor.click()
    assert "no text" in told.args[0] and len(form.files.found) == 1


def levels(signs: str, columns: int, file: Path) -> str:
    """A model of one row of pixels."""
    file.write_text(
        json.dumps(
            {"name": file.stem, "signs": signs, "patterns": [{"p": 1, "slip": 0.5, "rows": [signs[0] * columns]}]}
        )
    )
    return str(file)


@pytest.mark.parametrize("signs", ["#.", "0123456789", "0123456789abcdef"])
def test_every_level_of_sixteen_has_a_key(signs: str, opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(levels(signs, 20, tmp_path / "levels.json"))
    keys, grid = "0123456789abcdef"[: len(signs)], canvas(window).grid
    grid.setFocus()
    for key in f"{keys}g":  # which paints nothing
        QTest.keyClicks(grid, key)
        settle(window, qtbot)
    assert rows(window)[0] == signs + "?" * (20 - len(keys))
    told = [canvas(window).choices.button(level).toolTip() for level in range(len(signs))]
    assert all(f"(key {key.upper()})" in tip for key, tip in zip(keys, told, strict=True))


def test_so_many_pictures_wait_and_what_is_written_always(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST_WAITING", 3)
    window = opened("abc")
    play = window.playground
    told = QSignalSpy(play.reported)
    for columns in range(1, 6):
        play.load_model(levels("#.", columns, tmp_path / f"{columns}.json"))
        qtbot.waitUntil(lambda: len(play.document) == columns, timeout=PATIENCE)  # noqa: B023
        settle(window, qtbot)
        canvas(window).grid.setFocus()
        QTest.keyClick(canvas(window).grid, Qt.Key.Key_1)
        settle(window, qtbot)
        assert told.count() == max(0, columns - 3)
    assert [len(one.tree.document) for one in play.table.beside] == [3, 3, 4]
    assert play.table.text.file == b"BAC" and "given up" in told.at(0)[0]
