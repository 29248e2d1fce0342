"""Decoding stages: pure, a distribution each, parity with the warpers of transformers, in any order, and partial."""

from __future__ import annotations

import json
import math
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.pipeline import Chain, Decoded, Pipeline, decode
from arplay.core.decoding.stage import Context, Field, Stage, State, Words
from arplay.core.decoding.stages import STAGES
from arplay.core.decoding.trace import apart
from arplay.core.distribution import Distribution, log_softmax
from arplay.core.errors import Problem

values = st.sampled_from([-np.inf, -40.0, -2.0, -1.0, 0.0, 0.0, 1.0, 3.0])
logits = arrays(np.float64, st.integers(1, 25), elements=values).filter(lambda z: np.isfinite(z.max()))


WORDS = {"bias": ['{"#0": -0.5}', '{"#1": 2, "#900": 1}'], "ban": ["#900", '["#900", "#901"]'], "dry": ["", ':,"\n']}
NEEDS_MORE = {"regex", "json-schema", "choices", "guidance", "contrastive", "begins"}
"""Stages that use what the context brings: each has its own tests."""
MAY_REMOVE_THE_BEST = {"xtc", "typical", "ban"}


def number(stage: str, field: Field | Words) -> st.SearchStrategy[float | str]:
    """Anything that a stage's number may be, and not larger than matters."""
    if isinstance(field, Words):
        return st.sampled_from(WORDS[stage])
    most = min(field.high, 100)
    return (
        st.integers(int(field.low), int(most)) if field.whole else st.floats(field.low + field.above_low * 1e-3, most)
    )


stages = st.one_of(
    *(
        st.tuples(st.just(name), st.tuples(*(number(name, field) for field in stage.fields)))
        for name, stage in STAGES.items()
        if name not in NEEDS_MORE
    )
)
pipelines = st.lists(stages, max_size=5).map(lambda chosen: Pipeline(tuple(chosen)))


def kept(logprobs: np.ndarray) -> list[int]:
    return np.flatnonzero(logprobs > -np.inf).tolist()


def one(stage: str, *values: float) -> Any:
    pipeline = Pipeline(((stage, values),))
    return pipeline.apply


def full(logprobs: np.ndarray) -> Distribution:
    return Distribution(len(logprobs), logprobs)


def holds_rule_8(apply: Any, before: np.ndarray, keeps_best: bool = True) -> None:
    copy = before.copy()
    after = apply(before)
    assert np.array_equal(before, copy), "the input changed"
    assert math.fsum(np.exp(after)) == pytest.approx(1, abs=1e-9), "the output does not sum to 1"
    assert set(kept(after)) <= set(kept(before)), "a removed token came back"
    assert not keeps_best or int(np.argmax(before)) in kept(after), "the best token was removed"


