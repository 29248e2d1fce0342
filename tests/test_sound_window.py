"""A model of sound in the real window: gone through by mouse and keys, sampled, undone, exported."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import cast

import miniaudio
import numpy as np
import pytest
import torch
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arplay.core.distribution import Distribution
from arplay.core.modalities.sound import Amplitudes, Sound
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.gui import files, kinds
from arplay.gui.canvases.sound.canvas import SoundCanvas
from arplay.gui.canvases.sound.heat import SoundHeat
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.continuations import ContinuationsPanel
from arplay.gui.panels.decoding import DecodingPanel
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.panels.next_token import NextTokenPanel
from arplay.gui.widgets.bars.levels import binned
from arplay.gui.widgets.rollout_tiles import best
from arplay.models.families.wavenet.network import Network, Sizes
from arplay.models.wavefile import read_sound
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

TOKENS = Amplitudes(8000)
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def speech(tmp_path: Path) -> str:
    torch.manual_seed(0)
    (tmp_path / "voice").mkdir()
    Network(Sizes(256, 4, 8, 3, 1, 8000)).save_pretrained(tmp_path / "voice")
    return str(tmp_path / "voice")


def canvas(window: MainWindow) -> SoundCanvas:
    found = cast(EditorPanel, window.panels["editor"]).canvas
    assert isinstance(found, SoundCanvas) and found.isVisible()
    return found


def test_a_sound_is_gone_through_sampled_and_undone(opened: Open, qtbot: QtBot, speech: str, tmp_path: Path) -> None:
    window = opened(speech, None)
    play = window.playground
    assert kinds.of_document(play.view.document).name == "sound" and "Nothing yet" in canvas(window).strip.empty
    play.open_document(TOKENS.sound(bytes(range(100, 150))), at_end=True)
    settle(window, qtbot)
    strip, heat = canvas(window).strip, cast(HeatmapPanel, window.panels["heatmap"]).heat
    assert isinstance(heat, SoundHeat) and play.view.caret == 50
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(strip.width() // 2, 10))
    settle(window, qtbot)
    assert abs(play.view.caret - 25) <= 1 and "next: 2" in canvas(window).words.full
    QTest.keyClick(strip, Qt.Key.Key_End)
    QTest.keyClick(strip, Qt.Key.Key_Left)
    settle(window, qtbot)
    assert play.view.caret == 49
    QTest.keyClick(strip, Qt.Key.Key_Right)
    settle(window, qtbot)
    QTest.keyClick(strip, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(play.view.document) == 51)
    settle(window, qtbot)
    sound = play.view.document
    assert isinstance(sound, Sound) and play.view.caret == 51
    QTest.keyClick(strip, Qt.Key.Key_Backspace)
    settle(window, qtbot)
    assert len(play.view.document) == 50
    for view in (strip, heat.strip, canvas(window).spectrum):
        assert view.grab().toImage().pixelColor(2, 2).isValid()


def test_zoom_selection_cards_and_listening(opened: Open, qtbot: QtBot, speech: str) -> None:
    window = opened(speech, None)
    play, shown = window.playground, canvas(window)
    strip, heat = shown.strip, cast(HeatmapPanel, window.panels["heatmap"]).heat
    tone = 0.5 * np.sin(2 * np.pi * 1000 / 8000 * np.arange(800))
    play.open_document(TOKENS.sound(TOKENS.ids(tone).tobytes()), at_end=True)
    settle(window, qtbot)
    assert strip.shown.reach == 8 and "the 8 that bear on it" in shown.words.full
    QTest.keyClick(strip, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    settle(window, qtbot)
    assert play.view.caret == 720, "10 ms back"

    for _ in range(2):
        QTest.keyClick(strip, Qt.Key.Key_Plus, CONTROL)
    assert len(strip.stretch) == 200 and strip.stretch.first <= 720 <= strip.stretch.stop
    assert len(heat.strip.stretch) == 800, "the heatmap has a stretch of its own"
    turn = QPointF(strip.width() / 4, 20)
    index = strip.index_at(turn.x())
    wheel = QWheelEvent(
        turn, strip.mapToGlobal(turn), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    strip.wheelEvent(wheel)
    assert len(strip.stretch) == 160 and abs(strip.index_at(turn.x()) - index) <= 1, "at the pointer"
    QTest.keyClick(strip, Qt.Key.Key_Home)
    settle(window, qtbot)
    assert play.view.caret == 0 and strip.stretch.first == 0, "what comes next is in sight"
    QTest.keyClick(strip, Qt.Key.Key_0, CONTROL)
    assert len(strip.stretch) == 800

    left, right = QPoint(strip.width() // 4, 10), QPoint(strip.width() // 2, 10)
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=left)
    QTest.mouseMove(strip, right)
    QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=right)
    assert strip.selection is not None and "selected" in shown.words.full and play.view.caret == 0
    assert abs(strip.selection[0] - 200) <= 1 and abs(strip.selection[1] - 400) <= 1
    assert shown.selected_tokens(play.view.ledger) == strip.selection

    for told in (strip.tell(400), heat.strip.tell(400)):
        lines = dict(told.lines)
        assert told.where == "sample 401" and lines["time"] == "50.000 ms" and lines["surprisal"].endswith(" bits")
        assert float(lines["amplitude"]) == pytest.approx(0, abs=0.01)

    shown.player.backends = [miniaudio.Backend.CUSTOM]  # which is none
    QTest.mouseClick(shown.listen, Qt.MouseButton.LeftButton)
    assert "no sound device" in shown.words.full.lower() and shown.listen.text() == "Play sound"
    QTest.keyClick(strip, Qt.Key.Key_Escape)
    QTest.keyClick(strip, Qt.Key.Key_Right)
    settle(window, qtbot)
    assert "next: 2 at" in shown.words.full, "the rest goes on"
    shown.player.backends = [miniaudio.Backend.NULL]  # a device in its own time, that nobody hears
    QTest.keyClick(strip, Qt.Key.Key_Escape)
    assert strip.selection is None
    QTest.keyClick(strip, Qt.Key.Key_L)
    assert shown.listen.text() == "Stop" and "no sound device" not in shown.words.full
    qtbot.waitUntil(lambda: strip.heard is not None and strip.heard > 0)
    QTest.keyClick(strip, Qt.Key.Key_L)
    assert strip.heard is None and shown.listen.text() == "Play sound"
    QTest.keyClick(strip, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: shown.listen.text() == "Play sound")  # it ends by itself


def test_256_rows_are_read_in_parts_in_order(opened: Open, qtbot: QtBot, speech: str) -> None:
    window = opened(speech, None)
    play, chart = window.playground, cast(NextTokenPanel, window.panels["next_token"])
    play.open_document(TOKENS.sound(bytes([128] * 20)), at_end=True)
    settle(window, qtbot)
    window.resize(1280, 900)
    qtbot.waitUntil(chart.levels.isVisible)
    levels, own = chart.levels, play.view.answer.distribution
    assert own is not None and levels.binned is not None
    assert sum(levels.binned.own) == pytest.approx(1) and levels.binned.own[3] == pytest.approx(own.probs[24:32].sum())
    by_rank = [row.id for row in chart.bars.bars.rows]
    assert len(by_rank) == 20 and by_rank != sorted(by_rank)
    QTest.mouseClick(levels, Qt.MouseButton.LeftButton, pos=QPoint(int(3.5 * levels.width() / 32), 10))
    rows = chart.bars.bars.rows
    assert [row.id for row in rows] == list(range(24, 32)), "neighbours stand beside each other"
    assert sum(row.prob or 0 for row in rows) == pytest.approx(levels.binned.own[3])
    QTest.keyClick(levels, Qt.Key.Key_Right)
    QTest.keyClick(levels, Qt.Key.Key_Return)
    assert [row.id for row in chart.bars.bars.rows] == list(range(32, 40))
    QTest.keyClick(chart.bars, Qt.Key.Key_Return)  # takes the first row of the part
    settle(window, qtbot)
    assert play.view.document.samples == bytes([128] * 20 + [32])
    levels.setFocus()
    QTest.keyClick(levels, Qt.Key.Key_Escape)
    assert levels.open is None and len(chart.bars.bars.rows) == 20

    play.open_document(TOKENS.sound(b""), at_end=True)
    settle(window, qtbot)
    assert levels.isVisible(), "the first sample has a distribution, too"


def test_tokens_without_an_order_have_no_shape() -> None:
    own = Distribution.from_logits(np.zeros(256))
    unordered = Vocabulary("any", tuple(bytes([i]) for i in range(256)))
    assert binned(own, None, TOKENS, 3) is not None and binned(own, None, unordered, 3) is None
    few = Amplitudes(8000, 16)
    assert binned(Distribution.from_logits(np.zeros(16)), None, few, 3) is None, "rows are enough"


def test_a_wav_file_is_resampled_continued_and_saved(opened: Open, qtbot: QtBot, speech: str, tmp_path: Path) -> None:
    window = opened(speech, None)
    play = window.playground
    loud = np.rint(0.3 * 32767 * np.sin(2 * np.pi * 440 / 16000 * np.arange(1600))).astype("<i2")
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(loud.tobytes())
    assert files.open_file(tmp_path / "tone.wav", None, window)
    settle(window, qtbot)
    assert "resampled from 16,000 Hz to the model" in window.notice.text()
    assert len(play.view.document) == 800 and "800 samples, 0.100 s" in canvas(window).words.full
    strip = canvas(window).strip
    assert strip.gain == 2, "0.3 of the full height is shown twice as high"
    QTest.keyClick(strip, Qt.Key.Key_End)
    settle(window, qtbot)
    QTest.keyClick(strip, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(play.view.document) == 801)
    settle(window, qtbot)
    assert files.save(tmp_path / "longer.wav", window)
    with wave.open(str(tmp_path / "longer.wav"), "rb") as file:
        assert (file.getframerate(), file.getnframes(), file.getnchannels()) == (8000, 801, 1)


def test_lengths_are_offered_in_seconds(opened: Open, qtbot: QtBot, speech: str) -> None:
    window = opened(speech, None)
    decoding, tried = window.panels["decoding"], window.panels["continuations"]
    assert isinstance(decoding, DecodingPanel) and isinstance(tried, ContinuationsPanel)
    window.arrangement.go_to(tried)
    qtbot.waitUntil(lambda: bool(tried.fields.lengths.buttons and decoding.run.lengths.buttons))
    for lengths in (decoding.run.lengths, tried.fields.lengths):
        assert [button.text() for button in lengths.buttons] == ["0.1 s", "0.5 s", "1 s"]
    assert tried.fields.tokens.value() == 800 and decoding.run.stop.isHidden()
    QTest.mouseClick(tried.fields.lengths.buttons[1], Qt.MouseButton.LeftButton)
    assert tried.fields.tokens.value() == 4000
    decoding.run.lengths.buttons[0].setFocus()
    QTest.keyClick(decoding.run.lengths.buttons[0], Qt.Key.Key_Space)
    settings = window.playground.view.settings
    assert (settings.play_steps, settings.play_per_second) == (800, decoding.run.speed.maximum())
    window.playground.load_model("abc")
    qtbot.waitUntil(lambda: not decoding.run.stop.isHidden() and tried.hear.isHidden())
    assert not tried.fields.lengths.buttons


def test_continuations_are_seen_compared_and_heard(opened: Open, qtbot: QtBot, speech: str) -> None:
    window = opened(speech, None)
    play, tried = window.playground, cast(ContinuationsPanel, window.panels["continuations"])
    play.open_document(TOKENS.sound(bytes(range(100, 150))), at_end=True)
    settle(window, qtbot)
    window.arrangement.go_to(tried)
    tried.fields.count.setValue(3)
    tried.fields.tokens.setValue(40)
    QTest.mouseClick(tried.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: play.view.rolled is not None and not play.view.trying)
    assert tried.pages.currentWidget() is tried.tiles and best(play.view.rolled.rollouts) is not None
    made = [tried.tiles.table.thumbnail(each.ids) for each in play.view.rolled.rollouts]
    assert made[0].width() == made[0].height() == 56 and made[0] != made[1]
    tried.tiles.setFocus()
    tried.voice.player.backends = [miniaudio.Backend.CUSTOM]  # which is none
    QTest.keyClick(tried.tiles, Qt.Key.Key_L)
    assert "no sound device" in window.notice.text().lower() and not tried.voice.sounds
    tried.voice.player.backends = [miniaudio.Backend.NULL]
    tried.voice.hear(TOKENS.sound(bytes(8000)), 8000, [128])  # a second is there to be stopped
    assert tried.voice.sounds
    QTest.mouseClick(tried.hear, Qt.MouseButton.LeftButton)
    assert not tried.voice.sounds and len(play.view.document) == 50, "nothing is written"
    QTest.keyClick(tried.tiles, Qt.Key.Key_Right)
    QTest.keyClick(tried.tiles, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(play.view.document) == 90)


def test_sounds_are_copied_pasted_and_dropped(opened: Open, qtbot: QtBot, speech: str, tmp_path: Path) -> None:
    window = opened(speech, None)
    play, shown, board = window.playground, canvas(window), QGuiApplication.clipboard()
    tone = bytes(range(100, 150))
    play.open_document(TOKENS.sound(tone), at_end=True)
    settle(window, qtbot)
    shown.strip.select((10, 20))
    QTest.keyClick(shown.strip, Qt.Key.Key_C, CONTROL)
    (tmp_path / "a.wav").write_bytes(bytes(board.mimeData().data("audio/x-wav").data()))
    assert read_sound(tmp_path / "a.wav", TOKENS)[0].samples == tone[10:20]
    shown.strip.select(None)
    QTest.keyClick(shown.strip, Qt.Key.Key_V, CONTROL)
    settle(window, qtbot)
    assert play.view.document.samples == tone + tone[10:20] and play.view.caret == 60
    assert play.tree.node.said == ("Pasted 10 samples from 51 on", False)
    shown.strip.select((0, 50))
    QTest.keyClick(shown.strip, Qt.Key.Key_V, CONTROL)
    settle(window, qtbot)
    assert play.view.document.samples == tone[10:20] * 2, "in place of what is selected"
    board.setText("no sound at all")
    QTest.keyClick(shown.strip, Qt.Key.Key_V, CONTROL)
    assert "ids of samples" in window.notice.text() and len(play.view.document) == 20
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.wav"))])
    board.setMimeData(dropped)  # as a file manager copies a file
    QTest.keyClick(shown.strip, Qt.Key.Key_V, CONTROL)
    settle(window, qtbot)
    assert play.view.document.samples == tone[10:20] and "a.wav" in (play.view.name or "")
    play.open_document(TOKENS.sound(tone))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.wav"))])
    place = QPointF(shown.mapTo(window, QPoint(20, 20)))
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(place, Qt.DropAction.CopyAction, data, left, none))
    settle(window, qtbot)
    assert play.view.document.samples == tone[10:20]
