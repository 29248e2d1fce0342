"""The distribution over a whole vocabulary, and the honest part of one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arplay.core.distribution import LN2, Distribution, entropy, log_softmax
from arplay.core.errors import Problem

# few different values, so that ties are common
tied = arrays(np.float64, st.integers(1, 30), elements=st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0]))
wild = arrays(
    np.float64,
    st.integers(1, 30),
    elements=st.floats(allow_nan=False) | st.sampled_from([-np.inf, 5e-324, 1e30, -1e30]),
)


def by_hand(logits: np.ndarray) -> list[int]:
    return sorted(range(len(logits)), key=lambda id: (-logits[id], id))


def test_softmax_by_hand() -> None:
    p = np.exp(log_softmax(np.log([1.0, 2.0, 5.0])))
    assert p == pytest.approx([0.125, 0.25, 0.625], abs=1e-15)
    both = log_softmax(np.log([[1.0, 3.0], [1.0, 1.0]]))
    assert np.exp(both) == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]))


@pytest.mark.parametrize(
    ("logits", "probs"),
    [
        ([1e30, 0.0, -1e30], [1.0, 0.0, 0.0]),
        ([1.7e308, -1.7e308], [1.0, 0.0]),  # their distance is more than a float holds
        ([-np.inf, 0.0, 0.0], [0.0, 0.5, 0.5]),
        ([5e-324, 0.0], [0.5, 0.5]),
        ([-1e30], [1.0]),
    ],
)
def test_extreme_logits(logits: list[float], probs: list[float]) -> None:
    assert np.exp(log_softmax(np.array(logits))).tolist() == pytest.approx(probs)


def test_a_log_prob_is_not_the_log_of_an_underflowed_p() -> None:
    whole = Distribution.from_logits(np.array([0.0, -800.0]))
    assert whole.probs[1] == 0  # its logarithm would be minus infinity
    assert whole.logprob(1) == -800.0 and whole.rank(1) == 2


def test_half_precision_logits_are_summed_in_double() -> None:
    logits = np.zeros(100_000, dtype=np.float16)  # 100,000 ones do not fit in float16
    assert log_softmax(logits)[0] == pytest.approx(-math.log(100_000), abs=1e-12)


@pytest.mark.parametrize("logits", [[0.0, np.nan], [np.nan, np.inf], [np.inf, 0.0], [-np.inf, -np.inf]])
def test_logits_that_are_no_numbers_are_a_problem(logits: list[float]) -> None:
    with pytest.raises(Problem, match="not numbers"):
        Distribution.from_logits(np.array(logits))


@given(wild)
def test_softmax_is_a_distribution_and_keeps_the_order(logits: np.ndarray) -> None:
    before = logits.copy()
    if not np.isfinite(logits.max()):
        with pytest.raises(Problem):
            log_softmax(logits)
        return
    p = log_softmax(logits)
    assert math.fsum(np.exp(p)) == pytest.approx(1, abs=1e-12)
    rising = p[np.argsort(logits)]
    assert np.all(rising[1:] >= rising[:-1])
    assert np.array_equal(logits, before)


def test_softmax_over_the_top_few_is_another_number() -> None:
    logits = np.linspace(3, 0, 400)
    whole = Distribution.from_logits(logits)
    top_50_only = log_softmax(logits[:50])[0]  # what some programs show
    assert whole.logprob(0) == pytest.approx(3 - math.log(np.exp(logits).sum()))
    assert abs(whole.logprobs[0] - top_50_only) > 0.5


@given(tied)
def test_ranks_and_top_for_every_n(logits: np.ndarray) -> None:
    order = by_hand(logits)
    whole = Distribution.from_logits(logits)
    assert whole.order.tolist() == order
    for place, id in enumerate(order):
        assert whole.rank(id) == place + 1
    for n in range(-2, len(logits) + 3):
        fresh = Distribution.from_logits(logits)  # one that has not sorted itself yet
        assert fresh.top(n).tolist() == order[: max(0, n)]
        assert whole.top(n).tolist() == order[: max(0, n)]


def test_a_rank_found_by_equal_probability_is_wrong() -> None:
    whole = Distribution.from_logits(np.zeros(4))
    by_probability = [1 + int(np.count_nonzero(whole.logprobs > whole.logprobs[id])) for id in range(4)]
    assert [whole.rank(id) for id in range(4)] == [1, 2, 3, 4] != by_probability


@given(tied, st.integers(0, 40))
def test_shown_and_rest_are_everything(logits: np.ndarray, n: int) -> None:
    whole = Distribution.from_logits(logits)
    shown = whole.top(n)
    count, mass = whole.rest(shown)
    assert count + len(shown) == len(logits)
    assert mass + math.fsum(whole.probs[shown]) == pytest.approx(1, abs=1e-12)


def test_entropy_by_hand() -> None:
    with np.errstate(divide="ignore"):
        assert entropy(np.log([0.5, 0.25, 0.25, 0.0])) / LN2 == pytest.approx(1.5)  # 0 log 0 = 0
        assert entropy(np.log([0.0, 1.0])) == 0
    assert Distribution.from_logits(np.zeros(1024)).entropy == pytest.approx(10 * LN2)
    assert Distribution.from_logits(np.array([0.0, -800.0])).entropy == 0  # p underflows, log p does not


@given(tied)
def test_entropy_lies_between_nothing_and_log_v(logits: np.ndarray) -> None:
    h = Distribution.from_logits(logits).entropy
    assert h is not None and 0 <= h <= math.log(len(logits)) + 1e-12


def test_what_a_partial_distribution_does_not_know_it_does_not_say() -> None:
    part = Distribution(10, np.log([0.3, 0.5, 0.1]), ids=np.array([7, 2, 4]))
    assert not part.full and part.entropy is None
    assert part.order.tolist() == [2, 7, 4]
    assert part.top(2).tolist() == [2, 7]
    assert part.rank(2) == 1 and part.rank(4) == 3
    assert part.rank(0) is None and part.logprob(0) is None
    count, mass = part.rest(part.top(2))
    assert count == 8 and mass == pytest.approx(0.2)
    assert Distribution(3, np.log([0.5, 0.3, 0.2])).rank(2) == 3  # a full one knows all
    unsure = Distribution(10, part.logprobs, part.ids, open=True, ceiling=math.log(0.4))
    assert unsure.rank(2) == 1 and unsure.rank(7) is None, "an unknown one may be between"
    assert unsure.rest(unsure.order) == (None, pytest.approx(0.1))
    assert unsure.logprob(99) is None and unsure.rank(99) is None, "a token that got its name later"


def test_ids_outside_and_wrong_shapes_are_refused() -> None:
    whole = Distribution.from_logits(np.zeros(3))
    for id in (-1, 3):
        with pytest.raises(IndexError):
            whole.logprob(id)
        with pytest.raises(IndexError):
            whole.rank(id)
    with pytest.raises(ValueError, match="3 log-probs expected"):
        Distribution(3, np.zeros(2))


def test_the_arrays_are_read_only() -> None:
    whole = Distribution.from_logits(np.zeros(3))
    for array in (whole.logprobs, whole.probs, whole.order, whole.top(2)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
