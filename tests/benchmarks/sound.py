"""A sample of `speech` by its queues beside the plain forward, in turns: ``python -m tests.benchmarks.sound``.

The plain forward reads the receptive field again for every sample, which is all that bears on the next one. Samples
early and late in a sound must cost the same.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from arplay.models import catalogue
from tests.benchmarks.harness import row

ROUNDS, BY_QUEUE, PLAIN, FAR = 20, 100, 3, 40_000
LEAST = 1000.0
"""Samples a second."""


def main() -> None:
    model = catalogue.load("speech", "cpu", "auto", lambda fraction, what: None)
    ids = np.random.default_rng(0).integers(0, model.info.vocabulary or 0, FAR + ROUNDS * BY_QUEUE).tolist()
    near, far = model.session(), model.session()
    near.read(ids[:100])
    far.read(ids[:FAR])
    times: dict[str, list[float]] = {"near": [], "far": [], "plain": []}
    gap = 0.0
    for turn in range(ROUNDS):
        for name, session in (("near", near), ("far", far)):
            began = time.perf_counter()
            for id in ids[FAR + turn * BY_QUEUE :][:BY_QUEUE]:
                session.read([id])
                session.logits()
            times[name].append(1000 * (time.perf_counter() - began) / BY_QUEUE)
        began = time.perf_counter()
        for _ in range(PLAIN):
            plain = model.uncached(far.ids)
        times["plain"].append(1000 * (time.perf_counter() - began) / PLAIN)
        gap = max(gap, float(np.abs(plain - far.logits()).max()))
    early, late, forward = (statistics.median(found[1:]) for found in times.values())
    row("a sample by queues", late, "ms", 1000 / LEAST, f"plain {forward:.1f} ms; logits differ by {gap:.1e}")
    row(f"one after {FAR:,} against one after 100", late / early, "x", 1.3, f"{early:.2f} ms")


main()
