"""Whatever is done while something is on its way is done, kept until it is there, or refused in words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QSignalSpy, QTest
from pytestqt.qtbot import QtBot

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.modalities.text import Text
from arplay.core.reading import Reading
from arplay.gui import stale
from arplay.gui.bridge import Bridge
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import CaretMoved, Change, Do, Find, Goto, Intent, Seek, Select, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.panels.ledger import LedgerPanel
from arplay.gui.panels.next_token import NextTokenPanel
from arplay.gui.playground import asking
from arplay.gui.settings import Settings
from arplay.gui.stale import no_scores, scores_waited_for
from arplay.gui.store import Store
from arplay.gui.view import View
from arplay.gui.widgets.bars.view import REFUSED
from tests.small_model import SmallModel
from tests.test_worker import HANG_GUARD
from tests.windows_open import PATIENCE, text_field

Moment = Literal["loading", "reading", "scoring", "another model"]
ELSEWHERE = {"open", "tour", "reading", "cancel", "compare"}
"""Commands that concern no answer: they open a window of their own, or end what all the others here wait for."""


class Door:
    """Stands before each forward pass or each load; shut, it lets ``passes`` more through."""

    def __init__(self) -> None:
        self._free, self.passes = threading.Event(), 0
        self._lock = threading.Lock()
        self._free.set()

    def shut(self, passes: int = 0) -> None:
        self.passes = passes
        self._free.clear()

    def open(self) -> None:
        self._free.set()

    def __call__(self) -> None:
        with self._lock:
            self.passes -= 1
            through = self.passes >= 0
        assert through or self._free.wait(HANG_GUARD)


class Place:
    """A window with two doors, and what is done in it."""

    def __init__(self, store: Path) -> None:
        self.load, self.forward = Door(), Door()
        self.unheard_of = (bytes(letters) for letters in product(b"ABC", repeat=4))
        """What is typed: scores of a text that was there before are there again without a forward."""
        self.window = MainWindow(Store(store), Bridge(load=self._load), "light")
        self.window.resize(800, 500)  # less to paint
        self.window.show()
        self.play = self.window.playground
        self.told, self.refused = QSignalSpy(self.play.reported), QSignalSpy(self.play.refused)

    def _load(self, spec: str, device: str, dtype: str, report: Callable[[float | None, str], None]) -> SmallModel:
        report(None, "reading the weights")
        self.load()
        return SmallModel(name=spec, context=None, before_forward=self.forward)

    def ready(self, qtbot: QtBot) -> None:
        """A text with something to undo, to redo and to go to; everything is known of it."""
        self.load.open()
        self.forward.open()
        self.play.handle(Do("pause"))
        if self.play.view.halted:
            self.play.handle(Do("resume_scoring"))
        if self.play.view.loaded is None:
            self.play.load_model("small")
        self.settle(qtbot)
        self.play.handle(Change(Settings(animate=False)))
        self.play.open_document(Text.of(b"BACAB"), at_end=True)
        for _ in range(2):
            self.play.handle(Do("step"))
        self.settle(qtbot)
        self.play.undo_stack.undo()
        self.settle(qtbot)

    def settle(self, qtbot: QtBot) -> None:
        play = self.play
        qtbot.waitUntil(
            lambda: (
                not (
                    play.view.loaded is None
                    or play.view.stale
                    or play.view.busy
                    or play.busy_scoring()
                    or play.writing.waiting
                )
            ),
            timeout=PATIENCE,
        )

    def begin(self, moment: Moment, qtbot: QtBot) -> None:
        """Bring something on its way, and keep it there."""
        play = self.play
        if moment == "loading":
            if not play.view.busy:
                self.load.shut()
                play.open_document(Text.of(b"BACAB"), at_end=True)
                play.handle(Typed(5, 5, b"A", 6))
                play.load_model("small")
            return
        self.ready(qtbot)
        if moment == "another model":
            self.load.shut()
            play.load_model("other")
            return
        self.forward.shut(passes=1 if moment == "scoring" else 0)
        end, data = len(play.document), next(self.unheard_of)
        play.handle(Typed(end, end, data, end + len(data)))
        qtbot.waitUntil(lambda: play.view.stale is (moment == "reading") and play.view.scores_are_old, timeout=PATIENCE)

    def traces(self) -> tuple[object, ...]:
        """All by which one can tell that something was heard."""
        view = self.play.view
        chart = self.window.panels["next_token"]
        assert isinstance(chart, NextTokenPanel)
        seen = ("node", "caret", "settings", "playing", "selected", "found", "sought", "recomputing", "game", "halted")
        told = self.told.count(), self.refused.count(), chart.bars.accessibleDescription() == REFUSED
        fields = tuple(getattr(view, name) for name in seen)
        return (*fields, view.document, view.busy, len(self.play.writing.waiting), *told)

    def end(self) -> None:
        self.load.open()
        self.forward.open()
        self.window.hide()
        self.window.keeping.end()
        assert self.play.close(30)


@pytest.fixture
def place(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("TYPING_PAUSE_MS", "SCORE_PAUSE_MS"):
        monkeypatch.setattr(asking, name, 1)
    place = Place(tmp_path / "arplay.ini")
    qtbot.addWidget(place.window, before_close_func=lambda window: window.keeping.end())
    yield place
    place.end()


def emits(intent: Intent) -> Callable[[Place], None]:
    return lambda place: place.window.panels["editor"].intent.emit(intent)


def press(key: Qt.Key, panel: str) -> Callable[[Place], None]:
    def do(place: Place) -> None:
        target = place.window.panels[panel]
        while (proxy := target.focusProxy()) is not None:
            target = proxy  # type: ignore[assignment]
        QTest.keyClick(target, key)

    return do


def click_bar(place: Place) -> None:
    chart = place.window.panels["next_token"]
    assert isinstance(chart, NextTokenPanel)
    chart.bars.setAccessibleDescription("")
    if chart.bars.bars.rows:
        where = chart.bars.row_area(0).center().toPoint()
        QTest.mouseClick(chart.bars.viewport(), Qt.MouseButton.LeftButton, pos=where)
    else:
        assert chart.bars.message, "no bars, and the panel says why"
        place.play.handle(Take(0))


def click_cell(place: Place) -> None:
    panel = place.window.panels["heatmap"]
    assert isinstance(panel, HeatmapPanel)
    if panel.text.ledger is not None and len(panel.text.ledger):
        where = panel.text.rect_of(1).center().toPoint()
        QTest.mouseClick(panel.text.viewport(), Qt.MouseButton.LeftButton, pos=where)
    else:
        assert panel.text.empty_text, "no cells, and the panel says why"
        place.play.handle(Select(1))


def click_row(place: Place) -> None:
    panel = place.window.panels["ledger"]
    assert isinstance(panel, LedgerPanel)
    if panel.model.rowCount():
        place.window.docks["ledger"].raise_()
        panel.table.setCurrentIndex(panel.model.index(2, 0))
    else:
        assert panel.empty.text(), "no rows, and the panel says why"
        place.play.handle(Select(2))


def go_to_a_branch(place: Place) -> None:
    node = next(node for node in place.play.tree.nodes.values() if node is not place.play.tree.node)
    place.window.panels["history"].intent.emit(Goto(node))


COMMANDS = [what for what in get_args(get_type_hints(Do)["what"]) if what not in ELSEWHERE]
ACTIONS: dict[str, Callable[[Place], None]] = {
    **{f"command {what}": emits(Do(what)) for what in COMMANDS},
    **{
        f"{key.name} in {panel}": press(key, panel)
        for panel, keys in {
            "next_token": (Qt.Key.Key_Return, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Space, Qt.Key.Key_P),
            "editor": (Qt.Key.Key_Left, Qt.Key.Key_Backspace),
        }.items()
        for key in keys
    },
    **{f"menu {words}": lambda place, words=words: entry(place, words) for words in ("&Step", "Re&wind", "&Play")},
    "step by its button": lambda place: place.window.panels["decoding"].step.click(),  # type: ignore[attr-defined]
    "rewind by its button": lambda place: place.window.panels["decoding"].rewind.click(),  # type: ignore[attr-defined]
    "play by its button": lambda place: place.window.panels["decoding"].play.click(),  # type: ignore[attr-defined]
    "typing": lambda place: QTest.keyClicks(text_field(place.window), "A"),
    "a bar": click_bar,
    "a cell": click_cell,
    "a row": click_row,
    "a branch": go_to_a_branch,
    "undo": lambda place: place.play.undo_stack.undo(),
    "caret": emits(CaretMoved(2)),
    "token": emits(Select(1)),
    "find": emits(Find("A", False)),
    "surprise": emits(Seek("surprise", 1)),
    "decoding": emits(Change(Settings(decoding=Pipeline.of(top_k=2)))),
    "reading": emits(Change(Settings(reading=Reading(first_token="bos")))),
}
DONE: dict[str, Callable[[View], bool]] = {
    "command pause": lambda view: not view.playing,
    "command forget_timings": lambda view: not view.timings,
    "command set_base": lambda view: view.base is not None,
    "command forget_base": lambda view: view.base is None,
    "command stop_trying": lambda view: not view.trying,
    "command stop_measuring": lambda view: not view.measuring,
    "command accept_ghost": lambda view: not view.ghost,
    "command hide_ghost": lambda view: not view.ghost,
    "command reveal": lambda view: view.game is None or view.game.asked or view.game.over,
    "command skip_bet": lambda view: view.game is None or view.game.asked or view.game.over,
    "command next_bet": lambda view: view.game is None or not view.game.revealed,
    "command leave_bets": lambda view: view.game is None or view.game.over,
    "command chart": lambda view: True,  # the focus goes there, which no trace here tells
    "Key_Return in next_token": lambda view: view.loaded is None,
    "Key_Right in next_token": lambda view: view.loaded is None,
    "step by its button": lambda view: view.lacks_model is not None,
    "play by its button": lambda view: view.lacks_model is not None,
    "rewind by its button": lambda view: view.caret == 0 or view.lacks_model is not None,
}
"""What these ask for may hold before (nothing plays, nothing was timed, no ghost text, no game), or there is nothing to
press: a panel without bars that says why, a button that is grey, with a tooltip that says why."""


def entry(place: Place, words: str) -> None:
    menus = place.window.menuBar().actions()
    action = next(each for top in menus for each in top.menu().actions() if each.text().startswith(words))  # type: ignore[attr-defined]
    assert action.isEnabled(), "a shortcut of a disabled entry would do nothing, in silence"
    action.trigger()


def silent(place: Place, qtbot: QtBot, moment: Moment, names: list[str]) -> list[str]:
    """The actions that are neither done nor kept nor refused."""
    unheard = []
    for name in names:
        place.begin(moment, qtbot)
        QTest.qWait(1)  # the panels show what they are given a moment later
        before = place.traces()
        ACTIONS[name](place)
        if place.traces() == before and not DONE.get(name, lambda _: False)(place.play.view):
            unheard.append(name)
        if moment != "loading":
            place.play.handle(Do("pause"))  # endless otherwise
            place.load.open()
            place.forward.open()
            QCoreApplication.processEvents()
    return unheard


@pytest.mark.parametrize("moment", get_args(Moment))
def test_nothing_is_lost_in_silence(place: Place, qtbot: QtBot, moment: Moment) -> None:
    assert " ".join(silent(place, qtbot, moment, list(ACTIONS))) == ""
    place.play.handle(Do("pause"))
    place.load.open()
    place.forward.open()
    place.settle(qtbot)


@pytest.mark.parametrize("moment", ["loading", "reading"])
def test_what_would_be_silent_is_found(
    place: Place, qtbot: QtBot, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: going back as it once was, where no distribution is there."""
    monkeypatch.setattr(place.play.writing, "rewind", lambda: None)
    monkeypatch.setattr(place.play, "has_model", lambda: False)
    found = silent(place, qtbot, moment, ["command rewind", "Key_Left in next_token", "command step", "caret"])
    assert found == ["command rewind", "Key_Left in next_token", "command step"]


