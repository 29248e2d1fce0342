"""The stages beside those of transformers and of llama.cpp, on random logits: the same survivors and probabilities."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.decoding.stage import Context
from arplay.core.decoding.stages import STAGES
from arplay.core.distribution import Distribution, log_softmax
from arplay.core.modalities.vocabulary import Vocabulary
from tests import tiny_ggufs

V = 300
TOKENS = Vocabulary("random", tuple(f"{id:x} ".encode() for id in range(V)))
EOS = 7


def logits(seed: int) -> np.ndarray:
    z = np.random.default_rng(seed).normal(0, 3, V).astype(np.float32)
    z[[11, 12, 13]] = z[10]  # equal ones
    return z.astype(np.float64)


def text(seed: int) -> np.ndarray:
    """Ids that repeat themselves at the end."""
    rng = np.random.default_rng(seed)
    few = rng.integers(0, 12, 40)
    return np.concatenate([few, few[5:11], rng.integers(0, V, 3), few[5:11]]).astype(np.int64)


def ours(z: np.ndarray, pipeline: str, **context: Any) -> np.ndarray:
    return decode(Distribution.from_logits(z), Pipeline(pipeline), Context(tokens=TOKENS, **context)).logprobs


def same(found: np.ndarray, expected: np.ndarray, rounding: float = 1e-9) -> None:
    assert np.flatnonzero(np.isfinite(found)).tolist() == np.flatnonzero(np.isfinite(expected)).tolist()
    alive = np.isfinite(expected)
    assert found[alive] == pytest.approx(expected[alive], rel=rounding, abs=rounding)


def processors() -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """For each stage that transformers has: a pipeline, and what makes its processor from the module of them."""
    return {
        "bias": (
            'bias:"{\\"#3\\": -2.5, \\"#10\\": 4}"',
            lambda m: m.SequenceBiasLogitsProcessor([[[3], -2.5], [[10], 4.0]]),
        ),
        "repetition": ("repetition:1.3", lambda m: m.RepetitionPenaltyLogitsProcessor(1.3)),
        "no-repeat": ("no-repeat:3", lambda m: m.NoRepeatNGramLogitsProcessor(3)),
        "ban": ('ban:"[\\"#3\\", \\"#10\\"]"', lambda m: m.NoBadWordsLogitsProcessor([[3], [10]], EOS)),
        "min-length": ("min-length:5", lambda m: m.MinNewTokensLengthLogitsProcessor(51, 5, EOS)),
        "temperature": ("temperature:0.7", lambda m: m.TemperatureLogitsWarper(0.7)),
        "top-h": ("top-h:0.4", lambda m: m.TopHLogitsWarper(0.4)),
        "top-k": ("top-k:17", lambda m: m.TopKLogitsWarper(17)),
        "top-p": ("top-p:0.8", lambda m: m.TopPLogitsWarper(0.8)),
        "min-p": ("min-p:0.03", lambda m: m.MinPLogitsWarper(0.03)),
        "typical": ("typical:0.7", lambda m: m.TypicalLogitsWarper(0.7)),
        "epsilon": ("epsilon:0.004", lambda m: m.EpsilonLogitsWarper(0.004)),
        "eta": ("eta:0.01", lambda m: m.EtaLogitsWarper(0.01, device="cpu")),
    }


def with_transformers(z: np.ndarray, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    import torch
    from transformers.generation import logits_process

    ids = text(0)[:51]
    theirs, said = torch.tensor(z)[None], []
    for name in names:
        pipeline, make = processors()[name]
        theirs = make(logits_process)(torch.tensor(ids)[None], theirs)
        said.append(pipeline)
    expected = torch.log_softmax(theirs[0], dim=-1).numpy()
    return ours(z, ",".join(said), ids=ids, ends=(EOS,)), expected


@pytest.mark.parametrize("name", processors())
def test_each_stage_is_that_of_transformers(name: str) -> None:
    for seed in range(6):
        z = logits(seed)
        found, expected = with_transformers(z, [name])
        same(found, expected)
        assert not np.array_equal(expected, log_softmax(z)), "it did nothing"


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_all_of_them_is_that_of_transformers(seed: int) -> None:
    names = list(processors())
    np.random.default_rng(seed).shuffle(names)
    found, expected = with_transformers(logits(seed), names)
    same(found, expected)


# ---- llama.cpp


@pytest.fixture(scope="module")
def llama() -> Any:
    return pytest.importorskip("llama_cpp").llama_cpp


def sampled_by(llama: Any, samplers: list[Any], z: np.ndarray) -> np.ndarray:
    """log p after llama.cpp's ``samplers``, and what none of them left as minus infinity."""
    data = (llama.llama_token_data * len(z))(*(llama.llama_token_data(id, value, 0) for id, value in enumerate(z)))
    array = llama.llama_token_data_array(data, len(z), -1, False)
    for sampler in samplers:
        llama.llama_sampler_apply(sampler, ctypes.byref(array))
    left = np.full(len(z), -np.inf)
    for place in range(array.size):
        left[array.data[place].id] = array.data[place].logit
    for sampler in samplers:
        llama.llama_sampler_free(sampler)
    return log_softmax(left)


