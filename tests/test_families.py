"""Every family behind the one Session contract: whatever is done, the numbers are those of a fresh pass."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arplay.core.distribution import log_softmax
from arplay.core.errors import Problem
from arplay.models import checkpoints
from arplay.models.hf import caches, library, loading
from arplay.models.hf.causal_lm import CausalLM, CausalSession
from arplay.models.hf.passes import Passes
from arplay.models.hf.proof import Proof, proved
from arplay.models.store.cards import read_card
from arplay.models.store.context import context_of
from tests.tiny_models import CONTEXT, SETTINGS, network, one_thread, save

__all__ = ["one_thread"]

TOLERANCE = 1e-4  # nats a token, in float32
HALF_TOLERANCE = 0.25  # nats a token, in bfloat16, whose eight bits these weights amplify

CUT = Proof(0, "cropped", True)
HOW = {
    "mamba": Proof(0, "checkpoints", False),
    "mamba2": Proof(0, "checkpoints", True),
    "rwkv": Proof(0, "checkpoints", True),
    "jamba": Proof(0, "checkpoints", False),
    "lfm2": Proof(0, "checkpoints", True),
    "recurrent_gemma": Proof(0, "recomputed", False),
    "openai-gpt": Proof(0, "recomputed", False),
}
"""How a session goes back, and whether several tokens at once may be read after others; all the rest are CUT."""


def quiet(fraction: float | None, what: str) -> None:
    """Progress that nobody looks at."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {family: save(tmp_path_factory.mktemp(family), family) for family in SETTINGS}


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, CausalLM]:
    return {family: loading.load(folder, family, "cpu", "auto", quiet) for family, folder in folders.items()}


