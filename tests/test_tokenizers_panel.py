"""One text under several tokenizers in the window: boundaries by byte, figures by hand, pages, own texts, exports."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core.errors import Problem
from arplay.core.format import nats_or_bits, percent
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.engine.alone import answered
from arplay.engine.state import State
from arplay.engine.tokenizing import Tokenize, Tokenized
from arplay.export.tokenizers import nll_of, rows, sentence
from arplay.gui import exports
from arplay.gui.intents import Change
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.tokenizers import MODES, TokenizersPanel
from arplay.gui.widgets.tokenizers.lines import Lines, page_of, pages
from arplay.gui.widgets.tokenizers.merges import MergesPage
from arplay.gui.widgets.tokenizers.search import VocabularyPage, by_bytes
from arplay.gui.widgets.tokenizers.ways import WaysPage, edges_of
from arplay.models import catalogue
from tests.tiny_ggufs import write, write_sentencepiece
from tests.windows_open import PATIENCE, Open, notice, opened, put_up, settle, text_field

__all__ = ["opened"]


def shown(window: MainWindow, qtbot: QtBot, *specs: str) -> TokenizersPanel:
    if specs:
        window.handle(Change(replace(window.playground.view.settings, tokenizers=specs)))
    dock = window.docks["tokenizers"]
    dock.show()
    dock.raise_()
    panel = cast(TokenizersPanel, window.panels["tokenizers"])
    qtbot.waitUntil(lambda: panel.cut is not None, timeout=PATIENCE)
    return panel


def tab(panel: TokenizersPanel, mode: str) -> QAbstractButton:
    return panel.tabs.group.buttons()[list(MODES).index(mode)]


def tokenized(text: bytes, *specs: str) -> Tokenized:
    return answered(Tokenized, State(catalogue.load), Tokenize(0, specs, Text.of(text)), lambda _: None)


def test_figures_by_hand() -> None:
    found = tokenized(b"ABC CAB", "abc", "english")
    assert found.found[0].problem is not None and "' ' at byte 3" in found.found[0].problem[0], "abc has no space"
    found = tokenized(b"ABCCAB", "abc")
    (row,) = rows(found, 6 * math.log(3))
    assert (row["vocabulary"], row["tokens"], row["bytes"], row["words"]) == (3, 6, 6, 1)
    assert (row["tokens_per_word"], row["bytes_per_token"], row["characters_per_token"]) == (6, 1, 1)
    assert row["perplexity_of_same_nll"] == pytest.approx(3) and row["kind"] == "table"
    assert "bits per byte are 1.585 for all" in sentence(found, 6 * math.log(3)), "log2 3"


def test_one_tokenizer_stands_there_once() -> None:
    found = tokenized(b"BAC", "english", "abc", "english", "gone")
    assert len(found.found) == 4 and [each.name for each in found.distinct] == ["english", "abc", "gone"]
    assert [row["name"] for row in rows(found)] == ["english", "abc", "gone"]
    assert [each.name for each, _, _ in found.known] == ["english", "abc"]


def test_no_weights_are_read_and_what_reads_no_text_is_told(tiny_folders: dict[str, Path]) -> None:
    folder = tiny_folders["gpt2"]
    name, coder = catalogue.coder(str(folder))
    whole = catalogue.load(str(folder), "cpu", "float32", lambda *_: None)
    assert name == folder.name and coder.vocabulary.name == whole.alphabet.vocabulary.name, "the very same tokens"
    for spec, words in (
        ("xo", "reads pixels"),
        ("nowhere", "there is no model nowhere"),
        ("http://h:1/v1#m", "server"),
    ):
        with pytest.raises(Problem, match=words):
            catalogue.coder(spec)


def test_each_kind_of_model_has_its_tokenizer_opened_alone(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    files = [write(tmp_path / "b.gguf", "llama"), write_sentencepiece(tmp_path / "s.gguf")]
    for path in (*list(tiny_folders.values())[:3], *files):
        _, coder = catalogue.coder(str(path))
        whole = catalogue.load(str(path), "cpu", "auto", lambda *_: None)
        assert coder.vocabulary.name == whole.alphabet.vocabulary.name and coder.lead == whole.alphabet.lead
        assert isinstance(coder.vocabulary, Vocabulary)
    config = json.loads((tiny_folders["gpt2"] / "config.json").read_text("utf-8"))
    shutil.copytree(tiny_folders["gpt2"], tmp_path / "odd")
    (tmp_path / "odd" / "config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "vocab_size"}))
    with pytest.raises(Problem, match="does not say how many tokens"):
        catalogue.coder(str(tmp_path / "odd"))


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet="aé日🙂 \nשx", min_size=1, max_size=40), st.integers(30, 200))
def test_lines_hold_every_byte_once_and_a_place_is_where_its_character_is(text: str, width: int) -> None:
    data = text.encode()
    lines = Lines(data, 7, width, lambda shown: 8.0 * len(shown)).lines
    assert [line.start for line in lines] == [7, *(line.stop for line in lines[:-1])]
    assert lines[-1].stop == 7 + len(data)
    for line in lines:
        assert len(line.shown) == 1 or line.lefts[-1] <= width
        for at in range(len(line.shown)):
            middle = (line.lefts[at] + line.lefts[at + 1]) / 2
            assert line.starts[at] <= line.unit_at(middle) < line.starts[at + 1]
            assert line.x(line.starts[at : at + 1])[0] == line.lefts[at]


@given(st.text(alphabet="aé日🙂", max_size=3000))
def test_pages_cut_no_character(text: str) -> None:
    data = text.encode()
    parts = pages(data)
    assert b"".join(data[low:high] for low, high in parts) == data
    for at, (low, high) in enumerate(parts):
        data[low:high].decode()
        assert page_of(data, low) == at


def test_boundaries_line_up_by_bytes_and_are_gone_through(
    opened: Open, qtbot: QtBot, tiny_folders: dict[str, Path]
) -> None:
    window = opened("english", "The café 日本.".encode())
    window.resize(1400, 1100)
    panel = shown(window, qtbot, str(tiny_folders["gpt2"]))
    assert panel.cut is not None
    names = [each.name for each, _, _ in panel.cut.known]
    assert names == ["english", tiny_folders["gpt2"].name]
    for _, tokens, encoded in panel.cut.known:
        data = b"".join(tokens.token(int(id)).data for id in encoded.ids)  # type: ignore[attr-defined]
        assert data == "The café 日本.".encode() and int(encoded.ends[-1]) == len(data)
    stack = panel.stack
    QTest.keyClick(stack, Qt.Key.Key_Right)
    assert stack.current == (0, 0) and "english: The, id" in stack.accessibleDescription()
    QTest.keyClick(stack, Qt.Key.Key_Right)
    QTest.keyClick(stack, Qt.Key.Key_Down)
    layer, index = stack.current
    start, _ = panel.cut.found[0].encoded.span(1)  # type: ignore[union-attr]
    low, high = panel.cut.found[1].encoded.span(index)  # type: ignore[union-attr]
    assert layer == 1 and low <= start < high, "the token of the other tokenizer at the same place"
    line = stack.lines[0]
    for layer, each in enumerate(stack.layers):
        for index in each.within(0, line.stop):
            start, end = each.encoded.span(index)
            left, right = line.x(np.array([start, end]))
            place = QPointF((left + right) / 2 + stack._names + 8, 8 + 20 + 15 * layer + 6)
            assert stack.at(place) == (layer, index)


def test_it_follows_the_text_and_a_text_of_ones_own(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BA")
    panel = shown(window, qtbot)
    assert panel.cut is not None and panel.figures.table.text(0, 3) == "2"
    QTest.keyClicks(text_field(window), "C")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.cut is not None and panel.figures.table.text(0, 3) == "3", timeout=PATIENCE)
    assert "for all" in panel.said.full, "the ledger of this text is there"
    QTest.keyClicks(panel.field, "AAAA")
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.cut is not None and panel.figures.table.text(0, 3) == "4", timeout=PATIENCE)
    assert window.playground.document == Text.of(b"BAC") and "Perplexity is counted in tokens" in panel.said.full
    panel.field.clear()
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.cut is not None and panel.figures.table.text(0, 3) == "3", timeout=PATIENCE)


def test_a_long_text_has_pages_and_waits_for_the_button(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_bytes(b"BAC" * 50_000)
    window = opened("abc", None, file=file)
    dock = window.docks["tokenizers"]
    dock.show()
    dock.raise_()
    panel = cast(TokenizersPanel, window.panels["tokenizers"])
    qtbot.waitUntil(lambda: "press Cut" in panel.stack.message, timeout=PATIENCE)
    QTest.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.cut is not None, timeout=PATIENCE)
    assert panel.where.text() == "1 – 2,000 of 150,000" and not panel.back.isEnabled()
    QTest.mouseClick(panel.on, Qt.MouseButton.LeftButton)
    assert panel.where.text() == "2,001 – 4,000 of 150,000" and panel.stack.lines[0].start == 2000


def test_the_choice_of_tokenizers(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    panel = shown(window, qtbot)
    panel.choice.menu.aboutToShow.emit()
    words = {action.text(): action for action in panel.choice.menu.actions() if action.text() and action.isVisible()}
    assert list(words)[-2:] == ["A &folder…", "A &GGUF file…"], "what is there comes first"
    assert {"English, small", "ABC, the textbook example"} <= set(words) and not any("XO" in each for each in words)
    assert words["English, small"].isChecked()
    words["English, small"].trigger()
    assert window.playground.view.settings.tokenizers == ()
    qtbot.waitUntil(lambda: panel.cut is not None and len(panel.cut.found) == 1, timeout=PATIENCE)
    panel.choice.changed.emit(("gone",))
    qtbot.waitUntil(lambda: panel.cut is not None and len(panel.cut.found) == 2, timeout=PATIENCE)
    assert "there is no model gone" in panel.figures.table.text(1, 0), "told where it would stand"


def test_a_click_on_a_token_tells_how_its_word_is_made(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"The unbelievable night")
    window.resize(1400, 1100)
    panel = shown(window, qtbot, "abc")
    QTest.keyClick(panel.stack, Qt.Key.Key_Right)
    QTest.keyClick(panel.stack, Qt.Key.Key_Right)
    QTest.keyClick(panel.stack, Qt.Key.Key_Return)
    page = cast(MergesPage, panel.pages["merges"])
    assert page.isVisible() and page.field.text() == " unbelievable" and page.which.currentText() == "english"
    qtbot.waitUntil(lambda: bool(page.steps.steps), timeout=PATIENCE)
    last = page.steps.steps[-1]
    label = window.playground.view.loaded.vocabulary.label  # type: ignore[union-attr]
    encoded = panel.cut.found[0].encoded  # type: ignore[union-attr]
    mine = [label(id) for id in encoded.ids.tolist()][1:-1]  # type: ignore[union-attr]
    assert list(last.symbols) == mine and last.last and page.steps.steps[0].symbols == tuple("␣unbelievable")
    assert page.said.full.startswith("byte-level BPE: ") and all(step.at >= 0 for step in page.steps.steps[1:-1])
    page.field.setText("The")
    assert not page.steps.steps, "what was told is of another word"
    QTest.keyClick(page.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(page.steps.steps) and page.steps.steps[-1].symbols == ("The",), timeout=PATIENCE)
    window.choose_model("abc")
    qtbot.waitUntil(lambda: not page.steps.steps, timeout=PATIENCE)
    assert page.steps.message, "and of another model"


def test_the_vocabulary_is_searched_and_a_token_written(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark")
    panel = shown(window, qtbot, "abc")
    QTest.mouseClick(tab(panel, "vocabulary"), Qt.MouseButton.LeftButton)
    page = cast(VocabularyPage, panel.pages["vocabulary"])
    page.field.setText("␣night")
    assert page.table.text(0, 1) == "␣night" and "of 4,096 tokens" in page.said.full
    view = window.playground.view
    logprob = view.answer.distribution.logprob(page.table.rows[0])  # type: ignore[union-attr]
    assert page.table.text(0, 3) == f"{logprob:.3f}".replace("-", "−")
    id = page.table.rows[0]
    for how, text in (("begins with", "␣nigh"), ("bytes", "20 6e 69 67 68 74"), ("id", str(id))):
        page.how.setCurrentText(how)
        page.field.setText(text)
        assert (page.table.rows and page.table.rows[0] == id) or (how == "begins with" and id in page.table.rows)
    page.field.setText("99,999,999")
    assert not page.table.rows and page.rows.message == "no such token" and not page.write.isEnabled()
    page.field.setText(str(id))
    QTest.keyClick(page.rows, Qt.Key.Key_Return)
    settle(window, qtbot)
    assert window.playground.document.file == b"It was a dark night"
    page.which.setCurrentText("abc")
    page.how.setCurrentText("contains")
    page.field.setText("B")
    assert page.table.text(0, 3) == "—" and not page.write.isEnabled(), "another model says nothing here"
    assert by_bytes(page.table.tokens, "⟨42⟩") == [1] and by_bytes(page.table.tokens, "x") == []


def test_every_way_to_cut_a_word_and_one_by_hand(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was dark")
    window.resize(1400, 1100)
    panel = shown(window, qtbot, "abc")
    QTest.mouseClick(tab(panel, "ways"), Qt.MouseButton.LeftButton)
    page = cast(WaysPage, panel.pages["ways"])
    assert page.field.text() == " dark" and page.segmented is None, "asked for by hand"
    page.field.setText("dark")
    QTest.keyClick(page.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.segmented is not None, timeout=PATIENCE)
    found = page.segmented.found  # type: ignore[union-attr]
    alone = arplay.load("english").segmentations("dark").found
    assert [way.ids for way in found.ways] == [way.ids for way in alone.ways] and found.whole
    best = page.table.text(0, 3)
    assert best == percent(math.exp(found.ways[0].logprob - found.marginal)), "of p of the text"
    table = exports.of_panel(panel, window).view.table()
    assert [row["logprob"] for row in table.rows] == [way.logprob for way in found.ways]
    assert math.fsum(row["share"] for row in table.rows) == pytest.approx(1.0)
    assert [row["canonical"] for row in table.rows].count(True) == 1 and table.record[
        "marginal_logprob"
    ] == found.marginal
    assert len(table.text("jsonl").splitlines()) == len(found.ways) < len(table.text("csv").splitlines())
    assert "the tokenizer’s own has" in page.said.full and f"all {len(found.ways)} ways" in page.said.full
    assert f"{found.lost_bits:.3f} bits more" in page.said.full
    label = window.playground.view.loaded.vocabulary.label  # type: ignore[union-attr]
    for way in found.ways:  # each is found again by its boundaries
        page.row.show_text(b"dark", frozenset())
        for edge in edges_of(way, window.playground.view.loaded.vocabulary):  # type: ignore[union-attr]
            if edge < 4:
                page.row.gap = page.row.gaps.index(edge)
                page.row.edges |= {edge}
        page.row.edges |= {4}
        page.row.cut.emit()
        assert f"log p {nats_or_bits(way.logprob, 'nats')}" in page.hand.full
        assert "|".join(label(id) for id in way.ids) in page.table.text(page.rows.currentIndex().row(), 0)
    page.row.show_text(b"dark", frozenset({4}))
    page.row.gap = 0
    page.row.setFocus()
    known = {edges_of(way, window.playground.view.loaded.vocabulary) for way in found.ways}  # type: ignore[union-attr]
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Space):
        QTest.keyClick(page.row, key)
    assert page.row.edges == {1, 2, 3, 4} and (page.row.edges in known) != page.hand.full.startswith("No such way")
    page.field.setText("abc")
    page.show_now()
    assert page.segmented is None and not page.said.full, "of another text"


def test_exports_and_pictures(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"BAC")
    panel = shown(window, qtbot, "english")
    settle(window, qtbot)
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"t.{kind}")
    said = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert said["tokenizers"][0]["tokens"] == 3 and said["tokenizers"][0]["ends"] == [1, 2, 3]
    assert said["nll_nats"] == pytest.approx(-math.log(0.12))
    assert nll_of(window.playground.view.ledger, panel.cut) == said["nll_nats"]  # type: ignore[arg-type]
    window.choose_model("xo")
    qtbot.waitUntil(lambda: "reads pixels" in panel.stack.message, timeout=PATIENCE)
    assert panel.cut is None and panel.chart_size() is None and not panel.figures.table.rows
    QTest.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "is no text: each" in notice(window), timeout=PATIENCE)


def test_the_command_line_exports_them(tmp_path: Path) -> None:
    call = ["export", "--prompt", "BAC", "--model", "abc", "--chart", "tokenizers"]
    for kind in ("json", "png"):
        assert cli.main([*call, "--out", str(tmp_path / f"o.{kind}")]) == 0
    said = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert [row["name"] for row in said["tokenizers"]] == ["abc", "english"]


@pytest.mark.parametrize("width", [300, 380, 472, 520, 900])
def test_every_page_is_within_reach_in_a_narrow_panel(qtbot: QtBot, width: int) -> None:
    panel = put_up(qtbot, TokenizersPanel(), width, 300)
    roomy = tab(panel, "ways").isVisible()
    assert roomy == (width == 900) or width == 520, "which fonts decide"
    assert panel.tabs.geometry().right() < panel.width(), "nothing is cut at the edge"
    if roomy:
        tab(panel, "ways").click()
    else:
        assert panel.tabs.focusProxy() is panel.tabs.box, "the keyboard finds it"
        QTest.keyClick(panel.tabs.box, Qt.Key.Key_End)
    assert panel.mode == "ways" and panel.pages["ways"].isVisible() and panel.tabs.box.currentText() == "Segmentations"
