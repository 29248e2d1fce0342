"""llama.cpp that hangs, or is slow: cancelling ends the wait; only what hangs is killed, and started anew."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pytestqt.qtbot import QtBot

from arplay.core import waits
from arplay.core.errors import Problem
from arplay.core.modalities.text import Caret, Text
from arplay.core.reading import Reading
from arplay.core.waits import Interrupted
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.reconcile import Reconcile
from arplay.engine.scoring import Score
from arplay.engine.worker import Worker
from arplay.models import catalogue
from arplay.models.gguf.native import NativeModel
from tests.other_ggufs import write_other
from tests.tiny_ggufs import write
from tests.tiny_models import one_thread
from tests.windows_open import PATIENCE, Open, notice, opened, settle, text_field

pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process is stopped by a signal")
__all__ = ["one_thread", "opened"]
TEXT = Text.of(b"The cat sat on the mat. " * 40)


def quiet(fraction: float | None, what: str) -> None:
    pass


def children() -> set[psutil.Process]:
    """Those that are there for good: one that has not begun yet holds its parent up while it is stopped."""
    return {child for child in psutil.Process().children() if "arplay.models.gguf.child" in child.cmdline()}


class Asking:
    """A worker that loads a file and keeps the model for the test, and what it said."""

    def __init__(self, file: Path) -> None:
        self.models: list[NativeModel] = []
        self.said: list[Result] = []
        self._news = threading.Condition()
        self.worker = Worker(self._hear, self._load)
        assert isinstance(self.last(Load(0, f"{file}#native")), Loaded)

    def _load(self, spec: str, *more: Any) -> NativeModel:
        model = catalogue.load(spec, *more)
        assert isinstance(model, NativeModel)
        self.models.append(model)
        return model

    def _hear(self, result: Result) -> None:
        with self._news:
            self.said.append(result)
            self._news.notify_all()

    @property
    def child(self) -> psutil.Process:
        return psutil.Process(self.models[-1].weights.process.pid)

    def final(self, number: int) -> Result | None:
        ends = (r for r in self.said if r.number == number and not isinstance(r, Progress))
        return next((r for r in ends if not hasattr(r, "ledger") or r.ledger.complete), None)

    def last(self, request: Any) -> Result:
        self.worker.submit(request)
        return self.end(request.number)

    def end(self, number: int) -> Result:
        with self._news:
            assert self._news.wait_for(lambda: self.final(number) is not None, PATIENCE / 1000), self.said
        found = self.final(number)
        assert found is not None
        return found


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    made = Asking(write(tmp_path / "m.gguf", "llama", **{"llama.context_length": 4000}))
    yield made
    assert made.worker.close(30)


READ = Reading("unscored")
HUNG: dict[str, Callable[[int], Any]] = {
    "explore": lambda number: Explore(number, TEXT, Caret(len(TEXT)), READ),
    "score": lambda number: Score(number, TEXT, READ),
    "reconcile": lambda number: Reconcile(number, TEXT, READ),
}


@pytest.mark.parametrize("kind", HUNG)
@pytest.mark.parametrize("way", ["cancel", "another"])
def test_what_hangs_is_ended_and_started_anew(asking: Asking, kind: str, way: str) -> None:
    child = asking.child
    child.suspend()
    asking.worker.submit(HUNG[kind](1))
    while not waits._ends:  # until it waits for llama.cpp
        time.sleep(0.01)
    if way == "cancel":
        asking.worker.cancel()
    else:
        asking.worker.submit(HUNG[kind](2))
    assert isinstance(asking.end(1), Cancelled) and not child.is_running()
    again = asking.end(2) if way == "another" else asking.last(HUNG[kind](3))
    assert not isinstance(again, Cancelled | Failed) and len(asking.models) == 2 and asking.child.is_running()
    told = [r.what for r in asking.said if isinstance(r, Progress)]
    assert "llama.cpp gave no answer and was ended; the model is loaded again" in told


def test_closing_does_not_wait_for_what_hangs(tmp_path: Path) -> None:
    asking = Asking(write(tmp_path / "m.gguf", "llama"))
    child = asking.child
    child.suspend()
    asking.worker.submit(Explore(1, Text.of(b"The cat"), Caret(3), READ))
    while not waits._ends:
        time.sleep(0.01)
    assert asking.worker.close(30) and not child.is_running()


def test_a_load_that_hangs_can_be_cancelled(asking: Asking, tmp_path: Path) -> None:
    former, before = asking.child, children()  # models of other tests may not be gone yet
    other = write_other(tmp_path / "o.gguf", "phi2")
    asking.worker.submit(Load(1, f"{other}#native"))
    while not (fresh := children() - before):
        time.sleep(0.001)
    (child,) = fresh
    child.suspend()
    while not waits._ends:
        time.sleep(0.01)
    asking.worker.cancel(1)
    assert isinstance(asking.end(1), Cancelled) and not child.is_running() and former.is_running()
    assert isinstance(asking.last(Explore(2, TEXT, Caret(len(TEXT)), READ)), Explored) and len(asking.models) == 1


@pytest.mark.parametrize("architecture", ["phi2", "gemma2", "mamba", "lfm2"])
def test_what_is_slow_gives_up_and_keeps_what_it_has_read(architecture: str, tmp_path: Path) -> None:
    """A forward of many tokens is stopped from another thread, again and again, until one is hit in the middle."""
    model = catalogue.load(f"{write_other(tmp_path / 'm.gguf', architecture)}#native", "cpu", "auto", quiet)
    ids, here = np.random.default_rng(1).integers(0, 300, 400).tolist(), threading.get_ident()
    session = model.session()
    session.read(ids[:30])
    wanted = session.logits().copy()
    hits = 0
    for attempt in range(200):
        timer = threading.Timer(0.0005 * (attempt % 20), waits.interrupt, (here, False))
        timer.start()
        try:
            session.read(ids[30:])
        except Interrupted as interrupted:
            assert not interrupted.lost
            hits += 1
        finally:
            timer.join()
            waits.go_on()
        session.rewind(30)
        assert session.ids == tuple(ids[:30])
        before = session.evaluated
        np.testing.assert_allclose(session.logits(), wanted, atol=2e-2, rtol=0)
        assert session.evaluated - before <= 30
        if hits == 5:
            break
    assert hits == 5
    session.read(ids[30:])
    np.testing.assert_allclose(session.logits(), model.uncached(ids), atol=2e-2, rtol=0)


def test_interrupting_is_only_for_what_waits() -> None:
    """Negative control: nobody who does not wait is ended, and the next one is free."""
    waits.interrupt(threading.get_ident(), True)
    assert waits.is_interrupted()
    waits.go_on()
    assert not waits.is_interrupted()
    assert issubclass(Interrupted, Problem)


def test_the_window_types_on_and_tells(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    before = children()
    window = opened(str(write(tmp_path / "m.gguf", "llama", **{"llama.context_length": 4000})), text=b"The cat")
    (child,) = children() - before
    told: list[str] = []
    window.playground.progress.connect(lambda progress: told.append(progress.what if progress else ""))
    child.suspend()
    qtbot.keyClicks(text_field(window), " s")
    qtbot.waitUntil(lambda: bool(waits._ends), timeout=PATIENCE)
    qtbot.keyClicks(text_field(window), "at")
    qtbot.waitUntil(lambda: any("was ended; the model is loaded again" in what for what in told), timeout=PATIENCE)
    settle(window, qtbot)
    assert text_field(window).toPlainText() == "The cat sat" and notice(window) == ""
    assert window.playground.view.answer is not None and not child.is_running()