def samplers(llama: Any) -> dict[str, Callable[[], Any]]:
    def penalties(repeat: float, frequency: float, presence: float) -> Callable[[], Any]:
        def made() -> Any:
            sampler = llama.llama_sampler_init_penalties(V, 30, repeat, frequency, presence)
            for id in text(0):
                llama.llama_sampler_accept(sampler, int(id))
            return sampler

        return made

    return {
        "repetition:1.3:30": penalties(1.3, 0, 0),
        "frequency:0.4:30": penalties(1, 0.4, 0),
        "presence:0.4:30": penalties(1, 0, 0.4),
        "temperature:0.7": lambda: llama.llama_sampler_init_temp(0.7),
        "dynamic-temperature:0.6:0.9:1.3": lambda: llama.llama_sampler_init_temp_ext(0.9, 0.6, 1.3),
        "top-n-sigma:1.1": lambda: llama.llama_sampler_init_top_n_sigma(1.1),
        "top-k:17": lambda: llama.llama_sampler_init_top_k(17),
        "top-p:0.8": lambda: llama.llama_sampler_init_top_p(0.8, 1),
        "min-p:0.03": lambda: llama.llama_sampler_init_min_p(0.03, 1),
        "typical:0.7": lambda: llama.llama_sampler_init_typical(0.7, 1),
        "xtc:1:0.05": lambda: llama.llama_sampler_init_xtc(1, 0.05, 1, 0),
        "greedy": llama.llama_sampler_init_greedy,
    }


ROUNDING = 1e-4
"""llama.cpp computes in float32."""


@pytest.mark.parametrize("seed", range(4))
def test_each_stage_is_that_of_llama_cpp(llama: Any, seed: int) -> None:
    z = np.delete(logits(seed), [11, 12, 13])  # it orders equal ones as its sort happens to
    for said, made in samplers(llama).items():
        if said == "greedy":
            continue
        same(ours(z, said, ids=text(0) % len(z)), sampled_by(llama, [made()], z), ROUNDING)


def test_a_chain_is_that_of_llama_cpp(llama: Any) -> None:
    z = np.delete(logits(5), [11, 12, 13])
    chain = ["repetition:1.3:30", "top-k:17", "typical:0.7", "top-p:0.8", "min-p:0.03", "temperature:0.7"]
    made = samplers(llama)
    found = ours(z, ",".join(chain), ids=text(0))
    same(found, sampled_by(llama, [made[said]() for said in chain], z), ROUNDING)
    other = ours(z, ",".join(reversed(chain)), ids=text(0))
    assert not np.array_equal(np.isfinite(found), np.isfinite(other))  # negative control: the order matters