def test_a_rewind_waits_and_is_done(place: Place, qtbot: QtBot) -> None:
    place.begin("reading", qtbot)
    end = place.play.view.caret
    for _ in range(2):
        place.play.handle(Do("rewind"))
    assert place.play.view.caret == end
    place.forward.open()
    place.settle(qtbot)
    assert place.play.view.caret < end - 1 and len(place.play.document) == end


def test_a_step_that_waits_is_taken_back_by_rewind(place: Place, qtbot: QtBot) -> None:
    place.begin("reading", qtbot)
    text = place.play.document.data
    for what in ("step", "step", "rewind", "rewind"):
        place.play.handle(Do(what))  # type: ignore[arg-type]
    place.forward.open()
    place.settle(qtbot)
    assert place.play.document.data == text


def test_steps_that_wait_are_given_up_in_words(place: Place, qtbot: QtBot) -> None:
    place.begin("reading", qtbot)
    place.play.handle(Do("step"))
    place.play.handle(CaretMoved(1))
    assert "1 step " in place.refused.at(place.refused.count() - 1)[0]
    assert "1 step " in place.window.status.currentMessage()


# ---- old scores


def veiled(place: Place) -> list[bool]:
    """Whether each panel of scores that is in front is dimmed."""
    veils = place.window.scores_waiting.veils
    return [veil.isVisible() for veil in veils if veil.parentWidget().isVisible()]


