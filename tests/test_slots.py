"""Several loaded models at once: each slot is a program of its own, though one thread runs them all."""

from __future__ import annotations

import contextlib
import gc
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.beams import Rules
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.distribution import Distribution
from arplay.core.modalities.text import Caret, Text
from arplay.engine import state
from arplay.engine.candidates import Rate
from arplay.engine.causality import Change
from arplay.engine.conventions import Compare
from arplay.engine.curves import Sweep
from arplay.engine.divergence import Diverge, Diverged
from arplay.engine.editing import ScoreBase
from arplay.engine.explore import Explore, Explored
from arplay.engine.field import Reach
from arplay.engine.free_running import FreeRun
from arplay.engine.load import Load, Loaded, Unload, Unloaded
from arplay.engine.mapping import Map
from arplay.engine.messages import Cancelled, Failed, Question, Request, Result
from arplay.engine.one_batch import OneBatch
from arplay.engine.recompute import Recompute
from arplay.engine.reconcile import Reconcile
from arplay.engine.rollouts import Roll
from arplay.engine.scoring import Score, Scored
from arplay.engine.search import Search
from arplay.engine.segmentations import Segment
from arplay.engine.state import State
from arplay.engine.table import JOBS
from arplay.engine.text_set import Item, ScoreSet
from arplay.engine.total import Total
from arplay.engine.two_orders import TrainOrders
from arplay.engine.word_edges import Edges
from arplay.engine.worker import Worker
from arplay.engine.write import Write
from arplay.models import catalogue
from tests.small_model import SmallModel
from tests.test_jobs import line, run
from tests.test_worker import HANG_GUARD, Desk, Gate, Make, desk

__all__ = ["desk"]
TEXT = Text.of(b"BACACBACCB")  # a token a letter
CHUNKS = Text.of(b"BAC" * 60)
"""More than one chunk, between which other jobs come."""


class Salted(SmallModel):
    """Models of different names say different things."""

    def distribution(self, ids: Sequence[int]) -> Distribution:
        super().distribution(ids)  # complains past the context
        return super().distribution([*ids, *self.info.name.encode()])


def salted(name: str, *_: Any) -> Salted:
    return Salted(context=None, name=name)


class Shared(Worker):
    """The control: one state for all slots, so that each load frees what belonged to the others."""

    def _state(self, request: Request) -> State:
        self._slots.setdefault(0, State(self._load))
        return self._slots[0]


@contextlib.contextmanager
def program(kind: type[Worker]) -> Iterator[Desk]:
    made = Desk(salted, kind=kind)
    yield made
    assert made.worker.close(HANG_GUARD)


def explore(number: int, slot: int, document: Text = TEXT, caret: int | None = None) -> Explore:
    return Explore(number, document, Caret(len(document) if caret is None else caret), slot=slot)


def two(made: Desk) -> Desk:
    """Model a in slot 0 and b in slot 1."""
    for slot, name in enumerate("ab"):
        made.worker.submit(Load(-1 - slot, name, slot=slot))
        assert isinstance(made.wait(-1 - slot), Loaded)
    return made


def test_one_text_in_two_slots_is_read_once_in_each(desk: Make) -> None:
    made = two(desk(load=salted))
    for slot in (0, 1):
        made.worker.submit(Score(1 + slot, TEXT, slot=slot))
    for slot, name in enumerate("ab"):
        scored, model = made.wait(1 + slot), salted(name)
        assert isinstance(scored, Scored)
        np.testing.assert_allclose(scored.ledger.logprob[1:], model.teacher_forced(scored.ledger.ids.tolist())[1:])
    for number, caret in enumerate((10, 9, 4, 2), 3):
        for slot in (0, 1):
            made.worker.submit(explore(2 * number + slot, slot, caret=caret))
            answer = explored(made, 2 * number + slot)
            assert (answer.evaluated, answer.reused) == (0, len(answer.prefix.ids)), "all of it was in the cache"


def explored(made: Desk, number: int) -> Any:
    found = made.wait(number)
    assert isinstance(found, Explored), found
    return found.answer


