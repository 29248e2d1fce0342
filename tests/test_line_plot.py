"""The line chart of every view: its axes hold what is drawn, thinning changes no pixel, wheel and mouse move along."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.gui.theme import LIGHT
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Drawing, Plot, Series, round_numbers, thinned

AREA = QRectF(0, 0, 400, 200)
pytestmark = pytest.mark.usefixtures("qapp")


class Chart(LinePlot):
    def words(self, lit: object) -> str:
        return f"at {lit}"


def plot(count: int, first: float | None = None) -> Plot:
    x = np.arange(count, dtype=np.float64)
    return Plot((Series("one", x, np.sin(x), "text"),), end=float(count), low=-1.1, high=1.1, first=first)


def wheel(chart: Chart, x: float, turns: int) -> None:
    at = QPointF(x, chart.height() / 2)
    event = QWheelEvent(
        at, chart.mapToGlobal(at), QPoint(), QPoint(0, 120 * turns), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(chart, event)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e9), st.integers(2, 9))
def test_round_numbers_are_few_and_inside(low: float, wide: float, most: int) -> None:
    numbers = round_numbers(low, low + wide, most)
    assert 1 <= len(numbers) <= max(most, 3) + 1 and numbers == sorted(set(numbers))
    rounding = 1e-6 * (abs(low) + wide)
    assert all(low - rounding <= n <= low + wide + rounding for n in numbers)


@given(st.integers(2, 3000), st.sampled_from([None, 1.0, 64.0]), st.floats(0, 1), st.floats(0, 1))
def test_a_pixel_is_the_x_that_is_drawn_there(count: int, first: float | None, one: float, other: float) -> None:
    left, right = sorted((one * count, other * count))
    drawing = Drawing(plot(count, first), AREA, (left, right) if right - left >= 1 else None)
    for x in np.linspace(drawing.left, drawing.right, 5).tolist():
        assert drawing.x_at(drawing.place(x, 0.0).x()) == pytest.approx(x, abs=1e-6 * count)
    assert AREA.contains(drawing.place(0, 99)) and AREA.contains(drawing.place(2 * count, -99))


@given(st.lists(st.floats(0, 100) | st.just(np.nan), min_size=1, max_size=400), st.integers(1, 20))
def test_a_thinned_line_reaches_as_high_and_low_in_every_column(values: list[float], pixels: int) -> None:
    up, across = np.array(values), np.linspace(0, pixels, len(values))
    kept_across, kept_up = thinned(across, up, np.arange(pixels + 1.0))
    assert len(kept_up) <= 4 * (pixels + 1)
    for column in np.unique(np.floor(across)).tolist():
        whole, kept = up[np.floor(across) == column], kept_up[np.floor(kept_across) == column]
        if np.isfinite(whole).any():
            assert (np.nanmin(kept), np.nanmax(kept)) == (np.nanmin(whole), np.nanmax(whole))


def test_a_line_with_gaps_is_drawn_in_parts_and_a_million_points_are_few() -> None:
    x = np.arange(10, dtype=np.float64)
    gaps = Drawing(Plot((Series("", x, np.where(x % 4 == 3, np.nan, x), "text"),), end=9, high=9), AREA)
    assert [len(run) for run in gaps.polygons[0]] == [3, 3, 2]
    many = Drawing(plot(1_000_000), AREA).polygons[0]
    assert sum(map(len, many)) <= 4 * 400


def test_the_wheel_zooms_dragging_moves_and_a_double_click_shows_all(qtbot: QtBot) -> None:
    chart = Chart("Lines")
    qtbot.addWidget(chart)
    chart.set_theme(LIGHT)
    chart.resize(400, 200)
    chart.show_plot(plot(1000), "")
    whole, middle = chart.grab().toImage(), chart.drawing().frame.center()
    kept = chart.drawing().x_at(middle.x())
    wheel(chart, middle.x(), 5)
    assert chart.span is not None and chart.span[1] - chart.span[0] == pytest.approx(1000 * 0.8**5)
    assert chart.drawing().x_at(middle.x()) == pytest.approx(kept)
    assert chart.grab().toImage() != whole
    before, clicks = chart.span, []
    chart.clicked.connect(clicks.append)
    start = middle.toPoint()
    qtbot.mousePress(chart, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(chart, start - QPoint(40, 0))
    qtbot.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=start - QPoint(40, 0))
    assert chart.span[0] > before[0] and not clicks, "a drag is no click"
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=start)
    assert clicks == [pytest.approx(chart.drawing().x_at(start.x()))]
    for turns in (60, -200):
        wheel(chart, middle.x(), turns)
        left, right = chart.span or (0.0, 1000.0)
        assert 0 <= left < right <= 1000 and right - left >= 2
    wheel(chart, middle.x(), 3)
    qtbot.mouseDClick(chart, Qt.MouseButton.LeftButton, pos=start)
    assert chart.span is None and chart.grab().toImage() == whole


def test_the_keys_go_along_the_points(qtbot: QtBot) -> None:
    chart = Chart("Lines")
    qtbot.addWidget(chart)
    chart.resize(400, 200)
    chart.show_plot(plot(3), "the newest")
    for key, x in ((Qt.Key.Key_Left, 2.0), (Qt.Key.Key_Left, 1.0), (Qt.Key.Key_Right, 2.0), (Qt.Key.Key_Right, 2.0)):
        qtbot.keyClick(chart, key)
        assert chart.lit == x
    assert chart.accessibleDescription() == "the newest" and chart.accessibleName() == "Lines"


def test_the_keys_zoom_and_what_they_go_to_is_in_sight(qtbot: QtBot) -> None:
    chart = Chart("Lines")
    qtbot.addWidget(chart)
    chart.resize(400, 200)
    chart.show_plot(plot(100), "the newest")
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, *[Qt.Key.Key_Plus] * 6):
        qtbot.keyClick(chart, key)
    assert chart.lit == 1.0 and chart.span is not None
    left, right = chart.span
    assert left <= 1 <= right and right - left < 10, "closer to the point that is read"
    for _ in range(20):
        qtbot.keyClick(chart, Qt.Key.Key_Right)
        assert chart.span is not None and chart.span[0] <= chart.lit <= chart.span[1]
    qtbot.keyClick(chart, Qt.Key.Key_Minus)
    assert chart.span is not None and chart.span[1] - chart.span[0] > right - left
    qtbot.keyClick(chart, Qt.Key.Key_0)
    assert chart.span is None


def test_numbers_of_an_axis_are_written_alike() -> None:
    for count, wanted in ((14_000, ["0", "5,000", "10,000"]), (140_000, ["0", "50 k", "100 k"])):
        assert [words for _, words in Drawing(plot(count), AREA)._along()] == wanted
