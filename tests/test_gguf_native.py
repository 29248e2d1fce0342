"""GGUF files in llama.cpp: the Session contract, against its own uncached pass and against the dequantised way."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.models import catalogue
from arplay.models.gguf import dequantised as gguf_dequantised
from arplay.models.gguf import llama as gguf_llama
from arplay.models.gguf import native as gguf_native
from tests.served_ggufs import Llama
from tests.tiny_ggufs import ARCHITECTURES, CONTEXT, KINDS, network, write, write_sentencepiece
from tests.tiny_models import one_thread

pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
__all__ = ["one_thread"]

NEAR = {
    ("llama", "F32"): 2e-5,
    ("qwen2", "F32"): 2e-5,
    ("qwen3", "F32"): 2e-5,
    ("gemma", "F32"): 2e-2,  # ggml takes GELU from a table of 16-bit numbers
    ("gemma3", "F32"): 5e-2,
    ("gpt2", "F32"): 1e-2,
    ("llama", "F16"): 5e-2,  # activations are rounded to 16 bits
    ("llama", "Q8_0"): 0.5,  # and to 8 bits in blocks of 32, as in Q4_0; these logits spread over some 12 nats
    ("llama", "Q4_0"): 0.5,
}
"""The largest difference in log p (nats) between both ways; measured ones are smaller by a factor of 3 or more."""


def itself(which: tuple[str, str]) -> float:
    """The same against a session's own uncached pass. The cache changes the order of sums, no more; but one row and
    several go through other kernels, which round GELU and 16-bit weights' activations otherwise."""
    return 3e-3 if which[0].startswith("g") or which[1] == "F16" else 1e-4