@given(logits, pipelines)
def test_every_pipeline_is_pure_and_gives_a_distribution(z: np.ndarray, pipeline: Pipeline) -> None:
    moves = MAY_REMOVE_THE_BEST | {"bias"}  # behind which another token is the best
    holds_rule_8(pipeline.apply, log_softmax(z), not any(name in moves for name, _ in pipeline.stages))
    left = decode(Distribution(len(z), log_softmax(z)), pipeline).distribution
    assert np.array_equal(left.support, np.flatnonzero(left.logprobs > -np.inf)), "it is told, not looked for"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda p: p - np.log(2), "sum to 1"),
        (lambda p: np.multiply(p, 2, out=p), "input changed"),
        (lambda p: log_softmax(np.where(p == -np.inf, -9, p)), "came back"),
        (lambda p: np.where(p == p.max(), -np.inf, np.where(p == p.min(), 0.0, -np.inf)), "came back|best token"),
    ],
)
def test_rule_8_catches_a_wrong_stage(wrong: Any, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        holds_rule_8(wrong, log_softmax(np.array([0.0, 1.0, -np.inf, 0.3])))


@given(logits, st.integers(1, 30))
def test_top_k_keeps_exactly_k_ties_by_id(z: np.ndarray, k: int) -> None:
    p = log_softmax(z)
    alive = [id for id in sorted(range(len(p)), key=lambda id: (-p[id], id)) if p[id] > -np.inf]
    assert kept(one("top-k", k)(p)) == sorted(alive[:k])


def test_top_k_by_threshold_would_keep_ties() -> None:
    p = log_softmax(np.zeros(5))
    by_threshold = [id for id in range(5) if p[id] >= np.sort(p)[-2]]
    assert kept(one("top-k", 2)(p)) == [0, 1] != by_threshold


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
    assert kept(one("top-p", mass)(p)) == nucleus(np.exp(p), mass)


@pytest.mark.parametrize(("mass", "stay"), [(0.4, [0]), (0.5, [0]), (0.6, [0, 1]), (0.8, [0, 1]), (0.81, [0, 1, 2])])
def test_top_p_keeps_the_token_that_crosses(mass: float, stay: list[int]) -> None:
    p = np.log([0.5, 0.3, 0.2])
    assert kept(one("top-p", mass)(p)) == stay
    if mass not in (0.4, 0.5, 0.8):  # the wrong rule, which drops the crossing token, gives another set
        assert nucleus(np.exp(p), mass, keep_crossing=False) != stay


def test_top_p_counts_a_rounded_sum_as_reached() -> None:
    assert 0.1 + 0.7 < 0.8  # in floats
    assert kept(one("top-p", 0.8)(np.log([0.7, 0.1, 0.2]))) == [0, 2]
    assert kept(one("top-p", 0.8)(np.log([0.7, 0.1, 0.1, 0.1]))) == [0, 1]


def test_min_p_by_hand() -> None:
    p = np.log([0.5, 0.25, 0.2, 0.05])
    assert kept(one("min-p", 0.5)(p)) == [0, 1]
    assert kept(one("min-p", 0.1)(p)) == [0, 1, 2, 3]  # 0.05 is exactly a tenth of 0.5
    assert kept(one("min-p", 0.11)(p)) == [0, 1, 2]


def test_temperature_by_hand_and_at_its_limits() -> None:
    p = np.log([0.5, 0.3, 0.2])
    squares = np.array([0.25, 0.09, 0.04])
    assert np.exp(one("temperature", 0.5)(p)) == pytest.approx(squares / squares.sum())
    for tiny in (0.0, 5e-324, 1e-300, 1e-6):
        assert np.exp(one("temperature", tiny)(p)).tolist() == [1.0, 0.0, 0.0]
    assert np.exp(one("temperature", 100)(p)) == pytest.approx([1 / 3] * 3, abs=0.005)
    assert kept(one("temperature", 0)(np.log([0.4, 0.4, 0.2]))) == [0]  # greedy, the lowest id among equals


def test_the_order_is_data() -> None:
    usual = Pipeline.of(min_p=0.1, temperature=0.5, top_p=0.9, top_k=3)
    assert usual.label == "temperature 0.5 → top-k 3 → top-p 0.9 → min-p 0.1"
    p = np.log([0.4, 0.3, 0.2, 0.1])
    assert kept(Pipeline("temperature:0.5,top-p:0.75").apply(p)) == [0, 1]
    assert kept(Pipeline("top-p:0.75,temperature:0.5").apply(p)) == [0, 1, 2]  # top-p first keeps one more


def by_hand(p: np.ndarray, stages: tuple[tuple[str, tuple[float, ...]], ...]) -> np.ndarray:
    """The same stages one after the other, each renormalised: slower, and how they are defined."""
    for stage in stages:
        p = Pipeline((stage,)).apply(p)
    return p


@given(logits, pipelines)
def test_renormalising_once_is_renormalising_after_each_stage(z: np.ndarray, pipeline: Pipeline) -> None:
    p = log_softmax(z)
    at_once, one_by_one = pipeline.apply(p), by_hand(p, pipeline.stages)
    assert kept(at_once) == kept(one_by_one)
    assert np.exp(at_once) == pytest.approx(np.exp(one_by_one), abs=1e-9)


def test_each_stage_leaves_a_trace() -> None:
    done = decode(full(np.log([0.4, 0.3, 0.2, 0.1])), Pipeline.of(top_k=3, top_p=0.7))
    assert [(t.label, t.kept, round(t.removed, 9)) for t in done.traces] == [
        ("top-k 3", 3, 0.1),
        ("top-p 0.7", 2, round(2 / 9, 9)),  # of what top-k left
    ]
    assert len(done.candidates) == 2
    assert np.exp(done.logprobs) == pytest.approx([4 / 7, 3 / 7, 0, 0])


@given(logits, pipelines)
def test_traces_are_of_what_each_stage_was_given(z: np.ndarray, pipeline: Pipeline) -> None:
    p = log_softmax(z)
    for (name, values), trace in zip(pipeline.stages, decode(full(p), pipeline).traces, strict=True):
        after = Pipeline(((name, values),)).apply(p)
        gone = [id for id in kept(p) if id not in kept(after)]
        assert trace.kept == len(kept(after)) and trace.label.startswith(name)
        assert trace.removed == pytest.approx(math.fsum(np.exp(p[gone])), abs=1e-9)
        p = after


def test_what_is_removed_is_told_however_little_it_is() -> None:
    p = log_softmax(np.array([0.0, -50.0]))
    assert decode(full(p), Pipeline.of(top_k=1)).traces[0].removed == pytest.approx(math.exp(-50))
    assert 1 - np.exp(p[0]) == 0  # negative control: one minus the rest would have told nothing


def test_neutral_settings_change_nothing() -> None:
    own = full(log_softmax(np.array([0.0, 1.0, 2.0])))
    done = decode(own, Pipeline.of(temperature=1, top_k=0, top_p=1, min_p=0))
    assert done.traces == () and done.distribution is own
    assert Pipeline().label == "the model's own distribution"
    assert Pipeline.of(greedy=True).put("top-k", 5).label == "top-k 5 → greedy"


def test_a_number_is_put_where_its_stage_is() -> None:
    mine = Pipeline("top-p:0.9,temperature:0.5")
    assert mine.put("temperature", 0.7).spelled == "top-p:0.9,temperature:0.7"
    assert mine.put("top-k", 4).spelled == "top-k:4,top-p:0.9,temperature:0.5"
    assert mine.put("top-p", 1).spelled == "temperature:0.5"
    assert mine.without("temperature").spelled == "top-p:0.9" == mine.put("temperature", 1).spelled
    assert mine.has("top-p") and not mine.has("greedy")


@given(pipelines)
def test_a_pipeline_is_what_it_was_written_as(pipeline: Pipeline) -> None:
    assert Pipeline(pipeline.spelled) == pipeline == Pipeline(pipeline.as_json)
    assert Pipeline(json.dumps(pipeline.as_json)) == pipeline


def test_what_the_first_version_wrote_is_read() -> None:
    former = {"mode": "greedy", "temperature": 0.5, "top_k": 40, "top_p": 1.0, "min_p": 0.0}
    assert Pipeline(former) == Pipeline.of(temperature=0.5, top_k=40, greedy=True)


@pytest.mark.parametrize(
    "text",
    [
        "beam", "temperature", "temperature:", "temperature:-0.1", "temperature:inf", "temperature:nan",
        "temperature:1:2", "top-k:-1", "top-k:2.5", "top-k:nan", "top-k:1e400", f"top-k:{'9' * 5000}", "top-p:0.0",
        "top-p:1.01", "top-p:nan", "min-p:-0.1", "min-p:1.5", "min-p:nan", "greedy:1", "temperature:hot", "x" * 9999,
        "{", "[" * 100_000, "[1]", "[[]]", "{}", '{"mode": "beam"}', '[{"stage": 3}]',
        '[{"stage": "top-k", "k": true}]',
        '[{"stage": "top-k", "k": "2"}]', '[{"stage": "top-k", "p": 2}]', '[{"stage": "min-p", "m": NaN}]',
        ",".join(["top-k:2"] * 65),
    ],
)  # fmt: skip
def test_what_is_no_pipeline_is_a_problem_in_a_sentence(text: str) -> None:
    with pytest.raises(Problem) as caught:
        Pipeline(text)
    assert len(str(caught.value)) < 500 and caught.value.remedy


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
    pairs: list[tuple[str, float, Any]] = [
        ("temperature", temperature, TemperatureLogitsWarper(temperature)),
        ("top-k", k, TopKLogitsWarper(k)),
        ("top-p", mass, TopPLogitsWarper(mass)),
        ("min-p", m, MinPLogitsWarper(m)),
    ]
    for order in permutations(pairs, 4):
        theirs = torch.tensor(z)[None]
        for _, _, warper in order:
            theirs = warper(None, theirs)
        expected = torch.log_softmax(theirs[0], dim=-1).numpy()
        ours = Pipeline(tuple((name, (value,)) for name, value, _ in order)).apply(log_softmax(z))
        assert kept(ours) == kept(expected)
        assert ours[kept(ours)] == pytest.approx(expected[kept(ours)], abs=1e-9)


@given(logits, st.lists(stages, min_size=2, max_size=4))
def test_no_later_stage_brings_a_token_back(z: np.ndarray, chain: list[Any]) -> None:
    steps = [log_softmax(z)]
    for stage in chain:
        steps.append(Pipeline((stage,)).apply(steps[-1]))
    assert all(set(kept(later)) <= set(kept(earlier)) for earlier, later in pairwise(steps))


# ---- partial distributions

KNOWN = Distribution(1000, np.log([0.2, 0.5, 0.1]), np.array([30, 10, 20]))


def shares(done: Decoded) -> dict[int, float]:
    left = done.candidates
    return dict(zip(left.ids.tolist(), np.round(left.weights / left.total, 6).tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("top-k:1", {10: 1.0}),
        ("top-k:3,temperature:0.5", {10: round(0.25 / 0.3, 6), 20: round(0.01 / 0.3, 6), 30: round(0.04 / 0.3, 6)}),
        ("top-p:0.6", {10: round(5 / 7, 6), 30: round(2 / 7, 6)}),
        ("top-p:0.8", {10: 0.625, 20: 0.125, 30: 0.25}),
        ("min-p:0.3", {10: round(5 / 7, 6), 30: round(2 / 7, 6)}),
        ("greedy", {10: 1.0}),
        ("temperature:0", {10: 1.0}),
    ],
)
def test_what_is_known_suffices(text: str, left: dict[int, float]) -> None:
    done = decode(KNOWN, Pipeline(text))
    assert shares(done) == left and done.candidates.unknown == (0, 0.0)
    assert done.distribution.full and done.logprobs[500] == -np.inf
    assert sum(np.exp(done.logprobs)) == pytest.approx(1)


@pytest.mark.parametrize("text", ["temperature:0.5", "top-k:4", "top-p:0.81", "min-p:0.1", "top-p:0.81,top-k:2"])
def test_what_nobody_knows_is_not_invented(text: str) -> None:
    with pytest.raises(Problem, match="tells only 3 of 1,000"):
        decode(KNOWN, Pipeline(text))


def test_without_a_stage_the_rest_is_one_mass() -> None:
    done = decode(KNOWN, Pipeline())
    assert done.distribution is KNOWN and len(done.candidates) == 3
    assert done.candidates.unknown == (997, pytest.approx(0.2))


# ---- stages with state, and a stage from outside the package


class _NoRepeat:
    """Never the token that was chosen last."""

    def __init__(self) -> None:
        self.last: int | None = None

    def apply(self, candidates: Candidates, context: Context) -> Candidates:
        left = np.flatnonzero(candidates.ids != self.last)
        return candidates.keep(left) if len(left) else candidates

    def accept(self, id: int) -> None:
        self.last = id

    def reset(self) -> None:
        self.last = None

    def clone(self) -> State:
        other = _NoRepeat()
        other.last = self.last
        return other


def _only_new(candidates: Candidates, context: Context) -> Candidates:
    assert context.tokens is None
    return candidates.keep(np.flatnonzero(~np.isin(candidates.ids, context.ids)))


@pytest.fixture
def two_more(monkeypatch: pytest.MonkeyPatch) -> None:
    remembering = Stage("no-last", "No repeat", "Never the last one.", "", "", begin=_NoRepeat)
    looking = Stage("only-new", "Only new", "Nothing twice.", "", "", apply=_only_new)
    for stage in (remembering, looking):
        monkeypatch.setitem(STAGES, stage.name, stage)


def test_a_stage_remembers_what_was_chosen(two_more: None) -> None:
    own = full(np.log([0.5, 0.3, 0.2]))
    chain = Chain(Pipeline("no-last,greedy"))
    assert kept(chain.apply(own).logprobs) == [0] == kept(chain.apply(own).logprobs)
    chain.accept(0)
    branch = chain.clone()
    assert kept(chain.apply(own).logprobs) == [1]
    chain.accept(1)
    assert (kept(chain.apply(own).logprobs), kept(branch.apply(own).logprobs)) == ([0], [1])
    chain.reset()
    branch.accept(2)
    assert kept(chain.apply(own).logprobs) == [0] == kept(branch.apply(own).logprobs)


def test_a_stage_sees_the_tokens_so_far(two_more: None) -> None:
    own = full(np.log([0.5, 0.3, 0.2]))
    done = decode(own, Pipeline("only-new"), Context(np.array([0, 0])))
    assert kept(done.logprobs) == [1, 2]
    with pytest.raises(Problem, match="no-last, only-new"):  # the table says what there is
        Pipeline("beam")


# ---- what each stage did


def test_entropy_and_divergence_by_hand() -> None:
    # 0.5, 0.25, 0.25 has 1.5 bits; top-k 2 leaves 2/3 and 1/3: 0.9183 bits; its KL is log(1 / 0.75)
    trace = decode(full(np.log([0.5, 0.25, 0.25])), Pipeline("top-k:2")).traces[0]
    assert trace.entropies is not None and trace.divergence is not None
    assert np.divide(trace.entropies, math.log(2)) == pytest.approx([1.5, 0.918296], abs=1e-6)
    assert trace.divergence == pytest.approx(math.log(4 / 3))
    assert (trace.kept, trace.gone, trace.removed) == (2, 1, pytest.approx(0.25))
    assert trace.as_dict()["stage"] == "top-k" and json.dumps(trace.as_dict())


@given(logits, pipelines)
def test_the_last_divergence_is_that_of_what_is_drawn_from(z: np.ndarray, pipeline: Pipeline) -> None:
    done = decode(full(log_softmax(z)), pipeline)
    if done.traces:
        alive = done.logprobs > -np.inf
        q, p = done.logprobs[alive], done.own.logprobs[alive]
        assert done.traces[-1].divergence == pytest.approx(float(np.sum(np.exp(q) * (q - p))), abs=1e-9)
        for trace in done.traces:
            assert trace.entropies is not None
            assert trace.entropies[1] <= math.log(max(1, trace.kept)) + 1e-9


def test_where_a_token_went() -> None:
    done = decode(full(np.log([0.4, 0.3, 0.2, 0.1])), Pipeline("top-k:3,top-p:0.7"))
    lost = done.lost(3)
    assert lost is not None and (lost.label, lost.rank, lost.kept) == ("top-k 3", 4, 3)
    assert (lost.prob, lost.least) == (pytest.approx(0.1), pytest.approx(0.2))
    lost = done.lost(2)
    assert lost is not None and (lost.label, lost.rank, lost.kept) == ("top-p 0.7", 3, 2)
    assert (lost.prob, lost.least) == (pytest.approx(2 / 9), pytest.approx(3 / 9))
    assert done.lost(0) is None


@given(logits, pipelines)
def test_every_token_stays_or_has_one_stage_that_removed_it(z: np.ndarray, pipeline: Pipeline) -> None:
    p = log_softmax(z)
    done = decode(full(p), pipeline)
    for id in kept(p):
        assert (done.lost(id) is None) == (done.logprobs[id] > -np.inf)


def test_how_far_two_orders_are_apart() -> None:
    p = full(np.log([0.4, 0.3, 0.2, 0.1]))
    one, other = (decode(p, Pipeline(text)) for text in ("temperature:0.5,top-p:0.75", "top-p:0.75,temperature:0.5"))
    # 0.64, 0.36 of two tokens beside 16/29, 9/29, 4/29 of three
    assert apart(one.candidates, other.candidates) == pytest.approx(4 / 29)
    assert apart(one.candidates, one.candidates) == 0
