"""A step with what is kept beside one that reads all again, in turns: ``python -m tests.benchmarks.kept``.

A PixelCNN's rows (`fashion`) and a WaveNet's queues (`speech`), after short and long prefixes; and that the logits of
both ways are the same. Give other models of these families as arguments.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from arplay.models import catalogue
from tests.benchmarks.harness import row

STEPS, PASSES = 64, 5
PREFIXES = {"fashion": (100, 400, 700), "speech": (500, 2000, 8000)}


def main() -> None:
    for name in sys.argv[1:] or PREFIXES:
        if not catalogue.is_ready(name):
            print(f"{name} is not here")
            continue
        model = catalogue.load(name, "cpu", "auto", lambda fraction, what: None)
        assert model.info.vocabulary is not None
        for prefix in PREFIXES.get(name, (100, 400)):
            ids = np.random.default_rng(0).integers(0, model.info.vocabulary, prefix + STEPS).tolist()
            session = model.session()
            session.read(ids[:prefix])
            session.logits()
            kept, again, gap = [], [], 0.0
            for at in range(prefix, prefix + STEPS):
                began = time.perf_counter()
                session.read(ids[at : at + 1])
                logits = session.logits()
                kept.append(1000 * (time.perf_counter() - began))
                if (at - prefix) % (STEPS // PASSES) == 0:
                    began = time.perf_counter()
                    whole = model.uncached(ids[: at + 1])
                    again.append(1000 * (time.perf_counter() - began))
                    gap = max(gap, float(np.abs(logits - whole).max()))
            ours, theirs = statistics.median(kept), statistics.median(again)
            bar = 1.0 if name == "speech" else theirs
            words = f"all read again: {theirs:.1f} ms, {theirs / ours:.1f} x as long; logits differ by {gap:.1e}"
            row(f"{name}: a step after {prefix:,} with {model.can.kept}", ours, "ms", bar, words)


main()
