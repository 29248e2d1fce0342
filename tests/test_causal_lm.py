"""The ledger balances (rule 7): cached steps = one uncached pass = the model's own loss, after any moves."""

from __future__ import annotations

import math
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arplay import paths
from arplay.core.chain import BEST
from arplay.core.distribution import Distribution, log_softmax
from arplay.core.errors import Problem
from arplay.models import catalogue, scoring_rows
from arplay.models.hf import causal_lm, library, loading
from arplay.models.hf.causal_lm import CausalLM, CausalSession
from tests.fixtures_smollm2 import smollm2_folder
from tests.tiny_models import CONTEXT, FAMILIES, WINDOW, one_thread, tiny_folders

__all__ = ["one_thread", "smollm2_folder", "tiny_folders"]

TOLERANCE = 1e-4  # nats a token, in float32
ENGLISH = paths.assets() / "models" / "english"
TEXT = "The old man sat by the window and watched the rain. He said nothing for a long time."


def quiet(fraction: float | None, what: str) -> None:
    """Progress that nobody looks at."""


def opened(folder: Path, dtype: str = "auto") -> CausalLM:
    return loading.load(folder, folder.name, "cpu", dtype, quiet)


@pytest.fixture(scope="module")
def tiny(tiny_folders: dict[str, Path]) -> dict[str, CausalLM]:
    return {family: opened(folder) for family, folder in tiny_folders.items()}


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest, tiny: dict[str, CausalLM]) -> CausalLM:
    return tiny[request.param]


def fresh_logits(model: CausalLM, ids: tuple[int, ...] | list[int]) -> np.ndarray:
    """One plain uncached forward of transformers; logits of shape (n, V)."""
    import torch

    with torch.inference_mode():
        logits = model.network(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0]
    result: np.ndarray = logits.float().numpy()
    return result


def own_loss(model: CausalLM, ids: list[int]) -> float:
    """Total NLL (nats) by the model's own loss, which is a mean over n - 1 tokens."""
    import torch

    with torch.inference_mode():
        given = torch.tensor([ids])
        return float(of_the_library(model)(input_ids=given, labels=given, use_cache=False).loss) * (len(ids) - 1)


def of_the_library(model: CausalLM) -> Any:
    """The same network as transformers has it."""
    return (
        model.network
        if model.info.engine == "transformers"
        else library.causal_network(model.info.source, dtype="float32")
    )


def some_ids(model: CausalLM, n: int, seed: int = 0) -> list[int]:
    return [int(id) for id in np.random.default_rng(seed).integers(0, model.info.vocabulary, n)]


def balances(model: CausalLM, ids: list[int], cuts: list[int], session: CausalSession | None = None) -> None:
    """Steps of any size through the cache, against everything that knows the same number."""
    session = session or model.session()
    parts = [session.extend(ids[low:high]) for low, high in zip([0, *cuts], [*cuts, len(ids)], strict=True)]
    stepped = np.concatenate([part.logprob for part in parts])
    forced = model.teacher_forced(ids)
    whole = log_softmax(fresh_logits(model, ids))
    assert math.isnan(stepped[0]) and math.isnan(forced[0])
    direct = whole[np.arange(len(ids) - 1), ids[1:]]
    for theirs in (forced[1:], direct):
        assert np.abs(stepped[1:] - theirs).max() < TOLERANCE
    assert -math.fsum(stepped[1:]) == pytest.approx(own_loss(model, ids), abs=TOLERANCE * len(ids))
    assert np.abs(log_softmax(session.logits()) - whole[-1]).max() < TOLERANCE


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4], [7], [1, 12, 13]])
def test_the_ledger_balances(model: CausalLM, cuts: list[int]) -> None:
    balances(model, some_ids(model, 20), cuts)


def test_the_models_are_sharp_enough_to_show_a_wrong_context(model: CausalLM) -> None:
    ids = some_ids(model, 20)
    other = [ids[0], (ids[1] + 1) % model.info.vocabulary, *ids[2:]]
    gap = np.abs(log_softmax(fresh_logits(model, ids)) - log_softmax(fresh_logits(model, other)))
    assert gap[2 : WINDOW - 1].max(axis=1).min() > 100 * TOLERANCE
    assert gap[0].max() == 0


moves = st.lists(
    st.one_of(
        st.tuples(st.just("extend"), st.lists(st.integers(0, 258), max_size=9)),
        st.tuples(st.just("rewind"), st.floats(0, 1)),
        st.tuples(st.just("logits"), st.none()),
    ),
    max_size=10,
)


