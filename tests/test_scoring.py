"""Scoring again after an edit: nothing is read twice, and every figure is that of a fresh start."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.chain import Ledger
from arplay.core.modalities.text import Text
from arplay.engine import scoring
from arplay.engine.scoring import Score, score
from tests.small_model import SmallModel
from tests.test_jobs import scored, state_of

TEXTS = st.lists(
    st.binary(max_size=14).map(lambda data: bytes(b"ABC"[byte % 3] for byte in data)), min_size=1, max_size=5
)
COLUMNS = ("ids", "logprob", "rank", "entropy", "context", "best_ids", "best_logprobs")


def same(a: Ledger, b: Ledger) -> bool:
    return a.done == b.done and all(np.array_equal(getattr(a, c), getattr(b, c), equal_nan=True) for c in COLUMNS)


@given(texts=TEXTS, context=st.sampled_from([None, 2, 3, 4]), lead=st.sampled_from([(), (4,)]))
def test_any_sequence_of_texts_scores_as_from_scratch(
    texts: list[bytes], context: int | None, lead: tuple[int, ...]
) -> None:
    state = state_of(SmallModel(context, lead=lead))
    for text in texts:
        assert same(scored(state, text), scored(state_of(SmallModel(context, lead=lead)), text))


@given(texts=TEXTS, at=st.integers(0, 6))
def test_a_cancelled_score_leaves_only_true_rows(texts: list[bytes], at: int) -> None:
    state = state_of(SmallModel(4))
    state.pace.size = 1
    for text in texts:
        steps = score(state, Score(1, Text.of(text)))
        for _ in range(at):
            if next(steps, "ended") == "ended":
                break
        steps.close()
    assert same(scored(state, texts[-1]), scored(state_of(SmallModel(4)), texts[-1]))


def test_a_step_more_reads_one_token_more() -> None:
    model = SmallModel(64)
    state = state_of(model)
    scored(state, b"BCACBCAC")
    before = model.read
    scored(state, b"BCACBCACB")
    assert model.read == before + 1


def test_taking_over_too_much_is_seen() -> None:
    """Negative control: rows taken over past the common prefix make another ledger."""
    model = SmallModel(64)
    fresh = scored(state_of(model), b"BAAAAA")
    state = state_of(model)
    scored(state, b"BCCCCC")
    kept = state.kept(scoring.Known)
    assert kept.work is not None
    kept.work = scoring.Work(fresh.ids, kept.work.columns)  # a chain that it is not
    assert not same(scored(state, b"BAAAAA"), fresh)
