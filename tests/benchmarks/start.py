"""Bar 2, first half: the window against a bare PySide6 window, and the first distribution of ``english``."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.benchmarks.harness import row

RUNS = 5
COMPILED = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # as pip leaves a program; the first run of all may compile


def once(module: str) -> str:
    done = subprocess.run([sys.executable, "-m", module], capture_output=True, text=True, check=True, env=COMPILED)
    return done.stdout.strip().splitlines()[-1]


def seconds(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True, env=COMPILED)
    return time.perf_counter() - began


def main() -> None:
    bare: list[float] = []
    ours: list[dict[str, Any]] = []
    for _ in range(RUNS):  # interleaved, so that a drift of the machine meets both
        bare.append(float(once("tests.benchmarks.bare_window")))
        ours.append(json.loads(once("tests.benchmarks.our_window")))
    base = statistics.median(bare)
    typed = statistics.median(run["stamps"]["typed"] for run in ours)
    row("window up and typing, beyond a bare window", typed - base, "s", 0.8, f"bare {base:.3f} s, ours {typed:.3f} s")
    for name, run in (("cold (first run)", ours[0]), ("warm (last run)", ours[-1])):
        at = run["stamps"]
        print(
            f"{name}: import torch {at['importing the model class'] - at['importing torch']:.3f} s, "
            f"import model class {at['reading the weights'] - at['importing the model class']:.3f} s, "
            f"load {at['loaded'] - at['reading the weights']:.3f} s, "
            f"first forward {at['explored'] - at['loaded']:.3f} s, paint {at['painted'] - at['explored']:.3f} s"
        )
    first = statistics.median(run["stamps"]["painted"] - run["stamps"]["reading the weights"] for run in ours)
    row("first distribution after the model class is imported", first, "s", 0.6, f"median of {RUNS}")
    torch, commands = [], []
    for _ in range(RUNS):
        torch.append(seconds("-c", "import torch"))
        commands.append(seconds("-m", "arplay", "next", "--model", "english", "--prompt", "Once upon a time"))
    base = statistics.median(torch)
    row("arplay next --model english", statistics.median(commands), "s", 1.25 * base + 1, f"import torch {base:.2f} s")
    stall = statistics.median(run["largest_stall"] for run in ours)
    row("largest event-loop stall while importing and loading", stall, "s", 0.35, f"median of {RUNS}")


main()