def plain(model: CausalLM, ids: list[int]) -> np.ndarray:
    """Logits of every place by one forward of transformers, shape (n, V)."""
    import torch

    with torch.inference_mode():
        result: np.ndarray = model.network(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float().numpy()
    return result


def some_ids(model: CausalLM, n: int, seed: int = 0) -> list[int]:
    return [int(id) for id in np.random.default_rng(seed).integers(0, model.info.vocabulary, n)]


@pytest.mark.parametrize("family", SETTINGS)
def test_how_a_session_goes_back_is_found_out(family: str, models: dict[str, CausalLM]) -> None:
    model, expected = models[family], HOW.get(family, CUT)
    assert (model.can.rewinds, model.proof.several) == (expected.cache, expected.several)
    assert model.info.family == family
    assert model.info.context == (None if family in ("mamba", "mamba2", "recurrent_gemma") else CONTEXT)


@pytest.mark.parametrize("family", SETTINGS)
def test_numbers_are_those_of_transformers(family: str, models: dict[str, CausalLM]) -> None:
    import torch

    model = models[family]
    ids = some_ids(model, 20)
    whole = log_softmax(plain(model, ids))
    direct = whole[np.arange(19), ids[1:]]
    session = model.session()
    for found in (session.extend(ids).logprob[1:], model.teacher_forced(ids)[1:]):
        assert np.abs(found - direct).max() < TOLERANCE
    with torch.inference_mode():
        theirs = (
            model.network
            if model.info.engine == "transformers"
            else library.causal_network(model.info.source, dtype="float32")
        )
        loss = float(theirs(input_ids=torch.tensor([ids]), labels=torch.tensor([ids]), use_cache=False).loss)
    assert -direct.mean() == pytest.approx(loss, abs=TOLERANCE)
    for logits in (session.logits(), model.uncached(ids)):
        assert np.abs(log_softmax(logits) - whole[-1]).max() < TOLERANCE
    other = log_softmax(plain(model, [ids[0], (ids[1] + 1) % model.info.vocabulary, *ids[2:]]))
    gap = np.abs(other - whole)
    assert gap[0].max() == 0 and gap[2:5].max(axis=1).min() > 50 * TOLERANCE  # a wrong context would show


tokens = st.lists(st.integers(0, 258), min_size=1, max_size=9)
moves = st.lists(
    st.tuples(st.sampled_from(["extend", "read", "rewind", "branch", "logits"]), tokens, st.floats(0, 1)), max_size=14
)


def driven(model: CausalLM, script: list[tuple[str, list[int], float]], tolerance: float = TOLERANCE) -> float:
    """Run a script over branching sessions; every answer is compared with a fresh pass. The largest difference."""
    sessions = [model.session()]
    worst = 0.0
    for verb, ids, where in [*script, *(("logits", [1], i / 3) for i in range(4))]:
        session = sessions[round(where * (len(sessions) - 1))]
        before = list(session.ids)
        new = ids[: CONTEXT - 1 - len(before)]
        if verb == "extend":
            gap = session.extend(new).logprob - model.teacher_forced(before + new)[len(before) :]
            assert np.isnan(gap).tolist() == [not before and i == 0 for i in range(len(new))]
            worst = max([worst, *np.abs(gap[~np.isnan(gap)])])
        elif verb == "read":
            session.read(new)
        elif verb == "rewind":
            session.rewind(round(where * len(before)))
        elif verb == "branch":
            sessions = [*sessions[-3:], session.branch()]
        elif before:
            worst = max(worst, np.abs(log_softmax(session.logits()) - log_softmax(model.uncached(before))).max())
        if verb in ("extend", "read"):
            assert list(session.ids) == before + new
        assert worst < tolerance
    return worst


@pytest.mark.parametrize("family", SETTINGS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=moves)
def test_after_any_moves_a_session_is_a_fresh_pass(
    family: str, models: dict[str, CausalLM], script: list[tuple[str, list[int], float]]
) -> None:
    driven(models[family], script)


SCRIPT: list[tuple[str, list[int], float]] = [
    ("extend", [5, 6, 7, 8, 9, 10, 11, 12], 0.0),
    ("extend", [13], 0.0),
    ("read", [14], 0.0),
    ("extend", [15, 16, 17], 0.0),
    ("rewind", [], 0.75),
    ("branch", [], 0.0),
    ("extend", [50, 51], 1.0),
    ("logits", [], 0.0),
    ("extend", [60, 61, 62, 63, 64, 65, 66], 0.0),
    ("rewind", [], 0.9),
    ("logits", [], 1.0),
]


def no_cut(layer: Any, extra: int) -> None:
    """A cache that only says that it is shorter."""


@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom", "mistral", "gemma2", "mixtral"])
def test_a_cache_that_is_not_cut_is_caught(
    family: str, models: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    driven(models[family], SCRIPT)
    monkeypatch.setattr(caches, "_cut", no_cut)
    with pytest.raises((AssertionError, RuntimeError)):
        driven(models[family], SCRIPT)


@pytest.mark.parametrize("family", ["mamba", "mamba2", "rwkv", "jamba", "lfm2"])
def test_a_state_that_is_not_copied_is_caught(
    family: str, models: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    driven(models[family], SCRIPT)

    class NoCopies:
        copy = copy.copy
        deepcopy = staticmethod(lambda thing: thing)

    monkeypatch.setattr(caches, "copy", NoCopies)
    with pytest.raises(AssertionError):
        driven(models[family], SCRIPT)


@pytest.mark.parametrize("family", ["mamba", "jamba"])
def test_several_tokens_at_once_are_wrong_where_the_proof_says_so(
    family: str, models: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models[family]
    monkeypatch.setattr(model, "proof", Proof(model.info.vocabulary, "checkpoints", True))
    with pytest.raises(AssertionError):
        driven(model, SCRIPT)


def test_a_wrong_cache_is_found_at_load_and_left_alone(
    models: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    import transformers

    layer: Any = transformers.cache_utils.DynamicLayer
    real = layer.update

    def forgetful(self: Any, keys: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
        seen = real(self, keys, values, *args, **kwargs)
        if keys.shape[-2] == 1:
            self.values = self.values * 0.9
        return seen

    monkeypatch.setattr(layer, "update", forgetful)
    loaded, made = models["llama"], network("llama")
    found = proved(torch, made, "llama")
    assert found.cache == "recomputed"
    driven(CausalLM(made, loaded.alphabet, loaded.info, found), SCRIPT)
    with pytest.raises(AssertionError):  # control: had it been believed
        driven(CausalLM(made, loaded.alphabet, loaded.info, loaded.proof), SCRIPT)


@pytest.mark.parametrize("family", SETTINGS)
def test_sixteen_bits_stay_within_their_bound(family: str, folders: dict[str, Path]) -> None:
    model = loading.load(folders[family], family, "cpu", "bfloat16", quiet)
    assert model.info.dtype == "bfloat16"
    assert model.can.rewinds == HOW.get(family, CUT).cache
    assert model.proof.several <= HOW.get(family, CUT).several  # one at a time is right too
    driven(model, SCRIPT, HALF_TOLERANCE)


def test_a_context_is_what_the_configuration_says_under_any_name() -> None:
    import transformers

    assert context_of(transformers.GPT2Config(n_positions=7).to_dict()) == 7
    assert context_of(transformers.MptConfig(max_seq_len=8).to_dict()) == 8
    assert context_of(transformers.BloomConfig(seq_length=9).to_dict()) == 9
    assert context_of(transformers.BloomConfig().to_dict()) is None
    assert context_of(transformers.MambaConfig().to_dict()) is None
    assert context_of(network("gemma3_text").config.to_dict()) == CONTEXT


@pytest.mark.parametrize("family", SETTINGS)
def test_the_card_shows_the_context_that_is_loaded(
    family: str, folders: dict[str, Path], models: dict[str, CausalLM]
) -> None:
    assert read_card(folders[family]).context == models[family].info.context


def test_odd_configurations_have_no_context() -> None:
    odd: list[dict[str, object]] = [{}, {"n_positions": "7"}, {"n_positions": -1}, {"text_config": [1]}]
    assert [context_of(config) for config in odd] == [None] * 4
    assert context_of({"n_positions": 7, "rope_scaling": "longrope", "rope_parameters": {"rope_type": ["x"]}}) == 7
    phi = {"max_position_embeddings": 99, "original_max_position_embeddings": 9, "rope_scaling": {"type": "su"}}
    assert context_of(phi) == context_of({"text_config": phi}) == 9


@pytest.mark.parametrize("error", [MemoryError("full"), ValueError("odd")])
def test_short_memory_says_nothing_about_a_cache(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def fails(*_: object) -> None:
        raise error

    made = network("llama")
    monkeypatch.setattr(Passes, "cached", fails)
    if isinstance(error, MemoryError):
        with pytest.raises(MemoryError):
            proved(torch, made, "llama")
    else:
        assert proved(torch, made, "llama").cache == "recomputed"


@pytest.mark.parametrize("kind", ["longrope", "yarn"])
def test_a_context_ends_where_the_keys_of_a_cache_would_be_wrong(kind: str, models: dict[str, CausalLM]) -> None:
    import torch

    rope = {"rope_type": kind, "rope_theta": 100.0, "original_max_position_embeddings": 10}
    more = {"short_factor": [1.0] * 4, "long_factor": [9.0] * 4} if kind == "longrope" else {"factor": 2.0}
    made = network("llama", rope_parameters=rope | more)
    assert context_of(made.config.to_dict()) == (10 if kind == "longrope" else CONTEXT)
    passes = Passes(made)
    with torch.inference_mode():
        cache = passes.cached(range(1, 11), None, 1)[1]
        cached = passes.cached([11], cache, 1)[0]
        gap = float((cached - passes.fresh(range(1, 12), 1)).abs().max())
    assert (gap > 0.01) == (kind == "longrope")


def test_forbidden_tokens_do_not_make_the_proof_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where some logits are the least number there is, the others are still compared on their own scale."""
    import torch

    made = network("llama")

    class Forbids(torch.nn.Module):
        weight = made.lm_head.weight

        def forward(self, hidden: Any) -> Any:
            logits = torch.nn.functional.linear(hidden, self.weight)
            logits[..., 5] = torch.finfo(torch.float32).min
            logits[..., 6] = -torch.inf
            return logits

    made.lm_head = Forbids()
    assert proved(torch, made, "llama").cache == "cropped"
    for layer in made.model.layers:
        layer.self_attn.is_causal = False
    made.config._attn_implementation = "eager"
    monkeypatch.setattr("transformers.models.llama.modeling_llama.create_causal_mask", lambda **_: None)
    with pytest.raises(Problem, match="looks at the tokens to come"):
        proved(torch, made, "llama")


def test_sessions_of_recurrent_networks_go_back_for_a_part_of_what_they_lose(models: dict[str, CausalLM]) -> None:
    for family in ("mamba2", "lfm2"):
        model = models[family]
        limit = CONTEXT - 1
        session = model.session()
        for id in some_ids(model, limit):
            session.read([id])
        for lost in range(1, limit):
            other = session.branch()
            other.rewind(limit - lost)
            other.logits()
            assert other.evaluated <= max(1, lost / checkpoints.DENSE)


def test_checkpoints_stay_within_their_memory(models: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch) -> None:
    def held(session: CausalSession) -> int:
        return sum(each.bytes for each in session._kept._checkpoints)

    model = models["mamba"]
    ids = some_ids(model, 200)
    free, bound = model.session(), model.session()
    for id in ids:
        free.read([id])
    assert len(free._kept._checkpoints) < 40 < 200
    monkeypatch.setattr(checkpoints, "CHECKPOINT_BYTES", held(free) // 3)
    for id in ids:
        bound.read([id])
        assert held(bound) <= held(free) // 3 or len(bound._kept._checkpoints) == 2
    bound.rewind(77)
    assert np.abs(log_softmax(bound.logits()) - log_softmax(model.uncached(ids[:77]))).max() < TOLERANCE


def test_what_left_a_window_long_ago_is_forgotten_and_read_again(
    models: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "SLACK", 3)
    model = models["mistral"]
    ids = some_ids(model, CONTEXT - 1)
    session = model.session()
    for id in ids:
        session.read([id])
        assert all(layer.keys.shape[-2] <= 5 + 3 + 3 for layer in session._kept.cache.layers)
    assert session.reach(CONTEXT - 3) == CONTEXT - 3 and session.reach(8) == 0
    for length in (CONTEXT - 3, 8):
        session.rewind(length)
        assert np.abs(log_softmax(session.logits()) - log_softmax(model.uncached(ids[:length]))).max() < TOLERANCE
    driven(model, SCRIPT)
