"""The heatmap as a user meets it: what a click on any kind of token means, keys, growth, and the exported sheet."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from arplay.core.format import number
from arplay.core.modalities.encoded_text import bytes_of
from arplay.gui.canvases.text.heat.layout import Flow, units
from arplay.gui.canvases.text.heat.view import PAD
from arplay.gui.intents import Change, Select
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.settings import Settings
from arplay.gui.theme import DARK, LIGHT
from arplay.gui.view import View
from arplay.gui.widgets.heat.card import content
from arplay.gui.widgets.heat.scale import PLAIN, UNSCORED, HeatScale
from tests.ledgers import abc_ledger, prose, random_ledger

ODD = [
    b" caf",
    b"\xc3",  # é cut in two
    b"\xa9",
    b"\r\n",
    b"\tif",
    b"\xc2\xa0",
    b"\xe2\x82",  # € cut in two
    b"\xac",
    " שלום".encode(),
    " z\u0301\u0302\u0303a\u0300lgo".encode(),
    b"\x00",
    b" verylongpiece" * 30,
    " 日本語".encode(),
    "👩".encode(),
    "\u200d".encode(),
    "\u0301".encode(),  # a mark with nothing to stand on
    b"\n",
    b"\n",
    b"end\r",
]


def shown(qtbot: QtBot, view: View, width: int = 620, height: int = 330) -> HeatmapPanel:
    panel = HeatmapPanel()
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show_view(view)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def picture(panel: HeatmapPanel) -> QImage:
    return panel.text.viewport().grab().toImage()


def test_a_click_on_every_kind_of_token_selects_it(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(ODD)
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded), height=700)
    for index in range(len(ODD)):
        place = panel.text.rect_of(index).center().toPoint()
        with qtbot.waitSignal(panel.intent) as told:
            qtbot.mouseClick(panel.text.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert told.args == [Select(index)]


def test_a_click_beside_the_text_selects_nothing(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(ODD[:3])
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    with qtbot.assertNotEmitted(panel.intent):
        qtbot.mouseClick(panel.text.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(400, 20))
        qtbot.mouseClick(panel.text.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 200))


def test_rows_break_at_words_and_newlines() -> None:
    tokens = [b"one", b" two", b" thr", b"ee", b"\n", b"\n", b"x"]
    flow = Flow.of(units(b"".join(tokens), np.cumsum([len(p) for p in tokens])), 9)
    rows = [flow.units.tokens(*flow.span(row)) for row in range(flow.rows)]
    assert rows == [[0, 1], [2, 3, 4], [5], [6]]


def test_keys_walk_over_the_tokens(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(400))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded, selected=50))
    flow = panel.text.flow
    assert flow is not None
    here = flow.first_row(50)
    for key, check in (
        (Qt.Key.Key_Right, lambda i: i == 51),
        (Qt.Key.Key_Left, lambda i: i == 49),
        (Qt.Key.Key_Home, lambda i: i == 0),
        (Qt.Key.Key_End, lambda i: i == 399),
        (Qt.Key.Key_Down, lambda i: flow.first_row(i) == here + 1),
        (Qt.Key.Key_Up, lambda i: flow.last_row(i) == here - 1),
        (Qt.Key.Key_PageDown, lambda i: flow.first_row(i) > here + 1),
    ):
        with qtbot.waitSignal(panel.intent) as told:
            qtbot.keyClick(panel.text, key)
        assert check(told.args[0].index), key


def test_the_selected_token_is_scrolled_to_and_framed(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(2000))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    before = picture(panel)
    panel.show_view(View(ledger=ledger, loaded=loaded, selected=1500))
    rect = panel.text.rect_of(1500)
    assert QRectF(panel.text.viewport().rect()).contains(rect)
    assert picture(panel) != before
    ratio = panel.devicePixelRatioF()
    image, accent = picture(panel), LIGHT.color("accent")
    around = [(x, y) for x in range(round(rect.width())) for y in range(round(rect.height()))]
    colours = {image.pixelColor(int((rect.x() + x) * ratio), int((rect.y() + y) * ratio)).name() for x, y in around}
    assert accent.name() in colours


def test_the_header_says_what_core_says(qtbot: QtBot) -> None:
    ledger, loaded = abc_ledger()
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    totals = ledger.totals
    assert totals.perplexity is not None and totals.bits_per_unit is not None
    assert {f.name: f.value for f in panel.figures.figures} == {
        "tokens": "3",
        "scored": "3",
        "NLL": "2.1203 nats",
        "perplexity": number(totals.perplexity, 2),
        "bits per byte": number(totals.bits_per_unit, 3),
    }
    assert "the model’s own p(x₁)" in panel.caption.full
    assert "windows" not in panel.caption.full
    panel.show_view(View(ledger=ledger, loaded=loaded, settings=Settings(unit="bits")))
    assert [f.value for f in panel.figures.figures if f.name == "NLL"] == [f"{number(2.1202635 / math.log(2))} bits"]


def test_windows_and_first_token_are_told(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(600), first_token="tokenizer")
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    assert "scored in windows of 512, stride 256" in panel.caption.full
    assert "after <|start|>, which the tokenizer adds" in panel.caption.full
    assert panel.text.lead[0] == "<|start|>"
    assert panel.text.flow is not None and panel.text.flow.indent > 0
    assert panel.text.rect_of(0).x() == pytest.approx(PAD + panel.text.flow.indent * panel.text.grid.column)


def test_an_unscored_first_token_is_neither_coloured_nor_counted(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(20), done=10)
    assert HeatScale(LIGHT, "surprisal").shade(ledger, 0, 20)[0] == UNSCORED
    assert set(HeatScale(LIGHT, "rank").shade(ledger, 10, 20)) == {PLAIN}
    assert min(HeatScale(LIGHT, "entropy").shade(ledger, 1, 10)) >= 0
    assert content(ledger, 0, loaded.vocabulary, "nats").note == "not scored: nothing stands before it"
    assert content(ledger, 12, loaded.vocabulary, "nats").note == "not scored yet"
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    assert [f.value for f in panel.figures.figures[:2]] == ["20", "9"]


@pytest.mark.qt_log_ignore("does not support raise")  # the offscreen platform, for every window like a tooltip
def test_the_card_shows_the_figures_of_the_hovered_token(qtbot: QtBot) -> None:
    ledger, loaded = abc_ledger()
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    qtbot.mouseMove(panel.text.viewport(), panel.text.rect_of(2).center().toPoint())
    qtbot.waitUntil(panel.text.card.isVisible)
    card = panel.text.card.content
    assert card.title == "C" and dict(card.lines)["p"] == "0.6000" and dict(card.lines)["log p"] == "−0.5108 nats"
    assert dict(card.lines)["rank"] == "1 of 3" and dict(card.lines)["context read"] == "2 tokens"
    assert [(a.text, round(math.exp(a.logprob), 6), a.actual) for a in card.alternatives] == [
        ("C", 0.6, True),
        ("A", 0.3, False),
        ("B", 0.1, False),
    ]
    panel.hide()
    assert not panel.text.card.isVisible()


def test_colours_are_chosen_with_the_buttons(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(100))
    view = View(ledger=ledger, loaded=loaded)
    panel = shown(qtbot, view)
    before = picture(panel)
    rank = next(b for b in panel.modes.choices.values() if b.text() == "Rank")
    with qtbot.waitSignal(panel.intent) as told:
        qtbot.mouseClick(rank, Qt.MouseButton.LeftButton)
    assert told.args == [Change(replace(view.settings, colour_by="rank"))]
    panel.show_view(replace(view, settings=told.args[0].settings))
    assert picture(panel) != before and rank.isChecked()


def test_a_growing_ledger_keeps_layout_and_place(qtbot: QtBot) -> None:
    tokens = prose(3000)
    part, loaded = random_ledger(tokens, done=50)
    whole, _ = random_ledger(tokens)
    panel = shown(qtbot, View(ledger=part, loaded=loaded))
    assert panel.progress.share == 50 / 3000 and "50 of 3,000" in panel.caption.full
    panel.text.verticalScrollBar().setValue(700)
    flow, before = panel.text.flow, picture(panel)
    panel.show_view(View(ledger=whole, loaded=loaded))
    assert panel.text.flow is flow and panel.text.verticalScrollBar().value() == 700
    assert picture(panel) != before and panel.progress.share is None
    other, _ = random_ledger(prose(3000, seed=9))
    panel.show_view(View(ledger=other, loaded=loaded))
    assert panel.text.flow is not flow  # another text is laid out anew


@pytest.mark.parametrize("size", [(620, 330), (200, 120), (60, 40)])
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_it_draws_at_any_size(qtbot: QtBot, size: tuple[int, int], theme: object) -> None:
    ledger, loaded = random_ledger(ODD, first_token="tokenizer")
    panel = shown(qtbot, View(), *size)
    panel.set_theme(theme)  # type: ignore[arg-type]
    assert "editor" in panel.text.empty_text or "model" in panel.text.empty_text
    empty = picture(panel)
    panel.show_view(View(ledger=ledger, loaded=loaded, selected=4))
    assert picture(panel) != empty or size == (60, 40)


def test_a_long_text_is_laid_out_and_painted(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(20_000))
    panel = shown(qtbot, View(), 1300, 700)
    start = time.perf_counter()
    panel.show_view(View(ledger=ledger, loaded=loaded))
    laid_out = time.perf_counter()
    for value in range(0, 2000, 200):
        panel.text.verticalScrollBar().setValue(value)
        picture(panel)
    painted = time.perf_counter()
    assert panel.text.flow is not None and panel.text.flow.rows > 200
    print(f"20,000 tokens: laid out {1e3 * (laid_out - start):.1f} ms, a paint {1e2 * (painted - laid_out):.1f} ms")


def test_everything_is_on_the_exported_sheet_and_its_pages(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(1000))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    size = panel.chart_size()
    sheet = panel.sheet()
    assert size is not None and sheet is not None
    image = QImage(*size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    panel.paint_chart(painter, QRectF(0, 0, *size))
    painter.end()
    last = [image.pixelColor(x, size[1] - 40).name() for x in range(24, 80)]
    assert len(set(last)) > 1  # the last row is there
    pages = sheet.pages(595, 842)
    rows = [sheet.rows_on(page, 842 * 900 / 595) for page in range(pages)]
    assert rows[0][0] == 0 and rows[-1][1] == sheet.rows
    assert all(a[1] == b[0] and b[1] > b[0] for a, b in pairwise(rows))
    page = QImage(595, 842, QImage.Format.Format_RGB32)
    painter = QPainter(page)
    sheet.paint_page(painter, pages - 1, QRectF(0, 0, 595, 842))
    painter.end()
    assert len({page.pixelColor(x, 30).name() for x in range(16, 200)}) > 1


def test_a_part_has_the_figures_that_it_has_in_the_whole(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(300), done=200, first_token="tokenizer")
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    sheet = panel.sheet(100, 250)
    assert sheet is not None and "tokens 101 to 250 of 300" in sheet.caption
    part = sheet.heat.ledger
    assert part.done == 100 and len(part) == 150 and not sheet.heat.lead
    for name in ("ids", "logprob", "rank", "entropy", "context", "best_ids", "best_logprobs"):
        assert np.array_equal(getattr(part, name), getattr(ledger, name)[100:250], equal_nan=name != "ids"), name
    assert bytes_of(part.encoded) == bytes_of(ledger.encoded)[int(ledger.starts[100]) : int(ledger.ends[249])]
    assert np.array_equal(part.starts + int(ledger.starts[100]), ledger.starts[100:250])
    assert part.totals.nll_nats == pytest.approx(-float(ledger.logprob[100:200].sum()))


def test_nothing_to_export_without_a_ledger(qtbot: QtBot) -> None:
    panel = shown(qtbot, View())
    assert panel.chart_size() is None and panel.sheet() is None and panel.in_sight() is None
    assert panel.text.token_at(QPointF(20, 20)) is None
