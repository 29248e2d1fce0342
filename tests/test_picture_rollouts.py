"""Half a picture completed several times: small pictures with their log p, compared and taken by mouse and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.image import Picture, Raster
from arplay.gui.canvases.picture.canvas import CLEAR
from arplay.gui.contract import CaretMoved
from arplay.models.picturefile import write_picture
from tests.test_continuations_panel import click, done, panel_of
from tests.test_picture_window import canvas, rows, scored
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_half_a_digit_is_completed_four_ways_and_one_is_taken(
    by: str, opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = opened("digits")
    panel, play = panel_of(window), window.playground
    tokens = play.view.loaded and play.view.loaded.vocabulary
    assert isinstance(tokens, Raster)
    whole = Picture(8, tokens.signs, tuple((5 * cell) % 17 for cell in range(64)))
    write_picture(tmp_path / "whole.png", whole)
    window.open_file(tmp_path / "whole.png")
    settle(window, qtbot)
    assert play.document == whole
    play.handle(CaretMoved(32))
    settle(window, qtbot)
    grid, undone = canvas(window).grid, play.undo_stack.count()
    if by == "mouse":
        click(canvas(window).clear_rest)
    else:
        QTest.keyClick(grid, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    settle(window, qtbot)
    assert play.undo_stack.count() == undone + 1 and not canvas(window).clear_rest.isEnabled()
    assert "".join(rows(window)[4:]) == "?" * 32 and "?" not in "".join(rows(window)[:4])

    panel.count.setValue(4)
    assert panel.tokens.text() == "to the end"
    if by == "mouse":
        click(panel.run)
    else:
        panel.run.setFocus()
        QTest.keyClick(panel.run, Qt.Key.Key_Return)
    done(window, qtbot)
    assert panel.tiles.isVisible() and not panel.rows.isVisible()
    drawn = panel.rows.table.rows
    assert len(drawn) == 4 and all(each.stopped == "complete" and len(each.steps) == 32 for each in drawn)
    if by == "mouse":
        at = panel.tiles.visualRect(panel.rows.table.index(2, 0)).center()
        QTest.mouseClick(panel.tiles.viewport(), Qt.MouseButton.LeftButton, pos=at)
    else:
        panel.tiles.setFocus()
        QTest.keyClick(panel.tiles, Qt.Key.Key_Right)
        QTest.keyClick(panel.tiles, Qt.Key.Key_Right)
    chosen = panel.rows.current
    assert chosen is drawn[2] and "log p" in panel.looked.full
    tile = panel.tiles.viewport().grab(panel.tiles.visualRect(panel.rows.table.index(2, 0))).toImage()
    seen = {tile.pixel(x, y) for x in range(tile.width()) for y in range(tile.height())}
    assert len(set(chosen.ids)) < len(seen), "its greys are seen, also where it is chosen"
    if by == "mouse":
        QTest.mouseDClick(panel.tiles.viewport(), Qt.MouseButton.LeftButton, pos=at)
    else:
        QTest.keyClick(panel.tiles, Qt.Key.Key_Return)
    scored(window, qtbot)
    assert "\n".join(rows(window)) == chosen.text and play.view.caret == 64
    ledger = play.view.ledger
    assert ledger is not None and ledger.logprob[32:].sum() == pytest.approx(chosen.logprob, abs=1e-3)
    image = panel.rows.table.thumbnail
    assert image is not None and image(chosen.ids).width() == 8
    wanted = [round(255 * (1 - tokens.signs.index(sign) / 16)) for sign in chosen.text.replace("\n", "")]
    shown = image(chosen.ids)
    assert [shown.pixelColor(cell % 8, cell // 8).red() for cell in range(64)] == wanted


def test_a_stroke_of_the_mouse_is_one_undo_and_leaves_no_pixel_out(opened: Open, qtbot: QtBot) -> None:
    window = opened("digits")
    made, play = canvas(window), window.playground
    made.choices.button(16).click()

    def at(cell: int) -> QPoint:
        return made.grid.rect_of(cell).center().toPoint()

    QTest.mousePress(made.grid, Qt.MouseButton.LeftButton, pos=at(0))
    QTest.mouseMove(made.grid, at(63))  # at once over all between them
    QTest.mouseRelease(made.grid, Qt.MouseButton.LeftButton, pos=at(63))
    settle(window, qtbot)
    diagonal = [cell for cell, level in enumerate(getattr(play.document, "cells", ())) if level is not None]
    assert diagonal == list(range(0, 64, 9)) and play.undo_stack.count() == 1
    assert made.grid.squares[0].fill != made.grid.squares[9].fill, "what is read, and what is not yet"
    assert made.grid.squares[1].fill is None
    made.choices.button(CLEAR).click()
    QTest.mouseClick(made.grid, Qt.MouseButton.LeftButton, pos=at(0))
    settle(window, qtbot)
    assert rows(window)[0] == "?" * 8
    play.undo_stack.undo()
    play.undo_stack.undo()
    assert rows(window) == ["?" * 8] * 8
