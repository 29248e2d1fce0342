"""A text of 1 MB in the window: first scores, stalls, memory: ``python -m tests.benchmarks.megabyte [SECONDS [MB]]``.

SECONDS: end the scoring after so long; without it the whole text is scored, which takes minutes. MB: of a longer text.
The processor time of the window's thread between two heartbeats is told beside the stalls: other programs do not
make it much longer.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.harness import row, wait

BYTES = 1_000_000
WORDS = "the of and a to in he was that it his her with as had she for on at by which have or from this him but not all"
BARE = """
import sys, torch
from PySide6.QtWidgets import QApplication, QMainWindow, QPlainTextEdit
from transformers import AutoModelForCausalLM, AutoTokenizer
app = QApplication([])
window = QMainWindow()
window.setCentralWidget(QPlainTextEdit())
window.show()
torch.set_num_threads(1)
net = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32, attn_implementation="sdpa").eval()
text = open(sys.argv[2], encoding="utf-8").read()
ids = AutoTokenizer.from_pretrained(sys.argv[1])(text, return_tensors="pt").input_ids[0]
nll = torch.empty(len(ids))
with torch.inference_mode():
    for at in range(0, min(len(ids), 20 * 256), 256):
        part = ids[at : at + 513]
        rows = net(part[None, :-1]).logits[0].log_softmax(-1)
        nll[at + 1 : at + len(part)] = -rows.gather(1, part[1:, None])[:, 0]
print(next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
"""Not ru_maxrss: a child begins with that of its parent."""


def prose(size: int) -> str:
    """Made-up sentences, each with other words."""
    draw, words = random.Random(5), WORDS.split()
    lines: list[str] = []
    while size > 0:
        new = [" ".join(draw.choices(words, k=draw.randint(4, 16))).capitalize() + ".\n" for _ in range(2000)]
        lines.extend(new)
        size -= sum(map(len, new))
    return "".join(lines)[: size or None]


def main() -> None:
    from PySide6.QtCore import QTimer

    from arplay.gui import app as starting
    from arplay.gui.options import WindowOptions
    from arplay.models import devices

    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    size = BYTES * (int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    folder = Path(tempfile.mkdtemp())
    path = folder / "long.txt"
    path.write_text(prose(size), "utf-8")
    starting.application()
    window = starting._window(WindowOptions())
    play = window.playground
    window.store.set_flag("tour_seen", True)
    window.show()
    play.load_model("english")
    wait(lambda: play.view.loaded is not None and not play.view.stale and not play.busy_scoring())
    loaded = play.view.loaded
    assert loaded is not None
    last, worst, told = [time.perf_counter(), time.thread_time()], [0.0, 0.0], [0]

    def beat() -> None:
        now = [time.perf_counter(), time.thread_time()]
        worst[:] = [max(most, after - before) for most, after, before in zip(worst, now, last, strict=True)]
        last[:] = now

    timer = QTimer()
    timer.timeout.connect(beat)
    timer.start(2)
    play.changed.connect(lambda _: told.__setitem__(0, told[0] + 1))
    pause = time.perf_counter() + 0.5
    wait(lambda: time.perf_counter() > pause)
    worst[:] = [0.0, 0.0]
    began = time.perf_counter()
    window.open_file(path)

    def first() -> bool:
        ledger = play.view.ledger
        return ledger is not None and ledger.encoded.units == size and ledger.done > 0

    wait(first, 1200.0, every_ms=5)
    row(f"{size // BYTES} MB opened until the first scores are there", time.perf_counter() - began, "s", 2.0, "english")
    row("largest stall until then", worst[0], "s", 0.05, "heartbeat of 2 ms")
    row("most of the window's thread's time in one turn", worst[1], "s of CPU", 0.035, "")
    worst[:] = [0.0, 0.0]
    end = time.perf_counter() + seconds
    wait(lambda: not play.busy_scoring() or time.perf_counter() > end, 7200.0, every_ms=50)
    ledger = play.view.ledger
    assert ledger is not None
    print(f"{ledger.done:,} of {len(ledger):,} tokens scored in {time.perf_counter() - began:.0f} s")
    row("largest stall while it is scored", worst[0], "s", 0.05, f"{told[0]:,} Views")
    row("most of the window's thread's time in one turn", worst[1], "s of CPU", 0.035, "")
    timer.stop()
    peak = devices.peak() / 2**20
    window.hide()
    play.close()
    if size > BYTES:
        return
    command = [sys.executable, "-c", BARE, loaded.info.source, str(path)]
    bare = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    row("peak memory", peak, "MiB", bare + 100, f"bare script {bare:.0f} MiB")


if __name__ == "__main__":
    main()
