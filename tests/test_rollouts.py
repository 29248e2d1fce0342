"""Rollouts: k in one batch are k single samples, through the job, the worker's thread, Python and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.text import Text
from arplay.core.stopping import Stops
from arplay.engine import rollouts
from arplay.engine.messages import Cancelled, Failed
from arplay.engine.rollouts import Roll, Rolled, Rollout, roll
from arplay.models.base import Capabilities
from tests.small_model import SmallModel
from tests.test_jobs import run, state_of
from tests.test_slots import salted, two
from tests.test_worker import Gate, Make, desk
from tests.tiny_models import CONTEXT, one_thread, tiny_folders

__all__ = ["desk", "one_thread", "tiny_folders"]

PIPELINES = ["", "temperature:1.3,top-p:0.9", "mirostat:2", "dry:0.8", "greedy"]
PIPELINES.append("repetition:1.3,top-k:5,temperature:3,xtc:0.1:0.4")
NEVER = [("ban", '["<|endoftext|>"]')]
NEAR = 1e-5
"""Where u lies so near to an edge between two tokens, the last digits of a batch in float32 may choose the other one.
"""


@pytest.fixture(scope="module")
def models(tiny_folders: dict[str, Path]) -> dict[str, arplay.Model]:
    return {name: arplay.load(name) for name in ("abc", "xo", "xo-centre")} | {
        name: arplay.load(tiny_folders[name]) for name in ("llama", "gpt2")
    }


def same(model: arplay.Model, text: str, pipeline: str, rollout: Rollout, single: arplay.Sample) -> bool:
    """Whether the ids are the same, up to one whose u lies at the edge of the other's."""
    one, us = single.ids.tolist(), single.u.tolist()
    at = next((at for at, (a, b) in enumerate(zip(rollout.ids, one, strict=False)) if a != b), None)
    if at is None:
        return len(one) == len(rollout.ids)
    moved = [
        model.sample(text, at + 1, pipeline=pipeline, us=[*us[:at], u]).ids.tolist()[-1]
        for u in (max(0.0, us[at] - NEAR), min(us[at] + NEAR, 1 - NEAR))
    ]
    return rollout.ids[at] in moved


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize(
    ("name", "text"), [("abc", "B"), ("xo", "#."), ("xo-centre", "?.?"), ("llama", "The cat"), ("gpt2", "In 1961")]
)
def test_k_rollouts_are_k_samples(name: str, text: str, pipeline: str, models: dict[str, arplay.Model]) -> None:
    model = models[name]
    found = model.rollouts(text, 5, 9, seed=3, pipeline=pipeline)
    assert [each.seed for each in found] == [3, 4, 5, 6, 7]
    for each in found:
        single = model.sample(text, 9, seed=each.seed, pipeline=pipeline)
        assert same(model, text, pipeline, each, single)
        if list(each.ids) == single.ids.tolist():
            assert (each.text, each.stopped) == (single.text, single.stopped)
            assert [step.u for step in each.steps] == single.u.tolist()
            assert [step.rank for step in each.steps] == single.rank.tolist()
            assert [step.logprob for step in each.steps] == pytest.approx(single.logprob.tolist(), abs=1e-4)
    assert pipeline == "greedy" or len({each.ids for each in found}) > 1, "negative control: seeds matter"


def test_the_comparison_can_fail(models: dict[str, arplay.Model]) -> None:
    model = models["llama"]
    one, other = (model.sample("The cat", 9, seed=seed) for seed in (1, 2))
    rollout = model.rollouts("The cat", 1, 9, seed=1)[0]
    assert same(model, "The cat", "", rollout, one) and not same(model, "The cat", "", rollout, other)
    assert not same(model, "The cat", "", rollout, model.sample("The cat", 8, seed=1))


def test_each_ends_for_its_own_reason(models: dict[str, arplay.Model]) -> None:
    full = models["llama"].rollouts("The cat", 3, 60, pipeline=NEVER)
    single = models["llama"].sample("The cat", 60, pipeline=NEVER)
    assert {each.stopped for each in full} == {"context"} == {single.stopped}
    assert [len(each.steps) for each in full] == [len(single.steps)] * 3
    assert len(models["llama"].score("The cat")) + len(single.steps) == CONTEXT + 1
    assert {each.stopped for each in models["xo"].rollouts("", 4, 60)} == {"complete"}
    often = 'bias:{"<|endoftext|>": 4}'
    ended = models["llama"].rollouts("The cat", 12, 14, pipeline=often)
    assert "eos" in {each.stopped for each in ended} <= {"eos", "length"}
    for each in ended:
        assert (each.ids[-1] == models["llama"].loaded.eos) == (each.stopped == "eos")
        assert same(
            models["llama"],
            "The cat",
            often,
            each,
            models["llama"].sample("The cat", 14, seed=each.seed, pipeline=often),
        )


