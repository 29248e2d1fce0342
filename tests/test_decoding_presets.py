"""The user's own presets and files of stages: kept, renamed, sent and read back, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from arplay.core.decoding.layouts import MOST_PRESETS, layout_of, named, presets_as_json, presets_from_json
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.decoding.rows import PRESETS, USUAL, row
from arplay.core.errors import Problem
from arplay.gui.intents import Change
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.decoding import DecodingPanel
from arplay.gui.store import Store
from tests.windows_open import Open, notice, opened, settle

__all__ = ["opened"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["do_sample", "top_k", "temperature", "sequence_bias", "bad_words_ids", "eta_cutoff", "x"])


@given(JSON | st.dictionaries(FIELDS, JSON) | st.lists(st.dictionaries(st.sampled_from(["stage", "on", "k"]), JSON)))
def test_whatever_a_file_says_is_a_layout_or_a_problem(said: Any) -> None:
    for read in (layout_of, presets_from_json):
        try:
            read(said)
        except Problem as problem:
            assert problem.cause and problem.remedy


def test_presets_are_bounded_and_come_back() -> None:
    presets = named(named((), "Mine", PRESETS["llama.cpp"][1]), "another", (row("ban", on=False),))
    assert presets_from_json(json.loads(json.dumps(presets_as_json(presets)))) == presets
    assert named(presets, "another", None) == presets[1:]
    assert dict(named(presets, "New", presets[0][1], presets[0][0])).keys() == {"New", "Mine"}
    for name in ("", "   ", "Raw", "x" * 61):
        with pytest.raises(Problem):
            named((), name, USUAL)
    full = tuple((f"{at}", USUAL) for at in range(MOST_PRESETS))
    with pytest.raises(Problem, match="delete one first"):
        named(full, "one more", USUAL)


def panel_of(window: MainWindow) -> DecodingPanel:
    panel = window.panels["decoding"]
    assert isinstance(panel, DecodingPanel)
    return panel


def press(panel: DecodingPanel, name: str, qtbot: QtBot) -> None:
    """Once the panel shows what is so: it comes a moment after the chart."""
    qtbot.waitUntil(lambda: isinstance(window := panel.window(), MainWindow) and panel.view is window.playground.view)
    menu = panel.presets.menu()
    menu.aboutToShow.emit()
    action = next(action for action in menu.actions() if action.text() == name)
    assert action.isEnabled()
    action.trigger()


def lay(window: MainWindow, spelled: str, qtbot: QtBot) -> None:
    play = window.playground
    play.handle(Change(replace(play.view.settings, decoding=Pipeline(spelled))))
    settle(window, qtbot)


def test_stages_are_saved_under_a_name_renamed_found_again_and_deleted(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    panel = panel_of(window)
    lay(window, "top-k:2,dry:0.5", qtbot)
    for name, words in (("Mine & more", "Save as a preset…"), ("Mine", "Rename…")):
        monkeypatch.setattr(QInputDialog, "getText", lambda *_, name=name, **__: (name, True))
        press(panel, words, qtbot)
        qtbot.waitUntil(lambda name=name: panel.presets.name == name)
    press(panel, "Raw", qtbot)
    assert window.playground.view.settings.decoding == Pipeline()
    window._save_settings()
    again = Store(tmp_path / "arplay.ini").settings()
    assert [name for name, _ in again.presets] == ["Mine"] and again.rows == PRESETS["Raw"][1]
    press(panel, "Mine", qtbot)
    assert window.playground.view.settings.decoding == Pipeline("top-k:2,dry:0.5")
    press(panel, "Delete", qtbot)
    assert window.playground.view.settings.presets == ()
    qtbot.waitUntil(lambda: panel.presets.name == "Own stages")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Raw", True))
    press(panel, "Save as a preset…", qtbot)
    assert "cannot be the name" in notice(window) and window.playground.view.settings.presets == ()


def test_own_stages_like_others_keep_their_name_and_are_replaced_only_when_asked(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    panel, play = panel_of(window), window.playground
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Mine", True))
    press(panel, "Creative", qtbot)
    press(panel, "Save as a preset…", qtbot)
    qtbot.waitUntil(lambda: panel.presets.name == "Mine")
    press(panel, "Creative", qtbot)
    assert panel.presets.name == "Creative", "negative control: the same stages"
    press(panel, "Mine", qtbot)
    assert panel.presets.name == "Mine"
    lay(window, "top-k:2", qtbot)
    kept, asked = play.view.settings.presets, list[str]()
    for answer, count in ((QMessageBox.StandardButton.No, 1), (QMessageBox.StandardButton.Yes, 2)):
        monkeypatch.setattr(QMessageBox, "question", lambda *said, answer=answer: asked.append(said[2]) or answer)
        press(panel, "Save as a preset…", qtbot)
        assert len(asked) == count and "“Mine” already" in asked[-1]
        replaced = answer == QMessageBox.StandardButton.Yes
        assert (play.view.settings.presets != kept) == replaced
    press(panel, "Delete", qtbot)
    assert play.view.settings.presets == ()


def test_stages_go_to_a_file_and_come_back_by_the_menu_and_by_a_drop(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    panel, file = panel_of(window), tmp_path / "stages.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(file), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(file), ""))
    press(panel, "llama.cpp", qtbot)
    layout = window.playground.view.settings.layout
    press(panel, "Export as JSON…", qtbot)
    press(panel, "Reset", qtbot)
    assert window.playground.view.settings.layout == USUAL
    press(panel, "Import…", qtbot)
    assert window.playground.view.settings.layout == layout
    press(panel, "Reset", qtbot)
    qtbot.waitUntil(lambda: panel.view is window.playground.view)
    drop(panel, file)
    assert window.playground.view.settings.layout == layout and notice(window) == ""
    press(panel, "Export as generation_config.json…", qtbot)
    assert json.loads(file.read_text("utf-8"))["top_k"] == 40
    assert "another order" in notice(window)
    file.write_text('{"do_sample": true, "top_p": 0.5, "num_beams": 3}', "utf-8")
    qtbot.waitUntil(lambda: panel.view is window.playground.view)
    drop(panel, file)
    assert window.playground.view.settings.decoding == Pipeline("top-p:0.5")
    assert "num_beams is not taken over" in notice(window)
    for bad in ("{", "7", '{"name": "x"}', '[{"stage": "top-k", "k": "many"}]', "[" * 100_000, "x" * (1 << 21)):
        file.write_text(bad, "utf-8")
        window.notice.forget()
        drop(panel, file)
        assert notice(window) != "" and window.playground.view.settings.decoding == Pipeline("top-p:0.5")


def drop(panel: DecodingPanel, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    panel.dropEvent(
        QDropEvent(
            QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )
