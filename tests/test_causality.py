"""A changed token moves what comes after it alone, as far as it is connected; a broken mask is caught."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import arplay
from arplay import cli
from arplay.core.causality import agreement, another, band, by_distance, moves, repetition
from arplay.core.errors import Problem
from arplay.core.modalities.image import Picture
from arplay.core.modalities.text import Text
from arplay.engine.causality import MOST, Change, Changed, change, triangle
from arplay.engine.messages import Progress
from arplay.export.causality import poisoned
from arplay.export.causality import rows as rows_of
from arplay.gui.widgets.causality.lines import poisoned_plot
from arplay.models.base import Model, Parallel, Wired
from arplay.models.families.lstm.loading import load as load_lstm
from arplay.models.families.lstm.network import lstm
from arplay.models.families.pixelcnn.network import Sizes
from arplay.models.hf.causal_lm import CausalLM
from arplay.models.hf.networks import save
from tests.small_model import SmallModel
from tests.test_jobs import abc, run, state_of
from tests.test_pixelcnn import made_model
from tests.tiny_models import one_thread, save_tokenizer, tiny_folders, tokenizer

__all__ = ["one_thread", "tiny_folders"]

logits = arrays(np.float64, (3, 5), elements=st.floats(-30, 30))


def changed(model: Model, document: Any, **more: Any) -> Changed:
    asked = {"rows": (0, 99), "columns": (0, 99)} | more
    told, made = run(change(state_of(model), Change(1, document, **asked)))
    assert isinstance(made, Changed)
    fractions = [each.fraction or 0.0 for each in told if isinstance(each, Progress)]
    assert fractions == sorted(fractions) and len(fractions) == len(made.columns)
    return made


# ---- the mathematics


@given(st.integers(0, 2**64 - 1), st.integers(0, 10_000), st.integers(2, 300), st.data())
def test_another_token_is_another_one(seed: int, index: int, size: int, data: st.DataObject) -> None:
    id = data.draw(st.integers(0, size - 1))
    assert 0 <= another(seed, index, id, size) < size and another(seed, index, id, size) != id


def test_every_other_token_is_drawn() -> None:
    assert {another(0, index, 2, 5) for index in range(100)} == {0, 1, 3, 4}
    with pytest.raises(ValueError, match="no other"):
        another(0, 0, 0, 1)


@given(logits, logits)
def test_moves_are_distances(one: np.ndarray, other: np.ndarray) -> None:
    there, back, none = moves(one, other), moves(other, one), moves(one, one + 0.0)
    assert (there.variation >= 0).all() and (there.variation <= 1 + 1e-9).all() and (there.divergence >= 0).all()
    assert there.variation == pytest.approx(back.variation) and there.any.tolist() == back.any.tolist()
    assert (there.variation <= np.sqrt(there.divergence / 2) + 1e-9).all()  # Pinsker's inequality
    assert not none.any.any() and not none.variation.any() and not none.divergence.any()
    assert there.any.tolist() == np.any(one != other, axis=1).tolist()


def test_what_may_not_move_is_named() -> None:
    moved = np.tril(np.ones((4, 4), bool), -1)
    assert agreement(range(4), range(4), moved, None).holds
    moved[1, 2] = True
    assert agreement(range(4), range(4), moved, None).beyond == ((1, 2),)
    declared = np.tril(np.ones((4, 4), bool), -1)
    declared[3, 0] = False
    assert agreement(range(4), range(4), moved, declared).beyond == ((1, 2), (3, 0))


def test_figures_by_distance_and_position() -> None:
    distance, mean, low, high = by_distance((2, 3), (0, 1), np.array([[0.1, 0.4], [np.nan, 0.3]]))
    assert distance.tolist() == [1, 2] and mean.tolist() == [0.4, pytest.approx(0.2)]
    assert low.tolist() == [0.4, 0.1] and high.tolist() == [0.4, 0.3]
    assert repetition([1, 1, 1, 1, 1, 1])[3:].tolist() == [0.0, 0.5, pytest.approx(2 / 3)]
    assert np.isnan(band(np.full((2, 3), np.nan)).middle).all()


# ---- models


@settings(max_examples=30)
@given(st.text("ABC", min_size=2, max_size=12), st.integers(0, 9))
def test_a_table_moves_as_its_rows_do(text: str, seed: int) -> None:
    table = abc()
    found = changed(table, Text.of(text.encode()), seed=seed)
    assert isinstance(table, Wired) and not isinstance(table, Parallel) and not found.at_once
    ids = found.ids.tolist()
    for c, (j, other) in enumerate(zip(found.columns.tolist(), found.others.tolist(), strict=True)):
        new = [*ids[:j], other, *ids[j + 1 :]]
        for r, i in enumerate(found.rows.tolist()):
            p, q = np.exp(table.logprobs(ids[:i])), np.exp(table.logprobs(new[:i]))
            assert found.variation[r, c] == pytest.approx(0.5 * np.abs(p - q).sum())
            if i != j:
                assert found.felt[r, c] == pytest.approx(np.log(q[ids[i]] / p[ids[i]]))
            else:
                assert np.isnan(found.felt[r, c])
    assert found.agreement.holds and not np.triu(found.moved).any()


def test_what_is_read_wrongly_is_caught() -> None:
    """Negative control: a table that tells less than it reads."""
    table = abc()
    table.longest, rows = 1, table.longest
    assert rows == 2
    table.logprobs = type(table)(  # type: ignore[method-assign]
        "other", ["A", "B", "C"], {"": {"A": 1.0}, "AA": {"B": 1.0}, "AB": {"C": 1.0}, "BA": {"A": 1.0}}, "test"
    ).logprobs
    found = changed(table, Text.of(b"AAB"))
    assert (2, 0) in found.agreement.beyond


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> CausalLM:
    folder = tmp_path_factory.mktemp("lstm")
    torch.manual_seed(3)
    made = lstm(300, 12, 1, context=24)
    with torch.no_grad():
        dict(made.named_parameters())["lstm.weight_ih_l0"].mul_(4)
    save(made, folder)
    save_tokenizer(folder, tokenizer())
    return load_lstm(folder, "lstm", "cpu", "auto", lambda fraction, what: None)


@settings(max_examples=10, deadline=None)
@given(st.text("abc def", min_size=4, max_size=24), st.integers(0, 99))
def test_an_lstm_is_causal(recurrent: CausalLM, text: str, seed: int) -> None:
    found = changed(recurrent, Text.of(text.encode()), seed=seed)
    assert found.at_once and found.agreement.holds and "state" in found.wiring
    assert found.declared is not None and found.declared[-1].sum() == found.rows[-1] - found.columns[0]


class BothWays(torch.nn.Module):
    def __init__(self, one: Any) -> None:
        super().__init__()
        self.one = one

    def forward(self, features: Any, state: Any) -> Any:
        forth, after = self.one(features, state)
        return forth + self.one(features.flip(1))[0].flip(1), after


def test_an_lstm_that_reads_both_ways_is_caught(recurrent: CausalLM) -> None:
    """Negative control: the future is visible."""
    broken = lstm(300, 12, 1, context=24)
    broken.load_state_dict(recurrent.network.state_dict())
    broken.lstm = BothWays(broken.lstm)  # type: ignore[assignment]
    found = changed(CausalLM(broken, recurrent.alphabet, recurrent.info, recurrent.proof), Text.of(b"abc def abc"))
    assert not found.agreement.holds and any(j > i for i, j in found.agreement.beyond)


@pytest.mark.parametrize("family", ["gpt2", "mistral"])
def test_a_transformer_is_causal_within_its_window_and_a_broken_one_is_caught(
    family: str, tiny_folders: dict[str, Path]
) -> None:
    backend = arplay.load(tiny_folders[family]).backend
    assert isinstance(backend, CausalLM)
    text = Text.of(b"the dark night and the rain fell on it")
    found = changed(backend, text)
    assert found.at_once and found.agreement.holds and found.declared is not None
    assert found.agreement.silent <= 1, found.agreement
    window = family == "mistral"
    assert ("windows" in found.wiring) == window
    assert (found.declared.sum() < len(found.rows) * (len(found.rows) + 1) / 2 - 5) == window
    part = next(module for module in backend.network.modules() if isinstance(module, torch.nn.LayerNorm) or
                "Norm" in type(module).__name__)  # fmt: skip
    hook = part.register_forward_hook(lambda module, given, made: made + made.mean(dim=1, keepdim=True))
    try:
        assert not changed(backend, text).agreement.holds
    finally:
        hook.remove()


@pytest.mark.parametrize("stacks", [1, 2])
def test_a_picture_moves_within_its_receptive_field(stacks: int) -> None:
    sizes = Sizes(3, 8, 3, 4, 5, stacks)
    model = made_model(sizes)
    cells = np.random.default_rng(1).integers(0, 3, 24).tolist()
    found = changed(model, Picture(8, model.alphabet.signs, tuple(cells)))
    assert found.declared is not None and found.agreement.holds and found.at_once
    blind = np.tril(np.ones((24, 24), bool), -1) & ~found.declared
    assert blind.any() == (stacks == 1)  # the blind spot is found by measurement, and only there
    assert not found.moved[blind].any() and found.moved[found.declared].mean() > 0.9


@pytest.mark.parametrize(("count", "index"), [(0, None), (10, 3), (200, None), (200, 5), (200, 150)])
def test_a_triangle_has_the_token_that_was_chosen(count: int, index: int | None) -> None:
    start, stop = triangle(count, index)
    assert 0 <= start <= stop <= count and stop - start <= MOST
    assert index is None or start <= index < stop


def test_a_row_and_a_column_are_those_of_the_triangle(recurrent: CausalLM) -> None:
    text = Text.of(b"abc def abc def")
    whole = changed(recurrent, text)
    row = changed(recurrent, text, rows=(5, 6))
    column = changed(recurrent, text, columns=(2, 3))
    assert row.variation[0] == pytest.approx(whole.variation[whole.rows.tolist().index(5)])
    at = whole.columns.tolist().index(2)
    assert column.variation[:, 0] == pytest.approx(whole.variation[:, at])
    assert column.felt[:, 0] == pytest.approx(whole.felt[:, at], nan_ok=True)


def test_what_cannot_be_measured_is_told() -> None:
    with pytest.raises(Problem, match="nothing to change"):
        changed(abc(), Text.of(b"A"))
    found = changed(SmallModel(context=4), Text.of(b"ABCABC"))  # only the context is read
    assert found.read == 4 and found.declared is None and found.wiring == ""


@settings(max_examples=20)
@given(st.text("ABC", min_size=3, max_size=10), st.integers(0, 9), st.data())
def test_one_token_is_poisoned_in_every_way(text: str, seed: int, data: st.DataObject) -> None:
    """By brute force on the table: both other letters, each once, and KL as it is defined."""
    table, j = abc(), data.draw(st.integers(0, len(text) - 2))
    asked = Change(1, Text.of(text.encode()), (j, len(text)), (j, j + 1), seed=seed, draws=8)
    told, found = run(change(state_of(table), asked))
    assert isinstance(found, Changed) and [each.number for each in told if each is not None]
    ids = found.ids.tolist()
    assert {int(each.others[0]) for each in found.draws} == {0, 1, 2} - {ids[j]} and len(found.draws) == 2
    for each in found.draws:
        new = [*ids[:j], int(each.others[0]), *ids[j + 1 :]]
        for r, i in enumerate(each.rows.tolist()):
            p, q = (np.exp(table.logprobs(chain[:i])) for chain in (ids, new))
            assert each.divergence[r, 0] == pytest.approx(float((p * np.log(p / q)).sum()), abs=1e-12)
            assert i == j or each.felt[r, 0] == pytest.approx(np.log(q[ids[i]] / p[ids[i]]))
    behind = found.rows > j
    middle = np.median([each.divergence[behind, 0] for each in found.draws], axis=0)
    far = [d for d, value in enumerate(middle, 1) if value >= 0.01]
    assert (f"felt for {max(far)} tokens" if far else "hardly felt") in poisoned(found)
    assert not middle[table.longest :].any(), "it forgets: the table reads its last letters alone"
    plot = poisoned_plot(found, "divergence")
    with np.errstate(divide="ignore"):
        logarithm = np.where(middle > 0, np.maximum(np.log10(middle), -12), np.nan)
    assert plot.series[-1].y.tolist() == pytest.approx(logarithm.tolist(), nan_ok=True) and len(
        rows_of(found)
    ) == 2 * len(found.rows)


def test_a_single_draw_has_no_band(recurrent: CausalLM) -> None:
    """Negative control: of one token there is no spread, and of eight there is."""
    text = Text.of(b"abc def abc def")
    once = changed(recurrent, text, columns=(2, 3))
    many = run(change(state_of(recurrent), Change(1, text, (2, 15), (2, 3), draws=8)))[1]
    assert isinstance(many, Changed) and len(many.draws) == 8 and len({int(each.others[0]) for each in many.draws}) == 8
    assert len(poisoned_plot(once).series) == 1 and len(poisoned_plot(many).series) == 3
    low, high, middle = (each.y for each in poisoned_plot(many, "divergence").series)
    known = np.isfinite(low)
    assert (low <= middle)[known].all() and (middle <= high)[known].all() and (low < high)[known].any()


# ---- the command


def test_the_command_tells_the_triangle_and_whether_it_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["causality", "--model", "abc", "--prompt", "BAC", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["causal"] and told["declared"] == told["moved"] == [
        [False] * 3,
        [True, False, False],
        [True, True, False],
    ]
    assert cli.main(["causality", "--model", "abc", "--prompt", "BAC"]) == 0
    out = capsys.readouterr().out
    assert "the last 2 tokens" in out and "█" in out and "i - j" in out
