"""Rule 5: a real window closed while a model loads, scores or samples keeps the text and leaves no thread behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import Text
from arplay.engine.messages import Progress
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Change, Do
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
from tests.sessions import kept_in
from tests.strictness import HANG_GUARD

TEXTS = {"abc": b"BACABACAB" * 3000, "english": b"Once upon a time there was an old man. " * 1500}

Open = Callable[[str], MainWindow]


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("arplay")]


@pytest.fixture
def opened(qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    """A window on the screen; its bridge is closed whatever happens to the test."""
    bridges: list[Bridge] = []
    windows: list[MainWindow] = []

    def make(model: str) -> MainWindow:
        bridges.append(Bridge())
        window = MainWindow(Store(tmp_path / "arplay.ini"), bridges[-1])
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        window.keeping.begin(tmp_path / "sessions", fresh=True)
        return window

    yield make
    for window in windows:
        window.keeping.end()
    for bridge in bridges:
        bridge.close(HANG_GUARD)


def kept(window: MainWindow) -> Text:
    (session,) = kept_in(window.store.path.parent / "sessions")
    return session.tree.document


def close(window: MainWindow) -> None:
    """What the program does when the user closes the window, and what must be true then."""
    assert workers(), "there was nothing to leave behind"
    window.close()
    assert not window.isVisible()
    assert kept(window) == window.playground.document
    assert window.bridge.close(10 * HANG_GUARD)  # an import of torch cannot be interrupted
    assert workers() == []


def loaded(window: MainWindow, model: str, qtbot: QtBot) -> None:
    window.playground.load_model(model)
    qtbot.waitUntil(lambda: window.playground.view.loaded is not None, timeout=10_000 * int(HANG_GUARD))


@pytest.mark.parametrize("model", TEXTS)
def test_closed_while_a_model_loads(opened: Open, model: str, qtbot: QtBot) -> None:
    window = opened(model)
    window.playground.open_document(Text.of(TEXTS[model][:40]))
    window.playground.load_model(model)
    close(window)
    assert window.playground.view.loaded is None


@pytest.mark.parametrize("model", TEXTS)
def test_closed_while_a_text_is_scored(opened: Open, model: str, qtbot: QtBot) -> None:
    window = opened(model)
    loaded(window, model, qtbot)
    scoring: list[Progress] = []
    window.bridge.result.connect(lambda result: scoring.append(result) if isinstance(result, Progress) else None)
    window.playground.open_document(Text.of(TEXTS[model]))
    qtbot.waitUntil(lambda: bool(scoring))
    close(window)
    ledger = window.playground.view.ledger
    assert ledger is None or bytes_of(ledger.encoded) != TEXTS[model] or not ledger.complete
    assert kept(window) == Text.of(TEXTS[model])


@pytest.mark.parametrize("model", TEXTS)
def test_closed_while_it_samples(opened: Open, model: str, qtbot: QtBot) -> None:
    window = opened(model)
    play = window.playground
    play.open_document(Text.of(TEXTS[model][:9]), at_end=True)
    loaded(window, model, qtbot)
    play.handle(Change(replace(play.view.settings, play_per_second=100.0, play_steps=10_000, stop_at_eos=False)))
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: len(play.document) > 12)
    assert play.view.playing
    close(window)
    assert play.document.data.startswith(TEXTS[model][:9])
    length = len(play.document)
    qtbot.wait(50)
    assert len(play.document) == length, "it went on playing"


def test_a_window_whose_worker_is_not_joined_is_seen(opened: Open) -> None:
    window = opened("abc")
    window.playground.load_model("english")
    window.close()
    assert workers() != []
