"""The bridge: results arrive in the window's thread, and stale ones do not arrive at all."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread
from pytestqt.qtbot import QtBot

from arplay.core.errors import Problem
from arplay.core.modalities.text import Caret, Text
from arplay.engine.downloads import Fetch
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.reconcile import Reconcile, Reconciled
from arplay.engine.scoring import Score, Scored
from arplay.gui.bridge import Bridge
from arplay.models.base import Model, Report
from tests.small_model import SmallModel
from tests.test_worker import HANG_GUARD, LONG, Endless, Gate, final

BAC = Text.of(b"BAC")


def load(spec: str, device: str, dtype: str, report: Report) -> Model:
    if spec == "bad":
        raise Problem("no such model", "choose another")
    return SmallModel(name=spec)


class Everything(Bridge):
    """The control: a bridge that takes nothing for stale."""

    def _stale(self, result: Result) -> bool:
        return False


class Listener(QObject):
    """Stands where the window will."""

    def __init__(self, bridge: Bridge, qtbot: QtBot) -> None:
        super().__init__()
        self.results: list[Any] = []
        self.threads: set[QThread] = set()
        self._qtbot = qtbot
        bridge.result.connect(self.take)

    def take(self, result: Result) -> None:
        self.results.append(result)
        self.threads.add(QThread.currentThread())

    def wait(self, number: int) -> Any:
        self._qtbot.waitUntil(lambda: any(map(self._is(number), self.results)), timeout=int(HANG_GUARD * 1000))
        return next(filter(self._is(number), self.results))

    @staticmethod
    def _is(number: int) -> Callable[[Any], bool]:
        return lambda result: final(result) and result.number == number


Make = Callable[..., tuple[Bridge, Listener]]


@pytest.fixture
def bridged(qtbot: QtBot) -> Iterator[Make]:
    bridges: list[Bridge] = []

    def make(kind: type[Bridge] = Bridge, **collaborators: Any) -> tuple[Bridge, Listener]:
        bridge = kind(**{"load": load, **collaborators})
        bridges.append(bridge)
        return bridge, Listener(bridge, qtbot)

    yield make
    for bridge in bridges:
        assert bridge.close(HANG_GUARD)
    assert not [thread for thread in threading.enumerate() if thread.name == "arplay-worker"]


def test_each_request_is_answered_in_the_windows_thread(bridged: Make) -> None:
    bridge, listener = bridged()
    assert isinstance(listener.wait(bridge.ask(partial(Load, spec="small"))), Loaded)
    assert isinstance(listener.wait(bridge.ask(partial(Explore, document=BAC, place=Caret(3)))), Explored)
    assert isinstance(listener.wait(bridge.ask(partial(Score, document=BAC))), Scored)
    assert isinstance(listener.wait(bridge.ask(partial(Reconcile, document=BAC))), Reconciled)
    assert isinstance(listener.wait(bridge.ask(partial(Load, spec="bad"))), Failed)
    assert listener.threads == {QCoreApplication.instance().thread()}
    numbers = [result.number for result in listener.results if final(result)]
    assert numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("kind", "seen"), [(Bridge, [4]), (Everything, [2, 3, 4])])
def test_an_older_answer_is_dropped(bridged: Make, kind: type[Bridge], seen: list[int]) -> None:
    bridge, listener = bridged(kind)
    listener.wait(bridge.ask(partial(Load, spec="small")))
    numbers = [bridge.ask(partial(Explore, document=BAC, place=Caret(caret))) for caret in (1, 2, 3)]
    listener.wait(numbers[-1])
    assert [result.number for result in listener.results if result.number in numbers] == seen


@pytest.mark.parametrize("kind", [Bridge, Everything])
def test_an_answer_that_is_on_its_way_when_a_newer_question_is_asked_is_dropped(
    bridged: Make, qtbot: QtBot, kind: type[Bridge]
) -> None:
    bridge, listener = bridged(kind)
    listener.wait(bridge.ask(partial(Load, spec="small")))
    arrived = threading.Event()
    tell = bridge._worker._emit

    def watched(result: Result) -> None:
        tell(result)
        if isinstance(result, Explored):
            arrived.set()

    bridge._worker._emit = watched
    first = bridge.ask(partial(Explore, document=BAC, place=Caret(1)))
    assert arrived.wait(HANG_GUARD)  # the window's thread has not looked yet
    second = bridge.ask(partial(Explore, document=BAC, place=Caret(2)))
    listener.wait(second)
    explored = [result.number for result in listener.results if isinstance(result, Explored)]
    assert explored == ([second] if kind is Bridge else [first, second])


@pytest.mark.parametrize("kind", [Bridge, Everything])
def test_what_was_asked_of_the_former_model_is_dropped(bridged: Make, kind: type[Bridge]) -> None:
    gate = Gate()
    first, second = SmallModel(context=None, before_forward=gate), SmallModel(name="second")
    models = iter([first, second])
    bridge, listener = bridged(kind, load=lambda *_: next(models))
    listener.wait(bridge.ask(partial(Load, spec="first")))
    score = bridge.ask(partial(Score, document=LONG))
    gate.reached()
    load = bridge.ask(partial(Load, spec="second"))
    gate.open()
    listener.wait(load)
    listener.wait(bridge.ask(partial(Explore, document=BAC, place=Caret(3))))
    after = listener.results[[result.number for result in listener.results].index(load) :]
    assert (Cancelled(score) in after) == (kind is Everything)


def test_a_model_that_was_loaded_is_always_told(bridged: Make) -> None:
    gate = Gate()

    def loader(spec: str, device: str, dtype: str, report: Report) -> Model:
        if spec == "bad":
            gate()
        return load(spec, device, dtype, report)

    bridge, listener = bridged(load=loader)
    good = bridge.ask(partial(Load, spec="good"))
    slots = bridge._worker._slots
    while not (slots and slots[0].model):  # loaded, but the window's thread has not looked yet
        threading.Event().wait(0.001)
    bad = bridge.ask(partial(Load, spec="bad"))
    gate.open()
    assert isinstance(listener.wait(bad), Failed)
    assert isinstance(listener.wait(good), Loaded)  # the answers that follow are this model's


def test_a_second_fetch_drops_nothing_of_the_first(bridged: Make, qtbot: QtBot) -> None:
    bridge, listener = bridged(fetch=Endless())
    first, second = bridge.ask(partial(Fetch, name="tiny")), bridge.ask(partial(Fetch, name="tiny"))
    assert isinstance(listener.wait(second), Failed)
    qtbot.waitUntil(lambda: Progress(first, "look 2", None) in listener.results, timeout=int(HANG_GUARD * 1000))
    bridge.cancel(first)
    assert listener.wait(first) == Cancelled(first)


def test_nothing_is_remembered_of_answered_requests(bridged: Make) -> None:
    bridge, listener = bridged()
    listener.wait(bridge.ask(partial(Load, spec="small")))
    for caret in (0, 1, 2, 3):
        last = bridge.ask(partial(Explore, document=BAC, place=Caret(caret)))
    listener.wait(last)
    listener.wait(bridge.ask(partial(Score, document=LONG)))
    assert bridge._lane == {}


def test_after_close_nothing_is_emitted(bridged: Make, qtbot: QtBot) -> None:
    bridge, listener = bridged()
    listener.wait(bridge.ask(partial(Load, spec="small")))
    listener.results.clear()
    bridge.ask(partial(Score, document=LONG))
    bridge.ask(partial(Explore, document=BAC, place=Caret(3)))
    assert bridge.close()
    QCoreApplication.processEvents()
    assert listener.results == []
    with pytest.raises(RuntimeError, match="closed"):
        bridge.ask(partial(Explore, document=BAC, place=Caret(3)))


def test_a_bridge_deleted_without_close_ends_its_thread(qtbot: QtBot) -> None:
    parent = QObject()
    gate = Gate()
    bridge = Bridge(parent, load=lambda *_: SmallModel(context=None, before_forward=gate))
    thread = bridge._worker._thread
    bridge.ask(partial(Load, spec="small"))
    bridge.ask(partial(Score, document=LONG))
    gate.reached()
    parent.deleteLater()
    QCoreApplication.sendPostedEvents(parent, QEvent.Type.DeferredDelete)
    gate.open()
    thread.join(HANG_GUARD)  # an emit of the deleted object would be an unhandled exception in the thread
    assert not thread.is_alive()


@pytest.mark.walks
def test_a_widget_in_a_cycle_dies_in_the_thread_of_the_window(qtbot: QtBot) -> None:
    assert gc.isenabled()
    bridge = Bridge()
    died: list[bool] = []
    try:
        assert not gc.isenabled()
        ring = Ring()
        weakref.finalize(ring, lambda: died.append(threading.current_thread() is threading.main_thread()))
        del ring
        listener = Listener(bridge, qtbot)
        assert isinstance(
            listener.wait(bridge.ask(partial(Load, spec="abc"))), Loaded
        )  # in the worker, which allocates much
        assert died == [True]
    finally:
        assert bridge.close()
    assert gc.isenabled()


def test_garbage_is_collected_while_a_bridge_lives(qtbot: QtBot) -> None:
    bridge = Bridge()
    try:
        gone = weakref.ref(Ring())
        more = [Ring() for _ in range(2 * gc.get_threshold()[0])]
        qtbot.waitUntil(lambda: gone() is None, timeout=int(HANG_GUARD * 1000))
        assert len(more)
    finally:
        assert bridge.close()


class Ring:
    def __init__(self) -> None:
        self.ring = self