@pytest.mark.parametrize("kind", [Worker, Shared])
def test_loading_and_unloading_another_slot_frees_nothing(kind: type[Worker]) -> None:
    with program(kind) as made:
        two(made)
        made.worker.submit(explore(1, 0))
        explored(made, 1)
        made.worker.submit(Load(2, "c", slot=1))
        made.wait(2)
        made.worker.submit(explore(3, 0))
        again = explored(made, 3)
        made.worker.submit(Unload(4, slot=1))
        made.wait(4)
        made.worker.submit(explore(5, 0))
        still = made.wait(5)
        kept = again.evaluated == 0 and isinstance(still, Explored) and still.answer.evaluated == 0
    assert kept is (kind is Worker)


def test_two_networks_share_nothing(tiny_folders: dict[str, Path], desk: Make) -> None:
    """Real ones, of which one is loaded twice: the numbers are those of a program that has only this one."""
    text = Text.of(b"The cat sat on the mat")
    specs = [str(tiny_folders[family]) for family in ("llama", "gpt2", "llama")]
    made = desk(load=catalogue.load)
    for slot, spec in enumerate(specs):
        made.worker.submit(Load(slot, spec, "cpu", "float32", slot=slot))
        assert isinstance(made.wait(slot), Loaded)
    for slot in range(3):
        made.worker.submit(Score(10 + slot, text, slot=slot))
    ledgers = []
    for slot, spec in enumerate(specs):
        scored = made.wait(10 + slot)
        assert isinstance(scored, Scored)
        alone = catalogue.load(spec, "cpu", "float32", lambda *_: None).teacher_forced(scored.ledger.ids.tolist())
        np.testing.assert_allclose(scored.ledger.logprob[1:], alone[1:], atol=1e-5)
        ledgers.append(scored.ledger)
    assert not np.allclose(ledgers[0].logprob[1:], ledgers[1].logprob[1:], atol=1e-2), "negative control"
    for number, slot in enumerate((0, 1, 2, 1, 0, 2), 20):
        made.worker.submit(explore(number, slot, text))
        answer = explored(made, number)
        assert answer.evaluated <= 1 and answer.reused >= len(answer.prefix.ids) - 1 and answer.cache_bytes > 0


QUESTIONS: dict[type[Question], Callable[[int, int], Question]] = {
    Explore: lambda number, slot: explore(number, slot),
    Score: lambda number, slot: Score(number, TEXT, slot=slot),
    Reconcile: lambda number, slot: Reconcile(number, TEXT, slot=slot),
    Recompute: lambda number, slot: Recompute(number, TEXT, Caret(4), slot=slot),
    OneBatch: lambda number, slot: OneBatch(number, "BACAB", slot=slot),
    ScoreBase: lambda number, slot: ScoreBase(number, TEXT, slot=slot),
    ScoreSet: lambda number, slot: ScoreSet(number, (Item("a", None, TEXT.data),), slot=slot),
    Rate: lambda number, slot: Rate(number, TEXT, (TEXT,), slot=slot),
    Compare: lambda number, slot: Compare(number, TEXT, slot=slot),
    Sweep: lambda number, slot: Sweep(number, TEXT, "context", slot=slot),
    Total: lambda number, slot: Total(number, TEXT, slot=slot),
    Diverge: lambda number, slot: Diverge(number, TEXT, slot=slot, base=slot),
    Change: lambda number, slot: Change(number, TEXT, (0, 2), (0, 2), slot=slot),
    FreeRun: lambda number, slot: FreeRun(number, TEXT, Caret(2), (1, 2), 2, slot=slot),
    Map: lambda number, slot: Map(number, TEXT, TEXT.end, 2, 9, slot=slot),
    Roll: lambda number, slot: Roll(number, TEXT, TEXT.end, Pipeline(), (1, 2), 4, slot=slot),
    Search: lambda number, slot: Search(number, TEXT, TEXT.end, Rules(2, 4), slot=slot),
    Write: lambda number, slot: Write(number, TEXT, 10, None, Pipeline(), 7, 3, 1e9, 0.0, slot=slot),
}


