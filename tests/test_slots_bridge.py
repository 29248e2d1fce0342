"""Slots in the window's thread: answers are stale by slot, and what was unloaded is collected."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Caret, Text
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Load, Loaded, Unload, Unloaded
from arplay.engine.messages import Cancelled, Progress, Request, Result
from arplay.engine.scoring import Score, Scored
from arplay.gui.bridge import Bridge
from arplay.models import catalogue
from arplay.models.base import Model
from tests.test_bridge import Everything, Listener
from tests.test_slots import CHUNKS, TEXT, salted
from tests.test_worker import HANG_GUARD, Gate


@pytest.fixture
def bridged(qtbot: QtBot) -> Iterator[Callable[..., tuple[Bridge, Listener]]]:
    made: list[Bridge] = []

    def make(kind: type[Bridge] = Bridge, models: Callable[..., Model] = salted) -> tuple[Bridge, Listener]:
        made.append(kind(load=models))
        listener = Listener(made[-1], qtbot)
        for slot in (0, 1):
            listener.wait(made[-1].ask(partial(Load, spec="ab"[slot], slot=slot)))
        return made[-1], listener

    yield make
    for bridge in made:
        assert bridge.close(HANG_GUARD)


Bridged = Callable[..., tuple[Bridge, Listener]]


@pytest.mark.parametrize("kind", [Bridge, Everything])
@pytest.mark.parametrize("change", [partial(Load, spec="c"), Unload])
@pytest.mark.parametrize("slot", [0, 1])
def test_a_change_makes_the_answers_of_its_slot_stale_and_no_other(
    bridged: Bridged, kind: type[Bridge], change: Callable[..., Request], slot: int
) -> None:
    """Answers that arrive after it. Scores of both slots wait at a gate until the change is on its way."""
    bridge, listener = bridged(kind)
    gate = Gate()
    for kept in bridge._worker._slots.values():
        kept.model.before_forward = gate  # type: ignore[union-attr]
    scores = [bridge.ask(partial(Score, document=CHUNKS, slot=number)) for number in (0, 1)]
    gate.reached()
    changed = bridge.ask(partial(change, slot=slot))
    gate.open()
    listener.wait(changed)
    assert isinstance(listener.wait(scores[1 - slot]), Scored), "the other slot's answer is told"
    listener.wait(bridge.ask(partial(Explore, document=TEXT, place=Caret(3), slot=1 - slot)))
    after = listener.results[[result.number for result in listener.results].index(changed) :]
    late = [result for result in after if result.number == scores[slot] and not isinstance(result, Progress)]
    if kind is Bridge:
        assert late == []
    elif isinstance(listener.wait(changed), Loaded):
        assert late == [Cancelled(scores[slot])], "negative control: it was on its way"


@pytest.mark.parametrize("kind", [Bridge, Everything])
def test_a_newer_question_makes_those_of_its_slot_stale_and_no_other(bridged: Bridged, kind: type[Bridge]) -> None:
    bridge, listener = bridged(kind)
    asked = [
        bridge.ask(partial(Explore, document=TEXT, place=Caret(2 + n), slot=slot))
        for n, slot in enumerate((0, 1, 0, 1, 0))
    ]
    for number in asked[-2:]:
        assert isinstance(listener.wait(number), Explored)
    seen = {result.number for result in listener.results if result.number in asked}
    assert seen == set(asked[-2:] if kind is Bridge else asked)


def test_nothing_of_another_slot_reaches_the_window(bridged: Bridged, qtbot: QtBot) -> None:
    """Whoever asks another slot hears the answers alone."""
    bridge, listener = bridged()
    before, heard = len(listener.results), list[Result]()
    for make in (
        partial(Load, spec="c", slot=1),
        partial(Score, document=CHUNKS, slot=1),
        partial(Explore, document=TEXT, place=Caret(2), slot=1),
        partial(Unload, slot=1),
    ):
        number = bridge.ask(make, heard.append)
        qtbot.waitUntil(lambda number=number: any(r.number == number and r.is_last for r in heard))
    assert isinstance(heard[-1], Unloaded) and len(listener.results) == before


class Frozen(Bridge):
    """The control: it never looks again at what was alive when the first model came."""

    def __init__(self, **collaborators: Any) -> None:
        super().__init__(**collaborators)
        self._collector.loaded = lambda left_over: (gc.collect(1), gc.freeze())  # type: ignore[method-assign, assignment, func-returns-value]


@pytest.mark.walks
@pytest.mark.parametrize("change", [partial(Load, spec="abc"), Unload])
@pytest.mark.parametrize(("kind", "family"), [(Bridge, "llama"), (Bridge, "gpt2"), (Frozen, "gpt2")])
def test_the_window_keeps_no_network_that_is_not_used_any_more(
    tiny_folders: dict[str, Path], qtbot: QtBot, kind: type[Bridge], family: str, change: Callable[..., Request]
) -> None:
    """Its collector leaves out what was alive when a model came, and that may be part of a cycle: gpt2 is made so."""

    def load(*asked: Any) -> Model:
        model: Any = catalogue.load(*asked)
        if family == "gpt2" and hasattr(model, "network"):
            vars(model.network)["ring"] = [model.network]
        return model  # type: ignore[no-any-return]

    bridge = kind(load=load)
    listener = Listener(bridge, qtbot)
    try:
        assert isinstance(listener.wait(bridge.ask(partial(Load, spec=str(tiny_folders[family])))), Loaded)
        listener.wait(bridge.ask(partial(Explore, document=Text.of(b"The cat"), place=Caret(7))))
        network = weakref.ref(bridge._worker._slots[0].model.network)  # type: ignore[union-attr]
        listener.results.clear()
        listener.wait(bridge.ask(change))
        assert (network() is None) is (kind is Bridge)
    finally:
        assert bridge.close(HANG_GUARD)
        gc.unfreeze()
