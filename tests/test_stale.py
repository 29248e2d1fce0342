"""What is shown belongs to one moment: an old answer is dimmed and told, in the real window with a worker at a gate."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QToolTip, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.core.reading import Reading
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Change
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.decoding import NOTHING
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.panels.next_token import NO_FIRST
from arplay.gui.stale import waited_for
from arplay.gui.store import Store
from arplay.gui.widgets.bars.view import REFUSED
from tests.small_model import SmallModel
from tests.test_worker import Gate
from tests.windows_open import PATIENCE, settle, text_field

Make = Callable[..., MainWindow]


@pytest.fixture
def gated(qtbot: QtBot, tmp_path: Path) -> Iterator[tuple[MainWindow, Gate, Gate]]:
    """A window that no model is loaded in, a gate before its load and one before each forward pass (open)."""
    load, forward = Gate(), Gate(shut=False)
    model = SmallModel(context=None, before_forward=forward)

    def loader(spec: str, device: str, dtype: str, report: Callable[[float | None, str], None]) -> SmallModel:
        report(None, "reading the weights")
        load()
        return model

    window = MainWindow(Store(tmp_path / "arplay.ini"), Bridge(load=loader), "light")
    qtbot.addWidget(window, before_close_func=lambda each: each.keeping.end())
    window.show()
    yield window, load, forward
    load.open()
    forward.open()
    window.hide()
    window.keeping.end()
    assert window.playground.close(30)


def veils(window: MainWindow) -> list[bool]:
    return [veil.isVisible() for veil in window.waiting.veils]


def ready(window: MainWindow, load: Gate, qtbot: QtBot, text: bytes = b"BAC") -> None:
    load.open()
    window.playground.open_document(Text.of(text), at_end=True)
    window.playground.load_model("small")
    qtbot.waitUntil(lambda: window.playground.view.loaded is not None)
    settle(window, qtbot)


def test_a_slow_answer_is_told_and_cleared(gated: tuple[MainWindow, Gate, Gate], qtbot: QtBot) -> None:
    window, load, forward = gated
    ready(window, load, qtbot)
    assert not any(veils(window))
    layout = {name: panel.geometry() for name, panel in window.panels.items()}
    forward.shut = True
    window.playground.open_document(Text.of(b"ABCABC"), at_end=True)
    qtbot.waitUntil(lambda: any(veils(window)))
    assert {veil.words for veil in window.waiting.veils} == {"Reading 6 bytes…"}
    assert {name: panel.geometry() for name, panel in window.panels.items()} == layout
    forward.open()
    settle(window, qtbot)
    assert not any(veils(window)) and not waited_for(window.playground.view)


def test_quick_answers_are_never_told(gated: tuple[MainWindow, Gate, Gate], qtbot: QtBot) -> None:
    window, load, _ = gated
    ready(window, load, qtbot)
    window.waiting._timer.setInterval(1_000_000)  # whatever comes before it is quick, on any machine
    for caret in (0, 1, 2, 3):
        window.playground.caret.move(caret)
        settle(window, qtbot)
        assert not any(veils(window)) and not window.waiting._timer.isActive()


@pytest.mark.parametrize("seed", range(3))
def test_keys_on_old_bars_are_refused_in_words(gated: tuple[MainWindow, Gate, Gate], qtbot: QtBot, seed: int) -> None:
    window, load, forward = gated
    ready(window, load, qtbot)
    chart = window.panels["next_token"].bars  # type: ignore[attr-defined]
    draw = random.Random(seed)
    forward.shut = True
    window.playground.open_document(Text.of(bytes(draw.choices(b"ABC", k=8))), at_end=True)
    qtbot.waitUntil(lambda: any(veils(window)))
    before, steps = window.playground.document, 0
    for key in draw.choices((Qt.Key.Key_Return, Qt.Key.Key_Right, Qt.Key.Key_Space, "click"), k=8):
        QToolTip.hideText()
        chart.setAccessibleDescription("")
        if key == "click":
            where = chart.row_area(0).center().toPoint()
            qtbot.mouseClick(chart.viewport(), Qt.MouseButton.LeftButton, pos=where)
        else:
            qtbot.keyClick(chart, key)
        if key == Qt.Key.Key_Space:
            steps += 1
        else:
            assert chart.accessibleDescription() == REFUSED
    assert window.playground.document is before
    forward.open()
    qtbot.waitUntil(lambda: not window.playground.view.stale and not window.playground.writing.waiting)
    settle(window, qtbot)
    node, written = window.playground.tree.node, 0
    while node.step is not None and node.parent is not None:
        node, written = node.parent, written + 1
    assert written == steps  # each Space is kept; no click on old bars writes
    qtbot.keyClick(chart, Qt.Key.Key_Return)  # negative control: on bars of this moment it does
    assert len(window.playground.document) > len(before)
    settle(window, qtbot)


def test_the_empty_prefix_is_told_only_for_an_empty_prefix(gated: tuple[MainWindow, Gate, Gate], qtbot: QtBot) -> None:
    window, load, forward = gated
    ready(window, load, qtbot)
    window.playground.caret.move(0)
    settle(window, qtbot)
    chart, decoding = window.panels["next_token"], window.panels["decoding"]
    qtbot.waitUntil(lambda: NOTHING in decoding.step.toolTip())  # type: ignore[attr-defined]
    assert chart.bars.message == NO_FIRST  # type: ignore[attr-defined]
    forward.shut = True
    window.playground.open_document(Text.of(b"CCC"), at_end=True)
    qtbot.waitUntil(lambda: any(veils(window)))
    assert chart.bars.message != NO_FIRST  # type: ignore[attr-defined]
    assert NOTHING not in decoding.step.toolTip() and decoding.step.isEnabled()  # type: ignore[attr-defined]
    forward.open()
    settle(window, qtbot)


def test_loading_tells_its_phase_and_keeps_the_first_token(gated: tuple[MainWindow, Gate, Gate], qtbot: QtBot) -> None:
    window, load, _ = gated
    window.playground.open_document(Text.of(b"BAC"), at_end=True)
    window.playground.load_model("small")
    load.reached()
    words = window.status._what
    qtbot.waitUntil(lambda: "reading the weights" in words.full and " s" in words.full)
    assert words.full.startswith("Loading small")
    chosen = Reading(first_token="bos")
    window.panels["editor"].intent.emit(Change(replace(window.playground.view.settings, reading=chosen)))
    load.open()
    qtbot.waitUntil(lambda: window.playground.view.loaded is not None)
    settle(window, qtbot)
    assert window.playground.view.settings.reading == chosen
    assert not window.status._work.isVisible() and not window.status._clock.isActive()


def test_reading_on_is_cancelled_in_words_and_asked_again(
    gated: tuple[MainWindow, Gate, Gate], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, load, forward = gated
    ready(window, load, qtbot)
    monkeypatch.setattr("arplay.engine.explore.REPORT_SECONDS", 0.0)
    play, status = window.playground, window.status
    forward.shut, forward.free = True, 3
    play.open_document(Text.of(b"CAB" * 600), at_end=True)
    forward.reached()
    qtbot.waitUntil(lambda: "Reading 1,200 tokens" in status._what.full)
    button = status._cancel
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    forward.open()
    qtbot.waitUntil(lambda: play.view.problem is not None and "cancelled" in play.view.problem[0])
    assert not any(veils(window)) and not button.isVisible()
    play.caret.move(3)
    settle(window, qtbot)
    assert play.view.problem is None and play.view.answer is not None


def test_what_holds_a_scoring_stays_bright_and_works_below_the_veil(
    gated: tuple[MainWindow, Gate, Gate], qtbot: QtBot
) -> None:
    window, load, forward = gated
    ready(window, load, qtbot, b"CAB" * 60)
    play, panel = window.playground, cast(HeatmapPanel, window.panels["heatmap"])
    row = panel.row
    play.caret.move(0)
    settle(window, qtbot)
    forward.shut = True
    qtbot.keyClicks(text_field(window), "B")
    veil = next(veil for veil in window.scores_waiting.veils if veil.parent() is panel)
    qtbot.waitUntil(lambda: veil.isVisible() and row.hold.isVisible() and row.end.isVisible(), timeout=PATIENCE)
    assert play.view.scores_are_old and veil.words.startswith("Scoring ")

    def bare_and_covered(part: QWidget) -> tuple[QImage, QImage]:
        place = QRect(part.mapTo(window, QPoint()), part.size()).adjusted(4, 4, -4, -4)
        covered = window.grab(place).toImage()
        veil.hide()
        bare = window.grab(place).toImage()
        veil.show()
        return bare, covered

    for button in (row.hold, row.end, row.reading):
        bare, covered = bare_and_covered(button)
        assert covered == bare, button.accessibleName()
        assert panel.childAt(button.mapTo(panel, button.rect().center())) is button
    bare, covered = bare_and_covered(panel.figures)
    assert covered != bare, "the figures are of the text before"
    qtbot.mouseClick(row.hold, Qt.MouseButton.LeftButton)
    assert play.view.halted == "paused"
    forward.open()
    qtbot.waitUntil(lambda: row.hold.accessibleName() == "Resume scoring", timeout=PATIENCE)
    assert veil.isVisible() and veil.words == "Scores of the text before the last change", veil.words
    qtbot.mouseClick(row.hold, Qt.MouseButton.LeftButton)
    settle(window, qtbot)
    qtbot.waitUntil(lambda: not veil.isVisible(), timeout=PATIENCE)
    assert play.ledger is not None and play.ledger.complete
