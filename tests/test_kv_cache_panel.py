"""The KV-cache panel: what it says, when it measures, what it forgets, and what of it is exported."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from arplay.core.errors import Problem
from arplay.core.timings import Timing, Timings
from arplay.engine.messages import Progress
from arplay.export.charts import CACHE
from arplay.gui import exports
from arplay.gui.bridge import Bridge
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import Do
from arplay.gui.panels import PANELS
from arplay.gui.panels.kv_cache import KvCachePanel
from arplay.gui.playground import comparing
from arplay.gui.playground.playground import Playground
from arplay.gui.settings import Settings
from arplay.gui.status import StatusBar
from arplay.gui.view import View
from arplay.gui.widgets.cache import chart, facts
from arplay.gui.widgets.plot import Drawing, round_numbers
from arplay.models.base import Capabilities, Info
from tests.panel_views import broken_timings, growing, many_steps, textbook
from tests.strictness import HANG_GUARD
from tests.tiny_models import one_thread, tiny_folders
from tests.windows_open import PATIENCE, Open, opened

__all__ = ["one_thread", "opened", "tiny_folders"]

TEXT = b"The cat sat"


@pytest.fixture
def play(qtbot: QtBot, tiny_folders: dict[str, Path]) -> Iterator[Playground]:
    playground = Playground(Bridge(), Settings(animate=False))
    playground.load_model(str(tiny_folders["llama"]), "cpu", "float32")
    qtbot.waitUntil(lambda: playground.view.loaded is not None, timeout=PATIENCE)
    yield playground
    assert playground.close(HANG_GUARD)


def settle(play: Playground, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not play.view.stale and not play.busy_scoring(), timeout=PATIENCE)


def write(play: Playground, qtbot: QtBot, text: bytes) -> None:
    end = len(play.document)
    play.handle(Typed(end, end, text, end + len(text)))
    settle(play, qtbot)


def kinds(play: Playground) -> list[str]:
    return [t.kind for t in play.view.timings]


# when it measures


def test_steps_are_points_and_a_pause_measures_without_the_cache(play: Playground, qtbot: QtBot) -> None:
    play.comparing.watch(True)
    write(play, qtbot, TEXT)
    play.handle(Do("step"))
    settle(play, qtbot)
    assert kinds(play)[0] == "prefill" and "cached" in kinds(play)
    context = play.view.answer.position.context if play.view.answer else 0

    def compared() -> list[float | None]:
        return [t.difference for t in play.view.timings if t.kind == "uncached" and t.context == context]

    qtbot.waitUntil(lambda: bool(compared()), timeout=PATIENCE)
    difference = compared()[0]
    assert difference is not None and difference < 1e-4
    qtbot.waitUntil(lambda: len({t.context for t in play.view.timings if t.kind == "uncached"}) >= 4, timeout=PATIENCE)


def test_nothing_is_measured_while_nobody_watches(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, TEXT)
    assert not play.comparing._timer.isActive()
    play.comparing.watch(True)
    assert play.comparing._timer.isActive()
    play.comparing.watch(False)
    assert not play.comparing._timer.isActive()
    play.comparing._watched = True
    play.comparing._quietly()  # the negative control: this is what would have measured
    assert play.view.recomputing
    qtbot.waitUntil(lambda: "uncached" in kinds(play), timeout=PATIENCE)


def test_the_button_measures_whatever_it_takes(play: Playground, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LONGEST_SECONDS", 0.0)
    play.comparing.watch(True)
    write(play, qtbot, TEXT)
    play.comparing._quietly()
    assert not play.view.recomputing
    play.handle(Do("recompute"))
    qtbot.waitUntil(lambda: "uncached" in kinds(play), timeout=PATIENCE)


def test_the_button_says_where_there_is_nothing_to_measure(play: Playground, qtbot: QtBot) -> None:
    with qtbot.waitSignal(play.reported) as told:
        play.handle(Do("recompute"))
    assert told.args is not None and "no answer" in told.args[0]


def test_going_on_cancels_and_scoring_goes_on(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, TEXT)
    play.handle(Do("recompute"))
    play.handle(Typed(0, 0, b"A ", 2))
    assert play.view.stale
    settle(play, qtbot)
    qtbot.waitUntil(lambda: not play.view.recomputing, timeout=PATIENCE)
    assert play.view.ledger is not None and play.view.ledger.complete


def test_points_go_with_the_model_and_with_the_button(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BAC")
    assert play.view.timings
    play.handle(Do("forget_timings"))
    assert play.view.timings == ()
    write(play, qtbot, b"A")
    assert play.view.timings
    former = play.view.loaded
    play.load_model("abc")
    qtbot.waitUntil(lambda: play.view.loaded is not former, timeout=PATIENCE)
    assert all(t.cache_bytes == 0 for t in play.view.timings)


def test_a_table_is_never_measured_twice(qtbot: QtBot) -> None:
    play = Playground(Bridge(), Settings(animate=False))
    play.load_model("abc")
    qtbot.waitUntil(lambda: play.view.loaded is not None, timeout=PATIENCE)
    play.comparing.watch(True)
    write(play, qtbot, b"BAC")
    play.comparing._quietly()
    assert not play.view.recomputing
    assert play.close(HANG_GUARD)


# what it says


def info(**changes: str) -> Info:
    return replace(Info("m", "llama", "here", "0", "float32", "cpu", 300, 24, 1000), **changes)  # type: ignore[arg-type]


def test_every_way_back_is_explained() -> None:
    ways = get_args(get_type_hints(Capabilities)["rewinds"])
    shown = textbook().loaded
    assert shown is not None
    loaded = [replace(shown, info=info(), can=Capabilities(False, way, True)) for way in ways]
    said = dict(zip(ways, map(facts.going_back, loaded), strict=True))
    assert len(set(said.values())) == 4
    assert said["cropped"][0] == "the KV cache · transformers · float32 on cpu · cropped on edits"


@pytest.mark.parametrize(
    ("difference", "dtype", "expected"),
    [
        (3e-5, "float32", "Same answer both ways but for float32 rounding"),
        (0.2, "float32", "Logits differ by 2.0·10⁻¹: more than float32 explains."),
        (0.2, "bfloat16", "Same answer both ways but for bfloat16 rounding"),
        (0.2, "Q4_1", "Logits of both ways differ by ≤ 2.0·10⁻¹"),
        (math.nan, "float32", "The logits are not numbers (NaN)."),
    ],
)
def test_the_difference_is_judged_by_the_number_type(difference: float, dtype: str, expected: str) -> None:
    timings = (Timing("uncached", 9, 9, 0.1, 0, difference),)
    assert facts.verdict(timings, info(dtype=dtype)) == expected


def test_figures_of_a_history() -> None:
    timings: Timings = (
        Timing("prefill", 100, 100, 0.2, 100 * 2048),
        *(Timing("cached", n, 1, 0.01, n * 2048) for n in range(101, 111)),
        Timing("uncached", 110, 110, 0.25, 0, 2e-5),
        Timing("uncached", 55, 55, 0.1),
    )
    shown = textbook().loaded
    assert shown is not None
    loaded = replace(shown, info=info(), can=Capabilities(False, "cropped", True))
    said = [(f.value, f.name) for f in facts.figures(timings, loaded)]
    fixed = replace(loaded, can=Capabilities(False, "cropped", True, kept="rows kept", grows=False))
    other = [f.name for f in facts.figures(timings, fixed)]
    assert other[0] == "with rows kept" and other[4] == "of a fixed size"
    assert said == [
        ("10 ms", "with the KV cache"),
        ("250 ms", "without, at 110"),
        ("25.0 ×", "faster at 110"),
        ("2.0·10⁻⁵", "logits differ by"),
        ("225 kB", "2.05 kB a token"),
        ("109 + 1", "reused + read"),
    ]


def test_a_pass_that_takes_long_is_offered() -> None:
    view = growing()
    assert view.answer is not None
    context = view.answer.position.context
    long = replace(view, timings=(Timing("prefill", context, context, 30.0),))
    assert facts.state(long) == f"{context} tokens with nothing kept may take 30 s: ask for it"
    assert facts.state(replace(view, timings=(Timing("prefill", context, context, 0.1),))) == ""


def test_a_table_says_that_it_has_no_cache(qtbot: QtBot) -> None:
    panel = KvCachePanel()
    qtbot.addWidget(panel)
    panel.show_view(textbook_table())
    assert "looks each answer up" in panel.empty.text() and panel.chart_size() is None


def textbook_table() -> View:
    view = textbook()
    assert view.loaded is not None
    table = replace(view.loaded, can=Capabilities(True, "none", True))
    return replace(view, loaded=table, timings=(Timing("cached", 3, 1, 0.001),))


def test_buttons_ask(qtbot: QtBot) -> None:
    panel = KvCachePanel()
    qtbot.addWidget(panel)
    panel.show_view(replace(many_steps(), recomputing=False))
    asked: list[object] = []
    panel.intent.connect(asked.append)
    panel.now.click()
    panel.clear.click()
    assert asked == [Do("recompute"), Do("forget_timings")]
    panel.show_view(many_steps())
    assert not panel.now.isEnabled(), "one is under way"


# the plot


def test_the_mark_under_the_pointer_is_found(qtbot: QtBot) -> None:
    timings = (Timing("cached", 10, 1, 0.01), Timing("uncached", 100, 100, 0.1))
    cache = chart.CacheChart()
    qtbot.addWidget(cache)
    cache.resize(400, 200)
    cache.show_timings(timings)
    on = cache.drawing()
    for timing in timings:
        assert cache.at(on.place(timing.context, 1000 * timing.seconds) + QPointF(3, 3)) is timing
    assert cache.at(on.frame.topLeft()) is None


def test_marks_stay_inside_and_one_slow_answer_does_not_flatten_the_rest() -> None:
    area = QRectF(10, 20, 300, 150)
    steps = tuple(Timing("cached", n, 1, 0.01) for n in range(50))
    timings = (Timing("prefill", 40, 40, 9.0), *steps, Timing("uncached", 50, 50, 0.05))
    on = Drawing(chart.plot_of(timings), area)
    assert on.plot.high < 100
    assert all(area.contains(on.place(t.context, 1000 * t.seconds)) for t in timings)


@pytest.mark.parametrize("top", [0.013, 1.0, 4.9, 23.0, 999.0, 12345.6])
@pytest.mark.parametrize("most", [2, 3, 7])
def test_ticks_are_few_round_and_more_than_one(top: float, most: int) -> None:
    marks = round_numbers(0.0, top, most)
    assert marks[0] == 0 and 2 <= len(marks) <= max(most, 3) and marks[-1] <= top * (1 + 1e-9)


def test_what_is_no_number_is_left_out() -> None:
    assert [t.context for t in chart.measured(broken_timings().timings)] == [0]


# in the window


def test_the_panel_is_a_tab_that_costs_nothing_until_it_is_raised(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    dock = window.docks["kv_cache"]
    assert dock in window.tabifiedDockWidgets(window.docks["ledger"])
    assert not window.playground.comparing._watched
    dock.raise_()
    qtbot.waitUntil(lambda: window.playground.comparing._watched, timeout=PATIENCE)
    window.docks["ledger"].raise_()
    qtbot.waitUntil(lambda: not window.playground.comparing._watched, timeout=PATIENCE)


def test_it_is_exported_in_every_format(
    opened: Open, qtbot: QtBot, tmp_path: Path, tiny_folders: dict[str, Path]
) -> None:
    window = opened(str(tiny_folders["llama"]), TEXT)
    window.docks["kv_cache"].raise_()
    play, panel = window.playground, window.panels["kv_cache"]
    play.handle(Do("step"))
    qtbot.waitUntil(lambda: {"cached", "uncached"} <= set(kinds(play)), timeout=PATIENCE)
    qtbot.waitUntil(lambda: panel.chart_size() is not None, timeout=PATIENCE)
    for suffix, magic in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".csv", b"#"), (".json", b"{")):
        file = tmp_path / f"cache{suffix}"
        assert exports.of_panel(panel, window).save(file)
        assert file.read_bytes().startswith(magic)
    rows = json.loads((tmp_path / "cache.json").read_text())["timings"]
    lines = [line for line in (tmp_path / "cache.csv").read_text().splitlines() if not line.startswith("#")]
    assert [row["kind"] for row in csv.DictReader(lines)] == [row["kind"] for row in rows]
    measured = next(row for row in rows if row["largest_difference"] is not None)
    assert measured["kind"] == "uncached" and measured["reused"] == 0 and measured["cache_bytes"] is None


def test_nothing_measured_is_a_problem_and_no_file() -> None:
    panel = next(place for place in PANELS if place.chart is CACHE).make()
    with pytest.raises(Problem, match="no answer was measured"):
        CACHE.table(exports.shown(panel, textbook_table()))
    panel.deleteLater()


# the status bar


def status_words(status: StatusBar) -> str:
    return " | ".join(label.text() for label in (status._model, status._context, status._cache, status._speed))


def test_the_status_bar_tells_the_cache_and_its_branches(qtbot: QtBot) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    view = growing()
    assert view.answer is not None
    status.show_view(replace(view, answer=replace(view.answer, cache_bytes=12 << 20, branches=3)))
    assert "cache 12.6 MB · 3 branches" in status_words(status)
    status.show_view(replace(view, answer=replace(view.answer, cache_bytes=12 << 20, branches=1)))
    assert "branches" not in status_words(status)
    status.show_view(textbook_table())
    assert "cache" not in status_words(status)


def test_the_status_bar_shows_what_is_not_used_and_why(qtbot: QtBot) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    view = growing()
    assert view.loaded is not None
    status.show()
    status.show_view(view)
    assert not status._unused.isVisible()
    told = ("the cache is recomputed at each step: <b>odd</b>", "steps are not replayed\x1b[2J")
    status.show_view(replace(view, loaded=replace(view.loaded, info=replace(view.loaded.info, not_used=told))))
    assert status._unused.isVisible() and status._unused.text() == "2 not used"
    tip = status._unused.toolTip()
    assert "The cache is recomputed at each step: &lt;b&gt;odd" in tip and "\x1b" not in tip
    status._unused.click()
    box = status.findChild(QMessageBox)
    assert box is not None and "<b>odd</b>" in box.text() and "\x1b" not in box.text()
    box.close()


def test_a_download_tells_bytes_speed_and_time_left_and_nothing_is_clipped(qtbot: QtBot) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    status.resize(1280, 28)
    view = growing()
    assert view.answer is not None and view.loaded is not None
    named = replace(
        view.loaded, info=replace(view.loaded.info, name="organisation/A-long-name-of-a-model-1.2B-Instruct")
    )
    status.show_view(replace(view, loaded=named, answer=replace(view.answer, cache_bytes=12 << 20, branches=3)))
    status.show_progress(Progress(1, "downloading smollm2", 0.1, 12_300_000, 93_000_000, 4_100_000.0, 20.0))
    status.show()
    QApplication.processEvents()
    assert status._what.text() == "Downloading smollm2 · 12.3 MB of 93.0 MB · 4.10 MB/s · 20 s left"
    assert status.minimumSizeHint().width() <= 1280
    status.show_progress(Progress(1, "downloading", None, 1_000_000, None, None, 600.0))
    assert status._what.full == "Downloading · 1.00 MB · 10 min 0 s left"
    status.show_progress(Progress(1, "scoring", 0.5))
    assert status._what.full == "Scoring"
