"""What the benchmarks share: a window with a real worker, and one way to print a bar."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for _name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
    os.environ[_name] = tempfile.mkdtemp()


def row(what: str, value: float, unit: str, limit: float, baseline: str) -> None:
    print(f"{what}: {value:.3f} {unit} (bar: at most {limit:.3f}; {baseline}) {'met' if value <= limit else 'MISSED'}")


def wait(until: Callable[[], bool], seconds: float = 120.0) -> None:
    """Let the event loop wait and work, as a program does (never spin: that would keep the worker from the GIL)."""
    from PySide6.QtCore import QEventLoop, QTimer

    end = time.monotonic() + seconds
    loop = QEventLoop()

    def look() -> None:
        if until() or time.monotonic() > end:
            loop.quit()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(1)
    if not until():
        loop.exec()
    timer.stop()
    if not until():
        raise SystemExit("the benchmark hangs")
