"""The map: areas that are joint probabilities, nothing on anything else, all of a small table, an honest rest."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.joint_map import REST, Area, chain_of, laid_out
from arplay.core.modalities.text import Text
from arplay.core.treemap import Box, squarified
from arplay.engine.mapping import Map, Mapped, map_of
from arplay.models import catalogue
from arplay.models.base import Capabilities
from tests.small_model import SmallModel
from tests.test_continuations_panel import click, done, panel_of
from tests.test_jobs import run, state_of
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]
weights = st.lists(st.floats(1e-6, 1e3) | st.just(0.0), min_size=1, max_size=40)
sides = st.floats(1, 2000)


def overlap(one: Box, other: Box) -> float:
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, wide) * max(0.0, high)


@given(weights, sides, sides)
def test_areas_are_in_proportion_fill_the_whole_and_do_not_overlap(
    given: list[float], wide: float, high: float
) -> None:
    box, total = Box(3, 5, wide, high), sum(given)
    found = squarified(given, box)
    assert len(found) == len(given)
    if not total:
        assert all(part.area == 0 for part in found)
        return
    for weight, part in zip(given, found, strict=True):
        assert part.area == pytest.approx(box.area * weight / total, rel=1e-6, abs=1e-6 * box.area)
        assert part.x >= 3 - 1e-6 and part.y >= 5 - 1e-6
        assert part.x + part.width <= 3 + wide + 1e-6 and part.y + part.height <= 5 + high + 1e-6
    assert sum(part.area for part in found) == pytest.approx(box.area)
    for one, other in itertools.combinations(found, 2):
        assert overlap(one, other) <= 1e-6 * box.area


def test_the_look_for_overlaps_can_fail() -> None:
    assert overlap(Box(0, 0, 2, 2), Box(1, 1, 2, 2)) == 1 and overlap(Box(0, 0, 1, 1), Box(1, 0, 1, 1)) == 0


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_what_is_no_weight_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        squarified([1.0, wrong], Box(0, 0, 1, 1))


def mapped(model: Any, text: bytes, **more: Any) -> Mapped:
    document = Text.of(text)
    made = run(map_of(state_of(model), Map(1, document, document.end, **({"depth": 3, "budget": 40} | more))))[1]
    assert isinstance(made, Mapped) and made.is_last
    return made


def leaves(found: Mapped) -> list[Area]:
    return [area for area in found.areas if not area.opened]


def unseen(found: Mapped) -> float:
    return found.rest + sum(math.exp(area.total) * area.rest for area in found.areas if area.opened)


@pytest.mark.parametrize("depth", [1, 3, 5])
@pytest.mark.parametrize("pipeline", ["", "top-k:2", "temperature:0.5"])
def test_of_a_table_every_chain_is_there_with_its_joint_probability(depth: int, pipeline: str) -> None:
    model = catalogue.load("abc", "cpu", "auto", lambda *_: None)
    found = mapped(model, b"B", depth=depth, budget=1, pipeline=Pipeline(pipeline))
    ends = leaves(found)
    assert found.whole and all(area.ended for area in ends) and unseen(found) == pytest.approx(0, abs=1e-12)
    assert len(ends) == (2 if pipeline == "top-k:2" else 3) ** depth
    assert math.fsum(math.exp(area.total) for area in ends) == pytest.approx(1)
    if not pipeline:
        for at, area in enumerate(found.areas):
            text = "B" + "".join("ABC"[id] for id in chain_of(found.areas, at))
            assert area.total == pytest.approx(arplay.load("abc").score(text).logprob[1:].sum())


@given(st.integers(0, 99), st.integers(1, 60))
def test_the_most_probable_come_first_and_the_rest_is_honest(salt: int, budget: int) -> None:
    model = SmallModel(context=None, name=str(salt))
    model.can = Capabilities(False, "cropped", batch=True)  # so that the budget counts
    found = mapped(model, b"BAC" + b"ABC"[salt % 3 : salt % 3 + 1], budget=budget)
    assert found.expansions <= budget
    assert math.fsum(math.exp(area.total) for area in leaves(found)) + unseen(found) == pytest.approx(1)
    opened = [area.total for area in found.areas if area.opened]
    closed = [area.total for area in found.areas if not area.opened and not area.ended]
    if opened and closed:
        assert min(opened) >= max(closed) - 1e-12


@given(st.integers(0, 99), st.integers(1, 30), st.integers(0, 3))
def test_what_is_drawn_is_the_joint_probability(salt: int, budget: int, level: int) -> None:
    model = SmallModel(context=None, name=str(salt))
    model.can = Capabilities(False, "cropped", batch=True)
    found = mapped(model, b"CAB", budget=budget)
    box = Box(0, 0, 400, 300)
    root = -1
    for _ in range(level):
        below = [at for at, area in enumerate(found.areas) if area.parent == root and area.opened]
        root = below[0] if below else root
    whole = math.exp(found.areas[root].total) if root >= 0 else 1.0
    parts = laid_out(found.areas, found.rest, root, box)
    assert sum(part.area for _, part in parts) == pytest.approx(box.area)
    for at, part in parts:
        if at != REST and not found.areas[at].opened:
            assert part.area / box.area == pytest.approx(math.exp(found.areas[at].total) / whole, abs=1e-6)
    for (_, one), (_, other) in itertools.combinations(parts[:60], 2):
        assert overlap(one, other) <= 1e-6 * box.area


def test_a_partial_model_has_no_map() -> None:
    model = SmallModel(context=None)
    model.can = Capabilities(True, "cropped", batch=False, partial=True)
    with pytest.raises(Problem, match="only some tokens"):
        mapped(model, b"B")


def test_of_a_large_vocabulary_the_rest_is_one_area() -> None:
    model = arplay.load("english")
    document = Text.of(b"Once upon a")
    found = run(map_of(model._state, Map(1, document, document.end, 3, 12)))[1]
    assert found.expansions == 12 and not found.whole
    parts = laid_out(found.areas, found.rest, -1, Box(0, 0, 1000, 1))
    rest = [part for at, part in parts if at == REST]
    assert len(rest) == 1 and rest[0].area / 1000 == pytest.approx(unseen(found))
    top = model.next("Once upon a").top(1)[0]
    first = next(area for area in found.areas if area.parent == -1)
    assert first.id == top.id and np.exp(first.total) == pytest.approx(top.prob, rel=1e-4)


# in the window


def test_a_map_is_gone_into_and_back_and_written(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"B")
    panel, play = panel_of(window), window.playground
    click(panel.modes["map"])
    panel.fields.deep.setValue(3)
    click(panel.run)
    done(window, qtbot)
    settle(window, qtbot)
    assert "every chain is there" in panel.note.full
    shown = panel.map
    qtbot.waitUntil(lambda: bool(shown.parts), timeout=PATIENCE)
    assert len(shown.parts) == 27
    at, box = shown.parts[0]
    place = QPoint(round(box.x + box.width / 2), round(box.y + box.height / 2))
    for _ in range(2):
        QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=place)
        QTest.qWait(0)
    assert shown.root >= 0 and len(shown.parts) == 9
    shown.setFocus()
    QTest.keyClick(shown, Qt.Key.Key_Backspace)
    assert shown.root == -1 and len(shown.parts) == 27
    QTest.keyClick(shown, Qt.Key.Key_Right)
    assert shown.chain == chain_of(shown.areas, at) and "it ends here" in shown.accessibleDescription()
    wanted = "".join("ABC"[id] for id in shown.chain)
    QTest.keyClick(shown, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(play.document) == 4, timeout=PATIENCE)
    assert play.document.file == b"B" + wanted.encode() == b"BACB"
    settle(window, qtbot)
    assert shown._dim and shown.parts, "of before, and still in sight"
