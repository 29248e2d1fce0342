"""What snapshots said about a text, and one batch of one text, asked of the real worker."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.modalities.text import Caret, Text
from arplay.core.reading import Reading
from arplay.engine import replay as replays
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Load
from arplay.engine.messages import Cancelled, Failed
from arplay.engine.one_batch import BatchLosses, OneBatch
from arplay.engine.replay import Replay, Replayed, ReplayEnded
from arplay.engine.scoring import Score, Scored
from arplay.models import catalogue
from arplay.models.families.table.model import Table
from arplay.models.snapshots import Snapshots
from arplay.training.run_folder import RunFolder
from tests import tiny_runs
from tests.small_model import SmallModel
from tests.test_rules_frozen import improper
from tests.test_worker import HANG_GUARD, LONG, Desk, Gate
from tests.tiny_models import one_thread
from tests.tiny_runs import CONTEXT, VOCABULARY

__all__ = ["one_thread"]

TEXT = "The cat sat. Où ?"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, Any]]:
    """A run and its networks by step; copy it to change it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, tiny_runs.make(folder)


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def begin(model: Any = None) -> Desk:
        desks.append(Desk(lambda *_: model or Table.load(paths.assets() / "models" / "abc.json")))
        if model is not None:
            desks[-1].worker.submit(Load(0, "model"))
            wait(desks[-1], 0)
        return desks[-1]

    yield begin
    for each in desks:
        assert each.worker.close(HANG_GUARD)


def wait(desk: Desk, number: int) -> Any:
    """The last result of a request."""
    with desk._news:
        assert desk._news.wait_for(lambda: lasts(desk, number), HANG_GUARD), desk.results
    return lasts(desk, number)[0]


def lasts(desk: Desk, number: int) -> list[Any]:
    return [result for result in list(desk.results) if result.is_last and result.number == number]


def replayed(desk: Desk, request: Replay) -> list[Replayed]:
    """All snapshots that the worker tells for ``request``."""
    desk.worker.submit(request)
    end = wait(desk, request.number)
    assert isinstance(end, ReplayEnded), end
    return [result for result in desk.results if isinstance(result, Replayed) and result.number == request.number]


def test_every_snapshot_says_what_its_network_says(
    made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk]
) -> None:
    folder, networks = made
    found = replayed(desk(), Replay(1, str(folder), TEXT, 3))
    assert [(each.step, each.steps) for each in found] == [(0, 10), (4, 10), (10, 10)]
    for each in found:
        ids = each.ids.tolist()
        assert (each.lead, ids[0], each.index, each.target) == (1, 0, 3, ids[3])
        with torch.no_grad():
            logits = networks[each.step](input_ids=torch.tensor([ids])).logits[0]
        np.testing.assert_allclose(each.logits, logits[2].numpy(), atol=2e-5)
        loss = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none")
        assert math.isnan(each.logprob[0])
        np.testing.assert_allclose(-each.logprob[1:], loss.numpy(), atol=2e-5)
        assert [each.vocabulary.token(id).data for id in ids[1:]] == [
            TEXT.encode()[start:end] for start, end in zip(each.encoded.starts, each.encoded.ends, strict=True)
        ]
        assert (each.encoded.starts[0], each.encoded.ends[-1]) == (0, len(TEXT.encode()))
        assert list(improper(each)) == []
        assert each.logits.dtype == np.float32 and each.logits.shape == (VOCABULARY,)
    # the control: the networks differ
    assert np.abs(found[0].logits - found[1].logits).max() > 0.1


def test_the_distribution_after_the_last_token(made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk]) -> None:
    folder, networks = made
    found = replayed(desk(), Replay(1, str(folder), "The", None))[-1]
    assert (found.index, found.target) == (len(found.ids), None)
    with torch.no_grad():
        logits = networks[10](input_ids=torch.tensor([found.ids.tolist()])).logits[0, -1]
    np.testing.assert_allclose(found.logits, logits.numpy(), atol=2e-5)


def test_a_long_text_is_cut_to_the_context(made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk]) -> None:
    folder, _ = made
    found = replayed(desk(), Replay(1, str(folder), "On the log! " * 5000, 999))[0]
    assert (len(found.ids), len(found.encoded) + found.lead, found.index) == (CONTEXT, CONTEXT, CONTEXT)
    whole = Snapshots(folder).alphabet.encode(b"On the log! " * 20).ids
    assert found.target == whole[CONTEXT - 1]  # the text goes on


def test_a_place_before_the_first_token_is_the_first_that_has_a_distribution(
    made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk]
) -> None:
    found = replayed(desk(), Replay(1, str(made[0]), TEXT, 0))[0]
    assert (found.index, found.target) == (1, found.ids[1])


