"""A model of sound in the real window: gone through by mouse and keys, sampled, undone, exported."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.sound import Amplitudes, Sound
from arplay.gui import kinds
from arplay.gui.canvases.sound.canvas import SoundCanvas
from arplay.gui.canvases.sound.heat import SoundHeat
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.models.families.wavenet.network import Network, Sizes
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

TOKENS = Amplitudes(8000)


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
    assert kinds.of_document(play.view.document).name == "sound" and "Nothing yet" in canvas(window).words.text()
    play.open_document(TOKENS.sound(bytes(range(100, 150))), at_end=True)
    settle(window, qtbot)
    strip, heat = canvas(window).strip, cast(HeatmapPanel, window.panels["heatmap"]).heat
    assert isinstance(heat, SoundHeat) and play.view.caret == 50
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(strip.width() // 2, 10))
    settle(window, qtbot)
    assert abs(play.view.caret - 25) <= 1 and "sample 2" in canvas(window).words.text()
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
    for view in (strip, heat.strip):
        assert view.grab().toImage().pixelColor(2, 2).isValid()
