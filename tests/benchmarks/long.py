"""A text of a million tokens: memory, totals, layout, painting, and clicks: ``python -m tests.benchmarks.long``."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np

from arplay.core.chain import Best, Ledger
from arplay.core.modalities.text import Encoded
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.windows import Windows
from tests.benchmarks.harness import row

TOKENS, UPDATES = 1_000_000, 20
WORDS = [b" the", b" of", b" city", b" was", b"ing", b" Paris", b",", b" and", b" river", b".", b" light", b"ed", b"\n"]
WORDS += [b" a", b" slow", b" un", b"believ", b"able", b" morning", b" to", b" in", b" it", " été".encode(), b" they"]


def ledger_of(n: int) -> Ledger:
    """Made-up scores of made-up words, in paragraphs."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, len(WORDS), n, np.int32)
    ends = np.cumsum(np.array([len(word) for word in WORDS])[ids], dtype=np.int32)
    data = b"".join([WORDS[id] for id in ids.tolist()])
    best = Best.of(rng.integers(0, len(WORDS), (n, 5)), -np.sort(rng.exponential(3.0, (n, 5))))
    return Ledger(
        encoded=Encoded(data, ids, ends, np.zeros(n, bool)),
        unit=Vocabulary("words", tuple(WORDS), frozenset()).unit,
        logprob=-rng.exponential(3.0, n),
        rank=rng.integers(1, len(WORDS), n, np.int32),
        entropy=rng.exponential(2.0, n).astype(np.float32),
        best=best,
        before=0,
        done=n,
        first_piece="model",
        windows=Windows.half(512),
    )


def ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    from PySide6.QtWidgets import QApplication

    from arplay.gui.contract import View
    from arplay.gui.panels.heatmap import HeatmapPanel, heat_figures

    app = QApplication([])
    tracemalloc.start()
    ledger = ledger_of(TOKENS)
    ledger.add_up()
    text = len(ledger.encoded.data)
    panel = HeatmapPanel()
    panel.resize(900, 800)
    panel.show()
    app.processEvents()
    gc.collect()
    before, stalls = tracemalloc.get_traced_memory()[0], []
    tracemalloc.stop()
    held = sum(a.nbytes for a in (ledger.ids, ledger.ends, ledger.encoded.fixed, ledger.logprob, ledger.rank))
    held += sum(a.nbytes for a in (ledger.entropy, ledger.best.packed, ledger.best.logprobs))
    print(f"traced {(before - text) / TOKENS:.1f} bytes a token, arrays {held / TOKENS:.1f}")
    row("figures of 1 M tokens in the window's thread", ms(lambda: heat_figures(ledger, "bits")), "ms", 1, "114 ms")

    began = time.perf_counter()
    stalls.append(ms(lambda: panel.show_view(View(ledger=ledger))))
    stalls.append(ms(app.processEvents))
    row("opened, and painted", time.perf_counter() - began, "s", 2, "1 s")
    end = time.perf_counter() + 3
    while time.perf_counter() < end:
        stalls.append(ms(app.processEvents))
    row("longest stall", max(stalls), "ms", 50, "1000 ms")

    bar = panel.text.verticalScrollBar()
    steps = np.random.default_rng(1).integers(0, bar.maximum(), 100).tolist()

    def paint(at: int) -> None:
        bar.setValue(at)
        panel.text.viewport().repaint()

    paints = [ms(partial(paint, at)) for start in steps for at in range(start, start + 5 * 54, 54)]
    row("painting while scrolling, median", statistics.median(paints), "ms", 8, "900 × 800")
    row("painting while scrolling, 99 of 100", statistics.quantiles(paints, n=100)[98], "ms", 16, "900 × 800")


if __name__ == "__main__":
    main()
