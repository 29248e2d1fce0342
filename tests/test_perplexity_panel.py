"""What perplexity means: figures of the ledger at once, the same text by every convention when asked, and why not."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay import cli
from arplay.gui import exports
from arplay.gui.intents import CompareConventions
from arplay.gui.panels.perplexity import PerplexityPanel
from arplay.gui.settings import Settings
from arplay.gui.view import View
from arplay.gui.widgets.perplexity.rows import COUNTED, NAME, NLL, PER_UNIT, PERPLEXITY, WINDOWS, WORD
from tests.windows_open import PATIENCE, Open, opened, settle, text_field

__all__ = ["opened"]
LONG = b"It was a dark and stormy night, and the rain fell. " * 120


def figure(panel: PerplexityPanel, name: str) -> str:
    return next(each.value for each in panel.figures.figures if each.name == name)


def column(panel: PerplexityPanel, number: int) -> list[str]:
    table = panel.rows.table
    return [str(table.data(table.index(row, number))) for row in range(table.rowCount())]


def in_front(window: object, qtbot: QtBot) -> PerplexityPanel:
    window.docks["perplexity"].show()  # type: ignore[attr-defined]
    window.docks["perplexity"].raise_()  # type: ignore[attr-defined]
    panel = cast(PerplexityPanel, window.panels["perplexity"])  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: panel.isVisible() and panel.rows.table.rowCount() > 0, timeout=PATIENCE)
    return panel


def test_the_ledger_alone_gives_the_figures(qtbot: QtBot) -> None:
    score = arplay.load("abc").score("BAC")
    panel = PerplexityPanel()
    qtbot.addWidget(panel)
    panel.resize(1300, 320)
    panel.show()
    panel.show_view(View(loaded=score.loaded, ledger=score.ledger))
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


def test_compare_scores_by_every_convention_and_is_exported(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", LONG)
    panel, play = in_front(window, qtbot), window.playground
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
    assert record["conventions"]["hf_strided"]["perplexity"] == known.figures[3].found.perplexity  # type: ignore[union-attr]
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
