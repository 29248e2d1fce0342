"""The heatmap of a long text: laid out where it is looked at, and every row the one that the whole text would give."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QAbstractSlider
from pytestqt.qtbot import QtBot

from arplay.gui.canvases.text.heat import blocks
from arplay.gui.canvases.text.heat.blocks import Blocks, Rows
from arplay.gui.canvases.text.heat.layout import Flow, bare_tokens, units
from arplay.gui.canvases.text.heat.painting import HeatPainter, Lines
from arplay.gui.canvases.text.heat.shaping import Grid
from arplay.gui.canvases.text.heat.view import PAD, HeatView
from arplay.gui.intents import Select
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.view import View
from arplay.gui.widgets.heat.buffer import Buffer
from tests.ledgers import prose, random_ledger

LETTERS = [*"aé b.", "א", "ש", "ک", "ل", "न", "ि", "語", "👍", "🏿", "\u200d", "\u0301", "1", "🇩", "🇪", "\t"]
WORDS = st.lists(st.sampled_from([*(char.encode() for char in LETTERS), b"\n", b"\r", b"", b"\xc3", b"\x80", b"the"]))
BORDERS = st.sets(st.integers(0, 200), max_size=60)

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture(scope="module")
def grid(qapp: object) -> Grid:
    return Grid.make()


def tokens_of(parts: Sequence[bytes], borders: set[int]) -> list[bytes]:
    """The same bytes with borders anywhere, and the tokens without bytes among them."""
    data, bare = b"".join(parts), parts.count(b"")
    cuts = sorted({0, len(data), *(border for border in borders if border < len(data))})
    found = [data[a:b] for a, b in pairwise(cuts)]
    for i in range(bare):
        found.insert((7 * i) % (len(found) + 1), b"")
    return found


def both(grid: Grid, tokens: Sequence[bytes], columns: int, size: int) -> tuple[Rows, Flow]:
    """In blocks of ``size`` tokens, and as a whole."""
    data, ends = b"".join(tokens), np.cumsum([len(token) for token in tokens], dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", size)
        rows = Rows(Blocks(data, ends, lambda index: f"<{index}>", grid.measure), columns, 2)
    names = {int(i): f"<{i}>" for i in bare_tokens(ends)}
    return rows, Flow.of(units(data, ends, names, grid.measure), columns, 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=WORDS, borders=BORDERS, columns=st.sampled_from([4, 17, 60]), size=st.integers(1, 9))
def test_rows_in_blocks_are_those_of_the_whole(
    grid: Grid, parts: list[bytes], borders: set[int], columns: int, size: int
) -> None:
    tokens = tokens_of(parts, borders)
    rows, whole = both(grid, tokens, columns, size)
    rows.count_all()
    made, expected = Lines(grid, rows), Lines(grid, whole)
    data, cuts = b"".join(tokens), [rows.blocks.start(block) for block in range(1, len(rows.blocks))]
    bytes_of_rows = [rows.byte_of(row) for row in range(rows.rows + 1)]
    assert bytes_of_rows == sorted(bytes_of_rows) and bytes_of_rows[:1] + bytes_of_rows[-1:] == [0, len(data)]
    if all(data[cut - 1 : cut] == b"\n" for cut in cuts if 0 < cut < len(data)):
        assert rows.rows == whole.rows
        assert bytes_of_rows == whole.units.starts[whole.starts].tolist()
        for row in range(rows.rows):
            assert made[row].cells == expected[row].cells and made[row].rtl == expected[row].rtl
    for token in range(len(tokens)):
        for row in range(rows.first_row(token), rows.last_row(token) + 1):
            assert token in made[row].places
            first, stop = rows.tokens(row, row + 1)
            assert first <= token < stop
            for left, right in made[row].places[token]:
                assert made.hit(row, (left + right) / 2) == token
    for row, byte in enumerate(bytes_of_rows[:-1]):
        unit = min(int(whole.units.starts.searchsorted(byte, "right")) - 1, len(whole.units) - 1)
        assert made[row].rtl == whole.units.context(unit, unit + 1)[0], "a paragraph has one direction"
    for byte in range(len(data) + 1):
        if tokens and data:
            owner = min(int(rows.blocks.ends.searchsorted(byte, "right")), len(tokens) - 1)
            assert rows.blocks.token_at(byte) == owner


def test_without_what_stands_around_a_block_its_direction_is_another(grid: Grid) -> None:
    """Negative control: a block that knows nothing of its paragraph runs from left to right."""
    tokens = ["אבג ".encode(), *[b"abc "] * 12]
    rows, _ = both(grid, tokens, 17, 4)
    rows.count_all()
    assert all(Lines(grid, rows)[row].rtl for row in range(rows.rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blocks, "_around", lambda *_: (0, 0, 0))
        alone, _ = both(grid, tokens, 17, 4)
        alone.count_all()
        assert not Lines(grid, alone)[alone.rows - 1].rtl


def long_panel(qtbot: QtBot, count: int = 20_000, hold: bool = True) -> HeatmapPanel:
    ledger, loaded = random_ledger(prose(count), first_token="model")
    panel = HeatmapPanel()
    qtbot.addWidget(panel)
    panel.resize(620, 330)
    if hold:
        panel.text._counting.blockSignals(True)  # what is counted when there is time is not counted yet
    panel.show_view(View(ledger=ledger, loaded=loaded))
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def known(panel: HeatmapPanel) -> list[int]:
    flow = panel.text.flow
    assert flow is not None
    return [block for block in range(len(flow.blocks)) if flow.is_known(block)]


def first_in_sight(text: HeatView) -> int:
    found = text.token_at(QPointF(PAD + 1, 1), nearest=True)
    assert found is not None
    return found


@pytest.mark.parametrize("token", [b"", "\u0301".encode(), "\u200d".encode()])
def test_a_text_in_which_no_row_may_begin_is_one_block(token: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 1)
    ends = np.arange(1, 3001) * len(token)  # longer than Python's stack is deep
    made = Blocks(token * 3000, ends, str)
    assert [made.is_empty(block) for block in range(len(made))] == [False] + [True] * 2999
    assert made.of_token(2999) == 0 and (made.first(1), made.start(1)) == (3000, 3000 * len(token))


def test_only_what_is_in_sight_is_laid_out(qtbot: QtBot) -> None:
    panel = long_panel(qtbot)
    assert panel.text.flow is not None
    count = len(panel.text.flow.blocks)
    assert known(panel) == [0] and count > 7
    assert np.count_nonzero(panel.text.flow.blocks._firsts >= 0) <= 4, "the text is not gone through to cut it"
    for token in (18_000, 9_000, 19_999, 0):
        panel.show_view(View(ledger=panel.view.ledger, loaded=panel.view.loaded, selected=token))
        rect = panel.text.rect_of(token)
        assert panel.text.viewport().rect().contains(rect.center().toPoint())
        assert panel.text.token_at(rect.center()) == token
    assert len(known(panel)) <= 7
    panel.text._counting.blockSignals(False)
    qtbot.waitUntil(lambda: len(known(panel)) == count)


@pytest.mark.parametrize("token", [10_000, 13_000, 19_990])
def test_what_is_looked_at_stays_while_the_rest_is_counted(qtbot: QtBot, token: int) -> None:
    def moved(holds: bool) -> int:
        panel = long_panel(qtbot)
        if not holds:
            panel.text._hold = lambda: None  # type: ignore[method-assign]
        bar = panel.text.verticalScrollBar()
        bar.setValue(bar.maximum() * token // 20_000)
        assert panel.text.flow is not None
        before, estimated = first_in_sight(panel.text), panel.text.flow.rows
        panel.text.flow.count_all()
        panel.text._hold()
        assert panel.text.flow.rows != estimated, "an estimate"
        return first_in_sight(panel.text) - before

    assert moved(True) == 0
    assert moved(False) != 0, "negative control"


def test_going_through_a_text_upwards_leaves_nothing_out(qtbot: QtBot) -> None:
    panel = long_panel(qtbot, 9_000)
    text, bar = panel.text, panel.text.verticalScrollBar()
    bar.setValue(bar.maximum())
    at_end = text.in_sight()
    assert at_end is not None and at_end[1] == 9_000
    while bar.value():
        before = text.in_sight()
        bar.triggerAction(QAbstractSlider.SliderAction.SliderPageStepSub)
        now = text.in_sight()
        assert before is not None and now is not None and now[0] < before[0] <= now[1]
    assert text.in_sight() is not None and first_in_sight(text) == 0
    assert panel.text.flow is not None and known(panel) == list(range(len(panel.text.flow.blocks)))


def test_keys_cross_the_border_of_blocks(qtbot: QtBot) -> None:
    panel = long_panel(qtbot)
    assert panel.text.flow is not None
    border = panel.text.flow.blocks.first(3)
    for key, onwards in ((Qt.Key.Key_Up, False), (Qt.Key.Key_PageUp, False), (Qt.Key.Key_PageDown, True)):
        panel.show_view(View(ledger=panel.view.ledger, loaded=panel.view.loaded, selected=border))
        with qtbot.waitSignal(panel.intent) as told:
            qtbot.keyClick(panel.text, key)
        assert isinstance(told.args[0], Select) and (told.args[0].index > border) == onwards
        assert abs(told.args[0].index - border) < 600


def test_a_scrolled_picture_is_the_one_painted_anew(qtbot: QtBot) -> None:
    panel = long_panel(qtbot, 9_000)
    bar, painted, rows = panel.text.verticalScrollBar(), QImage(), []
    shown = HeatPainter.paint

    def paint(self: HeatPainter, painter: QPainter, first: int, stop: int, top: float) -> None:
        rows.append(stop - first)
        shown(self, painter, first, stop, top)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HeatPainter, "paint", paint)
        for step in (3000, 54, 1, -27, 200, -180, 0, 5000, -1):
            rows.clear()
            bar.setValue(bar.value() + step)
            former, painted = painted, panel.text.viewport().grab().toImage()
            assert (painted == former) == (step == 0), "something moved"
            assert sum(rows) <= abs(step) / panel.text.grid.row + 2, "only what came into sight"
            panel.text._buffer = Buffer()
            assert panel.text.viewport().grab().toImage() == painted
