"""The views of training on made-up results: figures are those of numpy; keys, clicks and states do what they say."""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.errors import Problem
from arplay.engine.messages import Failed
from arplay.engine.replay import Replay, ReplayEnded
from arplay.gui.settings import Unit
from arplay.gui.theme import DARK, LIGHT, Theme
from arplay.gui.training.asks import AskReplay
from arplay.gui.training.gradient_chart import TOP
from arplay.gui.training.nll_line import NllLine
from arplay.gui.training.one_batch import OneBatchView
from arplay.gui.training.replay import ReplayView
from tests.panel_checks import controls, drawn, pixels
from tests.replays import (
    STEPS,
    TEXT,
    batch_losses,
    plan,
    replayed,
    replays,
    softmax,
    state,
    tokens,
    vocabulary,
)
from tests.training_views import Asked, answer, replaying, shown, teaching

SCALE = os.environ.get("QT_SCALE_FACTOR", "1")
GIRL = 1 + tokens(TEXT).index(b" girl")
FRAME_MS = 16.0


@pytest.fixture(autouse=True)
def _plain_afterwards(qapp: QApplication) -> Iterator[None]:
    yield
    qapp.setStyleSheet("")


def test_it_asks_when_seen_and_again_for_what_is_new(qtbot: QtBot) -> None:
    view = ReplayView()
    asked = Asked(view)
    view.set_run(state(STEPS[:4]))
    assert asked.all == []  # nobody sees it
    shown(qtbot, view)
    assert asked.all == [AskReplay(view.prompt.text(), None, -1)]
    view.set_run(state(STEPS[:5]))
    assert len(asked.all) == 1  # the first question is not answered yet
    for each in replays(steps=STEPS[:4]):
        view.show_result(each)
    view.show_result(ReplayEnded(1))
    assert view.timeline.slider.maximum() == 3
    view.set_run(replace(state(STEPS[:5]), what="one step on"))
    assert asked.last == AskReplay(view.prompt.text(), None, STEPS[3])
    view.show_result(replayed(STEPS[4]))
    view.show_result(ReplayEnded(2))
    assert view.shown is not None and view.shown.step == STEPS[4]  # it follows the newest
    view.set_run(replace(state(STEPS[:5]), what="another"))
    assert len(asked.all) == 2


def test_a_typed_prompt_is_asked_about_after_a_pause(qtbot: QtBot) -> None:
    view = replaying(qtbot)
    asked = Asked(view)
    view.prompt.setFocus()
    view.prompt.selectAll()
    QTest.keyClicks(view.prompt, "a girl")
    assert asked.all == []
    qtbot.waitUntil(lambda: asked.all == [AskReplay("a girl", None, -1)])
    assert view.answers.stale and view.shown is not None and view.shown.answer.encoded.data == TEXT.encode()
    view.show_result(replayed(0, text="a girl"))
    assert view.shown.answer.encoded.data == TEXT.encode()  # never two texts at once
    answer(view, text="a girl")
    assert view.shown is not None and view.shown.answer.encoded.data == b"a girl"
    view.suggest_text("not this: the user has written")
    assert view.prompt.text() == "a girl"


def test_the_text_of_the_playground_is_the_first_prompt(qtbot: QtBot) -> None:
    view = ReplayView()
    asked = Asked(view)
    shown(qtbot, view)
    view.suggest_text("\n  A girl was there.\nAnd more.")
    view.set_run(state())
    assert view.prompt.text() == "A girl was there."
    assert asked.last == AskReplay("A girl was there.", None, -1)


def test_the_slider_moves_by_keys_and_everything_follows(qtbot: QtBot) -> None:
    view = replaying(qtbot, index=GIRL)
    slider = view.timeline.slider
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert view.shown is not None and view.shown.step == 0
    assert view.timeline.step.text() == "Step 0 of 5,000"
    assert not view.timeline.follow.isChecked()
    order = [row.id for row in view.chart.bars.bars.rows]
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert view.shown.step == STEPS[1] and [row.id for row in view.chart.bars.bars.rows] == order
    found = replayed(STEPS[1], GIRL)
    p = softmax(found.logits)
    assert [row.decoded for row in view.chart.bars.bars.rows] == pytest.approx([p[id] for id in order])
    assert view.heat.ledger is not None
    assert np.array_equal(view.heat.ledger.logprob, found.logprob[1:])
    assert view.timeline.line.figure == f"{-np.nanmean(found.logprob):.3f} nats per token"
    view.chart.order.buttons["this"].click()
    assert [row.id for row in view.chart.bars.bars.rows] == np.argsort(-p, kind="stable")[:20].tolist()
    view.set_unit("bits")
    assert view.timeline.line.figure == f"{-np.nanmean(found.logprob) / math.log(2):.3f} bits per token"
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert view.chosen is None and view.timeline.follow.isChecked()


