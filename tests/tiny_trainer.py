"""A stand-in for `arplay train` that keeps its contract and needs no torch: a step is a line of the log.

What it does besides is said by ARPLAY_TINY_TRAINER: "problem" ends with a Problem, "crash" with a traceback, "talk"
prints without end, "deaf" never stops when it is asked, "short" reaches its last step, "early" waits before its plan,
"unread" ends with a Problem before its plan, "rare" writes no checkpoint between step 5 and its end.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from arplay.core.errors import Problem
from arplay.training.run_folder import RunFolder
from tests.tiny_runs import plan, report

STEP_SECONDS = 0.01


def main(arguments: list[str], way: str) -> int:
    run = RunFolder(Path(arguments[arguments.index("--out") + 1]))
    print("reading texts", flush=True)
    with run.locked():
        return train(run, arguments, way)


def train(run: RunFolder, arguments: list[str], way: str) -> int:
    stopping: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.append(number)

    signal.signal(signal.SIGTERM, stop)
    if way == "early":
        (run.training / "pid").write_text(str(os.getpid()))
        while not stopping:
            time.sleep(STEP_SECONDS)
        return 130
    if way == "unread":
        run.write_problem(Problem("the texts are too short", "add more text"))
        return 1
    steps = 10 if way == "short" else 100_000
    if "--resume" in arguments:
        run.cut_back(int((run.training / "checkpoint").read_text()))
    else:
        run.write_plan(plan(tokens=steps * 4 * 32))
    (run.training / "pid").write_text(str(os.getpid()))
    (run.training / "arguments").write_text("\n".join(arguments))
    reports = run.reports()
    for step in itertools.count(reports[-1].step + 1 if reports else 0):
        run.append(report(step, steps))
        if way == "problem" and step == 3:
            run.write_problem(Problem("the disk is full", "free some space"))
            return 1
        if way == "crash" and step == 3:
            raise RuntimeError("it fell over")
        if way == "talk":
            print("word " * 10_000, flush=True)
        if step % 5 == 0:
            if way != "rare" or step <= 5:
                keep(run, step)
            run.snapshot(step).parent.mkdir(parents=True, exist_ok=True)
            run.snapshot(step).write_bytes(b"weights")
        if step == steps:
            return 0
        orphaned = os.getppid() != int(os.environ["ARPLAY_TRAIN_PARENT"])
        if orphaned or ((stopping or run.stop.exists()) and way != "deaf"):
            keep(run, step)
            return 130
        time.sleep(STEP_SECONDS)
    return 0


def keep(run: RunFolder, step: int) -> None:
    """A checkpoint: the step, and a file of no tensors whose header has it where `arplay train` writes it."""
    header = json.dumps({"__metadata__": {"run": json.dumps({"step": step})}}).encode()
    partial = run.state.with_name("state.partial")
    partial.write_bytes(len(header).to_bytes(8, "little") + header)
    partial.replace(run.state)
    (run.training / "checkpoint").write_text(str(step))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ.get("ARPLAY_TINY_TRAINER", "")))
