"""Decoding stages: rule 6, and parity with the warpers of transformers."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arplay.core.decoding import Decoding, Greedy, MinP, Stage, Temperature, TopK, TopP, decode
from arplay.core.distribution import log_softmax
from arplay.core.errors import Problem

values = st.sampled_from([-np.inf, -40.0, -2.0, -1.0, 0.0, 0.0, 1.0, 3.0])
logits = arrays(np.float64, st.integers(1, 25), elements=values).filter(lambda z: np.isfinite(z.max()))
stages = st.one_of(
    st.just(Greedy()),
    st.floats(0, 100).map(Temperature),
    st.integers(1, 30).map(TopK),
    st.floats(0.001, 1).map(TopP),
    st.floats(0.001, 1).map(MinP),
)


def kept(logprobs: np.ndarray) -> list[int]:
    return np.flatnonzero(logprobs > -np.inf).tolist()


def holds_rule_6(stage: Stage, before: np.ndarray) -> None:
    copy = before.copy()
    after = stage(before)
    assert np.array_equal(before, copy), "the input changed"
    assert math.fsum(np.exp(after)) == pytest.approx(1, abs=1e-9), "the output does not sum to 1"
    assert set(kept(after)) <= set(kept(before)), "a removed piece came back"
    assert int(np.argmax(before)) in kept(after), "the best piece was removed"


@given(logits, stages)
def test_every_stage_is_pure_and_gives_a_distribution(z: np.ndarray, stage: Stage) -> None:
    holds_rule_6(stage, log_softmax(z))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda p: p - np.log(2), "sum to 1"),
        (lambda p: np.multiply(p, 2, out=p), "input changed"),
        (lambda p: log_softmax(np.where(p == -np.inf, -9, p)), "came back"),
        (lambda p: np.where(p == p.max(), -np.inf, np.where(p == p.min(), 0.0, -np.inf)), "came back|best piece"),
    ],
)
def test_rule_6_catches_a_wrong_stage(wrong: Stage, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        holds_rule_6(wrong, log_softmax(np.array([0.0, 1.0, -np.inf, 0.3])))


@given(logits, st.integers(1, 30))
def test_top_k_keeps_exactly_k_ties_by_id(z: np.ndarray, k: int) -> None:
    p = log_softmax(z)
    alive = [id for id in sorted(range(len(p)), key=lambda id: (-p[id], id)) if p[id] > -np.inf]
    assert kept(TopK(k)(p)) == sorted(alive[:k])


def test_top_k_by_threshold_would_keep_ties() -> None:
    p = log_softmax(np.zeros(5))
    by_threshold = [id for id in range(5) if p[id] >= np.sort(p)[-2]]
    assert kept(TopK(2)(p)) == [0, 1] != by_threshold


def nucleus(p: np.ndarray, mass: float, keep_crossing: bool = True) -> list[int]:
    chosen: list[int] = []
    total = 0.0
    for id in sorted(range(len(p)), key=lambda id: (-p[id], id)):
        if total >= mass - 1e-12 or p[id] == 0:
            break
        total += p[id]
        chosen.append(id)
    return sorted(chosen if keep_crossing or total <= mass or len(chosen) == 1 else chosen[:-1])


@given(logits, st.floats(0.001, 0.999))
def test_top_p_is_the_smallest_set_that_reaches_p(z: np.ndarray, mass: float) -> None:
    p = log_softmax(z)
    assert kept(TopP(mass)(p)) == nucleus(np.exp(p), mass)


@pytest.mark.parametrize(("mass", "stay"), [(0.4, [0]), (0.5, [0]), (0.6, [0, 1]), (0.8, [0, 1]), (0.81, [0, 1, 2])])
def test_top_p_keeps_the_piece_that_crosses(mass: float, stay: list[int]) -> None:
    p = np.log([0.5, 0.3, 0.2])
    assert kept(TopP(mass)(p)) == stay
    if mass not in (0.4, 0.5, 0.8):  # the wrong rule, which drops the crossing piece, gives another set
        assert nucleus(np.exp(p), mass, keep_crossing=False) != stay


def test_top_p_counts_a_rounded_sum_as_reached() -> None:
    assert 0.1 + 0.7 < 0.8  # in floats
    assert kept(TopP(0.8)(np.log([0.7, 0.1, 0.2]))) == [0, 2]
    assert kept(TopP(0.8)(np.log([0.7, 0.1, 0.1, 0.1]))) == [0, 1]


def test_min_p_by_hand() -> None:
    p = np.log([0.5, 0.25, 0.2, 0.05])
    assert kept(MinP(0.5)(p)) == [0, 1]
    assert kept(MinP(0.1)(p)) == [0, 1, 2, 3]  # 0.05 is exactly a tenth of 0.5
    assert kept(MinP(0.11)(p)) == [0, 1, 2]


def test_temperature_by_hand_and_at_its_limits() -> None:
    p = np.log([0.5, 0.3, 0.2])
    squares = np.array([0.25, 0.09, 0.04])
    assert np.exp(Temperature(0.5)(p)) == pytest.approx(squares / squares.sum())
    for tiny in (0.0, 5e-324, 1e-300, 1e-6):
        assert np.exp(Temperature(tiny)(p)).tolist() == [1.0, 0.0, 0.0]
    assert np.exp(Temperature(100)(p)) == pytest.approx([1 / 3] * 3, abs=0.005)
    assert kept(Temperature(0)(np.log([0.4, 0.4, 0.2]))) == [0]  # greedy, the lowest id among equals


def test_the_order_is_temperature_top_k_top_p_min_p() -> None:
    decoding = Decoding(temperature=0.5, top_k=3, top_p=0.9, min_p=0.1)
    assert decoding.stages == (Temperature(0.5), TopK(3), TopP(0.9), MinP(0.1))
    assert decoding.label == "temperature 0.5 → top-k 3 → top-p 0.9 → min-p 0.1"
    p = np.log([0.4, 0.3, 0.2, 0.1])
    other_order = TopP(0.75)(p)
    assert kept(decode(p, Decoding(temperature=0.5, top_p=0.75)).logprobs) == [0, 1]
    assert kept(Temperature(0.5)(other_order)) == [0, 1, 2]  # top-p first would keep one more


def test_each_stage_leaves_a_trace() -> None:
    done = decode(np.log([0.4, 0.3, 0.2, 0.1]), Decoding(top_k=3, top_p=0.7))
    assert [(t.label, t.kept, round(t.removed, 9)) for t in done.traces] == [
        ("top-k 3", 3, 0.1),
        ("top-p 0.7", 2, round(2 / 9, 9)),  # of what top-k left
    ]
    assert done.kept == 2
    assert np.exp(done.logprobs) == pytest.approx([4 / 7, 3 / 7, 0, 0])


def test_neutral_settings_change_nothing() -> None:
    p = log_softmax(np.array([0.0, 1.0, 2.0]))
    done = decode(p, Decoding())
    assert done.traces == () and np.array_equal(done.logprobs, p)
    assert Decoding().label == "the model's own distribution"
    assert Decoding(mode="greedy", temperature=2, top_k=5).stages == (Greedy(),)


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "beam"},
        {"temperature": -0.1},
        {"temperature": math.inf},
        {"temperature": math.nan},
        {"top_k": -1},
        {"top_k": 2.5},
        {"top_k": math.nan},
        {"top_p": 0.0},
        {"top_p": 1.01},
        {"top_p": math.nan},
        {"min_p": -0.1},
        {"min_p": 1.5},
        {"min_p": math.nan},
    ],
    ids=str,
)
def test_values_out_of_range_are_a_problem(settings: dict[str, float]) -> None:
    with pytest.raises(Problem, match="allowed"):
        Decoding(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(6))
def test_parity_with_the_warpers_of_transformers(seed: int) -> None:
    import torch
    from transformers.generation.logits_process import (
        MinPLogitsWarper,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    z = np.random.default_rng(seed).normal(0, 3, 500)
    temperature, k, mass, m = [(0.7, 50, 0.9, 0.05), (1.6, 200, 0.95, 0.01), (0.3, 7, 0.5, 0.3)][seed % 3]
    pairs: list[tuple[Stage, Any]] = [
        (Temperature(temperature), TemperatureLogitsWarper(temperature)),
        (TopK(k), TopKLogitsWarper(k)),
        (TopP(mass), TopPLogitsWarper(mass)),
        (MinP(m), MinPLogitsWarper(m)),
    ]
    theirs, ours = torch.tensor(z)[None], log_softmax(z)
    for stage, warper in pairs:
        theirs, ours = warper(None, theirs), stage(ours)
        expected = torch.log_softmax(theirs[0], dim=-1).numpy()
        assert kept(ours) == kept(expected)
        assert ours[kept(ours)] == pytest.approx(expected[kept(ours)], abs=1e-9)
    decoding = Decoding(temperature=temperature, top_k=k, top_p=mass, min_p=m)
    assert np.array_equal(decode(log_softmax(z), decoding).logprobs, ours)


@given(logits, st.lists(stages, min_size=2, max_size=4))
def test_no_later_stage_brings_a_piece_back(z: np.ndarray, chain: list[Stage]) -> None:
    steps = [log_softmax(z)]
    for stage in chain:
        steps.append(stage(steps[-1]))
    assert all(set(kept(later)) <= set(kept(earlier)) for earlier, later in pairwise(steps))
