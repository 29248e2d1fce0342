"""The jobs without any thread: numbers, contexts, reuse of the cache, and what crosses to the window."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay import paths
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.runs import Fixed, Typed
from arplay.core.modalities.text import Caret, Text
from arplay.core.modalities.vocabulary import Token, Tokens
from arplay.core.reading import Reading
from arplay.core.windows import Windows
from arplay.engine import scoring
from arplay.engine import state as keeping
from arplay.engine.downloads import FETCH_SECONDS, Fetch, Fetched, fetch
from arplay.engine.explore import Explore, explore
from arplay.engine.job import Fetcher, Line, Pause, Steps, Stopped
from arplay.engine.load import Load, Loaded, load
from arplay.engine.messages import Progress
from arplay.engine.reconcile import Reconcile, reconcile
from arplay.engine.scoring import Score, Scored, score
from arplay.engine.state import Pace, State
from arplay.models.base import Model, Report
from arplay.models.families.table.model import Table, TableAlphabet
from tests.small_model import SmallModel, SmallSession


def abc() -> Table:
    return Table.load(paths.assets() / "models" / "abc.json")


def no_load(*_: Any) -> Model:
    raise AssertionError("nothing is loaded here")


def no_fetch(*_: Any) -> Generator[Progress, None, None]:
    raise AssertionError("nothing is fetched here")


def line(report: Report = lambda *_: None, fetch: Fetcher = no_fetch, cancelled: bool = False) -> Line:
    return Line(report, lambda: cancelled, fetch)


def state_of(model: Model) -> State:
    state = State(no_load)
    state.use(model)
    return state


def run(steps: Steps) -> tuple[list[Any], Any]:
    """Everything a job yields, and its final result."""
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as finished:
            return told, finished.value


def scored(state: State, text: bytes) -> Any:
    return run(score(state, Score(1, Text.of(text))))[1].ledger


def explored(state: State, text: bytes, caret: int | None = None) -> Any:
    document = Text.of(text)
    return run(explore(state, Explore(1, document, Caret(len(text) if caret is None else caret))))[1].answer


def test_bac_is_scored_exactly() -> None:
    ledger = scored(state_of(abc()), b"BAC")
    assert ledger.complete and ledger.first_token == "model"
    np.testing.assert_allclose(ledger.logprob, np.log([0.4, 0.5, 0.6]), rtol=1e-15)
    assert ledger.totals.scored == 3 and ledger.totals.units == 3
    assert math.exp(ledger.running[-1]) == pytest.approx(0.12, rel=1e-14)
    assert ledger.totals.nll_nats == pytest.approx(2.1203, abs=5e-5)
    assert ledger.context.tolist() == [0, 1, 2]


def test_an_empty_text_has_an_empty_ledger() -> None:
    ledger = scored(state_of(abc()), b"")
    assert ledger.complete and len(ledger) == 0 and ledger.totals.perplexity is None


@pytest.mark.parametrize("starts_empty", [False, True])
@pytest.mark.parametrize("lead", [(), (4,), (4, 2)])
def test_windows_decide_every_context(starts_empty: bool, lead: tuple[int, ...]) -> None:
    model = SmallModel(context=4, starts_empty=starts_empty, lead=lead)
    ledger = scored(state_of(model), b"ABCCABACBBACABCCBABCA")
    chain = [*lead, *ledger.ids.tolist()]
    for i, id in enumerate(ledger.ids):
        end = len(lead) + i
        start = Windows.half(4).start(end)
        if end == 0 and not starts_empty:
            assert np.isnan(ledger.logprob[i]) and ledger.rank[i] == 0
            continue
        expected = model.distribution(chain[start:end])
        assert ledger.context[i] == end - start
        assert ledger.logprob[i] == pytest.approx(expected.logprobs[id], rel=1e-12)
        assert ledger.rank[i] == expected.rank(id) and ledger.entropy[i] == pytest.approx(expected.entropy, rel=1e-12)
        assert ledger.best_ids[i].tolist() == expected.top(5).tolist()
    # control: with another stride the same check would fail
    other = [model.distribution(chain[Windows(4, 1).start(e) : e]).logprobs[chain[e]] for e in range(9, len(chain))]
    assert not np.allclose(ledger.logprob[9 - len(lead) :], other)


def same_numbers_everywhere(model: Model, text: bytes, order: Callable[[list[int]], list[int]]) -> None:
    """Explored at every token, in any order and with one cache, says what the ledger says."""
    state = state_of(model)
    ledger = scored(state, text)
    for i in order(list(range(len(ledger)))):
        answer = explored(state, text, int(ledger.starts[i]))
        assert answer.prefix.actual == ledger.ids[i] and answer.position.context == ledger.context[i]
        if answer.distribution is None:
            assert np.isnan(ledger.logprob[i])
        else:
            mine = answer.distribution.logprob(int(ledger.ids[i]))
            assert mine == pytest.approx(ledger.logprob[i], rel=1e-12)


texts = st.text(alphabet="ABC", max_size=24).map(str.encode)


@given(texts, st.data(), st.sampled_from(["abc", "small", "leading", "starting"]))
@settings(max_examples=150, deadline=None)
def test_explored_and_scored_agree(text: bytes, data: st.DataObject, which: str) -> None:
    model: Model = {
        "abc": abc,
        "small": lambda: SmallModel(context=4),
        "leading": lambda: SmallModel(context=5, lead=(4,)),
        "starting": lambda: SmallModel(context=1, starts_empty=True),
    }[which]()
    same_numbers_everywhere(model, text, lambda places: data.draw(st.permutations(places)))


def test_a_cache_that_does_not_rewind_is_caught() -> None:
    class Forgetful(SmallSession):
        def rewind(self, length: int) -> None:
            super().rewind(length)
            if length:
                self._ids[-1] = 0  # the cache holds another token than the chain

    class Wrong(SmallModel):
        def session(self) -> SmallSession:
            return Forgetful(self)

    with pytest.raises(AssertionError):
        same_numbers_everywhere(Wrong(context=None, starts_empty=True), b"CBCBCB", lambda places: places[::-1])


def test_only_new_tokens_are_read() -> None:
    model = SmallModel(context=None)
    state = state_of(model)
    assert explored(state, b"BACBAC").evaluated == 6 == model.read
    assert explored(state, b"BACBACC").evaluated == 1
    assert explored(state, b"BACBACC").evaluated == 0
    assert model.read == 7
    assert explored(state, b"BACCC").evaluated == 2  # nothing was asked of the place gone back to
    assert model.read == 9
    assert explored(state, b"CC").evaluated == 2  # control: nothing shared, nothing reused


def test_a_long_prefix_is_read_from_its_window_only() -> None:
    model = SmallModel(context=4)
    answer = explored(state_of(model), b"BACC" * 10 + b"B")
    assert (answer.position.start, answer.position.end, answer.evaluated) == (38, 41, 3)
    assert model.read == 3


def test_no_distribution_before_the_first_token_unless_the_model_has_one() -> None:
    assert explored(state_of(SmallModel()), b"BA", 0).distribution is None
    assert explored(state_of(SmallModel(lead=(4,))), b"BA", 0).distribution is not None
    np.testing.assert_allclose(explored(state_of(abc()), b"BAC", 0).distribution.probs, [0.3, 0.4, 0.3])


def test_a_first_token_that_the_user_left_out_is_left_out_everywhere() -> None:
    text = Text.of(b"BAC")
    state = state_of(abc())
    _, whole = run(score(state, Score(1, text)))
    _, result = run(score(state, Score(2, text, Reading("unscored"))))
    ledger = result.ledger
    assert np.isnan(ledger.logprob[0]) and (ledger.rank[0], ledger.best_ids[0, 0]) == (0, -1)
    assert np.array_equal(ledger.logprob[1:], whole.ledger.logprob[1:])
    assert (ledger.totals.scored, ledger.totals.units, ledger.first_token) == (2, 2, "unscored")
    assert run(explore(state, Explore(3, text, Caret(0), Reading("unscored"))))[1].answer.distribution is None
    _, checked = run(reconcile(state, Reconcile(4, text, Reading("unscored"))))
    assert checked.largest_difference == 0 and checked.nll_nats == pytest.approx(ledger.totals.nll_nats, abs=1e-12)
    _, again = run(score(state, Score(5, text)))  # negative control: the rule is a rule of the request
    assert np.array_equal(again.ledger.logprob, whole.ledger.logprob)


def test_a_long_way_to_the_caret_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {}
    for seconds in (0.0, 1e6):
        monkeypatch.setattr("arplay.engine.explore.REPORT_SECONDS", seconds)
        state = state_of(SmallModel(context=None))
        state.pace.size = state.pace.most = 8
        told, answered = run(explore(state, Explore(1, Text.of(b"C" * 100), Caret(100))))
        assert answered.answer.position.context == 100
        steps[seconds] = [step.fraction for step in told if isinstance(step, Progress)]
    assert steps[0.0] == [n / 100 for n in range(8, 100, 8)]
    assert steps[1e6] == []  # negative control: a short way is not worth a word


def test_a_caret_inside_a_token_has_no_actual_next() -> None:
    answer = explored(state_of(SmallModel()), b"CAB", 2)
    assert answer.prefix.ids.tolist() == [2, 0] and answer.prefix.actual is None


def test_kept_ids_that_are_not_canonical_are_told() -> None:
    document = Text((Typed(b"C"), Fixed("small", (0, 1), (b"A", b"B"))))
    _, last = run(score(state_of(SmallModel()), Score(1, document)))
    assert last.departures == ((1, 3),)
    assert run(score(state_of(SmallModel()), Score(1, Text.of(b"CAB"))))[1].departures == ()


def test_a_text_is_encoded_once_for_all_jobs() -> None:
    class Counting(SmallModel):
        encoded = 0

    model = Counting()
    encode = model.alphabet.encode

    def counting(data: bytes, start: bool = True, special: bool = False) -> Any:
        model.encoded += 1
        return encode(data, start, special)

    model.alphabet.encode = counting  # type: ignore[method-assign]
    state = state_of(model)
    for _ in range(3):
        scored(state, b"BAC")
        explored(state, b"BAC")
    assert model.encoded == 1
    for text in (b"A", b"B", b"C", b"AA", b"BAC"):
        explored(state, text)
    assert model.encoded == 6  # only the last few are remembered


def test_a_token_written_after_a_text_does_not_have_it_encoded_again() -> None:
    model, cut = SmallModel(), list[bytes]()
    encode = model.alphabet.encode

    def noting(data: bytes, start: bool = True, special: bool = False) -> Any:
        cut.append(data)
        return encode(data, start, special)

    model.alphabet.encode = noting  # type: ignore[method-assign]
    state, document = state_of(model), Text.of(b"CABBA")
    for _ in range(20):
        document = document.apply(document.put(len(document), Token(0, b"A"), "small"))
        answer = run(explore(state, Explore(1, document, Caret(len(document)))))[1].answer
        assert np.array_equal(answer.encoded.ids, document.encoded(SmallModel().alphabet).ids)
    assert cut == [b"CABBA"]
    typed = document.apply(document.replace(0, 1, b"A"))  # negative control: what changed is
    run(explore(state, Explore(1, typed, Caret(len(typed)))))
    assert cut == [b"CABBA", b"AABBA"]


def test_growing_ledgers_tell_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "LEDGER_SECONDS", 0.0)
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=lambda: 0.0))  # adding up takes no time
    text, state = b"BAC" * 300, state_of(abc())
    state.pace = keeping.Pace(size=16, most=16)
    told, final = run(score(state, Score(7, Text.of(text))))
    growing = [result.ledger for result in told if isinstance(result, Scored)]
    progress = [result.fraction for result in told if isinstance(result, Progress)]
    assert len(growing) > 2 and progress == sorted(progress) and 0 < progress[0] < 1
    done = [ledger.done for ledger in growing]
    assert done == sorted(set(done)) and done[-1] < 900 == final.ledger.done
    for ledger in growing:  # still as it was, though the job went on
        assert len(ledger) == 900 and not ledger.complete
        np.testing.assert_array_equal(ledger.logprob[: ledger.done], final.ledger.logprob[: ledger.done])
        assert not ledger.scored[ledger.done :].any() and not ledger.context[ledger.done :].any()
        assert ledger.running[-1] == pytest.approx(final.ledger.running[ledger.done - 1])
        assert ledger.totals.nll_nats == pytest.approx(-ledger.running[-1])
    assert all(ledger.logprob.base is growing[0].logprob.base for ledger in growing)  # nothing is copied
    monkeypatch.setattr(scoring, "LEDGER_SECONDS", 1000.0)  # control: seldom means never here
    told, _ = run(score(state_of(abc()), Score(7, Text.of(text))))
    assert not any(isinstance(result, Scored) for result in told)


def reconciled(state: State, text: bytes) -> Any:
    return run(reconcile(state, Reconcile(1, Text.of(text))))[1]


@pytest.mark.parametrize("first", [True, False])
def test_the_ledger_reconciles(first: bool) -> None:
    for model in (abc(), SmallModel(), SmallModel(context=1), SmallModel(lead=(4,)), SmallModel(starts_empty=True)):
        state = state_of(model)
        ledger = scored(state, b"BACBACCABAC")
        if not first:
            state.kept(scoring.Known).ledger = None  # then it is computed in the same job
        result = reconciled(state, b"BACBACCABAC")
        assert result.largest_difference <= 1e-12
        assert result.nll_nats == pytest.approx(ledger.totals.nll_nats, rel=1e-12)
    assert reconciled(state_of(abc()), b"BAC").nll_nats == pytest.approx(2.1203, abs=5e-5)
    assert reconciled(state_of(abc()), b"").nll_nats == 0


def test_reconciling_uses_the_ledger_there_is_and_finds_a_wrong_one() -> None:
    model = SmallModel()
    state = state_of(model)
    ledger = scored(state, b"BACCA")
    forwards = model.forwards
    assert reconciled(state, b"BACCA").largest_difference == 0 and model.forwards == forwards
    wrong = ledger.logprob.copy()
    wrong[3] += 0.25
    state.kept(scoring.Known).ledger = (Text.of(b"BACCA"), Reading(), dataclasses.replace(ledger, logprob=wrong))
    assert reconciled(state, b"BACCA").largest_difference == pytest.approx(0.25)


def test_two_impossible_tokens_agree() -> None:
    table = Table("sure", ["A", "B"], {"": {"A": 1.0}}, "test")
    result = reconciled(state_of(table), b"AB")
    assert result.nll_nats == math.inf and result.largest_difference == 0


def arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple | list):
        return [array for part in value for array in arrays(part)]
    if hasattr(value, "logprobs") and not dataclasses.is_dataclass(value):
        return [value.logprobs, value.probs, value.order]
    if dataclasses.is_dataclass(value):
        return [array for part in dataclasses.fields(value) for array in arrays(getattr(value, part.name))]
    return []


def test_results_are_frozen_and_their_arrays_read_only() -> None:
    state = state_of(SmallModel())
    document = Text.of(b"BACABA")
    for caret in (4, 6):  # inside a token the prefix is an array of its own
        result = run(explore(state, Explore(1, document, Caret(caret))))[1]
        found = arrays(result)
        assert len(found) >= 7 and not any(array.flags.writeable for array in found)
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.place = 0
    result = run(score(state, Score(1, document)))[1]
    assert len(arrays(result)) >= 8 and not any(array.flags.writeable for array in arrays(result))
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.ledger.done = 0
    assert any(array.flags.writeable for array in arrays((np.zeros(2),)))  # control: a writable one is seen


def test_a_failed_forward_is_not_built_upon() -> None:
    def fail() -> None:
        raise OverflowError("broken")

    model = SmallModel(context=None)
    state = state_of(model)
    explored(state, b"BA")
    model.before_forward = fail
    with pytest.raises(OverflowError):
        explored(state, b"BAC")
    model.before_forward = lambda: None
    assert explored(state, b"BAC").evaluated == 3


def test_a_load_replaces_the_model_only_when_it_succeeds() -> None:
    old, new = SmallModel(name="old"), SmallModel(name="new", lead=(4,))

    def loader(spec: str, device: str, dtype: str, report: Report) -> Model:
        report(0.5, f"{spec} {device} {dtype}")
        if spec == "bad":
            raise Problem("no such model", "choose another")
        return new

    told: list[Any] = []
    state = State(loader)
    state.use(old)
    explored(state, b"BA")
    with pytest.raises(Problem, match="no such model"):
        run(load(state, Load(1, "bad"), line(lambda *what: told.append(what))))
    assert state.model is old and len(state.prefixes) == 1
    assert told == [(0.5, "bad auto auto")]

    def stop_at_the_end(fraction: float | None, what: str) -> None:
        if fraction == 1.0:
            raise Stopped

    with pytest.raises(Stopped):
        run(load(state, Load(2, "good"), line(stop_at_the_end)))
    assert state.model is old
    result = run(load(state, Load(3, "good"), line()))[1]
    assert isinstance(result, Loaded) and result.info.name == "new" and result.lead == (4,)
    assert state.model is new and len(state.prefixes) == 0


def test_a_fetch_pauses_between_its_looks() -> None:
    seen: list[Any] = []

    def fetching(name: str, folder: Path, cancelled: Callable[[], bool]) -> Generator[Progress, None, None]:
        seen.append((name, folder))
        try:
            yield Progress(0, "half", 0.5)
            yield Progress(0, "half", 0.5)
            if not cancelled():
                yield Progress(0, "ready", 1.0)
        finally:
            seen.append("closed")

    told, result = run(fetch(State(no_load), Fetch(9, "tiny"), line(fetch=fetching)))
    assert result == Fetched(9, "tiny") and seen == [("tiny", paths.models() / "tiny"), "closed"]
    pause = Pause(FETCH_SECONDS)
    assert told == [Progress(9, "half", 0.5), pause, pause, Progress(9, "ready", 1.0), pause]
    with pytest.raises(Stopped):
        run(fetch(State(no_load), Fetch(9, "tiny"), line(fetch=fetching, cancelled=True)))
    steps = fetch(State(no_load), Fetch(9, "tiny"), line(fetch=fetching))
    next(steps)
    seen.clear()
    steps.close()
    assert seen == ["closed"]


def test_chunks_are_short_while_somebody_waits_and_grow_when_nobody_does() -> None:
    pace = Pace()
    assert pace.size == 64
    pace.learn(64, 0.1)
    assert pace.size == 32  # 50 ms
    pace.learn(1, 0.1)  # one token says nothing about a chunk
    assert pace.size == 32
    pace.learn(32, 0.001)
    assert pace.size == 64  # never more than double at once
    for _ in range(9):
        pace.learn(pace.size, pace.size / 500)
    assert pace.size == 200 and pace.seconds == 0.4
    pace.hurry()
    assert pace.size == 25 and pace.seconds == 0.05
    for _ in range(9):
        pace.learn(pace.size, 1e-9)
    assert pace.size == 256
    pace.learn(256, 100.0)
    assert pace.size == 16


def test_a_question_makes_the_chunks_of_a_score_short_again() -> None:
    state = state_of(SmallModel(context=None))
    state.pace.seconds, state.pace.size = 0.4, 200
    run(explore(state, Explore(1, Text.of(b"ABC"), Caret(3))))
    assert state.pace.size <= 50 and state.pace.seconds == 0.05


class Other(SmallModel):
    def distribution(self, ids: Sequence[int]) -> Distribution:
        return super().distribution([*ids, 0])


def test_what_a_former_model_read_is_never_taken_for_the_new_ones() -> None:
    """The jobs of the former model are closed only after the new one is in its place."""
    text = b"ABCCABACBBACABCCBABCA"
    for begin in (
        lambda state: explore(state, Explore(1, Text.of(text), Caret(len(text)))),
        lambda state: score(state, Score(1, Text.of(text))),
    ):
        former, new = SmallModel(context=None), Other(context=None)
        state = state_of(former)
        state.pace.size = 4
        steps = begin(state)
        next(steps), next(steps)
        state.use(new)
        steps.close()
        expected = state_of(Other(context=None))
        np.testing.assert_array_equal(
            explored(state, text).distribution.logprobs, explored(expected, text).distribution.logprobs
        )
        np.testing.assert_array_equal(scored(state, text).logprob, scored(expected, text).logprob)


def test_the_tokens_of_a_text_are_those_of_the_new_model_though_its_vocabulary_has_the_same_name() -> None:
    class Letters(TableAlphabet):
        def encode(self, data: bytes, start: bool = True, special: bool = False) -> Tokens:
            return Tokens(np.frombuffer(data, np.uint8).astype(np.int64) - ord("A"), np.arange(1, len(data) + 1))

    former, new = SmallModel(context=None), SmallModel(context=None)
    new.alphabet = Letters(former.alphabet.vocabulary)
    state = state_of(former)
    assert scored(state, b"ABAB").ids.tolist() == [3, 3]
    state.use(new)
    assert scored(state, b"ABAB").ids.tolist() == [0, 1, 0, 1]
