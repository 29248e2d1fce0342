"""The next-token chart as a user meets it: what is drawn equals core's numbers, and keys and clicks take a token."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.distribution import LN2, Distribution
from arplay.core.format import percent
from arplay.core.modalities.encoded_text import Encoded
from arplay.core.modalities.text import Prefix, Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.picking import choose
from arplay.core.position import Answer, Position
from arplay.engine.load import Loaded
from arplay.gui.intents import Change, Do, HoldU, Take
from arplay.gui.panels.next_token import NextTokenPanel
from arplay.gui.settings import Settings
from arplay.gui.theme import DARK
from arplay.gui.view import View
from arplay.gui.widgets.bars.bars import Axis, Bars, bars_of, figures
from arplay.gui.widgets.bars.cumulative import strip_of
from arplay.gui.widgets.bars.view import ROW
from arplay.models.base import Capabilities, Info
from tests.panel_checks import drawn
from tests.panel_views import no_first_token, not_numbers, partial
from tests.windows_open import put_up

V = 1000
Open = Callable[[View], NextTokenPanel]


def view(
    size: int = V, decoding: Pipeline = Pipeline(), actual: int | None = None, seed: int = 0, **settings: object
) -> View:
    """Random logits over ``size`` tokens " w0", " w1", ...; the last one is special."""
    words = (*(f" w{i}".encode() for i in range(size - 1)), b"<|end|>")
    vocabulary = Vocabulary(f"words {size}", words, frozenset({size - 1}))
    own = Distribution.from_logits(np.random.default_rng(seed).normal(scale=3, size=size))
    encoded = Encoded(b" w0 w1", np.arange(2), np.array([3, 6]), np.zeros(2, bool))
    answer = Answer((), "model", Prefix(np.arange(2), actual), encoded, Position(0, 2), own, 1, 0.01, 0)
    info = Info("words", "test", "test", "0", "float32", "cpu", size, None, 1)
    return View(
        settings=replace(Settings(decoding=decoding, animate=False), **settings),  # type: ignore[arg-type]
        loaded=Loaded(1, info, vocabulary, (), None, size - 1, Capabilities(True, "cropped", True)),
        document=Text.of(b" w0 w1"),
        caret=6,
        answer=answer,
        decoded=decode(own, decoding),
    )


def own(shown: View) -> Distribution:
    assert shown.answer is not None and shown.answer.distribution is not None
    return shown.answer.distribution


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Open]:
    panels: list[NextTokenPanel] = []  # a panel must not be collected while it is painting

    def show(shown: View) -> NextTokenPanel:
        panel = put_up(qtbot, NextTokenPanel(), 400, 620, shown)
        panels.append(panel)
        return panel

    yield show


def intents(panel: NextTokenPanel) -> list[object]:
    seen: list[object] = []
    panel.intent.connect(seen.append)
    return seen


def total(bars: Bars, decoded: bool) -> float:
    assert bars.rest is not None
    rest = bars.rest.decoded if decoded else bars.rest.prob
    return sum((row.decoded if decoded else row.prob) or 0.0 for row in bars.all_rows) + (rest or 0.0)


def test_rows_are_cores_numbers(opened: Open) -> None:
    shown = view(decoding=Pipeline.of(temperature=0.7, top_k=5))
    bars = opened(shown).bars.bars
    assert [row.id for row in bars.rows] == own(shown).top(20).tolist()
    assert shown.decoded is not None
    for place, row in enumerate(bars.rows, 1):
        assert row.rank == own(shown).rank(row.id) == place
        assert row.logprob == own(shown).logprob(row.id)
        assert row.decoded == pytest.approx(math.exp(shown.decoded.logprobs[row.id]), abs=1e-15)
        assert row.removed == (place > 5)


@pytest.mark.parametrize("n", [5, 20, 200])
@pytest.mark.parametrize(
    "decoding", [Pipeline(), Pipeline.of(temperature=1.5), Pipeline.of(top_p=0.5), Pipeline.of(greedy=True)]
)
def test_rows_and_rest_sum_to_one(opened: Open, n: int, decoding: Pipeline) -> None:
    bars = opened(view(decoding=decoding, actual=3, bars=n)).bars.bars
    assert len(bars.rows) == n
    assert bars.rest is not None and bars.rest.count == V - len(bars.all_rows)
    assert total(bars, decoded=False) == pytest.approx(1, abs=1e-12)
    assert total(bars, decoded=True) == pytest.approx(1, abs=1e-12)
    assert total(replace(bars, rows=bars.rows[1:]), decoded=False) < 1 - 1e-6


def test_actual_outside_the_top_is_pinned_with_its_true_rank(opened: Open) -> None:
    shown = view()
    last = int(own(shown).order[-1])
    panel = opened(view(actual=last))
    pinned = panel.bars.bars.pinned
    assert pinned is not None and pinned.rank == V and pinned.actual
    best = int(own(shown).order[0])
    panel.show_view(view(actual=best))
    assert panel.bars.bars.pinned is None
    assert [row.actual for row in panel.bars.bars.rows] == [True] + [False] * 19


def test_pinned_rows_stay_in_sight_whatever_is_scrolled(opened: Open) -> None:
    panel = opened(view(actual=int(own(view()).order[-1]), bars=200))
    bars = panel.bars
    for value in (0, bars.verticalScrollBar().maximum()):
        bars.verticalScrollBar().setValue(value)
        for area in (bars.row_area(200), bars.rest_area()):
            assert QRectF(bars.viewport().rect()).contains(area)
    assert bars.row_area(199).bottom() <= bars.row_area(200).top()
    assert not QRectF(bars.viewport().rect()).contains(bars.row_area(0))


def test_click_takes_the_row_under_the_mouse(opened: Open, qtbot: QtBot) -> None:
    shown = view()
    panel = opened(shown)
    seen = intents(panel)
    place = panel.bars.row_area(3).center().toPoint()
    qtbot.mouseClick(panel.bars.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert seen == [Take(int(own(shown).order[3]))]


def test_keys(opened: Open, qtbot: QtBot) -> None:
    shown = view()
    panel = opened(shown)
    seen = intents(panel)
    order = own(shown).order.tolist()
    keys = Qt.Key
    for key in (keys.Key_Down, keys.Key_Down, keys.Key_Up, keys.Key_Return, keys.Key_End, keys.Key_Right):
        qtbot.keyClick(panel.bars, key)
    for key in (keys.Key_Space, keys.Key_Left, keys.Key_P):
        qtbot.keyClick(panel.bars, key)
    panel.show_view(replace(shown, playing=True))
    qtbot.keyClick(panel.bars, keys.Key_P)
    assert seen == [Take(order[1]), Take(order[19]), Do("step"), Do("rewind"), Do("play"), Do("pause")]


def test_the_chosen_row_scrolls_into_sight(opened: Open, qtbot: QtBot) -> None:
    panel = opened(view(bars=200))
    qtbot.keyClick(panel.bars, Qt.Key.Key_End)
    area = panel.bars.row_area(199)
    assert panel.bars.place_at(area.center()) == 199


def test_stale_bars_take_no_clicks(opened: Open, qtbot: QtBot) -> None:
    shown = view()
    panel = opened(shown)
    seen = intents(panel)
    panel.show_view(replace(shown, stale=True))
    qtbot.keyClick(panel.bars, Qt.Key.Key_Return)
    assert seen == []
    panel.show_view(shown)
    qtbot.keyClick(panel.bars, Qt.Key.Key_Return)
    assert len(seen) == 1


def test_decoding_keeps_the_chosen_row_and_a_new_answer_starts_over(opened: Open, qtbot: QtBot) -> None:
    shown = view()
    panel = opened(shown)
    qtbot.keyClick(panel.bars, Qt.Key.Key_Down)
    hotter = Pipeline.of(temperature=2)
    decoded = decode(own(shown), hotter)
    panel.show_view(replace(shown, settings=replace(shown.settings, decoding=hotter), decoded=decoded))
    assert panel.bars.chosen == 1
    panel.show_view(view(seed=1))
    assert panel.bars.chosen == 0


def test_entropy_in_the_unit_that_was_chosen(opened: Open, qtbot: QtBot) -> None:
    shown = view()
    panel = opened(shown)
    seen = intents(panel)
    entropy = own(shown).entropy
    assert entropy is not None
    assert panel.entropy.text() == f"H = {entropy:.3f} nats"
    assert f"{math.exp(entropy):,.2f}" in panel.entropy.toolTip()
    qtbot.mouseClick(panel.entropy, Qt.MouseButton.LeftButton)
    assert seen == [Change(replace(shown.settings, unit="bits"))]
    panel.show_view(replace(shown, settings=replace(shown.settings, unit="bits")))
    assert panel.entropy.text() == f"H = {entropy / LN2:.3f} bits"


def test_number_of_bars_and_axis_are_asked_for_and_not_echoed(opened: Open, qtbot: QtBot) -> None:
    shown = view()
    panel = opened(shown)
    seen = intents(panel)
    panel.count.setFocus()
    panel.count.selectAll()
    qtbot.keyClicks(panel.count, "50")
    qtbot.keyClick(panel.count, Qt.Key.Key_Return)
    qtbot.mouseClick(panel.log, Qt.MouseButton.LeftButton)
    assert seen == [Change(replace(shown.settings, bars=50)), Change(replace(shown.settings, log_axis=True))]
    panel.show_view(view(bars=77, log_axis=True))
    assert len(seen) == 2 and panel.count.value() == 77 and panel.bars.axis.log


def test_search_shows_the_true_rank(opened: Open, qtbot: QtBot) -> None:
    shown = view()
    panel = opened(shown)
    seen = intents(panel)
    qtbot.keyClicks(panel.search, "W77")
    rows = panel.bars.bars.rows
    assert [row.id for row in rows] == [77, *range(770, 780)]
    assert [row.rank for row in rows] == [own(shown).rank(row.id) for row in rows]
    assert total(panel.bars.bars, decoded=False) == pytest.approx(1, abs=1e-12)
    qtbot.keyClick(panel.search, Qt.Key.Key_Down)
    qtbot.keyClick(panel.bars, Qt.Key.Key_Return)
    assert seen == [Take(77)] and panel.search.text() == ""
    qtbot.keyClicks(panel.search, "nowhere")
    assert "nowhere" in panel.bars.message
    qtbot.keyClick(panel.search, Qt.Key.Key_Escape)
    assert len(panel.bars.bars.rows) == 20


def test_hover_card(opened: Open) -> None:
    shown = view()
    panel = opened(shown)
    row = panel.bars.bars.rows[2]
    assert panel.bars.source is not None
    values = dict(figures(row, *panel.bars.source))
    assert row.logprob is not None
    assert f"{row.logprob / LN2:.4f} bits".replace("-", "−") in values["log p"]
    assert values["bytes"] == f" w{row.id}".encode().hex(" ")
    mass = float(own(shown).probs[own(shown).order[:3]].sum())
    assert values["p of it and all above"] == percent(mass)
    assert row.text in panel.bars.row_card(row)


def test_strip_shows_the_choice_on_the_distribution_it_was_drawn_from(opened: Open) -> None:
    shown = view(decoding=Pipeline.of(temperature=0.5))
    assert shown.decoded is not None and shown.loaded is not None
    choice = choose(shown.decoded.candidates, 0.4127)
    panel = opened(replace(view(seed=5), step=choice, step_decoded=shown.decoded))
    strip = panel.strip.strip
    assert strip.u == 0.4127 and strip.at(0.4127) == strip.chosen
    text = shown.loaded.vocabulary.token(choice.id).text
    assert strip.line == f"u = 0.4127 → {text} ({choice.low:.4f} – {choice.high:.4f})"
    segment = next(segment for segment in strip.segments if segment.id == choice.id)
    assert (segment.low, segment.high) == pytest.approx((choice.low, choice.high), abs=1e-9)
    panel.show_view(shown)
    assert panel.strip.strip.u is None and panel.strip.strip.segments


def test_u_is_held_by_a_press_and_let_go_by_a_double_click(opened: Open, qtbot: QtBot) -> None:
    panel = opened(view())
    asked: list[object] = []
    panel.intent.connect(asked.append)
    middle = panel.strip.bar_area().center().toPoint()
    qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=middle)
    held = asked[-1]
    assert isinstance(held, HoldU) and held.u == pytest.approx(0.5, abs=0.01)
    qtbot.mouseDClick(panel.strip, Qt.MouseButton.LeftButton, pos=middle)
    assert asked[-1] == HoldU(None)


def test_segments_agree_with_choose_everywhere() -> None:
    shown = view(decoding=Pipeline.of(top_k=30))
    assert shown.decoded is not None and shown.loaded is not None
    strip = strip_of(Distribution(V, shown.decoded.logprobs), shown.loaded.vocabulary, None)
    for u in np.linspace(0, 0.999, 97):
        segment = strip.at(float(u))
        assert segment is not None and segment.id == choose(shown.decoded.candidates, float(u)).id


def test_partial_distribution_says_what_nobody_knows(opened: Open) -> None:
    panel = opened(partial())
    bars = panel.bars.bars
    assert [row.rank for row in bars.rows] == [1, 2, 3, 4, 5]
    assert bars.rest is not None and bars.rest.prob == pytest.approx(0.24)
    assert panel.entropy.text() == "H = —"


def test_no_distribution_and_nan_say_why(opened: Open) -> None:
    panel = opened(no_first_token())
    assert "BOS" in panel.bars.message and not panel.bars.bars.rows
    panel.show_view(not_numbers())
    assert "NaN" in panel.bars.message and not panel.bars.bars.rows
    panel.show_view(view())
    assert panel.bars.message == "" and panel.bars.bars.rows


def test_a_huge_vocabulary_is_shown_in_milliseconds(opened: Open) -> None:
    views = [view(256_000, Pipeline.of(temperature=0.9), bars=200, seed=seed) for seed in range(3)]
    panel = opened(views[0])
    start = time.perf_counter()
    for shown in views[1:]:
        panel.show_view(shown)
        panel.repaint()
    assert time.perf_counter() - start < 30  # a hang guard; figures are in the benchmarks
    assert total(panel.bars.bars, decoded=True) == pytest.approx(1, abs=1e-9)


def test_export_paints_every_row(opened: Open) -> None:
    few, many = opened(view(bars=5)), opened(view(bars=60))
    heights = []
    for panel in (few, many):
        panel.set_theme(DARK)
        size = panel.chart_size()
        assert size is not None
        image = QImage(*size, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        panel.paint_chart(painter, QRectF(image.rect()))
        painter.end()
        heights.append(size[1])
        assert drawn(image) > 1000
    assert heights[1] - heights[0] == 55 * ROW
    assert opened(View()).chart_size() is None


def test_axes() -> None:
    bars = Bars(bars_of(own(view()), None, Vocabulary("", (b"a",) * V), 20).rows)
    best = max(bars.probs)
    linear, log = Axis.fit(bars, log=False), Axis.fit(bars, log=True)
    assert best <= linear.high and linear.share(best) > 0.35
    assert linear.share(linear.high / 2) == pytest.approx(0.5)
    assert log.share(1.0) == 1 and log.share(log.low) == pytest.approx(0, abs=1e-12)
    middle = log.share(math.sqrt(log.low))
    assert middle == pytest.approx(0.5)
    assert all(log.share(p) > 0 for p in bars.probs if p > log.low)
    for axis in (linear, log):
        shares = [share for share, _ in axis.ticks(6)]
        assert shares == sorted(shares) and max(shares) == 1


def test_animation_ends_at_the_numbers(opened: Open, qtbot: QtBot) -> None:
    panel = opened(view(animate=True))
    goal = view(seed=4, animate=True)
    panel.show_view(goal)
    assert [row.id for row in panel.bars.bars.rows] == own(goal).top(20).tolist()  # at once; only lengths move
    final = panel.bars._to
    qtbot.waitUntil(lambda: panel.bars.lengths == final, timeout=30_000)
    assert len(final) == 21
