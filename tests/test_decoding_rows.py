"""Layouts of stages, ready ones, and what transformers makes of them: rows lose nothing, and mean the same there."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.decoding.generation_config import ORDER, from_config, to_config
from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.decoding.rows import PRESETS, USUAL, Row, as_json, from_json, pipeline_of, row, rows_of
from arplay.core.decoding.stage import Context
from arplay.core.decoding.stages import STAGES
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from tests.test_decoding import pipelines, stages

layouts = st.lists(st.tuples(stages, st.booleans()), max_size=6).map(
    lambda chosen: tuple(Row(name, STAGES[name].check(values), on) for (name, values), on in chosen)
)


@given(layouts)
def test_a_layout_is_what_it_was_written_as(rows: tuple[Row, ...]) -> None:
    assert from_json(json.loads(json.dumps(as_json(rows)))) == rows


@given(layouts, pipelines)
def test_a_layout_of_a_pipeline_works_as_it_does_and_keeps_the_other_rows(
    former: tuple[Row, ...], pipeline: Pipeline
) -> None:
    rows = rows_of(pipeline, former)
    assert pipeline_of(rows) == pipeline
    assert {each.stage for each in former} <= {each.stage for each in rows}
    assert rows_of(pipeline, rows) == rows


@pytest.mark.parametrize(
    "said", [None, {}, [1], [{}], [{"stage": "beam"}], [{"stage": "top-k", "on": 1}], [{"stage": "top-k"}] * 65]
)
def test_what_is_no_layout_is_a_problem(said: Any) -> None:
    with pytest.raises(Problem):
        from_json(said)


def test_presets_by_hand() -> None:
    assert pipeline_of(USUAL) == Pipeline() == pipeline_of(PRESETS["Raw"][1])
    assert pipeline_of(PRESETS["llama.cpp"][1]).spelled == "top-k:40,top-p:0.95,min-p:0.05,temperature:0.8"
    assert pipeline_of(PRESETS["transformers"][1]).spelled == "top-k:50"
    for _, rows in PRESETS.values():
        assert from_json(as_json(rows)) == rows


# ---- transformers


def generated(fields: dict[str, Any], z: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """log p that the library's own ``generate`` would draw from by these fields."""
    import torch
    from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(z), n_embd=8, n_layer=1, n_head=1, n_positions=64))
    config = GenerationConfig(eos_token_id=7, pad_token_id=7, **fields)
    config, _ = model._prepare_generation_config(config)
    tensor = torch.tensor(ids)[None]
    model._prepare_special_tokens(config, device=torch.device("cpu"))
    processors = model._get_logits_processor(config, input_ids_seq_length=len(ids), device="cpu")
    return torch.log_softmax(processors(tensor, torch.tensor(z)[None])[0], dim=-1).numpy()


@pytest.mark.parametrize(
    "spelled",
    [
        "temperature:0.7",
        "temperature:0.7,top-k:40",
        "repetition:1.3,temperature:0.8,top-k:30,top-p:0.9,min-p:0.02",
        'bias:"{\\"#3\\": 2.5, \\"#9\\": -1}",no-repeat:2,ban:"[\\"#4\\"]",min-length:3,typical:0.8',
        "top-h:0.5,epsilon:0.001,eta:0.002",
    ],
)
def test_generate_draws_from_the_same(spelled: str) -> None:
    rng = np.random.default_rng(1)
    z, ids = rng.normal(0, 3, 200).astype(np.float32).astype(np.float64), rng.integers(0, 9, 20)
    pipeline = Pipeline(spelled)
    fields, notes = to_config(pipeline)
    assert notes == []
    ours = decode(Distribution.from_logits(z), pipeline, Context(ids, ends=(7,))).logprobs
    theirs = generated(fields, z, ids)
    assert np.flatnonzero(np.isfinite(ours)).tolist() == np.flatnonzero(np.isfinite(theirs)).tolist()
    assert ours[np.isfinite(ours)] == pytest.approx(theirs[np.isfinite(theirs)], abs=1e-6)
    back, notes = from_config(json.loads(json.dumps(fields)))
    assert notes == [] and [name for name, _ in back.stages] == [name for name, _ in pipeline.stages]
    again = decode(Distribution.from_logits(z), back, Context(ids, ends=(7,))).logprobs
    assert np.array_equal(again, ours)


@given(pipelines)
def test_what_a_config_can_say_comes_back(pipeline: Pipeline) -> None:
    names = [name for name, _ in pipeline.stages]
    fields, notes = to_config(pipeline)
    exact = names == sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else -1)
    exact = exact and len(set(names)) == len(names) and set(names) <= set(ORDER)
    exact = exact and not any(name == "repetition" and values[1] for name, values in pipeline.stages)
    assert exact == (not notes)
    if exact:
        back = from_config(fields)[0]
        assert [name for name, _ in back.stages] == names


@pytest.mark.parametrize(
    "said", [{"sequence_bias": [[[1, 2], 3.0]]}, {"bad_words_ids": [[1, 2]]}, {"bad_words_ids": 3}]
)
def test_what_cannot_be_taken_over_is_refused_in_words(said: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="single tokens"):
        from_config(said)


def test_a_config_is_read_as_generate_reads_it() -> None:
    assert from_config({})[0] == Pipeline("greedy")  # it does not sample unless it is told to
    pipeline, notes = from_config({"do_sample": True, "top_k": 5, "num_beams": 3, "penalty_alpha": None})
    assert (pipeline.spelled, notes) == ("top-k:5", ["num_beams is not taken over"])
    assert row("top-k").values == (0,)
