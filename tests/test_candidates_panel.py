"""Candidates in the window: the list by keyboard, figures by hand, ranks by three measures, writing one, exports."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core.candidates import By, Candidate
from arplay.core.modalities.text import Caret, Text
from arplay.engine.alone import answered
from arplay.engine.candidates import Rate, Rated
from arplay.gui import exports
from arplay.gui.intents import CaretMoved, Change, CompareCandidates
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.candidates import CandidatesPanel
from arplay.gui.store import Store
from arplay.gui.widgets.candidates import rows as columns
from tests.windows_open import PATIENCE, Open, notice, opened, settle, text_field

__all__ = ["opened"]


def shown(window: MainWindow, *texts: str) -> CandidatesPanel:
    """The panel in front, with this list."""
    if texts:
        window.handle(Change(replace(window.playground.view.settings, candidates=texts)))
    dock = window.docks["candidates"]
    dock.show()
    dock.raise_()
    return cast(CandidatesPanel, window.panels["candidates"])


def compared(panel: CandidatesPanel, qtbot: QtBot, many: int) -> Rated:
    qtbot.waitUntil(lambda: panel.found is not None and len(panel.found.candidates) == many, timeout=PATIENCE)
    assert panel.found is not None
    return panel.found


def column(panel: CandidatesPanel, number: int) -> list[str]:
    table = panel.rows.table
    return [str(table.data(table.index(row, number))) for row in range(table.rowCount())]


def key(panel: CandidatesPanel, pressed: Qt.Key) -> None:
    QTest.keyClick(panel.rows, pressed)


def test_figures_by_hand_come_by_themselves_and_follow_the_caret(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel = shown(window, "AC", "C", "A")
    found = compared(panel, qtbot, 3)
    assert [round(math.exp(each.logprob), 3) for each in found.candidates] == [0.3, 0.3, 0.5]
    assert column(panel, columns.TEXT) == ["A", "AC", "C"] and column(panel, columns.BY_SUM) == ["1", "2", "2"]
    assert column(panel, columns.SHARE) == ["45.45%", "27.27%", "27.27%"], "0.5, 0.3, 0.3 over 1.1"
    assert panel.said.full == "the best is 0.5108 nats ahead of the second", "log 0.5 − log 0.3"
    QTest.keyClicks(text_field(window), "A")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: window.playground.view.rated_here is not None, timeout=PATIENCE)
    again = compared(panel, qtbot, 3)
    model = arplay.load("abc").candidates("BA", ["AC", "C", "A"])
    assert [each.logprob for each in again.candidates] == [each.logprob for each in model.candidates]
    window.handle(CaretMoved(1))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: window.playground.view.rated_here is not None, timeout=PATIENCE)
    assert panel.found is not None and panel.found.candidates[0].logprob == found.candidates[0].logprob


def test_they_are_compared_where_they_float_and_not_where_nobody_looks(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    play = window.playground
    window.handle(Change(replace(play.view.settings, candidates=("A",))))
    qtbot.waitUntil(lambda: not play.rating._timer.isActive(), timeout=PATIENCE)
    assert play.view.answer_to(CompareCandidates).found is None, "another tab is in front"
    dock = window.docks["candidates"]
    dock.setFloating(True)
    dock.show()
    compared(cast(CandidatesPanel, window.panels["candidates"]), qtbot, 1)


def test_a_long_list_waits_for_the_button_and_says_of_what_it_was(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    every = [a + b + c for a in "ABC" for b in "ABC" for c in "ABC"]
    panel = shown(window, *every)
    assert panel.said.full == "not compared yet" and panel.run.text() == "Compare" and not panel.write.isEnabled()
    QTest.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    found = compared(panel, qtbot, 27)
    assert math.fsum(math.exp(each.logprob) for each in found.candidates) == pytest.approx(1)
    window.playground.rating.stop()
    window.handle(CaretMoved(0))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.said.full.startswith("of before (abc, another place): Compare makes it anew"))
    assert panel.found is None and not panel.write.isEnabled() and panel.chart_size() is None


def test_ranks_by_three_measures_stand_side_by_side(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"Is it night? The man said:")
    texts = [" no", " yes", "\nThen he went away.", " it is a dark night and the moon is gone"]
    panel = shown(window, *texts)
    found = compared(panel, qtbot, 4)
    by: list[tuple[By, int]] = [("sum", columns.BY_SUM), ("token", columns.BY_TOKEN), ("unit", columns.BY_UNIT)]
    for what, where in by:
        QTest.mouseClick(panel.modes[what], Qt.MouseButton.LeftButton)
        values = sorted((each.by(what) for each in found.candidates), reverse=True)
        best = next(each.text for each in found.candidates if each.by(what) == values[0])
        assert panel.rows.table.rows[0].text == best and column(panel, where) == ["1", "2", "3", "4"]
        assert f"{values[0] - values[1]:.4f}" in panel.said.full
    assert panel.rows.table.rows[0].text == texts[3] and found.candidates[0].logprob > found.candidates[3].logprob
    assert panel.rows.table.ink(0, columns.BY_UNIT) == "accent", "another rank than by log p"
    assert column(panel, columns.TEXT)[-1].startswith("␣") or "↵" in "".join(column(panel, columns.TEXT))


def test_the_list_by_keyboard(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"B")
    panel = shown(window, "A")
    listed = lambda: window.playground.view.settings.candidates  # noqa: E731
    QTest.keyClicks(panel.field, "CC")
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    assert listed() == ("A", "CC") and panel.field.text() == "" and panel.rows.current is not None
    assert panel.rows.current.text == "CC", "what was added is chosen"
    key(panel, Qt.Key.Key_Delete)
    assert listed() == ("A",) and panel.back.isVisible()
    QTest.keySequence(panel.rows, QKeySequence(QKeySequence.StandardKey.Undo))
    assert listed() == ("A", "CC") and window.playground.document == Text.of(b"B"), "not the text"
    QGuiApplication.clipboard().setText("BB\nCB\r\nA\n\n")
    QTest.keySequence(panel.field, QKeySequence(QKeySequence.StandardKey.Paste))
    assert listed() == ("A", "CC", "BB", "CB"), "each once"
    panel.rows.show_text("CC")
    panel.rows.setFocus()
    qtbot.waitUntil(panel.write.isEnabled, timeout=PATIENCE)
    key(panel, Qt.Key.Key_F2)
    editor = panel.rows.findChild(QLineEdit)
    assert editor is not None and editor.text() == "CC"
    editor.selectAll()
    QTest.keyClicks(editor, "CA")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: listed() == ("A", "CA", "BB", "CB"))
    settle(window, qtbot)
    assert window.playground.document == Text.of(b"B"), "Enter ended the change, and wrote nothing"
    store = Store(tmp_path / "kept.ini")
    store.settings()
    store.save_settings(window.playground.view.settings)
    store.flush()
    assert Store(tmp_path / "kept.ini").settings().candidates == listed(), "found again"


def test_files_are_loaded_and_dropped_and_nonsense_is_told(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened("english", b"Once")
    panel = shown(window, " upon")
    lines, spelled = tmp_path / "c.txt", tmp_path / "c.json"
    lines.write_text(" more\n\n again\n")
    spelled.write_text('[" a\\ntime"]')
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(lines), ""))
    QTest.mouseClick(panel.load, Qt.MouseButton.LeftButton)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(spelled))])
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for event in (QDragEnterEvent(QPoint(9, 9), *how), QDropEvent(QPointF(9, 9), *how)):
        QApplication.sendEvent(panel, event)
    assert window.playground.view.settings.candidates == (" upon", " more", " again", " a\ntime")
    assert window.playground.document == Text.of(b"Once"), "the file is no text to open"
    spelled.write_text("[1]")
    panel.read(spelled)
    assert "is no list of texts" in notice(window)


def test_one_is_written_with_its_ids_and_undone(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark nig")
    panel = shown(window, "ht and", " and")
    found = compared(panel, qtbot, 2)
    assert found.candidates[0].joins and not found.candidates[1].joins and "1 marked: the tokenizer" in panel.said.full
    panel.rows.show_text("ht and")
    assert panel.rows.table.ink(panel.rows.currentIndex().row(), columns.TEXT) == "warning"
    key(panel, Qt.Key.Key_Return)
    settle(window, qtbot)
    play = window.playground
    assert play.document == Text.of(b"It was a dark night and") or play.document.file == b"It was a dark night and"
    assert play.view.answer is not None and play.view.answer.encoded.ids[-len(found.candidates[0].ids) :].tolist() == (
        found.candidates[0].ids.tolist()
    ), "the very ids that were compared"
    for _ in found.candidates[0].ids:
        play.undo_stack.undo()
    assert play.document.file == b"It was a dark nig"


def test_picked_ids_before_the_caret_stay_and_the_text_behind_it_counts_for_nothing() -> None:
    model = arplay.load("english")
    document = Text.of(b"It was a dark night")
    two = document.first(model.encode(document), 2, model.loaded.vocabulary)
    caret = Caret(len(two))
    asked = Rate(0, document, (Text.of(b" big"),), place=caret)
    rated = answered(Rated, model._state, asked, lambda _: None)
    assert rated.candidates[0].logprob == model.candidates(two, [" big"]).candidates[0].logprob
    inside = Rate(0, document, (Text.of(b"t"),), place=Caret(len(document) - 1))
    found = answered(Rated, model._state, inside, lambda _: None).candidates[0]
    assert found.joins and found.logprob == pytest.approx(
        model.candidates("It was a dark nigh", ["t"]).candidates[0].logprob
    )


def test_what_cannot_be_written_is_said_in_the_panel_and_pictures_have_none(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel = shown(window, "x")
    qtbot.waitUntil(lambda: window.playground.view.answer_to(CompareCandidates).problem is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: bool(panel.said.full) and panel.said.full != "not compared yet")
    assert notice(window) == "", "nobody asked for it"
    QTest.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: notice(window) != "", timeout=PATIENCE)
    window.choose_model("xo")
    qtbot.waitUntil(lambda: "reads pixels" in panel.rows.message, timeout=PATIENCE)
    assert not panel.run.isEnabled() and not panel.field.isEnabled()


def test_exports_have_the_figures_of_the_window(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"B")
    panel = shown(window, "AC", "C", "A")
    found = compared(panel, qtbot, 3)
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"c.{kind}")
    said = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert [row["text"] for row in said["candidates"]] == ["A", "AC", "C"] and said["behind"]["text"] == "B"
    assert {row["text"]: row["logprob"] for row in said["candidates"]} == {
        each.text: each.logprob for each in found.candidates
    }
    assert [row["rank_per_token"] for row in said["candidates"]] == [2, 1, 3]


def test_a_candidate_without_units_ranks_last() -> None:
    none = Candidate("", columns.np.zeros(0, int), columns.np.zeros(0), 0)
    assert none.by("token") == none.by("unit") == -math.inf and none.by("sum") == 0


def test_the_command_line_exports_them(tmp_path: Path) -> None:
    texts = tmp_path / "c.txt"
    texts.write_text("AC\nA\n")
    call = ["export", "--prompt", "B", "--model", "abc", "--chart", "candidates"]
    for kind in ("json", "csv", "png", "svg"):
        assert cli.main([*call, "--candidates", str(texts), "--out", str(tmp_path / f"o.{kind}")]) == 0
    said = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert [row["text"] for row in said["candidates"]] == ["A", "AC"]
    assert cli.main([*call, "--out", str(tmp_path / "o.png")]) == 2
