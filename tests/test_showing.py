"""When panels are shown a View: those of a long text one a turn of the event loop, none of them forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.chain import Ledger
from arplay.gui import showing
from arplay.gui.contract import Panel
from arplay.gui.showing import Showing
from arplay.gui.view import View
from tests.ledgers import prose, random_ledger

SCORED, _ = random_ledger(prose(50), first_token="model")
GROWING = replace(SCORED, done=20)


class Told(Panel):
    def __init__(self, name: str, told: list[tuple[str, View]], beside: QWidget) -> None:
        super().__init__()
        self.name, self.told = name, told
        self.setFixedSize(40, 20)
        layout = beside.layout()
        assert layout is not None
        layout.addWidget(self)

    def show_view(self, view: View) -> None:
        self.told.append((self.name, view))


@pytest.fixture
def told() -> list[tuple[str, View]]:
    return []


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    QVBoxLayout(made)
    return made


@pytest.fixture
def shown(window: QWidget, qtbot: QtBot, told: list[tuple[str, View]]) -> Showing:
    panels = [Told(name, told, window) for name in ("text", "chart", "heat", "ledger", "plots")]
    panels[0].comes, panels[1].comes = "at once", "with the answer"
    window.show()
    qtbot.waitExposed(window)
    return Showing(panels, window)


def names(told: list[tuple[str, View]], view: View) -> list[str]:
    return [name for name, seen in told if seen is view]


@pytest.mark.parametrize(("ledger", "turns"), [(SCORED, 1), (GROWING, 4)])
def test_while_a_text_is_scored_each_panel_has_a_turn(
    shown: Showing, told: list[tuple[str, View]], qtbot: QtBot, ledger: Ledger, turns: int
) -> None:
    view, taken = View(ledger=ledger), []
    shown.timeout.connect(lambda: taken.append(len(told)))
    shown.show_view(view)
    assert names(told, view) == ["text", "chart"], "what one looks at first"
    qtbot.waitUntil(lambda: not shown.isActive())
    assert names(told, view) == ["text", "chart", "chart", "heat", "ledger", "plots"] and len(taken) == turns


def test_a_long_text_is_shown_so_when_it_is_scored(
    shown: Showing, told: list[tuple[str, View]], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "LONG", 50)
    taken: list[int] = []
    shown.timeout.connect(lambda: taken.append(len(told)))
    shown.show_view(View(ledger=SCORED))
    qtbot.waitUntil(lambda: not shown.isActive())
    assert len(taken) == 4


def test_views_that_come_meanwhile_leave_no_panel_out(
    shown: Showing, told: list[tuple[str, View]], qtbot: QtBot
) -> None:
    """A new View at each turn: every panel still has its turn, and all have the last one in the end."""
    views = [View(ledger=replace(GROWING, done=done)) for done in range(20, 30)]
    for view in views:
        shown.show_view(view)
        before = len(told)
        qtbot.waitUntil(lambda before=before: len(told) > before)
    assert {name for name, _ in told} == {"text", "chart", "heat", "ledger", "plots"}
    qtbot.waitUntil(lambda: not shown.isActive())
    assert set(names(told, views[-1])) == {"text", "chart", "heat", "ledger", "plots"}


def test_a_panel_out_of_sight_is_given_nothing(
    shown: Showing, window: QWidget, told: list[tuple[str, View]], qtbot: QtBot
) -> None:
    window.findChildren(Told)[3].hide()
    view = View(ledger=GROWING)
    shown.show_view(view)
    qtbot.waitUntil(lambda: not shown.isActive())
    assert names(told, view) == ["text", "chart", "chart", "heat", "plots"]
