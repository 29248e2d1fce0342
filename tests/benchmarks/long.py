"""A text of a million tokens: memory, totals, layout, painting, and clicks: ``python -m tests.benchmarks.long``."""

from __future__ import annotations

import random
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from tests.benchmarks.harness import row, until_painted, wait
from tests.made_up_ledger import WORDS, ledger_of

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from arplay.gui.panels.heatmap import HeatmapPanel

TOKENS = 1_000_000


def ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def clicks() -> None:
    """A click near the end of 10,000 tokens beside one at the 50th, in the whole window; the model costs nothing."""
    from arplay.gui import app as starting
    from arplay.gui.intents import Select
    from arplay.gui.options import WindowOptions

    starting.application()
    window = starting._window(WindowOptions())
    play = window.playground
    window.show()
    play.load_model("abc")
    wait(lambda: play.view.loaded is not None and not play.view.stale)
    play.open_document(Text.of(bytes(random.Random(3).choices(b"ABC", k=10_000))))
    wait(lambda: not play.view.stale and not play.busy_scoring())
    painted = until_painted(window)

    def click(index: int) -> float:
        return 1000 * painted(lambda: play.handle(Select(index)))

    times: dict[int, list[float]] = {50: [], 9_950: []}
    for _ in range(4):  # interleaved
        for place, found in times.items():
            click(place)
            found.extend(click(place + i) for i in range(10))
    near, far = (statistics.median(found) for found in times.values())
    row("a click deep in 10,000 tokens against one at 50", far / near, "x", 1.3, f"{far:.1f} and {near:.1f} ms")
    play.close()


def saved() -> None:
    """A saved run of a million tokens in the whole window, without any model: until it is painted, and stalls."""
    import tempfile
    from pathlib import Path

    from PySide6.QtCore import QTimer

    from arplay import load
    from arplay.export import scorefile
    from arplay.gui import app as starting
    from arplay.gui.options import WindowOptions
    from arplay.models.scored_run import SavedRun

    starting.application()
    path = Path(tempfile.mkdtemp()) / "million.npz"
    tokens, info = Vocabulary("words", tuple(WORDS), frozenset()), load("abc").info
    run = SavedRun(ledger_of(TOKENS), tokens, info, "million")
    row("saving a run of a million tokens", ms(lambda: scorefile.write(path, run)) / 1000, "s", 5, "in the worker")
    window = starting._window(WindowOptions())
    play, heat = window.playground, window.panels["heatmap"]
    window.show()
    pause = time.perf_counter() + 0.5
    wait(lambda: time.perf_counter() > pause)

    last, worst = [time.perf_counter()], [0.0]

    def beat() -> None:
        now = time.perf_counter()
        last[0], worst[0] = now, max(worst[0], now - last[0])

    timer = QTimer()
    timer.timeout.connect(beat)
    timer.start(2)
    began = time.perf_counter()
    window.open_file(path)
    wait(lambda: play.view.run is not None and heat.view.ledger is play.view.run.ledger)  # type: ignore[attr-defined]
    heat.text.viewport().repaint()  # type: ignore[attr-defined]
    row("a saved run of a million tokens opened and painted", time.perf_counter() - began, "s", 2, "no model")
    end = time.perf_counter() + 3
    wait(lambda: time.perf_counter() > end)
    row("longest stall until three seconds later", 1000 * worst[0], "ms", 50, "heartbeat of 2 ms")
    play.close()


def jump(panel: HeatmapPanel, token: int) -> None:
    panel.text.minimap.wanted.emit(token)
    panel.text.viewport().repaint()
    panel.text.minimap.repaint()


def zoom(panel: HeatmapPanel, size: int) -> None:
    panel.text.set_text_size(size)
    panel.text.viewport().repaint()
    panel.text.minimap.repaint()


def until_quiet(app: QApplication, panel: HeatmapPanel) -> None:
    """All that is done between events is done."""
    while not panel.text.minimap.overview.complete:
        app.processEvents()


