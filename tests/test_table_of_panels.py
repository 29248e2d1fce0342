"""A panel from outside the package (tests/examples/rank_histogram.py) is one file and one line, found everywhere."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QMenu
from pytestqt.qtbot import QtBot

from arplay import cli
from arplay.core.modalities.text import Text
from arplay.gui import exports, help, panels
from arplay.gui.dock import Dock
from arplay.gui.main_window import MainWindow
from arplay.gui.theme import DARK
from arplay.gui.view import View
from tests import panel_checks
from tests.examples.rank_histogram import RANKS, RankHistogram
from tests.panel_views import VIEWS
from tests.windows_open import Open, opened

__all__ = ["opened"]

EXPECTED = [{"ranks": "1", "tokens": 3}]
"""Of BAC, whose tokens are the likeliest each."""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "PANELS", (*panels.PANELS, RANKS))  # the one line


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_it_draws_and_exports_every_view(view: Callable[[], View], qtbot: QtBot) -> None:
    panel_checks.draws(RANKS.make, view())
    panel_checks.exports(RANKS.make, view())


@pytest.mark.parametrize(
    "check",
    [
        panel_checks.squeezes,
        panel_checks.goes_through,
        panel_checks.follows,
        panel_checks.is_freed,
        panel_checks.introduces_itself,
    ],
    ids=lambda check: check.__name__,
)
def test_it_passes_the_suite_of_all_panels(check: Callable[[panel_checks.Make], None], qtbot: QtBot) -> None:
    check(RANKS.make)


def in_view_menu(window: MainWindow) -> list[str]:
    (menu,) = [action.menu() for action in window.menuBar().actions() if action.text() == "&View"]
    assert isinstance(menu, QMenu)
    return [action.text() for action in menu.actions()]


def test_the_window_has_it_in_its_menu_its_help_and_its_exports(known: None, opened: Open, tmp_path: Path) -> None:
    window = opened(text=b"BAC")
    panel = window.panels["rank_histogram"]
    assert isinstance(panel, RankHistogram) and "Ranks" in in_view_menu(window)
    window.docks["rank_histogram"].raise_()
    explained = help.what_is_this(panel, window)
    assert any(panel.explanation in label.text() for label in explained.findChildren(QLabel))
    explained.close()
    export = exports.of_panel(panel, window)
    for kind in ("csv", "json", "png", "svg", "pdf"):
        assert export.save(tmp_path / f"ranks.{kind}")
    assert json.loads((tmp_path / "ranks.json").read_text("utf-8"))["ranks"] == EXPECTED
    assert not QImage(str(tmp_path / "ranks.png")).isNull()


def afloat(dock: Dock) -> None:
    dock.setFloating(True)
    dock.resize(400, 300)


@pytest.mark.parametrize("see", [Dock.raise_, afloat], ids=["its tab", "floating"])
def test_it_is_made_when_it_is_first_seen_and_follows_from_then_on(
    see: Callable[[Dock], None], known: None, opened: Open, qtbot: QtBot
) -> None:
    window = opened(text=b"BAC")
    assert "rank_histogram" not in window.panels.made
    window.set_theme("dark")
    see(window.docks["rank_histogram"])
    panel = window.panels.made["rank_histogram"]
    qtbot.waitUntil(lambda: panel.rows != [])  # type: ignore[attr-defined]
    assert isinstance(panel, RankHistogram) and panel.isVisible() and panel.rows == [("1", 3)] and panel.theme is DARK
    window.playground.open_document(Text.of(b"BA"), at_end=True)
    qtbot.waitUntil(lambda: panel.rows == [("1", 2)])
    window.close()
    assert "rank_histogram" in opened().panels.made, "what was in front at the end is at the next start"


def test_the_command_line_exports_it(known: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "--help"]) == 0
    assert "ranks" in capsys.readouterr().out
    for kind in ("csv", "json"):
        out = tmp_path / f"ranks.{kind}"
        assert cli.main(["export", "--prompt", "BAC", "--model", "abc", "--chart", "ranks", "--out", str(out)]) == 0
    record = json.loads((tmp_path / "ranks.json").read_text("utf-8"))
    assert record["ranks"] == EXPECTED and record["provenance"]["model"]["name"] == "abc"
    lines = [line for line in (tmp_path / "ranks.csv").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert list(csv.reader(lines)) == [["ranks", "tokens"], ["1", "3"]]


def test_without_its_line_it_is_nowhere(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    """Negative control."""
    window = opened()
    assert "rank_histogram" not in window.panels and "Ranks" not in in_view_menu(window)
    assert cli.main(["export", "--help"]) == 0
    assert "ranks" not in capsys.readouterr().out.split("--chart")[1].split("}")[0]
