"""What perplexity means: figures of the ledger at once, the same text by every convention when asked, and why not."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.core.reading import Reading
from arplay.core.sweeps import Axis, affordable, planned
from arplay.core.windows import Windows
from arplay.gui import exports
from arplay.gui.intents import Ask, ByContext, ByStride, Change, CompareConventions
from arplay.gui.panels.perplexity import PerplexityPanel
from arplay.gui.settings import Settings
from arplay.gui.view import View
from arplay.gui.widgets.perplexity.curve import NOT_YET, place, plot_of, told
from arplay.gui.widgets.perplexity.rows import COUNTED, NAME, NLL, PER_UNIT, PERPLEXITY, WINDOWS, WORD
from arplay.gui.widgets.plot import Drawing
from tests.panel_views import growing
from tests.windows_open import PATIENCE, Open, opened, put_up, settle, text_field

__all__ = ["opened"]
LONG = b"It was a dark and stormy night, and the rain fell. " * 120


def figure(panel: PerplexityPanel, name: str) -> str:
    return next(each.value for each in panel.figures.figures if each.name == name)


def column(panel: PerplexityPanel, number: int) -> list[str]:
    table = panel.rows.table
    return [str(table.data(table.index(row, number))) for row in range(table.rowCount())]


def whole(panel: PerplexityPanel, kind: type[Ask]) -> bool:
    return (found := panel.swept(kind)) is not None and found.whole


def in_front(window: object, qtbot: QtBot) -> PerplexityPanel:
    window.docks["perplexity"].show()  # type: ignore[attr-defined]
    window.docks["perplexity"].raise_()  # type: ignore[attr-defined]
    panel = cast(PerplexityPanel, window.panels["perplexity"])  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: panel.isVisible() and panel.rows.table.rowCount() > 0, timeout=PATIENCE)
    return panel


def test_the_ledger_alone_gives_the_figures(qtbot: QtBot) -> None:
    score = arplay.load("abc").score("BAC")
    panel = put_up(qtbot, PerplexityPanel(), 1300, 320, View(loaded=score.loaded, ledger=score.ledger))
    assert figure(panel, "perplexity") == f"{(0.4 * 0.5 * 0.6) ** (-1 / 3):.4f}" == "2.0274"
    assert figure(panel, "N, tokens scored") == "3 of 3" and figure(panel, "NLL") == "2.1203 nats"
    assert figure(panel, "bits per byte") == figure(panel, "bits per character") == f"{-math.log2(0.12) / 3:.4f}"
    assert figure(panel, "bits per word") == f"{-math.log2(0.12):.4f}"
    assert panel.how.full == "first token scored by the model's own p(x_1); one window; logarithms to base e (nats)"
    assert column(panel, PERPLEXITY) == ["2.0274", *["—"] * 4] and "about" in panel.told.full
    bits = Settings(unit="bits")
    panel.show_view(View(loaded=score.loaded, ledger=score.ledger, settings=bits))
    assert figure(panel, "NLL") == "3.0589 bits" and figure(panel, "perplexity") == "2.0274"
    assert panel.rows.table.title(NLL) == "NLL, bits"


def test_bits_of_a_text_that_is_being_scored_are_those_of_what_is_scored(qtbot: QtBot) -> None:
    view = growing()
    panel = put_up(qtbot, PerplexityPanel(), 1300, 320, view)
    assert view.ledger is not None and not view.ledger.complete
    per_byte = f"{view.ledger.totals.bits_per_unit:.4f}"
    assert figure(panel, "bits per byte") == column(panel, PER_UNIT)[0] == per_byte
    assert column(panel, WORD)[0] == "—", "the words of the whole text are no measure of a part"


def test_compare_scores_by_every_convention_and_is_exported(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", LONG)
    panel, play = in_front(window, qtbot), window.playground
    assert re.search(r"reads about [0-9,]+ tokens, about [0-9]+ (s|min)", panel.told.full), "beforehand"
    QTest.mouseClick(panel.compare, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.compare.text() == "Stop" or panel.compared is not None)
    qtbot.waitUntil(lambda: panel.compared is not None, timeout=PATIENCE)
    known = arplay.load("english").conventions(LONG.decode())
    assert column(panel, PERPLEXITY) == [f"{each.found.perplexity:,.4f}" for each in known.figures if each.found]
    names = column(panel, NAME)
    assert names[3].endswith("strided: off by one") and names[4] == "Mean of window means: a common mistake"
    assert column(panel, COUNTED)[4] == column(panel, WINDOWS)[4], "of means, as many as windows are counted"
    assert column(panel, WORD)[2] == f"{math.exp(known.figures[2].found.nll / (120 * 11 + 1)):,.4f}"  # type: ignore[operator, union-attr]
    assert "word_perplexity" in panel.rows.table.tip(2, NAME) and "one token fewer" in panel.rows.table.tip(3, NAME)
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"perplexity.{kind}")
    record = json.loads((tmp_path / "perplexity.json").read_text("utf-8"))
    strided = known.figures[3].found.perplexity  # type: ignore[union-attr]
    assert record["conventions"]["hf_strided"]["perplexity"] == pytest.approx(strided, rel=1e-6), (
        "float32, other chunks"
    )
    lines = (tmp_path / "perplexity.csv").read_text("utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert [row["convention"] for row in rows] == list(record["conventions"])
    QTest.keyClicks(text_field(window), "x")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.told.full.startswith("Those compared before were of another text"))
    assert panel.compared is None and column(panel, PERPLEXITY)[1:] == ["—"] * 4
    QTest.keyClick(panel.compare, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: panel.compare.text() == "Stop", timeout=PATIENCE)
    QTest.keyClick(panel.compare, Qt.Key.Key_Return)  # ends it
    assert not play.view.answer_to(CompareConventions).runs


def test_a_curve_is_told_beforehand_measured_stopped_and_exported(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    text = LONG[:600]
    window = opened("english", text)
    window.playground.handle(Change(Settings(reading=Reading(context=32))))
    settle(window, qtbot)
    panel, play = in_front(window, qtbot), window.playground
    QTest.mouseClick(panel.modes.button(1), Qt.MouseButton.LeftButton)
    assert panel.curve.isVisible() and not panel.rows.isVisible()
    qtbot.waitUntil(lambda: panel.curve.message.startswith("Measure scores the text at 6 strides: "))
    assert re.search(r"[0-9,]+ tokens to be read, about [0-9]+ (s|min)", panel.curve.message), "and how long it takes"
    QTest.mouseClick(panel.compare, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.compare.text() == "Stop")
    QTest.keyClick(panel.compare, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.compare.text() == "Measure")
    assert not play.view.answer_to(ByStride).runs
    QTest.keyClick(panel.compare, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: whole(panel, ByStride), timeout=PATIENCE)
    found = panel.swept(ByStride)
    assert found is not None and [point.stride for point in found.points] == [1, 2, 4, 8, 16, 32]
    qtbot.waitUntil(lambda: not panel.curve.plot.empty)
    assert panel.curve.here == ((4.0, 4.0),), "the scores in sight have a stride of 16"
    own = play.view.ledger.totals.perplexity  # type: ignore[union-attr]
    assert found.points[4].found is not None and found.points[4].found.perplexity == own
    assert f"perplexity {own:,.4f}" in panel.curve.words(4.0) and "stride 16" in panel.curve.words(4.0)
    model = arplay.load("english")
    model.reading = Reading(context=32, stride=8)
    assert found.points[3].found.perplexity == pytest.approx(model.score(text.decode()).perplexity, rel=1e-5)  # type: ignore[union-attr]
    QTest.mouseClick(panel.modes.button(2), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "2 contexts" in panel.curve.message)
    panel.compare.click()
    qtbot.waitUntil(lambda: whole(panel, ByContext), timeout=PATIENCE)
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"perplexity.{kind}")
    curves = json.loads((tmp_path / "perplexity.json").read_text("utf-8"))["curves"]
    assert [point["context"] for point in curves["context"]["points"]] == [16, 32]
    assert "by_stride" in (tmp_path / "perplexity.csv").read_text("utf-8")
    QTest.keyClicks(text_field(window), "x")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.curve.plot.empty and "was of another text" in panel.curve.message)


def test_a_curve_is_drawn_as_its_points_come(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", LONG)
    play, panel = window.playground, in_front(window, qtbot)
    settle(window, qtbot)
    panel.modes.button(2).click()
    panel.compare.click()
    qtbot.waitUntil(lambda: not panel.curve.plot.empty, timeout=PATIENCE)
    found = panel.swept(ByContext)
    assert found is not None and not found.whole and play.view.answer_to(ByContext).runs
    panel.compare.click()
    qtbot.waitUntil(lambda: panel.curve.message.startswith("stopped: Measure goes on"))
    known = panel.swept(ByContext).points  # type: ignore[union-attr]
    assert any(point.found is None for point in known) and sum(point.found is not None for point in known) > 1
    panel.compare.click()
    qtbot.waitUntil(lambda: whole(panel, ByContext), timeout=PATIENCE)
    points = panel.swept(ByContext).points  # type: ignore[union-attr]
    assert [point.context for point in points] == sorted(point.context for point in points)
    assert all(now.found == before.found for now, before in zip(points, known, strict=True) if before.found is not None)


def test_one_curve_takes_the_place_of_the_other(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", LONG)
    play, panel = window.playground, in_front(window, qtbot)
    settle(window, qtbot)
    play.handle(ByStride())
    play.handle(ByContext())
    assert play.view.answer_to(ByContext).runs and not play.view.answer_to(ByStride).runs
    qtbot.waitUntil(lambda: whole(panel, ByContext), timeout=PATIENCE)
    panel.modes.button(1).click()
    assert panel.compare.text() == "Measure", "it can be asked for again"


def test_a_text_that_fits_has_no_stride(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark night.")
    panel = in_front(window, qtbot)
    panel.modes.button(1).click()
    qtbot.waitUntil(lambda: "so it has no stride" in panel.curve.message)
    assert not panel.compare.isEnabled()


@given(st.integers(2, 300), st.integers(2, 64), st.sampled_from(["stride", "context"]))
def test_a_curve_is_planned_from_one_end_to_the_other(length: int, context: int, axis: Axis) -> None:
    points = planned(context, length, 0, Reading(), axis)
    ends = [point.stride if axis == "stride" else point.context for point in points]
    assert ends == (sorted(ends, reverse=True) if axis == "stride" else sorted(ends))
    assert ends[0 if axis == "stride" else -1] == context and len(set(ends)) == len(ends)
    for point in points:
        assert point.read == Windows(point.context, point.stride).cost(length).read
    assert affordable(points, length) == points, "a short text has all of them"


def test_points_that_cost_too_much_are_left_out() -> None:
    points = planned(512, 1_000_000, 0, Reading(), "stride")
    kept = affordable(points, 1_000_000)
    assert [point.stride for point in kept] == [512, 256] and sum(point.read for point in kept) <= 4_000_000
    assert len(points) == 10


def test_curves_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(LONG[:1500])
    asked = ["score", str(path), "--context", "64", "--curve", "context"]
    assert cli.main([*asked, "--json"]) == 0
    curve = json.loads(capsys.readouterr().out)["curve"]
    assert [point["context"] for point in curve["points"]] == [16, 32, 64] and curve["axis"] == "context"
    perplexities = [point["perplexity"] for point in curve["points"]]
    assert perplexities == sorted(perplexities, reverse=True), "more context, less surprise"
    assert cli.main(asked) == 0 and "perplexity" in capsys.readouterr().out.splitlines()[0]
    assert cli.main(["score", "--prompt", "short", "--curve", "stride"]) == 1


def test_what_cannot_be_followed_says_why(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BACBAC")
    panel = in_front(window, qtbot)
    panel.compare.click()
    qtbot.waitUntil(lambda: panel.compared is not None, timeout=PATIENCE)
    assert "has no EOS token" in column(panel, NAME)[2] and column(panel, PERPLEXITY)[2] == "—"
    assert panel.rows.table.tip(2, NAME).startswith("It cannot be followed here")


def test_pictures_have_no_words(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo", None)
    assert window.panels["perplexity"].chart_size() is None  # nothing is painted yet
    score = arplay.load("xo").score("#.# .#. #.#")
    panel = cast(PerplexityPanel, window.panels["perplexity"])
    panel.resize(1400, 300)
    panel.show_view(View(loaded=score.loaded, ledger=score.ledger))
    assert panel.rows.table.title(PER_UNIT) == score.ledger.unit.per != "bits per byte"
    assert panel.rows.isColumnHidden(WORD)


def test_the_command_line_exports_it(tmp_path: Path) -> None:
    for kind in ("json", "png"):
        out = tmp_path / f"p.{kind}"
        assert (
            cli.main(["export", "--prompt", "BAC", "--model", "abc", "--chart", "perplexity", "--out", str(out)]) == 0
        )
    record = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert record["conventions"]["windows"]["perplexity"] == pytest.approx(0.12 ** (-1 / 3))


def test_a_saved_run_has_no_model_to_ask(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    arplay.load("english").score(LONG[:600].decode()).save(path)
    window = opened("abc", b"BAC")
    window.open_file(path)
    panel = in_front(window, qtbot)
    qtbot.waitUntil(lambda: window.playground.view.run is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: panel.told.full.startswith("A saved run has no model"))
    assert not panel.compare.isEnabled() and figure(panel, "perplexity") != "2.0274"
    window.docks["words"].raise_()
    words = window.panels["words"]
    qtbot.waitUntil(lambda: words.rows.table.rowCount() > 3, timeout=PATIENCE)  # type: ignore[attr-defined]
    assert not words.correct.isEnabled()  # type: ignore[attr-defined]


def test_what_is_not_measured_yet_is_a_gap() -> None:
    """Between two points that are known no line goes over one that is not; it is marked, and told where one points."""
    found = arplay.load("english").curve("It was a dark night. " * 20, "context")
    points = [replace(point, found=None) if 0 < at < 2 else point for at, point in enumerate(found.points)]
    assert len(points) >= 4 and all(point.found for point in found.points)
    area, part = QRectF(0, 0, 600, 300), replace(found, points=tuple(points), whole=False)
    missing, line = Drawing(plot_of(part), area).polygons
    assert not missing and [polygon.size() for polygon in line] == [1, len(points) - 2]
    waits = plot_of(part).series[0]
    assert waits.x.tolist() == [place(points[1].context)] and waits.name == NOT_YET
    assert told(part, waits.x[0]).endswith(NOT_YET) and "perplexity" in told(part, place(points[0].context))
    assert [tick for _, tick in plot_of(part).ticks] == [f"{point.context:,}" for point in points]
    whole = Drawing(plot_of(found), area)
    assert not len(whole.plot.series[0].x) and [polygon.size() for polygon in whole.polygons[1]] == [len(points)]