def test_a_click_on_a_token_chooses_the_place(qtbot: QtBot) -> None:
    view = replaying(qtbot)
    asked = Asked(view)
    index = GIRL - 1
    at = view.heat.rect_of(index).center().toPoint()
    QTest.mouseClick(view.heat.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert asked.all == [AskReplay(TEXT, GIRL, -1)]
    answer(view, index=GIRL)
    assert view.heat.selected == index
    assert "true next: ␣girl" in view.chart.words()
    view.after.click()
    assert asked.last == AskReplay(TEXT, None, -1)


def test_a_first_token_without_a_distribution_says_so(qtbot: QtBot) -> None:
    view = replaying(qtbot, lead=False)
    asked = Asked(view)
    view.heat.picked.emit(0)
    assert asked.all == [] and "Nothing stands before" in view.chart.bars.message
    view.heat.picked.emit(1)
    assert asked.all == [AskReplay(TEXT, 1, -1)]
    answer(view, index=1, lead=False)
    assert view.chart.bars.bars.rows


def test_the_gradient_is_there_where_a_true_token_is(qtbot: QtBot) -> None:
    view = replaying(qtbot)
    view.chart.what.buttons["gradient"].click()
    assert "no true next token" in view.chart.gradient.message
    view.heat.picked.emit(GIRL - 1)
    answer(view, index=GIRL)
    found = view.chart.gradient.gradient
    p = softmax(replayed(STEPS[-1], GIRL).logits)
    assert found is not None and found.true.value == pytest.approx(p[found.true.id] - 1)
    assert "+" in view.chart.gradient.accessibleDescription() and "−" in view.chart.gradient.accessibleDescription()
    assert "<b>␣girl</b>" in view.chart.gradient.words_at(TOP + 1)


def test_play_runs_to_the_newest_and_stops(qtbot: QtBot) -> None:
    view = replaying(qtbot, steps=STEPS[:3])
    places: list[int] = []
    view.timeline.moved.connect(places.append)
    view.timeline.play.click()
    assert view.timeline.playing and view.timeline.play.text() == "Pause"
    qtbot.waitUntil(lambda: not view.timeline.playing)
    assert places == [0, 1, 2]


def test_following_stays_where_the_user_went(qtbot: QtBot) -> None:
    view = replaying(qtbot, steps=STEPS[:4])
    view.set_run(state(STEPS[:4]))
    view.timeline.slider.setValue(1)
    view.set_run(state(STEPS[:5]))
    view.show_result(replayed(STEPS[4]))
    view.show_result(ReplayEnded(2))
    assert view.shown is not None and view.shown.step == STEPS[1]
    view.timeline.follow.click()
    assert view.shown.step == STEPS[4]


def test_a_resumed_run_forgets_what_came_after_its_checkpoint(qtbot: QtBot) -> None:
    view = replaying(qtbot)
    view.set_run(state(STEPS[:6]))
    assert view.answers.steps == STEPS[:6]
    view.set_run(state(STEPS, folder=Path("another")))
    assert view.answers.steps == ()
    view.set_run(None)
    assert view.pages.currentIndex() == 0 and "Start a training run" in view.empty.text()


def test_a_run_without_snapshots_says_why(qtbot: QtBot) -> None:
    view = ReplayView()
    shown(qtbot, view)
    view.set_run(state(()))
    assert "Training the tokenizer" in view.empty.text() and "first snapshot" in view.empty.text()
    view.set_run(replace(state((), status="done"), plan=replace(plan(), family="ngram")))
    assert "counted in one go" in view.empty.text()
    view.set_run(state((), status="failed", problem=("story.txt is empty", "choose a text with words in it")))
    assert view.empty.text() == "story.txt is empty.\nChoose a text with words in it."


def test_an_answer_to_nobody_is_dropped(qtbot: QtBot) -> None:
    view = replaying(qtbot)
    view.set_run(None)
    view.show_result(replayed(0))
    assert view.answers.steps == ()


def test_a_failure_is_told_once_and_not_asked_again_by_itself(qtbot: QtBot) -> None:
    view = ReplayView()
    shown(qtbot, view)
    asked = Asked(view)
    view.set_run(state())
    view.show_result(Failed(1, "model.safetensors is damaged", "resume from an earlier checkpoint", Replay))
    assert view.problem.isVisible() and "is damaged. Resume from" in view.problem.text()
    view.set_run(replace(state(), what="still"))
    assert len(asked.all) == 1
    view.set_run(state((*STEPS, 6000)))
    assert len(asked.all) == 2 and not view.problem.isVisible()


def test_logits_that_are_not_numbers_say_so(qtbot: QtBot) -> None:
    view = ReplayView()
    shown(qtbot, view)
    view.set_run(state())
    nan = np.full(600, np.nan, np.float32)
    for each in replays(GIRL):
        broken = each.step > 1000
        logprob = np.full(len(each.ids), np.nan) if broken else each.logprob
        view.show_result(replace(each, logits=nan, logprob=logprob) if broken else each)
    view.show_result(ReplayEnded(1))
    assert "not numbers" in view.chart.bars.message
    view.chart.what.buttons["gradient"].click()
    assert "not numbers" in view.chart.gradient.message
    assert view.timeline.line.figure == "not scored"
    assert drawn(view.grab().toImage()) > 1000


def test_a_slider_over_a_large_vocabulary_is_fast(qtbot: QtBot) -> None:
    """The processor time of a move with its repaint; the bar is printed, and only ten times as much fails."""
    words = vocabulary(size=50_000)
    view = ReplayView()
    shown(qtbot, view)
    view.chart.bars.animate = False
    view.set_run(state())
    for step in STEPS[::3]:
        view.show_result(replayed(step, GIRL, words=words))
    view.show_result(ReplayEnded(1))
    times = []
    for at in range(len(STEPS[::3])):
        start = time.process_time()
        view.timeline.slider.setValue(at)
        QApplication.processEvents()
        times.append(1000 * (time.process_time() - start))
    print(f"slider over 50,000 tokens: median {np.median(times):.1f} ms of a processor (bar {FRAME_MS} ms)")
    assert view.shown is not None and len(view.shown.answer.vocabulary) == 50_000
    assert np.median(times) < 10 * FRAME_MS


# both


Make = Callable[[QtBot, Theme], ReplayView | OneBatchView]


def empty_replay(qtbot: QtBot, look: Theme) -> ReplayView:
    view = ReplayView()
    shown(qtbot, view, look)
    return view


def empty_batch(qtbot: QtBot, look: Theme) -> OneBatchView:
    view = OneBatchView()
    shown(qtbot, view, look)
    return view


MAKES: tuple[Make, ...] = (replaying, teaching, empty_replay, empty_batch)


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
def test_views_are_drawn_in_both_themes_and_sizes(make: Make, qtbot: QtBot) -> None:
    for look in (LIGHT, DARK):
        view = make(qtbot, look)
        for size in ((1000, 600), (700, 380)):
            view.resize(*size)
            QApplication.processEvents()
            image = view.grab().toImage()
            assert image.width() == view.width() * int(SCALE)
            assert drawn(image) > 300
            assert (np.median(pixels(image) & 255) < 128) == (look is DARK)
        silent = [type(c).__name__ for c in controls(view) if not c.toolTip()]  # type: ignore[arg-type]
        assert silent == []


@pytest.mark.parametrize("make", MAKES[:2], ids=lambda make: make.__name__)
def test_charts_and_tables_are_exported(make: Make, qtbot: QtBot, tmp_path: Path) -> None:
    view = make(qtbot, LIGHT)
    for suffix in (".png", ".svg", ".pdf"):
        view.export.exporting.write(tmp_path / f"chart{suffix}")
        assert (tmp_path / f"chart{suffix}").stat().st_size > 1000
    assert ("mean loss" if make is teaching else "Next token after step 5,000") in (tmp_path / "chart.svg").read_text(
        "utf-8"
    )
    view.export.exporting.write(tmp_path / "table.csv")
    lines = [line for line in (tmp_path / "table.csv").read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    if isinstance(view, OneBatchView):
        assert [float(row["one_pass_nats"]) for row in rows] == batch_losses().one_pass.tolist()
    else:
        assert {int(row["step"]) for row in rows} == set(STEPS)
        p = softmax(replayed(STEPS[2]).logits)
        found = {int(row["id"]): float(row["prob"]) for row in rows if int(row["step"]) == STEPS[2]}
        assert found == pytest.approx({id: p[id] for id in found})
    nothing = type(view)()
    qtbot.addWidget(nothing)
    with pytest.raises(Problem):
        nothing.export.exporting.write(tmp_path / "nothing.csv")
    assert not (tmp_path / "nothing.csv").exists()


def test_the_picture_of_the_gradient_has_its_bars(qtbot: QtBot, tmp_path: Path) -> None:
    view = replaying(qtbot, index=GIRL)
    view.index = GIRL
    view.chart.what.buttons["gradient"].click()
    view.export.exporting.write(tmp_path / "gradient.svg")
    svg = (tmp_path / "gradient.svg").read_text("utf-8")
    assert "sum of all 600" in svg and "pulled up" in svg


def test_the_line_of_losses_is_clicked(qtbot: QtBot) -> None:
    view = replaying(qtbot)
    line = view.timeline.line
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPointF(line.drawing().place(4, 0).x(), 30).toPoint())
    assert view.shown is not None and view.shown.step == STEPS[4]
    before = pixels(view.grab().toImage())
    view.timeline.slider.setValue(0)
    assert not np.array_equal(before, pixels(view.grab().toImage()))


@pytest.mark.parametrize("unit", ["nats", "bits"])
@pytest.mark.parametrize("width", [100, 180, 260, 420, 730, 1200])
def test_the_words_over_the_line_of_losses_cover_nothing(qtbot: QtBot, width: int, unit: Unit) -> None:
    line = NllLine()
    qtbot.addWidget(line)
    line.unit = unit
    line.resize(width, line.height())
    values = [9.2, 8.0, 4.0, 12.5, 1.5]
    for here in range(len(values)):
        line.show_values(values, 9.03, here)
        labels = line.labels()
        assert labels["value"][1] == line.figure
        boxes = [box for box, _ in labels.values()]
        assert all(not a.intersects(b) for a, b in combinations(boxes, 2))
        assert all(box.bottom() <= line.frame().top() for box in boxes)
        assert width < 260 or all(line.rect().contains(box.toAlignedRect()) for box in boxes)
        assert len(boxes) == 3 or width < 420


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_perplexity_is_there_at_the_width_of_a_run_page(qtbot: QtBot, unit: Unit) -> None:
    view = replaying(qtbot)
    view.resize(737, 640)
    view.set_unit(unit)
    QApplication.processEvents()
    names = [figure.name for figure, _, _ in view.figures.layout_in(view.figures.width())]
    assert names == ["tokens", "scored", "NLL", "perplexity", "bits per byte"]
    assert view.figures.height() == view.figures.sizeHint().height()


def test_gradient_and_probabilities_have_the_same_place(qtbot: QtBot) -> None:
    view = replaying(qtbot, index=GIRL)
    view.resize(737, 640)
    QApplication.processEvents()
    where = view.chart.bars.geometry()
    view.chart.what.buttons["gradient"].click()
    QApplication.processEvents()
    assert view.chart.gradient.geometry() == where
    assert view.chart.log.isVisible() and not view.chart.log.isEnabled()
    assert view.chart.title.text() == view.chart.title.full  # nothing is cut off
    assert view.caption.text() == view.caption.full
    view.chart.what.buttons["p"].click()
    assert view.chart.log.isEnabled()


def test_long_tooltips_are_wrapped(qtbot: QtBot) -> None:
    view = replaying(qtbot)
    tips = [widget.toolTip() for widget in view.findChildren(QWidget)]
    assert any(tip.startswith("<span>") for tip in tips)
    lines = [line for tip in tips if not tip.startswith("<") for line in tip.splitlines()]
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.slow
@pytest.mark.skipif(SCALE != "1", reason="this is the second process")
def test_the_views_pass_at_twice_the_scale() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "--no-header", "-k", "drawn", str(Path(__file__))],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"QT_SCALE_FACTOR": "2"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert said.returncode == 0, said.stdout[-4000:] + said.stderr[-1000:]