def test_figures_of_a_rollout(models: dict[str, arplay.Model]) -> None:
    each = models["abc"].rollouts("B", 1, 6)[0]
    score = models["abc"].score("B" + each.text)
    assert each.logprob == pytest.approx(score.logprob[1:].sum())
    assert each.perplexity == pytest.approx(np.exp(-each.logprob / 6))
    assert np.isnan(Rollout(0).perplexity) and Rollout(0).logprob == 0


# stop strings


@settings(max_examples=200)
@given(st.lists(st.text("abc", max_size=4)), st.lists(st.text("abc", min_size=1, max_size=3), max_size=3))
def test_a_text_ends_before_the_first_stop_string(parts: list[str], stops: list[str]) -> None:
    made, whole = Stops(stops), "".join(parts)
    told = "".join([*(made.write(part) for part in parts), made.end()])
    first = min((at for stop in stops if (at := whole.find(stop)) >= 0), default=None)
    assert whole.startswith(told)
    assert bool(made.found) == (first is not None)
    if first is None:
        assert told == whole
    else:  # parts may hold several: the first one that is complete ends it
        assert not any(stop in told for stop in stops) and whole[len(told) :].startswith(made.found)


@pytest.mark.parametrize("name", ["abc", "llama"])
def test_stop_strings_end_samples_and_rollouts_alike(name: str, models: dict[str, arplay.Model]) -> None:
    model, text = models[name], "B" if name == "abc" else "The"
    ended = 0
    free = model.rollouts(text, 6, 20)
    stops = sorted({each.text[len(each.text) // 2 :][:2] for each in free if len(each.text) > 3})[:3]
    for each, unbound in zip(model.rollouts(text, 6, 20, stops=stops), free, strict=True):
        single = model.sample(text, 20, seed=each.seed, stops=stops)
        assert (each.text, each.stopped, each.ids) == (single.text, single.stopped, tuple(single.ids))
        assert "".join(model.stream(text, 20, seed=each.seed, stops=stops)) == each.text
        assert not any(stop in each.text for stop in stops) and unbound.text.startswith(each.text)
        ended += each.stopped == "stop"
        assert (each.stopped == "stop") == any(stop in unbound.text for stop in stops)
    assert ended


# the job in the worker's thread


def asked(number: int, count: int = 6, k: int = 3, slot: int = 0) -> Roll:
    text = Text.of(b"BAC")
    return Roll(number, text, text.end, Pipeline(), tuple(range(k)), count, slot=slot)


def test_progress_is_told_token_by_token(desk: Make) -> None:
    made = desk(SmallModel(context=None))
    made.worker.submit(asked(1))
    last = made.wait(1)
    assert isinstance(last, Rolled)
    told = [result for result in made.results if isinstance(result, Rolled)]
    lengths = [[len(each.steps) for each in result.rollouts] for result in told]
    assert lengths[-1] == [6, 6, 6] and lengths == sorted(lengths)
    assert [result.is_last for result in told] == [False] * (len(told) - 1) + [True]
    for result in told:
        for part, whole in zip(result.rollouts, last.rollouts, strict=True):
            assert whole.steps[: len(part.steps)] == part.steps and whole.text.startswith(part.text)


def test_it_is_cancelled_on_the_way_and_asked_anew(desk: Make) -> None:
    gate = Gate()
    gate.free = 4
    made = desk(SmallModel(context=None, before_forward=gate))
    made.worker.submit(asked(1, 50))
    gate.reached()
    made.worker.cancel(1)
    gate.open()
    assert made.wait(1) == Cancelled(1)
    made.worker.submit(asked(2))
    found = made.wait(2)
    assert isinstance(found, Rolled) and [len(each.steps) for each in found.rollouts] == [6, 6, 6]


def test_a_newer_one_replaces_it_in_its_slot_alone(desk: Make) -> None:
    made = two(desk(load=salted))
    gate = Gate()
    made.worker._slots[0].model.before_forward = gate  # type: ignore[union-attr]
    made.worker.submit(asked(1, 50))
    gate.reached()
    made.worker.submit(asked(2, slot=1))
    made.worker.submit(asked(3))
    gate.open()
    assert made.wait(1) == Cancelled(1)
    texts = []
    for number, name in ((2, "b"), (3, "a")):
        found = made.wait(number)
        assert isinstance(found, Rolled)
        alone = run(roll(state_of(salted(name)), asked(9)))[1]
        assert [each.ids for each in found.rollouts] == [each.ids for each in alone.rollouts]
        texts.append([each.ids for each in found.rollouts])
    assert texts[0] != texts[1]


def test_what_cannot_be_rolled_is_refused_in_words(desk: Make) -> None:
    made = desk(SmallModel(context=None))
    for k in (0, rollouts.MOST_ROLLOUTS + 1):
        made.worker.submit(asked(k + 1, k=k))
        assert isinstance(made.wait(k + 1), Failed)
    partial = SmallModel(context=None)
    partial.can = Capabilities(True, "cropped", batch=False, partial=True)
    with pytest.raises(Problem, match="tells only some tokens"):
        run(roll(state_of(partial), asked(1)))


# Python and the command line


def test_python_refuses_what_cannot_be(models: dict[str, arplay.Model]) -> None:
    model: Any = models["abc"]
    for wrong in ({"k": 0}, {"k": 5000}, {"k": 2, "n": -1}, {"k": 2, "seed": -1}, {"k": 2, "seed": 2**64}):
        with pytest.raises(Problem):
            model.rollouts("B", **wrong)
    with pytest.raises(TypeError):
        model.rollouts("B", 1.5)


def test_the_command_tells_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file, pipeline = tmp_path / "b.txt", tmp_path / "p.json"
    file.write_text("B", "utf-8")
    pipeline.write_text('[{"stage": "top-k", "k": 2}, {"stage": "temperature", "T": 9, "on": false}]', "utf-8")
    options = ["sample", "--model", "abc", "--rollouts", "3", "-n", "6", "--seed", "5", "--stop", "AB"]
    assert main([*options, "--file", str(file), "--pipeline", str(pipeline), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    found = arplay.load("abc").rollouts("B", 3, 6, seed=5, pipeline="top-k:2", stops=["AB"])
    assert said == json.loads(json.dumps(found.as_dict()))
    assert main([*options, "--prompt", "B", "--pipeline", "top-k:2"]) == 0
    out = capsys.readouterr().out
    assert all(f"{each.text}\n" in out and f"seed {each.seed}: " in out for each in found)
    pipeline.write_text('{"do_sample": true, "top_k": 2, "num_beams": 4}', "utf-8")
    assert main(["sample", "--model", "abc", "--prompt", "B", "-n", "6", "--pipeline", str(pipeline), "--json"]) == 0
    ran = capsys.readouterr()
    assert json.loads(ran.out)["decoding"] == [{"stage": "top-k", "k": 2}] and "num_beams is not taken over" in ran.err


@pytest.mark.parametrize("text", ["", "{", "3", '"x"', '[{"stage": "beam"}]', '[{"stage": "top-k", "k": -1}]'])
def test_a_pipeline_file_that_is_none(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.json"
    path.write_text(text, "utf-8")
    assert main(["sample", "--model", "abc", "--prompt", "B", "--pipeline", str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main(["sample", "--model", "abc", "--prompt", "B", "--pipeline", str(tmp_path / "none.json")]) == 2


@pytest.mark.parametrize("wrong", [["--replay", "x"], ["--at-limit", "slide"], ["--beams", "2"], ["--diversity", "1"]])
def test_options_that_would_say_nothing(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--model", "abc", "--prompt", "B", "--rollouts", "2", *wrong]) == 2
    assert "go" in capsys.readouterr().err.splitlines()[-1]


def test_the_command_ends_a_single_sample_before_a_stop_string(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["sample", "--model", "abc", "--prompt", "B", "-n", "30", "--json"]
    assert main(options) == 0
    whole = json.loads(capsys.readouterr().out)["text"]
    assert main([*options, "--stop", whole[4:6]]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["text"], said["stopped"]) == (whole[: whole.index(whole[4:6])], "stop")


def test_next_tells_what_each_stage_did(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["next", "--model", "abc", "--prompt", "B", "--trace"]
    assert main([*options, "--pipeline", "temperature:0.7,top-k:2", "--json"]) == 0
    trace = json.loads(capsys.readouterr().out)["trace"]
    wanted = arplay.load("abc").next("B", "temperature:0.7,top-k:2").decoded.traces
    assert trace == [json.loads(json.dumps(each.as_dict())) for each in wanted]
    assert main([*options, "--pipeline", "temperature:0.7,top-k:2"]) == 0
    out = capsys.readouterr().out
    assert all(label in out for label in ("temperature 0.7", "top-k 2", "H before", "15.42%"))
    assert main(options) == 0
    assert "no decoding stage works" in capsys.readouterr().out