@pytest.fixture(scope="module")
def opened_vocabulary(llama: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Vocabulary]]:
    """llama.cpp's vocabulary of a small file, and ours of the same tokens."""
    path = tiny_ggufs.write(tmp_path_factory.mktemp("dry") / "tiny.gguf", "llama")
    parameters = llama.llama_model_default_params()
    parameters.vocab_only, parameters.use_mmap = True, False
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    assert model
    vocabulary, room = llama.llama_model_get_vocab(model), ctypes.create_string_buffer(64)
    written = []
    for id in range(llama.llama_vocab_n_tokens(vocabulary)):
        size = llama.llama_token_to_piece(vocabulary, id, room, len(room), 0, True)
        written.append(room.raw[:size])
    yield vocabulary, Vocabulary("tiny", tuple(written))
    llama.llama_model_free(model)


@pytest.mark.parametrize("breakers", ["", "\n", " a"])
@pytest.mark.parametrize("allowed", [1, 2, 4])
def test_dry_is_that_of_llama_cpp(
    llama: Any, opened_vocabulary: tuple[Any, Vocabulary], allowed: int, breakers: str
) -> None:
    vocabulary, tokens = opened_vocabulary
    size, changed = len(tokens), 0
    signs = [char.encode() for char in breakers]
    ends = [id for id, data in enumerate(tokens.written) if any(char in data for char in signs)]
    for seed in range(12):
        rng = np.random.default_rng(seed)
        z = rng.normal(0, 3, size).astype(np.float32).astype(np.float64)
        few = rng.choice(np.concatenate([rng.integers(0, size, 4), ends[:2]]).astype(np.int64), 60)
        ids = np.concatenate([few, few[10 : 12 + seed]])
        given = (ctypes.c_char_p * len(signs))(*signs)
        sampler = llama.llama_sampler_init_dry(vocabulary, 0.8, 1.75, allowed, len(ids), given, len(signs))
        for id in ids:
            llama.llama_sampler_accept(sampler, int(id))
        context = Context(ids, tokens=tokens)
        said = Pipeline([("dry", (0.8, 1.75, allowed, 0, breakers))])
        found = decode(Distribution.from_logits(z), said, context).logprobs
        same(found, sampled_by(llama, [sampler], z), ROUNDING)
        changed += not np.array_equal(found, log_softmax(z))
    assert changed > 2


def test_mirostat_follows_llama_cpp(llama: Any) -> None:
    """llama.cpp draws by itself; what it left to draw from, and its next limit, follow from the token that it drew."""
    sampler = llama.llama_sampler_init_mirostat_v2(5, 3.0, 0.1)
    drawn: list[float] = []
    for seed in range(12):
        z = np.delete(logits(seed), [11, 12, 13])
        data = (llama.llama_token_data * len(z))(*(llama.llama_token_data(id, x, 0) for id, x in enumerate(z)))
        array = llama.llama_token_data_array(data, len(z), -1, False)
        llama.llama_sampler_apply(sampler, ctypes.byref(array))
        left = {array.data[place].id: array.data[place].p for place in range(array.size)}
        found = ours(z, "mirostat:3:0.1", drawn=tuple(drawn))
        assert sorted(left) == np.flatnonzero(np.isfinite(found)).tolist()
        chosen = array.data[array.selected].id
        assert math.exp(found[chosen]) == pytest.approx(left[chosen], abs=1e-6)
        drawn.append(float(found[chosen]))
    llama.llama_sampler_free(sampler)
    assert (
        ours(z, "mirostat:3:0.1").tolist() != found.tolist()
    )  # negative control: with nothing drawn it is another limit


def test_every_stage_has_a_parity_or_a_definition_of_its_own() -> None:
    beside = {*processors(), "frequency", "presence", "dynamic-temperature", "top-n-sigma", "xtc", "dry", "mirostat"}
    by_hand = {"top-a", "tail-free", "greedy"}  # docstrings of arplay/core/decoding/truncation.py
    by_force = {"regex", "json-schema", "choices"}  # tests/test_grammar.py
    by_force |= {"guidance", "contrastive", "begins"}  # tests/test_second.py, tests/test_healing.py
    assert beside | by_hand | by_force == set(STAGES)
