"""The comparison's page of the text, which is shown twice, and saved runs beside models, in the real window."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import Text
from arplay.core.tree import Mark
from arplay.gui.intents import AddPeer, AddRun, RemovePeer, Select, SetMark
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.comparison import ComparisonPanel
from arplay.gui.widgets.comparison.pages import CHANGED, HERE
from arplay.gui.widgets.comparison.pages import TEXT as TEXT_PAGE
from tests import tiny_models
from tests.test_comparison_panel import TEXT, add, seen
from tests.test_one_text_two_views import turn
from tests.windows_open import PATIENCE, Open, opened, settle, text_field

__all__ = ["opened", "seen"]


def test_the_text_shows_who_knew_better(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    """Each token has the difference of its span; a click goes there, on either side."""
    window, panel = seen
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    QTest.mouseClick(panel.group.button(TEXT_PAGE), Qt.MouseButton.LeftButton)
    window.arrangement.enlarge(panel)
    pair = panel.pair
    assert pair is not None
    one, other = pair.ledgers
    measure = panel.pages.text.legend.scale.measure
    expected = one.logprob - other.logprob  # both have the same tokens
    np.testing.assert_allclose(measure.values(one, 0, len(one)), expected, atol=1e-9)
    assert np.isnan(measure.values(other, 0, 3)).all(), "of another ledger nothing is known"
    assert panel.said.full == "blue where english bfloat16 knew better, orange where english float32 did"
    QTest.mouseClick(panel.pages.text.ways[True], Qt.MouseButton.LeftButton)
    left, right = panel.pages.text.heats
    qtbot.waitUntil(lambda: left.isVisible() and right.isVisible(), timeout=PATIENCE)
    assert "blue" not in panel.said.full
    assert left.ledger is one and right.ledger is other
    right.picked.emit(5)
    assert window.playground.view.selected == 5
    qtbot.waitUntil(lambda: right.selected == 5, timeout=PATIENCE)


def test_side_by_side_the_same_place_is_in_sight(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    """Two tokenizers cut the text otherwise; wheel, keys, the minimap and both ends, whichever side leads."""
    line = "{}: It was a dark and stormy night, na\u00efve \U0001f419 {} \u4f60\u597d.\n"
    text = "".join(line.format(i, "ab" * (i % 7)) for i in range(160))
    window = opened("english", text.encode())
    panel = cast(ComparisonPanel, window.panels["comparison"])
    arplay.load(str(tiny_models.save(tmp_path / "tiny", "llama", max_position_embeddings=512))).score(text).save(
        tmp_path / "tiny.npz"
    )
    window.docks["comparison"].raise_()
    window.arrangement.enlarge(panel)
    window.handle(AddRun(tmp_path / "tiny.npz"))
    qtbot.waitUntil(lambda: panel.side is not None and panel.view.parted_here, timeout=PATIENCE)
    QTest.mouseClick(panel.group.button(TEXT_PAGE), Qt.MouseButton.LeftButton)
    QTest.mouseClick(panel.pages.text.ways[True], Qt.MouseButton.LeftButton)
    left, right = panel.pages.text.heats
    qtbot.waitUntil(lambda: left.isVisible() and right.isVisible() and right.ledger is not None, timeout=PATIENCE)
    assert len(right.ledger) > 1.3 * len(left.ledger)

    def apart() -> int:
        """Lines of the text between what the two show at a height: at the top above, at the bottom at the end."""
        bar = left.verticalScrollBar()
        tokens = [heat.line_near(heat.viewport().height() * bar.value() / bar.maximum())[0] for heat in (left, right)]
        starts = [heat.ledger.encoded.span(at)[0] for heat, at in zip((left, right), tokens, strict=True)]
        places = [text.encode()[:start].count(b"\n") for start in starts]
        return abs(places[0] - places[1])

    qtbot.waitUntil(lambda: apart() <= 1, timeout=PATIENCE)
    for leader, follower in ((left, right), (right, left)):
        for notches in (-40, -60, 20, -3000, 3000, -5):
            turn(leader, notches)
            assert apart() <= 1, notches
            bars = leader.verticalScrollBar(), follower.verticalScrollBar()
            assert len({(bar.value() == 0, bar.value() == bar.maximum()) for bar in bars}) == 1, notches
        leader.minimap.wanted.emit(len(leader.ledger) // 2)
        assert apart() <= 1
        QTest.keyClick(leader.verticalScrollBar(), Qt.Key.Key_PageDown)
        assert apart() <= 1
    left.verticalScrollBar().setValue(0)
    QTest.mouseClick(panel.pages.text.ways[False], Qt.MouseButton.LeftButton)
    turn(left, -50)
    QTest.mouseClick(panel.pages.text.ways[True], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: right.isVisible() and apart() <= 1, timeout=PATIENCE)
    assert right.verticalScrollBar().value() > 100


def test_a_saved_run_is_compared(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot, tmp_path: Path) -> None:
    """It needs no model; one of another text is refused in words."""
    window, panel = seen
    score = arplay.load("english", dtype="bfloat16").score
    score(TEXT).save(tmp_path / "same.npz")
    score("another text").save(tmp_path / "other.npz")
    window.handle(AddRun(tmp_path / "same.npz"))
    qtbot.waitUntil(lambda: panel.side is not None and panel.view.parted_here, timeout=PATIENCE)
    assert panel.side is not None and panel.side.names == ("english float32", "same.npz bfloat16")
    assert panel.side.parted.shares[1].nats == pytest.approx(score(TEXT).nll_nats)
    QTest.mouseClick(panel.group.button(HERE), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "tells of the places before its own tokens only" in panel.said.full, timeout=PATIENCE)
    window.handle(Select(3))
    qtbot.waitUntil(lambda: panel.said.full.endswith("keeps no more: load B with “+ Model…”"), timeout=PATIENCE)
    QTest.mouseClick(panel.group.button(CHANGED), Qt.MouseButton.LeftButton)
    assert panel.pages.changed.rows.message == "A saved run keeps no whole distributions: load B with “+ Model…”."
    window.handle(AddRun(tmp_path / "other.npz"))
    chips = panel.chips.chips
    qtbot.waitUntil(lambda: len(chips) > 2 and "it is of another text" in chips[2].words.toolTip(), timeout=PATIENCE)
    window.handle(AddRun(tmp_path / "missing.npz"))
    qtbot.waitUntil(lambda: window.playground.view.peers[-1].problem is not None, timeout=PATIENCE)
    assert "cannot be read" in (window.playground.view.peers[-1].problem or ("",))[0]
    for slot in (1, 2, 3):
        window.handle(RemovePeer(slot))
    assert window.playground.view.peers == ()


def test_a_saved_run_stands_where_the_model_does(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    """Run against run, then against a model: scores are compared, of a place what either keeps, and what is missing is
    told with what to do."""
    runs = [arplay.load("english", dtype=dtype).score(TEXT) for dtype in ("float32", "bfloat16")]
    for name, run in zip("ab", runs, strict=True):
        run.save(tmp_path / f"{name}.npz")
    window = opened("abc")
    panel = cast(ComparisonPanel, window.panels["comparison"])
    window.open_file(tmp_path / "a.npz")
    qtbot.waitUntil(lambda: window.playground.view.run is not None, timeout=PATIENCE)
    window.docks["comparison"].raise_()
    window.handle(AddRun(tmp_path / "b.npz"))
    qtbot.waitUntil(lambda: panel.side is not None and panel.view.parted_here, timeout=PATIENCE)
    assert panel.side is not None
    assert [share.nats for share in panel.side.parted.shares] == pytest.approx([run.nll_nats for run in runs])
    QTest.mouseClick(panel.group.button(HERE), Qt.MouseButton.LeftButton)
    window.handle(Select(3))
    qtbot.waitUntil(lambda: panel.view.answer is not None and panel.view.answer.prefix.index == 3, timeout=PATIENCE)
    assert "; saved runs keep no more: load A with “Score anew”, B with" in panel.said.full
    table = panel.pages.here.table
    for side, run in enumerate(runs):
        kept = {id: float(np.exp(logprob)) for id, logprob in run.ledger.best.at(3)}
        told = {row.ids[side]: row.p[side] for row in table.rows if row.p[side] is not None}
        assert told == pytest.approx(kept | {int(run.ledger.ids[3]): float(np.exp(run.ledger.logprob[3]))}, rel=1e-5)
    QTest.mouseClick(panel.group.button(CHANGED), Qt.MouseButton.LeftButton)
    page = panel.pages.changed
    assert not page.button.isVisible() and "load A with “Score anew”, B with" in page.rows.message
    window.handle(AddPeer("english", "cpu", "float32"))
    ready = lambda: panel.side is not None and len(panel.side.models) == 3 and panel.view.parted_here  # noqa: E731
    qtbot.waitUntil(ready, timeout=PATIENCE)
    assert panel.side.parted.shares[2].nats == pytest.approx(runs[0].nll_nats, abs=1e-3)
    panel.beside.setCurrentIndex(1)
    panel.beside.activated.emit(1)
    assert page.rows.message == "A saved run keeps no whole distributions: load A with “Score anew”."
    QTest.mouseClick(panel.group.button(HERE), Qt.MouseButton.LeftButton)
    window.handle(Select(9))
    qtbot.waitUntil(lambda: panel.view.answer is not None and panel.view.answer.prefix.index == 9, timeout=PATIENCE)
    qtbot.waitUntil(lambda: panel.said.full.endswith("keeps no more: load A with “Score anew”"), timeout=PATIENCE)
    assert any(table.text(row, 2) == "not told" for row in range(len(table.rows))), "beyond what the run keeps"
    assert all(row.p[1] is not None for row in table.rows)
    assert not window.notice.isVisible()


def test_a_base_is_chosen_from_the_history(opened: Open, qtbot: QtBot) -> None:
    """As the text was opened, before an edit, a branch with a name: each is scored beside what is in sight."""
    window = opened("english", TEXT.encode())
    panel, play = cast(ComparisonPanel, window.panels["comparison"]), window.playground
    window.docks["comparison"].raise_()
    QTest.mouseClick(panel.mode.button(1), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.from_history.isVisible, timeout=PATIENCE)

    def offered() -> dict[str, QAction]:
        panel.states.aboutToShow.emit()
        return {action.text(): action for action in panel.states.actions()}

    assert list(offered()) == ["The history has this state only"]
    field = text_field(window)
    field.setFocus()
    field.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(field, " One")
    branch = play.view.node
    assert branch is not None
    play.undo_stack.undo()
    QTest.keyClicks(field, " Two")
    play.tree.seal()
    QTest.keyClicks(field, " more")
    settle(window, qtbot)
    here, ledger = play.view.node, play.ledger
    window.handle(SetMark((branch,), Mark(name="the first try")))
    made = offered()
    assert list(made) == ["★ the first try", "As it was opened", "Before: ␣more"]
    score = arplay.load("english").score
    for words, text in (
        ("★ the first try", f"{TEXT} One"),
        ("As it was opened", TEXT),
        ("Before: ␣more", f"{TEXT} Two"),
    ):
        made[words].trigger()
        wanted = text.encode()
        qtbot.waitUntil(
            lambda wanted=wanted: panel.view.base is not None  # type: ignore[misc]
            and bytes_of(panel.view.base.ledger.encoded) == wanted and panel.view.edited is not None,
            timeout=PATIENCE,
        )  # fmt: skip
        base, found = panel.view.base, panel.view.edited
        assert base is not None and found is not None and found.ledgers == (base.ledger, ledger)
        assert base.ledger.totals.nll_nats == pytest.approx(score(text).nll_nats, abs=1e-3)
        assert play.view.node is here and play.ledger is ledger, "one stays where one is"
        assert "stand in both" in panel.said.full
        made = offered()
    QTest.mouseClick(panel.group.button(TEXT_PAGE), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(panel.pages.text.heats) == 2, timeout=PATIENCE)
    window.choose_model("abc")  # which cannot read either: nothing is scored, and nothing stands beside it
    qtbot.waitUntil(lambda: panel.view.loaded is not None and panel.view.loaded.info.name == "abc", timeout=PATIENCE)
    settle(window, qtbot)
    qtbot.waitUntil(lambda: len(panel.pages.text.heats) == 1 and panel.view.ledger is None, timeout=PATIENCE)
    play.table.put_aside(Text.of(b"Another text"), 0)
    with qtbot.waitSignal(play.refused, timeout=PATIENCE) as refused:
        made["As it was opened"].trigger()  # of the menu as it was filled for the former text
    assert "a text that was here before" in refused.args[0]
