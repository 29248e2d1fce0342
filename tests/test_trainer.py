"""A run under a real child process: started, watched, paused, resumed, killed, left alone. Most with a stand-in for
`arplay train` that starts at once (tests/tiny_trainer.py); the last ones with the command itself."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arplay.core.errors import Problem
from arplay.engine import trainer as trainers
from arplay.engine.replay import Replay, Replayed
from arplay.engine.trainer import NICE, Status, Trainer, TrainingState, runs
from arplay.training.order import RunRequest
from arplay.training.run_folder import RunFolder
from tests import tiny_runs
from tests.test_worker import Desk

REPOSITORY = Path(__file__).parent.parent
HANG_GUARD = 60.0
PATIENCE = 180.0
"""A hang guard as well, where a child imports torch."""

TEXT = "The cat sat on the mat. The dog sat on the log. Où est le chat ? In 1961.\n" * 200
STAND_IN = (sys.executable, "-m", "tests.tiny_trainer")

Begin = Callable[..., Trainer]


def start(folder: Path, **changes: Any) -> RunRequest:
    given = {
        "texts": (folder.parent / "text.txt",), "out": folder, "family": "transformer", "params": 20_000,
        "context": 32, "vocabulary": 280, "minutes": None, "tokens": 4096, "seed": 1,
    }  # fmt: skip
    return RunRequest(**given | changes)


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """``begin(way)``: a run of the stand-in; ends all children afterwards."""
    monkeypatch.setattr(trainers, "COMMAND", STAND_IN)
    made: list[Trainer] = []

    def make(way: str = "", open_it: bool = False) -> Trainer:
        monkeypatch.setenv("ARPLAY_TINY_TRAINER", way)
        folder = tmp_path / "run"
        made.append(Trainer.open(folder) if open_it else Trainer.start(start(folder)))
        return made[-1]

    yield make
    for each in made:
        each.cancel()


def until(trainer: Trainer, wanted: Callable[[TrainingState], object], seconds: float = HANG_GUARD) -> TrainingState:
    deadline = time.monotonic() + seconds
    while True:
        state = trainer.poll()
        if wanted(state):
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.01)


def reached(trainer: Trainer, status: Status) -> TrainingState:
    return until(trainer, lambda state: state.status == status)


def pid(trainer: Trainer) -> int:
    return int((trainer.folder / "training" / "pid").read_text())


def alive(process: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def test_a_run_from_start_to_end(begin: Begin) -> None:
    trainer = begin("short")
    state = trainer.poll()
    assert (state.status, state.problem, state.resumable) == ("starting", None, False)
    state = reached(trainer, "done")
    assert [each.step for each in state.reports] == list(range(11))
    assert state.snapshots == (0, 5, 10) and state.what == "done" and not state.resumable
    assert state.plan is not None and state.plan.steps == 10
    with pytest.raises(Problem, match="is done"):
        trainer.resume()
    trainer.pause()  # nothing to pause
    assert trainer.close(0) and trainer.poll().status == "done"


def test_what_a_person_chose_is_what_the_command_is_asked(begin: Begin) -> None:
    trainer = begin()
    reached(trainer, "running")
    words = (trainer.folder / "training" / "arguments").read_text().split("\n")
    folder = trainer.folder
    assert words[:5] == [str(folder.parent / "text.txt"), "--out", str(folder), "--family", "transformer"]
    assert dict(zip(words[3::2], words[4::2], strict=True)) == {
        "--family": "transformer", "--vocab": "280", "--seed": "1", "--params": "20000", "--context": "32",
        "--tokens": "4096",
    }  # fmt: skip
    minutes = start(folder, minutes=2.5, tokens=None).arguments
    assert "--tokens" not in minutes and minutes[minutes.index("--minutes") + 1] == "2.5"


def test_the_child_is_polite_to_the_playground(begin: Begin) -> None:
    trainer = begin()
    reached(trainer, "running")
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, pid(trainer)) == min(19, before + NICE)
    assert os.getpgid(pid(trainer)) != os.getpgid(0)  # Ctrl-C in a terminal does not reach it


def test_a_run_is_paused_and_goes_on(begin: Begin) -> None:
    trainer = begin()
    until(trainer, lambda state: len(state.snapshots) > 1)
    trainer.pause()
    trainer.pause()
    assert trainer.poll().status in ("pausing", "paused")
    paused = reached(trainer, "paused")
    assert paused.problem is None and paused.resumable and "paused after step" in paused.what
    last = paused.reports[-1].step
    trainer.resume()
    trainer.resume()  # once is enough
    assert trainer.poll().status == "starting"
    going = until(trainer, lambda state: state.reports[-1].step > last + 3)
    assert going.status == "running"
    assert [each.step for each in going.reports] == list(range(len(going.reports)))  # nothing lost, nothing twice


def test_looking_never_waits(begin: Begin) -> None:
    trainer = begin("deaf")
    reached(trainer, "running")
    trainer.pause()
    for _ in range(50):
        assert trainer.poll().status == "pausing"
    began = time.monotonic()
    assert not trainer.close(0.05)
    assert time.monotonic() - began < HANG_GUARD / 2


def test_cancel_ends_at_once_and_keeps_the_folder(begin: Begin) -> None:
    trainer = begin("deaf")
    until(trainer, lambda state: len(state.snapshots) > 1)
    process = pid(trainer)
    trainer.cancel()
    state = trainer.poll()
    assert (state.status, state.problem, state.resumable) == ("paused", None, True)
    assert not alive(process) and state.snapshots
    trainer.resume()
    reached(trainer, "running")


def test_a_child_that_is_killed_is_told_and_resumed(begin: Begin) -> None:
    trainer = begin()
    until(trainer, lambda state: len(state.snapshots) > 1)
    os.kill(pid(trainer), signal.SIGKILL)
    state = reached(trainer, "failed")
    assert state.problem == (
        "training run was killed from outside (SIGKILL)",
        "resume it; at most what came after its last checkpoint is done again",
    )
    assert state.resumable
    last = state.reports[-1].step
    trainer.resume()
    state = until(trainer, lambda state: state.reports[-1].step > last)
    assert (state.status, state.problem) == ("running", None)
    assert [each.step for each in state.reports] == list(range(len(state.reports)))


@pytest.mark.parametrize(
    ("way", "problem"),
    [
        ("problem", ("the disk is full", "free some space")),
        (
            "crash",
            (
                "training run failed: RuntimeError: it fell over",
                "resume it; at most what came after its last checkpoint is done again",
            ),
        ),
    ],
)
def test_why_a_run_ended_is_told(begin: Begin, way: str, problem: tuple[str, str]) -> None:
    trainer = begin(way)
    state = reached(trainer, "failed")
    assert state.problem == problem and state.resumable and len(state.reports) == 4
    assert trainer.poll().problem == problem
    if way == "problem":  # it stands in the folder
        assert Trainer.open(trainer.folder).poll().problem == problem


def test_a_run_that_never_came_to_a_plan_begins_again(begin: Begin) -> None:
    trainer = begin("early")
    state = until(trainer, lambda state: state.what == "reading texts")
    assert (state.status, state.plan, state.reports) == ("starting", None, ())
    until(trainer, lambda _: (trainer.folder / "training" / "pid").exists())
    trainer.pause()
    state = reached(trainer, "paused")
    assert state.resumable
    os.environ["ARPLAY_TINY_TRAINER"] = "short"
    trainer.resume()
    reached(trainer, "done")


def test_what_a_child_prints_is_bounded(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers, "MOST_OUTPUT", 200_000)
    trainer = begin("talk")
    sizes = []

    def look(state: TrainingState) -> bool:
        sizes.append((trainer.folder / "training" / "output.txt").stat().st_size)
        return len(state.reports) > 20  # a megabyte

    until(trainer, look)
    assert max(sizes) > 50_000 and sum(later < sooner for sooner, later in itertools.pairwise(sizes)) > 0
    assert sizes[-1] < 1_000_000


def test_two_windows_do_not_train_in_one_folder(begin: Begin) -> None:
    trainer = begin()
    reached(trainer, "running")
    with pytest.raises(Problem, match="is being trained already"):
        begin(open_it=True)
    assert runs([str(trainer.folder)]) == []
    with pytest.raises(Problem, match="holds a training run already"):
        begin()
    assert trainer.close(HANG_GUARD)
    here, there = begin(open_it=True), begin(open_it=True)
    assert [each.status for each in runs([str(trainer.folder), str(trainer.folder.parent)])] == ["paused"]
    here.resume()
    with pytest.raises(Problem, match="is being trained already"):
        there.resume()
    reached(here, "running")


def test_a_run_of_a_former_window_goes_on(begin: Begin) -> None:
    first = begin()
    until(first, lambda state: len(state.snapshots) > 1)
    assert first.close(HANG_GUARD)
    second = begin(open_it=True)
    state = second.poll()
    assert state.status == "paused" and state.resumable and state.snapshots[:2] == (0, 5)
    second.resume()
    until(second, lambda now: len(now.reports) > len(state.reports))


WINDOW = """
import sys, time
from pathlib import Path
from arplay.engine import trainer
from tests.test_trainer import STAND_IN, start
if sys.argv[2]:
    trainer.COMMAND = STAND_IN
