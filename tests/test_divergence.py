"""What a number type or quantisation changed: by hand, as a property, and beside a computation in 64 bits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.comparisons import divergence
from arplay.core.chain import Ledger
from arplay.core.distribution import Distribution
from arplay.core.divergence import rows
from arplay.core.errors import Problem
from arplay.core.modalities.text import Text
from arplay.core.reading import Reading
from arplay.engine.divergence import Diverged, divergence_of
from arplay.engine.scoring import Score, score
from arplay.engine.state import State
from arplay.models.base import Model
from tests.small_model import SmallModel
from tests.tiny_ggufs import KINDS, network, write

TEXT = "It was a dark night, and the wind was cold. " * 3
LOGITS = st.lists(st.floats(-30, 30), min_size=4, max_size=4)


@given(st.lists(st.tuples(LOGITS, LOGITS, st.integers(0, 3)), min_size=1, max_size=5))
def test_it_is_what_its_definition_says(places: list[tuple[list[float], list[float], int]]) -> None:
    """KL >= 0, total variation in 0..1 and symmetric, and all of it from p and q themselves."""
    p, q = (np.array([place[side] for place in places]) for side in (0, 1))
    ids = [place[2] for place in places]
    found, back, same = rows(p, q, ids), rows(q, p, ids), rows(p, p, ids)
    assert (found.kl >= 0).all() and (found.tv >= 0).all() and (found.tv <= 1 + 1e-12).all()
    assert (same.kl == 0).all() and (same.tv == 0).all() and not same.other_best.any()
    np.testing.assert_allclose(found.tv, back.tv)
    assert (2 * found.tv**2 <= found.kl + 1e-9).all(), "Pinsker's inequality"
    for at, id in enumerate(ids):
        one, other = (np.exp(row) / np.exp(row).sum() for row in (p[at] - p[at].max(), q[at] - q[at].max()))
        assert found.kl[at] == pytest.approx(float(np.sum(one * np.log(one / other))), abs=1e-9)
        assert found.tv[at] == pytest.approx(float(np.abs(one - other).sum() / 2), abs=1e-9)
        assert found.change[at] == pytest.approx(float(np.log(other[id] / one[id])), abs=1e-9)
        ranks = [1 + sum(v > row[id] or (v == row[id] and i < id) for i, v in enumerate(row)) for row in (p[at], q[at])]
        assert found.rank[:, at].tolist() == ranks


def test_by_hand() -> None:
    """p = (1/2, 1/4, 1/4) and q = (1/4, 1/2, 1/4): KL = 1/2 ln 2 - 1/4 ln 2, half of |1/4| + |1/4| is 1/4."""
    found = rows(np.log([[0.5, 0.25, 0.25]]), np.log([[0.25, 0.5, 0.25]]), [1])
    assert found.kl.tolist() == pytest.approx([0.25 * np.log(2)]) and found.tv.tolist() == pytest.approx([0.25])
    assert found.change.tolist() == pytest.approx([np.log(2)]) and found.rank.tolist() == [[2], [1]]
    assert found.other_best.tolist() == [True]
    never = rows(np.array([[0.0, -np.inf]]), np.array([[0.0, 0.0]]), [0])
    assert never.kl.tolist() == pytest.approx([np.log(2)]), "0 log 0 = 0"


class Other(SmallModel):
    """The same contexts are given other logits."""

    def distribution(self, ids: Sequence[int]) -> Distribution:
        return Distribution.from_logits(super().distribution(ids).logprobs * 0.7 + np.arange(5) / 9)


def held(model: Model) -> State:
    state = State(lambda *_: model)
    state.use(model)
    return state


def ended(one: Model, other: Model, text: str, reading: Reading = Reading()) -> Diverged:
    steps = divergence_of(held(one), held(other), 1, Text.of(text.encode()), reading)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            found: Diverged = finished.value
            return found


@settings(deadline=None)
@given(
    st.text("ABC", min_size=1, max_size=14), st.integers(2, 6), st.booleans(), st.sampled_from([(), (4,)]),
    st.integers(1, 5), st.booleans(),
)  # fmt: skip
def test_each_place_has_the_context_of_the_ledger(
    text: str, context: int, starts_empty: bool, lead: tuple[int, ...], stride: int, window_lead: bool
) -> None:
    """Whatever the windows: each row is of the very distributions that the two models give that token there."""
    reading = Reading(stride=min(stride, context - len(lead)) or 1, window_lead=window_lead)
    models = [kind(context, starts_empty, lead) for kind in (SmallModel, Other)]
    found = ended(models[0], models[1], text, reading)
    before, ids = len(lead), [*lead, *found.encoded.ids.tolist()]
    scores = [ledger(model, text, reading) for model in models]
    np.testing.assert_allclose(found.rows.logprob, np.stack([score.logprob for score in scores]), rtol=1e-9)
    for at in np.flatnonzero(found.rows.known).tolist():
        windows = scores[0].windows
        start = windows.start(before + at)
        read = windows.read(np.array(ids), start, before + at).tolist()
        p, q = (model.distribution(read).logprobs for model in models)
        expected = rows(p[None], q[None], [ids[before + at]])
        assert found.rows.kl[at] == pytest.approx(float(expected.kl[0]), rel=1e-9)
        assert found.rows.tv[at] == pytest.approx(float(expected.tv[0]), rel=1e-9)


def ledger(model: SmallModel, text: str, reading: Reading) -> Ledger:
    steps = score(held(model), Score(1, Text.of(text.encode()), reading))
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            scored: Ledger = finished.value.ledger
            return scored


def test_two_networks_beside_64_bits(tiny_folders: dict[str, Path]) -> None:
    """Each place against logits of a pass of its own without a cache."""
    two = [arplay.load(str(tiny_folders[family])) for family in ("llama", "gpt2")]
    found = divergence(two[0], two[1], "The cat sat on the mat. " * 2)
    lead = len(two[0].loaded.lead)
    ids = [*two[0].loaded.lead, *found.encoded.ids.tolist()]
    for at in np.flatnonzero(found.rows.known).tolist():
        logits = [model.backend.uncached(ids[: lead + at]).astype(np.float64) for model in two]
        one, other = (row - row.max() - np.log(np.exp(row - row.max()).sum()) for row in logits)
        kl, tv = float(np.sum(np.exp(one) * (one - other))), 0.5 * float(np.abs(np.exp(one) - np.exp(other)).sum())
        assert found.rows.kl[at] == pytest.approx(kl, rel=1e-3, abs=1e-5)
        assert found.rows.tv[at] == pytest.approx(tv, rel=1e-3, abs=1e-5)
        assert found.rows.logprob[0, at] == pytest.approx(one[ids[lead + at]], abs=1e-4)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_english_in_two_number_types(dtype: Literal["bfloat16", "float16"]) -> None:
    exact, rounded = arplay.load("english", dtype="float32"), arplay.load("english", dtype=dtype)
    found = divergence(exact, rounded, TEXT)
    np.testing.assert_allclose(found.rows.logprob[1], rounded.score(TEXT).logprob, atol=0.1)
    scored = exact.score(TEXT)
    np.testing.assert_allclose(found.rows.logprob[0], scored.logprob, atol=1e-4)
    np.testing.assert_array_equal(found.rows.rank[0], scored.rank)
    assert 0 < found.rows.totals()["kl_mean_nats"] < 1e-2  # type: ignore[operator]
    alike = divergence(exact, exact, TEXT)
    assert (alike.rows.kl == 0).all() and (alike.rows.rank[0] == alike.rows.rank[1]).all()


def test_a_long_text_is_read_in_the_windows_of_its_ledger() -> None:
    model = arplay.load("english", reading=Reading(context=40, stride=13))
    found = divergence(model, model, TEXT * 3)
    np.testing.assert_allclose(found.rows.logprob[0], model.score(TEXT * 3).logprob, atol=1e-4)


def test_a_quantisation_native_and_dequantised(tmp_path: Path) -> None:
    """llama.cpp rounds activations of a Q8_0 file to 8 bits, transformers does not."""
    pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
    file = write(tmp_path / "llama.gguf", "llama", KINDS.Q8_0)
    native, plain = (arplay.load(f"{file}#{way}") for way in ("native", "dequantised"))
    found = divergence(plain, native, "The cat sat on the mat")
    np.testing.assert_allclose(found.rows.logprob[1], native.score("The cat sat on the mat").logprob, atol=1e-3)
    assert 0 < found.rows.totals()["kl_most_nats"] < 0.5  # type: ignore[operator]


@pytest.mark.parametrize(("kind", "least", "most"), [(KINDS.Q8_0, 1e-7, 0.05), (KINDS.Q4_0, 1e-4, 5.0)])
def test_a_quantisation_beside_the_weights_that_it_was_made_of(
    tmp_path: Path, kind: KINDS, least: float, most: float
) -> None:
    """The fewer bits a weight has, the farther the distributions are."""
    made = network("llama", 300)
    whole, quantised = (write(tmp_path / f"{each.name}.gguf", "llama", each, made) for each in (KINDS.F32, kind))
    one, other = (arplay.load(f"{file}#dequantised", dtype="float32") for file in (whole, quantised))
    found = divergence(one, other, "The cat sat on the mat")
    mean = found.rows.totals()["kl_mean_nats"]
    assert mean is not None and least < mean < most


def test_other_tokens_are_refused() -> None:
    with pytest.raises(Problem, match="has other tokens"):
        divergence(arplay.load("english"), arplay.load("abc"), "ABC")


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "text.txt"
    file.write_text(TEXT, "utf-8")
    asked = ["score", str(file), "--compare", "english:bfloat16", "--divergence"]
    assert main([*asked, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["divergence"]
    expected = divergence(arplay.load("english"), arplay.load("english", dtype="bfloat16"), TEXT).rows
    assert told["model"]["dtype"] == "bfloat16" and told["kl_mean_nats"] == pytest.approx(
        float(expected.kl[expected.known].mean()), rel=0.05
    )
    assert len(told["tokens"]) == len(expected) and told["tokens"][3]["rank"] == int(expected.rank[0, 3])
    assert main(asked) == 0
    assert "english bfloat16 against english float32" in capsys.readouterr().out
    assert main(["score", str(file), "--divergence"]) == 2
