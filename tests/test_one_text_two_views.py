"""Editor and heatmap are two views of one text: opened at its start, one caret, one place when scrolled, one search."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import EXCERPT
from arplay.gui.canvases.text.area import EDITABLE, TextArea
from arplay.gui.canvases.text.heat import marks
from arplay.gui.canvases.text.heat.view import HeatView
from arplay.gui.intents import CaretMoved, Select
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from tests.windows_open import PATIENCE, Open, settle

Key, Mod = Qt.Key, Qt.KeyboardModifier
PROSE = "\n".join("CAB ABC BAC"[i % 9 :].replace(" ", "") * (1 + i % 7) for i in range(120)).replace("\n", "A").encode()


def views(window: MainWindow) -> tuple[TextArea, HeatView]:
    editor, heatmap = window.panels["editor"], window.panels["heatmap"]
    assert isinstance(editor, EditorPanel) and isinstance(heatmap, HeatmapPanel)
    return editor.canvas.area, heatmap.text


def editor_of(window: MainWindow) -> EditorPanel:
    editor = window.panels["editor"]
    assert isinstance(editor, EditorPanel)
    return editor


def seen(window: MainWindow, qtbot: QtBot) -> None:
    """Until both views show what the playground knows."""
    settle(window, qtbot)
    heat = views(window)[1]
    qtbot.waitUntil(lambda: heat.ledger is window.playground.view.ledger, timeout=PATIENCE)
    qtbot.waitUntil(lambda: heat.selected == window.playground.view.selected, timeout=PATIENCE)


def mark(heat: HeatView) -> QRectF | None:
    """The place that the heatmap shows, in its viewport."""
    if heat.selected is not None:
        return heat.rect_of(heat.selected)
    return None if heat.caret is None else marks.caret_at(heat, heat.caret)


def in_sight(area: QAbstractScrollArea, place: QRectF | None) -> bool:
    return place is not None and QRectF(area.viewport().rect()).intersects(place.adjusted(0, 0, 1, 0))


def turn(area: QAbstractScrollArea, notches: int) -> None:
    at = QPointF(area.viewport().rect().center())
    for _ in range(abs(notches)):
        delta = QPoint(0, 120 if notches > 0 else -120)
        none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
        QApplication.sendEvent(
            area.viewport(), QWheelEvent(at, at, QPoint(), delta, none, Mod.NoModifier, phase, False)
        )


# ---- opening


@pytest.mark.parametrize("before", [b"", b"CAB" * 3000])
def test_a_text_opens_at_its_start(opened: Open, qtbot: QtBot, tmp_path: Path, before: bytes) -> None:
    window = opened(text=before)
    file = tmp_path / "text.txt"
    file.write_bytes(b"BAC" * 4000)
    window.open_file(file)
    seen(window, qtbot)
    view, (area, heat) = window.playground.view, views(window)
    assert view.caret == 0 and view.selected == 0
    assert view.answer is not None and len(view.answer.prefix.ids) == 0
    assert area.verticalScrollBar().value() == 0 and heat.verticalScrollBar().value() == 0
    assert in_sight(area, QRectF(area.cursorRect())) and in_sight(heat, mark(heat))


def test_a_prompt_is_continued_at_its_end(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BAC")
    assert window.playground.view.caret == 3
    heat = views(window)[1]
    qtbot.waitUntil(lambda: heat.caret == 3)
    place = mark(heat)
    assert place is not None and abs(place.center().x() - heat.rect_of(2).right()) <= 2


# ---- one caret


def test_a_caret_in_one_is_marked_in_the_other(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark and stormy night, and the na\xc3\xafve old man went to sea. " * 20)
    area, heat = views(window)
    rows = []
    for share in (0.0, 0.9, 0.4, 0.999, 0.02):
        caret = int(share * len(window.playground.document))
        window.playground.handle(CaretMoved(caret))
        seen(window, qtbot)
        qtbot.waitUntil(lambda: heat.selected is not None or heat.caret == window.playground.view.caret)
        assert in_sight(area, QRectF(area.cursorRect())) and in_sight(heat, mark(heat)), share
        token = heat.token_of(caret)
        assert token is not None and heat.flow is not None
        rows.append(heat.flow.first_row(token))
        assert heat.selected in (token, None)
    assert len(set(rows)) > 3
    for token in (heat.token_at(QPointF(200, 40)), 250, 5):  # and the other way round
        assert token is not None and heat.ledger is not None
        heat.picked.emit(token)
        seen(window, qtbot)
        assert window.playground.view.caret == heat.ledger.starts[token]
        assert area.shown.byte(area.textCursor().position()) >= heat.ledger.starts[token]
        assert in_sight(area, QRectF(area.cursorRect())) and in_sight(heat, mark(heat))


def test_the_caret_goes_along_inside_a_token(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark night")
    heat, places = views(window)[1], []
    for caret in range(9, 14):  # " dark" and its letters
        window.playground.handle(CaretMoved(caret))
        seen(window, qtbot)
        qtbot.waitUntil(lambda: heat.selected is not None or heat.caret == window.playground.view.caret)
        place = mark(heat)
        assert place is not None
        places.append(place.center().x() if heat.selected is None else place.left())
    assert all(a < b for a, b in pairwise(places))


# ---- scrolling


def test_the_one_that_is_scrolled_leads(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=PROSE * 12)
    window.playground.handle(CaretMoved(0))
    seen(window, qtbot)
    both = views(window)
    lines = [200, 60]
    for leader, follower in (both, both[::-1]):
        for notches in (-4, -30, 9, -2000, 5, 2000):
            turn(leader, notches)
            bar, other = leader.verticalScrollBar(), follower.verticalScrollBar()
            assert (bar.value() == bar.maximum()) == (other.value() == other.maximum()) or notches == 5
            share = bar.value() / max(bar.maximum(), 1)
            led = leader.line_near(share * leader.viewport().height())
            near = follower.line_near(share * follower.viewport().height())
            assert led is not None and near is not None and abs(led[0] - near[0]) <= max(lines) * 2, (
                type(leader).__name__,
                notches,
                led,
                near,
            )
            before = bar.value()
            QApplication.processEvents()
            assert bar.value() == before, "no echo"


def test_unlinked_views_scroll_alone_and_it_is_remembered(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=PROSE * 12)
    window.playground.handle(CaretMoved(0))
    seen(window, qtbot)
    area, heat = views(window)
    editor_of(window).canvas.tools.link.click()
    qtbot.waitUntil(lambda: not window.link.on)
    turn(area, -10)
    assert area.verticalScrollBar().value() > 0 and heat.verticalScrollBar().value() == 0
    turn(heat, -3)
    window.close()
    assert not window.store.settings().link_scrolling
    editor_of(window).canvas.tools.link.click()


def test_what_a_view_does_by_itself_does_not_move_the_other(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=PROSE * 12)
    window.playground.handle(CaretMoved(0))
    seen(window, qtbot)
    area, heat = views(window)
    heat.verticalScrollBar().setValue(heat.verticalScrollBar().maximum())  # as a new layout may
    assert area.verticalScrollBar().value() == 0
    turn(heat, 1)
    assert area.verticalScrollBar().value() > 0, "negative control: the user's own scrolling does"


# ---- a text too long to edit


def test_a_long_text_is_searched_and_walked_in_the_heatmap(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"")
    data = bytearray(b"ABC" * (EDITABLE // 3 + 10))
    data[EXCERPT + 99 : EXCERPT + 102] = b"CCC"
    file = tmp_path / "long.txt"
    file.write_bytes(bytes(data))
    window.open_file(file)
    heat = views(window)[1]
    qtbot.waitUntil(lambda: heat.ledger is not None and bytes_of(heat.ledger.encoded) == bytes(data), timeout=PATIENCE)
    heat.setFocus()
    window.menus.text.edit[0].trigger()
    seek = editor_of(window).canvas.seek
    seek.field.setText("ccc")
    qtbot.waitUntil(lambda: heat.selected == EXCERPT + 99, timeout=PATIENCE)
    assert in_sight(heat, mark(heat))
    assert seek.count.text() == "1 of 1"
    assert window.playground.view.caret == 0, "the excerpt's own caret stays"
    window.playground.handle(Select(500_000))
    qtbot.waitUntil(lambda: heat.selected == 500_000, timeout=PATIENCE)
    assert in_sight(heat, mark(heat))
    window.bridge.cancel(0)
