"""A job from outside the package (tests/examples/count_tokens.py) is one file and one line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.engine import table
from arplay.engine.explore import Explored
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.table import JOBS
from arplay.gui.bridge import Bridge
from tests.examples.count_tokens import COUNT, Count, Counted
from tests.small_model import SmallModel

HANG_GUARD = 30_000


@pytest.fixture
def bridge(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    monkeypatch.setitem(JOBS, Count, COUNT)  # the one line
    parent = QObject()
    made = Bridge(parent, load=lambda *_: SmallModel(context=None))
    yield made
    assert made.close()


def counted(bridge: Bridge, qtbot: QtBot, text: bytes) -> list[Result]:
    heard: list[Result] = []
    bridge.ask(partial(Count, document=Text.of(text)), heard.append)
    qtbot.waitUntil(lambda: bool(heard) and heard[-1].is_last, timeout=HANG_GUARD)
    return heard


def test_what_it_says_goes_to_whoever_asked_and_to_nobody_else(bridge: Bridge, qtbot: QtBot) -> None:
    others: list[Result] = []
    bridge.result.connect(others.append)
    load = bridge.ask(partial(Load, spec="small"))
    first, last = counted(bridge, qtbot, b"CABBA")
    assert isinstance(first, Progress) and last == Counted(first.number, 4)  # C AB B A
    (failed,) = [said for said in counted(bridge, qtbot, b"") if said.is_last]
    assert isinstance(failed, Failed) and (failed.cause, failed.asked) == ("there is nothing to count", Count)
    assert {said.number for said in others} == {load} and isinstance(others[-1], Loaded)


def test_it_waits_for_a_model_and_a_newer_one_takes_its_place(bridge: Bridge, qtbot: QtBot) -> None:
    heard: list[Result] = []
    bridge.ask(partial(Load, spec="small"))
    numbers = [bridge.ask(partial(Count, document=Text.of(text)), heard.append) for text in (b"A", b"AB", b"ABC")]
    qtbot.waitUntil(lambda: Counted(numbers[-1], 2) in heard, timeout=HANG_GUARD)
    assert {said.number for said in heard} == {numbers[-1]}, "what older requests came to is stale"


def test_cancelling_it_is_told(bridge: Bridge, qtbot: QtBot) -> None:
    heard: list[Result] = []
    number = bridge.ask(partial(Count, document=Text.of(b"A")), heard.append)  # no model: it fails, or is cancelled
    bridge.cancel(number)
    qtbot.waitUntil(lambda: bool(heard), timeout=HANG_GUARD)
    assert isinstance(heard[-1], Cancelled | Failed)


def test_a_kind_that_is_not_in_the_table_is_refused(qtbot: QtBot) -> None:
    """Negative control."""
    parent = QObject()
    bridge = Bridge(parent, load=lambda *_: SmallModel())
    with pytest.raises(KeyError):
        bridge.ask(partial(Count, document=Text()))
    assert Count not in table.JOBS and Explored.is_last
    assert bridge.close()
