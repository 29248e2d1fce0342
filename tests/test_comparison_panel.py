"""Models side by side in the real window: totals, where they part, and models that come and go."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.aligned import Share, shares
from arplay.core.reading import Reading
from arplay.export.comparing import verdict
from arplay.gui import exports
from arplay.gui.intents import AddPeer, Change, RemovePeer, Select
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.comparison import ComparisonPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.widgets.comparison.changed import CHANGE, KL
from arplay.gui.widgets.comparison.pages import CHANGED, HERE, SPANS
from arplay.gui.widgets.comparison.pages import TEXT as TEXT_PAGE
from arplay.gui.widgets.comparison.spans import APART, PLACE
from arplay.gui.widgets.comparison.totals import BITS, NLL, PERPLEXITY, TOKENS
from tests.windows_open import PATIENCE, Open, opened, text_field

__all__ = ["opened"]

TEXT = "A Babbage cab: it was a dark night. BACA CAB!"


@pytest.fixture
def seen(opened: Open, qtbot: QtBot) -> tuple[MainWindow, ComparisonPanel]:
    """The window on `english` with the panel in front."""
    window = opened("english", TEXT.encode())
    window.docks["comparison"].raise_()
    panel = cast(ComparisonPanel, window.panels["comparison"])
    qtbot.waitUntil(lambda: panel.view.loaded is not None and panel.isVisible(), timeout=PATIENCE)
    return window, panel


def add(window: MainWindow, panel: ComparisonPanel, qtbot: QtBot, *asked: str) -> None:
    count = len(window.playground.view.peers)
    window.handle(AddPeer(*asked))  # type: ignore[arg-type]
    ready = lambda: panel.side is not None and len(panel.side.models) == count + 2 and panel.view.parted_here  # noqa: E731
    qtbot.waitUntil(ready, timeout=PATIENCE)


def test_two_number_types_of_one_model(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot, tmp_path: Path) -> None:
    window, panel = seen
    before = window.playground.view
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    after = window.playground.view
    assert after.loaded is before.loaded and after.ledger is before.ledger, "the window's own model is as it was"
    one, other = (arplay.load("english", dtype=dtype).score(TEXT) for dtype in ("float32", "bfloat16"))
    expected = shares((one.ledger, other.ledger))
    found = panel.side
    assert found is not None
    for share, its in zip(found.parted.shares, expected, strict=True):
        assert share.nats == pytest.approx(its.nats, abs=0.05) and share.units == its.units
    assert found.parted.shares[0].nats == pytest.approx(expected[0].nats, abs=1e-4)
    assert [panel.totals.text(row, 0) for row in (0, 1)] == ["A  english float32", "B  english bfloat16"]
    said = [panel.totals.text(0, column) for column in (BITS, NLL, PERPLEXITY, TOKENS)]
    assert said == [
        f"{one.bits_per_byte:.4f}", f"{one.nll_nats:.2f}", f"{one.perplexity:.2f}", f"{len(one.ledger):,}",
    ]  # fmt: skip
    assert panel.said.full.endswith("their perplexities tell the same.")
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"both.{kind}")
    told = json.loads((tmp_path / "both.json").read_text("utf-8"))
    assert [model["dtype"] for model in told["models"]] == ["float32", "bfloat16"]
    lines = [line for line in (tmp_path / "both.csv").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert "".join(row["text"] for row in csv.DictReader(lines)) == TEXT


def test_where_they_part_leads_there(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    """A row by mouse and by Enter, a place of the curve; sorted by a click on a title."""
    window, panel = seen
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    QTest.mouseClick(panel.group.button(SPANS), Qt.MouseButton.LeftButton)
    view, table = panel.pages.spans, panel.pages.spans.table
    found = panel.pair
    assert found is not None and len(table.rows) == len(found)
    apart = [abs(found.difference[span]) for span in table.rows]
    assert apart == sorted(apart, reverse=True)
    place = view.visualRect(table.index(1, 1)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.playground.view.selected == table.token(1)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert window.playground.view.selected == table.token(2)
    header = view.horizontalHeader()
    for at, wanted in ((0, sorted), (1, lambda tokens: sorted(tokens, reverse=True))):
        middle = QPoint(header.sectionViewportPosition(PLACE) + 20, header.height() // 2)
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=middle)
        tokens = [table.token(row) for row in range(len(table.rows))]
        assert tokens == wanted(tokens), f"click {at}"
    assert table.title(PLACE).endswith("▾") and not table.title(APART).endswith("▾")
    QTest.mouseClick(panel.group.button(0), Qt.MouseButton.LeftButton)
    window.arrangement.enlarge(panel)
    curve = panel.curve
    qtbot.waitUntil(lambda: curve.isVisible() and curve.height() > 100, timeout=PATIENCE)
    spot: QPointF = curve.drawing().place(5.0, 0.0)
    QTest.mouseClick(curve, Qt.MouseButton.LeftButton, pos=spot.toPoint())
    assert window.playground.view.selected == 4
    assert "so far" in curve.words(5.0)


def test_another_text_is_scored_by_all(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    window, panel = seen
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    QTest.keyClicks(text_field(window), " More")
    qtbot.waitUntil(
        lambda: panel.view.parted_here and panel.view.document is window.playground.document
        and panel.side is not None and panel.side.parted.shares[0].units == len(TEXT) + len(" More"),
        timeout=PATIENCE,
    )  # fmt: skip
    window.handle(Change(replace(window.playground.view.settings, unit="bits")))
    qtbot.waitUntil(lambda: panel.totals.title(NLL) == "NLL, bits", timeout=PATIENCE)


def test_a_model_that_is_removed_gives_its_memory_back(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    window, panel = seen
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    slots = window.bridge._worker._slots
    assert slots[1].model is not None and len(panel.chips.chips) == 2
    QTest.mouseClick(panel.chips.chips[1].away, Qt.MouseButton.LeftButton)
    assert window.playground.view.peers == ()
    qtbot.waitUntil(lambda: slots[1].model is None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: panel.side is None and not panel.totals.rows, timeout=PATIENCE)
    assert slots[0].model is not None
    window.handle(AddPeer("english"))
    window.handle(RemovePeer(1))  # while it is on its way
    qtbot.waitUntil(lambda: slots[1].model is None, timeout=PATIENCE)
    add(window, panel, qtbot, "english", "cpu", "float16")
    assert panel.side is not None and panel.side.names[1] == "english float16"


def test_what_cannot_be_compared_is_told(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    """A model that cannot be loaded, and one whose alphabet has not these letters; the window's own goes on."""
    window, panel = seen
    for spec, said in (("no-such-model", "no-such-model"), ("abc", "abc")):
        window.handle(AddPeer(spec))
        qtbot.waitUntil(lambda: window.playground.view.peers[-1].problem is not None, timeout=PATIENCE)
        qtbot.waitUntil(lambda said=said: said in panel.said.full, timeout=PATIENCE)  # type: ignore[misc]
        window.handle(RemovePeer(window.playground.view.peers[-1].slot))
    assert window.playground.view.problem is None and window.playground.view.ledger is not None
    for _ in range(3):
        window.handle(AddPeer("abc"))
    refused: list[str] = []
    window.playground.refused.connect(refused.append)
    window.handle(AddPeer("abc"))
    assert refused == ["4 models are compared at most: remove one first"]


