"""History of ten thousand sampled tokens: ``python -m tests.benchmarks.history``."""

from __future__ import annotations

import statistics
import time

from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Token
from arplay.core.tree import Step, Tree
from tests.benchmarks.harness import row

NODES, NEAR = 10_000, 200
STEP = Step(id=1, index=0, logprob=-1.0, prob=0.37, decoded_prob=0.4, rank=1, u=0.5, seed=1)


def main() -> None:
    tree, times = Tree(Text()), []
    for index in range(NODES):
        token = Token(index % 4000, b" word")
        began = time.perf_counter()
        edit = tree.document.put(len(tree.document), token, "words")
        tree.record(edit, "sampled", len(tree.document) + len(token.data), STEP)
        times.append(1000 * (time.perf_counter() - began))
    first = f"the first {NEAR}: {statistics.fmean(times[:NEAR]):.3f} ms"
    for place in (4000, NODES):
        row(f"recording a step at {place:,}", statistics.fmean(times[place - NEAR : place]), "ms", 0.3, first)
    end, began = tree.node, time.perf_counter()
    tree.goto(tree.root)
    tree.goto(end)
    row(f"the root and back at {NODES:,}", 1000 * (time.perf_counter() - began), "ms", 50, "two jumps")
    assert len(tree.document) == 5 * NODES


main()
