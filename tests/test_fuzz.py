"""Damaged and hostile models, opened by hundreds in child processes: each loads with finite numbers or is refused.

A case is named by its kind and number; ``python -m tests.fuzz_child FOLDER folder KIND N N+1`` repeats one, and
``python -m tests.fuzz --cases 10000`` tries many more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import fuzz_bases

REPOSITORY = Path(__file__).parent.parent
CASES = {"config": 85, "weights": 75, "tokenizer": 60, "gguf": 65}
FILES = ("recipe", "prompts", "trace", "table", "session", "text", "run", "checkpoint")
NOT_REACHED = ("looking at the files", "importing torch", "importing the model class", "reading the header")
"""Stages before the first weight is read, as the loaders tell them."""
HANG_GUARD = 600


@dataclass
class Run:
    """What a child wrote: the cases that ended, and the case in which it ended itself, if it did."""

    ended: list[dict[str, Any]]
    died_in: str
    stderr: str

    @property
    def wrong(self) -> list[str]:
        told = [
            f"{c['kind']} {c['number']}: {c['how']}: {c['said']}" for c in self.ended if c["how"].startswith("WRONG")
        ]
        return told + ([f"{self.died_in}: the process ended\n{self.stderr[-2000:]}"] if self.died_in else [])

    def reached_weights(self) -> int:
        return sum(case["stage"] not in NOT_REACHED for case in self.ended)


def run(place: Path, loader: str, *cases: tuple[str, int, int], case_seconds: float = 60) -> Run:
    """Let a child open the ``cases`` (kind, first number, the one after the last) by ``loader``."""
    told = [str(part) for share in cases for part in share]
    command = [sys.executable, "-m", "tests.fuzz_child", str(place), loader, *told]
    settings = {"OMP_NUM_THREADS": "1", "FUZZ_CASE_SECONDS": str(case_seconds), "TOKENIZERS_PARALLELISM": "false"}
    child = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | settings, capture_output=True, text=True, timeout=HANG_GUARD
    )
    said = [json.loads(line) for line in child.stdout.splitlines()]
    died_in = ""
    if child.returncode:
        began = [case for case in said if case.get("began")]
        died_in = f"{began[-1]['kind']} {began[-1]['number']}" if began else "the start"
    return Run([case for case in said if "how" in case], died_in, child.stderr)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fuzz_bases.make(tmp_path_factory.mktemp("fuzz") / "all")


@pytest.fixture(scope="session")
def ggufs(place: Path) -> Path:
    pytest.importorskip("llama_cpp", reason="the extra gguf is not installed")
    fuzz_bases.make_gguf(place)
    return place


def check(done: Run, capsys: pytest.CaptureFixture[str], kinds: tuple[str, ...]) -> None:
    """Print the counts by stage; nothing went wrong, and every case ended."""
    with capsys.disabled():
        for kind in kinds:
            counts = Counter(f"{case['how']} while {case['stage']}" for case in done.ended if case["kind"] == kind)
            print(f"\nfuzz {kind}: {counts.total()} cases, ", end="")
            print("; ".join(f"{count} {what}" for what, count in counts.most_common()))
        print(f"fuzz {' '.join(kinds)}: {done.reached_weights()} of {len(done.ended)} reached the weights")
    assert not done.wrong, "\n".join(done.wrong)


@pytest.mark.slow
def test_damaged_folders_load_or_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("config", "weights", "tokenizer")
    whole = run(place, "folder", *((kind, 0, CASES[kind]) for kind in kinds))
    check(whole, capsys, kinds)
    assert 3 * whole.reached_weights() >= sum(CASES.values())  # of all cases, those of GGUF files counted too


@pytest.mark.slow
def test_damaged_recipes_traces_sessions_and_runs_are_read_or_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = FILES
    check(run(place, "files", *((kind, 0, 30) for kind in kinds)), capsys, kinds)


@pytest.mark.slow
def test_damaged_gguf_files_load_or_are_refused(ggufs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(run(ggufs, "native", ("gguf", 0, CASES["gguf"])), capsys, ("gguf",))


def test_there_are_cases_enough() -> None:
    assert sum(CASES.values()) >= 250


@pytest.mark.parametrize(
    ("loader", "noticed"),
    [
        ("crashes", "config 3: the process ended"),
        ("hangs", "config 3: the process ended"),
        ("runs_code", "WRONG: reached out"),
        ("reads_outside", "WRONG: reached out"),
        ("takes_memory", "WRONG: took"),
        ("raises", "WRONG: raised: KeyError"),
        ("says_nothing", "WRONG: names nothing"),
    ],
)
def test_the_harness_notices(loader: str, noticed: str, place: Path) -> None:
    """Controls: loaders that do what none may do."""
    done = run(place, loader, ("config", 3, 4), case_seconds=0.5 if loader == "hangs" else 60)
    assert len(done.wrong) == 1 and noticed in done.wrong[0]
    if loader == "hangs":
        assert "Timeout" in done.wrong[0]
