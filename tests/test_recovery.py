"""Memory that runs out and devices that die: a real network raises what torch raises, the worker carries on."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from arplay.core.modalities.text import Caret, Text
from arplay.engine.explore import Explore, Explored
from arplay.engine.job import Stopped
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Failed, Progress, Result
from arplay.engine.recovery import with_recovery
from arplay.engine.scoring import Score, Scored
from arplay.engine.state import State
from arplay.engine.worker import Worker
from arplay.models import catalogue
from arplay.models.base import Model, Report
from tests.test_bridge import Ring

TEXT = Text.of(b"The cat sat on the mat")
ASSERT = "CUDA error: device-side assert triggered\nmore words"
HANG_GUARD = 60.0


class Loader:
    """Loads the tiny Llama; ``harm`` is called with the loads so far and the ids that a forward is about to embed."""

    def __init__(self, folder: Path, harm: Callable[[int, Any], None]) -> None:
        self.folder, self.harm = folder, harm
        self.loads: list[tuple[str, str, str]] = []
        self.report: Callable[[], None] = lambda: None

    def __call__(self, spec: str, device: str, dtype: str, report: Report) -> Model:
        self.report()
        self.loads.append((spec, device, dtype))
        model: Any = catalogue.load(str(self.folder), device, dtype, lambda *_: None)
        number, forward = len(self.loads), model.network.forward

        def harmed(input_ids: Any, *args: Any, **more: Any) -> Any:
            self.harm(number, input_ids)
            return forward(input_ids, *args, **more)

        model.network.forward = harmed
        return model


class Answers:
    """Everything that a worker said, and the final answer to a request."""

    def __init__(self, loader: Loader) -> None:
        self.said: list[Result] = []
        self.news = threading.Condition()
        self.worker = Worker(self.hear, loader)

    def hear(self, result: Result) -> None:
        with self.news:
            self.said.append(result)
            self.news.notify_all()

    def to(self, request: Any) -> Result:
        self.worker.submit(request)
        with self.news:
            assert self.news.wait_for(lambda: self.finals(request.number), HANG_GUARD), self.said
            return self.finals(request.number)[0]

    def finals(self, number: int) -> list[Result]:
        partial = [r for r in self.said if isinstance(r, Progress) or (isinstance(r, Scored) and not r.ledger.complete)]
        return [result for result in self.said if result.number == number and result not in partial]

    def told(self, number: int) -> list[str]:
        return [r.what for r in self.said if isinstance(r, Progress) and r.number == number and r.what != "scoring"]


@pytest.fixture
def ask(tiny_folders: dict[str, Path], request: pytest.FixtureRequest) -> Callable[..., tuple[Answers, Loader]]:
    def make(harm: Callable[[int, Any], None]) -> tuple[Answers, Loader]:
        loader = Loader(tiny_folders["llama"], harm)
        answers = Answers(loader)
        request.addfinalizer(lambda: answers.worker.close(HANG_GUARD))
        assert isinstance(answers.to(Load(0, "tiny")), Loaded)
        return answers, loader

    return make


Ask = Callable[..., tuple[Answers, Loader]]


def explore(number: int) -> Explore:
    return Explore(number, TEXT, Caret(len(TEXT.data)))


def undisturbed(ask: Ask) -> Explored:
    answer = ask(lambda *_: None)[0].to(explore(1))
    assert isinstance(answer, Explored)
    return answer


def same(one: Explored, other: Explored) -> bool:
    assert one.answer.distribution is not None and other.answer.distribution is not None
    return np.allclose(one.answer.distribution.logprobs, other.answer.distribution.logprobs, atol=1e-5)


def test_a_dead_device_takes_the_model_again_and_the_question_is_answered(ask: Ask) -> None:
    def dies_once(loads: int, ids: Any) -> None:
        if loads == 1:
            raise RuntimeError(ASSERT)

    answers, loader = ask(dies_once)
    answer = answers.to(explore(1))
    assert isinstance(answer, Explored) and answer.document == TEXT and same(answer, undisturbed(ask))
    # as it was: the same model on the same device in the same number type, though both were chosen by "auto"
    assert loader.loads == [("tiny", "auto", "auto"), ("tiny", "cpu", "float32")]
    assert answers.told(1) == ["the device failed", "the device failed; the model is loaded again"]
    scored = answers.to(Score(2, TEXT))
    assert isinstance(scored, Scored) and len(loader.loads) == 2


def test_a_device_that_dies_again_is_told_with_its_remedy(ask: Ask) -> None:
    def dies(loads: int, ids: Any) -> None:
        if loads < 3:
            raise RuntimeError(ASSERT)

    answers, loader = ask(dies)
    assert answers.to(explore(1)) == Failed(
        1,
        "the device failed twice (RuntimeError: CUDA error: device-side assert triggered)",
        "the text is kept; load the model with device cpu, or start arplay again",
    )
    assert len(loader.loads) == 2
    assert answers.to(explore(2)) == Failed(2, "no model is loaded", "choose a model first")
    assert isinstance(answers.to(Load(3, "tiny", "cpu")), Loaded)  # the remedy
    assert isinstance(answers.to(explore(4)), Explored)


def test_a_device_that_does_not_take_the_model_again(ask: Ask) -> None:
    def dies(loads: int, ids: Any) -> None:
        raise RuntimeError(ASSERT)

    answers, loader = ask(dies)

    def broken() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    loader.report = broken
    answer = answers.to(explore(1))
    assert isinstance(answer, Failed) and "does not take the model again" in answer.cause and "cpu" in answer.remedy


def test_another_error_loads_nothing_again(ask: Ask) -> None:
    def fails(loads: int, ids: Any) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    answers, loader = ask(fails)
    answer = answers.to(explore(1))
    assert isinstance(answer, Failed) and "bug" in answer.remedy and len(loader.loads) == 1
    assert answers.told(1) == []


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_short_memory_is_met_with_smaller_chunks(ask: Ask, error: Exception) -> None:
    lengths: list[int] = []

    def short(loads: int, ids: Any) -> None:
        lengths.append(ids.shape[1])
        if ids.shape[1] > 4:
            raise error

    answers, loader = ask(lambda loads, ids: short(loads, ids) if armed else None)
    armed = False
    whole = answers.to(explore(1))
    armed = True
    answers.worker._slots[0].forget()
    answer = answers.to(explore(2))
    assert isinstance(whole, Explored) and isinstance(answer, Explored) and same(answer, whole)
    assert max(lengths) > 4 and lengths[-2:] != lengths[:2] and len(loader.loads) == 1
    assert answers.told(2) == ["memory ran out; reading in smaller chunks"] * 2  # 64, 16, 4
    scored = answers.to(Score(3, TEXT))
    assert isinstance(scored, Scored) and answers.told(3) == []  # it stays with what works


@pytest.mark.parametrize("window", [True, False])
def test_where_a_window_runs_only_its_own_thread_collects(window: bool) -> None:
    """What ends in the worker's thread must be nothing of Qt. Without a window it may."""
    state = State(lambda *_: None)  # type: ignore[arg-type, return-value]
    full = iter([True, False])

    def job() -> Any:
        yield None
        if next(full):
            raise MemoryError
        return Progress(1, "done", None)

    gc.disable()  # as the window's collector does
    try:
        ring = Ring()
        gone = weakref.ref(ring)
        del ring
        if not window:
            gc.enable()
        told = list(with_recovery(state, 1, job, print))
        assert Progress(1, "memory ran out; reading in smaller chunks", None) in told
        assert (gone() is None) is not window
    finally:
        gc.enable()