def test_old_scores_are_dimmed_until_the_new_ones_come(place: Place, qtbot: QtBot) -> None:
    place.begin("scoring", qtbot)
    place.window.docks["ledger"].raise_()
    qtbot.waitUntil(lambda: all(veiled(place)))
    size = len(place.play.document)
    assert {veil.words for veil in place.window.scores_waiting.veils} == {f"Scoring {size} bytes…"}
    assert not any(veil.isVisible() for veil in place.window.waiting.veils), "the chart is of this moment"
    place.forward.open()
    place.settle(qtbot)
    assert not any(veiled(place)) and scores_waited_for(place.play.view) == ""


def test_quick_scores_never_flicker(place: Place, qtbot: QtBot) -> None:
    place.ready(qtbot)
    place.window.scores_waiting._timer.setInterval(1_000_000)  # whatever comes before it is quick, on any machine
    for _ in range(3):
        end = len(place.play.document)
        place.play.handle(Typed(end, end, b"A", end + 1))
        assert scores_waited_for(place.play.view)
        place.settle(qtbot)
        assert not any(veiled(place)) and not place.window.scores_waiting._timer.isActive()


def test_what_scores_are_of_is_told_where_no_more_come(place: Place, qtbot: QtBot) -> None:
    place.begin("scoring", qtbot)
    place.window.bridge.cancel()
    place.forward.open()
    qtbot.waitUntil(lambda: not place.play.view.scoring, timeout=PATIENCE)
    assert scores_waited_for(place.play.view) == "Scores of the text before the last change"


