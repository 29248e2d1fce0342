"""Sixteen rollouts of 64 tokens in one batch beside sixteen single samples: ``python -m tests.benchmarks.rollouts``.

With `smollm2` where it is on this computer, and `english`. Both ways draw at the same u, and the ids are compared.
"""

from __future__ import annotations

import time

import arplay
from arplay.models import catalogue
from tests.benchmarks.harness import row

K, TOKENS, FASTER = 16, 64, 3.0
TEXT = "The old man looked at the sea and"


def main() -> None:
    for name in ("smollm2", "english"):
        if not catalogue.is_ready(name):
            print(f"{name} is not here: arplay models get {name}")
            continue
        model = arplay.load(name, device="cpu")
        model.rollouts(TEXT, 2, 2)  # what is made at the first call
        model.sample(TEXT, 2)
        began = time.perf_counter()
        together = model.rollouts(TEXT, K, TOKENS)
        ours = time.perf_counter() - began
        began = time.perf_counter()
        apart = [model.sample(TEXT, TOKENS, seed=seed) for seed in range(K)]
        theirs = time.perf_counter() - began
        same = sum(one.ids == tuple(other.ids.tolist()) for one, other in zip(together, apart, strict=True))
        bar = theirs / FASTER if name == "smollm2" else theirs
        baseline = f"{K} single ones: {theirs:.1f} s, {theirs / ours:.1f} x as long; {same} of {K} have the same ids"
        row(f"{name}: {K} rollouts of {TOKENS} tokens", ours, "s", bar, baseline)


main()
