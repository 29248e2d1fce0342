"""Words, lines and sentences as rows: sums, sorting, what a click selects, sums over several, growing, and no parts."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core.modalities.parts import KINDS
from arplay.core.parts import Growing, Parts
from arplay.core.word_edges import corrected
from arplay.gui import exports
from arplay.gui.canvases.picture.heat import PictureHeat
from arplay.gui.intents import Select
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.words import WordsPanel
from arplay.gui.view import View
from arplay.gui.widgets.words.table import CORRECTED, LOGP, NUMBER, PER_TOKEN, TEXT, TOKENS
from tests.ledgers import prose, random_ledger
from tests.panel_views import textbook
from tests.windows_open import PATIENCE, Open, notice, opened, settle, text_field

__all__ = ["opened"]
TEXT_OF_THREE = b"It was dark. Nobody was there.\nThe end"


def column(panel: WordsPanel, number: int) -> list[str]:
    table = panel.rows.table
    return [str(table.data(table.index(row, number))) for row in range(table.rowCount())]


def in_front(window: MainWindow, qtbot: QtBot) -> WordsPanel:
    window.docks["words"].show()
    window.docks["words"].raise_()
    panel = cast(WordsPanel, window.panels["words"])
    growing = panel.rows.table
    qtbot.waitUntil(lambda: growing.growing is not None and growing.growing.found, timeout=PATIENCE)
    return panel


def click(panel: WordsPanel, row: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    place = panel.rows.visualRect(panel.rows.table.index(row, LOGP)).center()
    QTest.mouseClick(panel.rows.viewport(), Qt.MouseButton.LeftButton, held, place)


def test_words_add_up_and_a_click_selects_it_everywhere(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT_OF_THREE)
    panel, play = in_front(window, qtbot), window.playground
    ledger = play.view.ledger
    assert ledger is not None
    assert column(panel, TEXT) == ["It", " was", " dark.", " Nobody", " was", " there.", "↵The", " end"]
    known = Parts.of(ledger, "word")
    assert column(panel, LOGP) == [f"{value:,.4f}".replace("-", "−") for value in known.logprob.tolist()]
    assert panel.told.full.startswith("8 words; together log p = −")
    click(panel, 3)
    assert play.view.selected == known.first[3], "the heatmap, the ledger and the chart follow"
    settle(window, qtbot)
    click(panel, 5, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: panel.told.full.startswith("selected: 3 words"))
    settle(window, qtbot)
    assert panel.rows.chosen.tolist() == [3, 4, 5], "what follows the selected token leaves the rows as they are"
    nats = f"{math.fsum(known.logprob[3:6]):,.4f}".replace("-", "−")
    assert f"log p = {nats} nats" in panel.told.full
    play.handle(Select(0))
    qtbot.waitUntil(lambda: panel.rows.chosen.tolist() == [0])


def test_a_row_lights_up_all_its_tokens_and_comes_into_sight(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT_OF_THREE + b"\n" + b"It was a dark night.\n" * 60)
    panel, play = in_front(window, qtbot), window.playground
    next(each for each in panel.kinds.group.buttons() if each.text() == "Sentences").click()
    qtbot.waitUntil(lambda: panel.rows.table.growing.kind == "sentence")  # type: ignore[union-attr]
    ledger, heat = play.view.ledger, window.panels["heatmap"].text  # type: ignore[attr-defined]
    assert ledger is not None
    known = Parts.of(ledger, "sentence")
    panel.rows.scrollToBottom()
    click(panel, 50)
    lit = known.first[50], known.stop[50]
    assert lit == play.view.lit and lit[1] - lit[0] > 4
    settle(window, qtbot)
    low, high = ledger.encoded.span(lit[0])[0], ledger.encoded.span(lit[1] - 1)[1]
    area = window.panels["editor"].canvas.area  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: area.marks.selected == (low, high))
    window.docks["heatmap"].raise_()
    qtbot.waitUntil(lambda: heat.lit == lit)
    qtbot.waitUntil(lambda: heat.in_sight()[0] <= lit[0] and heat.in_sight()[1] >= lit[1])

    play.handle(Select(lit[0] + 1))  # a token of it alone, chosen elsewhere
    assert play.view.lit == (lit[0] + 1, lit[0] + 2)
    window.docks["words"].raise_()
    qtbot.waitUntil(lambda: panel.rows.chosen.tolist() == [50])
    settle(window, qtbot)
    assert play.view.lit == (lit[0] + 1, lit[0] + 2), "showing its row chooses nothing"
    click(panel, 50)  # the row that is current
    assert play.view.lit == lit
    settle(window, qtbot)
    QTest.keyClick(panel.rows, Qt.Key.Key_Up)
    assert play.view.lit == (known.first[49], known.stop[49])
    play.caret.move(3)
    settle(window, qtbot)
    assert play.view.lit == (play.view.selected, play.view.selected + 1)  # type: ignore[operator]


def test_a_row_of_a_picture_lights_up_its_pixels(qtbot: QtBot) -> None:
    panel, heat = WordsPanel(), PictureHeat()
    for widget in (panel, heat):
        qtbot.addWidget(widget)
        widget.show()
    picture = arplay.load("xo").score("#.# .#. #.#")
    view = View(loaded=picture.loaded, ledger=picture.ledger)
    panel.show_view(view)
    qtbot.waitUntil(lambda: panel.rows.table.rowCount() == 3)
    with qtbot.waitSignal(panel.intent) as told:
        panel.rows.selectRow(1)
    assert told.args == [Select(3, 6)]
    heat.show_view(replace(view, selected=3, span=(3, 6)))
    assert heat.grid.lit == (3, 4, 5) and heat.grid.marked == 3
    heat.show_view(replace(view, selected=4))
    assert heat.grid.lit == () and heat.grid.marked == 4


def test_the_keyboard_comes_to_the_words_and_the_caret_stays_where_it_is(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT_OF_THREE)
    panel, play = in_front(window, qtbot), window.playground
    caret = play.view.caret
    assert caret == len(TEXT_OF_THREE)
    window.arrangement.go_to(panel)
    qtbot.waitUntil(panel.rows.hasFocus, timeout=PATIENCE)
    settle(window, qtbot)
    assert (play.view.caret, play.view.selected, panel.rows.chosen.tolist()) == (caret, None, [])
    QTest.keyClick(panel.rows, Qt.Key.Key_Down)
    assert panel.rows.chosen.tolist() == [0], "the first key goes to the first row"


def test_a_heading_sorts_and_the_selected_row_stays_the_same_word(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT_OF_THREE)
    panel = in_front(window, qtbot)
    click(panel, 3)
    before, header = column(panel, TEXT), panel.rows.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(LOGP) + 30, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    values = [panel.rows.table.value(row, LOGP) for row in range(len(before))]
    assert values == sorted(values) or values == sorted(values, reverse=True)
    assert sorted(column(panel, TEXT)) == sorted(before) != column(panel, TEXT)
    assert panel.rows.chosen.tolist() == [3]
    QTest.keyClicks(text_field(window), " again")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.rows.table.rowCount() > len(before))
    qtbot.waitUntil(lambda: panel.rows.table.growing.found)  # type: ignore[union-attr]
    values = [panel.rows.table.value(row, LOGP) for row in range(panel.rows.table.rowCount())]
    assert values == sorted(values) or values == sorted(values, reverse=True), "what is written is sorted in"


def test_other_kinds_pictures_and_what_has_none(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT_OF_THREE)
    panel = in_front(window, qtbot)
    for name, texts in (
        ("Lines", ["It was dark. Nobody was there.↵", "The end"]),
        ("Sentences", ["It was dark.", " Nobody was there.", "↵The end"]),
        ("Paragraphs", ["It was dark. Nobody was there.↵The end"]),
    ):
        button = next(each for each in panel.kinds.group.buttons() if each.text() == name)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: panel.rows.table.growing.found)  # type: ignore[union-attr]
        assert column(panel, TEXT) == texts
    alone = WordsPanel()
    qtbot.addWidget(alone)
    alone.show()
    picture = arplay.load("xo").score("#.# .#. #.#")
    alone.show_view(View(loaded=picture.loaded, ledger=picture.ledger))
    qtbot.waitUntil(lambda: alone.rows.table.rowCount() == 3)
    assert [each.text() for each in alone.kinds.group.buttons()] == ["Rows"]
    other = arplay.load("xo-centre").score("#.# .#. #.#")
    alone.show_view(View(loaded=other.loaded, ledger=other.ledger, document=other.ledger.encoded.picture))  # type: ignore[attr-defined]
    assert alone.empty.isVisible() and "has no words, lines or rows" in alone.empty.text()
    alone.show_view(textbook())
    qtbot.waitUntil(lambda: column(alone, TOKENS) == ["3"])


def test_a_growing_ledger_only_adds_rows_and_nothing_is_done_while_nobody_looks(qtbot: QtBot) -> None:
    panel = WordsPanel()
    qtbot.addWidget(panel)
    tokens = prose(300)
    whole, loaded = random_ledger(tokens)
    part, _ = random_ledger(tokens, done=120)
    panel.show_view(View(loaded=loaded, ledger=part))
    assert panel.rows.table.rowCount() == 0, "hidden"
    panel.show()
    qtbot.waitUntil(lambda: panel.rows.table.rowCount() > 0)
    few = panel.rows.table.rowCount()
    assert panel.rows.table.growing.columns.stop[-1] <= 120 and "so far" in panel.told.full  # type: ignore[union-attr]
    panel.rows.sortByColumn(LOGP, Qt.SortOrder.AscendingOrder)
    panel.rows.selectRow(2)
    (kept,) = panel.rows.chosen.tolist()
    panel.show_view(View(loaded=loaded, ledger=whole, selected=panel.rows.table.tokens_of(2)[0]))
    qtbot.waitUntil(lambda: panel.rows.table.growing.found)  # type: ignore[union-attr]
    assert panel.rows.chosen.tolist() == [kept], "what comes is sorted in, and the same word stays selected"
    values = [panel.rows.table.value(row, LOGP) for row in range(panel.rows.table.rowCount())]
    assert values == sorted(values)
    assert panel.rows.table.rowCount() == len(Parts.of(whole, "word")) > few


@given(st.text("ab .!?\n\u00e4\u4f60\u3002\U0001f642", max_size=400), st.sampled_from(KINDS), st.integers(0, 400))
def test_parts_that_grow_are_those_of_the_whole(text: str, kind: str, done: int) -> None:
    data = [bytes([byte]) for byte in text.encode()]
    if not data:
        return
    ledger, _ = random_ledger(data, done=min(done, len(data)))
    growing = Growing(ledger, kind)
    while growing.go_on():
        pass
    few = len(growing)
    assert (growing.columns.stop <= ledger.done).all()
    whole = replace(ledger, done=len(ledger))
    growing.ledger = whole
    while growing.go_on():
        pass
    known = Parts.of(whole, kind)
    assert growing.found and few <= len(growing) == len(known)
    for name in ("starts", "ends", "first", "stop"):
        np.testing.assert_array_equal(getattr(growing.columns, name), getattr(known, name))
    np.testing.assert_allclose(growing.columns.logprob[few:], known.logprob[few:], atol=1e-9)


def test_blanks_that_nothing_follows_take_no_longer_than_a_text() -> None:
    ledger, _ = random_ledger([b"a", b" " * 400_000])
    assert len(Parts.of(ledger, "word")) == 1 and len(Parts.of(ledger, "sentence")) == 1


def test_spaces_are_corrected_when_asked_and_both_values_stand_there(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = opened("english", TEXT_OF_THREE)
    panel = in_front(window, qtbot)
    qtbot.waitUntil(panel.correct.isVisible)
    panel.resize(1200, 300)
    assert panel.rows.isColumnHidden(CORRECTED)
    assert re.search(r"It reads [0-9,]+ tokens, about [0-9]+ s", panel.correct.toolTip()), "beforehand"
    QTest.mouseClick(panel.correct, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.rows.table.corrected is not None, timeout=PATIENCE)
    model = arplay.load("english")
    text = TEXT_OF_THREE.decode()
    known = corrected(model.score(text).by("word"), model.word_edges(text).edges)
    assert column(panel, CORRECTED) == [f"{value:,.4f}".replace("-", "−") for value in known.tolist()]
    window.arrangement.enlarge(panel)
    qtbot.waitUntil(lambda: not panel.rows.isColumnHidden(CORRECTED))
    assert column(panel, LOGP) != column(panel, CORRECTED) and not panel.correct.isVisible()
    export = exports.of_panel(panel, window)
    for kind in ("json", "png"):
        assert export.save(tmp_path / f"words.{kind}")
    parts = json.loads((tmp_path / "words.json").read_text("utf-8"))["parts"]
    assert [part["corrected_logprob"] for part in parts] == pytest.approx(known.tolist(), abs=1e-5)
    window.arrangement.restore()
    QTest.keyClicks(text_field(window), "x")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: "of another text" in panel.told.full)
    assert panel.rows.table.corrected is None and panel.rows.isColumnHidden(CORRECTED)


def test_a_model_whose_tokens_have_no_spaces_says_so(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    panel = in_front(window, qtbot)
    qtbot.waitUntil(panel.correct.isEnabled)
    panel.correct.click()
    qtbot.waitUntil(lambda: "No token of this model begins with white space" in notice(window), timeout=PATIENCE)


def test_it_is_exported_as_it_stands(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", TEXT_OF_THREE)
    panel = in_front(window, qtbot)
    panel.rows.sortByColumn(PER_TOKEN, Qt.SortOrder.DescendingOrder)
    panel.kinds.group.buttons()[2].click()
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"words.{kind}")
    record = json.loads((tmp_path / "words.json").read_text("utf-8"))
    assert record["kind"] == "sentence" and [part["index"] for part in record["parts"]] == [0, 1, 2]
    assert math.fsum(part["logprob"] for part in record["parts"]) == pytest.approx(-record["totals"]["nll_nats"])
    lines = (tmp_path / "words.csv").read_text("utf-8").splitlines()
    assert len(list(csv.DictReader(line for line in lines if not line.startswith("#")))) == 3
    assert column(panel, NUMBER) != ["1", "2", "3"]


def test_the_command_line_exports_it(tmp_path: Path) -> None:
    for kind in ("json", "png"):
        out = tmp_path / f"w.{kind}"
        given = ["--prompt", "BAC", "--model", "abc", "--chart", "words", "--out", str(out)]
        assert cli.main(["export", *given]) == 0
    (part,) = json.loads((tmp_path / "w.json").read_text("utf-8"))["parts"]
    assert part["text"] == "BAC" and part["logprob"] == pytest.approx(math.log(0.12))
