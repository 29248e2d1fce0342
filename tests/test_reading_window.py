"""A long text in the window: its scoring is paused and goes on, and its cost is told before a reading is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.modalities.text import Text
from arplay.core.reading import PRESETS, Reading
from arplay.core.windows import Windows
from arplay.engine import scoring
from arplay.gui.bridge import Bridge
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import Do
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.reading_settings import ReadingSettings
from arplay.gui.store import Store
from arplay.gui.widgets.heat.scoring_row import ScoringRow
from tests.small_model import SmallModel
from tests.test_worker import Gate
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]
LONG = b"BCACB" * 180
PROSE = b"It was a dark and stormy night, and the old man sat by the fire.\n" * 60


class Halting:
    """A window whose model waits before a forward, and counts what it reads."""

    def __init__(self, folder: Path, context: int | None) -> None:
        self.gate = Gate(shut=False)
        self.model = SmallModel(context, before_forward=self.gate)
        self.window = MainWindow(Store(folder / "arplay.ini"), Bridge(load=lambda *_: self.model), "light")
        self.play = self.window.playground

    def begin(self, qtbot: QtBot, text: bytes, forwards: int) -> None:
        """Until the scoring of ``text`` waits before a forward behind so many."""
        self.window.show()
        self.play.load_model("small")
        qtbot.waitUntil(lambda: self.play.view.loaded is not None, timeout=PATIENCE)
        settle(self.window, qtbot)  # what is asked of the empty text takes no forward of these
        self.gate.shut, self.gate.free = True, forwards
        self.play.open_document(Text.of(text))  # the caret stands before it, where nothing has to be read
        qtbot.waitUntil(self.gate._reached.is_set, timeout=PATIENCE)
        qtbot.waitUntil(lambda: self.play.view.ledger is not None and self.play.view.ledger.done > 0, timeout=PATIENCE)

    def halt(self, qtbot: QtBot, what: str) -> None:
        """Press it, and let the forward end that runs."""
        row = self.row
        (row.hold if what == "paused" else row.end).click()
        assert self.play.view.halted == what
        QTest.qWait(20)
        assert not self.window.status._work.isVisible(), "nothing is said to be done, though a forward may not be over"
        self.gate.open()
        qtbot.waitUntil(lambda: not self.play.bridge.waits_for(scoring.Score), timeout=PATIENCE)

    @property
    def row(self) -> ScoringRow:
        panel = self.window.panels["heatmap"]
        assert isinstance(panel, HeatmapPanel)
        return panel.row


@pytest.fixture
def halting(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Halting]]:
    monkeypatch.setattr(scoring, "LEDGER_SECONDS", 0.0)
    monkeypatch.setattr("arplay.gui.widgets.heat.scoring_row.LONG_SECONDS", 0.0)  # else only what is long has buttons
    made: list[Halting] = []

    def make(context: int | None) -> Halting:
        made.append(Halting(tmp_path, context))
        qtbot.addWidget(made[-1].window, before_close_func=lambda window: window.keeping.end())
        return made[-1]

    yield make
    for each in made:
        each.gate.open()
        each.window.hide()
        assert each.play.close(30)


@pytest.mark.parametrize("how", ["paused", "cancelled"])
@pytest.mark.parametrize("context", [None, 64])
def test_what_goes_on_reads_nothing_twice(
    halting: Callable[..., Halting], qtbot: QtBot, context: int | None, how: str
) -> None:
    place = halting(context)
    place.begin(qtbot, LONG, forwards=2)
    qtbot.waitUntil(place.row.hold.isVisible, timeout=PATIENCE)
    place.halt(qtbot, how)
    ledger = place.play.view.ledger
    assert ledger is not None and 0 < ledger.done < len(LONG) and not place.play.view.scoring
    qtbot.waitUntil(lambda: f"{how}: of the first {ledger.done:,} of 900 tokens" in place.row.caption.full)
    read = place.model.read
    QTest.qWait(300)  # longer than any pause of typing: nothing goes on by itself
    assert place.model.read == read, "nobody asked for it"
    assert place.row.hold.accessibleName() == "Resume scoring"
    assert place.row.hold.focusPolicy() & Qt.FocusPolicy.TabFocus, "the keyboard reaches it"
    place.row.hold.setFocus()
    QTest.keyClick(place.row.hold, Qt.Key.Key_Space)
    settle(place.window, qtbot)
    fresh = SmallModel(context)
    whole = Windows.half(context).cost(900).read if context else 900
    assert place.model.read <= whole, "what was read was read again"
    want = fresh.teacher_forced(ledger.ids.tolist()[:60])
    got = place.play.view.ledger
    assert got is not None and got.complete and not place.play.view.halted
    assert abs(got.logprob[1:60] - want[1:60]).max() < 1e-12
    qtbot.waitUntil(lambda: not place.row.hold.isVisible() and "paused" not in place.row.caption.full)


def test_it_can_be_held_before_anything_is_known(
    halting: Callable[..., Halting], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arplay.gui.widgets.heat.scoring_row.LONG_SECONDS", 1e9)  # nobody knows yet how long it takes
    place = halting(None)
    place.window.show()
    place.play.load_model("small")
    qtbot.waitUntil(lambda: place.play.view.loaded is not None, timeout=PATIENCE)
    place.gate.shut, place.gate.free = True, 0
    place.play.open_document(Text.of(LONG))
    qtbot.waitUntil(place.gate._reached.is_set, timeout=PATIENCE)
    qtbot.waitUntil(lambda: place.row.hold.isVisible() and place.row.end.isVisible(), timeout=PATIENCE)
    assert place.row.isVisible() and place.row.caption.full == "scoring…"
    place.halt(qtbot, "paused")
    qtbot.waitUntil(lambda: place.row.hold.accessibleName() == "Resume scoring" and place.row.isVisible())
    place.row.hold.click()
    settle(place.window, qtbot)
    ledger = place.play.view.ledger
    assert ledger is not None and ledger.complete and len(ledger) == 900
    qtbot.waitUntil(lambda: not place.row.hold.isVisible() and not place.row.end.isVisible(), timeout=PATIENCE)


def test_a_total_that_is_on_its_way_is_not_offered(halting: Callable[..., Halting], qtbot: QtBot) -> None:
    place = halting(64)
    place.model = SmallModel(64, lead=(4,), before_forward=place.gate)
    place.begin(qtbot, LONG, forwards=2)
    dialog = dialog_of(place.window, qtbot)
    now, other = dialog.both
    qtbot.waitUntil(lambda: now.words.text().endswith("being scored"), timeout=PATIENCE)
    assert not now.button.isVisible() and other.button.isVisible() and "not scored" in other.words.text()
    place.gate.open()
    settle(place.window, qtbot)
    qtbot.waitUntil(lambda: "NLL" in now.words.text(), timeout=PATIENCE)


def test_an_edit_while_paused_is_scored(halting: Callable[..., Halting], qtbot: QtBot) -> None:
    """It is another text, whose scores somebody wants; what both begin with is not read again."""
    place = halting(None)
    place.begin(qtbot, LONG, forwards=2)
    place.halt(qtbot, "paused")
    before = place.model.read
    end = len(LONG)
    place.play.handle(Typed(end, end, b"A", 0))
    assert not place.play.view.halted
    settle(place.window, qtbot)
    assert place.model.read == end + 1 > before > 0
    assert place.play.view.ledger is not None and len(place.play.view.ledger) == end + 1


def test_what_is_not_there_is_refused_in_words(halting: Callable[..., Halting], qtbot: QtBot) -> None:
    place = halting(None)
    place.window.show()
    for what in ("pause_scoring", "resume_scoring", "cancel_scoring"):
        with qtbot.waitSignal(place.play.refused) as told:
            place.play.handle(Do(what))  # type: ignore[arg-type]
        assert told.args[0].startswith("Nothing")


def dialog_of(window: MainWindow, qtbot: QtBot) -> ReadingSettings:
    panel = window.panels["heatmap"]
    assert isinstance(panel, HeatmapPanel)
    qtbot.waitUntil(panel.row.reading.isVisible, timeout=PATIENCE)
    panel.row.reading.click()
    dialog = window.menus.reading
    assert dialog is not None and dialog.isVisible() and not dialog.isModal()
    return dialog


def choose(dialog: ReadingSettings, title: str) -> None:
    next(button for button in dialog.presets.buttons() if button.text() == title).click()
    QCoreApplication.processEvents()


def test_each_preset_fills_the_fields_and_says_what_it_costs(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", PROSE)
    ledger = window.playground.view.ledger
    assert ledger is not None
    n, dialog = len(ledger) + 1, dialog_of(window, qtbot)
    wanted = {
        "Exact where it fits": (512, 256, "auto"),
        "Maximum context": (512, 1, "auto"),
        "Harness rolling": (512, 512, "bos"),
        "Hugging Face strided": (511, 256, "auto"),
    }
    assert [preset.title for preset in PRESETS] == list(wanted)
    for title, (context, stride, first) in wanted.items():
        choose(dialog, title)
        shown = dialog.context.value(), dialog.stride.value(), dialog.first.currentData()
        assert shown == (context, stride, first), title
        spans = list(Windows(context, stride).spans(n))
        read = sum(min(stop, start + context) - start for start, _, stop in spans)
        told = dialog.cost.text()
        assert f"{len(spans):,} windows" in told and f"{read:,} tokens read" in told, "beforehand, as it will be"
        assert "tokens/s measured here" in told, "the text has been scored already"
        assert bool(dialog.differs.text()) is (title in ("Harness rolling", "Hugging Face strided"))
        assert window.playground.view.settings.reading == Reading(), "nothing is read before it is applied"
    dialog.context.setValue(100)
    assert dialog.presets.checkedButton().text() == "As below" and dialog.stride.maximum() == 100
    dialog.stride.setValue(7)
    spans = list(Windows(100, 7).spans(n))
    assert f"{len(spans):,} windows" in dialog.cost.text(), "it changes with the fields"


def test_it_is_applied_remembered_and_told_with_both_totals(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", PROSE)
    dialog = dialog_of(window, qtbot)
    dialog.context.setValue(120)
    dialog.stride.setValue(60)
    dialog.apply.setFocus()
    QTest.keyClick(dialog.apply, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not dialog.apply.isEnabled())
    assert dialog.focusWidget() is dialog.shut, "no field takes the next key"
    settle(window, qtbot)
    reading = Reading(context=120)
    assert window.playground.view.settings.reading == reading, "60 is half a window, as it is where nothing is said"
    assert window.playground.view.ledger is not None
    assert window.playground.view.ledger.windows == Windows(120, 60)
    model = arplay.load("english", reading=reading)
    qtbot.waitUntil(lambda: f"{model.score(PROSE).nll_nats:,.2f} nats" in dialog.both[0].words.text(), timeout=PATIENCE)
    assert "not scored" in dialog.both[1].words.text() and dialog.both[1].button.isVisible()
    dialog.both[1].button.click()
    model.reading = Reading(window_lead=True, context=120)
    with_bos = f"{model.score(PROSE).nll_nats:,.2f} nats"
    qtbot.waitUntil(lambda: with_bos in dialog.both[1].words.text(), timeout=PATIENCE)
    assert window.playground.view.ledger.windows == Windows(120, 60), "what is in sight stays as it is"
    assert not dialog.both[1].button.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert Store(tmp_path / "arplay.ini").reading("english") == reading
    again = opened("english", PROSE)
    assert again.playground.view.settings.reading == reading


def test_a_model_without_a_limit_offers_no_windows(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC" * 40)
    dialog = dialog_of(window, qtbot)
    assert dialog.context.text() == "no limit" and not dialog.stride.isEnabled()
    enabled = [button.text() for button in dialog.presets.buttons() if button.isEnabled()]
    assert enabled == ["Exact where it fits", "As below"]
    assert dialog.cost.text().startswith("One window, a forward: 120 tokens read to score 120")
    dialog.context.setValue(40)
    assert dialog.stride.isEnabled() and dialog.stride.value() == 20
    dialog.apply.click()
    settle(window, qtbot)
    assert window.playground.view.ledger is not None
    assert window.playground.view.ledger.windows == Windows(40, 20)
