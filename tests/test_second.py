"""Guidance and contrastive decoding: as in transformers and as defined, in Python, sampling and the window."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytestqt.qtbot import QtBot

import arplay
from arplay.core import kept
from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.decoding.stage import Context
from arplay.core.distribution import Distribution, log_softmax
from arplay.core.errors import Problem
from arplay.export import sessionfile
from arplay.gui.intents import Change, Do
from tests.sessions import only
from tests.tiny_models import one_thread, tiny_folders
from tests.windows_open import Open, opened, settle

__all__ = ["one_thread", "opened", "tiny_folders"]

logits = arrays(np.float64, 7, elements=st.floats(-9, 9))


def full(z: np.ndarray) -> Distribution:
    return Distribution.from_logits(z)


def test_guidance_is_that_of_transformers(tiny_folders: dict[str, Path]) -> None:
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.generation.logits_process import UnbatchedClassifierFreeGuidanceLogitsProcessor as Guidance

    model = arplay.load(tiny_folders["gpt2"])
    network = AutoModelForCausalLM.from_pretrained(tiny_folders["gpt2"], dtype=torch.float32).eval()
    scale, against, seed = 1.7, "unlike it", 5
    sample = model.sample("once upon", 6, seed=seed, pipeline=[("guidance", (scale, against))])
    first = model.next("once upon")
    chain = [*first.answer.lead, *first.answer.prefix.ids.tolist()]
    other = model.next(against)
    unlike = [*other.answer.lead, *other.answer.prefix.ids.tolist()]
    processor = Guidance(scale, network, torch.tensor([unlike]), use_cache=False)
    for step in sample.steps:
        ids = torch.tensor([chain])
        with torch.no_grad():
            expected = torch.log_softmax(processor(ids, network(ids).logits[:, -1]), dim=-1)[0]
        assert np.log(step.decoded_prob) == pytest.approx(float(expected[step.id]), abs=1e-4)
        assert step.decoded_prob != pytest.approx(step.prob, rel=1e-3)  # negative control: it does something
        chain.append(step.id)
    after = model.next("once upon", [("guidance", (scale, against))])
    assert after.decoded.logprobs[sample.ids[0]] == pytest.approx(np.log(sample.steps[0].decoded_prob))


@given(logits, logits, st.floats(0.01, 1))
def test_contrastive_decoding_is_its_definition(z: np.ndarray, weak: np.ndarray, alpha: float) -> None:
    expert, amateur = log_softmax(z), log_softmax(weak)
    context = Context(others={("contrastive", "weak"): full(weak)})
    found = decode(full(z), Pipeline([("contrastive", (alpha, "weak"))]), context).logprobs
    head = expert >= np.log(alpha) + expert.max()
    assert np.flatnonzero(np.isfinite(found)).tolist() == np.flatnonzero(head).tolist()
    assert found[head] == pytest.approx(log_softmax((expert - amateur)[head]), abs=1e-9)


@given(logits, logits, st.sampled_from((0.0, 0.5, 2.0)))
def test_guidance_is_its_definition_and_sums_to_one(z: np.ndarray, other: np.ndarray, scale: float) -> None:
    context = Context(others={("guidance", "x"): full(other)})
    found = decode(full(z), Pipeline([("guidance", (scale, "x"))]), context).logprobs
    p, q = log_softmax(z), log_softmax(other)
    assert found == pytest.approx(log_softmax(q + scale * (p - q)), abs=1e-9)
    assert np.exp(found).sum() == pytest.approx(1)


def table(path: Path, name: str, a: float) -> str:
    file = path / f"{name}.json"
    even = {"A": 0.5, "B": 0.5}
    rows = {"": even, "A": {"A": a, "B": 1 - a}, "B": even}
    file.write_text(json.dumps({"name": name, "alphabet": ["A", "B"], "rows": rows}))
    return str(file)


def test_a_weaker_model_is_asked_at_every_token(tmp_path: Path) -> None:
    expert, weak = arplay.load(table(tmp_path, "expert", 0.6)), table(tmp_path, "weak", 0.9)
    after = expert.next("A", [("contrastive", (0.1, weak))])  # 0.6 / 0.9 and 0.4 / 0.1
    assert np.exp(after.decoded.logprobs) == pytest.approx(np.array([2 / 3, 4]) / (14 / 3))
    assert expert.sample("A", 1, pipeline=[("contrastive", (0.1, weak)), ("greedy", ())]).text == "B"
    assert expert.sample("A", 1, pipeline="greedy").text == "A"
    rolled = expert.rollouts("A", 3, 8, seed=1, pipeline=[("contrastive", (0.1, weak))])
    assert rolled[1].text == expert.sample("A", 8, seed=2, pipeline=[("contrastive", (0.1, weak))]).text


@pytest.mark.parametrize(
    ("pipeline", "why"),
    [
        ("contrastive:0.1", "needs a weaker model"),
        ("contrastive:0.1:english", "other tokens"),
        ("contrastive:0.1:no-such-model", "no model"),
    ],
)
def test_what_is_not_there_is_refused_in_words(pipeline: str, why: str) -> None:
    with pytest.raises(Problem, match=why):
        arplay.load("abc").next("B", pipeline)


def test_a_session_drawn_behind_second_distributions_replays(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"BA")
    play = window.playground
    for stages in ([("guidance", (3.0, "C"))], [("contrastive", (0.01, "abc"))], [("regex", ("[A-C]{9}",))]):
        play.handle(Change(replace(play.view.settings, decoding=Pipeline(stages), seed=play.view.settings.seed + 1)))
        for _ in range(3):
            play.handle(Do("step"))
            settle(window, qtbot)
    path = tmp_path / "a.session.json"
    sessionfile.write(path, kept.snapshot(only(play.tree)))
    found = arplay.load("abc").replay(path)
    assert found.same and found.drawn == 9


def test_a_name_that_is_none_leaves_the_models_own_distribution(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    play = window.playground
    play.handle(Change(replace(play.view.settings, decoding=Pipeline([("contrastive", (0.5, "no-such-model"))]))))
    qtbot.waitUntil(lambda: play.view.answer is not None and bool(play.view.answer.others) and not play.view.stale)
    assert play.view.answer is not None and play.view.answer.distribution is not None
    assert play.view.undecoded is not None and "no-such-model" in play.view.undecoded.cause


def test_without_a_second_distribution_nothing_is_made_up() -> None:
    for stage in ("guidance:2", "contrastive:0.5:x"):
        with pytest.raises(Problem, match="no second distribution"):
            Pipeline(stage).apply(np.log([0.5, 0.5]))
    assert Pipeline("guidance:1").stages == () == Pipeline("contrastive:0").stages


def test_the_window_asks_once_more_where_a_second_prompt_is_named(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    play = window.playground
    settle(window, qtbot)
    play.handle(Change(replace(play.view.settings, decoding=Pipeline([("guidance", (2.0, "C"))]))))
    qtbot.waitUntil(lambda: ("guidance", "C") in dict(play.view.answer.others) and not play.view.stale)
    expected = arplay.load("abc").next("BA", [("guidance", (2.0, "C"))]).decoded.logprobs
    assert play.view.decoded is not None
    assert play.view.decoded.logprobs == pytest.approx(expected)
