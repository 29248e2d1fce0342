"""The worker: a real thread, real jobs, and collaborators that wait at a gate where a test needs to look."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from arplay import paths
from arplay.core import waits
from arplay.core.errors import Problem
from arplay.core.modalities.text import Caret, Text
from arplay.engine import state, worker
from arplay.engine.downloads import FETCH_SECONDS, Fetch, Fetched
from arplay.engine.explore import Explore, Explored
from arplay.engine.job import Fetcher
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.recompute import Recompute
from arplay.engine.reconcile import Reconcile, Reconciled
from arplay.engine.scoring import Score, Scored
from arplay.engine.table import JOBS
from arplay.engine.worker import Worker
from arplay.models.base import Model, Report
from arplay.models.families.table.model import Table
from tests.small_model import SmallModel

HANG_GUARD = 30.0
LONG = Text.of(b"BAC" * 300)


class Gate:
    """A place where the worker waits until the test has looked around; ``free`` times it passes nevertheless."""

    def __init__(self, shut: bool = True) -> None:
        self.shut, self._reached, self._opened = shut, threading.Event(), threading.Event()
        self.free = 0

    def __call__(self) -> None:
        if self.shut and self.free:
            self.free -= 1
        elif self.shut:
            self._reached.set()
            assert self._opened.wait(HANG_GUARD)

    def reached(self) -> None:
        assert self._reached.wait(HANG_GUARD)

    def open(self) -> None:
        self.shut = False
        self._opened.set()


class Desk:
    """A worker with everything that it emitted."""

    def __init__(self, load: state.Loader, fetch: Fetcher | None = None, kind: type[Worker] = Worker) -> None:
        self.results: list[Result] = []
        self._news = threading.Condition()
        self.worker = kind(self._emit, load, fetch)

    def _emit(self, result: Result) -> None:
        with self._news:
            self.results.append(result)
            self._news.notify_all()

    def wait(self, number: int) -> Result:
        """The final result of a request."""
        with self._news:
            assert self._news.wait_for(lambda: self.finals(number), HANG_GUARD), self.results
            return self.finals(number)[0]

    def wait_for(self, wanted: Result) -> None:
        with self._news:
            assert self._news.wait_for(lambda: wanted in self.results, HANG_GUARD), self.results

    def finals(self, *numbers: int) -> list[Result]:
        return [result for result in list(self.results) if final(result) and (result.number in numbers or not numbers)]


def final(result: Result) -> bool:
    return result.is_last


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(model: Model | None = None, load: state.Loader | None = None, fetch: Fetcher | None = None) -> Desk:
        desks.append(Desk(load or (lambda *_: model), fetch))
        if model is not None:
            desks[-1].worker.submit(Load(0, "model"))
            desks[-1].wait(0)
        return desks[-1]

    yield make
    for made in desks:
        assert made.worker.close(HANG_GUARD)
    assert not [thread for thread in threading.enumerate() if thread.name == "arplay-worker"]


Make = Callable[..., Desk]


def explore(number: int, text: bytes = b"BAC") -> Explore:
    return Explore(number, Text.of(text), Caret(len(text)))


def test_bac_through_the_thread(desk: Make) -> None:
    made = desk(load=lambda *_: Table.load(paths.assets() / "models" / "abc.json"))
    made.worker.submit(Load(1, "abc"))
    made.worker.submit(Score(2, Text.of(b"BAC")))
    made.worker.submit(Reconcile(3, Text.of(b"BAC")))
    scored, reconciled = made.wait(2), made.wait(3)
    assert isinstance(scored, Scored) and scored.ledger.totals.nll_nats == pytest.approx(2.1203, abs=5e-5)
    assert isinstance(reconciled, Reconciled) and reconciled.largest_difference < 1e-12


def test_the_catalogue_is_the_default_loader() -> None:
    results: list[Result] = []
    done = threading.Event()

    def emit(result: Result) -> None:
        results.append(result)
        if final(result):
            done.set()

    made = Worker(emit)
    made.submit(Load(1, "abc"))
    assert done.wait(HANG_GUARD) and made.close(HANG_GUARD)
    assert isinstance(results[-1], Loaded) and results[-1].info.name == "abc"


def test_the_newest_explore_replaces_the_older_ones(desk: Make) -> None:
    gate = Gate()
    model = SmallModel(context=None, before_forward=gate)
    made = desk(model)
    made.worker.submit(explore(1, b"B" * 1000))
    gate.reached()
    made.worker.submit(explore(2))
    made.worker.submit(explore(3))
    gate.open()
    assert isinstance(made.wait(3), Explored)
    assert made.wait(1) == Cancelled(1) and made.wait(2) == Cancelled(2)
    assert model.forwards == 2  # one chunk of the first, all of the third


@pytest.mark.parametrize("live", [True, False])
def test_typing_is_answered_while_a_long_text_is_scored(
    desk: Make, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    if not live:  # control: in another order the same look finds the score first
        monkeypatch.setattr(worker, "JOBS", {lane: JOBS[lane] for lane in (Load, Fetch, Score, Reconcile, Explore)})
    gate = Gate()
    made = desk(SmallModel(context=None, before_forward=gate))
    made.worker.submit(Score(1, LONG))
    gate.reached()
    made.worker.submit(explore(2))
    gate.open()
    made.wait(1)
    made.wait(2)
    assert [result.number for result in made.finals(1, 2)] == ([2, 1] if live else [1, 2])


def test_lanes_go_by_urgency(desk: Make) -> None:
    gate = Gate(shut=False)
    made = desk(SmallModel(before_forward=gate), fetch=lambda *_: iter_fetch([Progress(0, "ready", 1.0)]))
    blocked = Gate()
    made.worker._slots[0].load = lambda *_: (blocked(), SmallModel(name="next"))[1]
    made.worker.submit(Load(1, "next"))
    blocked.reached()
    made.worker.submit(Reconcile(2, Text.of(b"BA")))
    made.worker.submit(Score(3, Text.of(b"BA")))
    made.worker.submit(Fetch(4, "tiny"))
    made.worker.submit(explore(5))
    blocked.open()
    for number in range(1, 6):
        made.wait(number)
    assert [result.number for result in made.finals(1, 2, 3, 5)] == [1, 5, 3, 2]
    assert made.wait(4) == Fetched(4, "tiny")


@pytest.mark.parametrize("by_number", [True, False])
def test_cancel_runs_at_most_one_more_forward(desk: Make, by_number: bool) -> None:
    gate = Gate()
    model = SmallModel(context=None, before_forward=gate)
    made = desk(model)
    made.worker.submit(Score(1, LONG))
    gate.reached()
    made.worker.cancel(99)  # of nobody: changes nothing
    made.worker.cancel(1 if by_number else None)
    before = model.forwards
    gate.open()
    assert made.wait(1) == Cancelled(1)
    assert model.forwards <= before + 1
    before = model.forwards
    made.worker.submit(Score(2, LONG))  # control: left alone it takes more
    assert isinstance(made.wait(2), Scored) and model.forwards > before + 1


def raising(error: Exception) -> Callable[[], None]:
    def before_forward() -> None:
        raise error

    return before_forward


BUG = "this is a bug; please report it with the log"


@pytest.mark.parametrize(
    ("error", "cause", "remedy"),
    [
        (Problem("the context is full", "shorten it"), "the context is full", "shorten it"),
        (ValueError("odd\nmore"), "ValueError: odd", BUG),
        (RecursionError(), "RecursionError", BUG),
        (
            MemoryError(),
            "there is not enough memory (MemoryError)",
            "use a smaller model or a shorter text",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            "there is not enough memory (RuntimeError: DefaultCPUAllocator: can't allocate memory)",
            "use a smaller model or a shorter text",
        ),
    ],
)
def test_every_exception_is_told(
    desk: Make, caplog: pytest.LogCaptureFixture, error: Exception, cause: str, remedy: str
) -> None:
    model = SmallModel(before_forward=raising(error))
    made = desk(model)
    with caplog.at_level(logging.ERROR, "arplay.engine.worker"):
        made.worker.submit(explore(1))
        assert made.wait(1) == Failed(1, cause, remedy)
    logged = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert logged == ([] if isinstance(error, Problem) else [error])
    model.before_forward = lambda: None  # the thread goes on
    made.worker.submit(explore(2))
    assert isinstance(made.wait(2), Explored)


def test_without_a_model_there_is_no_answer(desk: Make) -> None:
    made = desk()
    made.worker.submit(explore(1))
    assert made.wait(1) == Failed(1, "no model is loaded", "choose a model first")


def test_questions_wait_for_the_first_model(desk: Make) -> None:
    gate = Gate()
    made = desk(load=lambda *_: (gate(), SmallModel())[1])
    made.worker.submit(Load(1, "small"))
    gate.reached()
    made.worker.submit(explore(2))
    gate.open()
    assert isinstance(made.wait(2), Explored)
    assert [result.number for result in made.finals()] == [1, 2]


def test_a_failed_load_leaves_the_old_model(desk: Make) -> None:
    made = desk(SmallModel(name="old"))
    made.worker._slots[0].load = lambda *_: raising(Problem("no such model", "choose another"))()
    made.worker.submit(Load(1, "bad"))
    assert made.wait(1) == Failed(1, "no such model", "choose another")
    made.worker.submit(explore(2))
    assert isinstance(made.wait(2), Explored)


def test_a_load_is_cancelled_when_it_reports(desk: Make) -> None:
    gate = Gate()

    def load(spec: str, device: str, dtype: str, report: Report) -> Model:
        report(0.25, spec)
        if spec == "slow":
            gate()
            try:
                report(0.5, spec)
            except Exception as error:  # a handler on the way must not swallow it
                raise Problem("the folder is broken", "check it") from error
        return SmallModel(name=spec)

    made = desk(load=load)
    made.worker.submit(Load(1, "slow"))
    gate.reached()
    made.worker.submit(Load(2, "quick"))
    gate.open()
    loaded = made.wait(2)
    assert isinstance(loaded, Loaded) and loaded.info.name == "quick"
    assert made.wait(1) == Cancelled(1)
    assert Progress(1, "slow", 0.25) in made.results and Progress(1, "slow", 0.5) not in made.results
    made.worker.submit(Load(3, "slow"))  # control: not cancelled, it goes on
    loaded = made.wait(3)
    assert isinstance(loaded, Loaded) and loaded.info.name == "slow"


def test_a_new_model_ends_what_the_old_one_began(desk: Make) -> None:
    gate = Gate()
    made = desk(SmallModel(context=None, before_forward=gate))
    made.worker._slots[0].load = lambda *_: SmallModel(name="new")
    made.worker.submit(Score(1, LONG))
    gate.reached()
    made.worker.submit(Load(2, "new"))
    made.worker.submit(Reconcile(3, Text.of(b"BAC")))  # asked after the load: of the new model
    gate.open()
    assert isinstance(made.wait(2), Loaded)
    assert made.wait(1) == Cancelled(1)
    assert isinstance(made.wait(3), Reconciled)


def test_the_thread_that_ends_a_wait_is_gone_before_anything_else_begins(desk: Make) -> None:
    threads: list[threading.Thread] = []
    alive: list[bool] = []
    waiting, ended, told = threading.Event(), threading.Event(), threading.Event()

    def linger(frame: FrameType, event: str, arg: object) -> Any:
        """The thread takes its time to end: until the job is told as ended, and a while after that."""
        if event == "return" and frame.f_code.co_name == "run":
            assert told.wait(HANG_GUARD)
            time.sleep(0.1)
        return linger

    def end(force: bool) -> None:
        threads.append(threading.current_thread())
        sys.settrace(linger)
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            frame.f_trace, frame = linger, frame.f_back
        ended.set()

    def wait() -> None:
        with waits.ended_by(end):
            waiting.set()
            assert ended.wait(HANG_GUARD)

    made = desk(model := SmallModel(before_forward=wait))
    made.worker.submit(Recompute(1, Text.of(b"BA"), Caret(2)))  # told in the step that waits
    assert waiting.wait(HANG_GUARD)
    model.before_forward = lambda: alive.append(threads[0].is_alive())
    emit = made.worker._emit

    def watched(result: Result) -> None:
        if result.number == 1:
            alive.append(threads[0].is_alive())  # the control: it can be seen
            told.set()
        emit(result)

    made.worker._emit = watched
    made.worker.cancel(1)
    made.worker.submit(explore(2))
    assert isinstance(made.wait(2), Explored)
    assert alive == [True, False]


def iter_fetch(values: list[Progress]) -> Generator[Progress, None, None]:
    yield from values


class Endless:
    """A fetch that only waits."""

    def __init__(self) -> None:
        self.looks: list[float] = []
        self.closed = threading.Event()

    def __call__(self, name: str, folder: Path, cancelled: Callable[[], bool]) -> Generator[Progress, None, None]:
        try:
            while True:
                self.looks.append(time.monotonic())
                yield Progress(0, f"look {len(self.looks)}", None)
        finally:
            self.closed.set()


def test_a_fetch_waits_without_being_in_the_way(desk: Make) -> None:
    endless = Endless()
    made = desk(SmallModel(), fetch=endless)
    made.worker.submit(Fetch(1, "tiny"))
    for number in range(2, 20):
        made.worker.submit(explore(number, b"BAC" * number))
        assert isinstance(made.wait(number), Explored)
    made.wait_for(Progress(1, "look 3", None))
    gaps = [later - earlier for earlier, later in zip(endless.looks, endless.looks[1:], strict=False)]
    assert min(gaps) >= FETCH_SECONDS * 0.99  # no busy loop
    made.worker.submit(Fetch(20, "other"))
    assert made.wait(20) == Failed(20, "tiny is being fetched already", "wait for it, or cancel it first")
    assert not made.finals(1)
    made.worker.cancel(1)
    assert made.wait(1) == Cancelled(1) and endless.closed.is_set()
    made.worker.submit(Fetch(21, "other"))  # now it may
    made.worker.cancel(21)
    assert made.wait(21) == Cancelled(21)


def test_a_fetch_goes_on_while_a_text_is_scored(desk: Make) -> None:
    gate = Gate()
    made = desk(SmallModel(context=None, before_forward=gate), fetch=lambda *_: iter_fetch([Progress(0, "ok", 1.0)]))
    made.worker.submit(Score(1, LONG))
    gate.reached()
    made.worker.submit(Fetch(2, "tiny"))
    gate.open()
    made.wait(1)
    assert Progress(2, "ok", 1.0) in made.results[: made.results.index(made.wait(1))]


def test_close_ends_everything_and_nothing_is_left(desk: Make) -> None:
    begun = threading.Event()

    def until_closing() -> None:
        begun.set()
        with made.worker._changed:
            assert made.worker._changed.wait_for(lambda: made.worker._closing, HANG_GUARD)

    endless = Endless()
    made = desk(SmallModel(context=None, before_forward=until_closing), fetch=endless)
    made.worker.submit(Fetch(1, "tiny"))
    made.wait_for(Progress(1, "look 1", None))
    made.worker.submit(Score(2, LONG))
    assert begun.wait(HANG_GUARD)
    made.worker.submit(explore(3))
    assert made.worker.close(HANG_GUARD)
    assert sorted(result.number for result in made.finals(1, 2, 3)) == [1, 2, 3]
    assert {type(result) for result in made.finals(1, 2, 3)} == {Cancelled}
    assert endless.closed.is_set()
    with pytest.raises(RuntimeError, match="closed"):
        made.worker.submit(explore(4))
    assert made.worker.close(HANG_GUARD)  # twice does no harm


def test_a_worker_without_work_has_no_thread() -> None:
    before = threading.active_count()
    made = Worker(lambda result: None)
    assert threading.active_count() == before
    assert made.close(HANG_GUARD)


def test_close_tells_when_the_thread_is_stuck_and_it_stays_silent() -> None:
    gate = Gate()
    results: list[Any] = []

    def load(spec: str, device: str, dtype: str, report: Report) -> Model:
        gate()  # as inside an import
        return SmallModel()

    made = Worker(results.append, load)
    made.submit(Load(1, "small"))
    gate.reached()
    assert not made.close(0.01)
    gate.open()
    assert made.close(HANG_GUARD)
    assert results == []
