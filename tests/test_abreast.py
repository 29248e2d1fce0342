"""Windows that are read side by side: the same figures as one by one, and never more logits than may be held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arplay
from arplay import Reading
from arplay.engine import scoring
from arplay.models.base import abreast
from arplay.models.hf import causal_lm
from arplay.models.hf.causal_lm import CausalLM

COLUMNS = ("logprob", "entropy", "best_logprobs")
TEXT = "It was a dark and stormy night, and the old man sat by the fire. He said nothing for a long while.\n" * 4
READINGS = [
    Reading(context=16, stride=1),
    Reading(context=16),
    Reading(context=24, stride=5, window_lead=True),
    Reading(context=9, stride=9),
    Reading(context=40, stride=3, first_token="unscored"),
]


def scored(model: Any, reading: Reading) -> Any:
    model.reading = reading
    model._state.kept(scoring.Known).work = None
    model._state.forget()
    model._state.pace.size = model._state.pace.most  # as it is on a machine with nothing else to do
    return model.score(TEXT).ledger


def forwards_of(network: CausalLM, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of logits of all forwards from now on."""
    shapes: list[tuple[int, ...]] = []
    forward = network.passes.forward

    def noted(*args: Any, **more: Any) -> Any:
        found = forward(*args, **more)
        shapes.append(tuple(found[0].shape))
        return found

    monkeypatch.setattr(network.passes, "forward", noted)
    return shapes


@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_side_by_side_is_one_by_one(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    model = arplay.load("english")
    network = model.backend
    assert isinstance(network, CausalLM) and abreast(network) is network
    shapes = forwards_of(network, monkeypatch)
    together = scored(model, reading)
    assert max(shape[0] for shape in shapes) > 1, "several windows in one forward"
    monkeypatch.setattr(scoring, "abreast", lambda model: None)
    shapes.clear()
    alone = scored(model, reading)
    assert {shape[0] for shape in shapes} <= {1}, "the control: one by one"
    for name in COLUMNS:
        np.testing.assert_allclose(getattr(together, name), getattr(alone, name), atol=1e-5, err_msg=name)
    apart = np.diff(-alone.best_logprobs[alone.scored], axis=1).min(axis=1) > 1e-4  # else either may come first
    same = (together.best_ids == alone.best_ids)[alone.scored].all(axis=1)
    assert same[apart].all() and apart.mean() > 0.8
    assert (together.rank == alone.rank).mean() > 0.99 and np.abs(together.rank - alone.rank).max() <= 3
    assert together.totals.nll_nats == pytest.approx(alone.totals.nll_nats, abs=1e-4)
    assert together.windows == alone.windows and together.complete


def test_the_logits_of_a_forward_fit_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert causal_lm.LOGITS_BYTES == 64 * 2**20
    model = arplay.load("english")
    network = model.backend
    assert isinstance(network, CausalLM)
    shapes = forwards_of(network, monkeypatch)
    for stride in (1, 7, 16):
        for rows in (5, 16, 1000):
            network.rows = rows
            shapes.clear()
            scored(model, Reading(context=16, stride=stride))
            assert max(batch * kept for batch, kept, _ in shapes) <= max(rows, 1)
            assert any(batch > 1 for batch, _, _ in shapes) is (rows >= 2 * stride), (stride, rows)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_other_networks_agree_too(tiny_folders: dict[str, Path], family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = arplay.load(tiny_folders[family])
    together = scored(model, Reading(context=12, stride=2))
    monkeypatch.setattr(scoring, "abreast", lambda model: None)
    np.testing.assert_allclose(together.logprob, scored(model, Reading(context=12, stride=2)).logprob, atol=1e-5)