run = trainer.Trainer.start(start(Path(sys.argv[1]), family="rnn", params=50_000, context=64, tokens=10_000_000))
while True:
    state = run.poll()
    if len(state.reports) > 3:
        print("watching", flush=True)
    time.sleep(0.02)
"""


def die_beside(folder: Path, stand_in: bool) -> None:
    """A window that trains in ``folder`` and is killed; returns once nobody holds the folder any more."""
    command = [sys.executable, "-c", WINDOW, str(folder), "yes" if stand_in else ""]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as window:
        assert window.stdout is not None
        assert window.stdout.readline() == b"watching\n"
        window.kill()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(Problem):
            assert Trainer.open(folder).poll().status == "paused"
            return
        time.sleep(0.02)
    raise AssertionError("the child went on without its window")


def test_a_child_outlives_its_window_only_to_write_its_checkpoint(tmp_path: Path) -> None:
    die_beside(tmp_path / "run", stand_in=True)
    run = RunFolder(tmp_path / "run")
    assert int((run.training / "checkpoint").read_text()) == run.reports()[-1].step > 2


@pytest.mark.slow
def test_the_command_itself_is_killed_and_resumed_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "text.txt").write_text(TEXT)
    trainer = Trainer.start(start(tmp_path / "run", params=50_000, context=64, tokens=20_000))
    try:
        state = until(trainer, lambda state: len(state.snapshots) > 4, PATIENCE)
        assert state.status == "running" and state.plan is not None
        assert trainer._child is not None
        os.killpg(trainer._child.pid, signal.SIGKILL)
        state = reached(trainer, "failed")
        assert state.problem is not None and "SIGKILL" in state.problem[0] and state.resumable
        trainer.resume()
        state = until(trainer, lambda state: state.status not in ("starting", "running"), PATIENCE)
    finally:
        trainer.cancel()
    assert (state.status, state.problem) == ("done", None), state
    steps = [report.step for report in state.reports]
    assert steps == sorted(set(steps)) and steps[-1] == state.plan.steps
    assert list(state.snapshots) == state.plan.snapshots()
    assert state.reports[0].loss == pytest.approx(math.log(280), rel=0.05)
    assert state.reports[-1].loss < state.reports[0].loss - 1

    desk = Desk(lambda *_: pytest.fail("no model is asked for"))
    desk.worker.submit(Replay(1, str(trainer.folder), "The cat sat on the mat.", None))
    with desk._news:
        assert desk._news.wait_for(lambda: desk.results and desk.results[-1].is_last, PATIENCE)
    assert desk.worker.close(HANG_GUARD)
    said = [result for result in desk.results if isinstance(result, Replayed)]
    assert [each.step for each in said] == list(state.snapshots)
    first, last = (-float(np.nanmean(each.logprob)) for each in (said[0], said[-1]))
    assert first == pytest.approx(math.log(280), rel=0.05) and last < first - 1


@pytest.mark.slow
def test_the_command_itself_outlives_its_window_only_to_write_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "text.txt").write_text(TEXT)
    die_beside(tmp_path / "run", stand_in=False)
    run = RunFolder(tmp_path / "run")
    assert run.state.is_file() and run.resumable() and run.problem() is None


def test_a_folder_that_holds_something_else_is_left_alone(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.safetensors").write_bytes(b"precious")
    with pytest.raises(Problem, match=r"holds a model already; choose a new or empty folder$"):
        begin()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["model.safetensors"]


def test_a_folder_that_holds_no_run_or_cannot_be_written(begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="holds no training run"):
        Trainer.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="cannot be used"):
        Trainer.start(start(tmp_path / "file"))
    with pytest.raises(Problem, match="cannot start"):
        Trainer.start(start(tmp_path / "file" / "below"))
    assert runs([str(tmp_path), str(tmp_path / "missing")]) == []


def test_a_folder_that_is_removed_under_a_run_is_seen_and_harms_nothing(begin: Begin) -> None:
    trainer = begin()
    reached(trainer, "running")
    (trainer.folder / "training").rename(trainer.folder / "moved")
    trainer.poll()
    state = reached(trainer, "failed")  # the child can write no more
    assert state.problem is not None and state.problem[0].startswith("training run failed: ")
    assert (state.plan, state.reports, state.snapshots) == (None, (), ())


def test_a_damaged_log_is_told(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_plan(tiny_runs.plan())
    run.append(tiny_runs.report(0))
    with (run.training / "log.jsonl").open("a") as log:
        log.write("{}\n")
    state = Trainer.open(tmp_path).poll()
    assert state.status == "failed" and state.problem is not None and "damaged" in state.problem[0]
