"""Play as fast as it goes in the whole window, beside the command line: ``python -m tests.benchmarks.play``."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace

import arplay
from tests.benchmarks.harness import row, wait

STEPS = 200
TEXT = b"Once upon a time"


def command_line() -> float:
    """Tokens a second of ``arplay sample``, loading left out."""
    stream = arplay.load("english", device="cpu", dtype="float32").stream(TEXT, STEPS, seed=3, at_limit="slide")
    began = time.perf_counter()
    deque(stream, maxlen=0)
    return len(stream.steps) / (time.perf_counter() - began)


def main() -> None:
    from PySide6.QtCore import QTimer

    from arplay.core.modalities.text import Text
    from arplay.gui import app as starting
    from arplay.gui.contract import Change, Do
    from arplay.gui.options import WindowOptions

    alone = command_line()
    starting.application()
    window = starting._window(WindowOptions())
    play = window.playground
    settings = replace(play.view.settings, seed=3, play_per_second=200.0, play_steps=STEPS, stop_at_eos=False)
    play.handle(Change(settings))
    window.resize(1280, 800)
    window.show()
    play.load_model("english")
    wait(lambda: play.view.loaded is not None and not play.view.stale)
    play.open_document(Text.of(TEXT), at_end=True)
    wait(lambda: not play.view.stale and not play.busy_scoring())
    gaps, last = [], time.perf_counter()

    def beat() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

    timer = QTimer()
    timer.timeout.connect(beat)
    timer.start(5)
    began = time.perf_counter()
    play.handle(Do("play"))
    wait(lambda: not play.view.playing and not play.view.stale, every_ms=10)
    seconds = time.perf_counter() - began
    timer.stop()
    rate = STEPS / seconds
    assert play.tree.count > STEPS
    row("tokens a second of the command line over Play's", alone / rate, "x", 1 / 0.6, f"{alone:.0f} and {rate:.0f}")
    row("longest stall in Play", 1000 * max(gaps), "ms", 50, f"{STEPS} tokens")
    play.close()


main()
