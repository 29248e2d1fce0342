"""Many damaged inputs: ``python -m tests.fuzz --cases 10000`` opens them in child processes and tells what came of it.

A case is named by its kind and number, and ``--only KIND NUMBER`` repeats one. Nothing may escape but a Problem, hang
for more than 20 s, take more than 2 GiB, or reach code, the network or files outside.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import fuzz_bases

SHARES = {
    "odd": 32, "config": 8, "weights": 8, "tokenizer": 6, "gguf": 11, "recipe": 7, "prompts": 3, "trace": 6,
    "table": 5, "session": 6, "text": 2, "run": 2, "checkpoint": 4,
}  # fmt: skip
"""Of a hundred cases."""
LOADERS = {"odd": "folder", "config": "folder", "weights": "folder", "tokenizer": "folder", "gguf": "native"}
WEIGHTS = ("odd", "config", "weights", "tokenizer", "gguf", "checkpoint")
"""Kinds in which what is loaded are weights."""
CASE_SECONDS = 20
MOST_KIB = 2 << 20
AT_ONCE = 500
"""Cases of one child, so that memory that grows slowly is that of few."""


def cases(place: Path, kind: str, first: int, last: int) -> Iterator[dict[str, Any]]:
    """How each case of a kind ended. A child that dies or hangs in one is told of it, and another goes on behind it."""
    while first < last:
        stop = min(first + AT_ONCE, last)
        command = [sys.executable, "-m", "tests.fuzz_child", str(place), LOADERS.get(kind, "files"), kind]
        settings = {"OMP_NUM_THREADS": "1", "FUZZ_CASE_SECONDS": str(CASE_SECONDS), "TOKENIZERS_PARALLELISM": "false"}
        child = subprocess.Popen(
            [*command, str(first), str(stop)],
            env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        out, err = child.communicate()
        told = [json.loads(line) for line in out.splitlines()]
        yield from (case for case in told if "how" in case)
        if child.returncode == 0:
            first = stop
            continue
        began = [case["number"] for case in told if case.get("began")]
        number = began[-1] if began else first
        how = "WRONG: hung" if "Timeout" in err else f"WRONG: died ({child.returncode})"
        yield {"kind": kind, "number": number, "how": how, "said": err[-1500:], "peak": 0}
        first = number + 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--only", nargs=2, metavar=("KIND", "NUMBER"))
    given = parser.parse_args()
    wanted = {kind: (0, round(given.cases * share / 100)) for kind, share in SHARES.items()}
    if given.only:
        wanted = {given.only[0]: (int(given.only[1]), int(given.only[1]) + 1)}
    began, wrong, loaded, ended, peak = time.monotonic(), 0, 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="arplay-fuzz-") as folder:
        place = fuzz_bases.make(Path(folder) / "all")
        fuzz_bases.make_gguf(place)
        for kind, (first, last) in wanted.items():
            counts = collections.Counter[str]()
            for case in cases(place, kind, first, last):
                if case["peak"] > MOST_KIB:
                    case["how"] = f"WRONG: {case['peak'] >> 10} MiB at its peak"
                counts[case["how"].partition(":")[0]] += 1
                peak, ended = max(peak, case["peak"]), ended + 1
                loaded += case["how"] == "loaded" and kind in WEIGHTS
                if case["how"].startswith("WRONG"):
                    wrong += 1
                    print(f"{kind} {case['number']}: {case['how']}: {case['said']}", flush=True)
                elif given.only:
                    print(case)
            print(f"{kind}: {counts.total():,} cases, {dict(counts)}, {time.monotonic() - began:,.0f} s", flush=True)
    print(f"{ended:,} cases; weights loaded in {loaded:,}; wrong {wrong:,}; {peak >> 10:,} MiB at most")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