def test_another_place_and_a_live_snapshot_cost_only_what_is_new(
    made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    opened: list[Path] = []
    really, open_it = Snapshots.logits, Snapshots.__init__
    monkeypatch.setattr(Snapshots, "logits", lambda self, ids: (passes.append(len(ids)), really(self, ids))[1])
    monkeypatch.setattr(Snapshots, "__init__", lambda self, folder: (opened.append(folder), open_it(self, folder))[1])
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    here = desk()
    first = replayed(here, Replay(1, str(folder), TEXT))
    assert len(passes) == 3
    again = replayed(here, Replay(2, str(folder), TEXT, 2))
    assert len(passes) == 3
    assert [each.logprob is one.logprob for each, one in zip(again, first, strict=True)] == [True] * 3
    tiny_runs.add_snapshot(folder, 7, tiny_runs.network(7))
    assert [each.step for each in replayed(here, Replay(3, str(folder), TEXT, 2, after=4))] == [7, 10]
    assert len(passes) == 4
    assert replayed(here, Replay(4, str(folder), TEXT, after=10)) == []
    replayed(here, Replay(5, str(folder), TEXT + "!"))
    assert len(passes) == 8 and len(opened) == 1
    monkeypatch.setattr(replays, "KEPT_BYTES", 2 * 4 * VOCABULARY * len(first[0].ids))
    some = replayed(here, Replay(6, str(folder), TEXT, 2))
    assert len(passes) == 12
    other = replayed(here, Replay(7, str(folder), TEXT, 3))
    assert len(passes) == 14  # those of two snapshots fit
    assert [each.index for each in other] == [3] * 4
    for one, two in zip(first, [some[0], some[1], some[3]], strict=True):
        np.testing.assert_array_equal(one.logprob, two.logprob)
    # a run that is begun anew writes the same steps
    tiny_runs.add_snapshot(folder, 0, tiny_runs.network(99))
    os.utime(RunFolder(folder).snapshot(0), ns=(1, 1))
    assert np.abs(replayed(here, Replay(8, str(folder), TEXT, 3))[0].logits - other[0].logits).max() > 0.01


def test_an_lstm_is_replayed_as_well(desk: Callable[..., Desk], tmp_path: Path) -> None:
    networks = tiny_runs.make(tmp_path / "run", (0, 10), "rnn")
    found = replayed(desk(), Replay(1, str(tmp_path / "run"), TEXT * 9))
    assert len(found) == 2 and len(found[0].ids) > CONTEXT  # it reads any number
    for each in found:
        with torch.no_grad():
            logits = networks[each.step](input_ids=torch.tensor([each.ids.tolist()])).logits[0]
        np.testing.assert_allclose(each.logits, logits[-1].numpy(), atol=2e-5)


def test_logits_come_in_parts_that_bound_memory(
    made: tuple[Path, dict[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = Snapshots(made[0])
    ids = list(range(1, 12))
    (whole,) = snapshots.logits(ids)
    monkeypatch.setattr("arplay.models.snapshots.LOGITS_BYTES", 4 * 4 * VOCABULARY + 3)
    parts = list(snapshots.logits(ids))
    assert [len(part) for part in parts] == [4, 4, 3]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    with pytest.raises(Problem, match="context is full"):
        next(snapshots.logits([1] * (CONTEXT + 1)))
    with pytest.raises(Problem, match="outside the vocabulary"):
        next(snapshots.logits([VOCABULARY]))


def test_a_new_replay_replaces_the_older_one_within_a_forward(
    made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, passes = Gate(), []
    really = Snapshots.logits

    def logits(self: Snapshots, ids: list[int]) -> Any:
        gate()
        passes.append(len(ids))
        return really(self, ids)

    monkeypatch.setattr(Snapshots, "logits", logits)
    here = desk()
    here.worker.submit(Replay(1, str(made[0]), TEXT))
    gate.reached()
    here.worker.submit(Replay(2, str(made[0]), "The"))
    gate.open()
    assert isinstance(wait(here, 2), ReplayEnded)
    assert wait(here, 1) == Cancelled(1) and len(passes) == 4
    assert not [each for each in here.results if isinstance(each, Replayed) and each.number == 1]


def test_the_playground_is_answered_between_two_snapshots(
    made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    really = Snapshots.put
    monkeypatch.setattr(Snapshots, "put", lambda self, file: (gate(), really(self, file))[1])
    here = desk(SmallModel(context=None))
    here.worker.submit(Replay(1, str(made[0]), TEXT))
    gate.reached()
    here.worker.submit(Score(2, LONG))
    here.worker.submit(Explore(3, Text.of(b"BAC"), Caret(3)))
    gate.open()
    assert isinstance(wait(here, 3), Explored) and isinstance(wait(here, 2), Scored)
    assert [each.number for each in here.results if each.is_last and each.number] == [3, 1, 2]


@pytest.mark.parametrize(
    ("harm", "cause"),
    [
        (lambda run: shutil.rmtree(run.training), "holds no training run"),
        (lambda run: run.snapshot(4).write_bytes(run.snapshot(4).read_bytes()[:-9]), "damaged or cut off"),
        (lambda run: save_file({"x": torch.zeros(2)}, run.snapshot(4)), "belong to another network"),
        (lambda run: (run.path / "config.json").write_text("{}"), "config.json"),
        (lambda run: (run.path / "tokenizer.json").write_text("{}"), "tokenizer"),
    ],
)
def test_a_damaged_run_fails_with_a_reason(
    made: tuple[Path, dict[int, Any]],
    desk: Callable[..., Desk],
    tmp_path: Path,
    harm: Callable[[RunFolder], object],
    cause: str,
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    harm(RunFolder(folder))
    here = desk()
    here.worker.submit(Replay(1, str(folder), TEXT))
    end = wait(here, 1)
    assert isinstance(end, Failed) and cause in f"{end.cause}; {end.remedy}" and "bug" not in end.remedy


def test_weights_that_are_not_numbers_are_told(
    made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    file = RunFolder(folder).snapshot(4)
    save_file({name: torch.full_like(each, math.nan) for name, each in load_file(file).items()}, file)
    here = desk()
    here.worker.submit(Replay(1, str(folder), TEXT))
    end = wait(here, 1)
    assert isinstance(end, Failed) and "not numbers" in end.cause
    assert [each.step for each in here.results if isinstance(each, Replayed)] == [0]


def test_a_run_without_a_snapshot_yet(desk: Callable[..., Desk], tmp_path: Path) -> None:
    RunFolder(tmp_path).write_plan(tiny_runs.plan())
    here = desk()
    here.worker.submit(Replay(1, str(tmp_path), TEXT))
    assert wait(here, 1) == ReplayEnded(1)


def test_one_batch_is_the_text_shifted_by_one(made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk]) -> None:
    folder, networks = made
    here = desk(catalogue.load(str(folder), "cpu", "float32", lambda *_: None))
    here.worker.submit(OneBatch(1, TEXT))
    batch_losses = wait(here, 1)
    assert isinstance(batch_losses, BatchLosses) and list(improper(batch_losses)) == []
    assert batch_losses.inputs[0] == 0 and batch_losses.inputs[1:].tolist() == batch_losses.targets[:-1].tolist()
    with torch.no_grad():
        logits = networks[10](input_ids=torch.from_numpy(batch_losses.inputs.copy())[None]).logits[0]
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch_losses.targets.copy()), reduction="none")
    np.testing.assert_allclose(batch_losses.one_pass, loss.numpy(), atol=2e-5)
    np.testing.assert_allclose(batch_losses.stepped, batch_losses.one_pass, atol=1e-4)
    assert batch_losses.mean_nats == pytest.approx(float(loss.mean()), abs=1e-5)
    assert batch_losses.largest_difference == np.abs(batch_losses.one_pass - batch_losses.stepped).max() < 1e-4


def test_a_batch_of_a_full_context_fits(made: tuple[Path, dict[int, Any]], desk: Callable[..., Desk]) -> None:
    here = desk(catalogue.load(str(made[0]), "cpu", "float32", lambda *_: None))
    here.worker.submit(OneBatch(1, TEXT * 9))
    batch_losses = wait(here, 1)
    assert isinstance(batch_losses, BatchLosses)
    assert len(batch_losses.inputs) == CONTEXT and batch_losses.largest_difference < 1e-4


def test_one_batch_of_a_table(desk: Callable[..., Desk]) -> None:
    here = desk(Table.load(paths.assets() / "models" / "abc.json"))
    here.worker.submit(OneBatch(1, "BAC"))
    batch_losses = wait(here, 1)
    assert isinstance(batch_losses, BatchLosses)
    whole = Table.load(paths.assets() / "models" / "abc.json").teacher_forced([1, 0, 2])
    assert (batch_losses.inputs.tolist(), batch_losses.targets.tolist()) == ([1, 0], [0, 2])
    assert batch_losses.one_pass.tolist() == (-whole[1:]).tolist() and batch_losses.largest_difference < 1e-12


def test_a_model_whose_steps_are_wrong_is_seen(desk: Callable[..., Desk]) -> None:
    class Forgetful(SmallModel):
        def teacher_forced(self, ids: Any) -> Any:
            return super().teacher_forced(ids) - np.arange(len(ids))

    here = desk(Forgetful(context=None))
    here.worker.submit(OneBatch(1, "BAC"))
    assert wait(here, 1).largest_difference == pytest.approx(2.0)


@pytest.mark.parametrize(("text", "reading"), [("", Reading()), ("A", Reading()), ("", Reading("bos"))])
def test_a_text_in_which_nothing_follows_teaches_nothing(
    desk: Callable[..., Desk], text: str, reading: Reading
) -> None:
    here = desk(SmallModel(context=None))
    here.worker.submit(OneBatch(1, text, reading))
    end = wait(here, 1)
    assert isinstance(end, Failed) and "too short" in end.cause
    here.worker.submit(OneBatch(2, "A", Reading("bos")))
    assert isinstance(wait(here, 2), BatchLosses)  # the control


def test_a_lesson_can_be_cancelled_between_two_steps(desk: Callable[..., Desk]) -> None:
    gate = Gate(shut=False)
    model = SmallModel(context=None, before_forward=gate)
    here = desk(model)
    gate.shut = True
    here.worker.submit(OneBatch(1, "BAC" * 20))
    gate.reached()
    here.worker.cancel(1)
    gate.open()
    assert wait(here, 1) == Cancelled(1) and model.forwards <= 2