def quiet(fraction: float | None, what: str) -> None:
    pass


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Each file loaded both ways."""
    made = {}
    for architecture, kind in NEAR:
        file = write(tmp_path_factory.mktemp("gguf") / f"{architecture}.gguf", architecture, KINDS[kind])
        native, plain = (catalogue.load(f"{file}#{way}", "cpu", "auto", quiet) for way in ("native", "dequantised"))
        made[architecture, kind] = native, plain
    return made


def log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64)
    logits = logits - logits.max()
    return np.asarray(logits - np.log(np.exp(logits).sum()))


TOKENS = st.lists(st.integers(0, 299), min_size=1, max_size=7)
MOVES = st.lists(
    st.one_of(
        TOKENS.map(lambda ids: ("extend", ids)),
        TOKENS.map(lambda ids: ("read", ids)),
        st.floats(0, 1).map(lambda part: ("rewind", part)),
        st.just(("branch", 0)),
        st.integers(0, 3).map(lambda number: ("turn", number)),
    ),
    min_size=1,
    max_size=9,
)


@pytest.mark.parametrize("which", NEAR, ids="-".join)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_any_moves_agree_with_the_uncached_pass_and_the_other_way(
    both: dict[tuple[str, str], tuple[Any, Any]], which: tuple[str, str], moves: list[tuple[str, Any]]
) -> None:
    native, plain = both[which]
    sessions = [(native.session(), plain.session())]
    for move, value in moves:
        ours, theirs = sessions[0]
        match move:
            case "turn":
                sessions = sessions[value:] + sessions[:value] if value < len(sessions) else sessions
            case "branch":
                sessions.append((ours.branch(), theirs.branch()))
            case "rewind":
                for session in (ours, theirs):
                    session.rewind(int(value * len(session.ids)))
            case _ if len(ours.ids) + len(value) <= CONTEXT:
                said = [getattr(session, move)(value) for session in (ours, theirs)]
                if move == "extend":
                    np.testing.assert_allclose(said[0].logprob, said[1].logprob, atol=NEAR[which], rtol=0)
    for ours, theirs in sessions:
        assert ours.ids == theirs.ids
        if ours.ids:
            mine = log_softmax(ours.logits())
            np.testing.assert_allclose(mine, log_softmax(native.uncached(ours.ids)), atol=itself(which), rtol=0)
            np.testing.assert_allclose(mine, log_softmax(theirs.logits()), atol=2 * NEAR[which], rtol=0)


@pytest.mark.parametrize("which", NEAR, ids="-".join)
def test_scores_are_those_of_the_independent_pass(
    both: dict[tuple[str, str], tuple[Any, Any]], which: tuple[str, str]
) -> None:
    native, plain = both[which]
    ids = np.random.default_rng(3).integers(0, 300, CONTEXT + 1).tolist()
    session = native.session()
    scored = session.extend(ids[:-1])
    forced = native.teacher_forced(ids)
    np.testing.assert_allclose(scored.logprob, forced[:-1], atol=itself(which), rtol=0)
    stepped = native.session()
    one_by_one = [stepped.extend([id]).logprob[0] for id in ids[:-1]]
    np.testing.assert_allclose(one_by_one, forced[:-1], atol=itself(which), rtol=0)
    np.testing.assert_allclose(forced, plain.teacher_forced(ids), atol=NEAR[which], rtol=0)
    shuffled = native.teacher_forced(ids[::-1])[::-1]
    assert np.nanmax(np.abs(shuffled[1:-1] - forced[1:-1])) > 2 * NEAR[which], "other texts have other numbers"


def test_the_contract_at_its_edges(both: dict[tuple[str, str], tuple[Any, Any]]) -> None:
    native, _ = both["llama", "F32"]
    session = native.session()
    with pytest.raises(Problem, match="first token"):
        session.logits()
    assert np.isnan(session.extend([5]).logprob[0]) and not session.extend([]).logprob.size
    with pytest.raises(Problem, match="context is full"):
        session.extend([1] * CONTEXT)
    for id in (-1, 300):
        with pytest.raises(Problem, match="outside the vocabulary"):
            session.extend([id])
    assert session.ids == (5,)
    logits = session.logits()
    assert logits.dtype == np.float32 and logits.shape == (300,) and not logits.flags.writeable
    with pytest.raises(ValueError, match="cannot rewind"):
        session.rewind(2)
    assert session.evaluated == 1
    session.read([6, 7, 8])
    session.rewind(2)
    session.logits()
    assert session.evaluated == 5, "the last token alone is read again"
    assert session.reach(1) == 1 and sum(session.storages.values()) == session.cache_bytes > 0


def test_more_branches_than_sequences_and_more_tokens_than_cells(
    both: dict[tuple[str, str], tuple[Any, Any]],
) -> None:
    native, _ = both["llama", "F32"]
    root = native.session()
    prefix = list(range(20))
    root.extend(prefix)
    branches = [root.branch() for _ in range(gguf_llama.SEQUENCES + 3)]
    tails = [[i, 2 * i, 3 * i, *range(i, i + 20)] for i in range(len(branches))]
    before = root.cache_bytes
    for branch, tail in zip(branches, tails, strict=True):
        branch.extend(tail)
    assert root.cache_bytes > before, "its context has grown"
    branches[0].rewind(30)  # what was copied is used, not only kept logits
    tails[0] = tails[0][:10]
    for branch, tail in list(zip(branches, tails, strict=True))[::11]:
        np.testing.assert_allclose(
            log_softmax(branch.logits()), log_softmax(native.uncached(prefix + tail)), atol=1e-4, rtol=0
        )
    context = root._context
    del branch, branches
    gc.collect()
    others = [root.branch() for _ in range(gguf_llama.SEQUENCES - 1)]
    assert all(other._context is context for other in others), "sequences of ended sessions are taken again"


def test_what_only_the_other_way_can_is_said(tmp_path: Path) -> None:
    file = write(tmp_path / "m.gguf", "llama")
    for device, dtype in (("cuda", "auto"), ("cpu", "bfloat16")):
        with pytest.raises(Problem, match="#dequantised"):
            gguf_native.load(file, "m", device, dtype, quiet)
    assert catalogue.load(str(file), "auto", "bfloat16", quiet).info.engine == "transformers"
    assert catalogue.load(str(file), "auto", "auto", quiet).info.engine == "llama.cpp"


def test_a_load_can_be_cancelled(tmp_path: Path) -> None:
    def stop(fraction: float | None, what: str) -> None:
        if what == "reading the weights":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gguf_native.load(write(tmp_path / "m.gguf", "llama"), "m", "auto", "auto", stop)


TEXTS = ("The cat sat on the mat.", "the cat  at 1961,\n\n\tthe hat's 12345 naïve «é» 😀", " a", "\n", "日本 e\u0301")


def test_sentencepiece_ids_are_llama_cpps_own(tmp_path: Path) -> None:
    file = write_sentencepiece(tmp_path / "m.gguf")
    native = gguf_native.load(file, "m", "auto", "auto", quiet)
    assert native.alphabet.lead == (1,)
    with Llama(file) as llama:
        for text in TEXTS:
            tokens = native.alphabet.encode(text.encode())
            assert tokens.ids.tolist() == llama.ids(text), text
            assert tokens.ends[-1] == len(text.encode())
    plain = gguf_dequantised.load(file, "m", "auto", "auto", quiet)
    assert plain.alphabet.vocabulary.name == native.alphabet.vocabulary.name


def test_rotary_factors_mean_the_same_in_both_ways(tmp_path: Path) -> None:
    made = network("llama", 300)
    made.extra_tensors = {"rope_freqs.weight": np.array([1, 1, 1.5, 2, 4, 8, 8, 8], np.float32)}
    file = write(tmp_path / "m.gguf", "llama", made=made)
    ids = np.random.default_rng(1).integers(0, 300, CONTEXT).tolist()
    ways = [catalogue.load(f"{file}#{way}", "auto", "auto", quiet) for way in ("native", "dequantised")]
    native, plain = (way.teacher_forced(ids) for way in ways)
    np.testing.assert_allclose(native, plain, atol=2e-5, rtol=0)
    without = write(tmp_path / "without.gguf", "llama")
    assert np.nanmax(np.abs(catalogue.load(str(without), "auto", "auto", quiet).teacher_forced(ids) - native)) > 1e-3


def test_every_architecture_is_compared() -> None:
    assert {architecture for architecture, _ in NEAR} == set(ARCHITECTURES)
