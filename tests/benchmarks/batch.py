"""Sixteen chains in one batch beside sixteen sessions, measured in turns: ``python -m tests.benchmarks.batch``.

With `smollm2` where it is on this computer, `english`, and pictures of `fashion`. A step reads one token of each chain
and gives log-probs.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from arplay.core.distribution import log_softmax
from arplay.models import catalogue
from tests.benchmarks.harness import row

CHAINS, PREFIX, STEPS = 16, 64, 8
FASTER = {"smollm2": 3.0, "english": 1.0, "fashion": 4.0}


def main() -> None:
    for name, faster in FASTER.items():
        if not catalogue.is_ready(name):
            print(f"{name} is not here: arplay models get {name}")
            continue
        model = catalogue.load(name, "cpu", "auto", lambda fraction, what: None)
        ids = np.random.default_rng(0).integers(0, model.info.vocabulary, (STEPS + 1, CHAINS)).tolist()
        prefix = np.random.default_rng(1).integers(0, model.info.vocabulary, PREFIX).tolist()
        batch = model.batch([prefix] * CHAINS)
        one = model.session()
        one.read(prefix)
        single = [one.branch() for _ in range(CHAINS)]
        together, apart, gap = [], [], 0.0
        for step in ids:
            began = time.perf_counter()
            logprobs = batch.step(step)
            together.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            rows = []
            for session, id in zip(single, step, strict=True):
                session.read([id])
                rows.append(log_softmax(session.logits()))
            apart.append(1000 * (time.perf_counter() - began))
            gap = max(gap, float(np.abs(logprobs - np.stack(rows)).max()))
        ours, theirs = (statistics.median(times[1:]) for times in (together, apart))
        baseline = f"{CHAINS} sessions: {theirs:.1f} ms, {theirs / ours:.1f} x as long; log-probs differ by {gap:.1e}"
        row(f"{name}: a step of {CHAINS} chains", ours, "ms", theirs / faster, baseline)


main()
