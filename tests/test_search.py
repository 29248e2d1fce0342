"""Beam search through the job, the worker's thread, Python and the command line: transformers' sequences and scores."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arplay
from arplay.cli import main
from arplay.core.beams import Rules, exhaustive
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.text import Text
from arplay.engine.messages import Cancelled, Failed
from arplay.engine.search import Search, Searched, search
from arplay.models.base import Capabilities
from tests.small_model import SmallModel
from tests.test_jobs import run, state_of
from tests.test_slots import salted, two
from tests.test_worker import Gate, Make, desk
from tests.tiny_models import CONTEXT, one_thread, save

__all__ = ["desk", "one_thread"]
TEXT = Text.of(b"BAC")
NEVER = [("ban", '["<|endoftext|>"]')]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sharp enough that no two chains are as good as each other, and its end-of-text token comes."""
    return save(tmp_path_factory.mktemp("sharp"), "gpt2", initializer_range=0.9)


@pytest.fixture(scope="module")
def model(folder: Path) -> arplay.Model:
    return arplay.load(folder)


@pytest.mark.parametrize("stop", ["soon", "full", "never"])
@pytest.mark.parametrize("penalty", [0.0, 1.0, -0.7])
def test_a_folder_gives_what_transformers_finds(folder: Path, model: arplay.Model, penalty: float, stop: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    network, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for text, width in (("The cat", 4), ("In 1961 the", 3), ("naive", 2)):
        prompt = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            out = network.generate(
                prompt, num_beams=width, num_return_sequences=width, do_sample=False, max_new_tokens=8,
                length_penalty=penalty, early_stopping={"soon": False, "full": True, "never": "never"}[stop],
                return_dict_in_generate=True, output_scores=True, eos_token_id=0, pad_token_id=0,
            )  # fmt: skip
        found = model.beams(text, width, 8, length_penalty=penalty, stop=stop)
        theirs = [until_end(row[prompt.shape[1] :].tolist()) for row in out.sequences]
        assert [list(each.ids) for each in found] == theirs
        assert [each.score for each in found] == pytest.approx(out.sequences_scores.tolist(), rel=2e-5, abs=1e-4)
        for each in found:
            assert each.logprob == pytest.approx(each.score * len(each.ids) ** penalty)


def until_end(ids: list[int]) -> list[int]:
    return [*itertools.takewhile(lambda id: id != 0, ids), *([0] if 0 in ids else [])]


def test_another_penalty_would_be_noticed(model: arplay.Model) -> None:
    one, other = (model.beams("The cat", 4, 8, length_penalty=penalty) for penalty in (1.0, 0.5))
    assert [each.score for each in one] != pytest.approx([each.score for each in other], abs=1e-2)


def test_text_of_a_chain_is_what_its_tokens_write(model: arplay.Model) -> None:
    for each in model.beams("The cat", 4, 6):
        own = [id for id in each.ids if id != model.loaded.eos]
        token = model.vocabulary.record
        assert each.text == "".join(token(id)["text"] for id in own) or "⟨" in each.text


def test_a_pipeline_is_searched_as_it_leaves_things() -> None:
    abc = arplay.load("abc")
    free, bound = (abc.beams("B", 9, 2, length_penalty=0, pipeline=said) for said in ("", "top-k:2"))
    assert len(free) == 9 and len(bound) == 4
    for each in bound:
        first, second = (abc.next(text, "top-k:2") for text in ("B", "B" + each.text[0]))
        total = first.decoded.logprobs[each.ids[0]] + second.decoded.logprobs[each.ids[1]]
        assert each.logprob == pytest.approx(total)
    assert (
        abc.beams("B", 1, 6, pipeline="repetition:9")[0].text == abc.sample("B", 6, pipeline="repetition:9,greedy").text
    )


@pytest.mark.parametrize("name", ["abc", "garden"])
def test_on_a_table_the_mode_is_known_and_narrow_beams_may_miss_it(name: str, tmp_path: Path) -> None:
    """Behind a B of the garden path all goes on as it must, but A is the better beginning."""
    rows = {"": {"A": 0.5, "B": 0.3, "C": 0.2}, "A": {"A": 0.4, "B": 0.3, "C": 0.3}, "B": {"A": 0, "B": 1, "C": 0}}
    path = tmp_path / "garden.json"
    path.write_text(json.dumps({"name": "garden", "alphabet": ["A", "B", "C"], "rows": rows}), "utf-8")
    model, missed = arplay.load("abc" if name == "abc" else path), 0
    for text in ("A", "C", "CC"):

        def behind(ids: Sequence[int], text: str = text) -> np.ndarray:
            return model.next(text + "".join("ABC"[id] for id in ids)).logprobs

        every = max(each.logprob for each in exhaustive(behind, Rules(1, 3)))
        wide, greedy = model.beams(text, 27, 3), model.beams(text, 1, 3)
        assert wide[0].logprob == pytest.approx(every)
        assert greedy[0].text == model.sample(text, 3, pipeline="greedy").text
        missed += greedy[0].logprob < every - 1e-9
    assert bool(missed) == (name == "garden"), "on abc itself greedy finds the mode everywhere"


def test_a_picture_is_searched_to_its_end() -> None:
    found = arplay.load("xo").beams("#.# .#. ???", 3, 50)
    assert found.rules.most == 3 and len(found.expansions) == 3 and {len(each.ids) for each in found} == {3}
    sums = [arplay.load("xo").score(each.text).logprob[-3:].sum() for each in found]
    assert [each.logprob for each in found] == pytest.approx(sums)
    with pytest.raises(Problem, match="further on"):
        arplay.load("xo").beams("#.? ?#. ???", 2, 3)


def test_the_context_ends_a_search(model: arplay.Model) -> None:
    room = CONTEXT - len(model.score("The cat")) + 1
    found = model.beams("The cat", 2, 500, length_penalty=-1, pipeline=NEVER)
    assert found.rules.most == room and {len(each.ids) for each in found} == {room}


# step by step, in the worker's thread


def asked(number: int, upto: int | None = None, most: int = 5, slot: int = 0, **rules: Any) -> Search:
    return Search(number, TEXT, TEXT.end, Rules(3, most, **rules), Pipeline(), upto=upto, slot=slot)


@pytest.mark.parametrize("rules", [{}, {"eos": (1,)}, {"groups": 3, "diversity": 0.5}, {"eos": (1,), "stop": "never"}])
def test_stepped_one_by_one_it_is_one_run(desk: Make, rules: dict[str, Any]) -> None:
    whole = run(search(state_of(SmallModel(context=None)), asked(1, **rules)))[1]
    assert whole.done
    model = SmallModel(context=None)
    made = desk(model)
    read, found = [], whole
    for number in range(1, len(whole.expansions) + 1):
        made.worker.submit(asked(number, number, **rules))
        found = made.wait(number)
        assert isinstance(found, Searched) and found.expansions == whole.expansions[:number]
        assert found.beams == whole.expansions[number - 1].beams
        read.append(model.read)
    assert (found.finished, found.done) == (whole.finished, True)
    per_step = np.diff(read[:-1])  # at last every chain is looked at
    assert not len(per_step) or per_step.max() <= 3 * (len(TEXT) + 6), "it goes on: nothing is searched twice"
    made.worker.submit(asked(50, 1, **rules))
    again = made.wait(50)
    assert isinstance(again, Searched) and again.expansions == whole.expansions[:1], "and back"


def test_progress_is_told_expansion_by_expansion(desk: Make) -> None:
    made = desk(SmallModel(context=None))
    made.worker.submit(asked(1))
    made.wait(1)
    told = [result for result in made.results if isinstance(result, Searched)]
    assert [len(result.expansions) for result in told][-1] == 5 and [r.is_last for r in told].count(True) == 1


def test_one_that_is_cancelled_on_the_way_begins_anew(desk: Make) -> None:
    gate = Gate()
    gate.free = 6
    made = desk(SmallModel(context=None, before_forward=gate))
    made.worker.submit(asked(1, most=40))
    gate.reached()
    made.worker.cancel(1)
    gate.open()
    assert made.wait(1) == Cancelled(1)
    made.worker.submit(asked(2, most=40))
    found = made.wait(2)
    whole = run(search(state_of(SmallModel(context=None)), asked(1, most=40)))[1]
    assert isinstance(found, Searched) and (found.expansions, found.finished) == (whole.expansions, whole.finished)


def test_searches_of_two_slots_do_not_meet(desk: Make) -> None:
    made = two(desk(load=salted))
    number = 1
    for upto in (1, 2, 3):
        for slot in (0, 1):
            made.worker.submit(asked(number, upto, slot=slot))
            found = made.wait(number)
            alone = run(search(state_of(salted("ab"[slot])), asked(99, upto)))[1]
            assert isinstance(found, Searched) and found.expansions == alone.expansions
            number += 1


def test_a_partial_model_is_refused_in_words(desk: Make) -> None:
    partial = SmallModel(context=None)
    partial.can = Capabilities(True, "cropped", batch=False, partial=True)
    made = desk(partial)
    made.worker.submit(asked(1))
    refused = made.wait(1)
    assert isinstance(refused, Failed) and "only some tokens" in refused.cause and refused.remedy


# the command line


def test_the_command_tells_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["sample", "--model", "abc", "--prompt", "B", "--beams", "4", "-n", "5", "--length-penalty", "0.5"]
    options += ["--early-stopping", "never", "--beam-groups", "2", "--diversity", "0.3"]
    assert main([*options, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    found = arplay.load("abc").beams("B", 4, 5, length_penalty=0.5, stop="never", groups=2, diversity=0.3)
    assert said == json.loads(json.dumps(found.as_dict()))
    assert [set(each) for each in said["hypotheses"]] == [{"ids", "text", "logprob", "score"}] * len(found)
    assert main(options) == 0
    out = capsys.readouterr().out
    assert all(f"\n{each.text}\n" in out for each in found)


@pytest.mark.parametrize(
    "wrong", [["--seed", "3"], ["--stop", "x"], ["--replay", "x"], ["--at-limit", "slide"], ["--rollouts", "2"]]
)
def test_options_that_would_say_nothing(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--model", "abc", "--prompt", "B", "--beams", "2", *wrong]) == 2
    assert "go" in capsys.readouterr().err.splitlines()[-1]


def test_an_empty_stop_string_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--model", "abc", "--prompt", "B", "-n", "1", "--stop", ""]) == 2
    assert "--stop needs a text" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("wrong", [["--beam-groups", "3"], ["--beams", "0"], ["--length-penalty", "nan"]])
def test_rules_that_cannot_be_are_one_line(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--model", "abc", "--prompt", "B", "--beams", "2", *wrong]) == 1
    assert capsys.readouterr().err.startswith("arplay: ")


def test_a_search_that_ends_before_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--model", "xo", "--prompt", "#.# .#.", "--beams", "2"]) == 0
    assert "searched 3 tokens" in capsys.readouterr().err


def test_of_a_table_every_chain_is_looked_at_where_they_are_few() -> None:
    abc = arplay.load("abc")
    for pipeline in ("", "top-k:2", "repetition:3"):
        found = abc.beams("B", 2, 5, pipeline=pipeline)
        wide = abc.beams("B", 243, 5, pipeline=pipeline)
        assert found.best is not None and found.best.ids == wide[0].ids
        assert found.best.score == pytest.approx(wide[0].score)
    assert abc.beams("B", 2, 10).best is None
    pixels = arplay.load("xo").beams("#.# .#.", 1, 9)
    assert pixels.best is not None and pixels.best.logprob >= pixels[0].logprob - 1e-12
