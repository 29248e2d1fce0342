"""Rule 9: every panel of the catalogue passes the same suite, at 1x and, in a second process, at 2x."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from arplay.gui.contract import Panel
from arplay.gui.intents import Change
from arplay.gui.panels import PANELS
from arplay.gui.panels.entry import PanelEntry
from arplay.gui.settings import Settings
from arplay.gui.theme import DARK, LIGHT, Theme, contrast
from arplay.gui.view import View
from tests import panel_checks
from tests.panel_views import VIEWS, not_numbers, textbook

SCALE = os.environ.get("QT_SCALE_FACTOR", "1")

every_panel = pytest.mark.parametrize("entry", PANELS, ids=lambda entry: entry.panel.rpartition(".")[2])
every_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """No network runs here, so the second process does not import torch to set its threads."""


@pytest.fixture(autouse=True)
def _plain_afterwards(qapp: QApplication) -> Iterator[None]:
    yield
    qapp.setStyleSheet("")


@every_view
@every_panel
def test_every_view_is_drawn(entry: PanelEntry, view: Callable[[], View], qtbot: QtBot) -> None:
    panel_checks.draws(entry.make, view())


@every_view
@every_panel
def test_every_chart_is_exported(entry: PanelEntry, view: Callable[[], View], qtbot: QtBot) -> None:
    panel_checks.exports(entry.make, view())


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
@every_panel
def test_every_panel(entry: PanelEntry, check: Callable[[panel_checks.Make], None], qtbot: QtBot) -> None:
    check(entry.make)


def test_pictures_have_the_scale_of_this_process(qtbot: QtBot) -> None:
    panel = Good()
    qtbot.addWidget(panel)
    panel.resize(100, 50)
    assert panel.grab().toImage().size().toTuple() == (100 * int(SCALE), 50 * int(SCALE))


@pytest.mark.slow
@pytest.mark.skipif(SCALE != "1", reason="this is the second process")
def test_the_suite_passes_at_twice_the_scale() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--no-header", str(Path(__file__))]
    said = subprocess.run(
        command,
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"QT_SCALE_FACTOR": "2"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert said.returncode == 0, said.stdout[-6000:] + said.stderr[-2000:]


# the suite's own controls: one good panel, and one for each way to be bad


class Good(Panel):
    name, title, explanation = "good", "Good", "<p>p(x)</p>"

    def __init__(self) -> None:
        super().__init__()
        self.words = ""

    def show_view(self, view: View) -> None:
        self.words = "no model" if view.loaded is None else f"{view.loaded.info.name}"
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("surface"))
        painter.setPen(self.theme.color("text"))
        painter.drawText(self.rect(), 0, self.words)
        painter.end()


class Blank(Good):
    def paintEvent(self, event: QPaintEvent) -> None:
        pass


class Colourless(Good):
    def set_theme(self, theme: Theme) -> None:
        super().set_theme(LIGHT)


class Talkative(Good):
    def show_view(self, view: View) -> None:
        super().show_view(view)
        self.intent.emit(Change(Settings()))


class Numerate(Good):
    def show_view(self, view: View) -> None:
        super().show_view(view)
        if view.ledger is not None:
            self.words = str(int(view.ledger.logprob[1] * 100))


class Immortal(Good):
    known: ClassVar[list[Panel]] = []

    def __init__(self) -> None:
        super().__init__()
        self.known.append(self)


class Deaf(Good):
    def show_view(self, view: View) -> None:
        self.words = "Always the same"


class Rigid(Good):
    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(300, 300)


class Mute(Good):
    def __init__(self) -> None:
        super().__init__()
        QPushButton("Go", self)


class EmptyChart(Good):
    def chart_size(self) -> tuple[int, int] | None:
        return 200, 100

    def paint_chart(self, painter: QPainter, area: object) -> None:
        pass


def _draws(make: panel_checks.Make) -> None:
    panel_checks.draws(make, textbook())


def _draws_nan(make: panel_checks.Make) -> None:
    panel_checks.draws(make, not_numbers())


def _exports(make: panel_checks.Make) -> None:
    panel_checks.exports(make, textbook())


@pytest.mark.parametrize(
    ("bad", "check", "reason"),
    [
        (Blank, _draws, "empty picture"),
        (Colourless, _draws, "not in its theme"),
        (Talkative, _draws, "showing a view asked for"),
        (Numerate, _draws_nan, "cannot convert float NaN"),
        (Immortal, panel_checks.is_freed, "kept alive"),
        (Deaf, panel_checks.follows, "the same picture"),
        (Blank, panel_checks.goes_through, "empty"),
        (Rigid, panel_checks.squeezes, "no smaller than"),
        (Mute, panel_checks.introduces_itself, "no tooltip"),
        (EmptyChart, _exports, "empty chart"),
    ],
)
def test_the_suite_catches_a_bad_panel(
    bad: type[Panel], check: Callable[[panel_checks.Make], None], reason: str, qtbot: QtBot
) -> None:
    check(Good)
    with pytest.raises((AssertionError, ValueError), match=reason):
        check(bad)
    Immortal.known.clear()


# contrast


def unreadable(theme: Theme) -> list[str]:
    """Pairs of text and ground that WCAG AA would not pass."""
    pairs = [(ink, ground) for ink in ("text", "muted", "accent", "warning") for ground in GROUNDS]
    pairs += [("on_accent", "accent"), ("text", "accent_soft"), ("text", "warning_soft"), ("warning", "warning_soft")]
    bad = [f"{ink} on {ground}" for ink, ground in pairs if contrast(theme.color(ink), theme.color(ground)) < 4.5]
    heat = [theme.heat_color(step / 40) for step in range(41)]
    return bad + [f"ink on heat {c.name()}" for c in heat if contrast(theme.ink_on(c), c) < 4.5]


GROUNDS = ("background", "surface", "raised")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_text_can_be_read(theme: Theme) -> None:
    assert unreadable(theme) == []


def test_text_that_cannot_be_read_is_found() -> None:
    from dataclasses import replace

    assert unreadable(replace(LIGHT, muted="#9aa2b0")) == [f"muted on {ground}" for ground in GROUNDS]
    assert "warning on warning_soft" in unreadable(replace(DARK, warning_soft=DARK.warning))
    assert contrast(QColor("#000000"), QColor("#ffffff")) == pytest.approx(21)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_lightness_alone_orders_the_heat(theme: Theme) -> None:
    """Read without colour vision: each step from expected to surprising stands out more from the last."""
    ground = theme.color("surface")
    steps = [contrast(ground, theme.heat_color(step / 20)) for step in range(21)]
    assert steps == sorted(steps)
    assert steps[-1] / steps[0] > 7
