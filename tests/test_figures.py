"""Figures that belong together are written alike, and stay where they are while one steps."""

from __future__ import annotations

import html
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect
from pytestqt.qtbot import QtBot

from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.distribution import Distribution
from arplay.core.format import percent, percent_cell, power_cell, probability
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.picking import choose
from arplay.gui import kinds
from arplay.gui.intents import Do, Select
from arplay.gui.tour import Tour, stops
from arplay.gui.training.gradient import signed
from arplay.gui.widgets.bars.bars import LEAST_SHARE, Axis
from arplay.gui.widgets.bars.cumulative import CumulativeStrip, strip_of
from arplay.gui.widgets.bars.view import BarView
from arplay.gui.widgets.dial import Dial, Scale
from arplay.gui.widgets.labels import capital
from tests.windows_open import Open, notice, settle, text_field

PROBABILITIES = st.floats(0.0, 1.0) | st.integers(0, 300).map(lambda power: 10.0**-power)
COLUMNS = {
    "percent": (percent_cell, r"0%|<0\.01%|>99\.99%|\d{1,3}\.\d\d%"),
    "power": (power_cell, r"0|\d\.\d·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+"),
    "decimal": (lambda p: probability(math.log(p) if p else -math.inf), r"0|<0\.0001|[01]\.\d{4}"),
    "gradient": (signed, r"0|<0\.0001|\+[01]\.\d{4}"),
}


@pytest.mark.parametrize("column", COLUMNS)
@given(p=PROBABILITIES)
def test_a_column_has_one_format_and_never_says_nothing_or_certain(column: str, p: float) -> None:
    cell, form = COLUMNS[column]
    text = cell(p)
    assert re.fullmatch(form, text)
    assert (text in ("0", "0%")) == (p == 0)
    assert text != "100.00%" or p >= 1 - 1e-12


def test_a_mixed_column_would_be_seen() -> None:
    assert not re.fullmatch(COLUMNS["percent"][1], percent(7e-7))


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=8), st.booleans())
def test_an_axis_that_is_kept_holds_both(most: list[float], log: bool) -> None:
    kept = Axis.holding([most[0]], log)
    for p in most[1:]:
        wanted, former = Axis.holding([p], log), kept
        kept = wanted.kept(former)
        assert kept.low <= wanted.low and kept.high >= wanted.high
        if wanted.high < former.high * LEAST_SHARE:
            assert kept == wanted  # all bars would be short
        elif former.low <= wanted.low and former.high >= wanted.high:
            assert kept == former  # it stands still
        else:
            assert kept.low <= former.low and kept.high >= former.high
    other = Axis.holding([0.5], not log)
    assert other.kept(kept) == other


def test_the_axis_stands_still_while_one_steps_and_is_fitted_anew_elsewhere(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark")
    play, chart = window.playground, window.panels["next_token"].findChild(BarView)
    former, stood = chart.axis, 0
    for what in ("step",) * 6 + ("rewind",):
        play.handle(Do(what))  # type: ignore[arg-type]
        settle(window, qtbot)
        fitted = Axis.fit(chart.bars, False)
        assert chart.axis == fitted.kept(former)
        stood += chart.axis == former != fitted
        former = chart.axis
    assert stood, "negative control: the figures alone had another one"
    play.handle(Select(1))
    settle(window, qtbot)
    assert chart.axis == Axis.fit(chart.bars, False)


@given(st.integers(0, 10_000), st.floats(0.0, 1 - 2**-53))
def test_the_lens_shows_the_share_that_u_fell_into(seed: int, u: float) -> None:
    logits = np.random.default_rng(seed).normal(0, 6, 300)
    own = Distribution(300, logits - np.logaddexp.reduce(logits))
    decoded = decode(own, Pipeline())
    vocabulary = Vocabulary("lens", tuple(str(id).encode() for id in range(300)))
    strip = strip_of(Distribution(300, decoded.logprobs), vocabulary, choose(decoded.candidates, u))
    assert strip.chosen is not None and strip.chosen.low <= u < strip.chosen.high
    assert [near.id for near in strip.near].count(strip.chosen.id) == 1
    for before, after in zip(strip.near, strip.near[1:], strict=False):
        assert before.high == pytest.approx(after.low, abs=1e-12)
        assert own.logprobs[before.id] >= own.logprobs[after.id]
    lens = strip.lens(360.0)
    wide = (strip.chosen.high - strip.chosen.low) * 360.0 >= 12
    assert (lens is None) == wide
    if lens is not None:
        assert lens[0] <= u <= lens[1] and lens[1] - lens[0] < 0.5


def test_the_strip_is_there_at_every_height_and_names_its_distribution(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    panel, play = window.panels["next_token"], window.playground
    strip = panel.findChild(CumulativeStrip)
    for height in (120, 160, 240, 300, 700):
        panel.resize(300, height)
        assert not strip.isHidden()
    assert strip.strip.what == "cumulative probability"
    play.handle(Do("step"))
    settle(window, qtbot)
    assert strip.strip.what.endswith("at the last step")


@pytest.mark.parametrize("value", [0.0, 0.8, 1.0, 2.0])
def test_a_screen_reader_hears_the_value(qtbot: QtBot, value: float) -> None:
    dial = Dial("Temperature", "T", Scale(0.0, 2.0, 1.0, 2), says_off=False)
    qtbot.addWidget(dial)
    dial.show_value(value)
    assert dial.field.accessibleName() == "Temperature" and dial.field.text() == f"{value:.2f}"
    assert dial.slider.accessibleName() == f"Temperature {value:.2f}, by mouse"
    dial.slider.setFocus()
    assert not dial.slider.hasFocus()


@pytest.mark.parametrize("written", ["x", "BAx", "the"])
def test_a_text_that_the_model_cannot_write_is_no_dead_end(opened: Open, qtbot: QtBot, written: str) -> None:
    window = opened("abc", b"BAC")
    play, field = window.playground, text_field(window)
    field.setFocus()
    qtbot.keyClicks(field, written)
    settle(window, qtbot)
    assert play.view.problem is not None
    chart = window.panels["next_token"].findChild(BarView)
    assert "Rewind" in chart.message and "Ctrl+N" in chart.message
    play.handle(Do("step"))
    assert capital(play.view.problem[0]) in html.unescape(notice(window))  # the cause, not that a text is missing
    while play.view.problem is not None:
        play.handle(Do("rewind"))
        settle(window, qtbot)
    assert play.document.data.startswith(b"BAC") and play.view.answer is not None


@pytest.mark.parametrize("size", [(800, 500), (1280, 800), (1920, 1200)])
def test_the_tour_covers_little_of_what_it_explains(opened: Open, qtbot: QtBot, size: tuple[int, int]) -> None:
    window = opened()
    window.resize(*size)
    window.start_tour()
    for name, _, _ in stops(kinds.TEXT):
        card, panel = window.findChild(Tour), window.panels[name]
        card.place()
        shown = QRect(panel.mapTo(window, QPoint(0, 0)), panel.size())
        both = card.geometry().intersected(shown)
        hidden = both.width() * both.height() if both.isValid() else 0
        assert window.rect().contains(card.geometry())
        assert hidden <= (0 if size != (800, 500) else shown.width() * shown.height() // 2), name
        card._go_on()