def test_every_question_of_the_table_is_here() -> None:
    assert {kind for kind in JOBS if issubclass(kind, Question)} == {*QUESTIONS, Reach, TrainOrders, Segment, Edges}
    # which ask a network that has a receptive field, a joint, p(x_1), and tokens that begin with white space


@pytest.mark.parametrize("kind", QUESTIONS)
@pytest.mark.parametrize("change", [partial(Load, spec="c"), Unload])
def test_what_is_asked_in_one_slot_goes_on_while_another_one_changes(
    desk: Make, kind: type[Question], change: Callable[..., Request]
) -> None:
    made = two(desk(load=salted))
    gate = Gate()
    made.worker._slots[1].model.before_forward = gate  # type: ignore[union-attr]
    made.worker.submit(Score(1, CHUNKS, slot=1))
    gate.reached()
    made.worker.submit(QUESTIONS[kind](2, 0))
    made.worker.submit(change(3, slot=1))
    made.worker.submit(QUESTIONS[kind](4, 1))
    gate.open()
    assert isinstance(made.wait(3), Loaded | Unloaded)
    assert made.wait(1) == Cancelled(1), "negative control: what was asked in its own slot does not"
    assert not isinstance(made.wait(2), Cancelled | Failed)
    assert isinstance(made.wait(4), Failed) is (change is Unload)


@pytest.mark.parametrize("changed", [0, 1])
def test_what_is_asked_of_two_slots_ends_with_either(desk: Make, changed: int) -> None:
    made = two(desk(load=salted))
    made.worker.submit(Diverge(1, TEXT, slot=1))
    found = made.wait(1)
    assert isinstance(found, Diverged) and (found.info.name, found.other.name) == ("a", "b")
    assert found.rows.totals()["kl_mean_nats"] > 0.01  # type: ignore[operator]
    gate = Gate()
    made.worker._slots[0].model.before_forward = gate  # type: ignore[union-attr]
    made.worker.submit(Diverge(2, CHUNKS, slot=1))
    gate.reached()
    made.worker.submit(Unload(3, slot=changed))
    gate.open()
    assert made.wait(2) == Cancelled(2) and isinstance(made.wait(3), Unloaded)
    made.worker.submit(Diverge(4, TEXT, slot=1))
    assert made.wait(4) == Failed(4, f"no model is loaded{' in slot 1' if changed else ''}", "choose a model first")


@pytest.mark.parametrize("slot", [0, 1])
def test_play_that_waits_for_its_next_token_goes_on_when_another_slot_loads(desk: Make, slot: int) -> None:
    made = two(desk(load=salted))
    made.worker.submit(Write(1, TEXT, 10, None, Pipeline(), 7, 3, 1e9, due=time.monotonic() + 9 * HANG_GUARD))
    made.worker.submit(Load(2, "c", slot=slot))
    assert isinstance(made.wait(2), Loaded)
    made.worker.submit(explore(3, 0))
    explored(made, 3)
    assert made.finals(1) == ([] if slot else [Cancelled(1)])


def test_a_lane_is_of_one_slot(desk: Make) -> None:
    made = two(desk(load=salted))
    gate = Gate()
    made.worker._slots[0].model.before_forward = gate  # type: ignore[union-attr]
    made.worker.submit(Score(1, CHUNKS))
    gate.reached()
    for number, slot in enumerate((0, 1, 1, 0, 1), 2):
        made.worker.submit(explore(number, slot, caret=number))
    made.worker.cancel(99)  # of nobody
    gate.open()
    assert [type(made.wait(number)) for number in range(2, 7)] == [Cancelled, Cancelled, Cancelled, Explored, Explored]
    assert isinstance(made.wait(1), Scored)
    ended = [result.number for result in made.finals(5, 6)]
    assert ended == [5, 6], "of two as urgent ones the older"


@pytest.mark.parametrize("slot", [0, 1])
def test_one_of_two_is_cancelled_by_its_number(desk: Make, slot: int) -> None:
    made = two(desk(load=salted))
    gate = Gate()
    for kept in made.worker._slots.values():
        kept.model.before_forward = gate  # type: ignore[union-attr]
    for number in (0, 1):
        made.worker.submit(Score(1 + number, CHUNKS, slot=number))
    gate.reached()
    made.worker.cancel(1 + slot)
    gate.open()
    assert made.wait(1 + slot) == Cancelled(1 + slot)
    assert isinstance(made.wait(2 - slot), Scored)


