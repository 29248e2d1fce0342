"""All that are compared beside each other on the comparison's page of the text, in the real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.modalities.sound import Amplitudes
from arplay.gui.intents import AddPeer, AddRun, RemovePeer, Select
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.comparison import ComparisonPanel
from arplay.gui.widgets.comparison.pages import SPANS
from arplay.gui.widgets.comparison.pages import TEXT as TEXT_PAGE
from arplay.models.families.wavenet.network import Network, Sizes
from tests import tiny_models
from tests.test_one_text_two_views import turn
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]

LINE = "{}: It was a dark and stormy night, naïve \U0001f419 {} 你好, שלום.\n"
TEXT = "".join(LINE.format(i, "ab" * (i % 7)) for i in range(60))
Beside = Callable[..., tuple[MainWindow, ComparisonPanel]]


@pytest.fixture
def beside(opened: Open, qtbot: QtBot) -> Beside:
    """``beside(model, *others)``: all of them side by side; a run that was saved, or another model."""

    def make(model: str, *others: Path | str, document: Any = None) -> tuple[MainWindow, ComparisonPanel]:
        window = opened(model, TEXT.encode() if document is None else None)
        if document is not None:
            window.playground.open_document(document, at_end=False)
            settle(window, qtbot)
        panel = cast(ComparisonPanel, window.panels["comparison"])
        window.docks["comparison"].raise_()
        window.arrangement.enlarge(panel)
        for count, other in enumerate(others):
            window.handle(AddRun(other) if isinstance(other, Path) else AddPeer(other))
            qtbot.waitUntil(
                lambda count=count: panel.side is not None and len(panel.side.models) == count + 2,  # type: ignore[misc]
                timeout=PATIENCE,
            )
        QTest.mouseClick(panel.group.button(TEXT_PAGE), Qt.MouseButton.LeftButton)
        QTest.mouseClick(panel.pages.text.ways[True], Qt.MouseButton.LeftButton)
        heats = panel.pages.text.heats
        qtbot.waitUntil(lambda: all(heat.isVisible() for heat in heats), timeout=PATIENCE)
        assert len(heats) == len(others) + 1
        return window, panel

    return make


@pytest.fixture
def four(beside: Beside, tmp_path: Path) -> tuple[MainWindow, ComparisonPanel]:
    """`english`, a model of other tokens, and both once more in another number type, or longer context."""
    runs = {
        "tiny": arplay.load(str(tiny_models.save(tmp_path / "tiny", "llama", max_position_embeddings=512))),
        "half": arplay.load("english", dtype="bfloat16"),
        "other": arplay.load(str(tiny_models.save(tmp_path / "other", "gpt2", n_positions=256))),
    }
    for name, model in runs.items():
        model.score(TEXT).save(tmp_path / f"{name}.npz")
    return beside("english", *(tmp_path / f"{name}.npz" for name in runs))


def test_four_stand_beside_each_other_with_what_each_pays(
    four: tuple[MainWindow, ComparisonPanel], qtbot: QtBot
) -> None:
    _, panel = four
    page, side = panel.pages.text, panel.side
    assert side is not None and [heat.ledger for heat in page.heats] == list(side.parted.ledgers)
    assert [head.name.full for head in page.heads] == list(side.titles)
    assert [name[0] for name in side.titles] == list("ABCD")
    for head, share in zip(page.heads, side.parted.shares, strict=True):
        assert head.bits.text().split()[0] == f"{share.bits_per_unit:.4f}"
    assert not panel.beside.isVisible() and not panel.add.isVisible(), "all are shown, and there is room for no more"
    for width, apart in ((1400, "x"), (700, "y")):
        panel.window().resize(width, 800)
        qtbot.waitUntil(lambda apart=apart: _in_order(page.heats, apart), timeout=PATIENCE)  # type: ignore[misc]
    QTest.mouseClick(page.ways[False], Qt.MouseButton.LeftButton)
    assert [heat.isVisible() for heat in page.heats] == [True, False, False, False] and panel.beside.isVisible()


def _in_order(heats: list[Any], along: str) -> bool:
    """Whether each stands behind the one before it, ``along`` x or y, and at the same place of the other axis."""
    places = [heat.geometry() for heat in heats]
    starts = [getattr(place, along)() for place in places]
    ends = [place.right() if along == "x" else place.bottom() for place in places]
    others = {place.y() if along == "x" else place.x() for place in places}
    return len(others) == 1 and all(end < start for end, start in zip(ends, starts[1:], strict=False))


def test_whichever_leads_all_show_the_same_lines(four: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    _, panel = four
    heats = panel.pages.text.heats

    def lines() -> list[int]:
        """Of the text, at the same height of each: at the top above, at the bottom at the end."""
        found = []
        for heat in heats:
            bar = heat.verticalScrollBar()
            token = heat.line_near(heat.viewport().height() * bar.value() / bar.maximum())[0]
            found.append(TEXT.encode()[: heat.ledger.encoded.span(token)[0]].count(b"\n"))
        return found

    for leader in heats:
        for notches in (-9, -5, 3, -999, 999, -12):
            turn(leader, notches)
            assert max(lines()) - min(lines()) <= 1, (heats.index(leader), notches)
        assert min(lines()) > 0
    at = [heat.verticalScrollBar().value() for heat in heats]
    panel.intent.emit(RemovePeer(3))
    qtbot.waitUntil(lambda: panel.side is not None and len(panel.side.models) == 3, timeout=PATIENCE)
    qtbot.waitUntil(lambda: len(panel.pages.text.heats) == 3, timeout=PATIENCE)
    turn(panel.pages.text.heats[2], -1)
    assert max(lines()) - min(lines()) <= 1 and panel.pages.text.heats == heats and min(at) > 0


def test_the_same_place_is_lit_in_all(four: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    """By a click on any of them, by the arrow keys, and below the mouse."""
    window, panel = four
    heats = panel.pages.text.heats
    own, other = heats[0], heats[1]

    def spans() -> list[tuple[int, int]]:
        lit = [(heat.ledger.encoded.span, heat.lit) for heat in heats if heat.lit is not None]
        return [(span(first)[0], span(stop - 1)[1]) for span, (first, stop) in lit]

    octopus = TEXT.encode().index("\U0001f419".encode())
    for byte in (0, octopus, octopus + 2, len(TEXT.encode()) - 1):
        clicked = next(i for i, end in enumerate(other.ledger.ends.tolist()) if end > byte)
        other.picked.emit(clicked)
        there = other.ledger.encoded.span(clicked)[0]  # the window's own token there is lit
        qtbot.waitUntil(
            lambda there=there: len(spans()) == 4 and there in range(*spans()[0]),  # type: ignore[misc]
            timeout=PATIENCE,
        )
        start, end = spans()[0]
        for heat, (first, last) in zip(heats, spans(), strict=True):
            assert first <= start and last >= end, "all of it"
            edges = [heat.ledger.encoded.span(at) for at in (heat.lit[0], heat.lit[1] - 1)]
            assert edges[0][1] > start and edges[1][0] < end, "and nothing that has no part of it"
    window.handle(Select(0))
    other.setFocus()
    assert QApplication.focusWidget() is own
    for step in range(30):
        qtbot.waitUntil(lambda step=step: own.selected == step, timeout=PATIENCE)  # type: ignore[misc]
        QTest.keyClick(own, Qt.Key.Key_Right)
    place = other.rect_of(3).center()
    QTest.mouseMove(other.viewport(), place.toPoint())
    qtbot.waitUntil(lambda: other.hovered == 3, timeout=PATIENCE)
    start, end = other.ledger.encoded.span(3)
    for heat in (own, *heats[2:]):
        first, stop = heat._pointed
        assert heat.ledger.encoded.span(first)[0] <= start and heat.ledger.encoded.span(stop - 1)[1] >= end
    other._hover(None)
    assert own._pointed is None


def test_letters_are_those_of_the_row_of_models(beside: Beside, qtbot: QtBot, tmp_path: Path) -> None:
    """One that failed keeps its letter, and the next one its own."""
    window, panel = beside("english")
    window.handle(AddPeer("no-such-model"))
    qtbot.waitUntil(lambda: window.playground.view.peers[0].problem is not None, timeout=PATIENCE)
    arplay.load("english", dtype="bfloat16").score(TEXT).save(tmp_path / "half.npz")
    window.handle(AddRun(tmp_path / "half.npz"))
    qtbot.waitUntil(lambda: panel.side is not None, timeout=PATIENCE)
    names = ["A  english float32", "C  half.npz bfloat16"]
    qtbot.waitUntil(lambda: [head.name.full for head in panel.pages.text.heads] == names, timeout=PATIENCE)
    assert [chip.words.text()[0] for chip in panel.chips.chips] == list("ABC")
    assert [panel.totals.text(row, 0)[0] for row in range(3)] == list("ABC")
    assert panel.curve.names == (names[1],)
    QTest.mouseClick(panel.group.button(SPANS), Qt.MouseButton.LeftButton)
    assert panel.pages.spans.table.title(4).startswith("C − A")


def test_the_same_pixel_is_lit_whatever_the_order(beside: Beside, qtbot: QtBot) -> None:
    raster = arplay.load("xo").backend.alphabet.vocabulary
    window, panel = beside("xo", "xo-centre", document=raster.picture(["#.#", ".#.", "#.#"]))
    one, other = panel.pages.text.heats
    for index in range(9):
        other.picked.emit(index)
        cell = other._cell(index)
        qtbot.waitUntil(lambda cell=cell: one.grid.marked == other.grid.marked == cell, timeout=PATIENCE)  # type: ignore[misc]
        assert window.playground.view.selected == cell, "read row by row"
    other.grid.hovered.emit(4)
    assert one.grid.lit == (4,)
    other.grid.hovered.emit(None)
    assert one.grid.lit == ()


def test_sounds_zoom_together(beside: Beside, qtbot: QtBot, tmp_path: Path) -> None:
    for seed in (0, 1):
        torch.manual_seed(seed)
        (tmp_path / f"{seed}").mkdir()
        Network(Sizes(256, 4, 8, 3, 1, 8000)).save_pretrained(tmp_path / f"{seed}")
    sound = Amplitudes(8000).sound(bytes(range(50, 250)) * 4)
    window, panel = beside(str(tmp_path / "0"), str(tmp_path / "1"), document=sound)
    strips = [heat.strip for heat in panel.pages.text.heats]
    qtbot.waitUntil(lambda: _in_order(panel.pages.text.heats, "y"), timeout=PATIENCE)  # one time below the other
    for leader, other in (strips, strips[::-1]):
        leader.zoom(0.5, 300)
        assert leader.stretch == other.stretch and len(leader.stretch) < 800
    QTest.keyClick(strips[1], Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert strips[0].stretch == strips[1].stretch
    window.handle(Select(700))
    qtbot.waitUntil(lambda: all(strip.shown.at == 700 for strip in strips), timeout=PATIENCE)
    assert strips[0].stretch == strips[1].stretch and 700 in range(strips[0].stretch.first, strips[0].stretch.stop)
    QTest.mouseMove(strips[1], QPointF(strips[1].width() / 2, 10).toPoint())
    qtbot.waitUntil(lambda: strips[0].pointed == strips[1].index_at(strips[1].width() / 2), timeout=PATIENCE)