def moved(session: CausalSession, script: list[tuple[str, Any]]) -> None:
    """Every answer on the way is that of a fresh pass without cache."""
    model = session._model
    for verb, what in script:
        if verb == "rewind":
            length = round(what * len(session.ids))
            session.rewind(length)
            assert len(session.ids) == length
        elif verb == "extend":
            before = list(session.ids)
            new = what[: CONTEXT - len(before)]
            scores = session.extend(new)
            assert list(session.ids) == before + new
            forced = model.teacher_forced(before + new)[len(before) :]
            assert np.allclose(scores.logprob, forced, atol=TOLERANCE, rtol=0, equal_nan=True)
        elif session.ids:
            gap = log_softmax(session.logits()) - log_softmax(fresh_logits(model, session.ids)[-1])
            assert np.abs(gap).max() < TOLERANCE
        else:
            with pytest.raises(Problem, match="no distribution of a first token"):
                session.logits()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=moves)
def test_after_any_moves_a_session_is_a_fresh_one(model: CausalLM, script: list[tuple[str, Any]]) -> None:
    moved(model.session(), [*script, ("logits", None)])


class ForgetsToCrop(CausalSession):
    def rewind(self, length: int) -> None:
        if length < len(self._ids):
            del self._ids[length:]
            self._next = None
            self._kept.length = min(self._kept.length, length)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_wrong_cache_is_caught(family: str, tiny: dict[str, CausalLM]) -> None:
    script = [("extend", list(range(1, 10))), ("rewind", 0.7), ("extend", [40, 41, 42]), ("logits", None)]
    moved(tiny[family].session(), script)
    with pytest.raises((AssertionError, RuntimeError)):
        moved(ForgetsToCrop(tiny[family]), script)


def test_ranks_entropy_and_the_best_five(model: CausalLM) -> None:
    ids = some_ids(model, 16)
    scores = model.session().extend(ids)
    before = fresh_logits(model, ids)
    assert (scores.rank[0], scores.best_ids[0].tolist()) == (0, [-1] * BEST)
    for i in range(1, len(ids)):
        true = Distribution.from_logits(before[i - 1])
        assert scores.rank[i] == true.rank(ids[i])
        assert scores.best_ids[i].tolist() == true.top(BEST).tolist()
        assert scores.best_logprobs[i] == pytest.approx(true.logprobs[true.top(BEST)], abs=TOLERANCE)
        assert scores.entropy[i] == pytest.approx(true.entropy, abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(5))
def test_ties_are_broken_by_id_as_everywhere(seed: int) -> None:
    import torch

    rng = np.random.default_rng(seed)
    tied = rng.integers(-2, 3, (12, 40)).astype(np.float32)
    near = (np.float32(1) + rng.integers(0, 3, (12, 40)) * np.float32(2**-23)).astype(np.float32)
    near[:, 39] = 20.0  # log-probs near -19, where 32 bits no longer tell these neighbours apart
    for logits in (tied, near):
        ids = rng.integers(0, 40, 12).tolist()
        _, rank, _, best_ids, _ = scoring_rows.score_rows(torch, torch.tensor(logits), ids)
        true = [Distribution.from_logits(row) for row in logits]
        assert rank.tolist() == [d.rank(id) for d, id in zip(true, ids, strict=True)]
        assert best_ids.tolist() == [d.top(BEST).tolist() for d in true]
    rounded = torch.log_softmax(torch.tensor(near), dim=-1).numpy()  # a rank by these would count equals
    assert any(len(set(row.tolist())) < len(set(exact.tolist())) for row, exact in zip(rounded, near, strict=True))


def test_fewer_than_five_tokens_are_padded() -> None:
    import torch

    _, rank, _, best_ids, best = scoring_rows.score_rows(torch, torch.tensor([[0.0, 1.0, 0.0]]), [2])
    assert rank.tolist() == [3] and best_ids.tolist() == [[1, 0, 2, -1, -1]]
    assert best[0, 3:].tolist() == [-math.inf, -math.inf]


