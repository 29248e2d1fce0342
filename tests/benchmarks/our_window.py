"""arplay's window until it has taken a key, then until the first distribution of ``english`` is painted.

Prints one JSON object of seconds since the start of the process.
"""

import json
import time

began = time.perf_counter()

import tests.benchmarks.harness as harness  # noqa: E402

stamps: dict[str, float] = {}


def stamp(name: str) -> None:
    stamps.setdefault(name, time.perf_counter() - began)


from pathlib import Path  # noqa: E402

from PySide6.QtCore import QTimer  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QPlainTextEdit  # noqa: E402

from arplay.commands.window import imported  # noqa: E402

starting = imported()

from arplay.gui.options import WindowOptions  # noqa: E402

application = starting.application()
window = starting._window(WindowOptions())
window.store.set_flag("tour_seen", True)
window.show()
QTest.qWaitForWindowExposed(window)
editor = window.panels["editor"].findChild(QPlainTextEdit)
QTest.keyClicks(editor, "x")
application.processEvents()
assert window.playground.document.data == b"x"
stamp("typed")

beats: list[float] = [time.perf_counter()]
stalls: list[float] = []


def beat() -> None:
    now = time.perf_counter()
    stalls.append(now - beats[-1])
    beats[-1] = now


timer = QTimer()
timer.timeout.connect(beat)
timer.start(5)
window.playground.progress.connect(lambda p: stamp(p.what) if p else None)
window.playground.model_loaded.connect(lambda loaded: stamp("loaded"))
window.playground.changed.connect(lambda v: stamp("explored") if v.answer is not None and not v.stale else None)
window.playground.load_model("english")
harness.wait(lambda: "explored" in stamps)
window.panels["next_token"].repaint()
stamp("painted")
timer.stop()
window.playground.close()
print(json.dumps({"stamps": stamps, "largest_stall": max(stalls), "file": str(Path(__file__).name)}))
