"""All four stages and the choice over a vocabulary of 256,000: ``python -m tests.benchmarks.decoding``."""

from __future__ import annotations

import statistics
import time

import numpy as np

from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.distribution import Distribution, log_softmax
from arplay.core.picking import choose, uniform
from tests.benchmarks.harness import row

V, REPEATS, BAR = 256_000, 30, 8.0


def main() -> None:
    rng = np.random.default_rng(0)
    drawn = [log_softmax(rng.normal(0, spread, V)) for spread in (1.0, 3.0, 6.0)]
    baseline = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        np.argsort(-drawn[1], kind="stable")
        baseline.append(1000 * (time.perf_counter() - began))
    sorting = f"sorting all of them once: {statistics.median(baseline):.1f} ms"
    for text in ("temperature:0.8,top-k:200,top-p:0.95,min-p:0.01", "temperature:0.8,top-p:0.95", "top-p:0.95", ""):
        pipeline, times = Pipeline(text), []
        for index in range(REPEATS):
            own = Distribution(V, drawn[index % len(drawn)])
            began = time.perf_counter()
            decoded = decode(own, pipeline)
            choose(decoded.candidates, uniform(0, index))
            assert len(decoded.logprobs) == V
            times.append(1000 * (time.perf_counter() - began))
        row(f"{text or 'no stage'} and the choice, V = {V:,}", statistics.median(times), "ms", BAR, sorting)


main()
