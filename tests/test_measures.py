"""What tokens are coloured by: figures, scales and buckets, in the window, in HTML and on a terminal."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QBuffer, QPoint, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtSvg import QSvgGenerator
from pytestqt.qtbot import QtBot

import arplay
from arplay.cli import main
from arplay.commands import colours as on_terminal
from arplay.core import measures
from arplay.core.measures import BOUNDS, GLTR, HIGHEST, MEASURES, NAMES
from arplay.core.modalities.image import EncodedPicture
from arplay.export.colours import COOL_ON_BLACK, COOL_ON_WHITE, ON_BLACK, ON_WHITE, contrast
from arplay.export.scales import Scale
from arplay.gui.canvases.picture.heat import squares_of
from arplay.gui.intents import Change, Seek
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.settings import Settings, Unit
from arplay.gui.theme import DARK, LIGHT, SMALL, interface_font
from arplay.gui.view import View
from arplay.gui.widgets.heat.handle import Handle
from arplay.gui.widgets.heat.legend import legend_width, paint_ramp
from arplay.gui.widgets.heat.modes import ModeRow
from arplay.gui.widgets.heat.options import Options
from arplay.gui.widgets.heat.overview import RankCounts
from arplay.gui.widgets.heat.scale import HeatScale
from tests.ledgers import abc_ledger, prose, random_ledger
from tests.windows_open import Open, opened, put_up, settle

__all__ = ["opened"]

RISING = st.lists(st.integers(1, HIGHEST), min_size=3, max_size=3, unique=True).map(sorted).map(tuple)


# figures


def test_the_figures_are_those_worked_by_hand() -> None:
    ledger, _ = abc_ledger()  # BAC: p = 0.4, 0.5, 0.6
    entropies = [-sum(p * np.log(p) for p in row) for row in ([0.3, 0.4, 0.3], [0.5, 0.2, 0.3], [0.3, 0.1, 0.6])]
    wanted = {
        "surprisal": -np.log([0.4, 0.5, 0.6]),
        "p": np.array([0.4, 0.5, 0.6]),
        "rank": np.ones(3),
        "entropy": np.array(entropies),
        "surprisal-minus-entropy": -np.log([0.4, 0.5, 0.6]) - entropies,
        "context": np.array([0.0, 1.0, 2.0]),
    }
    assert tuple(wanted) == NAMES
    for each in MEASURES:
        assert each.values(ledger, 0, 3) == pytest.approx(wanted[each.name], abs=1e-6), each.name
        assert each.values(ledger, 1, 2) == pytest.approx(wanted[each.name][1:2], abs=1e-6), each.name


def test_surprisal_is_the_entropy_on_average_over_what_may_come() -> None:
    """Σ p (-log p - H) = 0 at every place: 0 is what the model expects."""
    model = arplay.load("abc")
    for prefix in ("", "A", "BA"):
        found = model.next(prefix)
        ledgers = [model.score(prefix + letter).ledger for letter in "ABC"]
        surplus = [measures.above_entropy(ledger, len(prefix), len(prefix) + 1)[0] for ledger in ledgers]
        assert float(np.exp(found.logprobs) @ surplus) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("each", MEASURES, ids=NAMES)
def test_what_is_not_scored_has_no_figure(each: measures.Measure) -> None:
    ledger, _ = random_ledger(prose(40), done=20)
    figures = each.values(ledger, 0, 40)
    assert np.isnan(figures[0]) and np.isnan(figures[20:]).all() and not np.isnan(figures[1:20]).any()


# scales


@pytest.mark.parametrize("each", MEASURES, ids=NAMES)
@pytest.mark.parametrize("unit", ["nats", "bits"])
@given(st.floats(0, 1))
def test_a_place_of_the_legend_has_the_colour_of_its_figure(each: measures.Measure, unit: str, x: float) -> None:
    scale = Scale(each)
    figure = scale.figure(x, unit)
    assert scale.along(figure, unit) == pytest.approx(x, abs=1e-6)
    if scale.bucketed:
        return  # its colours leap, which the buckets' own test looks at
    place = scale.ramp(unit, 1001)[round(1000 * x)]
    assert abs(int(scale.shade(np.array([figure]))[0]) - int(place)) <= 2
    ticks = [tick.along for tick in scale.ticks(unit)]
    assert ticks == sorted(ticks) and ticks[0] >= 0 and ticks[-1] <= 1


@given(st.lists(st.floats(-40, 40), min_size=2, max_size=20))
def test_more_is_never_paler_and_signs_are_mirrored(nats: list[float]) -> None:
    values = np.sort(np.array(nats))
    both = Scale(measures.of("surprisal-minus-entropy"))
    shades, mirrored = both.shade(values), both.shade(-values)
    assert (np.diff(shades) >= 0).all() and (shades + mirrored == 254).all()
    assert (np.diff(Scale(measures.of("surprisal")).shade(values)) >= 0).all()


@pytest.mark.parametrize("heat, cool", [(ON_WHITE, COOL_ON_WHITE), (ON_BLACK, COOL_ON_BLACK)])
def test_both_sides_of_zero_are_as_strong_and_told_apart_by_blue(heat: tuple[str, ...], cool: tuple[str, ...]) -> None:
    """Without red and green (every common colour blindness) orange and blue still differ, and zero is the ground."""
    colours = Scale(measures.of("surprisal-minus-entropy")).colours(heat, cool)
    assert len(colours) == 255 and colours[127] == tuple(bytes.fromhex(heat[0][1:]))
    ground = colours[127]
    for step in (32, 64, 96, 127):
        below, above = colours[127 - step], colours[127 + step]
        assert contrast(below, ground) == pytest.approx(contrast(above, ground), rel=0.2)
        assert below[2] - below[0] > 20 and above[0] - above[2] > 20


# buckets of ranks


@given(RISING, st.integers(0, 2), st.integers(-5, 2_000_000))
def test_a_bound_that_is_moved_stays_and_the_others_make_room(bounds: tuple[int, ...], place: int, value: int) -> None:
    made = measures.bounds_with(bounds, place, value)
    assert list(made) == sorted(set(made)) and made[0] >= 1 and made[-1] <= HIGHEST
    lowest, highest = place + 1, HIGHEST - (2 - place)
    assert made[place] == min(max(value, lowest), highest)
    assert measures.bounds_from_json(list(made)) == made


@given(RISING, st.integers(0, 300), st.integers(0, 99))
def test_every_ranked_token_is_in_one_bucket(bounds: tuple[int, ...], n: int, seed: int) -> None:
    ledger, _ = random_ledger(prose(n), seed=seed)
    scale = Scale(measures.of("rank"), bounds)
    shades = scale.shade(measures.rank(ledger, 0, n)).tolist()
    counts = measures.bucket_counts(ledger, bounds)
    assert list(counts) == [shades.count(scale.of_bucket(bucket)) for bucket in range(4)]
    assert sum(counts) == int(np.count_nonzero(ledger.rank > 0))


@pytest.mark.parametrize("kept", [[1, 10], [10, 1, 100], [0, 5, 6], "1,2,3", [1, 2, 3.0], [1, 1, 2], None])
def test_bounds_that_make_no_sense_are_refused(kept: object) -> None:
    with pytest.raises(arplay.Problem, match="bounds of ranks"):
        measures.bounds_from_json(kept)


# the window


def shown(qtbot: QtBot, view: View, width: int = 1000) -> HeatmapPanel:
    return put_up(qtbot, HeatmapPanel(), width, 400, view)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_each_measure_has_its_colours_its_legend_and_its_words(name: str, theme: object, qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(300))
    panel = shown(qtbot, View(Settings(colour_by=name), loaded, ledger=ledger))
    panel.set_theme(theme)  # type: ignore[arg-type]
    scale = panel.text.scale
    assert (scale.colour_by, panel.legend.scale.colour_by) == (name, name)
    assert len(set(scale.shade(ledger, 0, 300))) > 1
    image = panel.text.viewport().grab().toImage()
    ratio = image.devicePixelRatio()
    for index in (1, 5, 9):
        rect = panel.text.rect_of(index)
        corner = rect.topLeft().toPoint() + QPoint(1, 1)
        wanted = scale.fills[scale.shade(ledger, index, index + 1)[0]]
        assert image.pixelColor(corner * ratio).name() == wanted.name()
    assert panel.legend.isVisible() and measures.of(name).tip.split(",")[0] in re.sub(
        "<[^>]*>", "", panel.legend.toolTip()
    )


def test_what_has_no_room_folds_into_a_menu(qtbot: QtBot) -> None:
    row = ModeRow(MEASURES)
    qtbot.addWidget(row)
    row.show()
    row.show_chosen("context")
    for room in range(0, 900, 20):
        row.fit(room)
        buttons = [button for button in row.choices.values() if button.isVisible()]
        entries = [action.text() for action in row.menu.actions() if action.isVisible()]
        assert [button.text() for button in buttons] + entries == [each.title for each in MEASURES], "each is somewhere"
        assert row.taken <= max(room, row.taken if not buttons else 0)
        assert row.more.isVisible() == bool(entries)
        assert not entries or (row.more.text() == "Context" and row.more.isChecked()), "the chosen one is told"
    row.fit(0)
    with qtbot.waitSignal(row.chosen) as told:
        row.menu.actions()[NAMES.index("p")].trigger()
    assert told.args == ["p"]
    row.show_chosen("p")
    assert row.more.text() == "p" and "probability" in row.more.toolTip()


@pytest.mark.parametrize("unit", ["nats", "bits"])
@pytest.mark.parametrize("measure", NAMES)
def test_no_words_of_a_legend_meet(qtbot: QtBot, measure: str, unit: Unit) -> None:
    scale = HeatScale(LIGHT, measure, BOUNDS)
    data = QBuffer()
    svg = QSvgGenerator()
    svg.setOutputDevice(data)
    area = QRectF(0, 0, legend_width(scale, unit, False, ramped=True), 28)
    painter = QPainter(svg)
    paint_ramp(painter, LIGHT, scale, unit, area, False)
    painter.end()
    metrics, places = QFontMetricsF(interface_font(SMALL)), []
    for said in ElementTree.fromstring(data.data().data()).iter("{http://www.w3.org/2000/svg}text"):
        words = (said.text or "").strip()
        places.append(QRectF(float(said.get("x", 0)), float(said.get("y", 0)), metrics.horizontalAdvance(words), 11))
    assert len(places) >= 3 and min(place.left() for place in places) >= 0
    assert not any(one.intersects(other) for one, other in combinations(places, 2))


def test_the_legend_tells_the_share_of_each_bucket(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(400))
    panel = shown(qtbot, View(Settings(colour_by="rank", rank_bounds=GLTR), loaded, ledger=ledger))
    counts = measures.bucket_counts(ledger, GLTR)
    assert panel.legend.counts == counts
    assert f"1–10: {counts[0]:,}" in panel.legend.accessibleName()
    panel.show_view(replace(panel.view, settings=Settings(colour_by="surprisal")))
    assert panel.legend.counts == ()


def drag(qtbot: QtBot, handle: Handle, x: float) -> None:
    """By the mouse to ``x`` in the legend, with a stop on the way."""
    here, middle = QPoint(handle.width() // 2, handle.height() // 2), handle.geometry().center().x()
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=here)
    for share in (0.5, 1.0):
        at = round(middle + share * (x - middle))
        qtbot.mouseMove(handle, handle.mapFromParent(QPoint(at, handle.geometry().top() + here.y())))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton)


def follow(panel: HeatmapPanel) -> None:
    """What is asked for is done at once, as in the window."""
    panel.intent.connect(lambda asked: panel.show_view(replace(panel.view, settings=asked.settings)))


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_the_mark_of_surprise_is_moved_on_the_legend(unit: Unit, qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(400))
    panel = shown(qtbot, View(Settings(unit=unit), loaded, ledger=ledger))
    follow(panel)
    legend = panel.legend
    (handle,), ramp = [each for each in legend.handles if each.isVisible()], legend._ramp()
    x = ramp.left() + 0.5 * ramp.width()
    drag(qtbot, handle, x)
    assert panel.view.settings.surprise == pytest.approx(legend.scale.scale.figure(0.5, unit), rel=0.05)
    assert abs(handle.geometry().center().x() - x) <= 1, "it stands where the hand left it"
    nats = panel.view.settings.surprise
    qtbot.keyClick(handle, Qt.Key.Key_Right)
    assert panel.view.settings.surprise - nats == pytest.approx(0.1 if unit == "nats" else 0.1 * np.log(2))
    assert "Surprising from" in handle.accessibleName() and unit in handle.toolTip()
    panel.show_view(replace(panel.view, settings=Settings(colour_by="p")))
    assert not any(each.isVisible() for each in legend.handles)


def test_bounds_of_ranks_are_moved_on_the_legend(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(400))
    panel = shown(qtbot, View(Settings(colour_by="rank"), loaded, ledger=ledger))
    follow(panel)
    legend = panel.legend
    first, second, third = legend.handles
    ramp, bounds = legend._ramp(), panel.view.settings.rank_bounds

    def at(rank: float) -> float:
        return ramp.left() + ramp.width() * legend.scale.scale.along(rank, "nats")

    drag(qtbot, second, at(40))
    moved = panel.view.settings.rank_bounds
    assert (moved[0], moved[2]) == (1, 100) and 36 <= moved[1] <= 44
    assert panel.heat.scale.bounds == moved and legend.counts == measures.bucket_counts(ledger, moved)
    assert f"{moved[1]:,}" in second.accessibleName() and "Ranks up to 1 " in first.toolTip()
    panel.show_view(replace(panel.view, settings=replace(panel.view.settings, rank_bounds=bounds)))

    here = QPoint(second.width() // 2, second.height() // 2)
    qtbot.mousePress(second, Qt.MouseButton.LeftButton, pos=here)
    top = second.geometry().top() + here.y()
    qtbot.mouseMove(second, second.mapFromParent(QPoint(round(at(2000)), top)))
    assert panel.view.settings.rank_bounds[2] == panel.view.settings.rank_bounds[1] + 1 > 1000, "the others make room"
    qtbot.mouseMove(second, second.mapFromParent(QPoint(round(at(10)), top)))
    assert panel.view.settings.rank_bounds == bounds, "and come back"
    qtbot.mouseRelease(second, Qt.MouseButton.LeftButton)

    for handle, key, wanted in (
        (first, Qt.Key.Key_Right, (2, 10, 100)),
        (first, Qt.Key.Key_Left, (1, 10, 100)),
        (first, Qt.Key.Key_Left, (1, 10, 100)),
        (third, Qt.Key.Key_Left, (1, 10, 99)),
        (third, Qt.Key.Key_Right, (1, 10, 100)),
        (third, Qt.Key.Key_Right, (1, 10, 110)),
    ):
        qtbot.keyClick(handle, key)
        assert panel.view.settings.rank_bounds == wanted
        assert handle.focusPolicy() == Qt.FocusPolicy.StrongFocus
        assert handle.cursor().shape() == Qt.CursorShape.SizeHorCursor


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=300), st.integers(0, 300), st.data())
def test_ranks_are_counted_once_as_a_ledger_grows(ranks: list[int], cut: int, data: st.DataObject) -> None:
    ledger, _ = random_ledger([b"a"] * len(ranks))
    ledger = replace(ledger, rank=np.array(ranks, np.int32))
    counts = RankCounts()
    for done in (min(cut, len(ranks)), len(ranks)):
        grown = replace(ledger, done=done)
        bounds = measures.bounds_of(tuple(data.draw(st.lists(st.integers(1, 4000), min_size=3, max_size=3))))
        assert counts.of(grown, bounds) == measures.bucket_counts(grown, bounds)


def with_options(window: MainWindow, qtbot: QtBot) -> tuple[HeatmapPanel, Options]:
    """The heatmap, and its options, which are open."""
    settle(window, qtbot)
    panel = window.panels["heatmap"]
    assert isinstance(panel, HeatmapPanel)
    panel.buttons.open.click()
    options = panel.buttons.options
    qtbot.waitUntil(options.isVisible)
    return panel, options


def test_thresholds_are_set_in_the_options_and_kept(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BACABCABBACB" * 20)
    panel, options = with_options(window, qtbot)
    ledger = window.playground.view.ledger
    assert ledger is not None
    options.surprise.setValue(1.0)
    qtbot.waitUntil(lambda: window.playground.view.settings.surprise == 1.0)
    many = int(np.count_nonzero(-ledger.logprob >= 1.0))
    qtbot.waitUntil(lambda: options.many.text() == f"{many:,} of {len(ledger):,} tokens")
    options.gltr.click()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: [box.value() for box in options.bounds] == list(GLTR))
    options.bounds[0].setValue(200)
    qtbot.waitUntil(lambda: [box.value() for box in options.bounds] == [200, 201, 1000])
    qtbot.keyClick(options, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not options.isVisible())
    panel.buttons.seekers[1].click()
    qtbot.waitUntil(lambda: window.playground.view.selected is not None)
    selected = window.playground.view.selected
    assert selected is not None and -float(ledger.logprob[selected]) >= 1.0
    window.close()
    kept = type(window.store)(window.store.path).settings()
    assert (kept.surprise, kept.rank_bounds) == (1.0, (200, 201, 1000))


def test_the_options_ask_for_what_is_wished(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(50))
    panel = shown(qtbot, View(Settings(unit="bits"), loaded, ledger=ledger))
    options = panel.buttons.options
    options.show_view(panel.view)
    assert options.surprise.suffix() == " bits" and options.surprise.value() == pytest.approx(6 / np.log(2), abs=0.05)
    with qtbot.waitSignal(panel.intent) as told:
        options.surprise.setValue(3.0)
    assert isinstance(told.args[0], Change)
    assert told.args[0].settings.surprise == pytest.approx(3 * np.log(2))
    for button, step in zip(panel.buttons.seekers, (-1, 1), strict=True):
        with qtbot.waitSignal(panel.intent) as told:
            button.click()
        assert told.args == [Seek("surprise", step)] and "8.7 bits" in button.toolTip()


# out of the window


@pytest.mark.parametrize("name", NAMES)
def test_a_report_has_the_colours_of_the_measure(name: str, tmp_path: Path) -> None:
    text, page = tmp_path / "t.txt", tmp_path / "r.html"
    text.write_text("It was a dark night. It was.", "utf-8")
    call = ["score", str(text), "--report", str(page), "--colour-by", name]
    call += ["--ranks", "10,100,1000"] if name == "rank" else []
    assert main([*call, "--out", str(tmp_path / "said")]) == 0
    ledger = arplay.load("english").score(text.read_text("utf-8")).ledger
    scale = HeatScale(LIGHT, name, GLTR)
    light, _, _ = page.read_text("utf-8").partition("@media (prefers-color-scheme:dark){.frame")
    colours = dict(re.findall(r"\.(s\d+){background:(#[0-9a-f]{6})", light))
    found = [colours[shade] for shade in re.findall(r'class="(s\d+)[^>]*title="token', page.read_text("utf-8"))]
    assert found == [scale.fills[shade].name() for shade in scale.shade(ledger, 0, len(ledger))]


def test_a_terminal_shows_colours_and_nothing_raw() -> None:
    score = arplay.load("english").score("It \x1b[31m was\n\u202edark")
    lines = on_terminal.lines(score.ledger, score.loaded.vocabulary, Scale(measures.of("surprisal")))
    text = "\n".join(lines)
    assert "surprisal −log p in nats" in lines[0]
    plain = re.sub("\x1b\\[(?:0|48;2;[0-9;]+)m", "", text)
    assert all(char.isprintable() or char == "\n" for char in plain) and "\u202e" not in plain
    assert len(re.findall("\x1b\\[48;2", "\n".join(lines[1:]))) == len(score.ledger)


def test_a_chart_is_exported_by_a_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = {}
    for name in ("surprisal", "surprisal-minus-entropy"):
        made[name] = tmp_path / f"{name}.svg"
        call = ["export", "--prompt", "It was a dark night.", "--chart", "heatmap", "--colour-by", name]
        assert main([*call, "--out", str(made[name])]) == 0
    svg = made["surprisal-minus-entropy"].read_text("utf-8")
    assert "−log p − entropy" in svg and "−log p − entropy" not in made["surprisal"].read_text("utf-8")
    table = tmp_path / "x.json"
    assert main(["export", "--prompt", "It was", "--chart", "heatmap", "--out", str(table)]) == 0
    row = json.loads(table.read_text("utf-8"))["tokens"][0]
    assert row["surprisal_minus_entropy"] == pytest.approx(-row["logprob"] - row["entropy"])
    assert (
        main(["export", "--prompt", "It", "--chart", "bars", "--colour-by", "p", "--out", str(tmp_path / "b.png")]) == 2
    )
    assert "--colour-by is for --chart heatmap" in capsys.readouterr().err


def test_colours_that_go_nowhere_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--prompt", "It was", "--colour-by", "p"]) == 0
    assert "--colour-by colours a text on a terminal" in capsys.readouterr().err
    assert main(["score", "--prompt", "It was", "--colour-by", "rank", "--ranks", "10,5,100"]) == 2
    assert "three ranks that rise" in capsys.readouterr().err
    assert main(["score", "--prompt", "It was", "--ranks", "10,50,100"]) == 2
    assert "--ranks goes with --colour-by rank" in capsys.readouterr().err
    assert BOUNDS == (1, 10, 100)


def test_where_there_is_no_row_for_it_the_measure_is_chosen_beside_the_caption(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(400))
    panel = shown(qtbot, View(loaded=loaded, ledger=ledger), 640)
    assert panel.controls.isVisible() and panel.controls.isAncestorOf(panel.modes)
    panel.resize(640, 190)
    qtbot.waitUntil(lambda: panel.modes.isVisible() and panel.buttons.isVisible())
    assert not panel.controls.isVisible()
    assert panel.row.isAncestorOf(panel.modes) and panel.modes.more.text() == "Surprisal"
    assert panel.modes.more.width() >= panel.modes.more.sizeHint().width() - 8
    panel.resize(640, 400)
    qtbot.waitUntil(panel.modes.isVisible)
    assert panel.controls.isAncestorOf(panel.modes) and panel.legend.isVisible()
    buttons = [button.text() for button in panel.modes.choices.values() if button.isVisible()]
    assert buttons[0] == "Surprisal" and len(buttons) > 1


@pytest.mark.parametrize("name", ["p", "surprisal-minus-entropy"])
def test_squares_of_a_picture_have_the_figure_that_colours_them(name: str) -> None:
    score = arplay.load("xo").score("#.# .#. #.#")
    encoded = score.ledger.encoded
    assert isinstance(encoded, EncodedPicture)
    scale = HeatScale(LIGHT, name)
    squares = squares_of(score.ledger, encoded, LIGHT, scale, "nats")
    figures = scale.measure.values(score.ledger, 0, 9)
    assert [square.words for square in squares] == [
        scale.measure.short(float(figures[encoded.raster.order.index(cell)]), "nats") for cell in range(9)
    ]
