"""Batches: each chain's log-probs are those of a session of its own, whatever was stepped and reordered before."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.distribution import log_softmax
from arplay.core.errors import Problem
from arplay.models import batches, catalogue
from arplay.models.base import Batch, Model
from arplay.models.families.lstm.loading import load as load_lstm
from arplay.models.families.ngram.model import NgramModel
from arplay.models.hf import chains as network_chains
from arplay.models.hf import loading
from arplay.training.ngram import train
from tests.test_families_memory import model_of
from tests.test_recurrent import network as lstm
from tests.test_recurrent import save as save_lstm
from tests.tiny_ggufs import write
from tests.tiny_models import CONTEXT, SETTINGS, one_thread, save, save_tokenizer, tokenizer

__all__ = ["one_thread"]

Acts = list[tuple[str, int]]

acts = st.lists(st.tuples(st.sampled_from(["step", "reorder"]), st.integers(0, 2**32 - 1)), min_size=1, max_size=6)


def quiet(fraction: float | None, what: str) -> None:
    """What a loader reports to nobody."""


@cache
def shipped(name: str) -> Model:
    return catalogue.load(name, "cpu", "auto", quiet)


def ngram() -> NgramModel:
    abc: Any = shipped("abc")
    counts = train([np.random.default_rng(3).integers(0, 3, 80)], 3, 3)
    return NgramModel(counts, abc.alphabet, abc.info)


def a_llama(folder: Path) -> Model:
    return loading.load(save(folder, "llama"), "llama", "cpu", "float32", quiet)


def an_lstm(folder: Path) -> Model:
    save_lstm(lstm(), folder)
    save_tokenizer(folder, tokenizer(adds_separator=True))
    return load_lstm(folder, "lstm", "cpu", "float32", quiet)


def a_gguf(folder: Path) -> Model:
    pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
    return catalogue.load(str(write(folder / "m.gguf", "llama")), "cpu", "auto", quiet)


MADE: dict[str, Callable[[Path], Model]] = {
    "abc": lambda _: shipped("abc"),
    "xo": lambda _: shipped("xo"),
    "n-gram": lambda _: ngram(),
    "our Llama": a_llama,
    "LSTM": an_lstm,
    "llama.cpp": a_gguf,
    **{family: lambda _, family=family: model_of(family) for family in SETTINGS},  # type: ignore[misc]
}


@pytest.fixture(scope="module", params=MADE)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return MADE[request.param](tmp_path_factory.mktemp("model"))


def driven(model: Model, actions: Acts, seed: int) -> float:
    """Step and reorder some chains; the largest difference from sessions of their own, as a part of the largest."""
    chance, size = np.random.default_rng(seed), model.info.vocabulary
    n = chance.integers(0 if model.can.starts_empty else 1, 3)
    chains = [tuple(chance.integers(0, size, n).tolist()) for _ in range(chance.integers(1, 4))]
    chains += chains[:1]
    batch, worst = model.batch(chains), gap(model, model.batch(chains), chains)
    for what, number in actions:
        chance = np.random.default_rng(number)
        if what == "step":
            ids = chance.integers(0, size, len(chains))
            chains = [(*chain, int(id)) for chain, id in zip(chains, ids, strict=True)]
            assert batch.step(ids) is batch.logprobs
        else:
            parents = chance.integers(0, len(chains), chance.integers(1, 6))
            chains = [chains[parent] for parent in parents]
            batch.reorder(parents)
        worst = max(worst, gap(model, batch, chains))
    return worst


def gap(model: Model, batch: Batch, chains: list[tuple[int, ...]]) -> float:
    given = batch.logprobs
    assert given.shape == (len(chains), model.info.vocabulary) and given.dtype == np.float64
    assert not given.flags.writeable
    worst = 0.0
    for row, chain in zip(given, chains, strict=True):
        session = model.session()
        session.read(chain)
        true = log_softmax(session.logits())
        far = np.where(row == true, 0.0, np.abs(row - np.maximum(true, -1e9)))  # equal infinities are 0 apart
        worst = max(worst, float(far.max() / np.abs(true[np.isfinite(true)]).max()))
    return worst


@settings(max_examples=5, deadline=None)
@given(acts, st.integers(0, 99))
def test_chains_say_what_single_sessions_say(model: Model, actions: Acts, seed: int) -> None:
    assert driven(model, actions, seed) < (0.05 if model.info.engine == "llama.cpp" else 1e-4)


ALONE = {"abc", "xo", "n-gram", "llama.cpp", "rwkv", "recurrent_gemma", "openai-gpt"}


def test_who_is_stepped_one_by_one_says_so(request: pytest.FixtureRequest, model: Model) -> None:
    name = request.node.callspec.params["model"]
    assert model.can.batch == (name not in ALONE)
    assert isinstance(model.batch([[1]]), batches.OneByOne if name in ALONE else network_chains.NetworkBatch)


def test_english_says_the_same_in_a_batch() -> None:
    steps = [("step", 3), ("reorder", 1), ("step", 4), ("step", 9)]
    assert driven(shipped("english"), steps, 1) < 1e-4


@pytest.mark.parametrize("name", ["our Llama", "gpt2", "LSTM", "mamba"])
def test_a_cache_that_does_not_follow_its_chains_is_noticed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_chains, "chosen", lambda kept, chains: kept)
    made = MADE[name](tmp_path)
    batch = made.batch([[1, 2, 3], [3, 2, 1]])
    batch.reorder([1, 0])
    batch.step([5, 5])
    assert gap(made, batch, [(3, 2, 1, 5), (1, 2, 3, 5)]) > 1e-2


@pytest.mark.parametrize("name", ["gpt2", "LSTM", "our Llama"])
def test_one_forward_reads_a_token_of_each_chain(name: str, tmp_path: Path) -> None:
    made: Any = MADE[name](tmp_path)
    read: list[tuple[int, ...]] = []
    real = made.network.forward

    def counted(input_ids: Any, *args: Any, **more: Any) -> Any:
        read.append(tuple(input_ids.shape))
        return real(input_ids, *args, **more)

    batch = made.batch([[1, 2, 3]] * 5)
    made.network.forward = counted
    batch.step([4] * 5)
    batch.reorder([4, 4, 0])
    batch.step([6, 7, 8])
    assert read == [(5, 1), (3, 1)]


def test_a_prefix_that_comes_several_times_is_read_once() -> None:
    made = model_of("gpt2")
    given: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        real = network_chains.Chains.read
        patch.setattr(network_chains.Chains, "read", lambda self, ids: given.append(ids.shape) or real(self, ids))
        made.batch([[1, 2], [3, 4], [1, 2]])
    assert given == [(2, 2)]


def test_what_cannot_be_stepped_is_refused(model: Model) -> None:
    for prefixes in ([], [[1], [1, 2]]):
        with pytest.raises(ValueError, match="all of one length"):
            model.batch(prefixes)
    batch = model.batch([[1, 0], [0, 1]])
    before = batch.logprobs
    with pytest.raises(ValueError, match="1 ids for 2 chains"):
        batch.step([1])
    for parents in ([], [2], [-1, 0]):
        with pytest.raises(ValueError, match="no chains to go on from"):
            batch.reorder(parents)
    for id in (-1, model.info.vocabulary):
        with pytest.raises(Problem, match="outside the vocabulary"):
            batch.step([0, id])
    assert batch.logprobs is before and gap(model, batch, [(1, 0), (0, 1)]) < 0.05
    if not model.can.starts_empty:
        with pytest.raises(Problem, match="no distribution of a first token"):
            model.batch([[]])


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_context_ends_for_a_batch_too(family: str, tmp_path: Path) -> None:
    made = (
        a_llama(tmp_path) if family == "our Llama" else loading.load(save(tmp_path, family), "m", "cpu", "auto", quiet)
    )
    batch = made.batch([[1] * CONTEXT, [2] * CONTEXT])
    with pytest.raises(Problem, match="the context is full"):
        batch.step([1, 1])
    with pytest.raises(Problem, match="the context is full"):
        made.batch([[1] * (CONTEXT + 1)])


def test_behind_a_whole_picture_nothing_comes() -> None:
    xo = shipped("xo")
    batch = xo.batch([[0] * 8, [1] * 8])
    with pytest.raises(Problem, match="complete"):
        batch.step([0, 1])
