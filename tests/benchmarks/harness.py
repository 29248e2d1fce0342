"""What the benchmarks share: a window with a real worker, and one way to print a bar."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arplay.gui.main_window import MainWindow

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for _name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
    os.environ[_name] = tempfile.mkdtemp()


def row(what: str, value: float, unit: str, limit: float, baseline: str) -> None:
    print(f"{what}: {value:.3f} {unit} (bar: at most {limit:.3f}; {baseline}) {'met' if value <= limit else 'MISSED'}")


def wait(until: Callable[[], bool], seconds: float = 120.0, every_ms: int = 1) -> None:
    """Let the event loop wait and work, as a program does (never spin: that would keep the worker from the GIL).

    ``every_ms``: how often it looks, which takes the time of what is measured.
    """
    from PySide6.QtCore import QEventLoop, QTimer

    end = time.monotonic() + seconds
    loop = QEventLoop()

    def look() -> None:
        if until() or time.monotonic() > end:
            loop.quit()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(every_ms)
    if not until():
        loop.exec()
    timer.stop()
    if not until():
        raise SystemExit("the benchmark hangs")


def until_painted(window: MainWindow) -> Callable[[Callable[[], object]], float]:
    """A function that does what it is given and gives the seconds until the chart shows a new answer.

    It waits for the paint itself (no polling: that would slow the worker), and first lets the window rest, as a
    person's click finds it.
    """
    from PySide6.QtCore import QEvent, QEventLoop, QObject

    play, loop = window.playground, QEventLoop()
    bars = window.panels["next_token"].bars.viewport()  # type: ignore[attr-defined]

    class Paints(QObject):
        before: object = None

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and not play.view.stale and play.view.answer is not self.before:
                loop.quit()
            return False

    paints = Paints(bars)
    bars.installEventFilter(paints)

    def timed(act: Callable[[], object]) -> float:
        pause = time.perf_counter() + 0.1
        wait(lambda: time.perf_counter() > pause)
        paints.before = play.view.answer
        began = time.perf_counter()
        act()
        loop.exec()
        return time.perf_counter() - began

    return timed
