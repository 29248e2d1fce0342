"""Play as fast as it goes in the whole window, beside the command line: ``python -m tests.benchmarks.play``.

They take turns, so that a machine that is busy is as busy for both; the medians are compared.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from dataclasses import replace

import arplay
from arplay.engine.write import FASTEST
from tests.benchmarks.harness import row, wait

STEPS, TURNS = 200, 5
TEXT = b"Once upon a time"


def main() -> None:
    from PySide6.QtCore import QTimer

    from arplay.core.modalities.text import Text
    from arplay.gui import app as starting
    from arplay.gui.intents import Change, Do
    from arplay.gui.options import WindowOptions

    model = arplay.load("english", device="cpu", dtype="float32")
    starting.application()
    window = starting._window(WindowOptions())
    play = window.playground
    settings = replace(play.view.settings, seed=3, play_per_second=FASTEST, play_steps=STEPS, stop_at_eos=False)
    play.handle(Change(settings))
    window.resize(1280, 800)
    window.show()
    play.load_model("english")
    wait(lambda: play.view.loaded is not None and not play.view.stale)
    gaps, last = [0.0], 0.0

    def beat() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

    timer = QTimer()
    timer.timeout.connect(beat)

    def played() -> tuple[float, float]:
        """Tokens a second of Play, and milliseconds of the window's thread for each."""
        nonlocal last
        play.open_document(Text.of(TEXT), at_end=True)
        wait(lambda: not play.view.stale and not play.busy_scoring())
        count, last = play.tree.count, time.perf_counter()
        timer.start(5)
        began, worked = time.perf_counter(), time.thread_time()
        play.handle(Do("play"))
        wait(lambda: not play.view.playing and not play.view.stale, every_ms=10)
        seconds, worked = time.perf_counter() - began, time.thread_time() - worked
        timer.stop()
        assert play.tree.count == count + STEPS
        return STEPS / seconds, 1000 * worked / STEPS

    def commanded() -> float:
        """Tokens a second of ``arplay sample``, loading left out."""
        stream = model.stream(TEXT, STEPS, seed=3, at_limit="slide")
        began = time.perf_counter()
        deque(stream, maxlen=0)
        return len(stream.steps) / (time.perf_counter() - began)

    played(), commanded()  # what is made at the first time
    gaps.clear()
    both = [(commanded(), *played()) for _ in range(TURNS)]
    alone, rate, worked = (statistics.median(each) for each in zip(*both, strict=True))
    said = f"{alone:.0f} and {rate:.0f}; the window's thread works {worked:.2f} ms a token"
    row("tokens a second of the command line over Play's", alone / rate, "x", 1 / 0.6, said)
    row("longest stall in Play", 1000 * max(gaps), "ms", 50, f"{TURNS} times {STEPS} tokens")
    play.close()


main()