def test_scores_that_will_not_come_dim_nothing(place: Place, qtbot: QtBot) -> None:
    """A text that the model cannot read: no figures of the former one are left beside the notice."""
    place.ready(qtbot)
    end = len(place.play.document)
    place.play.handle(Typed(end, end, b"x", end + 1))
    qtbot.waitUntil(lambda: place.play.view.problem is not None and not place.play.view.scoring, timeout=PATIENCE)
    assert place.play.view.ledger is None
    assert not scores_waited_for(place.play.view) and "alphabet" in no_scores(place.play.view)
    place.play.undo_stack.undo()
    place.settle(qtbot)
    assert place.play.view.ledger is not None and not no_scores(place.play.view)


def test_while_play_writes_its_scores_follow(place: Place, qtbot: QtBot) -> None:
    place.ready(qtbot)
    view = place.play.view
    end = len(view.document)
    written = replace(view, document=Text.of(view.document.data + b"A"))
    assert scores_waited_for(written) and not written.scores_follow
    playing = replace(written, playing=True)
    assert scores_waited_for(playing) == "" and f"first {end} bytes" in playing.scores_follow


@pytest.mark.parametrize("name", ["heatmap", "ledger", "next_token", "kv_cache"])
def test_loading_tells_its_phase_in_the_panels(place: Place, qtbot: QtBot, name: str) -> None:
    place.begin("loading", qtbot)
    panel = place.window.panels[name]
    place.window.docks[name].raise_() if name in place.window.docks else None

    def words() -> str:
        if isinstance(panel, HeatmapPanel):
            return panel.text.empty_text
        if isinstance(panel, NextTokenPanel):
            return panel.bars.message
        return str(panel.empty.text())  # type: ignore[attr-defined]

    qtbot.waitUntil(lambda: words().startswith("Loading small · reading the weights · "), timeout=PATIENCE)
    assert words().endswith(" s")


def test_the_pause_of_scores_is_part_of_their_delay() -> None:
    assert stale.QUICK_SCORES_MS > stale.QUICK_MS