def test_memory_that_is_never_enough_is_told_with_what_fits(ask: Ask) -> None:
    held: list[int] = []

    def full_at_eleven(loads: int, ids: Any) -> None:
        given = ids[0].tolist()
        if held and given[0] == held[0]:
            held.clear()  # the text is begun again
        held.extend(given)
        if armed and len(held) > 10:
            raise MemoryError

    armed = False
    answers, _ = ask(full_at_eleven)
    held.clear()
    armed = True
    answers.worker._slots[0].pace.size = 512  # then 128, 32 and 8
    long = Text.of(TEXT.data + b" on the log, and the dog")
    assert answers.to(Explore(1, long, Caret(len(long.data)))) == Failed(
        1,
        "there is not enough memory (MemoryError)",
        "about 8 tokens fit: shorten the text, or use a smaller model or number type",
    )


def test_a_reload_that_was_cancelled_is_taken_up_by_the_next_job(tiny_folders: dict[str, Path]) -> None:
    def dies_once(loads: int, ids: Any) -> None:
        if loads == 1:
            raise RuntimeError(ASSERT)

    loader = Loader(tiny_folders["llama"], dies_once)
    state = State(loader)  # type: ignore[arg-type]
    state.use(loader("tiny", "auto", "auto", lambda *_: None))
    state.asked = ("tiny", "auto", "auto")

    def job() -> Any:
        yield None
        return state.current().session().extend([1, 2, 3])

    def stopped() -> None:
        raise Stopped

    loader.report = stopped
    with pytest.raises(Stopped):
        for _ in with_recovery(state, 1, job, lambda *_: None):
            pass
    assert state.model is None and state.lost == ("tiny", "cpu", "float32")
    loader.report = lambda: None
    told = [step for step in with_recovery(state, 2, job, lambda *_: None) if step is not None]
    assert told == [Progress(2, "the device failed; the model is loaded again", None)]
    assert state.model is not None and state.lost is None
