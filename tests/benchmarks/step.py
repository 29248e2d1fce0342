"""Bar 3: from a click on a bar to the repainted chart, beside a bare cached forward of the same tokens."""

from __future__ import annotations

import statistics
import time
from typing import Any

from arplay.core.modalities.text import Text
from tests.benchmarks import harness
from tests.benchmarks.harness import row, until_painted, wait

REPEATS = 15
TEXT = b"It was a dark and stormy night, and the old man sat by the fire. " * 60


def bare_steps(folder: str, ids: list[int], prefix: int) -> list[float]:
    """Baseline: transformers' own cached step, same dtype, threads, inference mode and one row of logits."""
    import torch
    from transformers import AutoModelForCausalLM

    from arplay.models.hf.library import Forward

    net: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()
    forward, times = Forward(net), []
    with torch.inference_mode():
        kept = forward(torch.tensor([ids[:prefix]]), keep=True, rows=1)[1]
        for id in ids[prefix : prefix + REPEATS]:
            began = time.perf_counter()
            kept = forward(torch.tensor([[id]]), kept, keep=True, rows=1)[1]
            times.append(time.perf_counter() - began)
    return times


def main() -> None:
    from dataclasses import replace

    from arplay.gui import app as starting
    from arplay.gui.intents import Change, Take
    from arplay.gui.options import WindowOptions

    starting.application()
    window = starting._window(WindowOptions())
    play = window.playground
    play.handle(Change(replace(play.view.settings, animate=False)))
    window.show()
    play.load_model("english")
    wait(lambda: play.view.loaded is not None and not play.view.stale)
    loaded = play.view.loaded
    assert loaded is not None
    painted = until_painted(window)

    def click() -> float:
        """Take the best token and wait until the new distribution is painted."""
        assert play.view.answer is not None and play.view.answer.distribution is not None
        best = int(play.view.answer.distribution.top(1)[0])
        wait(lambda: not play.busy_scoring())
        return painted(lambda: play.handle(Take(best)))

    medians = {}
    ids: list[int] = []
    for prefix in (50, 450):
        play.open_document(Text())
        wait(lambda: not play.view.stale)
        play.open_document(Text.of(TEXT))
        wait(lambda: not play.view.stale)
        answer = play.view.answer
        assert answer is not None
        ids = answer.encoded.ids.tolist()
        cut = int(answer.encoded.ends[prefix - 1])
        play.open_document(Text.of(TEXT[:cut]), at_end=True)
        wait(lambda: not play.view.stale and not play.busy_scoring())
        click()
        clicks, bare = [], []
        for _ in range(3):  # interleaved
            clicks += [click() for _ in range(REPEATS // 3)]
            bare += bare_steps(loaded.info.source, ids, prefix)[: REPEATS // 3 + 1]
        medians[prefix] = statistics.median(clicks)
        base = statistics.median(bare)
        row(
            f"click to repainted chart at prefix {prefix}",
            1000 * medians[prefix],
            "ms",
            1000 * base + 15,
            f"bare forward {1000 * base:.1f} ms",
        )
    row("a click at 450 against one at 50", medians[450] / medians[50], "x", 1.3, "ratio of the medians")
    play.close()


assert harness
main()
