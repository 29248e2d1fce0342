"""Beam search: the sequences and scores of transformers, the mode where it is wide enough, and what became of each."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arplay
from arplay.core.beam_tree import tree_of
from arplay.core.beams import BeamSearch, Hypothesis, Rules, exhaustive
from arplay.core.errors import Problem

EOS = 3


@pytest.fixture(scope="module")
def network() -> Any:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    shape = {"vocab_size": 24, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64}
    made = GPT2LMHeadModel(GPT2Config(**shape, initializer_range=0.9)).eval().double()
    made.generation_config.eos_token_id = made.generation_config.pad_token_id = EOS
    return made


def searched(network: Any, prompt: list[int], rules: Rules) -> BeamSearch:
    import torch

    search = BeamSearch(rules)
    while not search.done:
        rows = torch.tensor([[*prompt, *beam.ids] for beam in search.beams])
        with torch.no_grad():
            logits = network(rows, use_cache=False).logits[:, -1].float()
        search.expand(torch.log_softmax(logits, dim=-1).double().numpy())
    return search


@pytest.mark.parametrize("stop", ["soon", "full", "never"])
@pytest.mark.parametrize("penalty", [0.0, 1.0, -0.7, 2.0])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_sequences_and_scores_are_those_of_transformers(network: Any, width: int, penalty: float, stop: Any) -> None:
    import torch

    for seed in range(3):
        prompt = np.random.default_rng(seed).integers(4, 24, 5).tolist()
        out = network.generate(
            torch.tensor([prompt]), num_beams=width, num_return_sequences=width, do_sample=False, max_new_tokens=9,
            length_penalty=penalty, early_stopping={"soon": False, "full": True, "never": "never"}[stop],
            return_dict_in_generate=True, output_scores=True,
        )  # fmt: skip
        found = searched(network, prompt, Rules(width, 9, (EOS,), penalty, stop)).finished
        theirs = [_until_end(row[len(prompt) :].tolist()) for row in out.sequences]
        assert [list(each.ids) for each in found] == theirs
        if width > 1:  # one beam is greedy search there, which has no scores of sequences
            assert [each.score for each in found] == pytest.approx(out.sequences_scores.tolist(), abs=1e-5)


def _until_end(ids: list[int]) -> list[int]:
    return [*itertools.takewhile(lambda id: id != EOS, ids), *([EOS] if EOS in ids else [])]


def table(seed: int, size: int = 4, most: int = 4) -> dict[tuple[int, ...], np.ndarray]:
    """p of the next token behind every chain."""
    rng, found = np.random.default_rng(seed), {}
    for length in range(most):
        for ids in itertools.product(range(size), repeat=length):
            found[ids] = np.log(rng.dirichlet(np.full(size, 0.5)) + 1e-12)
    return found


def run(rows: dict[tuple[int, ...], np.ndarray], rules: Rules) -> BeamSearch:
    search = BeamSearch(rules)
    while not search.done:
        search.expand(np.array([rows[beam.ids] for beam in search.beams]))
    return search


@given(st.integers(0, 10_000))
def test_wide_enough_it_finds_the_mode_and_narrow_it_may_miss_it(seed: int) -> None:
    rows = table(seed, 3, 3)
    rules = Rules(64, 3, (0,), 0.0, "never")
    every = sorted(exhaustive(lambda ids: rows[tuple(ids)], rules), key=lambda each: -each.logprob)
    assert run(rows, rules).finished[0].ids == every[0].ids
    assert np.exp([each.logprob for each in every]).sum() == pytest.approx(1, abs=1e-9)  # of every chain that ends
    for width in (1, 2):
        found = run(rows, Rules(width, 3, (0,), 0.0, "never")).finished[0]
        assert found.logprob <= every[0].logprob + 1e-12


def test_on_abc_search_stands_beside_every_chain() -> None:
    model = arplay.load("abc")
    rows = {
        ids: model.next("".join("ABC"[id] for id in ids)).logprobs
        for length in range(3)
        for ids in itertools.product(range(3), repeat=length)
    }
    every = sorted(exhaustive(lambda ids: rows[tuple(ids)], Rules(1, 3)), key=lambda each: -each.logprob)
    assert np.exp([each.logprob for each in every]).sum() == pytest.approx(1)
    found = {width: run(rows, Rules(width, 3, (), 0.0)).finished[0] for width in (1, 2, 9)}
    greedy: tuple[int, ...] = ()
    for _ in range(3):
        greedy = (*greedy, int(np.argmax(rows[greedy])))
    assert found[1].ids == greedy
    assert found[9].ids == every[0].ids


@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from(["soon", "full", "never"]), st.floats(-1, 2))
def test_each_candidate_has_one_fate_and_totals_are_sums(seed: int, width: int, stop: Any, penalty: float) -> None:
    rows = table(seed)
    search, rules = BeamSearch(Rules(width, 4, (0,), penalty, stop)), None
    del rules
    while not search.done:
        before = search.beams
        step = search.expand(np.array([rows[beam.ids] for beam in before]))
        assert [each.rank for each in step.candidates] == list(range(1, len(step.candidates) + 1))
        assert sorted((each.total for each in step.candidates), reverse=True) == [
            each.total for each in step.candidates
        ]
        going = [each for each in step.candidates if each.fate == "goes on"]
        if not search.done:
            assert [(each.parent, each.id) for each in going] == list(zip(step.parents, step.ids, strict=True))
        for each in step.candidates:
            own = before[each.parent]
            assert each.total == pytest.approx(own.logprob + rows[own.ids][each.id])
        assert len(going) <= width
    for found in search.finished:
        assert found.logprob == pytest.approx(sum(rows[found.ids[:at]][id] for at, id in enumerate(found.ids)))
        assert found.score == pytest.approx(found.logprob / len(found.ids) ** penalty)
    scores = [each.score for each in search.finished]
    assert scores == sorted(scores, reverse=True) and len(scores) <= width


def test_groups_do_not_take_the_same_tokens() -> None:
    rows = table(1, 6, 3)
    alike = run(rows, Rules(3, 3, (), 0.0, groups=3, diversity=0.0)).finished
    assert len({each.ids for each in alike}) == 1  # without a price each group finds the same
    apart = run(rows, Rules(3, 3, (), 0.0, groups=3, diversity=50.0)).finished
    assert len({each.ids[0] for each in apart}) == 3
    one = run(rows, Rules(1, 3, (), 0.0)).finished[0]
    assert next(each for each in apart if each.group == 0).ids == one.ids


def test_what_diversity_takes_is_told_apart_from_the_probability() -> None:
    rows = table(3, 3, 3)
    rules = Rules(4, 3, (), 1.0, groups=2, diversity=1.5)
    search, steps = BeamSearch(rules), []
    while not search.done:
        steps.append(search.expand(np.array([rows[beam.ids] for beam in search.beams])))
    totals = {
        ids: sum(float(rows[ids[:at]][id]) for at, id in enumerate(ids))
        for ids in itertools.product(range(3), repeat=3)
    }
    paid = [each for each in search.finished if each.paid]
    assert paid, "negative control: the second group paid"
    for each in search.finished:
        assert each.logprob == pytest.approx(totals[each.ids])
        assert each.score == pytest.approx((each.logprob - each.paid) / 3)
    for leaf in tree_of(steps, 2):
        assert leaf.logprob == pytest.approx(float(rows[leaf.ids[:-1]][leaf.ids[-1]]))
    assert {(leaf.ids, leaf.paid) for leaf in tree_of(steps, 2)} >= {(each.ids, each.paid) for each in search.finished}


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0}, {"width": 257}, {"most": 0}, {"groups": 2, "width": 3}, {"groups": 0},
        {"length_penalty": float("nan")}, {"diversity": -1.0}, {"diversity": float("inf")},
    ],
)  # fmt: skip
def test_rules_that_cannot_be_are_a_problem(wrong: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        Rules(**({"width": 2, "most": 3} | wrong))


def test_too_many_chains_are_refused_before_memory_is_full() -> None:
    with pytest.raises(Problem, match="more than 100 chains"):
        list(exhaustive(lambda ids: np.zeros(10), Rules(1, 9), most_chains=100))


def test_tokens_that_cannot_be_are_no_candidates() -> None:
    search = BeamSearch(Rules(4, 1))
    step = search.expand(np.array([[0.0, -np.inf, -np.inf]]))
    assert [each.id for each in step.candidates] == [0] and search.finished == (Hypothesis((0,), 0.0, 0.0),)
