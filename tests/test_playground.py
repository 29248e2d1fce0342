"""The playground with a real worker thread: what a user does to text, choices and branches, without widgets."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.runs import Fixed
from arplay.core.modalities.text import Text, text_of
from arplay.core.picking import uniform
from arplay.engine.explore import Explore
from arplay.engine.load import Load
from arplay.engine.messages import Cancelled
from arplay.engine.scoring import Score
from arplay.gui.bridge import Bridge
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import CaretMoved, Change, Do, Goto, Select, Take
from arplay.gui.playground.playground import Playground
from arplay.gui.settings import Settings
from tests.tiny_models import CONTEXT


@pytest.fixture
def play(qtbot: QtBot) -> Iterator[Playground]:
    bridge = Bridge()
    playground = Playground(bridge, Settings(animate=False))
    playground.load_model("abc")
    yield playground
    assert playground.close()


def settle(play: Playground, qtbot: QtBot) -> None:
    qtbot.waitUntil(
        lambda: not play.view.stale and not play.writing.waiting and not play.busy_scoring(), timeout=30_000
    )


def write(play: Playground, qtbot: QtBot, text: bytes) -> None:
    end = len(play.document)
    play.handle(Typed(end, end, text, end + len(text)))
    settle(play, qtbot)


def test_typed_text_is_explored_and_scored(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BAC")
    assert play.view.ledger is not None and play.view.answer is not None
    assert math.exp(play.view.ledger.totals.nll_nats) == pytest.approx(1 / 0.12)
    assert play.view.answer.prefix.ids.tolist() == [1, 0, 2]
    assert play.view.selected is None


def test_caret_marks_the_actual_next_token(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BAC")
    play.handle(CaretMoved(1))
    settle(play, qtbot)
    answer = play.view.answer
    assert answer is not None and answer.distribution is not None
    assert answer.prefix.actual == 0 and play.view.selected == 1
    assert answer.distribution.probs[0] == pytest.approx(0.5)


def test_select_shows_the_ledgers_number(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BACAB")
    for index in range(5):
        play.handle(Select(index))
        settle(play, qtbot)
        answer, ledger = play.view.answer, play.view.ledger
        assert answer is not None and answer.distribution is not None and ledger is not None
        assert play.view.selected == index
        assert answer.distribution.logprob(int(ledger.ids[index])) == pytest.approx(ledger.logprob[index])


def test_take_writes_and_undo_restores(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BA")
    play.handle(Take(2))
    settle(play, qtbot)
    assert play.document.data == b"BAC"
    assert isinstance(play.document.runs[-1], Fixed) and play.document.runs[-1].ids == (2,)
    play.undo_stack.undo()
    assert play.document.data == b"BA"
    play.undo_stack.redo()
    assert play.document.data == b"BAC"


def test_take_in_the_middle_keeps_the_tail(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BACAB")
    play.handle(CaretMoved(2))
    play.handle(Take(0))
    settle(play, qtbot)
    assert play.document.data == b"BAA"
    play.handle(Do("put_aside"))
    settle(play, qtbot)
    assert play.document.data == b"BACAB"
    play.undo_stack.undo()
    assert play.document.data == b"BAA"


def test_rewind_and_step_repeat_the_choice_and_reroll_takes_the_next_seed(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"B")
    for _ in range(4):
        play.handle(Do("step"))
    settle(play, qtbot)
    first = play.document.data
    assert len(first) == 5
    for _ in range(4):
        play.handle(Do("rewind"))
    assert play.document.data == b"B"
    for _ in range(4):
        play.handle(Do("step"))
    settle(play, qtbot)
    assert play.document.data == first
    assert play.view.node is not None and play.view.node.step is not None
    assert play.view.node.step.u == uniform(0, 4)
    play.handle(Do("reroll"))
    settle(play, qtbot)
    assert play.view.settings.seed == 1
    assert play.view.node.step is not None and play.view.node.step.u == uniform(1, 4)
    assert len(play.document) == 5


def test_play_runs_its_steps_and_any_edit_ends_it(play: Playground, qtbot: QtBot) -> None:
    play.handle(Change(replace(play.view.settings, play_per_second=200.0, play_steps=6)))
    write(play, qtbot, b"B")
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=30_000)
    settle(play, qtbot)
    assert len(play.document) == 7
    play.handle(Change(replace(play.view.settings, play_steps=1000)))
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: len(play.document) > 10, timeout=30_000)
    end = len(play.document)
    play.handle(Typed(end, end, b"A", end + 1))
    assert not play.view.playing
    settle(play, qtbot)
    assert len(play.document) == end + 1


def test_play_writes_what_single_steps_write_and_undo_takes_it_back_token_by_token(
    play: Playground, qtbot: QtBot
) -> None:
    play.handle(Change(replace(play.view.settings, play_per_second=200.0, play_steps=9, seed=5)))
    write(play, qtbot, b"B")
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=30_000)
    settle(play, qtbot)
    played = [node.step for node in play.tree.path() if node.step is not None]
    assert len(played) == 9
    for left in range(8, -1, -1):
        play.undo_stack.undo()
        assert len(play.document) == 1 + left
    for _ in range(9):
        play.handle(Do("step"))
    settle(play, qtbot)
    assert [node.step for node in play.tree.path() if node.step is not None] == played


def test_the_ledger_follows_while_play_writes(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"B")
    play.handle(Change(replace(play.view.settings, play_per_second=50.0, play_steps=1000)))
    play.handle(Do("play"))
    qtbot.waitUntil(
        lambda: play.view.playing and play.view.ledger is not None and len(play.view.ledger) > 5, timeout=30_000
    )
    play.handle(Do("pause"))
    settle(play, qtbot)
    assert play.view.ledger is not None and bytes_of(play.view.ledger.encoded) == play.document.data


def test_decoding_never_runs_the_model(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BA")
    answer = play.view.answer
    play.handle(Change(replace(play.view.settings, decoding=Pipeline.of(top_k=1))))
    assert play.view.answer is answer and not play.view.stale
    assert play.view.decoded is not None and len(play.view.decoded.candidates) == 1


def test_opening_or_pasting_a_whole_text_can_be_undone(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BAC")
    play.open_document(Text.of(b"AB"))
    settle(play, qtbot)
    assert play.document.data == b"AB" and play.view.caret == 0
    play.analyse(Text.of(b"C" * 30_000), "pasted text")
    assert play.view.excerpt_of == "pasted text" and play.document.data == b"C" * 5_000, "one word, not all that is"
    play.undo_stack.undo()
    settle(play, qtbot)
    assert play.document.data == b"AB" and play.view.excerpt_of is None and play.scored_document.data == b"AB"
    play.undo_stack.undo()
    settle(play, qtbot)
    assert play.document.data == b"BAC"


def test_branches_are_reached_by_goto(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"B")
    start = play.tree.node
    play.handle(Take(0))
    settle(play, qtbot)
    one = play.tree.node
    play.handle(Goto(start))
    settle(play, qtbot)
    play.handle(Take(2))
    settle(play, qtbot)
    assert play.document.data == b"BC" and len(start.children) == 2
    play.handle(Goto(one))
    settle(play, qtbot)
    assert play.document.data == b"BA"


def test_text_outside_the_alphabet_is_told_and_kept(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BA")
    with qtbot.waitSignal(play.reported, timeout=30_000) as told:
        play.handle(Typed(2, 2, b"x", 3))
    assert "'x'" in told.args[0]
    assert play.document.data == b"BAx"
    assert play.view.problem is not None
    play.handle(Typed(2, 3, b"", 2))
    qtbot.waitUntil(lambda: play.view.problem is None, timeout=30_000)
    settle(play, qtbot)


def test_reconcile_agrees(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BACAB")
    play.handle(Do("reconcile"))
    qtbot.waitUntil(lambda: play.view.reconciled is not None, timeout=30_000)
    assert play.view.reconciled is not None and play.view.ledger is not None
    assert play.view.reconciled.nll_nats == pytest.approx(play.view.ledger.totals.nll_nats)
    assert play.view.reconciled.largest_difference < 1e-12


def test_another_model_keeps_the_text(play: Playground, qtbot: QtBot) -> None:
    write(play, qtbot, b"BA")
    play.load_model("no such model")
    with qtbot.waitSignal(play.reported, timeout=30_000):
        pass
    assert play.view.loaded is not None and play.view.loaded.info.name == "abc"
    assert play.document.data == b"BA"


@pytest.mark.parametrize(("model", "prompt"), [("abc", "BA"), ("english", "The old man looked at the sea and")])
def test_play_takes_the_ids_that_the_command_line_samples(
    qtbot: QtBot, capsys: pytest.CaptureFixture[str], model: str, prompt: str
) -> None:
    steps, seed = 24, 11
    options = ("--temperature", "1.3", "--top-k", "40", "--top-p", "0.95", "-n", str(steps))
    command = ("sample", "--model", model, "--prompt", prompt, *options, "--json")

    def by_command(seed: int) -> list[tuple[int, float]]:
        assert main([*command, "--seed", str(seed)]) == 0
        return [(step["id"], step["u"]) for step in json.loads(capsys.readouterr().out)["steps"]]

    playground = Playground(Bridge(), Settings(animate=False, seed=seed, play_steps=steps, play_per_second=500.0))
    decoding = Pipeline.of(temperature=1.3, top_k=40, top_p=0.95)
    playground.handle(Change(replace(playground.view.settings, decoding=decoding)))
    playground.load_model(model)
    write(playground, qtbot, prompt.encode())
    playground.handle(Do("play"))
    qtbot.waitUntil(lambda: not playground.view.playing, timeout=30_000)
    settle(playground, qtbot)
    taken = [node.step for node in playground.tree.path() if node.step is not None]
    assert playground.close()
    assert [(step.id, step.u) for step in taken] == by_command(seed)
    assert [step.u for step in taken] != [u for _, u in by_command(seed + 1)]  # negative control


def test_an_undone_opening_takes_its_name_along(play: Playground, qtbot: QtBot) -> None:
    play.open_document(Text.of(b"BAC"), "first.txt")
    assert play.view.name == "first.txt"
    play.handle(Typed(3, 3, b"A", 4))
    play.open_document(Text.of(b"CAB"), "second.txt")
    assert play.view.name == "second.txt"
    play.undo_stack.undo()
    assert play.view.name == "first.txt" and play.document.data == b"BACA"
    play.undo_stack.redo()
    assert play.view.name == "second.txt"
    play.open_document(Text())
    assert play.view.name is None
    play.undo_stack.undo()
    assert play.view.name == "second.txt"


def test_a_failed_download_ends_nothing_else(play: Playground, qtbot: QtBot) -> None:
    play.handle(Change(replace(play.view.settings, play_per_second=50.0, play_steps=1000)))
    write(play, qtbot, b"B")
    play.handle(Do("play"))
    with qtbot.waitSignal(play.fetching.failed, timeout=30_000) as failed:
        play.fetching.get("no such model")
    assert "no such model" in failed.args[0]
    assert play.view.playing and play.view.problem is None and not play.fetching.busy
    play.handle(Do("pause"))
    settle(play, qtbot)


@pytest.fixture
def small(play: Playground, qtbot: QtBot, tiny_folders: dict[str, Path]) -> Playground:
    """A model of 24 tokens of context, and a text of 20."""
    play.load_model(str(tiny_folders["llama"]))
    qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.family == "llama", timeout=30_000)
    write(play, qtbot, b"The cat sat on the mat, and the dog")
    assert play.view.answer is not None
    room = CONTEXT - play.view.answer.position.end
    assert 0 < room < CONTEXT
    play.handle(Change(replace(play.view.settings, play_per_second=200.0, play_steps=room + 8, stop_at_eos=False)))
    return play


def test_writing_stops_where_the_context_is_full(small: Playground, qtbot: QtBot) -> None:
    with qtbot.waitSignal(small.writing.context_full, timeout=30_000) as told:
        small.handle(Do("play"))
    assert "25 tokens" in told.args[0] and "slide on" in told.args[1]
    assert not small.view.playing
    assert small.view.answer is not None and small.view.answer.position.end == CONTEXT + 1


def test_writing_slides_on_and_says_where_its_context_begins(small: Playground, qtbot: QtBot) -> None:
    small.handle(Change(replace(small.view.settings, at_limit="slide")))
    small.handle(Do("play"))
    qtbot.waitUntil(lambda: not small.view.playing, timeout=30_000)
    settle(small, qtbot)
    answer, ledger = small.view.answer, small.view.ledger
    assert answer is not None and ledger is not None
    assert answer.position.end == CONTEXT + 8 and answer.position.start == CONTEXT // 2
    taken = [node.step for node in small.tree.path() if node.step is not None]
    assert len(taken) == small.view.settings.play_steps
    for step in taken:  # what was sampled in a slid context is what the ledger says of that token
        assert ledger.logprob[step.index] == pytest.approx(step.logprob, abs=1e-4)


def test_a_pick_that_waits_is_forgotten_when_another_vocabulary_comes(
    play: Playground, qtbot: QtBot, tiny_folders: dict[str, Path]
) -> None:
    write(play, qtbot, b"BA")
    play.load_model(str(tiny_folders["llama"]))
    play.show(stale=True)  # as after a keystroke: the answer is on its way
    play.handle(Take(2))
    play.handle(Do("step"))
    assert list(play.writing.waiting) == [Take(2), Do("step")]
    qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.family == "llama", timeout=30_000)
    settle(play, qtbot)
    assert [node.kind for node in play.tree.path()] == ["opened", "typed", "sampled"]
    assert play.view.loaded is not None
    assert (
        isinstance(play.document.runs[-1], Fixed)
        and play.document.runs[-1].vocabulary == play.view.loaded.vocabulary.name
    )


def test_a_question_that_was_replaced_ends_neither_a_load_nor_a_pass(play: Playground, qtbot: QtBot) -> None:
    settle(play, qtbot)
    play.asking.score()
    play.show(busy="Loading another")
    play._on_one(Cancelled(1, Explore))
    assert play.asking._scoring and play.view.busy == "Loading another"
    play._on_one(Cancelled(2, Score))
    assert not play.asking._scoring and play.view.busy == "Loading another"
    play._on_one(Cancelled(3, Load))
    assert play.view.busy is None
    settle(play, qtbot)


@pytest.mark.parametrize("caret", (0, 1, 3, 6))
@pytest.mark.parametrize("way", ("undo", "rewind", "bring back", "re-roll"))
def test_the_way_back_leads_to_where_the_step_was_taken(play: Playground, qtbot: QtBot, way: str, caret: int) -> None:
    """Not to where the caret stood when the text was opened; a re-roll draws again at that place."""
    play.open_document(Text.of(b"BACABC"))
    settle(play, qtbot)
    assert play.view.node.caret == 0
    play.handle(CaretMoved(caret))
    settle(play, qtbot)
    play.handle(Do("step"))
    settle(play, qtbot)
    assert play.view.caret == caret + 1 == len(play.document)
    if way == "undo":
        play.undo_stack.undo()
    else:
        what = {"rewind": "rewind", "bring back": "put_aside", "re-roll": "reroll"}[way]
        play.handle(Do(what))  # type: ignore[arg-type]
    settle(play, qtbot)
    if way == "re-roll":
        assert play.view.caret == caret + 1 == len(play.document)
    elif caret < 6 or way != "bring back":
        assert (text_of(play.document).data, play.view.caret) == (b"BACABC", caret)
        play.undo_stack.redo() if way == "undo" else play.undo_stack.undo()
        settle(play, qtbot)
        assert play.view.caret == caret + 1 == len(play.document)


@pytest.mark.parametrize(("start", "end", "data"), [(2, 2, b"AB"), (1, 3, b""), (1, 4, b"C"), (0, 6, b"A")])
def test_undo_of_typing_puts_the_caret_behind_what_comes_back(
    play: Playground, qtbot: QtBot, start: int, end: int, data: bytes
) -> None:
    play.open_document(Text.of(b"BACABC"))
    settle(play, qtbot)
    play.handle(Typed(start, end, data, start + len(data)))
    settle(play, qtbot)
    play.undo_stack.undo()
    settle(play, qtbot)
    assert (text_of(play.document).data, play.view.caret) == (b"BACABC", end)