def test_an_empty_slot_says_what_to_do(desk: Make) -> None:
    made = two(desk(load=salted))
    for number, kind in enumerate(QUESTIONS, 1):
        made.worker.submit(QUESTIONS[kind](number, 3))
        assert made.wait(number) == Failed(number, "no model is loaded in slot 3", "choose a model first")
    made.worker.submit(Unload(20, slot=3))
    assert made.wait(20) == Unloaded(20), "it is what was asked for"
    made.worker.submit(Unload(21))
    made.wait(21)
    made.worker.submit(explore(22, 0))
    assert made.wait(22) == Failed(22, "no model is loaded", "choose a model first")


def test_questions_wait_for_the_first_model_of_their_slot_alone(desk: Make) -> None:
    gate = Gate(shut=False)
    made = two(desk(load=lambda name, *_: (gate(), salted(name))[1]))
    gate.shut = True
    made.worker.submit(Load(1, "c", slot=2))
    gate.reached()
    made.worker.submit(explore(2, 2))
    made.worker.submit(Score(3, TEXT))
    gate.open()
    assert isinstance(made.wait(2), Explored) and isinstance(made.wait(3), Scored)


@pytest.mark.parametrize("slot", [0, 1])
def test_unloading_gives_the_memory_back(desk: Make, slot: int) -> None:
    made = two(desk(load=salted))
    gate = Gate()
    for number in (0, 1):
        made.worker.submit(explore(1 + number, number))
        explored(made, 1 + number)
        made.worker.submit(Score(3 + number, TEXT, slot=number))
        made.wait(3 + number)
    models = [weakref.ref(made.worker._slots[number].model) for number in (0, 1)]
    models[slot]().before_forward = gate
    made.worker.submit(Score(5, CHUNKS, slot=slot))
    gate.reached()
    made.worker.submit(Unload(6, slot=slot))
    gate.open()
    assert made.wait(6) == Unloaded(6)
    assert [result.number for result in made.finals(5, 6)] == [5, 6] and made.wait(5) == Cancelled(5)
    assert models[slot]() is None and models[1 - slot]() is not None  # at once: nothing had to be collected
    made.worker.submit(explore(7, 1 - slot))
    assert explored(made, 7).evaluated == 0


def test_unloading_a_network_gives_the_memory_back(tiny_folders: dict[str, Path], desk: Make) -> None:
    made = desk(load=catalogue.load)
    for slot in (0, 1):
        made.worker.submit(Load(slot, str(tiny_folders["llama"]), "cpu", "float32", slot=slot))
        made.wait(slot)
        made.worker.submit(explore(2 + slot, slot, Text.of(b"The cat")))
        explored(made, 2 + slot)
    models = [weakref.ref(made.worker._slots[slot].model.network) for slot in (0, 1)]  # type: ignore[union-attr]
    made.worker.submit(Unload(4, slot=1))
    made.wait(4)
    gc.collect()
    assert models[1]() is None and models[0]() is not None


@pytest.mark.parametrize("order", ["load, unload", "unload, load"])
def test_of_load_and_unload_the_newer_one_counts(desk: Make, order: str) -> None:
    gate = Gate()
    made = two(desk(load=salted))
    made.worker._slots[0].model.before_forward = gate  # type: ignore[union-attr]
    made.worker.submit(Score(1, CHUNKS))
    gate.reached()
    make: dict[str, Request] = {"load": Load(2, "c", slot=1), "unload": Unload(3, slot=1)}
    for word in order.split(", "):
        made.worker.submit(make[word])
    gate.open()
    number = make[word].number
    assert made.wait(5 - number) == Cancelled(5 - number)
    assert isinstance(made.wait(number), Loaded if word == "load" else Unloaded)
    made.worker.submit(explore(4, 1))
    assert isinstance(made.wait(4), Explored if word == "load" else Failed)


