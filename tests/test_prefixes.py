"""Kept sessions: the longest common prefix is reused, the budget holds, and nothing wrong is built upon."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.modalities.text import Caret, Text
from arplay.engine import prefixes
from arplay.engine.explore import Explore, explore
from arplay.engine.prefixes import Prefixes, common_prefix
from arplay.engine.scoring import Score, score
from arplay.engine.state import State
from tests.small_model import SmallModel, SmallSession
from tests.test_jobs import explored, scored, state_of

LONG = bytes(np.random.default_rng(0).choice(np.frombuffer(b"BC", np.uint8), 100))


class Held(SmallSession):
    """A session that holds ten bytes a token, of which a branch shares all that its parent had."""

    def __init__(self, model: SmallModel) -> None:
        super().__init__(model)
        self._shared: dict[int, int] = {}

    @property
    def storages(self) -> Mapping[int, int]:
        mine = 10 * len(self._ids) - sum(self._shared.values())
        return self._shared | ({id(self): mine} if mine > 0 else {})

    def branch(self) -> Held:
        other = Held(self.model)
        other._ids, other._shared = self._ids.copy(), dict(self.storages)
        return other


class Holding(SmallModel):
    def session(self) -> Held:
        return Held(self)


def ids(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8).astype(np.int64) - ord("A")


def at(kept: Prefixes, model: SmallModel, text: bytes, most: int | None = None) -> int:
    """Read ``text``; how many of its tokens were there already."""
    with kept.session(model.session, ids(text), most) as session:
        found = len(session.ids)
        assert list(session.ids) == ids(text)[:found].tolist()
        session.read(ids(text)[found:].tolist())
    return found


def test_common_prefix() -> None:
    assert [common_prefix(ids(a), ids(b)) for a, b in ((b"ABC", b"ABB"), (b"", b"A"), (b"AB", b"AB"))] == [2, 0, 2]


def test_going_back_and_on_again_reads_nothing_twice() -> None:
    model = SmallModel(context=None)
    kept = Prefixes(1 << 20)
    assert at(kept, model, LONG) == 0 and model.read == 100
    assert at(kept, model, LONG[:40]) == 40  # the caret goes back
    assert at(kept, model, LONG[:40] + b"AAA") == 40  # an edit in the middle
    assert at(kept, model, LONG) == 100  # undone
    assert at(kept, model, LONG[:40] + b"AAAB") == 43  # and redone
    assert model.read == 104 and len(kept) == 2
    kept.free()
    assert len(kept) == kept.bytes == 0 and at(kept, model, LONG) == 0


def test_what_is_worth_little_is_rewound_in_place() -> None:
    model = SmallModel(context=None)
    kept = Prefixes(1 << 20)
    at(kept, model, LONG)
    for end in range(99, 90, -1):
        assert at(kept, model, LONG[:end]) == end
    assert len(kept) == 1
    at(kept, model, LONG[: 91 - prefixes.WORTH])
    assert len(kept) == 2


def test_the_least_recently_used_go_first_and_the_last_one_stays() -> None:
    model = Holding(context=None)
    kept = Prefixes(450)
    for text in (b"A" * 20, b"B" * 20, b"A" * 20, b"C" * 20):
        at(kept, model, text)
        assert kept.bytes <= 450
    assert (at(kept, model, b"A" * 20), at(kept, model, b"B" * 20)) == (20, 0)
    at(kept, model, LONG)
    assert len(kept) == 1 and kept.bytes == 1000


def test_shared_memory_is_counted_once() -> None:
    kept = Prefixes(1 << 20)
    at(kept, Holding(context=None), LONG)
    at(kept, Holding(context=None), LONG[:50] + b"AAAAA")
    assert len(kept) == 2 and kept.bytes == 1000


def test_a_session_that_another_can_go_back_to_is_not_kept_too() -> None:
    model = SmallModel(context=None)
    kept = Prefixes(1 << 20)
    at(kept, model, LONG[:30])
    at(kept, model, LONG, most=0)  # as scoring does, which needs every row
    assert len(kept) == 1 and at(kept, model, LONG[:30]) == 30


def test_never_too_many() -> None:
    kept = Prefixes(1 << 20)
    for a in b"ABC":
        for b in b"ABC":
            for c in b"ABC":
                at(kept, SmallModel(context=None), bytes([a, b, c] * 9))
    assert len(kept) == prefixes.MOST_BRANCHES


def test_a_budget_comes_from_the_machine() -> None:
    kept = Prefixes()
    at(kept, SmallModel(context=None), b"A")
    assert kept._budget is not None and 0 < kept._budget <= prefixes.MOST_BYTES


@pytest.mark.parametrize("error", [OverflowError, MemoryError])
def test_a_session_that_failed_is_not_kept(error: type[Exception]) -> None:
    model, kept = SmallModel(context=None), Prefixes(1 << 20)
    at(kept, model, b"ABC")
    with pytest.raises(error), kept.session(model.session, ids(b"ABCC")):
        raise error
    assert len(kept) == 0


def test_a_cancelled_job_leaves_what_it_has_read() -> None:
    model = SmallModel(context=None)
    state = state_of(model)
    state.pace.size = 16
    steps = explore(state, Explore(1, Text.of(LONG), Caret(len(LONG))))
    next(steps)
    steps.close()
    assert len(state.prefixes) == 1
    assert explored(state, LONG).reused == 16


def test_exploring_goes_on_from_what_was_scored() -> None:
    state: State = state_of(SmallModel(context=None))
    scored(state, LONG)
    for caret in (100, 60, 30):
        answer = explored(state, LONG, caret)
        assert (answer.reused, answer.evaluated) == (caret, 0)
        assert answer.branches == 1 + (caret < 100)  # the text, and where the caret is now


def test_a_step_between_two_scorings_finds_what_the_step_before_it_read() -> None:
    """The window asks for scores after each step; the next step often comes before they are all told."""
    state = state_of(SmallModel(context=None))
    scored(state, LONG[:90])
    explored(state, LONG[:91])
    scoring = score(state, Score(2, Text.of(LONG[:91])))
    next(scoring)
    answer = explored(state, LONG[:92])
    assert (answer.reused, answer.evaluated) == (91, 1)
    scoring.close()


texts = st.text("ABC", max_size=40).map(str.encode)


@given(st.lists(st.tuples(texts, st.integers(0, 40), st.booleans()), max_size=12), st.integers(0, 2000))
@settings(max_examples=60, deadline=None)
def test_whatever_was_kept_the_answers_are_those_of_a_fresh_model(
    asked: list[tuple[bytes, int, bool]], budget: int
) -> None:
    state = state_of(Holding(context=8))
    state.prefixes = Prefixes(budget)
    for text, caret, scoring in asked:
        caret = min(caret, len(text))
        if scoring:
            mine, fresh = scored(state, text), scored(state_of(SmallModel(context=8)), text)
            assert np.array_equal(mine.logprob, fresh.logprob, equal_nan=True)
        mine, fresh = explored(state, text, caret), explored(state_of(SmallModel(context=8)), text, caret)
        assert (mine.distribution is None) == (fresh.distribution is None)
        if mine.distribution is not None:
            assert np.array_equal(mine.distribution.logprobs, fresh.distribution.logprobs)
        assert mine.reused <= mine.position.context and mine.branches == len(state.prefixes)
        assert mine.cache_bytes == state.prefixes.bytes <= max(budget, 80)
