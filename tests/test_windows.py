"""Which context every token of a long text is scored with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.core.reading import Reading
from arplay.core.windows import Windows, windows_of

sizes = st.integers(1, 20).flatmap(lambda w: st.tuples(st.just(w), st.integers(1, w)))
windows = sizes.flatmap(lambda p: st.integers(0, p[0] - p[1]).map(lambda lead: Windows(*p, lead)))


def naive_start(windows: Windows, end: int) -> int:
    """The first of the starts 0, S, 2S, ... from which ``end`` is no further than a whole window."""
    start = 0
    while end - start > windows.window - (windows.lead if start else 0):
        start += windows.stride
    return start


def covers(windows: Windows, length: int) -> None:
    scored: list[int] = []
    for start, first, stop in windows.spans(length):
        assert first < stop, "a window that scores nothing"
        scored += range(first, stop)
        for index in range(first, stop):
            context = len(windows.read(np.arange(index), start, index))
            assert context <= windows.window, "more context than the model reads"
            assert context >= min(index, windows.window - windows.stride), "too little context"
            assert windows.start(index) == start == naive_start(windows, index), "another context elsewhere"
    assert scored == list(range(length)), "a token is missed or scored twice"


@given(windows, st.integers(0, 70))
def test_every_token_is_scored_once_and_with_the_context_that_start_names(windows: Windows, length: int) -> None:
    covers(windows, length)


class DisjointWindows(Windows):
    def start(self, end: int) -> int:
        return end // self.window * self.window


class SpansThatOverlap(Windows):
    def spans(self, length):  # type: ignore[no-untyped-def]
        """The recipe that averages windows: each scores all it reads."""
        return ((start, start, min(length, start + self.window)) for start in range(0, length, self.stride))


@pytest.mark.parametrize(("wrong", "complaint"), [(DisjointWindows, "elsewhere"), (SpansThatOverlap, "little context")])
def test_wrong_windows_are_caught(wrong: type[Windows], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        covers(wrong(4, 2), 12)


def test_by_hand() -> None:
    assert list(Windows(4, 2).spans(10)) == [(0, 0, 5), (2, 5, 7), (4, 7, 9), (6, 9, 10)]
    assert [Windows(4, 2).start(i) for i in range(10)] == [0, 0, 0, 0, 0, 2, 2, 4, 4, 6]
    assert Windows.half(512) == Windows(512, 256) and Windows.half(1) == Windows(1, 1)
    assert list(Windows(4, 2).spans(0)) == []


@given(windows, st.integers(0, 70), st.integers(0, 75))
def test_what_a_reading_costs_is_counted_without_reading(windows: Windows, length: int, known: int) -> None:
    every = list(windows.spans(length))
    left = [span for span in every if span[2] > known]
    assert list(windows.spans(length, known)) == left
    read = [windows.read(np.arange(length), start, min(stop, start + windows.window)) for start, _, stop in left]
    capped = [min(len(ids), windows.window) for ids in read]  # the last token of a full window is not read
    assert windows.cost(length, known) == (len(left), sum(capped))


def test_what_a_million_tokens_cost_is_told_at_once() -> None:
    assert Windows(512, 1).cost(10**12) == (10**12 - 512, 512 * (10**12 - 512))


@given(st.integers(1, 40), st.integers(0, 60), st.data())
def test_a_reading_gives_each_token_the_context_that_it_says(context: int, length: int, data: st.DataObject) -> None:
    """Whatever is chosen: a context of the model or less, any stride, and a lead that stands before each window."""
    lead = data.draw(st.integers(0, min(3, context - 1)))
    own = data.draw(st.none() | st.integers(lead + 1, context))
    every = data.draw(st.booleans())
    most = (own or context) - (lead if every else 0)
    stride = data.draw(st.none() | st.integers(1, most))
    windows = windows_of(context, length, Reading("auto", False, every, own, stride), lead)
    assert windows.window == (own or context) and stride in (None, windows.stride)
    covers(windows, length)
    chain = np.arange(length)
    for start, first, stop in windows.spans(length):
        for index in range(first, stop):
            seen = windows.read(chain, start, index).tolist()
            before = list(range(lead)) if every and start else []
            assert seen == before + list(range(start, index)), "another context than the reading says"
            if stride == 1 and index > windows.window:
                assert len(seen) == windows.window, "stride 1 gives all the context there can be"


def test_a_mean_of_window_means_is_another_number() -> None:
    nll = np.arange(7.0)
    spans = list(Windows(4, 2).spans(len(nll)))
    total = sum(float(nll[first:stop].sum()) for _, first, stop in spans) / len(nll)
    mean_of_means = float(np.mean([nll[first:stop].mean() for _, first, stop in spans]))
    assert total == 3.0 != mean_of_means


@pytest.mark.parametrize(("window", "stride"), [(0, 1), (4, 0), (4, 5), (-1, -1)])
def test_impossible_windows_are_a_problem(window: int, stride: int) -> None:
    with pytest.raises(Problem, match="impossible"):
        Windows(window, stride)


@given(windows, st.integers(1, 70))
def test_later_windows_begin_as_the_chain_does(windows: Windows, length: int) -> None:
    chain = np.arange(length)
    for start, _, stop in windows.spans(length):
        read = windows.read(chain, start, stop - 1).tolist()
        assert read == [*range(windows.lead if start else 0), *range(start, stop - 1)]
    assert Windows(4, 2, 1).start(5) == 2 and Windows(4, 2).start(5) == 2 and Windows(4, 2, 1).start(6) == 4