def test_the_list_of_models_adds_one(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    window, panel = seen
    QTest.mouseClick(panel.add, Qt.MouseButton.LeftButton)
    browser = window.browser
    assert browser is not None and browser.isVisible() and browser.details.main.text() == "Compare"
    browser.select("english")
    browser.details.dtype.setCurrentText("bfloat16")
    browser.details.changed.emit()
    assert "fits" in browser.details.values["Memory"].text()
    QTest.mouseClick(browser.details.main, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.side is not None and panel.view.parted_here, timeout=PATIENCE)
    assert panel.side is not None and panel.side.names == ("english float32", "english bfloat16")
    window.browse_models()
    assert browser.details.main.text() == "Load", "the same list loads the window's own model"
    browser.close()


def test_nothing_is_scored_while_nobody_looks(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT.encode())
    window.handle(AddPeer("english", "cpu", "bfloat16"))
    qtbot.waitUntil(lambda: window.playground.view.peers[0].loaded is not None, timeout=PATIENCE)
    assert window.playground.view.peers[0].ledger is None and window.playground.view.parted is None
    window.docks["comparison"].raise_()
    qtbot.waitUntil(lambda: window.playground.view.parted is not None, timeout=PATIENCE)


def test_perplexity_that_misleads_is_named() -> None:
    """10 nats over 4 tokens are a perplexity of 12.18; 12 nats over 8 tokens one of 4.48 only."""
    both = Share(10.0, 4, 8), Share(12.0, 8, 8)
    said = verdict(("A", "B"), both, "bits per byte")
    assert said == (
        "A needs the fewest bits per byte: 1.8034. Perplexity would mislead here: B has the lower one (4.48 against "
        "12.18), because it pays for 8 tokens and not 4."
    )


def test_two_distributions_of_one_place(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot, tmp_path: Path) -> None:
    window, panel = seen
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    QTest.mouseClick(panel.group.button(HERE), Qt.MouseButton.LeftButton)
    for selected in (3, 9):
        window.handle(Select(selected))
        qtbot.waitUntil(
            lambda selected=selected: panel.view.selected == selected and not panel.view.stale  # type: ignore[misc]
            and panel.found is not None and panel.view.peers[0].answered is panel.view.answer,
            timeout=PATIENCE,
        )  # fmt: skip
        answer, peer = panel.view.answer, panel.view.peers[0].answer
        assert answer is not None and peer is not None and answer.distribution is not None
        assert answer.prefix.index == selected and peer.prefix.ids.tolist() == answer.prefix.ids.tolist()
        table = panel.pages.here.table
        row = table.rows[0]
        assert row.ids[0] == row.ids[1], "the same tokens"
        assert row.p[0] == pytest.approx(float(answer.distribution.probs[row.ids[0]]))
        assert panel.said.full.startswith("KL(A‖B) ")
    export = exports.of_panel(panel, window)
    assert (
        export.save(tmp_path / "here.json")
        and export.save(tmp_path / "here.csv")
        and export.save(tmp_path / "here.png")
    )
    told = json.loads((tmp_path / "here.json").read_text("utf-8"))
    assert told["tokens"][0]["prob"] == pytest.approx(row.p[0]) and told["total_variation"] < 0.1


def test_where_nothing_stands_before_a_place_the_page_says_so(
    seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot
) -> None:
    window, panel = seen
    window.handle(Change(replace(panel.view.settings, reading=Reading(first_token="unscored"))))
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    QTest.mouseClick(panel.group.button(HERE), Qt.MouseButton.LeftButton)
    window.handle(Select(0))
    qtbot.waitUntil(lambda: panel.said.full.startswith("english float32 has no distribution here"), timeout=PATIENCE)


def test_a_span_is_written_in_whole_letters() -> None:
    """Its table asks for its tokens together; alone each of them is bytes of a letter."""
    score = arplay.load("english").score("“A")
    encoded, tokens = score.ledger.encoded, score.loaded.vocabulary
    stop = int(np.searchsorted(encoded.ends, 3)) + 1
    assert stop > 1 and "⟨" in encoded.said(0, tokens)
    assert encoded.said(0, tokens, stop) == "“"


def test_the_keyboard_comes_to_what_one_does_first(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT.encode())
    panels = {name: window.panels[name] for name in ("comparison", "candidates", "tokenizers")}
    for name, words in (("comparison", "+ Model…"), ("candidates", "Another candidate"), ("tokenizers", "")):
        window.arrangement.go_to(panels[name])
        focus = QApplication.focusWidget()
        assert focus is not None and panels[name].isAncestorOf(focus), name
        assert not words or words in (focus.accessibleName(), getattr(focus, "text", str)()), name


def test_the_keyboard_is_not_lost_where_a_panel_shows_nothing(opened: Open) -> None:
    window = opened("xo", None)
    window.arrangement.go_to(window.panels["heatmap"])
    assert QApplication.focusWidget() is window.docks["heatmap"].bar.explain_button


def test_what_a_number_type_changed(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot, tmp_path: Path) -> None:
    """Asked by a button, sorted by a click on a title; of another text it is said to be of before."""
    window, panel = seen
    page = panel.pages.changed
    QTest.mouseClick(panel.group.button(CHANGED), Qt.MouseButton.LeftButton)
    assert not page.button.isEnabled()
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    qtbot.waitUntil(page.button.isEnabled, timeout=PATIENCE)
    QTest.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.table.found is not None and bool(page.said.full), timeout=PATIENCE)
    found, ledger = page.table.found, window.playground.ledger
    assert found is not None and ledger is not None
    np.testing.assert_allclose(found.rows.logprob[0], ledger.logprob, atol=1e-4)
    np.testing.assert_array_equal(found.rows.rank[0], ledger.rank)
    kl = found.rows.kl[page.table.rows]
    assert (np.diff(kl) <= 0).all() and len(kl) == int(found.rows.known.sum())
    header = page.rows.horizontalHeader()
    where = QPoint(header.sectionViewportPosition(CHANGE) + 30, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert (np.diff(np.abs(found.rows.change[page.table.rows])) <= 0).all()
    header.press(KL)
    assert (np.diff(found.rows.kl[page.table.rows]) <= 0).all()
    header.press(CHANGE)
    QTest.mouseClick(
        page.rows.viewport(), Qt.MouseButton.LeftButton, pos=page.rows.visualRect(page.table.index(0, 1)).center()
    )
    assert window.playground.view.selected == page.table.rows[0]
    export = exports.of_panel(panel, window)
    assert all(export.save(tmp_path / f"changed.{kind}") for kind in ("json", "csv", "png", "svg"))
    told = json.loads((tmp_path / "changed.json").read_text("utf-8"))
    assert told["kl_mean_nats"] == pytest.approx(found.rows.totals()["kl_mean_nats"])
    QTest.keyClicks(text_field(window), "x")
    qtbot.waitUntil(lambda: page.said.full.startswith("of before"), timeout=PATIENCE)


def test_the_base_text_against_its_edit(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot, tmp_path: Path) -> None:
    """What stands before the edit costs what it cost; the panel tells what changed behind it."""
    window, panel = seen
    QTest.mouseClick(panel.mode.button(1), Qt.MouseButton.LeftButton)
    assert panel.set_base.isVisible() and not panel.add.isVisible()
    before = window.playground.ledger
    QTest.mouseClick(panel.set_base, Qt.MouseButton.LeftButton)
    field = text_field(window)
    field.setFocus()
    cursor = field.textCursor()
    cursor.setPosition(len("A Babbage cab: it was a "))
    field.setTextCursor(cursor)
    QTest.keyClicks(field, "very ")
    qtbot.waitUntil(
        lambda: panel.view.edited is not None and panel.view.edited.ledgers[1] is window.playground.ledger
        and panel.view.edited.ledgers[1].encoded.units == len(TEXT) + 5,
        timeout=PATIENCE,
    )  # fmt: skip
    found = panel.view.edited
    assert found is not None and found.ledgers[0] is before
    score = arplay.load("english").score
    base, now = score(TEXT).ledger, score(TEXT.replace("a dark", "a very dark")).ledger
    assert found.tokens == len(base) and found.replaced[0] == (0, 0.0) and found.replaced[1][0] == 1
    np.testing.assert_allclose(found.totals[1] + found.replaced[1][1], -np.nansum(now.logprob), atol=1e-3)
    place = int(np.flatnonzero(~found.same)[0])
    np.testing.assert_allclose(found.difference[:place], 0.0, atol=1e-4)
    assert np.abs(found.difference[place + 1 :]).max() > 0.1
    assert "stand in both" in panel.said.full and "0 tokens for 0.00 nats were replaced by 1" in panel.said.full
    assert panel.totals.text(1, NLL) == f"{found.totals[1]:.2f}"
    QTest.mouseClick(panel.group.button(SPANS), Qt.MouseButton.LeftButton)
    token = panel.pages.spans.table.token(0)
    farthest = int(found.most(1)[0])
    assert token == int(found.first[1][farthest])
    QTest.mouseClick(panel.group.button(TEXT_PAGE), Qt.MouseButton.LeftButton)
    values = panel.pages.text.legend.scale.measure.values(found.ledgers[1], 0, len(found.ledgers[1]))
    assert np.isnan(values[place]) and values[token] == pytest.approx(found.difference[farthest])
    export = exports.of_panel(panel, window)
    for kind in ("json", "csv", "png"):
        assert export.save(tmp_path / f"edit.{kind}")
    assert json.loads((tmp_path / "edit.json").read_text("utf-8"))["tokens_in_both"] == found.tokens
    QTest.mouseClick(panel.forget_base, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.view.base is None and panel.view.edited is None, timeout=PATIENCE)


def test_the_heatmap_shows_the_difference(opened: Open, qtbot: QtBot) -> None:
    """While it does, the other model scores the text though the panel is hidden; the setting stays what it was."""
    window = opened("english", TEXT.encode())
    heatmap = cast(HeatmapPanel, window.panels["heatmap"])
    heatmap.modes.chosen.emit("difference")
    assert "add one in the panel Comparison" in heatmap.caption.full
    assert window.playground.view.settings.colour_by == "surprisal"
    window.handle(AddPeer("english", "cpu", "bfloat16"))
    qtbot.waitUntil(
        lambda: heatmap.view.parted_here and "B is english bfloat16" in heatmap.caption.full, timeout=PATIENCE
    )
    pair, scale = window.playground.view.parted.pairs[0], heatmap.text.scale  # type: ignore[union-attr]
    own = pair.ledgers[0]
    np.testing.assert_allclose(scale.measure.values(own, 0, len(own)), pair.difference)
    assert scale.colour_by == "difference" and heatmap.legend.scale is scale
    heatmap.modes.chosen.emit("rank")
    qtbot.waitUntil(lambda: heatmap.text.scale.colour_by == "rank", timeout=PATIENCE)
    heatmap.modes.chosen.emit("difference")
    window.handle(Change(replace(window.playground.view.settings, colour_by="entropy")))
    qtbot.waitUntil(lambda: heatmap.text.scale.colour_by == "entropy", timeout=PATIENCE)


def test_the_window_takes_another_model(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    """Those beside it stay, and are compared with the new one; an empty text has nothing to compare."""
    window, panel = seen
    add(window, panel, qtbot, "english", "cpu", "bfloat16")
    window.choose_model("english", "cpu", "float16")
    qtbot.waitUntil(
        lambda: panel.side is not None and panel.view.parted_here and panel.side.names[0] == "english float16",
        timeout=PATIENCE,
    )
    assert panel.side is not None and panel.side.names[1] == "english bfloat16"
    window.choose_model("abc")  # which cannot read this text: nothing of the former model stands under its name
    qtbot.waitUntil(lambda: panel.said.full.startswith("abc float64: "), timeout=PATIENCE)
    assert panel.side is None and not panel.totals.rows and panel.curve.plot.empty
    window.choose_model("english", "cpu", "float16")
    qtbot.waitUntil(lambda: panel.side is not None and panel.view.parted_here, timeout=PATIENCE)
    window.playground.clear()
    qtbot.waitUntil(
        lambda: panel.view.parted_here and panel.side is not None and panel.side.parted.shares[0].units == 0,
        timeout=PATIENCE,
    )
    assert panel.totals.text(0, BITS) == "—" and panel.said.full == "No span is scored by all of them."
    for page in (SPANS, TEXT_PAGE, HERE, CHANGED):
        QTest.mouseClick(panel.group.button(page), Qt.MouseButton.LeftButton)


def test_cancel_in_the_status_bar_ends_a_load(seen: tuple[MainWindow, ComparisonPanel], qtbot: QtBot) -> None:
    window, panel = seen
    window.handle(AddPeer("english", "cpu", "bfloat16"))
    window.bridge.cancel()
    qtbot.waitUntil(lambda: not window.playground.view.peers, timeout=PATIENCE)
    assert not panel.totals.rows


@pytest.mark.parametrize("width", [260, 330, 420, 900])
def test_every_page_is_within_reach_in_a_narrow_panel(qtbot: QtBot, width: int) -> None:
    panel = ComparisonPanel()
    qtbot.addWidget(panel)
    panel.resize(width, 300)
    panel.show()
    for choice, last in ((panel.modes, 1), (panel.sides, TEXT_PAGE)):
        assert choice.geometry().right() < width, "nothing is cut at the edge"
        if choice.box.isVisible():
            choice.box.setFocus()
            QTest.keyClick(choice.box, Qt.Key.Key_End)
        else:
            QTest.mouseClick(choice.group.button(last), Qt.MouseButton.LeftButton)
        assert choice.at == last
    assert panel.based and len(panel.group.buttons()) == 3, "a text before an edit has three pages"
    panel.modes.group.button(0).click()
    assert not panel.based and len(panel.group.buttons()) == 5 and panel.sides.at == TEXT_PAGE