def main() -> None:
    from PySide6.QtCore import QPointF

    from arplay.gui import app as starting
    from arplay.gui.panels.heatmap import HeatmapPanel, heat_figures
    from arplay.gui.settings import Settings
    from arplay.gui.view import View

    app = starting.application()
    ledger = ledger_of(TOKENS)
    ledger.add_up()  # in the worker
    panel = HeatmapPanel()
    panel.resize(900, 800)
    panel.show()
    app.processEvents()

    began = time.perf_counter()
    stalls = [ms(lambda: panel.show_view(View(ledger=ledger))), ms(app.processEvents)]
    row("a million tokens opened and painted", time.perf_counter() - began, "s", 2, "1 s")
    while panel.text.flow is not None and panel.text.flow.unknown is not None:
        stalls.append(ms(app.processEvents))
    print(f"all rows counted after {time.perf_counter() - began:.1f} s")
    row("longest stall until then", max(stalls), "ms", 50, "1000 ms")
    grown = replace(ledger)
    grown.add_up()
    row("its totals in the window's thread", ms(lambda: heat_figures(grown, "bits")), "ms", 1, "114 ms")
    row("an update of the heatmap", ms(lambda: panel.show_view(View(ledger=grown))), "ms", 50, "114 ms for totals")

    minimap = panel.text.minimap
    assert minimap.isVisible() and minimap.overview.complete
    other = replace(Settings(), colour_by="surprisal-minus-entropy")
    row("another measure, minimap begun", ms(lambda: panel.show_view(View(other, ledger=grown))), "ms", 50, "")
    blocks = []
    while not minimap.overview.complete:
        blocks.append(ms(minimap.overview.go_on))
    row("a block of the minimap", max(blocks), "ms", 10, f"{len(blocks)} of them")
    panel.show_view(View(ledger=grown))
    until_quiet(app, panel)

    bar = panel.text.verticalScrollBar()
    steps = np.random.default_rng(1).integers(0, bar.maximum(), 100).tolist()

    def paint(at: int) -> None:
        bar.setValue(at)
        panel.text.viewport().repaint()
        panel.text.minimap.repaint()

    paints = [ms(partial(paint, at)) for start in steps for at in range(start, start + 5 * 54, 54)]
    row("painting while scrolling, median", statistics.median(paints), "ms", 8, "900 × 800")
    row("painting while scrolling, 99 of 100", statistics.quantiles(paints, n=100)[98], "ms", 16, "900 × 800")
    drags = []
    for y in np.random.default_rng(2).integers(0, minimap.height(), 100).tolist():
        token = minimap.token_at(QPointF(10, y))
        assert token is not None
        drags.append(ms(partial(jump, panel, token)))
    row("a jump by the minimap, median", statistics.median(drags), "ms", 8, "")
    row("a jump by the minimap, 99 of 100", statistics.quantiles(drags, n=100)[98], "ms", 16, "")
    zooms = [ms(partial(zoom, panel, size)) for size in (12, 13, 15, 18, 22, 18, 15, 13, 12, 15) * 3]
    row("a step of the text's size, median", statistics.median(zooms), "ms", 8, "")
    row("a step of the text's size, the longest", max(zooms), "ms", 16, "")

    tracemalloc.start()
    other = HeatmapPanel()
    other.show_view(View(ledger=ledger))
    assert other.text.flow is not None
    other.text.flow.count_all()
    layout = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    held = sum(a.nbytes for a in (ledger.ids, ledger.ends, ledger.encoded.fixed, ledger.logprob, ledger.rank))
    held += sum(a.nbytes for a in (ledger.entropy, ledger.best.packed, ledger.best.logprobs))
    row("a ledger and its layout", (held + layout) / TOKENS, "bytes a token", 64, "128 + 96")


def curve() -> None:
    """The ledger's curve while 500,000 tokens are scored: what its last updates take until they are painted."""
    from arplay.gui import app as starting
    from arplay.gui.widgets.ledger.curve import SurprisalCurve

    app = starting.application()
    shown, whole, times = SurprisalCurve(), ledger_of(TOKENS // 2), []
    shown.resize(500, 200)
    shown.show()
    for done in range(100_000, TOKENS // 2 + 1, 10_000):
        ledger = replace(whole, done=done)
        ledger.add_up()
        began = time.thread_time()
        shown.show_ledger(ledger, None)
        app.processEvents()
        times.append(1000 * (time.thread_time() - began))
    row(
        "an update of the curve at 500,000",
        statistics.median(times[-5:]),
        "ms of CPU",
        5,
        f"at 100,000: {times[1]:.1f}",
    )


if __name__ == "__main__":
    curve()  # before there are windows whose own events would count
    main()
    clicks()
    saved()
