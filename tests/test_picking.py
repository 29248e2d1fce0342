"""Choosing by an explicit u."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core import picking
from arplay.core.decoding.candidates import Candidates
from arplay.core.distribution import Distribution, log_softmax
from arplay.core.errors import Problem
from arplay.core.picking import MAX_SEED, Choice, uniform

P = np.log([0.5, 0.3, 0.2])


def choose(logprobs: np.ndarray, u: float) -> Choice:
    return picking.choose(Candidates.of(Distribution(len(logprobs), logprobs)), u)


below_one = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("seed", "index", "u"),
    [
        (0, 0, 0.011546754286331562),
        (0, 1, 0.5023796042735054),
        (42, 7, 0.4074136540795371),
        (MAX_SEED, 1_000_000, 0.4614255439484173),
    ],
)
def test_u_is_a_pure_function_of_seed_and_index(seed: int, index: int, u: float) -> None:
    np.random.seed(1)  # the global generator must not matter
    assert uniform(seed, index) == u == uniform(seed, index)
    assert uniform(seed, index + 1) != u
    assert uniform(seed ^ 1, index) != u


def philox(seed: int, counter: int) -> float:
    """Philox 4x64 of ten rounds (Salmon et al. 2011, section 3.3) with the paper's constants; numpy counts first."""
    x, key = [counter + 1, 0, 0, 0], [seed, 0]
    for _ in range(10):
        high, low = zip(*(divmod(m * x[i], 2**64) for m, i in PHILOX_M), strict=True)
        x = [high[1] ^ x[1] ^ key[0], low[1], high[0] ^ x[3] ^ key[1], low[0]]
        key = [(k + w) % 2**64 for k, w in zip(key, PHILOX_W, strict=True)]
    return (x[0] >> 11) / 2**53


PHILOX_M = ((0xD2E7470EE14C6C93, 0), (0xCA5A826395121157, 2))
PHILOX_W = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)


@given(st.integers(0, MAX_SEED), st.integers(0, 2**40))
def test_u_is_philox(seed: int, index: int) -> None:
    assert uniform(seed, index) == philox(seed, index)


def test_u_is_spread_evenly_over_seeds_and_indices() -> None:
    us = np.array([uniform(seed, index) for seed in range(40) for index in range(50)])
    assert len(set(us.tolist())) == len(us) and us.min() >= 0 and us.max() < 1
    assert np.histogram(us, bins=10, range=(0, 1))[0] == pytest.approx(200, abs=60)


@pytest.mark.parametrize(
    ("u", "id"),
    [(0.0, 0), (0.49, 0), (np.nextafter(0.5, 0), 0), (0.5, 1), (0.79, 1), (0.85, 2), (np.nextafter(1, 0), 2)],
)
def test_the_cut_by_hand(u: float, id: int) -> None:
    assert choose(P, u).id == id


def test_tokens_stand_from_the_most_probable_on_ties_by_id() -> None:
    p = np.log([0.2, 0.3, 0.3, 0.2])
    assert [choose(p, u).id for u in (0.0, 0.29, 0.31, 0.59, 0.61, 0.81)] == [1, 1, 2, 2, 0, 3]


@pytest.mark.parametrize("grid", [1000, 20])
def test_the_frequency_over_an_even_grid_of_u_is_exact(grid: int) -> None:
    counted = Counter(choose(P, (i + 0.5) / grid).id for i in range(grid))
    assert counted == {0: grid * 5 // 10, 1: grid * 3 // 10, 2: grid * 2 // 10}
    assert counted != Counter(
        choose(np.log([0.4, 0.3, 0.3]), (i + 0.5) / grid).id for i in range(grid)
    )  # another p shows


@given(st.lists(st.floats(-800, 5), min_size=1, max_size=40), below_one)
def test_a_choice_says_where_u_fell(logits: list[float], u: float) -> None:
    p = log_softmax(np.array(logits))
    choice = choose(p, u)
    assert choice.u == u and choice.low <= u < choice.high
    assert choice.high - choice.low == pytest.approx(np.exp(p[choice.id]), abs=1e-12)


@given(below_one)
def test_a_removed_token_is_never_chosen(u: float) -> None:
    p = log_softmax(np.array([-np.inf, 0.0, -np.inf, -3.0, -np.inf, -800.0]))
    assert choose(p, u).id in (1, 3)


@pytest.mark.parametrize("u", [-1e-9, 1.0, np.nan])
def test_u_outside_is_refused(u: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        choose(P, u)


def test_u_among_tokens_that_nobody_knows_is_told() -> None:
    known = Candidates.of(Distribution(100, np.log([0.1, 0.6, 0.2]), np.array([7, 3, 50])))
    assert [picking.choose(known, u).id for u in (0.0, 0.59, 0.61, 0.79, 0.81, 0.89)] == [3, 3, 50, 50, 7, 7]
    with pytest.raises(Problem, match=r"u = 0\.9500 fell among the 97 tokens .*10\.00%"):
        picking.choose(known, 0.95)
    assert picking.choose(known.first(3), 0.95).id == 7  # negative control: nothing unknown is left
