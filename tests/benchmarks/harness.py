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
    """Turn the event loop until ``until()``; a hang ends the benchmark."""
    from PySide6.QtCore import QCoreApplication, QEventLoop

    end = time.monotonic() + seconds
    while not until():
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 5)
        if time.monotonic() > end:
            raise SystemExit("the benchmark hangs")
