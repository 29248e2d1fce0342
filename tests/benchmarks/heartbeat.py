"""Bar 2, second half: stalls of the event loop while 200 tokens are sampled, 20,000 scored, and the user types."""

from __future__ import annotations

import time
from dataclasses import replace

from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import Text
from tests.benchmarks.harness import row, wait

TEXT = b"It was a dark and stormy night, and the old man sat by the fire. He said nothing for a long while.\n" * 900


def main() -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QPlainTextEdit

    from arplay.gui import app as starting
    from arplay.gui.intents import Change, Do
    from arplay.gui.options import WindowOptions

    starting.application()
    window = starting._window(WindowOptions())
    play = window.playground
    window.show()
    play.load_model("english")
    wait(lambda: play.view.loaded is not None and not play.view.stale)

    last = [time.perf_counter()]
    worst = [0.0]

    def beat() -> None:
        now = time.perf_counter()
        worst[0] = max(worst[0], now - last[0])
        last[0] = now

    timer = QTimer()
    timer.timeout.connect(beat)
    timer.start(2)

    def measured(what: str) -> None:
        row(f"largest stall while {what}", worst[0], "s", 0.05, "heartbeat of 2 ms")
        worst[0], last[0] = 0.0, time.perf_counter()

    play.open_document(Text.of(b"It was a dark and stormy night, and the old man"), at_end=True)
    wait(lambda: not play.view.stale)
    play.handle(Change(replace(play.view.settings, play_per_second=200.0, play_steps=200, stop_at_eos=False)))
    measured("getting ready")
    began = time.perf_counter()
    play.handle(Do("play"))
    wait(lambda: not play.view.playing)
    print(f"200 tokens sampled in {time.perf_counter() - began:.1f} s")
    measured("200 tokens are sampled")

    play.open_document(Text.of(TEXT[: TEXT.rfind(b"\n", 0, 80_000) + 1]))
    wait(lambda: play.view.ledger is not None and bytes_of(play.view.ledger.encoded) == play.document.data)
    ledger = play.view.ledger
    assert ledger is not None
    print(f"{len(ledger):,} tokens to score")
    measured("a text of 20,000 tokens is opened")
    wait(lambda: not play.busy_scoring(), 300)
    measured("20,000 tokens are scored")
    editor = window.panels["editor"].findChild(QPlainTextEdit)
    for char in "And then she typed":
        QTest.keyClicks(editor, char)
        end = time.perf_counter() + 0.1
        wait(lambda end=end: time.perf_counter() > end)
    measured("the user types into it while it is scored")
    timer.stop()
    play.close()


main()
