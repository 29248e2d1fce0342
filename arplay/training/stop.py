"""Stopping politely: a signal, a file, or the end of the process that asked for the run is looked for between steps."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import FrameType

import psutil

PARENT = "ARPLAY_TRAIN_PARENT"
"""Environment variable: the process id of the program whose run this is; without it the run is on its own."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_LOOK_SECONDS = 0.5


class Stop:
    """Whether to stop, from ``with`` on. A second signal interrupts at once (KeyboardInterrupt).

    A signal that the program was told to ignore (``nohup``) stays ignored.
    """

    def __init__(self, file: Path) -> None:
        """``file``: whoever makes it asks to stop, where no signal can say so."""
        self._file = file
        parent = os.environ.get(PARENT, "")
        self._parent = int(parent) if parent.isdigit() else None
        self._looked = 0.0
        self._asked = False

    def __enter__(self) -> Stop:
        self._former = {number: signal.getsignal(number) for number in SIGNALS}
        for number, former in self._former.items():
            if former is not signal.SIG_IGN:
                signal.signal(number, self._take)
        return self

    def __exit__(self, *unused: object) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)

    def __call__(self) -> bool:
        """Cheap enough to be asked at every step."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            orphaned = self._parent is not None and self._orphaned(self._parent)
            self._asked = self._asked or orphaned or self._file.exists()
        return self._asked

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    @staticmethod
    def _orphaned(parent: int) -> bool:
        if os.name == "posix":
            return os.getppid() != parent
        return not psutil.pid_exists(parent)  # there a child keeps the number of a parent that is gone
