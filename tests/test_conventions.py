"""The usual ways to make a perplexity of a text, beside the recipes as they are published."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core.conventions import CONVENTIONS, disjoint, every, of_means, one_short, rolling, strided
from arplay.export import conventions, perplexity
from tests.tiny_models import CONTEXT, network, save

LONG = "The cat sat on the mat, and the dog sat on the log. " * 3
shapes = st.tuples(st.integers(1, 60), st.integers(1, 12)).flatmap(
    lambda p: st.tuples(st.just(p[0]), st.just(p[1]), st.integers(1, p[1]))
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("tiny"), "llama", adds_separator=True)


def harness_windows(length: int, most: int) -> list[tuple[list[int], list[int]]]:
    """lm_eval.utils: get_rolling_token_windows with one token of context, each made disjoint."""
    tokens, found, done = list(range(1, length)), [], min(most, length - 1)
    if tokens:
        found.append(([0, *tokens[: done - 1]], tokens[:done]))
    while done < len(tokens):
        count = min(len(tokens) - done, most)
        end = done + count
        found.append((tokens[end - most - 1 : end - 1], tokens[end - count : end]))
        done = end
    return [(context[: len(context) - (len(wanted) - 1)], wanted) for context, wanted in found]


@given(shapes)
def test_the_harness_reads_these_windows(shape: tuple[int, int, int]) -> None:
    length, most, stride = shape
    mine = [([*range(p.start, p.first)], [*range(p.first, p.stop)]) for p in rolling(length, most, stride)]
    assert mine == harness_windows(length, most)
    assert all(p.read <= most for p in rolling(length, most, stride))


@given(shapes, st.integers(0, 999))
def test_the_strided_recipe_as_it_is_published(shape: tuple[int, int, int], seed: int) -> None:
    """Each place has another loss in each window, so that a wrong window or weight is seen."""
    length, most, stride = shape
    loss = np.random.default_rng(seed).random((length, length))  # by start and token
    total, counted, previous = 0.0, 0, 0
    for begin in range(0, length, stride):
        end = min(begin + most, length)
        target = [-100 if at < end - (end - previous) else at for at in range(begin, end)]
        losses = [loss[begin, at] for at in target[1:] if at != -100]
        valid = sum(at != -100 for at in target)
        if losses:  # torch says nan for none
            total += float(np.mean(losses)) * (valid - 1)
            counted += valid - 1
        previous = end
        if end == length:
            break
    passes = strided(length, most, stride)
    found = one_short(passes, [-loss[p.start, p.first : p.stop] for p in passes])
    if length > 1 and most > 1:
        assert found.counted == counted and found.nll == pytest.approx(total)
        assert found.mean == (pytest.approx(total / counted) if counted else None)


def test_the_recipe_counts_a_third_of_a_hundred_tokens() -> None:
    passes = strided(100, 32, 1)
    parts = [np.zeros(p.stop - p.first) for p in passes]
    assert (sum(map(len, parts)), one_short(passes, parts).counted) == (99, 31), "99 are scored"


def test_means_of_windows_by_hand() -> None:
    passes, parts = disjoint(5, 3, 3), [np.log([0.5, 0.25]), np.log([0.125])]
    assert of_means(passes, parts).perplexity == pytest.approx(2 ** ((1.5 + 3) / 2))
    assert every(passes, parts).perplexity == pytest.approx(2 ** (6 / 3)), "negative control: each token once"


def reference(folder: Path, text: str, stride: int) -> dict[str, float]:
    """The published recipes on transformers' own network, and the harness's sums."""
    import torch
    from tokenizers import Tokenizer

    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids
    model = network("llama").eval()

    def logprobs(window: list[int]) -> Any:
        with torch.no_grad():
            return torch.log_softmax(model(torch.tensor([window])).logits[0].double(), dim=-1)

    nll, chain = 0.0, [0, *ids]  # the tokenizer puts the separator there, too, whose id is 0
    for context, wanted in harness_windows(len(chain), CONTEXT):
        rows = logprobs([chain[at] for at in [*context, *wanted[:-1]]])[-len(wanted) :]
        nll -= float(sum(row[chain[at]] for row, at in zip(rows, wanted, strict=True)))
    total, counted, previous = 0.0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + CONTEXT, len(ids))
        target = torch.tensor([ids[begin:end]])
        target[:, : -(end - previous)] = -100
        with torch.no_grad():
            loss = model(torch.tensor([ids[begin:end]]), labels=target).loss
        new = int((target != -100).sum()) - 1
        total, counted, previous = total + float(loss) * new, counted + new, end
        if end == len(ids):
            break
    return {"harness": nll, "strided": math.exp(total / counted)}


def test_both_recipes_on_a_real_network(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.txt"
    path.write_text(LONG)
    assert main(["score", str(path), "--model", str(tiny), "--stride", "5", "--conventions", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected, by = reference(tiny, LONG, 5), found["conventions"]
    rolled, words, size = by["harness_rolling"], len(re.split(r"\s+", LONG)), len(LONG.encode())
    assert rolled["nll_nats"] == pytest.approx(expected["harness"], rel=1e-6)
    assert rolled["word_perplexity"] == pytest.approx(math.exp(expected["harness"] / words), rel=1e-6)
    assert rolled["byte_perplexity"] == pytest.approx(math.exp(expected["harness"] / size), rel=1e-6)
    assert rolled["bits_per_byte"] == pytest.approx(expected["harness"] / size / math.log(2), rel=1e-6)
    assert by["hf_strided"]["perplexity"] == pytest.approx(expected["strided"], rel=1e-5)
    assert by["windows"]["nll_nats"] == found["totals"]["nll_nats"]
    assert len({round(each["perplexity"], 6) for each in by.values()}) == len(by), "a long text parts them"
    assert [*by] == ["windows", *(each.name for each in CONVENTIONS)]


def test_a_text_that_fits_has_one_perplexity(tiny: Path) -> None:
    model = arplay.load(tiny)
    by = {each.name: each.found.perplexity for each in model.conventions(LONG[:30]).figures if each.found}
    rolled = by.pop("harness_rolling")
    assert [*by.values()] == pytest.approx([by["windows"]] * 4, rel=1e-6)
    assert rolled != pytest.approx(by["windows"], rel=1e-3), "the harness scores the separator that stands there twice"


def test_the_harness_reads_all_of_a_text_at_once_where_a_model_has_no_limit(tmp_path: Path) -> None:
    """Also where two tokens more stand before the text there than in the reading in sight."""
    model = arplay.load(save(tmp_path, "mamba", adds_separator=True))
    for first in ("auto", "unscored"):
        model.reading = arplay.Reading(first_token=first)
        rolled = next(each for each in model.conventions("The cat").figures if each.name == "harness_rolling")
        assert rolled.found is not None and (rolled.windows, rolled.found.counted) == (1, 4)


def test_what_cannot_be_followed_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    path.write_text("BAC")
    assert main(["score", str(path), "--model", "abc", "--conventions"]) == 0
    assert "rolling: this model has no EOS token" in capsys.readouterr().out
    by = {each.name: each for each in arplay.load("abc").conventions("BAC").figures}
    assert by["windows"].found is not None and by["windows"].found.perplexity == pytest.approx(0.12 ** (-1 / 3))
    assert by["one_window"].found is not None and by["one_window"].found.counted == 2, "the first token is left out"
    assert disjoint(1, 5, 1) == [] == rolling(1, 5, 1)


HARNESS = 2214.236572265625
"""NLL in nats by lm-evaluation-harness 0.4.13: the licence by `english`, in windows of 128 tokens."""


@pytest.mark.parametrize("measured", [False, True])
def test_the_harness_itself(measured: bool) -> None:
    text = (Path(arplay.__file__).parents[1] / "LICENSE").read_text()
    model = arplay.load("english", reading=arplay.Reading(context=128))
    rolled = next(each for each in model.conventions(text).figures if each.name == "harness_rolling").found
    assert rolled is not None
    if not measured:
        assert rolled.nll == pytest.approx(HARNESS, rel=1e-4)
        return
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("lm-evaluation-harness is not installed (pip install 'arplay[harness]')")
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    harness = HFLM(pretrained=model.info.source, device="cpu", batch_size=1, max_length=128, dtype="float32")
    (logprob,) = harness.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (text,), 0)])
    assert rolled.nll == pytest.approx(-logprob, rel=1e-4)


def test_where_nothing_is_scored_no_byte_costs_nothing() -> None:
    model = arplay.load("english", reading=arplay.Reading(first_token="unscored"))
    own = conventions.record(model.conventions("."))["windows"]
    assert (own["counted"], own["perplexity"], own["bits_per_byte"], own["word_perplexity"]) == (0, None, None, None)


def test_a_byte_costs_the_same_wherever_it_is_told() -> None:
    """Where the first token has no score its bytes are not paid for, in any figure of arplay's own reading."""
    model = arplay.load("english", reading=arplay.Reading(first_token="unscored", context=32, stride=16))
    text = LONG[:200]
    score, compared, swept = model.score(text), model.conventions(text), model.curve(text)
    totals = score.ledger.totals
    assert totals.units < totals.units_total == len(text)
    own = conventions.record(compared)["windows"]
    points = perplexity.curve(swept, totals.unit, totals.units)["points"]
    (same,) = (point for point in points if point["stride"] == 16)
    told = [own["bits_per_byte"], same["bits_per_byte"], score.bits_per_byte]
    assert told == pytest.approx([totals.bits_per_unit] * 3, rel=1e-12)
    rolled = next(each for each in compared.figures if each.name == "harness_rolling")
    assert rolled.units == len(text), "it scores the first one, after BOS or EOS"