def watched(model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of tokens of every pass from here on, replayed steps too."""
    sizes: list[int] = []

    def counted(real: Any) -> Any:
        def read(ids: Any, *args: Any) -> Any:
            sizes.append(len(ids))
            return real(ids, *args)

        return read

    for name in ("fresh", "cached"):
        monkeypatch.setattr(model.passes, name, counted(getattr(model.passes, name)))
    return sizes


def test_a_full_context_is_refused_before_the_forward(model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    session = model.session()
    session.extend(some_ids(model, CONTEXT))
    session.logits()
    forwards = watched(model, monkeypatch)
    with pytest.raises(Problem, match=f"context is full \\({CONTEXT} tokens\\)"):
        session.extend([1])
    assert len(session.ids) == CONTEXT
    for bad in ([-1], [model.info.vocabulary]):
        with pytest.raises(Problem, match="outside the vocabulary"):
            model.session().extend([1, *bad])
        for ids in ([1, *bad, 1], [1, *bad]):
            with pytest.raises(Problem, match="outside the vocabulary"):
                model.teacher_forced(ids)
    assert forwards == []
    session.rewind(CONTEXT - 1)
    session.extend([1])
    assert forwards


def test_a_whole_window_and_the_token_behind_it_are_teacher_forced(model: CausalLM) -> None:
    ids = some_ids(model, CONTEXT + 1)
    forced = model.teacher_forced(ids)
    assert forced.shape == (CONTEXT + 1,)
    assert forced[:-1] == pytest.approx(model.teacher_forced(ids[:-1]), nan_ok=True, abs=TOLERANCE)
    session = model.session()
    session.extend(ids[:-1])
    assert forced[-1] == pytest.approx(log_softmax(session.logits())[ids[-1]], abs=TOLERANCE)
    with pytest.raises(Problem, match="context is full"):
        model.teacher_forced([*ids, 1])


def test_nothing_and_one_token(model: CausalLM) -> None:
    assert model.teacher_forced([]).shape == (0,)
    assert np.isnan(model.teacher_forced([3])).tolist() == [True]
    session = model.session()
    scores = session.extend([])
    assert scores.logprob.shape == (0,) and scores.best_ids.shape == (0, BEST)
    assert session.ids == () and session.cache_bytes == 0
    for length in (-1, 1):
        with pytest.raises(ValueError, match="cannot rewind"):
            session.rewind(length)


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_parts_of_the_rows_give_the_same_as_all_at_once(
    rows: int, model: CausalLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = some_ids(model, 20)
    whole, forced = model.session().extend(ids), model.teacher_forced(ids)
    monkeypatch.setattr(model, "rows", rows)
    forwards = watched(model, monkeypatch)
    assert model.teacher_forced(ids) == pytest.approx(forced, nan_ok=True, abs=1e-6)
    assert len(forwards) == -(-19 // rows)
    forwards.clear()
    heights: list[int] = []

    def counted(torch: Any, logits: Any, wanted: list[int]) -> Any:
        heights.append(len(logits))
        return scoring_rows.score_rows(torch, logits, wanted)

    monkeypatch.setattr(causal_lm, "score_rows", counted)
    parts = model.session().extend(ids)
    assert max(rows - 1, 1) <= max(heights) <= rows
    assert max(forwards) == (20 if model.passes.in_parts else rows)
    assert parts.logprob == pytest.approx(whole.logprob, nan_ok=True, abs=TOLERANCE)
    assert np.array_equal(parts.rank, whole.rank)


def test_a_rewind_reads_one_token_again_where_the_cache_can_be_cut(
    tiny: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    for family, read in (("llama", [1]), ("mistral", [8])):
        model = tiny[family]
        session = model.session()
        session.extend(some_ids(model, 12))
        forwards = watched(model, monkeypatch)
        session.rewind(8)
        session.logits()
        session.logits()
        assert forwards == read


def test_a_long_replay_holds_no_more_logits_than_it_needs(tiny: dict[str, CausalLM]) -> None:
    model = tiny["mistral"]
    session = model.session()
    session.extend(some_ids(model, 20))
    session.rewind(15)
    session.logits()
    assert session._next is not None
    assert session._next.untyped_storage().nbytes() == 4 * model.info.vocabulary
    session.extend([1, 2, 3])
    assert session._next.untyped_storage().nbytes() == 4 * model.info.vocabulary


def test_a_forward_that_fails_half_way_spoils_nothing(
    tiny: dict[str, CausalLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny["llama"]
    session = model.session()
    ids = some_ids(model, 10)
    session.extend(ids)
    real = model.network.gated

    def out_of_memory(layer: Any, x: Any) -> Any:
        if layer is model.network.layers[-1]:
            raise RuntimeError("out of memory")  # the first layer's rows are written by now, the last one's too
        return real(layer, x)

    with monkeypatch.context() as patch:
        patch.setattr(model.network, "gated", out_of_memory)
        with pytest.raises(RuntimeError, match="out of memory"):
            session.extend([5, 6])
    assert list(session.ids) == ids
    moved(session, [("logits", None), ("extend", [5, 6]), ("rewind", 0.5), ("logits", None)])


def test_results_are_read_only_and_the_cache_is_counted(model: CausalLM) -> None:
    session = model.session()
    scores = session.extend([1, 2, 3])
    for array in (*(getattr(scores, name) for name in scores.__slots__), session.logits()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert session.cache_bytes > 0
    assert session.logits().dtype == np.float32


def test_nan_is_no_score(tiny_folders: dict[str, Path]) -> None:
    import torch

    model = opened(tiny_folders["llama"])
    with torch.inference_mode():
        model.network.norm.fill_(math.nan)
    scores = model.session().extend([1, 2, 3])
    assert np.isnan(scores.logprob).all() and not scores.rank.any() and (scores.best_ids == -1).all()


def test_the_chosen_dtype_is_kept(tiny_folders: dict[str, Path]) -> None:
    ids = [3, 1, 4, 1, 5, 9]
    exact = opened(tiny_folders["llama"]).teacher_forced(ids)
    model = opened(tiny_folders["llama"], "bfloat16")
    assert model.info.dtype == "bfloat16"
    assert {str(parameter.dtype) for parameter in model.network.parameters()} == {"torch.bfloat16"}
    session = model.session()
    assert session.extend(ids).logprob.dtype == np.float64 and session.logits().dtype == np.float32
    gap = np.abs(model.teacher_forced(ids) - exact)[1:]
    assert 0 < gap.max() < 2


def test_loading_tells_its_progress_and_leaves_no_thread(tiny_folders: dict[str, Path]) -> None:
    before = set(threading.enumerate())
    told: list[tuple[float | None, str]] = []
    loading.load(tiny_folders["llama"], "tiny", "cpu", "auto", lambda fraction, what: told.append((fraction, what)))
    assert set(threading.enumerate()) <= before
    fractions = [fraction or 0.0 for fraction, what in told if what == "loading weights"]
    assert len(fractions) > 2 and fractions == sorted(fractions)
    assert told[0] == (None, "importing torch")


class Stop(Exception):  # noqa: N818 - it is no error
    """What a canceller raises; it must come out as it is, not as a Problem."""


@pytest.mark.parametrize("where", ["importing the model class", "loading weights", "opening the tokenizer"])
@pytest.mark.parametrize("kind", [Stop, KeyboardInterrupt])
def test_cancelling_leaves_nothing_loaded(where: str, kind: type[BaseException], tiny_folders: dict[str, Path]) -> None:
    import gc

    from arplay.models.hf.llama import Llama

    def networks() -> weakref.WeakSet[Llama]:
        gc.collect()
        return weakref.WeakSet(thing for thing in gc.get_objects() if issubclass(type(thing), Llama))

    def report(fraction: float | None, what: str) -> None:
        if what == where:
            raise kind

    before = networks()
    with pytest.raises(kind):
        loading.load(tiny_folders["llama"], "tiny", "cpu", "auto", report)
    assert not networks() - before  # those of former tests may go meanwhile
    whole = opened(tiny_folders["llama"])  # the next load is not disturbed
    assert whole.session().extend([1, 2]).rank[1] > 0 and len(networks() - before) == 1


# the models that are shipped or fetched


def real_text_balances(model: CausalLM) -> None:
    ids = [*model.alphabet.lead, *model.alphabet.encode(TEXT.encode()).ids.tolist()]
    balances(model, ids, [1, 2, 3, len(ids) - 1])
    session = model.session()
    rng = np.random.default_rng(0)
    for _ in range(6):
        session.rewind(int(rng.integers(0, len(session.ids) + 1)))
        low = len(session.ids)
        session.extend(ids[low : low + int(rng.integers(0, 9))])
        if session.ids:
            gap = log_softmax(session.logits()) - log_softmax(fresh_logits(model, session.ids)[-1])
            assert np.abs(gap).max() < TOLERANCE
    with pytest.raises(AssertionError):
        moved_wrongly = ForgetsToCrop(model)
        moved_wrongly.extend(ids[:9])
        moved_wrongly.rewind(5)
        gap = log_softmax(moved_wrongly.logits()) - log_softmax(fresh_logits(model, ids[:5])[-1])
        assert np.abs(gap).max() < TOLERANCE


@pytest.mark.skipif(not ENGLISH.is_dir(), reason="english is not trained yet")
def test_english_balances() -> None:
    model = opened(ENGLISH)
    assert model.alphabet.lead and model.info.context is not None and model.info.context >= 512
    assert model.info.parameters >= 5_000_000
    real_text_balances(model)


@pytest.mark.real_model
def test_smollm2_balances_and_knows_the_capital_of_france(
    smollm2_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "models", lambda: smollm2_folder.parent)
    model = catalogue.load("smollm2", "cpu", "float32", quiet)
    assert isinstance(model, CausalLM) and model.alphabet.lead == ()
    session = model.session()
    session.extend(model.alphabet.encode(b"The capital of France is").ids.tolist())
    (paris,) = model.alphabet.encode(b" Paris").ids.tolist()

    def p(logits: np.ndarray) -> float:
        return math.exp(log_softmax(logits)[paris])

    assert p(session.logits()) == pytest.approx(0.773, abs=0.01)
    chatty = model.session()  # a BOS that the tokenizer does not add would give another number
    chatty.extend([model.alphabet.bos or 0, *session.ids])
    assert p(chatty.logits()) != pytest.approx(0.773, abs=0.01)
    real_text_balances(model)
