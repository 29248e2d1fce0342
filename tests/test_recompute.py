"""Answers without a cache: the same logits, the right context, the least urgent of all, and no harm when they fail."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.core.modalities.text import Caret, Text
from arplay.core.reading import Reading
from arplay.core.timings import MOST, Timing, added, forecast, largest_difference, missing, of_answer, speedup, trend
from arplay.engine.explore import Answered, Explore, Explored, explore
from arplay.engine.load import Load, Loaded
from arplay.engine.recompute import Recompute, Recomputed, recompute
from arplay.engine.recompute import largest_difference as gap
from arplay.engine.scoring import Score, Scored
from arplay.engine.state import State
from arplay.engine.table import JOBS
from arplay.engine.worker import Worker
from tests.small_model import SmallModel
from tests.strictness import HANG_GUARD
from tests.test_jobs import no_load, run, state_of
from tests.tiny_models import one_thread, tiny_folders

__all__ = ["one_thread", "tiny_folders"]


def recomputed(state: State, text: bytes, caret: int | None = None, reading: Reading | None = None) -> Recomputed:
    request = Recompute(1, Text.of(text), Caret(len(text) if caret is None else caret), reading or Reading())
    result = run(recompute(state, request))[1]
    assert isinstance(result, Recomputed)
    return result


def explored(state: State, text: bytes, caret: int | None = None) -> Explored:
    request = Explore(1, Text.of(text), Caret(len(text) if caret is None else caret))
    result = run(explore(state, request))[1]
    assert isinstance(result, Explored)
    return result


def test_the_same_answer_differs_by_nothing() -> None:
    state = state_of(SmallModel())
    explored(state, b"BAC")
    result = recomputed(state, b"BAC")
    assert result.context == 3 and result.largest_difference == 0.0 and result.seconds >= 0.0


def test_another_context_is_not_compared() -> None:
    state = state_of(SmallModel())
    explored(state, b"BAC")
    assert recomputed(state, b"BAC", caret=2).largest_difference is None
    assert recomputed(state, b"BCC").largest_difference is None


def test_a_wrong_cache_is_found() -> None:
    """The negative control of all: had the cache been another one, the difference would tell it."""
    state = state_of(SmallModel())
    explored(state, b"BAC")
    kept = state.kept(Answered)
    assert kept.last is not None
    kept.last = (kept.last[0], kept.last[1] + np.array([0, 0.25, 0, -0.5, 0]))
    assert recomputed(state, b"BAC").largest_difference == pytest.approx(0.5)


def test_a_long_text_is_read_in_the_window_of_the_answer() -> None:
    state = state_of(SmallModel(context=4))
    answer = explored(state, b"BACBACBACB").answer
    result = recomputed(state, b"BACBACBACB")
    assert result.context == answer.position.context <= 4
    assert result.largest_difference == 0.0


def test_nothing_is_a_problem_and_not_a_forward() -> None:
    with pytest.raises(Problem, match="nothing to read"):
        recomputed(state_of(SmallModel()), b"")


def test_memory_that_runs_out_is_told_and_costs_no_cache() -> None:
    model = SmallModel()
    state = state_of(model)
    explored(state, b"BAC")

    def full() -> None:
        raise MemoryError

    model.before_forward = full
    with pytest.raises(Problem, match="not enough memory to read 3 tokens at once"):
        recomputed(state, b"BAC")
    model.before_forward = lambda: None
    assert explored(state, b"BACA").answer.evaluated == 1


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral"])
def test_a_transformer_answers_the_same_without_its_cache(tiny_folders: dict[str, Path], family: str) -> None:
    from arplay.models import catalogue

    state = state_of(catalogue.load(str(tiny_folders[family]), "cpu", "float32", lambda fraction, what: None))
    for caret in (5, 6, 9, 3):  # forwards and back again
        explored(state, b"The cat sat", caret)
        difference = recomputed(state, b"The cat sat", caret).largest_difference
        assert difference is not None and difference < 1e-4


def test_uncached_logits_are_read_only(tiny_folders: dict[str, Path]) -> None:
    from arplay.models import catalogue

    model = catalogue.load(str(tiny_folders["llama"]), "cpu", "float32", lambda fraction, what: None)
    logits = model.uncached([1, 2, 3])
    assert logits.shape == (model.info.vocabulary,) and not logits.flags.writeable
    with pytest.raises(Problem, match="outside the vocabulary"):
        model.uncached([model.info.vocabulary])


def test_it_is_the_least_urgent() -> None:
    """Asked first, answered last: a step and the scoring of the text go before it."""
    assert list(JOBS)[-1] is Recompute
    said: queue.Queue[Any] = queue.Queue()
    blocked, go = threading.Event(), threading.Event()
    model = SmallModel(context=None)

    def load(*_: Any) -> SmallModel:
        blocked.set()
        assert go.wait(HANG_GUARD)
        return model

    worker = Worker(said.put, load)
    document = Text.of(b"BAC")
    try:
        worker.submit(Load(1, "small"))
        assert blocked.wait(HANG_GUARD)
        for request in (Recompute(2, document, Caret(3)), Score(3, document), Explore(4, document, Caret(3))):
            worker.submit(request)
        go.set()
        ends = []
        while len(ends) < 4:
            result = said.get(timeout=HANG_GUARD)
            if isinstance(result, Loaded | Explored | Recomputed) or (
                isinstance(result, Scored) and result.ledger.complete
            ):
                ends.append(result.number)
    finally:
        assert worker.close(HANG_GUARD)
    assert ends == [1, 4, 3, 2]


def test_differences_of_what_is_no_number() -> None:
    inf = np.inf
    assert gap(np.array([1.0, -inf]), np.array([1.0, -inf])) == 0.0
    assert gap(np.array([1.0, np.nan]), np.array([1.0, 2.0])) == inf
    assert gap(np.array([1.0, -inf]), np.array([1.0, 0.0])) == inf


# what becomes of the timings


def test_kinds_of_answers() -> None:
    state = state_of(SmallModel(context=None))
    first, step = of_answer(explored(state, b"BACB").answer), of_answer(explored(state, b"BACBA").answer)
    assert first is not None and step is not None
    assert (first.kind, first.context, first.evaluated, first.reused) == ("prefill", 4, 4, 0)
    assert (step.kind, step.context, step.evaluated, step.reused) == ("cached", 5, 1, 4)
    assert of_answer(explored(state, b"BACBA").answer) is None


def test_an_edit_splits_hits_from_misses() -> None:
    state = state_of(SmallModel(context=None))
    explored(state, b"BACBAC")
    edited = of_answer(explored(state, b"BACCAC").answer)
    assert edited is not None
    assert (edited.kind, edited.reused, edited.evaluated) == ("prefill", 3, 3)


def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    timings: tuple[Timing, ...] = ()
    for n in range(MOST + 5):
        timings = added(timings, Timing("cached", n, 1, 0.01))
    assert len(timings) == MOST and timings[-1].context == MOST + 4 and timings[0].context == 5


@given(st.integers(1, 4000), st.floats(1e-5, 1e-2), st.floats(0, 1e-6), st.integers(1, 4000))
def test_a_forecast_is_an_upper_bound_where_cost_grows_at_most_with_the_square(
    measured: int, linear: float, square: float, wanted: int
) -> None:
    def cost(n: int) -> float:
        return linear * n + square * n * n

    bound = forecast([Timing("uncached", measured, measured, cost(measured))], wanted)
    assert bound is not None
    if wanted >= measured:
        assert bound >= cost(wanted) * (1 - 1e-9)
    assert forecast([], wanted) is None


def test_the_gaps_are_found_until_none_is_left() -> None:
    timings: tuple[Timing, ...] = (Timing("uncached", 400, 400, 1.0),)
    asked = []
    while lengths := missing(timings, 400):
        asked.append(lengths[0])
        timings = added(timings, Timing("uncached", lengths[0], lengths[0], 0.5))
    assert asked == [200, 100, 300, 50, 150, 250, 350]
    assert missing(timings, 404) == [], "a step further is no new measurement"


def test_speedup_and_largest_difference() -> None:
    steps = [Timing("cached", n, 1, 0.01) for n in range(90, 110)]
    slow_start = Timing("cached", 2, 1, 5.0)
    uncached = [Timing("uncached", 100, 100, 0.2, 0, 2e-5), Timing("uncached", 50, 50, 0.1, 0, 3e-5)]
    assert speedup([slow_start, *steps, *uncached]) == (pytest.approx(20.0), 100)
    far = Timing("uncached", 900, 900, 9.0)
    assert speedup([*steps, *uncached, far]) == (pytest.approx(20.0), 100), "no step was made as far as that"
    assert speedup(steps) is None and speedup(uncached) is None
    assert largest_difference([*steps, *uncached]) == 3e-5 and largest_difference(steps) is None


def test_a_median_line_is_not_moved_by_one_slow_step() -> None:
    steps = [Timing("cached", 100, 1, 0.01)] * 9 + [Timing("cached", 100, 1, 9.0)]
    assert trend(steps, "cached") == [(100, 0.01)]
    assert trend([Timing("cached", 5, 1, float("nan"))], "cached") == []


def test_no_model_is_a_problem() -> None:
    with pytest.raises(Problem, match="no model"):
        recomputed(State(no_load), b"B")
