"""Rows of the heatmap: of words that have room, of whole lines that scroll across, or of one sentence each."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from arplay.core.modalities.parts import sentence_rows
from arplay.gui.canvases.text.heat.blocks import BLOCK, LONGEST, Blocks, Rows
from arplay.gui.intents import Select
from arplay.gui.settings import Settings, Wrap
from arplay.gui.store import Store
from arplay.gui.view import View
from tests.ledgers import prose, random_ledger
from tests.test_heatmap_panel import shown
from tests.test_measures import with_options
from tests.windows_open import Open, opened

__all__ = ["opened"]

WRAPS: tuple[Wrap, ...] = ("words", "lines", "sentences")
TEXTS = st.text(st.sampled_from("ab .!?\n\r\té好ש👩\u200d\u0301"), max_size=300).map(str.encode)


def rows_of(data: bytes, wrap: Wrap, columns: int = 12, each: int = 3) -> Rows:
    ends = np.array([*range(each, len(data), each), len(data)] if data else [], np.int64)
    return Rows(Blocks(data, ends, lambda _: "x"), columns, 0, wrap)


@given(TEXTS, st.integers(4, 40), st.sampled_from(WRAPS))
def test_rows_have_every_byte_once_and_in_order(data: bytes, columns: int, wrap: Wrap) -> None:
    rows = rows_of(data, wrap, columns)
    rows.count_all()
    starts = [rows.byte_of(row) for row in range(rows.rows)]
    assert starts == sorted(starts) and (not data or starts[0] == 0)
    assert rows.byte_of(rows.rows) == len(data)
    for token in range(len(rows.blocks.ends)):
        assert 0 <= rows.first_row(token) <= rows.last_row(token) < rows.rows


@given(TEXTS)
def test_a_line_is_a_row_however_long(data: bytes) -> None:
    rows = rows_of(data, "lines", columns=5)
    rows.count_all()
    starts = {rows.byte_of(row) for row in range(rows.rows)}
    after = {i + 1 for i, byte in enumerate(data[:-1]) if byte == 10 or (byte == 13 and data[i + 1] != 10)}
    assert starts == ({0} | after if data else set())


@given(TEXTS)
def test_a_sentence_begins_a_row(data: bytes) -> None:
    rows = rows_of(data, "sentences", columns=1000)
    rows.count_all()
    starts = [rows.byte_of(row) for row in range(rows.rows)]
    assert starts == sentence_rows(data).tolist()
    narrow = rows_of(data, "sentences", columns=6)
    narrow.count_all()
    begins = [narrow.byte_of(row) for row in range(narrow.rows) if not narrow.goes_on(row)]
    assert begins == starts, "what only goes on is told from what begins"
    assert all(b > a for a, b in pairwise(starts))


def test_a_line_that_is_too_long_goes_on() -> None:
    rows = rows_of(b"ab " * LONGEST, "lines", columns=20)
    rows.count_all()
    assert rows.rows == 3 + 1 and rows.widest <= LONGEST + 1


def test_lines_are_scrolled_across_and_clicked(qtbot: QtBot) -> None:
    tokens = [*prose(60), b"\n", *prose(40), b"\n", b"short"]
    ledger, loaded = random_ledger([token.replace(b"\n", b" ") if token != b"\n" else token for token in tokens])
    view = View(Settings(wrap="lines"), loaded, ledger=ledger)
    panel = shown(qtbot, view, height=400)
    text, bar = panel.text, panel.text.horizontalScrollBar()
    assert text.flow is not None and text.flow.rows == 3 and bar.maximum() > 0
    assert text.rect_of(59).left() > text.viewport().width()
    panel.show_view(replace(view, selected=59))
    assert bar.value() > 0 and text.viewport().rect().contains(text.rect_of(59).toAlignedRect())
    for index in (59, 57):
        with qtbot.waitSignal(panel.intent) as told:
            place = text.rect_of(index).center().toPoint()
            qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert told.args == [Select(index)]
    image, ratio = text.viewport().grab().toImage(), text.viewport().devicePixelRatioF()
    corner = text.rect_of(57).topLeft().toPoint() + QPoint(2, 1)
    wanted = text.scale.fills[text.scale.shade(ledger, 57, 58)[0]].name()
    assert image.pixelColor(corner * ratio).name() == wanted, "what is scrolled into sight is painted"
    panel.show_view(replace(view, settings=Settings(wrap="words")))
    assert text.across == 0 and not bar.isVisible() and text.flow.rows > 3


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_long_text_is_laid_out_where_it_is_looked_at(wrap: Wrap, qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(20 * BLOCK))
    panel = shown(qtbot, View(Settings(wrap=wrap), loaded, ledger=ledger), height=400)
    flow = panel.text.flow
    assert flow is not None and flow.wrap == wrap
    assert sum(flow.is_known(block) for block in range(len(flow.blocks))) < len(flow.blocks)
    bar = panel.text.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    seen = panel.text.in_sight()
    assert seen is not None
    panel.show_view(replace(panel.view, settings=Settings(wrap="words" if wrap != "words" else "sentences")))
    again = panel.text.in_sight()
    assert again is not None and again[0] <= seen[0] + 40 and again[1] > seen[0] - 40, (
        "what was at the top stays near it"
    )


def test_a_sheet_has_a_row_a_sentence_too(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger([b"One", b".", b" Two", b"!", b" Three", b" four", b".", b"\n"])
    rows = {}
    for wrap in WRAPS:
        panel = shown(qtbot, View(Settings(wrap=wrap), loaded, ledger=ledger), height=400)
        sheet = panel.sheet()
        assert sheet is not None
        rows[wrap] = sheet.rows
    assert rows == {"words": 1, "lines": 1, "sentences": 3}


def test_the_rows_are_chosen_in_the_options_and_in_the_menu_and_kept(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC. AB\nCABB. ACB" * 5)
    panel, options = with_options(window, qtbot)
    for wrap, button in options.wraps.items():
        button.click()
        qtbot.waitUntil(lambda wrap=wrap: panel.text.wrap == wrap)
    options.close()
    lines = window.menus.text._wraps.actions()[1]
    assert not lines.isChecked()
    lines.trigger()
    qtbot.waitUntil(lambda: panel.text.wrap == "lines" and lines.isChecked())
    window.close()
    assert Store(window.store.path).settings().wrap == "lines"
