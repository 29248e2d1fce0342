"""The minimap beside a long text: what its spots are the colour of, the frame, where a click goes, and growth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core import measures
from arplay.core.modalities.base import Found
from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import Text
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.settings import Settings
from arplay.gui.theme import LIGHT
from arplay.gui.view import View
from arplay.gui.widgets.heat import overview
from arplay.gui.widgets.heat.minimap import COLUMNS, GUTTER, SPOT, Minimap
from arplay.gui.widgets.heat.overview import Overview
from arplay.gui.widgets.line_plot import LinePlot
from tests.ledgers import prose, random_ledger
from tests.windows_open import PATIENCE, Open, opened, settle, text_field

__all__ = ["opened"]


def shown(qtbot: QtBot, view: View, width: int = 700, height: int = 400) -> HeatmapPanel:
    panel = HeatmapPanel()
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show_view(view)
    panel.show()
    qtbot.waitExposed(panel)
    view = minimap(panel)
    qtbot.waitUntil(lambda: not view.isVisible() or (view.overview.complete and view.seen == panel.text.in_sight()))
    return panel


def minimap(panel: HeatmapPanel) -> Minimap:
    made: Minimap = panel.text.minimap
    return made


@pytest.mark.parametrize("name", measures.NAMES)
@given(st.integers(0, 400), st.integers(1, 60), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_its_means_are_those_of_the_ledger_however_it_grew(
    name: str, n: int, groups: int, block: int, seed: int
) -> None:
    measure = measures.of(name)
    whole, _ = random_ledger(prose(n, seed=seed % 7), seed=seed % 5)
    made = Overview()
    before = overview.GROUPS, overview.BLOCK
    overview.GROUPS, overview.BLOCK = groups, block
    try:
        rng = np.random.default_rng(seed)
        for done in sorted({*rng.integers(0, n + 1, 3).tolist(), n}):
            made.show(replace(whole, done=done), measure, 3.0)
            while not made.complete:
                made.go_on()
    finally:
        overview.GROUPS, overview.BLOCK = before
    each = made.group * 2
    cells = -(-n // each)
    figures = measure.values(whole, 0, n)
    wanted = [measure.mean(figures[at : at + each]) for at in range(0, n, each)]
    assert made.means(cells, each) == pytest.approx(wanted, nan_ok=True)
    many = [int(np.sum(-whole.logprob[at : at + each] >= 3.0)) for at in range(0, n, each)]
    assert made.surprising(cells, each).tolist() == many


def test_it_is_there_where_the_text_is_longer_than_what_is_in_sight(qtbot: QtBot) -> None:
    short, loaded = random_ledger(prose(30))
    long, _ = random_ledger(prose(3000))
    panel = shown(qtbot, View(ledger=short, loaded=loaded))
    assert not minimap(panel).isVisible()
    columns = panel.text.columns()
    panel.show_view(View(ledger=long, loaded=loaded))
    assert minimap(panel).isVisible() and panel.text.columns() == columns, "the rows stay as they are"
    assert not minimap(panel).geometry().intersects(panel.text.viewport().geometry())
    assert panel.text.rect().contains(minimap(panel).geometry())
    for width, height in ((300, 400), (700, 60)):

        def gives_way(width: int = width, height: int = height) -> bool:
            panel.resize(width, height)  # what stands around the text goes first
            return not minimap(panel).isVisible()

        qtbot.waitUntil(gives_way)
    panel.resize(700, 400)
    assert minimap(panel).isVisible()


def test_a_spot_has_the_colour_that_the_legend_gives_its_mean(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(20_000))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    view = minimap(panel)
    assert view.each > 1
    image, ratio = view.grab().toImage(), view.devicePixelRatioF()
    for row in (0, view.rows // 2, view.rows - 2):
        for column in (0, 3, COLUMNS - 1):
            place = QPointF(GUTTER + (column + 0.5) * SPOT, (row + 0.5) * view.row_height)
            if view.frame(view.seen) is not None and view.frame(view.seen).adjusted(-2, -2, 2, 2).contains(place):
                continue
            first = view.token_at(place)
            assert first == (row * COLUMNS + column) * view.each
            figures = -ledger.logprob[first : first + view.each]
            mean = float(np.nanmean(figures))
            wanted = view.scale.fills[int(view.scale.scale.shade(np.array([mean]))[0])]
            assert image.pixelColor((place * ratio).toPoint()).name() == wanted.name()
            assert f"mean surprisal −log p {mean:.2f} nats" in view.told(place)


def test_a_click_and_a_drag_go_there_and_the_frame_is_around_what_is_in_sight(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(20_000))
    panel = shown(qtbot, View(ledger=ledger, loaded=loaded))
    view = minimap(panel)
    for share in (0.5, 0.95, 0.1):
        place = QPoint(GUTTER + SPOT, round(share * view.rows * view.row_height))
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
        wanted, seen = view.token_at(QPointF(place)), panel.text.in_sight()
        assert seen is not None and wanted is not None and seen[0] <= wanted < seen[1]
        qtbot.waitUntil(lambda: view.seen == panel.text.in_sight())
        frame = view.frame(view.seen)
        assert frame is not None and frame.top() - 1 <= place.y() <= frame.bottom() + 1
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(10, 20))
    qtbot.mouseMove(view, QPoint(10, view.height() - 1))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(10, view.height() - 1))
    seen = panel.text.in_sight()
    assert seen is not None and seen[1] == len(ledger), "below the last row is the end of the text"


def test_marks_tell_surprises_and_what_was_found(qtbot: QtBot) -> None:
    ledger, loaded = random_ledger(prose(20_000))
    logprob = np.where(np.arange(20_000) == 12_000, -40.0, np.minimum(0, np.nan_to_num(ledger.logprob)) / 100)
    ledger = replace(ledger, logprob=logprob)
    document = Text.of(bytes_of(ledger.encoded))
    start = int(ledger.starts[3_000])
    found = Found("x", False, np.array([[start, start + 1]]), at=0)
    settings = Settings(surprise=30)
    panel = shown(qtbot, View(settings, loaded, document, ledger=ledger, found=found))
    view = minimap(panel)
    image, ratio = view.grab().toImage(), view.devicePixelRatioF()

    def column(x: float, color: str) -> set[int]:
        ys = range(round(view.rows * view.row_height))
        return {
            y
            for y in ys
            if image.pixelColor(round(x * ratio), int((y + 0.5) * ratio)).name() == LIGHT.color(color).name()
        }

    surprises, places = column(1, "warning"), column(view.width() - 2, "accent")
    frame = view.frame(view.seen)
    assert frame is not None
    framed = set(range(round(frame.top()) - 2, round(frame.bottom()) + 3))
    assert surprises and all(abs(y - view.y_of(12_000)) <= 5 for y in surprises)
    assert places - framed and all(abs(y - view.y_of(3_000)) <= 5 for y in places - framed)
    panel.show_view(replace(panel.view, settings=Settings(surprise=45)))
    image = view.grab().toImage()
    assert not column(1, "warning"), "nothing is as surprising as that"


def test_it_fills_as_the_text_is_scored(qtbot: QtBot) -> None:
    whole, loaded = random_ledger(prose(150_000))
    panel = shown(qtbot, View(ledger=replace(whole, done=1000), loaded=loaded))
    view = minimap(panel)
    qtbot.waitUntil(lambda: view.overview.complete)
    last = QPointF(GUTTER + 1, (view.rows - 2) * view.row_height)
    assert "not scored" in view.told(last)
    panel.show_view(replace(panel.view, ledger=whole))
    qtbot.waitUntil(lambda: view.overview.complete)
    cells = -(-len(whole) // view.each)
    assert not np.isnan(view.overview.means(cells, view.each)).any()
    assert "mean surprisal" in view.told(last)


def turn(plot: LinePlot, x: float, notches: int) -> None:
    """The wheel over the token at x."""
    at = QPointF(plot.drawing().place(x, 0.0).x(), plot.height() / 2)
    none, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    for _ in range(abs(notches)):
        delta = QPoint(0, 120 if notches > 0 else -120)
        wheel = QWheelEvent(at, plot.mapToGlobal(at), QPoint(), delta, Qt.MouseButton.NoButton, none, phase, False)
        QApplication.sendEvent(plot, wheel)


@pytest.mark.parametrize("name", ["ledger", "plots"])
def test_brackets_are_around_what_a_curve_is_zoomed_to(name: str, opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"CABBAGACBACAB".replace(b"G", b"C") * 400)
    window.resize(1900, 1000)
    panel = window.panels["heatmap"]
    assert isinstance(panel, HeatmapPanel)
    view = minimap(panel)
    qtbot.waitUntil(view.isVisible, timeout=PATIENCE)
    plain = view.grab().toImage()
    window.docks[name].show()
    window.docks[name].raise_()
    QApplication.processEvents()
    plot: LinePlot = window.panels[name].curve if name == "ledger" else window.panels[name].plot  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: plot.isVisible() and not plot.plot.empty, timeout=PATIENCE)
    turn(plot, 2600.0, 6)
    window.docks["heatmap"].raise_()
    qtbot.waitUntil(lambda: view.magnified is not None, timeout=PATIENCE)
    assert plot.span is not None and view.magnified is not None
    first, stop = view.magnified
    assert first <= plot.span[0] - 0.5 < first + 1 and stop - 1 < plot.span[1] - 0.5 <= stop
    assert 0 < first < 2600 < stop < len(view.ledger or ())
    frame, ratio = view.frame(view.magnified), view.devicePixelRatioF()
    assert frame is not None and "zoomed" in view.told(QPointF(view.rect().center()))
    image = view.grab().toImage()
    for y in (frame.top(), frame.bottom() - 1):
        assert image.pixelColor(round(20 * ratio), round(y * ratio)).name() == LIGHT.color("text").name()
    at = QPoint(20, round(frame.center().y()))
    inside = image.pixelColor((at.toPointF() * ratio).toPoint())
    assert inside == plain.pixelColor((at.toPointF() * ratio).toPoint()), "what is between them is as it was"
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    wanted, seen = view.token_at(at.toPointF()), panel.text.in_sight()
    assert seen is not None and wanted is not None and seen[0] <= wanted < seen[1], "a click goes there as before"
    if name == "plots":
        window.docks[name].raise_()
    turn(plot, 2600.0, -12)
    qtbot.waitUntil(lambda: window.playground.view.magnified is None, timeout=PATIENCE)
    turn(plot, 2600.0, 6)
    assert window.playground.view.magnified is not None
    qtbot.keyClicks(text_field(window), "A")
    settle(window, qtbot)
    qtbot.waitUntil(lambda: window.playground.view.magnified is None, timeout=PATIENCE)
