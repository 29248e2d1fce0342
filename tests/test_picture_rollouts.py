"""Half a picture completed several times: small pictures with their log p, compared and taken by mouse and keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.image import Picture, Raster
from arplay.gui import files
from arplay.gui.canvases.picture.canvas import CLEAR
from arplay.gui.intents import CaretMoved
from arplay.models.picturefile import write_picture
from tests.test_continuations_panel import click, done, panel_of
from tests.test_picture_window import canvas, rows, scored
from tests.windows_open import PATIENCE, Open, opened, settle

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
    for mode in panel.modes.values():
        click(mode)
        click(panel.run)
        done(window, qtbot)
        assert window.notice.said is not None and "clear it and what follows" in window.notice.said[1]
        window.notice.forget()
    click(panel.modes["rollouts"])
    grid, undone = canvas(window).grid, play.undo_stack.count()
    if by == "mouse":
        click(canvas(window).clear_rest)
    else:
        QTest.keyClick(grid, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    settle(window, qtbot)
    assert play.undo_stack.count() == undone + 1 and not canvas(window).clear_rest.isEnabled()
    assert "".join(rows(window)[4:]) == "?" * 32 and "?" not in "".join(rows(window)[:4])

    panel.fields.count.setValue(4)
    assert panel.fields.tokens.text() == "to the end"
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


def test_pictures_come_and_go_by_files_and_clipboard_and_what_changes_is_said(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = opened("digits")
    play, grid = window.playground, canvas(window).grid
    tokens = play.view.loaded and play.view.loaded.vocabulary
    assert isinstance(tokens, Raster)
    wide = np.zeros((20, 40, 3), np.uint8)
    wide[..., 0] = np.arange(40) * 6
    Image.fromarray(wide).save(tmp_path / "wide.png")
    window.open_file(tmp_path / "wide.png")
    settle(window, qtbot)
    said = window.notice.said and window.notice.said[0]
    for words in ("wide.png: scaled from 40 × 20 to 8 × 8 pixels", "without its colours", "cut into 17 levels"):
        assert said is not None and words in said
    assert rows(window)[0] == rows(window)[-1] == tokens.signs[0] * 8, "white where it is not as high"
    read = rows(window)
    assert files.save(tmp_path / "again.png", window)
    QTest.keyClick(grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    image = QGuiApplication.clipboard().image()
    window.notice.forget()
    play.clear()
    QTest.keyClick(grid, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    settle(window, qtbot)
    assert rows(window) == read and window.notice.said is None, "exact among ourselves"
    play.clear()
    dropped = QMimeData()  # as a browser gives it: an image, and an address that is no file here
    dropped.setImageData(QImage.fromData((tmp_path / "wide.png").read_bytes()))
    dropped.setUrls([QUrl("https://example.org/wide.png")])
    kinds_of = Qt.DropAction.CopyAction, dropped, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    over, event = QDragEnterEvent(QPoint(30, 30), *kinds_of), QDropEvent(QPointF(30, 30), *kinds_of)
    for each in (over, event):
        QApplication.sendEvent(canvas(window), each)
        assert each.isAccepted()
    settle(window, qtbot)
    said = window.notice.said and window.notice.said[0]
    assert rows(window) == read and said is not None and "what was dropped was scaled from 40 × 20" in said
    play.clear()
    QTest.keyClick(grid, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: play.view.caret > 1, timeout=PATIENCE)
    QTest.keyClick(grid, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: not play.view.playing, timeout=PATIENCE)
    play.clear()
    window.open_file(tmp_path / "again.png")
    settle(window, qtbot)
    assert rows(window) == read and window.notice.said is None, "a file of ours is read as it is"
    QTest.keyClick(grid, Qt.Key.Key_Right)
    QTest.keyClick(grid, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    assert not files.save(tmp_path / "part.png", window) and not (tmp_path / "part.png").exists()
    assert window.notice.said is not None and "not complete" in window.notice.said[0]
    QGuiApplication.clipboard().setImage(image)
    QTest.keyClick(grid, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    settle(window, qtbot)
    assert rows(window) == read and "scaled from 256 × 256" in window.notice.said[0]
    QGuiApplication.clipboard().setText("no picture")
    QTest.keyClick(grid, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert rows(window) == read and "was given to a model of 8 × 8" in window.notice.said[0]


def test_a_stroke_of_the_mouse_is_one_undo_and_leaves_no_pixel_out(opened: Open, qtbot: QtBot) -> None:
    window = opened("digits")
    made, play = canvas(window), window.playground
    window.resize(1280, 1000)
    window.set_theme("dark")
    settle(window, qtbot)
    bars = window.panels["next_token"].grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    seen = np.frombuffer(bytes(bars.constBits()), np.uint32).reshape(bars.height(), -1) & 0xFFFFFF
    blocks = np.lib.stride_tricks.sliding_window_view(seen, (4, 4)).reshape(-1, 16)
    greys = set(blocks[(blocks == blocks[:, :1]).all(1), 0].tolist())
    assert {0, 0x808080, 0xFFFFFF} <= greys, "black, the grey between and white are what they are in the dark, too"
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