def test_a_question_in_one_slot_makes_the_chunks_of_all_short(desk: Make) -> None:
    made = two(desk(load=salted))
    pace = made.worker._slots[1].pace
    pace.seconds, pace.size = 0.4, 200
    made.worker.submit(explore(1, 0))
    made.wait(1)
    assert pace.seconds == state.CHUNK_SECONDS and pace.size <= 50


Op = tuple[str, int, str]
"""What is asked ("explore", "score", "load", "unload"), of which slot, with which text or model."""

texts = st.text("ABC", min_size=1, max_size=9)
ops = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["explore", "score"]), st.integers(0, 2), texts),
        st.tuples(st.just("load"), st.integers(0, 2), st.sampled_from("abc")),
        st.tuples(st.just("unload"), st.integers(0, 2), st.just("")),
    ),
    max_size=24,
)


def request(number: int, op: Op) -> Request:
    word, slot, what = op
    document = Text.of(what.encode())
    asked: dict[str, Request] = {
        "explore": explore(number, slot, document),
        "score": Score(number, document, slot=slot),
        "load": Load(number, what, slot=slot),
        "unload": Unload(number, slot=slot),
    }
    return asked[word]


def told(result: Result) -> object:
    """What of a final result does not depend on the time."""
    if isinstance(result, Explored):
        answer = result.answer
        return answer.evaluated, answer.reused, answer.branches, answer.distribution.logprobs.tolist()
    if isinstance(result, Scored):
        return result.ledger.ids.tolist(), result.ledger.logprob[1:].tolist()
    return result.info.name if isinstance(result, Loaded) else type(result).__name__


def alone(sequence: list[Op]) -> list[object]:
    """Each slot as a program that has no other one, and no thread."""
    programs = {slot: State(salted) for slot in range(3)}  # type: ignore[arg-type, return-value]
    said: list[object] = []
    for number, op in enumerate(sequence):
        word, mine, asked = op[0], programs[op[1]], request(number, op)
        if word == "unload" or (mine.model is None and word != "load"):
            mine.use(None)
            said.append("Unloaded" if word == "unload" else "Failed")
            continue
        said.append(told(run(JOBS[type(asked)].run(mine, asked, line()))[1]))
    return said


def in_slots(kind: type[Worker], sequence: list[Op]) -> list[object]:
    with program(kind) as made:
        said = []
        for number, op in enumerate(sequence):
            made.worker.submit(request(number, op))
            said.append(told(made.wait(number)))
        return said


@given(ops)
@settings(max_examples=60, deadline=None)
def test_each_slot_is_a_program_of_its_own(sequence: list[Op]) -> None:
    assert in_slots(Worker, sequence) == alone(sequence)


def test_slots_that_share_are_seen() -> None:
    """Negative control."""
    sequence = [("load", 0, "a"), ("explore", 0, "BAC"), ("load", 1, "b"), ("explore", 0, "BAC")]
    assert in_slots(Shared, sequence) != alone(sequence)
    assert in_slots(Worker, sequence) == alone(sequence)


@given(ops)
@settings(max_examples=60, deadline=None)
def test_in_any_haste_each_request_ends_once_and_the_newest_load_counts(sequence: list[Op]) -> None:
    with program(Worker) as made:
        for number, op in enumerate(sequence):
            made.worker.submit(request(number, op))
        for number in range(len(sequence)):
            made.wait(number)
        finals = [result.number for result in made.results if result.is_last]
        assert sorted(finals) == list(range(len(sequence)))
        for slot in range(3):
            changes = [(word, name) for word, of, name in sequence if of == slot and word in ("load", "unload")]
            word, name = changes[-1] if changes else ("unload", "")
            made.worker.submit(explore(100 + slot, slot))
            answer = made.wait(100 + slot)
            if word == "unload":
                assert isinstance(answer, Failed)
            else:
                assert isinstance(answer, Explored) and answer.answer.distribution is not None
                ids = answer.answer.prefix.ids.tolist()
                expected = salted(name).distribution(ids)
                np.testing.assert_allclose(answer.answer.distribution.logprobs, expected.logprobs)
